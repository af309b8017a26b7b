"""Dots per repetition with mean and spread: accuracies over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF

from sensiview.analysis.items import Array, IndexTable, Item
from sensiview.gui.number_text import full, short, with_unit_behind
from sensiview.gui.plots.arrangement import title_of, with_unit
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.colours import faded, pen, series_colour
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend
from sensiview.gui.plots.ticks import NameTicks, NumberTicks

_REACH = 14.0


@dataclass(frozen=True)
class _Dot:
    row: int
    group: int
    column: str
    x: float
    y: float


class PointsPlot(ItemPlot):
    """One dot per row, side by side for each value column, over the groups of the first key."""

    hint = "Point at a dot, or use the arrow keys, to read its value. The bar is mean ± standard deviation."
    item: IndexTable

    def set_item(self, item: Item) -> None:
        """Show another table."""
        assert isinstance(item, IndexTable)
        names = item.frame[item.keys[0]].astype(str).to_numpy()
        self._groups: list[str] = [str(name) for name in dict.fromkeys(names)]
        self._names = names
        super().set_item(item)

    def build(self) -> None:
        """Draw dots, mean and spread."""
        item, columns = self.item, self.item.values
        entries = [Entry(c, title_of(c), pen(series_colour(self.colours, k)), "dot") for k, c in enumerate(columns)]
        self.canvas.grid.addItem(Legend(entries, self.colours, self.canvas.text_font()), 1, 0, 1, 4)
        units = {item.units.get(c, "") for c in columns}
        unit = units.pop() if len(units) == 1 else ""
        label = with_unit(columns[0], unit) if len(columns) == 1 else unit
        self._panel = Panel(
            self.canvas, 2, 0, x_ticks=NameTicks(self._groups), y_ticks=NumberTicks(),
            y_label=label,
        )  # fmt: skip
        self._dots: list[_Dot] = []
        width = 0.7 / max(1, len(columns))
        for k, column in enumerate(columns):
            colour = series_colour(self.colours, k)
            values = item.frame[column].to_numpy(dtype=float)
            for group, name in enumerate(self._groups):
                rows = np.flatnonzero((self._names == name) & np.isfinite(values))
                if rows.size == 0:
                    continue
                middle = group + (k - (len(columns) - 1) / 2) * width
                self._add_group(values[rows], rows, group, column, middle, width, colour.name())
        self._dots.sort(key=lambda dot: (dot.group, self.item.values.index(dot.column), dot.row))
        shown = np.array([dot.y for dot in self._dots] or [0.0, 1.0])
        room = float(shown.max() - shown.min()) or 1.0
        self._panel.show_range(
            (-0.5, max(1, len(self._groups)) - 0.5), (float(shown.min()) - 0.1 * room, float(shown.max()) + 0.1 * room)
        )

    def count(self) -> int:
        """Return the number of dots."""
        return len(self._dots)

    def nearest(self, position: QPointF) -> int | None:
        """Return the dot within reach."""
        best, reach = None, _REACH
        for index, dot in enumerate(self._dots):
            place = self._panel.to_scene(dot.x, dot.y) - position
            distance = float(np.hypot(place.x(), place.y()))
            if distance < reach:
                best, reach = index, distance
        return best

    def place(self, index: int) -> QRectF:
        """Return a square around the dot."""
        centre = self._panel.to_scene(self._dots[index].x, self._dots[index].y)
        return QRectF(centre.x() - 6, centre.y() - 6, 12, 12)

    def describe(self, index: int) -> list[str]:
        """Return group, repetition, value, and the group's mean and spread."""
        dot, frame = self._dots[index], self.item.frame
        others = [f"{title_of(key)} {full(frame[key].iloc[dot.row])}" for key in self.item.keys[1:]]
        values = frame[dot.column].to_numpy(dtype=float)[self._names == self._groups[dot.group]]
        values = values[np.isfinite(values)]
        unit = self.item.units.get(dot.column, "")
        lines = [
            ", ".join([self._groups[dot.group], *others]),
            with_unit_behind(f"{title_of(dot.column)} = {short(dot.y)}", unit),
        ]
        if values.size > 1:
            lines.append(
                f"mean {short(float(values.mean()))}, standard deviation {short(float(values.std(ddof=1)), 2)}"
            )
        return lines

    def _add_group(
        self, values: Array, rows: Array, group: int, column: str, middle: float, width: float, colour: str
    ) -> None:
        # Spread evenly in the order of the table: the same picture every time.
        offsets = np.linspace(-0.28, 0.28, len(values)) * width if len(values) > 1 else np.zeros(1)
        self._dots += [
            _Dot(int(r), group, column, float(middle + o), float(v))
            for r, o, v in zip(rows, offsets, values, strict=True)
        ]
        mean = float(values.mean())
        line = pen(self.colours.muted, 1.6)
        half = 0.36 * width
        self._panel.add(pg.PlotCurveItem([middle - half, middle + half], [mean, mean], pen=line))
        if len(values) > 1:
            spread = float(values.std(ddof=1))
            self._panel.add(
                pg.ErrorBarItem(
                    x=np.array([middle]), y=np.array([mean]), height=np.array([2 * spread]), beam=half, pen=line
                )
            )
        self._panel.add(
            pg.ScatterPlotItem(
                x=middle + offsets, y=values, size=7, pen=pen(colour, 1), brush=faded(colour, 0.45), useCache=False
            )
        )
