"""Pairs of parts: whether changing one, and then the other, does what changing each alone does (C section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.bootstrap import percentile_bounds
from sensiview.numerics.screening.changed_inputs import Bools
from sensiview.numerics.screening.crossed_bootstrap import CONFIDENCE, Estimate, resampled_means
from sensiview.numerics.screening.designs import Floats, Ints

# Differences of scores below this share of the score are rounding errors of float32 networks.
ROUNDING = 1e-5
_EXACT = 1e-12


def pair_sets(chosen: Ints, parts: int) -> Bools:
    """Return the sets of parts to change for all pairs of `chosen`: none, each alone, each pair; (sets, parts)."""
    pairs = list(combinations(range(len(chosen)), 2))
    sets = np.zeros((1 + len(chosen) + len(pairs), parts), dtype=np.bool_)
    for place, part in enumerate(chosen):
        sets[1 + place, part] = True
    for place, (x, y) in enumerate(pairs):
        sets[1 + len(chosen) + place, [chosen[x], chosen[y]]] = True
    return sets


@dataclass(frozen=True, eq=False)
class PairChanges:
    """How far a quantity falls when two parts are changed in either order, each (pairs,).

    `d1` by x alone and `d2` by y after it; `g1` by y alone and `g2` by x after it.
    """

    d1: Floats
    d2: Floats
    g1: Floats
    g2: Floats

    @property
    def excess(self) -> Floats:
        """Half of d1 + g1 - d2 - g2: the second difference f(x, y) - f(x) - f(y) + f() of the quantity."""
        return (self.d1 + self.g1 - self.d2 - self.g2) / 2

    def interacting(self, tolerance: float) -> Bools:
        """Return which pairs interact: d1 + g1 > d2 + g2, by more than rounding."""
        found: Bools = self.excess > tolerance
        return found

    def substituting(self, tolerance: float) -> Bools:
        """Return which pairs stand in for each other, d1 + g1 < d2 + g2: each alone is spared more easily than both."""
        found: Bools = self.excess < -tolerance
        return found


def pair_changes(values: NDArray[np.floating], chosen: int) -> PairChanges:
    """Return the changes from the mean of a quantity with each of `pair_sets` changed, (..., sets) by its last axis."""
    pairs = list(combinations(range(chosen), 2))
    x, y = np.array([p[0] for p in pairs], dtype=int), np.array([p[1] for p in pairs], dtype=int)
    none, alone = values[..., :1], values[..., 1 : 1 + chosen]
    both = values[..., 1 + chosen :]
    return PairChanges(none - alone[..., x], alone[..., x] - both, none - alone[..., y], alone[..., y] - both)


def rounding_of(values: NDArray[np.floating], quantity: str) -> float:
    """Return below which size a difference is rounding: of accuracies next to nothing, of scores a share of them."""
    return _EXACT if quantity == "accuracy" else ROUNDING * float(np.abs(values).max(initial=0.0))


@dataclass(frozen=True, eq=False)
class PairStudy:
    """What the sets of `pair_sets` did to some quantity: whether the class is right, or its score.

    Parameters
    ----------
    values : ndarray
        float64 (inputs, repeats, sets): of masks one repeat, of values drawn anew one per draw.
    chosen : int
        Parts that are paired.
    quantity : str
        ``accuracy`` or ``score``.
    """

    values: Floats
    chosen: int
    quantity: str

    @property
    def tolerance(self) -> float:
        """What counts as rounding."""
        return rounding_of(self.values, self.quantity)

    def changes(self) -> PairChanges:
        """Return the changes of the mean over inputs and repeats."""
        return pair_changes(self.values.mean(axis=(0, 1)), self.chosen)

    def resampled(self, resamples: int, seed: int) -> PairChanges:
        """Return the changes of resampled means, each (resamples, pairs)."""
        return pair_changes(resampled_means(self.values, resamples, seed), self.chosen)

    def ratios(self, resamples: int, seed: int) -> dict[str, Estimate]:
        """Return the share of pairs that interact (C), and that substitute each other, with intervals over inputs."""
        now, drawn = self.changes(), self.resampled(resamples, seed)
        several = self.values.shape[0] * self.values.shape[1] > 1
        found = {}
        for name in ("interacting", "substituting"):
            value = np.asarray(getattr(now, name)(self.tolerance).mean())
            shares = getattr(drawn, name)(self.tolerance).mean(axis=1)
            low, high = percentile_bounds(shares[:, None], CONFIDENCE)
            nothing = np.asarray(np.nan)
            found[name] = Estimate(value, low[0], high[0]) if several else Estimate(value, nothing, nothing)
        return found

    def excess(self, resamples: int, seed: int) -> Estimate:
        """Return `PairChanges.excess` of each pair, (pairs,), with its interval."""
        value, drawn = self.changes().excess, self.resampled(resamples, seed).excess
        if self.values.shape[0] * self.values.shape[1] < 2:
            return Estimate(value, np.full(value.shape, np.nan), np.full(value.shape, np.nan))
        low, high = percentile_bounds(drawn, CONFIDENCE)
        return Estimate(value, low, high)

    def each(self) -> Floats:
        """Return the share of interacting pairs of each input, (inputs,), from its mean over repeats."""
        found: Floats = pair_changes(self.values.mean(axis=1), self.chosen).interacting(self.tolerance).mean(axis=1)
        return found

    def strength(self) -> Floats:
        """Return half of the root mean square, over inputs and repeats, of the second difference of each pair.

        With values drawn anew for two independent factors its square is their superset importance, the variance of
        every interaction that has both in it (Liu and Owen 2006): S2 times the variance where there is none of three.
        """
        second = pair_changes(self.values, self.chosen).excess
        root: Floats = np.sqrt(np.square(second).mean(axis=(0, 1))) / 2
        return root
