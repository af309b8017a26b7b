"""Maps on the pixels of images: over the image or alone, one or a grid of them, with the same cursor in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import Array, FieldMap, ImageSeries, Item
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import colour_limits
from sensiview.gui.plots.image_colouring import (
    DIVERGING,
    SEQUENTIAL,
    Look,
    as_picture,
    coloured,
    frame_for,
    picture_limits,
    table_of,
)
from sensiview.gui.plots.image_controls import PercentSlider
from sensiview.gui.plots.image_scales import cells_of, exponent_of, in_pixels, power_text
from sensiview.gui.plots.image_tiles import Bar, Tile, TileGrid, best_columns, rect_numbers
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.themes import Theme

Beside = Callable[[], Mapping[str, Item]]
_MOST_TILES = 120
_ALL = "all"
# Axes that span a grid, the most telling ones last.
_ROWS, _COLUMNS = ("image", "block", "layer", "map", "target"), ("channel", "target", "map", "block", "layer", "image")


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
        self._beside = beside or dict
        self._view: QRectF | None = None
        self._opacity = PercentSlider("plot_opacity", "Opacity", 60, "How much the map covers the image")
        self._threshold = PercentSlider("plot_threshold", "Threshold", 0, "Values below this share of the scale vanish")
        super().__init__(item, colours=colours, parent=parent)
        for place, slider in enumerate((self._opacity, self._threshold)):
            slider.moved.connect(self._slid)
            self.bar.insertWidget(1 + place, slider)
        self.canvas.zoomed.connect(self._zoom_by_key)

    # What can be chosen.

    def set_item(self, item: Item) -> None:
        """Show other maps on the same pixels, keeping what was chosen."""
        assert isinstance(item, FieldMap)
        self.item = item
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer the places on every axis, what lies below, scale, colours and cells."""
        offered = []
        spanned = self._spanned()
        for axis in self._axes():
            options = tuple((str(k), self._label(axis, k)) for k in range(self._length(axis)))
            if axis in spanned:
                options = ((_ALL, "all"), *options)
            offered.append(Chooser(f"axis_{axis}", title_of(axis).capitalize(), options))
        if self._series() is not None:
            over = (("over", "over the image"), ("alone", "alone"), ("image", "image only"))
            offered.append(Chooser("below", "Map", over, "alone" if "block" in self.item.axes else "over"))
        if len(self._axes()) and self._count() > 1:
            scales = (("row", "same in a row"), ("all", "same for all"), ("each", "own for each"))
            offered.append(Chooser("scale", "Scale", scales, "row" if "block" in self.item.axes else "all"))
        names = DIVERGING if self.item.signed else SEQUENTIAL
        offered.append(Chooser("colours", "Colours", tuple((name, name) for name in names)))
        if self.item.spacing is None:
            sizes = tuple((str(n), f"{n} × {n}") for n in (2, 4, 8, 16) if n < min(self.item.values.shape[-2:]))
            offered.append(Chooser("cells", "Cells", (("1", "pixels"), *sizes)))
        if self._can_differ():
            offered.append(Chooser("difference", "Difference", (("no", "no"), ("yes", "second − first"))))
        return offered

    def build(self) -> None:
        """Draw the chosen maps."""
        rows, names, columns = self._arranged()
        self._values = [[self._one(at) for at in row] for row in rows]
        if self.chosen("difference") == "yes" and all(len(row) == 2 for row in self._values):
            for row in self._values:
                row.append(row[1] - row[0])
            columns = (*columns, "difference")
        self._places = [at for row in rows for at in (row if len(self._values[0]) == len(row) else [*row, None])]
        limits = self._limits_of(self._values)
        look = Look(self.chosen("colours"), self._opacity.share, self._threshold.share)
        tiles, bars = self._tiles(rows, limits, look)
        self._grid = TileGrid(
            tiles, self.colours, self.canvas.text_font(), row_names=names, column_names=columns, bars=bars,
            view=self._view, zoomed=self._keep_view,
        )  # fmt: skip
        self._flat = [values for row in self._values for values in row]
        self.canvas.grid.addItem(self._grid, 1, 0, 1, 4)
        self.canvas.grid.setRowStretchFactor(1, 1)

    def _tiles(
        self, rows: list[list[dict[str, int]]], limits: list[list[tuple[float, float]]], look: Look
    ) -> tuple[list[list[Tile]], list[Bar]]:
        panel = QColor(self.colours.panel)
        none = np.array([panel.red(), panel.green(), panel.blue()], dtype=np.uint8)
        below = self.chosen("below") or "alone"
        self._opacity.setEnabled(below == "over")
        several = self._count() > 1
        tiles: list[list[Tile]] = []
        for values, ends, places in zip(self._values, limits, rows, strict=True):
            line = []
            for column, (one, end) in enumerate(zip(values, ends, strict=True)):
                signed = self.item.signed or column >= len(places)
                ground = self._ground(places[min(column, len(places) - 1)]) if below != "alone" else None
                if below == "image" and ground is not None:
                    picture = ground
                else:
                    table = table_of(look.colours, self.colours, signed=signed)
                    picture = coloured(one, end, table, look, signed=signed, below=ground, none=none)
                name = self._label(self._wrapped, places[column][self._wrapped]) if self._wrapped else ""
                largest = f"max {_short(one)}" if several else ""
                line.append(Tile(picture, " · ".join(part for part in (name, largest) if part)))
            tiles.append(line)
        return tiles, [] if below == "image" else self._bars(limits, look)

    def _bars(self, limits: list[list[tuple[float, float]]], look: Look) -> list[Bar]:
        """Return a bar per row, or one where every row has the same scale; shares where each map has its own."""
        signed = self.item.signed
        table = table_of(look.colours, self.colours, signed=signed)
        unit = "" if self.item.unit == "1" else self.item.unit
        if self.chosen("scale") == "each":
            return [Bar((-1.0, 1.0) if signed else (0.0, 1.0), "share of each map's largest", signed, table)]
        found = []
        for (low, high), *_ in limits:
            power = exponent_of(max(abs(low), abs(high)))
            factor = 10.0**power
            label = f"{power_text(power)} {unit}".strip()
            found.append(Bar((low / factor, high / factor), label, signed, table))
        return found[:1] if self.chosen("scale") != "row" or len(found) == 1 else found

    # Reading.

    def count(self) -> int:
        """Return the number of pixels of all maps."""
        return len(self._flat) * self._grid.height * self._grid.width

    def stride(self) -> int:
        """Return the pixels of one row."""
        return self._grid.width

    def nearest(self, position: QPointF) -> int | None:
        """Return the pixel at a place."""
        found = self._grid.at(position)
        if found is None:
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
        where = [self._label(axis, k) for axis, k in (at or {}).items() if self._length(axis) > 1]
        lines = [", ".join([*(where if at is not None else ["difference"]), f"x {x}, y {y}"])]
        lines.append(with_unit_behind(short(float(self._flat[tile][y, x])), self.item.unit))
        pixel = self._pixel(at or {}, y, x)
        return [*lines, f"image {pixel}"] if pixel else lines

    def _read(self, index: int | None) -> None:
        super()._read(index)
        self._grid.mark(None if index is None else self._split(index))

    def _split(self, index: int) -> tuple[int, int, int]:
        tile, pixel = divmod(index, self._grid.height * self._grid.width)
        return tile, *divmod(pixel, self._grid.width)

    def _pixel(self, at: Mapping[str, int], y: int, x: int) -> str:
        series, frame = self._frame(at)
        if series is None or frame is None or y >= series.values.shape[1] or x >= series.values.shape[2]:
            return ""
        return " ".join(short(float(v)) for v in np.atleast_1d(series.values[frame, y, x]))

    def content_height(self) -> int:
        """Return room for all rows."""
        return max(320, round(60 + self._grid.least_height(max(300.0, float(self.canvas.width() - 40)))))

    # Zoom, state, export.

    def reset_view(self) -> None:
        """Show the whole images."""
        self._view = None
        self.redraw()

    def state(self) -> dict[str, Any]:
        """Return the choices, sliders and what is zoomed into."""
        view = rect_numbers(self._view)
        return {**super().state(), "opacity": self._opacity.value(), "threshold": self._threshold.value(), "view": view}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        for name, slider in (("opacity", self._opacity), ("threshold", self._threshold)):
            if isinstance(state.get(name), int):
                slider.set_value(state[name])
        view = state.get("view")
        if isinstance(view, list | tuple) and len(view) == 4 and all(isinstance(n, int | float) for n in view):
            self._view = QRectF(*(float(n) for n in view))
        super().restore(state)

    def _keep_view(self, view: QRectF | None) -> None:
        self._view = view

    def _zoom_by_key(self, factor: float) -> None:
        self._grid.zoom(factor)

    def _slid(self) -> None:
        self.redraw()
        self.changed.emit()

    # What is shown.

    def _axes(self) -> list[str]:
        """Return the axes before y and x that have more than one place."""
        return [axis for axis in self.item.axes[:-2] if self._length(axis) > 1]

    def _length(self, axis: str) -> int:
        return int(self.item.values.shape[self.item.axes.index(axis)])

    def _label(self, axis: str, at: int) -> str:
        labels = self.item.coordinates.get(axis, ())
        return labels[at] if at < len(labels) else str(at)

    def _count(self) -> int:
        return int(np.prod(self.item.values.shape[:-2], dtype=np.int64))

    def _spanned(self) -> tuple[str, str]:
        """Return the axes that span the grid, rows and columns; empty where there is none, or too many maps."""
        axes = self._axes()
        columns = next((axis for axis in _COLUMNS if axis in axes), axes[-1] if axes else "")
        rows = next((axis for axis in _ROWS if axis in axes and axis != columns), "")
        if "block" in axes and "channel" in axes:
            rows, columns = "block", "channel"
        if rows and columns and self._length(rows) * self._length(columns) > _MOST_TILES:
            rows = ""
        if columns and self._length(columns) > _MOST_TILES:
            columns = ""
        return rows, columns

    def _arranged(self) -> tuple[list[list[dict[str, int]]], tuple[str, ...], tuple[str, ...]]:
        """Return the place of each tile, and the names of rows and columns."""
        fixed = dict.fromkeys(self.item.axes[:-2], 0)
        free = []
        for axis in self._axes():
            chosen = self.chosen(f"axis_{axis}")
            if chosen == _ALL or (not chosen and axis in self._spanned()):
                free.append(axis)
            else:
                fixed[axis] = min(int(chosen or 0), self._length(axis) - 1)
        rows, columns = self._spanned()
        across = columns if columns in free else ""
        down = rows if rows in free else ""
        alone = across or down
        self._wrapped = ""
        if alone and not (across and down):
            across, down = alone, ""
            wide = best_columns(self._length(alone), self.item.values.shape[-2] / self.item.values.shape[-1])
            if wide < self._length(alone) and self.chosen("difference") != "yes":
                self._wrapped = alone
                places = [{**fixed, alone: k} for k in range(self._length(alone))]
                return [places[k : k + wide] for k in range(0, len(places), wide)], (), ()
        ys = range(self._length(down)) if down else (None,)
        xs = range(self._length(across)) if across else (None,)
        grid = [
            [{**fixed, **({down: y} if y is not None else {}), **({across: x} if x is not None else {})} for x in xs]
            for y in ys
        ]
        return (
            grid,
            tuple(self._label(down, y) for y in ys if y is not None),
            tuple(self._label(across, x) for x in xs if x is not None),
        )

    def _can_differ(self) -> bool:
        _, columns = self._spanned()
        return columns in ("map", "image", "target") and self._length(columns) == 2

    def _one(self, at: Mapping[str, int]) -> Array:
        """Return one map on the pixels of the image, float64 (y, x)."""
        values = np.asarray(self.item.values[tuple(at[axis] for axis in self.item.axes[:-2])], dtype=np.float64)
        if self.item.spacing is not None:
            return in_pixels(values, round(self.item.spacing[0]), self._image_shape())
        cells = int(self.chosen("cells") or 1)
        return cells_of(values, cells) if cells > 1 else values

    def _limits_of(self, values: list[list[Array]]) -> list[list[tuple[float, float]]]:
        signed, scale = self.item.signed, self.chosen("scale") or "all"
        own = len(values[0])
        differing = any(at is None for at in self._places)
        kept = own - 1 if differing else own
        if scale == "each":
            found = [[colour_limits(one, signed=signed) for one in row] for row in values]
        else:
            everything = np.concatenate([one.ravel() for row in values for one in row[:kept]])
            of_row = [np.concatenate([one.ravel() for one in row[:kept]]) for row in values]
            found = [
                [colour_limits(of_row[k] if scale == "row" else everything, signed=signed)] * len(row)
                for k, row in enumerate(values)
            ]
        if differing:
            for row, ends in zip(values, found, strict=True):
                ends[-1] = colour_limits(row[-1], signed=True)
        return found

    # The image below.

    def _series(self) -> ImageSeries | None:
        """Return the images below: those of the same pixels."""
        items = self._beside()
        names = ("input", "mean_input") if "image" in self.item.axes or "mean_input" not in items else None
        mean = self.item.over.startswith("mean") or self.item.title.lower().startswith(("mean", "spread"))
        for name in names or (("mean_input", "input") if mean else ("input", "mean_input")):
            found = items.get(name)
            if isinstance(found, ImageSeries) and self._fits(found):
                return found
        return None

    def _fits(self, series: ImageSeries) -> bool:
        height, width = self.item.values.shape[-2:]
        cell = round(self.item.spacing[0]) if self.item.spacing is not None else 1
        seen = series.values.shape[1:3]
        return (-(-seen[0] // cell), -(-seen[1] // cell)) == (height, width)

    def _image_shape(self) -> tuple[int, int]:
        series = self._series()
        if series is not None:
            return int(series.values.shape[1]), int(series.values.shape[2])
        assert self.item.spacing is not None
        height, width = self.item.values.shape[-2:]
        return height * round(self.item.spacing[0]), width * round(self.item.spacing[1])

    def _frame(self, at: Mapping[str, int]) -> tuple[ImageSeries | None, int | None]:
        series = self._series()
        if series is None:
            return None, None
        axes = [series.axis, *(axis for axis in ("image", "target") if axis != series.axis)]
        for axis in axes:
            if axis in at and (found := frame_for(series, self.item.coordinates.get(axis, ()), at[axis])) is not None:
                return series, found
        return series, 0 if len(series.labels) == 1 else None

    def _ground(self, at: Mapping[str, int]) -> Array | None:
        series, frame = self._frame(at)
        if series is None or frame is None:
            return None
        return as_picture(np.asarray(series.values[frame]), picture_limits(np.asarray(series.values)))

    def sizeHint(self) -> QSize:
        """Ask for a little more than the least."""
        return QSize(640, 480)


def _short(values: Array) -> str:
    finite = np.abs(values[np.isfinite(values)])
    return short(float(finite.max()), 2) if finite.size else "–"
