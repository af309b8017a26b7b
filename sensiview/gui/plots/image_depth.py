"""How sensitivity goes with depth: mean and largest of every block, on a scale of powers of ten."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF

from sensiview.analysis.items import Array, IndexTable, Item
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.arrangement import title_of, with_unit
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import pen, series_colour, series_pen
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend
from sensiview.gui.plots.ticks import NameTicks, NumberTicks, Tick, Ticks

_SHOWN = {"absolute": ("mean", "max"), "relative": ("relative",)}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_REACH = 40.0


class DecadeTicks:
    """Ticks at powers of ten of an axis that holds logarithms to the base 10; between them where it spans few."""

    def between(self, low: float, high: float, room: int) -> list[Tick]:
        """Return the ticks in a range."""
        first, last = int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9))
        every = max(1, -(-(last - first + 1) // max(1, room)))
        found = [Tick(float(k), f"10{str(k).translate(_RAISED)}") for k in range(first, last + 1, every)]
        if len(found) > 1:
            return found
        values = [m * 10.0**k for k in range(int(np.floor(low)), last + 1) for m in (1, 2, 5)]
        return [Tick(float(np.log10(v)), short(v)) for v in values if low <= np.log10(v) <= high][:room]


class DepthProfilePlot(ItemPlot):
    """Lines over the blocks of a network, from input to output."""

    hint = "Point at a value, or use the arrow keys, to read it."
    item: IndexTable

    def set_item(self, item: Item) -> None:
        """Show another profile."""
        assert isinstance(item, IndexTable)
        self.item = item
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer absolute or relative values, and the scale."""
        offered = []
        if "relative" in self.item.frame.columns:
            options = (("absolute", "mean and largest"), ("relative", "relative to the block's norm"))
            offered.append(Chooser("value", "Value", options))
        return [*offered, Chooser("axis", "Scale", (("log", "powers of ten"), ("linear", "linear")))]

    def build(self) -> None:
        """Draw a line per value, with the spread over the images as bars."""
        frame, columns = self.item.frame, self._columns()
        log = self.chosen("axis") != "linear" and bool((frame[list(columns)].to_numpy() > 0).any())
        blocks = [str(name) for name in frame["block"]]
        self._lines = {name: self._on_axis(frame[name].to_numpy(dtype=float), log=log) for name in columns}
        unit = self.item.units.get(columns[0], "")
        ticks: Ticks = DecadeTicks() if log else NumberTicks()
        self._panel = Panel(
            self.canvas, 1, 0, x_ticks=NameTicks(blocks), y_ticks=ticks,
            x_label="block, from the input on", y_label=unit or with_unit(columns[0], unit),
        )  # fmt: skip
        x = np.arange(len(blocks), dtype=float)
        for number, (name, y) in enumerate(self._lines.items()):
            if name == "mean" and "std" in frame.columns and float(frame["std"].max()) > 0:
                self._draw_spread(x, log=log)
            known = np.isfinite(y)
            self._panel.add(pg.PlotCurveItem(x[known], y[known], pen=series_pen(self.colours, number)))
            dots = pg.ScatterPlotItem(
                x[known], y[known], size=9, pen=pen(self.colours.panel, 1.5), brush=series_colour(self.colours, number)
            )
            self._panel.add(dots)
        every = np.concatenate([y[np.isfinite(y)] for y in self._lines.values()] or [np.zeros(0)])
        low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
        low = low if log else min(0.0, low)
        room = 0.08 * ((high - low) or 1.0)
        self._panel.show_range((-0.4, len(blocks) - 0.6), (low - (room if log else 0.0), high + room))
        if len(columns) > 1:
            entries = [
                Entry(n, _TITLES.get(n, title_of(n)), series_pen(self.colours, k), "line")
                for k, n in enumerate(columns)
            ]
            self.canvas.grid.addItem(Legend(entries, self.colours, self.canvas.text_font()), 4, 0, 1, 3)

    def _draw_spread(self, x: Array, *, log: bool) -> None:
        table = self.item.frame
        mean, std = table["mean"].to_numpy(dtype=float), table["std"].to_numpy(dtype=float)
        low, high = self._on_axis(mean - std, log=log), self._on_axis(mean + std, log=log)
        for place, (bottom, top) in enumerate(zip(low, high, strict=True)):
            if np.isfinite(bottom) and np.isfinite(top):
                line = pg.PlotCurveItem([x[place]] * 2, [bottom, top], pen=series_pen(self.colours, 0))
                self._panel.add(line)

    def count(self) -> int:
        """Return the number of values."""
        return len(self.item.frame) * len(self._columns())

    def stride(self) -> int:
        """Return the number of blocks: up and down go from line to line."""
        return len(self.item.frame)

    def nearest(self, position: QPointF) -> int | None:
        """Return the nearest value within reach."""
        best, reach = None, _REACH
        for index in range(self.count()):
            place = self._position(index)
            if place is None:
                continue
            distance = float(np.hypot(place.x() - position.x(), place.y() - position.y()))
            if distance < reach:
                best, reach = index, distance
        return best

    def place(self, index: int) -> QRectF:
        """Return a small square around a value."""
        point = self._position(index)
        return QRectF() if point is None else QRectF(point.x() - 6, point.y() - 6, 12, 12)

    def describe(self, index: int) -> list[str]:
        """Return block, value and spread."""
        line, block = divmod(index, len(self.item.frame))
        name = self._columns()[line]
        row = self.item.frame.iloc[block]
        value = f"{_TITLES.get(name, title_of(name))} = {short(float(row[name]))}"
        lines = [str(row["block"]), with_unit_behind(value, self.item.units.get(name, ""))]
        if name == "mean" and "std" in row and float(row["std"]) > 0:
            lines.append(f"spread over the images {short(float(row['std']))}")
        return lines

    def _position(self, index: int) -> QPointF | None:
        line, block = divmod(index, len(self.item.frame))
        y = self._lines[self._columns()[line]][block]
        return self._panel.to_scene(float(block), float(y)) if np.isfinite(y) else None

    def _columns(self) -> tuple[str, ...]:
        return _SHOWN.get(self.chosen("value") or "absolute", _SHOWN["absolute"])

    @staticmethod
    def _on_axis(values: Array, *, log: bool) -> Array:
        if not log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log10(values)
        return np.where(np.isfinite(found), found, np.nan)


_TITLES = {"mean": "mean", "max": "largest", "relative": "mean relative to the block's norm"}
