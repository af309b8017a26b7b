"""A curve item as lines over numbers: what line plots are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensiview.analysis.items import Array, Curve, Interval


@dataclass(frozen=True)
class Line:
    """One line: `x` in the item's own numbers, `low` and `high` the ends of its band (NaN without)."""

    name: str
    x: Array
    y: Array
    low: Array
    high: Array

    def last(self) -> float:
        """Return the last finite value, -inf when there is none."""
        finite = self.y[np.isfinite(self.y)]
        return float(finite[-1]) if finite.size else -np.inf


def panels(item: Curve) -> list[str]:
    """Return the combinations of all series keys but the last, in order of appearance."""
    keys = list(item.series[:-1])
    if not keys:
        return [""]
    labels = (" · ".join(str(v) for v in row) for row in zip(*(item.frame[k] for k in keys), strict=True))
    return list(dict.fromkeys(labels)) or [""]


def lines_of(item: Curve, panel: str, columns: tuple[str, ...]) -> list[Line]:
    """Return the lines of a panel: one per value of the last series key, or one per column without series."""
    frame = item.frame
    if not item.series:
        return [_line(item, column, column, np.arange(len(frame))) for column in columns]
    keep = np.ones(len(frame), dtype=bool)
    if len(item.series) > 1:
        parts = [frame[key].astype(str).to_numpy() for key in item.series[:-1]]
        keep = np.array([" · ".join(row) == panel for row in zip(*parts, strict=True)], dtype=bool)
    names = frame[item.series[-1]].astype(str).to_numpy()
    column = columns[0]
    return [_line(item, name, column, np.flatnonzero(keep & (names == name))) for name in dict.fromkeys(names[keep])]


def _line(item: Curve, name: str, column: str, rows: Array) -> Line:
    part = item.frame.iloc[rows]
    x, y = part[item.x].to_numpy(dtype=float), part[column].to_numpy(dtype=float)
    order = np.argsort(x, kind="stable")
    band = item.bands.get(column, Interval())
    low = high = np.full(len(x), np.nan)
    if band.low and band.high:
        low, high = part[band.low].to_numpy(dtype=float), part[band.high].to_numpy(dtype=float)
    elif band.half:
        half = part[band.half].to_numpy(dtype=float)
        low, high = y - half, y + half
    return Line(name, x[order], y[order], low[order], high[order])


def value_range(lines: list[Line]) -> tuple[float, float]:
    """Return the range to show: all lines, and their bands as far as they don't dwarf the lines."""
    values = np.concatenate([line.y for line in lines]) if lines else np.array([])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = (high - low) or abs(high) or 1.0
    bands = np.concatenate([np.concatenate([line.low, line.high]) for line in lines])
    bands = bands[np.isfinite(bands)]
    if bands.size:
        # At small N intervals are many times as wide as anything one wants to see.
        low, high = (
            max(float(min(bands.min(), low)), low - 0.5 * room),
            min(float(max(bands.max(), high)), high + 0.5 * room),
        )
    return low - 0.05 * room, high + 0.05 * room
