"""Several panels of lines beside each other: what is in one, how many fit, and the shape of a ribbon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath

from sensiview.analysis.items import Array, Curve
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.lines import Line
from sensiview.gui.plots.ticks import NumberTicks, PowerTicks, Ticks

ALL = "\x00all"
MOST_PANELS = 12
_LEAST_WIDTH = 230  # of a panel with its axis, in pixels


@dataclass(frozen=True, eq=False)
class Tile:
    """One panel: the columns and the place on the other keys that it shows; lines with their places among colours."""

    panel: Panel
    columns: tuple[str, ...]
    name: str
    lines: list[tuple[int, Line]]


def together(count: int) -> tuple[tuple[str, str], ...]:
    """Return the choice to see all panels at once, where they are not too many."""
    return ((ALL, f"All {count} side by side"),) if count <= MOST_PANELS else ()


def side_by_side(count: int, width: int) -> int:
    """Return how many of `count` panels stand in a row of `width` pixels."""
    return min(count, max(1, width // _LEAST_WIDTH), 2 if count in (2, 4) else 3 if count <= 9 else 4)


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


def outline(x: Array, low: Array, high: Array) -> QPainterPath:
    """Return the closed outline of a ribbon."""
    path = QPainterPath(QPointF(x[0], high[0]))
    for a, b in zip(x[1:], high[1:], strict=True):
        path.lineTo(a, b)
    for a, b in zip(x[::-1], low[::-1], strict=True):
        path.lineTo(a, b)
    path.closeSubpath()
    return path
