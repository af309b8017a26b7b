"""How a screening is drawn: what lies where, and colours and signs of the classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from sensiview.analysis.items import Array
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.plots.legend import Entry, Shape
from sensiview.gui.plots.screening_data import (
    LINEAR,
    LINEAR_BELOW,
    MARKED_FROM,
    NO_EFFECT,
    OTHER,
    UNKNOWN,
    Dots,
    counted,
)
from sensiview.gui.themes import Theme

SHAPES: dict[int, Shape] = {NO_EFFECT: "ring", LINEAR: "dot", OTHER: "diamond", UNKNOWN: "box"}
_FAINT, _FULL = 0.1, 0.7  # opacity of the colour of a part without, and with the largest effect
# Slope and text of lines from the origin, by what lies upwards.
GUIDES = {
    "sigma": ((LINEAR_BELOW, f"σ/μ* = {LINEAR_BELOW:g}"), (MARKED_FROM, f"σ/μ* = {MARKED_FROM:g}")),
    "mu": ((1.0, "μ = μ*"), (-1.0, "μ = -μ*")),
}


def class_colour(colours: Theme, kind: int) -> QColor:
    """Return the colour of a class."""
    if kind in (NO_EFFECT, UNKNOWN):
        return QColor(colours.muted)
    return QColor(colours.series[0] if kind == LINEAR else colours.series[1])


def class_entries(colours: Theme, classes: Array) -> list[Entry]:
    """Return the legend: each class with how many factors are in it."""
    return [Entry(str(kind), text, pen(class_colour(colours, kind)), SHAPES[kind]) for kind, text in counted(classes)]


def tints(dots: Dots, classes: Array, numbers: Mapping[str, int], colours: Theme) -> dict[int, QColor]:
    """Return the colour of each part that has an effect, by number: stronger for a larger mu_star."""
    shares = dots.values["mu_star"] / (dots.largest or 1.0)
    return {
        numbers[name]: faded(class_colour(colours, int(kind)), _FAINT + (_FULL - _FAINT) * float(share))
        for name, kind, share in zip(dots.names, classes, shares, strict=True)
        if kind in (LINEAR, OTHER) and name in numbers
    }


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn, in the axes' numbers.

    Parameters
    ----------
    x, y : ndarray
        (dots,); NaN where a dot can't be drawn.
    x_ends, y_ends : ndarray
        (dots, 2), ends of the intervals.
    names : tuple of str
        One per dot; the last dot is named first.
    guides : tuple
        Slope and text of lines from the origin.
    intervals, named : bool
        Whether intervals and names are drawn.
    """

    x: Array
    y: Array
    x_ends: Array
    y_ends: Array
    names: tuple[str, ...]
    guides: tuple[tuple[float, str], ...]
    intervals: bool = False
    named: bool = True

    @classmethod
    def of(cls, dots: Dots, upwards: str, *, guides: bool, intervals: bool, named: bool) -> Drawn:
        """Return mu_star across and another measure upwards."""
        ends = [np.stack([dots.low[m], dots.high[m]], axis=1) for m in ("mu_star", upwards)]
        return cls(
            dots.values["mu_star"], dots.values[upwards], ends[0], ends[1], dots.names,
            GUIDES[upwards] if guides else (), intervals, named,
        )  # fmt: skip

    def ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return what is seen at first: every dot, from 0 on, and the intervals where they are drawn."""
        ends = [(self.x, self.y), *([(self.x_ends.ravel(), self.y_ends.ravel())] if self.intervals else [])]
        x, y = (np.concatenate([[0.0], *(pair[k] for pair in ends)]) for k in (0, 1))
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        right, low, high = float(x.max()) or 1.0, float(y.min()), float(y.max())
        room = (high - low) or right
        return (-0.02 * right, 1.08 * right), (low - (0.1 if low < 0 else 0.02) * room, high + 0.1 * room)


@dataclass(frozen=True)
class Guide:
    """A line from the origin to the edge of the panel, and its text beside it, in pixels."""

    start: QPointF
    end: QPointF
    text: str
    box: QRectF

    @classmethod
    def of(cls, slope: float, text: str, zero: QPointF, one: QPointF, whole: QRectF, metrics: QFontMetricsF) -> Guide:
        """Return the line of a slope; `zero` and `one` are where the numbers (0, 0) and (1, 1) lie."""
        rise = slope * (one.y() - zero.y()) / (one.x() - zero.x())
        start, end = _within(zero, rise, whole)
        width, height = metrics.horizontalAdvance(text), metrics.height()
        place = QPointF(whole.right() - width - 4, end.y() + (2 if rise > 0 else -height - 2))
        if not whole.top() <= place.y() <= whole.bottom() - height:  # it leaves above or below: left of where it does
            left = end.x() - (height + 4) / max(abs(rise), 0.1) - width - 4
            place = QPointF(max(left, whole.left()), whole.top() + 2 if rise < 0 else whole.bottom() - height - 2)
        return cls(start, end, text, QRectF(place.x(), place.y(), width, height))

    def paint(self, painter: QPainter, colours: Theme, metrics: QFontMetricsF) -> None:
        """Draw line and text."""
        if self.start.x() >= self.end.x():
            return  # zoomed to where it does not pass
        painter.setPen(pen(colours.muted, 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(self.start, self.end)
        painter.setPen(QColor(colours.muted))
        painter.drawText(self.box.topLeft() + QPointF(0, metrics.ascent()), self.text)


def _within(zero: QPointF, rise: float, whole: QRectF) -> tuple[QPointF, QPointF]:
    """Return the ends of the ray from `zero` to the right in the panel: SVG files do not cut what reaches beyond."""
    left, right = max(zero.x(), whole.left()), whole.right()
    if rise:
        at_edges = sorted(zero.x() + (edge - zero.y()) / rise for edge in (whole.top(), whole.bottom()))
        left, right = max(left, at_edges[0]), min(right, at_edges[1])
    return QPointF(left, zero.y() + rise * (left - zero.x())), QPointF(right, zero.y() + rise * (right - zero.x()))
