"""Small histograms of many columns, one outline per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF

from sensiview.analysis.items import Array, Item
from sensiview.gui.number_text import grouped, short
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import faded, pen, series_colour
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend
from sensiview.gui.plots.ticks import NumberTicks

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.statistics import Histogram

_PER_PAGE = 12
_ACROSS = 3


@dataclass(frozen=True, kw_only=True)
class Histograms(Item):
    """Histograms of a table's columns; `classes` are the names of their counts, one alone without classes."""

    columns: tuple[Histogram, ...]
    classes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per column, class and bin."""
        import pandas as pd

        rows = [
            (column.column, name, float(low), float(high), int(count))
            for column in self.columns
            for name, counts in column.counts.items()
            for low, high, count in zip(column.edges[:-1], column.edges[1:], counts, strict=True)
        ]
        return pd.DataFrame(rows, columns=["column", "class", "low", "high", "count"])


class HistogramsPlot(ItemPlot):
    """A page of small histograms."""

    hint = "Point at a bar, or use the arrow keys, to read it. Each class is drawn as its share, so that all are seen."
    item: Histograms

    def choosers(self) -> list[Chooser]:
        """Offer the pages, and counts instead of shares."""
        offered = []
        total = len(self.item.columns)
        if total > _PER_PAGE:
            starts = range(0, total, _PER_PAGE)
            pages = tuple((str(at), f"{at + 1} to {min(at + _PER_PAGE, total)} of {total}") for at in starts)
            offered.append(Chooser("page", "Columns", pages))
        if len(self.item.classes) > 1:
            offered.append(Chooser("scale", "Height", (("share", "Share of the class"), ("count", "Number of rows"))))
        return offered

    def build(self) -> None:
        """Draw the page."""
        start = int(self.chosen("page") or 0)
        self._shown = self.item.columns[start : start + _PER_PAGE]
        self._panels: list[Panel] = []
        names = self.item.classes
        if len(names) > 1:
            entries = [Entry(n, n, pen(series_colour(self.colours, k))) for k, n in enumerate(names)]
            self.canvas.grid.addItem(Legend(entries, self.colours, self.canvas.text_font()), 1, 0, 1, 2 * _ACROSS)
        for number, column in enumerate(self._shown):
            row, across = divmod(number, _ACROSS)
            heights = self._heights(column)
            panel = Panel(
                self.canvas,
                2 + 3 * row,
                2 * across,
                x_ticks=NumberTicks(),
                y_ticks=NumberTicks(),
                heading=column.column,
            )
            for k, values in enumerate(heights):
                colour = series_colour(self.colours, k)
                panel.add(
                    pg.PlotCurveItem(
                        column.edges, values, stepMode="center", fillLevel=0.0, brush=faded(colour, 0.3),
                        pen=pen(colour, 1.4),
                    )
                )  # fmt: skip
            top = float(heights.max()) if heights.size else 1.0
            panel.show_range((float(column.edges[0]), float(column.edges[-1])), (0.0, 1.08 * (top or 1.0)))
            self._panels.append(panel)
            self.canvas.grid.setColumnSpacing(2 * across + 1, 10)
        self._offsets = np.cumsum([0, *(len(column.edges) - 1 for column in self._shown)])

    def count(self) -> int:
        """Return the number of bins on the page."""
        return int(self._offsets[-1])

    def nearest(self, position: QPointF) -> int | None:
        """Return the bin at a place."""
        for number, panel in enumerate(self._panels):
            place = panel.from_scene(position)
            if place is None:
                continue
            bins = len(self._shown[number].edges) - 1
            at = int(np.searchsorted(self._shown[number].edges, place.x(), side="right")) - 1
            return int(self._offsets[number]) + min(max(at, 0), bins - 1)
        return None

    def place(self, index: int) -> QRectF:
        """Return the bin's strip."""
        number, at = self._bin(index)
        panel, edges = self._panels[number], self._shown[number].edges
        (_, _), (low, high) = panel.view.viewRange()
        corners = panel.to_scene(float(edges[at]), high), panel.to_scene(float(edges[at + 1]), low)
        return QRectF(*corners).normalized()

    def describe(self, index: int) -> list[str]:
        """Return the column, the bin and the rows of each class in it."""
        number, at = self._bin(index)
        column = self._shown[number]
        span = f"{column.column} from {short(float(column.edges[at]))} to {short(float(column.edges[at + 1]))}"
        if len(self.item.classes) == 1:
            return [span, f"{grouped(int(column.counts[self.item.classes[0]][at]))} rows"]
        lines = []
        for name in self.item.classes:
            count, total = int(column.counts[name][at]), int(column.counts[name].sum())
            share = f" ({100 * count / total:.1f} %)" if total else ""
            lines.append(f"{name}: {grouped(count)} rows{share}")
        return [span, *lines]

    def content_height(self) -> int:
        """Return room for every row of the page."""
        return 70 + 170 * max(1, -(-len(self._shown) // _ACROSS))

    def _bin(self, index: int) -> tuple[int, int]:
        number = int(np.searchsorted(self._offsets, index, side="right")) - 1
        return number, index - int(self._offsets[number])

    def _heights(self, column: Histogram) -> Array:
        """Return (classes, bins) as they are drawn."""
        counts = np.stack([column.counts[name] for name in self.item.classes]).astype(np.float64)
        if len(self.item.classes) == 1 or self.chosen("scale") == "count":
            return counts
        shares: Array = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares
