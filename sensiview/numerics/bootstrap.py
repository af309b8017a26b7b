"""Bootstrap by counting: how often each row occurs in each resample, so that a resampled mean is a matrix product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.uint8]
Weights = NDArray[np.float64]

# Random numbers drawn at once: 8 bytes each.
_DRAWN = 1 << 20


def resample_counts(n: int, resamples: int, seed: int, tick: Callable[[], None] | None = None) -> Counts:
    """Count how often each of `n` rows is drawn in each resample.

    The draws are those of ``numpy.random.default_rng(seed).integers(n, size=(n, resamples))``, a column being a
    resample, as in ``SALib.analyze.sobol``; they are made in pieces, so that the n x resamples integers never exist.

    Parameters
    ----------
    n, resamples : int
        Rows, and resamples with replacement of n rows each.
    seed : int
        At least 1.
    tick : callable
        Called now and then.

    Returns
    -------
    ndarray, uint8, shape (resamples, n)
        Every row sums to n. The count of a row is 1 on average; a count above 255 has a probability below 1e-500.
    """
    random = np.random.default_rng(seed)
    counts = np.zeros((resamples, n), dtype=np.uint8)
    one = np.uint8(1)
    piece = max(_DRAWN // max(resamples, 1), 1)
    for start in range(0, n, piece):
        drawn = np.ascontiguousarray(random.integers(n, size=(min(piece, n - start), resamples)).T)
        for resample in range(resamples):
            np.add.at(counts[resample], drawn[resample], one)
        if tick is not None:
            tick()
    return counts


def weights_of(counts: Counts, start: int, stop: int) -> Weights:
    """Return the weights of the rows `start` to `stop`, shape (resamples + 1, stop - start), times n.

    Row 0 is the original sample (all ones), the others are the resamples.
    """
    weights = np.empty((len(counts) + 1, stop - start))
    weights[0] = 1.0
    weights[1:] = counts[:, start:stop]
    return weights


def spread(resampled: NDArray[Any], factor: float) -> Weights:
    """Return `factor` times the standard deviation (ddof 1) over axis 0, leaving undefined resamples (NaN) out.

    NaN where fewer than two resamples are defined.
    """
    defined = ~np.isnan(resampled)
    count = defined.sum(axis=0)
    if count.size and count.min() == len(resampled) and len(resampled) > 1:
        return np.asarray(factor * resampled.std(axis=0, ddof=1))
    filled = np.where(defined, resampled, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0) / count
        squares = (np.where(defined, resampled - mean, 0.0) ** 2).sum(axis=0)
        found = factor * np.sqrt(squares / (count - 1))
    return np.where(count > 1, found, np.nan)


def percentile_bounds(resampled: NDArray[Any], confidence: float) -> tuple[Weights, Weights]:
    """Return the lower and upper percentile bound over axis 0, leaving NaN out; NaN where nothing is left."""
    tails = [50 * (1 - confidence), 50 * (1 + confidence)]
    missing = np.isnan(resampled)
    if not missing.any():
        low, high = np.percentile(resampled, tails, axis=0)
        return low, high
    empty = missing.all(axis=0)
    low, high = np.nanpercentile(np.where(empty, 0.0, resampled), tails, axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)
