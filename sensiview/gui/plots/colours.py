"""Pens, brushes and colour maps in the colours of a theme."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from sensiview.analysis.items import Array
from sensiview.gui.themes import Theme

# Past the eight colours of the theme the same colours come again, dashed, then dotted.
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
_STEPS = 256


def pen(colour: str | QColor, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen whose width stays the same in pixels at any zoom."""
    made = QPen(QColor(colour), width, style)
    made.setCosmetic(True)
    return made


def series_colour(colours: Theme, index: int) -> QColor:
    """Return the colour of the series at `index`."""
    return QColor(colours.series[index % len(colours.series)])


def series_pen(colours: Theme, index: int, width: float = 2.0) -> QPen:
    """Return the pen of the series at `index`; colour and dash together are unique for 32 series."""
    dash = _DASHES[(index // len(colours.series)) % len(_DASHES)]
    return pen(series_colour(colours, index), width, dash)


def faded(colour: str | QColor, alpha: float) -> QColor:
    """Return the colour with an opacity in [0, 1]."""
    made = QColor(colour)
    made.setAlphaF(alpha)
    return made


def mixed(first: str, second: str, share: float) -> QColor:
    """Return `first` with `share` of `second` in it."""
    a, b = QColor(first), QColor(second)
    keep = 1.0 - share
    return QColor.fromRgbF(
        a.redF() * keep + b.redF() * share,
        a.greenF() * keep + b.greenF() * share,
        a.blueF() * keep + b.blueF() * share,
    )


def text_on(background: QColor) -> QColor:
    """Return black or white, whichever is easier to read on `background` (relative luminance, WCAG 2)."""
    channels = (background.redF(), background.greenF(), background.blueF())
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return QColor("#10141a") if luminance > 0.179 else QColor("#ffffff")


def lookup_table(colours: Theme, *, signed: bool) -> Array:
    """Return the colour map as uint8 (256, 3): diverging for signed values, sequential for others."""
    if signed and colours.name == "dark":
        # A white centre would glare where nothing happens: blue over the panel's own grey to orange.
        return _through(QColor("#6cc4ff"), QColor(colours.raised), QColor("#ff9f5a"))
    name = colours.diverging if signed else colours.sequential
    table: Array = pg.colormap.get(name).getLookupTable(nPts=_STEPS, alpha=False)
    return table.astype(np.uint8)


def _through(low: QColor, middle: QColor, high: QColor) -> Array:
    """Return a table from `low` over `middle` to `high`, uint8 (256, 3)."""
    stops = np.array([(c.red(), c.green(), c.blue()) for c in (low, middle, high)], dtype=np.float64)
    at = np.linspace(0.0, 2.0, _STEPS)
    channels = [np.interp(at, [0.0, 1.0, 2.0], stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def colour_limits(values: Array, *, signed: bool) -> tuple[float, float]:
    """Return the values at both ends of the colour map: symmetric about zero when signed, never equal."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    return limits_between(float(finite.min()), float(finite.max()), signed=signed)


def limits_between(low: float, high: float, *, signed: bool) -> tuple[float, float]:
    """Return the ends of the colour map of values from `low` to `high`; see `colour_limits`."""
    if signed:
        reach = max(abs(low), abs(high)) or 1.0
        return -reach, reach
    if low >= 0 and low < 0.5 * high:
        low = 0.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def to_indices(values: Array, limits: tuple[float, float]) -> Array:
    """Return the row of the lookup table for each value, int64; -1 where a value is not finite."""
    low, high = limits
    known = np.isfinite(values)
    scaled = np.where(known, (np.where(known, values, low) - low) / (high - low), 0.0)
    indices = np.clip((scaled * (_STEPS - 1)).round(), 0, _STEPS - 1).astype(np.int64)
    return np.where(known, indices, -1)
