"""Pictures in colour: contact sheets of a series, and grids of found inputs by start and target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import INPUT_VALUE, Array, FieldMap, ImageSeries, Item, Matrix
from sensiview.gui.number_text import short
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.image_colouring import as_picture, picture_limits
from sensiview.gui.plots.image_tile import Tile, best_columns, rect_numbers
from sensiview.gui.plots.image_tiles import TileGrid
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.themes import Theme

Beside = Callable[[], Mapping[str, Item]]
_ALL = "all"
# More pictures than this at once are too small to be looked at; the others come page by page.
MOST_PICTURES = 144


class PicturesPlot(ItemPlot):
    """Pictures of an `ImageSeries`, or of a `FieldMap` of inputs with axes (..., channel, y, x).

    Parameters
    ----------
    beside : callable, optional
        The other items of the result; ``cross_activation`` gives the captions of a grid of starts and targets.
    """

    hint = "Point at a pixel, or use the arrow keys, to read it. Ctrl and wheel, or + and -, zoom; drag to move."
    zoomable = True
    item: FieldMap | ImageSeries

    def __init__(
        self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None, beside: Beside | None = None
    ) -> None:
        self._beside = beside or dict
        self._view: QRectF | None = None
        super().__init__(item, colours=colours, parent=parent)
        self.canvas.zoomed.connect(lambda factor: self._grid.zoom(factor))

    def set_item(self, item: Item) -> None:
        """Show other pictures; a zoom into those of another size is left."""
        assert isinstance(item, FieldMap | ImageSeries)
        before = self._pictures().shape[-3:-1]
        self.item = item
        if self._pictures().shape[-3:-1] != before:
            self._view = None
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer one picture, or all; page by page where there are many."""
        offered = []
        for axis, labels in self._labels().items():
            options = tuple((str(k), label) for k, label in enumerate(labels))
            if len(labels) <= 1:
                continue
            if self._fits(axis):
                options = ((_ALL, "all"), *options)
            offered.append(Chooser(f"axis_{axis}", title_of(axis).capitalize(), options))
        return offered

    def build(self) -> None:
        """Draw the chosen pictures."""
        labels = self._labels()
        limits = picture_limits(np.asarray(self.item.values))
        self._arrays, captions, names = self._chosen(labels)
        pictures = [[as_picture(one, limits) for one in row] for row in self._arrays]
        tiles = [
            [Tile(picture, caption) for picture, caption in zip(row, line, strict=True)]
            for row, line in zip(pictures, captions, strict=True)
        ]
        self._captions = [caption for line in captions for caption in line]
        self._flat = [one for row in self._arrays for one in row]
        self._grid = TileGrid(
            tiles, self.colours, self.canvas.text_font(), row_names=names[0], column_names=names[1],
            view=self._view, zoomed=self._keep_view,
        )  # fmt: skip
        self.canvas.grid.addItem(self._grid, 1, 0, 1, 4)
        self.canvas.grid.setRowStretchFactor(1, 1)

    def _chosen(
        self, labels: Mapping[str, tuple[str, ...]]
    ) -> tuple[list[list[Array]], list[list[str]], tuple[tuple[str, ...], tuple[str, ...]]]:
        """Return pictures (y, x, channel) in rows, their captions, and the names of rows and columns."""
        places = [self._places(axis, names) for axis, names in labels.items()]
        values = self._pictures()
        if len(places) == 2 and all(len(some) > 1 for some in places):
            names = tuple(tuple(names[k] for k in some) for names, some in zip(labels.values(), places, strict=True))
            rows = [[values[y, x] for x in places[1]] for y in places[0]]
            return rows, self._activations(places), (names[0], names[1])
        flat: list[tuple[Array, str]] = []
        for at in np.ndindex(*(len(some) for some in places)):
            index = tuple(some[k] for some, k in zip(places, at, strict=True))
            caption = (
                " → ".join(names[k] for names, k in zip(labels.values(), index, strict=True) if len(names) > 1)
                or next(iter(labels.values()))[index[0]]
            )
            flat.append((values[index], caption))
        wide = best_columns(len(flat), values.shape[-3] / values.shape[-2])
        lines = [flat[k : k + wide] for k in range(0, len(flat), wide)]
        return [[one for one, _ in line] for line in lines], [[text for _, text in line] for line in lines], ((), ())

    def _activations(self, places: Sequence[Sequence[int]]) -> list[list[str]]:
        """Return the activation reached for each picture, where the result has it."""
        found = self._beside().get("cross_activation")
        if not isinstance(found, Matrix) or found.values.shape != self._pictures().shape[:2]:
            return [["" for _ in places[1]] for _ in places[0]]
        return [[short(float(found.values[y, x]), 2) for x in places[1]] for y in places[0]]

    def _places(self, axis: str, names: tuple[str, ...]) -> list[int]:
        chosen = self.chosen(f"axis_{axis}")
        if chosen == _ALL or (not chosen and self._fits(axis)):
            return list(range(len(names)))
        return [min(int(chosen or 0), len(names) - 1)]

    def _fits(self, axis: str) -> bool:
        """Say whether all places of an axis can be seen at once."""
        labels = self._labels()
        others = [len(names) for name, names in labels.items() if name != axis]
        return len(labels[axis]) * (max(others) if others and max(others) <= 12 else 1) <= MOST_PICTURES

    def _pictures(self) -> Array:
        """Return the pictures with their channels last, (..., y, x, channel)."""
        values = np.asarray(self.item.values)
        if isinstance(self.item, ImageSeries):
            return values
        moved: Array = np.moveaxis(values, -3, -1)
        return moved

    def _labels(self) -> dict[str, tuple[str, ...]]:
        if isinstance(self.item, ImageSeries):
            return {self.item.axis: self.item.labels}
        axes, shape = self.item.axes[:-3], self.item.values.shape
        return {
            axis: self.item.coordinates.get(axis) or tuple(str(k) for k in range(shape[place]))
            for place, axis in enumerate(axes)
        } or {"picture": ("",)}

    def count(self) -> int:
        """Return the number of pixels of all pictures that are shown."""
        return len(self._flat) * self._grid.height * self._grid.width

    def stride(self) -> int:
        """Return the pixels of one row."""
        return self._grid.width

    def nearest(self, position: QPointF) -> int | None:
        """Return the pixel at a place."""
        found = self._grid.at(position)
        return None if found is None else (found[0] * self._grid.height + found[1]) * self._grid.width + found[2]

    def place(self, index: int) -> QRectF:
        """Return the pixel's rectangle."""
        return self._grid.place(*self._split(index))

    def describe(self, index: int) -> list[str]:
        """Return the picture, where the pixel is, and its values."""
        tile, y, x = self._split(index)
        values = " ".join(short(float(v)) for v in np.atleast_1d(self._flat[tile][y, x]))
        unit = "" if getattr(self.item, "unit", "") in ("", "1", INPUT_VALUE) else self.item.unit
        return [", ".join([part for part in (self._name(tile), f"x {x}, y {y}") if part]), f"{values} {unit}".strip()]

    def _name(self, tile: int) -> str:
        wide = self._grid.columns
        rows, columns = self._grid.row_names, self._grid.column_names
        if rows and columns:
            return f"{rows[tile // wide]} → {columns[tile % wide]}"
        return self._captions[tile]

    def _split(self, index: int) -> tuple[int, int, int]:
        tile, pixel = divmod(index, self._grid.height * self._grid.width)
        return tile, *divmod(pixel, self._grid.width)

    def _read(self, index: int | None) -> None:
        super()._read(index)
        self._grid.mark(None if index is None else self._split(index))

    def content_height(self) -> int:
        """Return room for all rows."""
        return max(320, round(60 + self._grid.least_height(max(300.0, float(self.canvas.width() - 40)))))

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw at this width, no higher than the rows need."""
        super().resize_drawing(width, height)
        self._trim(self._grid)

    def reset_view(self) -> None:
        """Show whole pictures."""
        self._view = None
        self.redraw()

    def state(self) -> dict[str, Any]:
        """Return the choices and what is zoomed into."""
        return {**super().state(), "view": rect_numbers(self._view)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        view = state.get("view")
        if isinstance(view, list | tuple) and len(view) == 4 and all(isinstance(n, int | float) for n in view):
            self._view = QRectF(*(float(n) for n in view))
        super().restore(state)

    def _keep_view(self, view: QRectF | None) -> None:
        self._view = view
