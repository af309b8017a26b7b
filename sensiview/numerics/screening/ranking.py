"""Which parts of an input matter most: orders of importance from the measures of a screening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from sensiview.numerics.screening.designs import Floats, Ints

By: TypeAlias = Literal["mu_star", "sigma", "mu_star + sigma"]
BYS: tuple[By, ...] = get_args(By)


def importance(mu_star: Floats, sigma: Floats, by: By) -> Floats:
    """Return how important each part is, float64 (parts,), NaN where the screening gives no number.

    ``mu_star + sigma`` is the plain sum, as C section 5 has it: both are in the output's unit per range of the part, so
    that nothing has to be weighed. Of several outputs each is divided by its largest part before they are averaged
    (C figure 2b); an output that no part moves says nothing and is left out.

    Parameters
    ----------
    mu_star, sigma : ndarray
        (parts, outputs).
    by : str
    """
    values = {"mu_star": mu_star, "sigma": sigma}.get(by)
    wide = np.asarray(mu_star + sigma if values is None else values, dtype=np.float64)
    return wide[:, 0].copy() if wide.shape[1] == 1 else normalised(wide).mean(axis=1)


def normalised(values: Floats) -> Floats:
    """Return (parts, outputs) divided by the largest part of each output, without outputs that no part moves.

    Zeros, of one output, where no part moves any.
    """
    largest = np.max(np.where(np.isfinite(values), values, 0.0), axis=0, initial=0.0)
    moved = largest > 0
    if not moved.any():
        return np.where(np.isfinite(values[:, :1]), 0.0, np.nan)
    found: Floats = values[:, moved] / largest[moved]
    return found


def ranks_nothing(values: Floats) -> bool:
    """Say whether importances give no order: one is missing, or all are equal."""
    return not np.isfinite(values).all() or bool(values.max() == values.min())


def descending(values: Floats, seed: Sequence[int]) -> Ints:
    """Return places by importance, largest first; equal ones in random order.

    In their own order, equal parts at the end of a grid (its lower right corner) would always be the least important.
    """
    chance = np.random.default_rng(list(seed)).permutation(len(values))
    return np.lexsort((chance, -np.asarray(values, dtype=np.float64))).astype(np.int64)


def top_count(share: float, parts: int) -> int:
    """Return how many parts a share of them is: the nearest whole number, halves up."""
    return int(np.floor(share * parts + 0.5))
