"""Maps on the pixels of images: over the image or alone, one or a grid of them, with the same cursor in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import INPUT_CHANGE, Array, FieldMap, Item
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.canvas import TextLine
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.image_colouring import Look, coloured, table_of
from sensiview.gui.plots.image_controls import LookButton
from sensiview.gui.plots.image_ground import Beside, Ground
from sensiview.gui.plots.image_legend import largest_text, legend, look_choosers, scale_text
from sensiview.gui.plots.image_scales import cells_of, in_pixels, limits_of
from sensiview.gui.plots.image_spans import Arranged, arranged, label, length, several, spanning
from sensiview.gui.plots.image_tile import Tile, rect_numbers
from sensiview.gui.plots.image_tiles import TileGrid
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.themes import Theme

_ALL = "all"


class ImageMapPlot(ItemPlot):
    """Heat maps of an item with axes (..., y, x).

    Parameters
    ----------
    beside : callable, optional
        The other items of the result; ``input`` (or ``mean_input``) holds the images below the maps.
    """

    hint = "Point at a pixel, or use the arrow keys, to read it. Ctrl and wheel, or + and -, zoom; drag to move."
    zoomable = True
    item: FieldMap

    def __init__(
        self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None, beside: Beside | None = None
    ) -> None:
        self._ground = Ground(beside or dict)
        self._view: QRectF | None = None
        self._look = LookButton()
        super().__init__(item, colours=colours, parent=parent)
        self._look.changed.connect(self._slid)
        self.bar.insertWidget(1, self._look)
        self.canvas.zoomed.connect(self._zoom_by_key)

    # What can be chosen.

    def set_item(self, item: Item) -> None:
        """Show other maps on the same pixels, keeping what was chosen."""
        assert isinstance(item, FieldMap)
        if item.values.shape[-2:] != self.item.values.shape[-2:]:
            self._view = None
        self.item = item
        self._look.choices.offer(look_choosers(item, several=self._count() > 1, differing=self._can_differ()))
        super().set_item(item)

    def chosen(self, key: str) -> str:
        """Return the chosen value of a chooser, in the bar or behind the button."""
        return super().chosen(key) or self._look.choices.chosen(key)

    def choosers(self) -> list[Chooser]:
        """Offer the places on every axis, and what lies below."""
        offered = []
        spanned = spanning(self.item)
        for axis in several(self.item):
            options = tuple((str(k), label(self.item, axis, k)) for k in range(length(self.item, axis)))
            if axis in spanned:
                options = ((_ALL, "all"), *options)
            offered.append(Chooser(f"axis_{axis}", title_of(axis).capitalize(), options))
        if self._ground.series(self.item) is not None:
            over = (("over", "over the image"), ("alone", "alone"), ("image", "image only"))
            bare = "block" in self.item.axes or self.item.unit == INPUT_CHANGE
            offered.append(Chooser("below", "Shown", over, "alone" if bare else "over"))
        return offered

    def build(self) -> None:
        """Draw the chosen maps."""
        found = self._arranged()
        rows, names, columns, self._wrapped = found.rows, found.row_names, found.column_names, found.wrapped
        self._values = [[self._one(at) for at in row] for row in rows]
        differing = self.chosen("difference") == "yes" and all(len(row) == 2 for row in self._values)
        if differing:
            for row in self._values:
                row.append(row[1] - row[0])
            columns = (*columns, "difference")
        self._places = [at for row in rows for at in ([*row, None] if differing else row)]
        scale = self.chosen("scale") or "all"
        limits = limits_of(
            self._values, scale, signed=self.item.signed, differing=differing, clipping=self.chosen("ends") != "whole"
        )
        look = Look(self.chosen("colours"), self._look.opacity.share, self._look.threshold.share)
        tiles = self._tiles(rows, limits, look)
        bars, told = legend(
            [values[: len(row)] for values, row in zip(self._values, rows, strict=True)],
            [ends[: len(row)] for ends, row in zip(limits, rows, strict=True)],
            self._table(look, signed=self.item.signed),
            scale=scale, signed=self.item.signed, unit=self.item.unit, hidden=look.threshold,
        )  # fmt: skip
        if self.chosen("below") == "image":
            bars, told = [], []
        self._grid = TileGrid(
            tiles, self.colours, self.canvas.text_font(), row_names=names, column_names=columns, bars=bars,
            view=self._view, zoomed=self._keep_view,
        )  # fmt: skip
        self._flat = [values for row in self._values for values in row]
        if subtitle := self._subtitle(told):
            line = TextLine(subtitle, self.colours.muted, self.canvas.text_font())
            self.canvas.grid.addItem(line, 1, 0, 1, 4)
            self.canvas.grid.setRowSpacing(1, 6)
        self.canvas.grid.addItem(self._grid, 2, 0, 1, 4)
        self.canvas.grid.setRowStretchFactor(2, 1)

    def _subtitle(self, told: list[str]) -> str:
        """Return what is the same for all tiles: places on axes that are not spanned, unit, what is told of colours."""
        first = self._places[0] or {}
        fixed = [
            label(self.item, axis, place)
            for axis, place in first.items()
            if length(self.item, axis) > 1 and len({(at or first)[axis] for at in self._places}) == 1
        ]
        unit = "" if self.item.unit in ("", "1") else self.item.unit
        return "  ·  ".join([part for part in (self.item.over, *fixed, unit, *told) if part])

    def _tiles(
        self, rows: list[list[dict[str, int]]], limits: list[list[tuple[float, float]]], look: Look
    ) -> list[list[Tile]]:
        panel = QColor(self.colours.panel)
        none = np.array([panel.red(), panel.green(), panel.blue()], dtype=np.uint8)
        below = self.chosen("below") or "alone"
        self._look.opacity.setEnabled(below == "over")
        many = self._count() > 1
        tiles: list[list[Tile]] = []
        for values, ends, places in zip(self._values, limits, rows, strict=True):
            line = []
            for column, (one, end) in enumerate(zip(values, ends, strict=True)):
                signed = self.item.signed or column >= len(places)
                at = places[min(column, len(places) - 1)]
                ground = self._ground.picture(self.item, at) if below != "alone" else None
                if below == "image" and ground is not None:
                    picture = ground
                else:
                    table = self._table(look, signed=signed)
                    picture = coloured(one, end, table, look, signed=signed, below=ground, none=none)
                name = label(self.item, self._wrapped, places[column][self._wrapped]) if self._wrapped else ""
                own_scale = column >= len(places) or self.chosen("scale") == "each"
                size = scale_text(end, signed=signed) if own_scale else largest_text(one)
                line.append(Tile(picture, " · ".join(part for part in (name, size if many else "") if part)))
            tiles.append(line)
        return tiles

    def _table(self, look: Look, *, signed: bool) -> Array:
        """Return the colour map; over an image the dark theme's would be as dull as most images are."""
        name = "blue to red" if signed and look.colours == "theme" and self.chosen("below") == "over" else look.colours
        return table_of(name, self.colours, signed=signed)

    # Reading.

    def count(self) -> int:
        """Return the number of pixels of all maps."""
        return len(self._flat) * self._grid.height * self._grid.width

    def stride(self) -> int:
        """Return the pixels of one row."""
        return self._grid.width

    def nearest(self, position: QPointF) -> int | None:
        """Return the pixel at a place."""
        if (found := self._grid.at(position)) is None:
            return None
        tile, y, x = found
        return (tile * self._grid.height + y) * self._grid.width + x

    def place(self, index: int) -> QRectF:
        """Return the pixel's rectangle."""
        return self._grid.place(*self._split(index))

    def describe(self, index: int) -> list[str]:
        """Return where the pixel is, the map's value, and the image's own."""
        tile, y, x = self._split(index)
        at = self._places[tile]
        where = [label(self.item, axis, k) for axis, k in (at or {}).items() if length(self.item, axis) > 1]
        lines = [", ".join([*(where if at is not None else ["difference"]), f"x {x}, y {y}"])]
        lines.append(with_unit_behind(short(float(self._flat[tile][y, x])), self.item.unit))
        pixel = self._ground.pixel(self.item, at or {}, y, x)
        return [*lines, f"image {pixel}"] if pixel else lines

    def _read(self, index: int | None) -> None:
        super()._read(index)
        self._grid.mark(None if index is None else self._split(index))

    def _split(self, index: int) -> tuple[int, int, int]:
        tile, pixel = divmod(index, self._grid.height * self._grid.width)
        return tile, *divmod(pixel, self._grid.width)

    def content_height(self) -> int:
        """Return room for all rows."""
        return max(320, round(84 + self._grid.least_height(max(300.0, float(self.canvas.width() - 40)))))

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw at this width, no higher than the rows need."""
        super().resize_drawing(width, height)
        self._trim(self._grid)

    # Zoom, state, export.

    def reset_view(self) -> None:
        """Show the whole images."""
        self._view = None
        self.redraw()

    def state(self) -> dict[str, Any]:
        """Return the choices, sliders and what is zoomed into."""
        return {
            **super().state(),
            **self._look.choices.state(),
            "opacity": self._look.opacity.value(),
            "threshold": self._look.threshold.value(),
            "view": rect_numbers(self._view),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        for name, slider in (("opacity", self._look.opacity), ("threshold", self._look.threshold)):
            if isinstance(state.get(name), int):
                slider.set_value(state[name])
        view = state.get("view")
        if isinstance(view, list | tuple) and len(view) == 4 and all(isinstance(n, int | float) for n in view):
            self._view = QRectF(*(float(n) for n in view))
        self._look.choices.restore(state)
        super().restore(state)

    def _keep_view(self, view: QRectF | None) -> None:
        self._view = view

    def _zoom_by_key(self, factor: float) -> None:
        self._grid.zoom(factor)

    def _slid(self) -> None:
        self.redraw()
        self.changed.emit()

    # What is shown.

    def _arranged(self) -> Arranged:
        """Return the place of each tile, and the names of rows and columns."""
        return arranged(
            self.item, lambda axis: self.chosen(f"axis_{axis}"), wrapping=self.chosen("difference") != "yes"
        )

    def _count(self) -> int:
        return int(np.prod(self.item.values.shape[:-2], dtype=np.int64))

    def _can_differ(self) -> bool:
        _, columns = spanning(self.item)
        return columns in ("map", "image", "target") and length(self.item, columns) == 2

    def _one(self, at: Mapping[str, int]) -> Array:
        """Return one map on the pixels of the image, float64 (y, x)."""
        values = np.asarray(self.item.values[tuple(at[axis] for axis in self.item.axes[:-2])], dtype=np.float64)
        if self.item.spacing is not None:
            return in_pixels(values, round(self.item.spacing[0]), self._ground.shape(self.item))
        cells = int(self.chosen("cells") or 1)
        return cells_of(values, cells) if cells > 1 else values

    def sizeHint(self) -> QSize:
        """Ask for a little more than the least."""
        return QSize(640, 480)
