"""Whether networks look at the same parts: top parts of one that lie at or beside those of another (C section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.bootstrap import percentile_bounds
from sensiview.numerics.screening.changed_inputs import Bools
from sensiview.numerics.screening.crossed_bootstrap import CONFIDENCE, Estimate
from sensiview.numerics.screening.designs import Floats, Ints
from sensiview.numerics.screening.ranking import descending


def neighbourhoods(labels: NDArray[Any], parts: int) -> Bools:
    """Return which parts are the same or touch, corners included, bool (parts, parts).

    Parameters
    ----------
    labels : ndarray
        The part of each place, from 0, -1 outside all; any number of axes.
    parts : int
    """
    found = np.eye(parts, dtype=np.bool_)
    for step in product((-1, 0, 1), repeat=labels.ndim):
        # Each pair of places once: the first step that is not 0 is forward.
        if next((s for s in step if s), -1) < 0:
            continue
        ends = [(max(0, -s), n - max(0, s)) for s, n in zip(step, labels.shape, strict=True)]
        here = labels[tuple(slice(a, b) for a, b in ends)]
        there = labels[tuple(slice(a + s, b + s) for (a, b), s in zip(ends, step, strict=True))]
        touch = (here != there) & (here >= 0) & (there >= 0)
        found[here[touch], there[touch]] = True
    joint: Bools = found | found.T
    return joint


def top_parts(importance: Floats, count: int, seed: Sequence[int]) -> Bools:
    """Return which parts are the `count` most important, bool (parts,); among equal ones chance decides."""
    found = np.zeros(len(importance), dtype=np.bool_)
    found[descending(importance, seed)[:count]] = True
    return found


def shares_near(tops: Bools, near: Bools) -> Floats:
    """Return which share of each row of top parts is near those of each other row, (rows, others).

    Parameters
    ----------
    tops : ndarray
        (rows, parts): top parts of one network, an input each.
    near : ndarray
        (others, parts): top parts of the other network, with their neighbours.
    """
    counts = np.maximum(tops.sum(axis=1, keepdims=True), 1)
    shares: Floats = (tops.astype(np.float64) @ near.T.astype(np.float64)) / counts
    return shares


def expected_by_chance(near: Ints, tops: Ints, parts: Ints, draws: int, seed: int) -> Estimate:
    """Return the share that as many parts chosen at random would have near the others', mean over inputs.

    The mean is exact, and the interval holds 95 % of the means over inputs: each count of hits is hypergeometric.

    Parameters
    ----------
    near, tops, parts : ndarray
        (inputs,): parts that are near, parts that are chosen, and all parts.
    draws, seed : int
        Of the interval.
    """
    random = np.random.default_rng(seed)
    hits = random.hypergeometric(near, parts - near, tops, size=(draws, len(near)))
    low, high = percentile_bounds((hits / tops).mean(axis=1)[:, None], CONFIDENCE)
    return Estimate(np.asarray(np.mean(near / parts)), low[0], high[0])


def from_other_inputs(shares: Floats) -> float:
    """Return the mean overlap with the top parts of *other* inputs, from (inputs, inputs); NaN for a single input.

    Networks that look at the middle of every picture overlap whatever they see there.
    """
    n = len(shares)
    return float((shares.sum() - np.trace(shares)) / (n * (n - 1))) if n > 1 else float("nan")


def mean_where(values: Floats, chosen: Bools) -> Floats:
    """Return the mean of values over chosen parts of each input, (inputs, parts) to (inputs,); NaN where none is."""
    counts = chosen.sum(axis=1)
    sums = np.where(chosen, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
