"""Means over inputs, and over repeats of each, with bootstrap intervals that resample both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensiview.numerics.bootstrap import percentile_bounds, resample_counts
from sensiview.numerics.screening.designs import Floats

CONFIDENCE = 0.95
# Values of the resampled means that are held at once.
_MOST_VALUES = 8_000_000


@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean and the ends of its 95 % interval (percentiles), float64 of one shape; NaN without an interval."""

    value: Floats
    low: Floats
    high: Floats


def resampled_means(values: Floats, resamples: int, seed: int) -> Floats:
    """Return means over inputs and repeats of resamples of both, (resamples, ...).

    The same seed and numbers give the same draws, so that differences of two results are paired.

    Parameters
    ----------
    values : ndarray
        (inputs, repeats, ...), finite.
    resamples, seed : int
    """
    inputs, repeats = values.shape[:2]
    flat = values.reshape(inputs, repeats, -1)
    of_inputs = resample_counts(inputs, resamples, seed) / inputs
    of_repeats = resample_counts(repeats, resamples, seed + 1) / repeats if repeats > 1 else np.ones((resamples, 1))
    found = np.empty((resamples, flat.shape[2]))
    piece = max(1, _MOST_VALUES // max(1, repeats * flat.shape[2]))
    for begin in range(0, resamples, piece):
        part = slice(begin, begin + piece)
        drawn = np.tensordot(of_inputs[part], flat, axes=(1, 0))
        found[part] = np.einsum("brv,br->bv", drawn, of_repeats[part])
    return found.reshape(resamples, *values.shape[2:])


def estimate(values: Floats, resampled: Floats) -> Estimate:
    """Return the mean over the first two axes, with bounds from `resampled_means` of the same values.

    One input with one repeat has no interval.
    """
    mean = np.asarray(values.mean(axis=(0, 1)))
    if values.shape[0] * values.shape[1] < 2:
        nothing = np.full(mean.shape, np.nan)
        return Estimate(mean, nothing, nothing.copy())
    low, high = percentile_bounds(resampled, CONFIDENCE)
    return Estimate(mean, np.asarray(low), np.asarray(high))


def mean_with_interval(values: Floats, resamples: int, seed: int) -> Estimate:
    """Return the mean over inputs, (inputs, ...) to (...), with its interval; inputs that are not finite left out."""
    usable = values[np.isfinite(values.reshape(len(values), -1)).all(axis=1)]
    if not len(usable):
        nothing = np.full(values.shape[1:], np.nan)
        return Estimate(nothing, nothing.copy(), nothing.copy())
    wide = usable[:, None]
    return estimate(wide, resampled_means(wide, resamples, seed))
