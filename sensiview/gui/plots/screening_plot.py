"""Effects of factors as a screening finds them: mu_star against sigma, in classes, linked to the parts of the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import Array, Item
from sensiview.gui.number_text import short
from sensiview.gui.plots.arrangement import title_of, with_unit
from sensiview.gui.plots.canvas import Panel, TextLine
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.legend import Legend
from sensiview.gui.plots.screening_choice import FactorsPlot
from sensiview.gui.plots.screening_controls import ScreeningButton
from sensiview.gui.plots.screening_data import (
    USUAL_SHARE,
    classes_of_all,
    described,
    dots_of,
    places_of,
    table_of_dots,
)
from sensiview.gui.plots.screening_dots import ScreeningDots
from sensiview.gui.plots.screening_looks import Drawn, class_entries, tints
from sensiview.gui.plots.screening_parts import Parts, numbers_of, parts_of
from sensiview.gui.plots.screening_picture import PartsPicture
from sensiview.gui.plots.ticks import NumberTicks
from sensiview.gui.themes import Theme

if TYPE_CHECKING:
    import pandas as pd

# The image lies below the dots in a plot narrower and higher than this, in pixels.
_NARROW, _HIGH = 560, 520
_TABLE_MS = 120


class ScreeningPlot(FactorsPlot):
    """One dot per factor; the image beside it shows where the factors lie.

    Parameters
    ----------
    beside : callable, optional
        ``parts``, ``factors`` and ``input`` among the other items give the image.
    """

    hint = (
        "Point at a dot or a part, or use the arrow keys, to read it; click to choose it. Drag a frame around several, "
        "or the line of no effect."
    )
    zoomable = True

    def __init__(
        self,
        item: Item,
        *,
        colours: Theme | None = None,
        parent: QWidget | None = None,
        beside: Callable[[], Mapping[str, Item]] | None = None,
    ) -> None:
        self._stacked = False
        self._settings = ScreeningButton(USUAL_SHARE)
        super().__init__(item, colours=colours, parent=parent, beside=beside)
        self.bar.insertWidget(1, self._settings)
        self._settings.changed.connect(self._set_up_otherwise)
        self._settings.share_changed.connect(self._move_to_share)
        self._table_timer = QTimer(self, singleShot=True, interval=_TABLE_MS)
        self._table_timer.timeout.connect(self.table_changed)

    # What can be chosen.

    def choosers(self) -> list[Chooser]:
        """Offer input and output; behind the button what lies upwards, and how parts are drawn."""
        self._settings.choices.offer(self._more_choosers())
        offered = []
        for key in self.item.keys[:-1]:
            places = places_of(self.item, key)
            if len(places) > 1:
                offered.append(Chooser(key, title_of(key).capitalize(), tuple((p, p) for p in places)))
        return offered

    def chosen(self, key: str) -> str:
        """Return the chosen value of a chooser, in the bar or behind the button."""
        return super().chosen(key) or self._settings.choices.chosen(key)

    def _more_choosers(self) -> list[Chooser]:
        offered = []
        if "mu" in self.item.frame:
            offered.append(Chooser("upwards", "Against", (("sigma", "σ (spread)"), ("mu", "μ (with sign)"))))
        if parts_of(self._beside(), *self.input_place()) is not None:
            ways = (("classes", "in class colours"), ("outlines", "outlined"), ("none", "not drawn"))
            offered.append(Chooser("parts", "Parts", ways))
        return offered

    def fixed(self) -> dict[str, str]:
        """Return the value of each key before the factor."""
        places = {key: places_of(self.item, key) for key in self.item.keys[:-1]}
        return {key: self.chosen(key) or (known[0] if known else "") for key, known in places.items()}

    def input_place(self) -> tuple[str, str]:
        """Return the key of inputs and the chosen one; empty where the table has none."""
        key = next((key for key in self.item.keys[:-1] if key != "output"), "")
        return key, self.fixed().get(key, "")

    @property
    def share(self) -> float:
        """Where the line lies, as a share of the largest mu_star."""
        return self._settings.share()

    @property
    def line(self) -> float:
        """The mu_star below which a factor counts as without effect."""
        return self.share * self._dots.largest

    # Drawing.

    def build(self) -> None:
        """Draw dots, legend and image."""
        self.take(dots_of(self.item, self.fixed()))
        items = self._beside()
        self._numbers = numbers_of(items, *self.input_place())
        self._names = {number: name for name, number in self._numbers.items()}
        parts = parts_of(items, *self.input_place()) if self.chosen("parts") != "none" else None
        self._stacked = parts is not None and self._stands()
        font = self.canvas.text_font()
        self._rule = TextLine(self._subtitle(), self.colours.muted, font)
        self._legend = Legend([], self.colours, font)
        self.canvas.grid.addItem(self._rule, 1, 0, 1, 4)
        self.canvas.grid.addItem(self._legend, 2, 0, 1, 4)
        self.canvas.grid.setRowSpacing(2, 4)
        self._build_dots()
        self._picture = self._build_picture(parts) if parts is not None else None
        self._show_classes()
        self.show_chosen()

    def _build_dots(self) -> None:
        dots, upwards, settings = self._dots, self._upwards(), self._settings
        self._panel = Panel(
            self.canvas, 3, 0, x_ticks=NumberTicks(), y_ticks=NumberTicks(), zoom=True, grid="xy",
            x_label=with_unit("mu_star", self.item.units.get("mu_star", "")), y_label=title_of(upwards),
        )  # fmt: skip
        self._panel.view.setPreferredHeight(300)
        drawn = Drawn.of(
            dots, upwards, guides=settings.is_on("guides"), intervals=settings.is_on("intervals"),
            named=settings.is_on("names"),
        )  # fmt: skip
        self._overlay = ScreeningDots(self.canvas, self._panel, drawn, dots.classes(self.line), self.line)
        self._overlay.line_moved.connect(self._move_line)
        self._overlay.line_dropped.connect(self.changed)
        self._overlay.framed.connect(self._choose_framed)
        self.keep_zoom(self._panel, drawn.ranges())

    def _build_picture(self, parts: Parts) -> PartsPicture:
        picture = PartsPicture(parts, self.colours, self.canvas.text_font(), caption=self.input_place()[1])
        grid = self.canvas.grid
        if self._stacked:
            grid.addItem(picture, 6, 0, 1, 2)
            grid.setRowSpacing(5, 8)
            grid.setRowStretchFactor(6, 1)
        else:
            grid.addItem(picture, 4, 3)
            grid.setColumnSpacing(1, 18)
            grid.setColumnStretchFactor(3, 1)
        return picture

    def _subtitle(self) -> str:
        where = [text for text in self.fixed().values() if text]
        if not len(self._dots):
            return "  ·  ".join([*where, "the table has no rows of this choice"])
        unseen = int((~np.isfinite(self._dots.values["mu_star"] + self.upwards())).sum())
        rule = f"no effect: μ* below {short(self.line, 3)}, {short(100 * self.share, 3)} % of the largest"
        left = [f"{unseen:,} without a number are not drawn"] if unseen else []
        return "  ·  ".join([*where, rule, *left])

    def _show_classes(self) -> None:
        """Show the line where it is, and everything in the classes that follow."""
        self._classes = self._dots.classes(self.line)
        self._overlay.show_classes(self._classes, self.line)
        self._legend.show_entries(class_entries(self.colours, self._classes))
        if self._picture is not None:
            coloured = self.chosen("parts") == "classes"
            self._picture.tint(tints(self._dots, self._classes, self._numbers, self.colours) if coloured else {})

    def show_chosen(self) -> None:
        """Ring the dots and outline the parts that are chosen."""
        self._overlay.choose([self._places[name] for name in self._chosen])
        if self._picture is not None:
            self._picture.pin([self._numbers[name] for name in self._chosen if name in self._numbers])

    # Reading.

    def upwards(self) -> Array:
        """Return what lies upwards."""
        return self._dots.values[self._upwards()]

    def nearest(self, position: QPointF) -> int | None:
        """Return the factor whose dot or part lies at a place."""
        if self._picture is not None and (number := self._picture.part_at(position)):
            return self._places.get(self._names.get(number, ""))
        return self._overlay.near(position)

    def place(self, index: int) -> QRectF:
        """Return a square around the dot."""
        return self._overlay.place(index)

    def describe(self, index: int) -> list[str]:
        """Return name, class and all numbers."""
        return described(self.item, self._dots, index, int(self._classes[index]))

    def content_height(self) -> int:
        """Return room for the dots, and for an image below them."""
        return 520 if self._stacked else 270

    def _read(self, index: int | None) -> None:
        super()._read(index)
        if self._picture is not None:
            self._picture.light(self._numbers.get(self._dots.names[index], 0) if index is not None else 0)

    # The line.

    def _move_line(self, mu_star: float) -> None:
        largest = self._dots.largest
        if largest > 0:
            self._settings.set_share(min(1.0, mu_star / largest))
            self._reclass()

    def _move_to_share(self) -> None:
        self._reclass()
        self.changed.emit()

    def _reclass(self) -> None:
        self._show_classes()
        self._rule.set_text(self._subtitle())
        self._table_timer.start()

    def _set_up_otherwise(self) -> None:
        self.reset_view()
        self.changed.emit()

    # Tables and files.

    def table(self) -> pd.DataFrame:
        """Return the factors that are drawn with their class, largest mu_star first."""
        return table_of_dots(self.item, self._dots, self._classes)

    def numbers(self, separator: str = ",") -> str:
        """Return all rows of the table as text with every digit, and the class of each."""
        frame = self.item.to_frame()
        frame.insert(len(self.item.keys), "class", classes_of_all(self.item, self.share))
        return str(frame.to_csv(sep=separator, index=False, lineterminator="\n"))

    def state(self) -> dict[str, Any]:
        """Return the choices, the line, and what is chosen."""
        return {**super().state(), **self._settings.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        self._settings.restore(state)
        super().restore(state)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the image below the dots where there is no room beside them, and back."""
        super().resizeEvent(event)
        # Later: the canvas gets its size after this widget.
        QTimer.singleShot(0, self, self._arrange_again)

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw at this size without being shown."""
        super().resize_drawing(width, height)
        if self._arrange_again():
            super().resize_drawing(width, height)

    # Inside.

    def _choose(self) -> None:
        super()._choose()
        self.table_changed.emit()

    def _upwards(self) -> str:
        return self.chosen("upwards") or "sigma"

    def _stands(self) -> bool:
        """Say whether the image lies below the dots: there is more room down than across."""
        room = self._scroll.viewport() if self.isVisible() else self.canvas.viewport()
        return room.width() < _NARROW and room.height() > _HIGH

    def _arrange_again(self) -> bool:
        wrong = self._picture is not None and self._stacked != self._stands()
        if wrong:
            self.redraw()
        return wrong
