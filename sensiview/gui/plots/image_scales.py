"""Cells of pixels, and scales as powers of ten."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.sensitivity_items import pixelised
from sensiview.gui.plots.colours import limits_between

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
    ranges = [[_range(one, clipping=clipping) for one in row] for row in values]
    own = [row[:-1] if differing else row for row in ranges]
    if scale == "each":
        found = [[_ends([one], signed=signed) for one in row] for row in ranges]
    else:
        everything = [one for row in own for one in row]
        found = [
            [_ends(shared if scale == "row" else everything, signed=signed)] * len(row)
            for shared, row in zip(own, ranges, strict=True)
        ]
    if differing:
        for row, ends in zip(ranges, found, strict=True):
            ends[-1] = _ends(row[-1:], signed=True)
    return found


def _ends(ranges: Sequence[tuple[float, float] | None], *, signed: bool) -> tuple[float, float]:
    known = [one for one in ranges if one is not None]
    if not known:
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    return limits_between(min(low for low, _ in known), max(high for _, high in known), signed=signed)


def reaches_below(values: Array, low: float) -> bool:
    """Say whether a finite value is smaller than `low`."""
    return bool(np.any((values < low) & np.isfinite(values)))


def _range(values: Array, *, clipping: bool) -> tuple[float, float] | None:
    """Return the smallest and the largest value that colours are for; None where no value is finite.

    With `clipping` they lie within the `CLIPPED` percentile of the values' size. That is one of the values, so up to
    200 of them stay as they are; so does a map that would be constant.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    low, high = float(finite.min()), float(finite.max())
    if clipping:
        reach = float(np.percentile(np.abs(finite), CLIPPED, method="higher"))
        if max(low, -reach) < min(high, reach):
            return max(low, -reach), min(high, reach)
    return low, high
