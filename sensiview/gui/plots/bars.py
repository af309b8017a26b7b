"""Bars with intervals: first-order and total indices, loadings, derivatives, explained variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from sensiview.analysis.items import Array, IndexTable, Item
from sensiview.gui.plots.arrangement import (
    BY_NAME,
    ORIGINAL,
    arrange,
    describe_value,
    remarks_by_place,
    title_of,
    with_unit,
)
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import mixed, pen, series_colour
from sensiview.gui.plots.heat_map import draw_heat_map
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend, Shape
from sensiview.gui.plots.ticks import NameTicks, NumberTicks

ALL = "\x00all"
_SIDEWAYS_ABOVE = 12  # more names than this are read better one below the other
_LEVEL = 700.0  # pixels of names that fit side by side in a plot of usual width
_MOST_BARS = 300
_MOST_TOGETHER = 9
# Panels that say little one without the other.
_SEEN_TOGETHER = ("component", "measure", "quantity")
_MATRIX_FROM = 4
_GROUP = 0.78  # share of a category's room that its bars take
# Sign and explanation of the remarks that analyses make; others share the dot.
_MARKS: dict[str, tuple[Shape, str, str]] = {
    "includes_zero": ("ring", "o", "interval includes 0"),
    "S1_above_ST": ("triangle", "t1", "S1 > ST"),
    "n_too_small": ("diamond", "d", "N too small"),
}
_OTHER: tuple[Shape, str] = ("box", "s")


@dataclass(frozen=True)
class _Bar:
    """One bar: indices into the arrangement, and where it stands."""

    panel: int
    category: int
    series: int
    at: float  # middle, along the names
    width: float


class BarsPlot(ItemPlot):
    """Grouped bars over named categories."""

    hint = "Point at a bar, or use the arrow keys, to read its value."
    item: IndexTable

    def set_item(self, item: Item) -> None:
        """Show another table, keeping output and order."""
        assert isinstance(item, IndexTable)
        self._data = arrange(item)
        self._bars: list[_Bar] = []
        self._sideways = False
        self._panels: dict[int, Panel] = {}
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer the view, the output and the order, as far as there is a choice."""
        data, offered = self._data, []
        as_matrix = False
        if len(data.panels) >= _MATRIX_FROM and len(data.categories) > 1:
            options = (("bars", "Bars"), *((f"matrix:{s}", f"Heat map of {title_of(s)}") for s in data.series))
            offered.append(Chooser("view", "View", options))
            as_matrix = self.chosen("view").startswith("matrix:")
        if len(data.panels) > 1 and not as_matrix:
            every = (ALL, f"All {len(data.panels)} one below the other")
            together = (every,) if len(data.panels) <= _MOST_TOGETHER else ()
            options = (*((p, p) for p in data.panels), *together)
            first = ALL if together and data.panel_axis in _SEEN_TOGETHER else data.panels[0]
            offered.append(Chooser("output", title_of(data.panel_axis).capitalize(), options, first))
        if len(data.categories) > 1:
            largest = tuple((s, f"Largest {title_of(s)} first") for s in data.series)
            ranked = "ST" if "ST" in data.series else data.series[0]
            default = ranked if data.category_axis == "factor" and not self._signed() else ORIGINAL
            options = ((ORIGINAL, "As in the data"), (BY_NAME, "By name"), *largest)
            offered.append(Chooser("sort", "Order", options, default))
        return offered

    def build(self) -> None:
        """Draw the bars of the chosen outputs, or the heat map of all."""
        self._bars, self._panels = [], {}
        view = self.chosen("view")
        if view.startswith("matrix:"):
            self._build_matrix(view.removeprefix("matrix:"))
            return
        data = self._data
        chosen = self.chosen("output")
        panels = list(range(len(data.panels))) if chosen == ALL else [data.panel(chosen)]
        order = data.order(self.chosen("sort"), panels)[:_MOST_BARS]
        self._sideways = self._stand_sideways(len(panels))
        if len(data.series) > 1:
            entries = [Entry(s, title_of(s), pen(series_colour(self.colours, k))) for k, s in enumerate(data.series)]
            self.canvas.grid.addItem(Legend(entries, self.colours, self.canvas.text_font()), 1, 0, 1, 4)
        for number, panel in enumerate(panels):
            self._build_panel(panel, order, panels, row=2 + 3 * number)
        self._build_footer(panels, order, row=2 + 3 * len(panels))

    def count(self) -> int:
        """Return the number of bars, or of cells."""
        return len(self._bars) if not self.chosen("view").startswith("matrix:") else self._heat.count()

    def stride(self) -> int:
        """Return how many bars stand at one name, or cells in one row."""
        return len(self._data.series) if not self.chosen("view").startswith("matrix:") else self._heat.columns

    def nearest(self, position: QPointF) -> int | None:
        """Return the bar (or cell) at a place: anywhere in its strip, since small bars are hard to hit."""
        if self.chosen("view").startswith("matrix:"):
            return self._heat.at(position)
        for panel, drawn in self._panels.items():
            place = drawn.from_scene(position)
            if place is None:
                continue
            along = place.y() if self._sideways else place.x()
            for index, bar in enumerate(self._bars):
                if bar.panel == panel and abs(along - bar.at) <= bar.width / 2:
                    return index
        return None

    def place(self, index: int) -> QRectF:
        """Return the bar's rectangle with its interval, or the cell."""
        if self.chosen("view").startswith("matrix:"):
            return self._heat.place(index)
        bar, data = self._bars[index], self._data
        at = (bar.panel, bar.category, bar.series)
        ends = [0.0, *(float(v[at]) for v in (data.values, data.low, data.high) if np.isfinite(v[at]))]
        start, stop = bar.at - bar.width / 2, bar.at + bar.width / 2
        drawn = self._panels[bar.panel]
        if self._sideways:
            corners = drawn.to_scene(min(ends), start), drawn.to_scene(max(ends), stop)
        else:
            corners = drawn.to_scene(start, min(ends)), drawn.to_scene(stop, max(ends))
        return QRectF(*corners).normalized().adjusted(-1, -1, 1, 1)

    def describe(self, index: int) -> list[str]:
        """Return names, value, interval and remarks."""
        if self.chosen("view").startswith("matrix:"):
            category, panel = divmod(index, len(self._data.panels))
            series = self._data.series.index(self.chosen("view").removeprefix("matrix:"))
            return describe_value(self.item, self._data, (panel, int(self._order[category]), series))
        bar = self._bars[index]
        return describe_value(self.item, self._data, (bar.panel, bar.category, bar.series))

    def content_height(self) -> int:
        """Return room for every name when they stand one below the other."""
        if self.chosen("view").startswith("matrix:"):
            return 140 + 16 * len(self._data.categories)
        shown = max(1, len(self._panels))
        names = min(_MOST_BARS, len(self._data.categories))
        if self._sideways:
            return shown * (90 + names * max(18, 11 * len(self._data.series)))
        return 280 if shown == 1 else 110 + 130 * shown

    def _signed(self) -> bool:
        """Whether values are negative by nature and not for lack of samples."""
        values = self._data.values[np.isfinite(self._data.values)]
        return bool(values.size and values.min() < -0.25 * max(values.max(), 0.0))

    def _stand_sideways(self, n_panels: int) -> bool:
        """Whether names stand one below the other: many, or too long to stand side by side without being turned."""
        names = self._data.categories
        if len(names) > _SIDEWAYS_ABOVE:
            return True
        metrics = QFontMetricsF(self.canvas.text_font())
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
        # Of several panels only the last has the names below it, so that turned ones cost little.
        return n_panels == 1 and (widest + 12) * len(names) > _LEVEL

    def _value_range(self, panels: list[int], order: Array) -> tuple[float, float]:
        data = self._data
        shown = np.concatenate([v[panels][:, order].ravel() for v in (data.values, data.low, data.high)])
        shown = np.append(shown[np.isfinite(shown)], 0.0)
        low, high = float(shown.min()), float(shown.max())
        room = (high - low) or 1.0
        # Above the longest whisker there is room for its mark.
        return (low - 0.06 * room if low < 0 else 0.0), high + 0.1 * room

    def _build_panel(self, panel: int, order: Array, panels: list[int], *, row: int) -> None:
        data, sideways = self._data, self._sideways
        last = panel == panels[-1]
        names_label = "" if data.category_axis == "factor" else title_of(data.category_axis)
        names = NameTicks([data.categories[k] for k in order])
        units = {self.item.units.get(s, "") for s in data.series}
        unit = units.pop() if len(units) == 1 else ""
        label = with_unit(data.series[0], unit) if len(data.series) == 1 else unit.removeprefix("1")
        drawn = Panel(
            self.canvas, row, 0,
            x_ticks=NumberTicks() if sideways else names, y_ticks=names if sideways else NumberTicks(),
            x_label=label if sideways else names_label, y_label=names_label if sideways else label,
            heading=data.heading(panel), downwards=sideways, grid="x" if sideways else "y",
            bottom_axis=last or sideways,
        )  # fmt: skip
        self._panels[panel] = drawn
        along, across = (-0.5, len(order) - 0.5), self._value_range(panels, order)
        drawn.show_range(*((across, along) if sideways else (along, across)))
        width = _GROUP / len(data.series)
        for series in range(len(data.series)):
            middles = np.arange(len(order)) + (series - (len(data.series) - 1) / 2) * width
            self._bars += [_Bar(panel, int(k), series, float(at), width) for k, at in zip(order, middles, strict=True)]
            values = data.values[panel, order, series]
            known = np.isfinite(values)
            colour = series_colour(self.colours, series)
            common = {"brush": colour, "pen": pen(colour, 0.5)}
            if sideways:
                item = pg.BarGraphItem(x0=0, y=middles[known], width=values[known], height=width * 0.92, **common)
            else:
                item = pg.BarGraphItem(x=middles[known], y0=0, height=values[known], width=width * 0.92, **common)
            drawn.add(item)
            self._add_whiskers(drawn, panel, series, order, middles, width)
        zero = pg.InfiniteLine(0.0, angle=90 if sideways else 0, pen=pen(self.colours.muted, 1.0))
        drawn.add(zero)
        # Along the names first, so that the arrow keys go from bar to neighbouring bar.
        self._bars.sort(key=lambda bar: (list(self._panels).index(bar.panel), bar.at))
        self._add_marks(drawn, panel, 0.035 * (across[1] - across[0]))

    def _add_whiskers(self, drawn: Panel, panel: int, series: int, order: Array, middles: Array, width: float) -> None:
        data = self._data
        values, low, high = (v[panel, order, series] for v in (data.values, data.low, data.high))
        known = np.isfinite(values) & np.isfinite(low) & np.isfinite(high)
        if not known.any():
            return
        line = pen(mixed(self.colours.series[series % len(self.colours.series)], self.colours.text, 0.75), 1.4)
        below, above = values[known] - low[known], high[known] - values[known]
        if self._sideways:
            item = pg.ErrorBarItem(
                x=values[known], y=middles[known], left=below, right=above, beam=width * 0.45, pen=line
            )
        else:
            item = pg.ErrorBarItem(
                x=middles[known], y=values[known], bottom=below, top=above, beam=width * 0.45, pen=line
            )
        drawn.add(item)

    def _add_marks(self, drawn: Panel, panel: int, step: float) -> None:
        remarks, data = remarks_by_place(self.item), self._data
        spots = []
        for bar in self._bars:
            if bar.panel != panel:
                continue
            at = (panel, bar.category, bar.series)
            tops = [v[at] for v in (data.values, data.high) if np.isfinite(v[at])]
            kinds = [r.kind for r in remarks.get((int(data.rows[at[:2]]), data.series[bar.series]), [])]
            for number, kind in enumerate(dict.fromkeys(kinds)):
                height = max([0.0, *map(float, tops)]) + step * (number + 1)
                place = (height, bar.at) if self._sideways else (bar.at, height)
                spots.append((place, kind))
        for kind in dict.fromkeys(kind for _, kind in spots):
            shape, symbol = _MARKS.get(kind, _OTHER)[:2]
            points = np.array([place for place, other in spots if other == kind])
            brush = None if shape == "ring" else pg.mkBrush(self.colours.warning)
            drawn.add(
                pg.ScatterPlotItem(
                    x=points[:, 0], y=points[:, 1], symbol=symbol, size=8,
                    pen=pen(self.colours.warning, 1.5), brush=brush, useCache=False,
                )
            )  # fmt: skip

    def _build_footer(self, panels: list[int], order: Array, row: int) -> None:
        data, font = self._data, self.canvas.text_font()
        shown = {int(data.rows[p, k]) for p in panels for k in order}
        kinds = dict.fromkeys(r.kind for r in self.item.remarks if r.row in shown and r.column in data.series)
        warn = pen(self.colours.warning)
        entries = [
            Entry(kind, _MARKS[kind][2] if kind in _MARKS else title_of(kind), warn, _MARKS.get(kind, _OTHER)[0])
            for kind in kinds
        ]
        hidden = len(data.categories) - len(order)
        if hidden:
            text = f"{hidden} more are not drawn; the table has them all"
            entries.append(Entry("hidden", text, pen(self.colours.muted), "dot"))
        if entries:
            self.canvas.grid.setRowSpacing(row - 1, 6)
            self.canvas.grid.addItem(Legend(entries, self.colours, font), row, 0, 1, 4)

    def _build_matrix(self, series: str) -> None:
        data = self._data
        k = data.series.index(series)
        self._order = data.order(self.chosen("sort"), list(range(len(data.panels))))
        values = data.values[:, self._order, k].T
        self._heat = draw_heat_map(
            self.canvas, values, [data.categories[c] for c in self._order], list(data.panels),
            value=with_unit(series, self.item.units.get(series, "")), signed=self._signed(), row=2,
        )  # fmt: skip
