"""What all plots share: choosers above, the drawing, a read-out below, export, themes and keyboard."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QToolTip, QVBoxLayout, QWidget

from sensiview.analysis.items import Item
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.plots import pictures
from sensiview.gui.plots.canvas import Canvas
from sensiview.gui.plots.chooser_bar import Chooser, ChooserBar
from sensiview.gui.plots.plot_menu import PlotMenu
from sensiview.gui.themes import Theme, notifier, theme

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.gui.plots.image_tiles import TileGrid

_LEAST_HEIGHT = 220


class ItemPlot(QWidget):
    """A plot of one item. Subclasses say what can be chosen, draw, and read values at a place.

    Signals
    -------
    changed()
        The user chose something else.
    problem(object)
        A `SensiViewError`: an export went wrong.
    picked(int)
        The user clicked a value, or pressed Enter on it.
    table_changed()
        The table that belongs to the plot has other rows or values.
    """

    changed = Signal()
    table_changed = Signal()
    problem = Signal(object)
    picked = Signal(int)
    hint = "Point at a value, or use the arrow keys, to read it."
    zoomable = False

    def __init__(self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self._fixed_colours = colours
        self._current: int | None = None
        self.setObjectName("plot")
        self.bar = QHBoxLayout()
        self.bar.setContentsMargins(8, 6, 8, 0)
        self._choices = ChooserBar()
        self._choices.changed.connect(self._choose)
        self.bar.addWidget(self._choices, 1)
        self.canvas = Canvas(self.colours)
        self.canvas.setObjectName("plot_canvas")
        self.canvas.moved.connect(self._point)
        self.canvas.left.connect(lambda: self._read(None))
        self.canvas.stepped.connect(self._step)
        self.canvas.clicked.connect(self._click)
        self.canvas.entered.connect(self._enter)
        self.canvas.customContextMenuRequested.connect(self._open_menu)
        self.readout = ElidedLabel(self.hint)
        self.readout.setObjectName("plot_readout")
        self.readout.setProperty("role", "muted")
        self.readout.setAccessibleDescription("Value under the cursor")
        self.readout.setContentsMargins(12, 0, 12, 6)
        self._menu = PlotMenu(self)
        self.bar.addWidget(self._menu.button())
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self.bar)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.readout)
        notifier.changed.connect(self.redraw)
        self.set_item(item)

    # What subclasses say.

    def choosers(self) -> list[Chooser]:
        """Return what can be chosen for the present item."""
        return []

    def build(self) -> None:
        """Draw the item into the canvas."""
        raise TypeError(f"{type(self).__name__} does not draw.")

    def count(self) -> int:
        """Return how many values can be read with the arrow keys."""
        return 0

    def stride(self) -> int:
        """Return how many values one row has: what the up and down keys skip."""
        return 1

    def nearest(self, position: QPointF) -> int | None:
        """Return which value lies at a place of the canvas."""
        return None

    def place(self, index: int) -> QRectF:
        """Return where on the canvas a value lies."""
        return QRectF()

    def describe(self, index: int) -> list[str]:
        """Return the value in words: one or more lines."""
        return []

    def title_columns(self) -> int:
        """Return over how many columns of the canvas's grid the title reaches."""
        return 4

    def table(self) -> pd.DataFrame | None:
        """Return the rows that the table beside the plot shows; None for the item's own."""
        return None

    def content_height(self) -> int:
        """Return the least height at which everything can be read."""
        return _LEAST_HEIGHT

    def reset_view(self) -> None:
        """Show everything again."""
        self.redraw()

    # What everybody may use.

    @property
    def colours(self) -> Theme:
        """The theme this plot is drawn in."""
        return self._fixed_colours or theme()

    def set_item(self, item: Item) -> None:
        """Show another item of the same kind (a live preview), keeping what was chosen."""
        self.item = item
        self.canvas.setAccessibleName(item.title)
        self.canvas.setAccessibleDescription(item.description)
        self._choices.offer(self.choosers())
        current = self._current
        self.redraw()
        if current is not None and current < self.count():
            self._read(current)

    def chosen(self, key: str) -> str:
        """Return the chosen value of a chooser; empty when it is not offered."""
        return self._choices.chosen(key)

    def state(self) -> dict[str, Any]:
        """Return what was chosen, as plain values."""
        return dict(self._choices.state())

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave; what no longer exists is left as it is."""
        self._choices.restore(state)
        self._choices.offer(self.choosers())
        self.redraw()

    def redraw(self) -> None:
        """Draw anew: another item, choice or theme."""
        self._current = None
        self.readout.setText(self.hint)
        self.canvas.start(self.colours)
        self.canvas.title(self.item.title, columns=self.title_columns())
        self.build()
        self.canvas.setMinimumHeight(self.content_height())
        self.canvas.settle()

    def numbers(self, separator: str = ",") -> str | None:
        """Return the numbers as text with every digit, None for items that are no table."""
        to_frame = getattr(self.item, "to_frame", None)
        if to_frame is None:
            return None
        frame = to_frame()
        return str(frame.to_csv(sep=separator, index=frame.index.name is not None, lineterminator="\n"))

    def save(self, path: Path) -> None:
        """Write the plot (.png, .svg) or its numbers (.csv); raises UserError when it can't."""
        numbers = self.numbers()
        if path.suffix.lower() == ".csv" and numbers is not None:
            pictures.write(path, numbers.encode("utf-8"))
        else:
            pictures.save(self.canvas, path, self.item.title)

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw at this size without being shown; higher when the item needs more to be readable."""
        self._resize_canvas(width, max(height, self.content_height()))

    def _resize_canvas(self, width: int, height: int) -> None:
        self.canvas.resize(width, height)
        self.canvas.viewport().resize(self.canvas.size())
        self.canvas.settle()

    def _trim(self, grid: TileGrid) -> None:
        """Leave out what stays empty below tiles that fill the width."""
        size = grid.size()
        spare = math.floor(size.height() - grid.full_height(size.width()))
        if spare > 0:
            self._resize_canvas(self.canvas.width(), self.canvas.height() - spare)

    def copy(self) -> None:
        """Put the picture and the numbers on the clipboard."""
        content = QMimeData()
        content.setImageData(pictures.to_image(self.canvas))
        content.setText(self.numbers("\t") or self.item.title)
        QGuiApplication.clipboard().setMimeData(content)

    def describe_current(self) -> str:
        """Return what the read-out says now."""
        return self.readout.text()

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew in another font size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            # Later: Qt is still telling the items of the present drawing about the font.
            QTimer.singleShot(0, self, self.redraw)

    # Inside.

    def _open_menu(self, position: QPoint) -> None:
        self._menu.popup(self.canvas.mapToGlobal(position))

    def _choose(self) -> None:
        # One choice may take others away: a heat map of all outputs has no output chooser.
        self._choices.offer(self.choosers())
        self.redraw()
        self.changed.emit()

    def _point(self, position: QPointF) -> None:
        found = self.nearest(position)
        if found != self._current:
            self._read(found)
        if found is None:
            QToolTip.hideText()
        else:
            lines = "<br>".join(html.escape(line) for line in self.describe(found))
            # The names in it are the user's: escaped, so that none is taken for markup.
            QToolTip.showText(QCursor.pos() + QPoint(12, 12), f"<qt>{lines}</qt>", self.canvas)

    def _click(self, position: QPointF) -> None:
        found = self.nearest(position)
        if found is not None:
            self.picked.emit(found)

    def _enter(self) -> None:
        if self._current is not None:
            self.picked.emit(self._current)

    def _step(self, columns: int, rows: int) -> None:
        count = self.count()
        if not count:
            return
        if self._current is None:
            self._read(0)
            return
        wanted = self._current + columns + rows * self.stride()
        if 0 <= wanted < count:
            self._read(wanted)

    def _read(self, index: int | None) -> None:
        self._current = index
        if index is None:
            self.canvas.highlight(None)
            self.readout.setText(self.hint)
            return
        self.canvas.highlight(self.place(index))
        self.readout.setText("  ·  ".join(self.describe(index)))
