"""Several panels of lines beside each other: what is in one, how many fit, and the shape of a ribbon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from sensiview.analysis.items import Array, Curve
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.colours import faded, series_colour, series_pen
from sensiview.gui.plots.lines import Line
from sensiview.gui.plots.ticks import NumberTicks, PowerTicks, Ticks
from sensiview.gui.themes import Theme

ALL = "\x00all"
MOST_PANELS = 12
_DOTS_UP_TO = 40
_LEAST_WIDTH = 230  # of a panel with its axis, in pixels


@dataclass(frozen=True, eq=False)
class Tile:
    """One panel: the columns and the place on the other keys that it shows; lines with their places among colours."""

    panel: Panel
    columns: tuple[str, ...]
    name: str
    lines: list[tuple[int, Line]]

    def draw(self, item: Curve, colours: Theme) -> None:
        """Draw lines and ribbons into the panel."""
        for place, line in self.lines:
            colour, x = series_colour(colours, place), scaled(item, line.x)
            known = np.isfinite(line.low) & np.isfinite(line.high)
            if known.sum() > 1:
                ribbon = QGraphicsPathItem(_outline(x[known], line.low[known], line.high[known]))
                ribbon.setPen(QPen(Qt.PenStyle.NoPen))
                ribbon.setBrush(faded(colour, 0.18))
                ribbon.setZValue(-10)
                self.panel.add(ribbon)
            self.panel.add(pg.PlotCurveItem(x, line.y, pen=series_pen(colours, place), antialias=True))
            if len(x) <= _DOTS_UP_TO:
                self.panel.add(pg.ScatterPlotItem(x, line.y, size=5, pen=None, brush=colour, useCache=False))


def together(count: int) -> tuple[tuple[str, str], ...]:
    """Return the choice to see all panels at once, where they are not too many."""
    return ((ALL, f"All {count} side by side"),) if count <= MOST_PANELS else ()


def side_by_side(count: int, width: int) -> int:
    """Return how many of `count` panels stand in a row of `width` pixels."""
    return min(count, max(1, width // _LEAST_WIDTH), 2 if count in (2, 4) else 3 if count <= 9 else 4)


def line_per(item: Curve, key: str) -> Curve:
    """Return the item with `key` last among its series: the one that makes the lines."""
    if key not in item.series[:-1]:
        return item
    return replace(item, series=(*(other for other in item.series if other != key), key))


def column_groups(item: Curve) -> list[tuple[str, ...]]:
    """Return the columns that share one panel: each alone with series, those of one unit without."""
    if item.series:
        return [(column,) for column in item.y]
    by_unit: dict[str, list[str]] = {}
    for column in item.y:
        by_unit.setdefault(item.units.get(column, ""), []).append(column)
    return [tuple(group) for group in by_unit.values()]


def scaled(item: Curve, x: Array) -> Array:
    """Return x as it lies on the axis: exponents on an axis of powers."""
    if item.x_scale == "linear":
        return x
    exponents: Array = (np.log2 if item.x_scale == "log2" else np.log10)(np.maximum(x, 1e-300))
    return exponents


def x_ticks(item: Curve) -> Ticks:
    """Return where the axis of x has its ticks."""
    if item.x_scale != "linear":
        return PowerTicks(2 if item.x_scale == "log2" else 10)
    values = item.frame[item.x].to_numpy(dtype=float)
    return NumberTicks(whole=bool(np.all(values == np.round(values))))


def x_range(item: Curve, lines: Sequence[Line]) -> tuple[float, float]:
    """Return the ends of the axis that hold all lines."""
    x = scaled(item, np.concatenate([line.x for line in lines])) if lines else np.array([0.0, 1.0])
    x = x[np.isfinite(x)]
    if x.size == 0:
        return 0.0, 1.0
    low, high = float(x.min()), float(x.max())
    room = (high - low) or 1.0
    return low - 0.02 * room, high + 0.02 * room


def _outline(x: Array, low: Array, high: Array) -> QPainterPath:
    """Return the closed outline of a ribbon."""
    path = QPainterPath(QPointF(x[0], high[0]))
    for a, b in zip(x[1:], high[1:], strict=True):
        path.lineTo(a, b)
    for a, b in zip(x[::-1], low[::-1], strict=True):
        path.lineTo(a, b)
    path.closeSubpath()
    return path
