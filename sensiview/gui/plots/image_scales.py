"""Cells of pixels, and scales as powers of ten."""

from __future__ import annotations

import math

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.sensitivity_items import pixelised
from sensiview.gui.plots.colours import colour_limits

# Per cent of the values of a map that have a colour of their own; larger ones share the last one.
CLIPPED = 99.5
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scale_exponent(largest: float) -> int:
    """Return the power of ten of a scale's end; 0 between 0.1 and 1000, where numbers are read as they are."""
    if not math.isfinite(largest) or largest <= 0 or 0.1 <= largest < 1000:
        return 0
    return math.floor(math.log10(largest) + 1e-12)


def power_text(power: int) -> str:
    """Return ``× 10⁻²``; empty for 0."""
    return f"× 10{str(power).translate(_RAISED)}" if power else ""


def in_pixels(cells: Array, side: int, shape: tuple[int, int]) -> Array:
    """Return cells of `side` pixels as pixels, (y, x) of `shape`: each pixel has its cell's value."""
    whole: Array = np.repeat(np.repeat(cells, side, axis=0), side, axis=1)[: shape[0], : shape[1]]
    return whole


def cells_of(values: Array, side: int) -> Array:
    """Return values averaged over cells of `side` pixels, on the same pixels as before."""
    return in_pixels(pixelised(values, side).astype(np.float64), side, (values.shape[0], values.shape[1]))


def limits_of(
    values: list[list[Array]], scale: str, *, signed: bool, differing: bool, clipping: bool = True
) -> list[list[tuple[float, float]]]:
    """Return the ends of the colours of every map, row by row.

    Parameters
    ----------
    values : list of list of ndarray
        Maps (y, x).
    scale : str
        ``all`` have the same, those of a ``row``, or ``each`` its own.
    signed : bool
    differing : bool
        The last map of each row is a difference, with a scale of its own.
    clipping : bool
        Colours end at the `CLIPPED` percentile of the values' size in each map, not at its largest value: one pixel
        would take the whole scale of a gradient otherwise.
    """
    if clipping:
        values = [[_without_outliers(one) for one in row] for row in values]
    own = [row[:-1] if differing else row for row in values]
    if scale == "each":
        found = [[colour_limits(one, signed=signed) for one in row] for row in values]
    else:
        rows = [np.concatenate([one.ravel() for one in row]) for row in own]
        everything = np.concatenate(rows)
        found = [
            [colour_limits(rows[k] if scale == "row" else everything, signed=signed)] * len(row)
            for k, row in enumerate(values)
        ]
    if differing:
        for row, ends in zip(values, found, strict=True):
            ends[-1] = colour_limits(row[-1], signed=True)
    return found


def reaches_below(values: Array, low: float) -> bool:
    """Say whether a finite value is smaller than `low`."""
    return bool(np.any((values < low) & np.isfinite(values)))


def _without_outliers(values: Array) -> Array:
    """Return values no larger, either way, than the `CLIPPED` percentile of their size.

    Up to 200 values stay as they are, since the percentile is one of the values; so does a map that would be constant.
    """
    sizes = np.abs(values[np.isfinite(values)])
    if not sizes.size:
        return values
    reach = float(np.percentile(sizes, CLIPPED, method="higher"))
    kept: Array = np.where(np.isfinite(values), np.clip(values, -reach, reach), values)
    return kept if np.nanmin(kept) < np.nanmax(kept) else values
