"""Sobol' indices of many outputs at once, with bootstrap intervals by matrix products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.batch_intervals import batch_half_widths
from sensiview.numerics.bootstrap import percentile_bounds, resample_counts, spread
from sensiview.numerics.evaluations import Evaluations
from sensiview.numerics.output_scale import Scale, output_scales
from sensiview.numerics.sobol_sums import Sums, parts_of, stretches_of, weighted_sums

Array: TypeAlias = NDArray[np.float64]
IntervalKind: TypeAlias = Literal["design", "percentile"]

# Below this variance of the standardised output SALib calls a resample constant; here its index is undefined.
_NO_VARIANCE = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Estimate:
    """One kind of index with its uncertainty, each of shape (outputs, groups), float64.

    `conf` is the half width z * standard deviation of the bootstrap (SALib's ``conf``); `low` and `high` are bounds
    of the kind that was asked for.
    """

    value: Array
    conf: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Indices:
    """Sobol' indices of the first `n` base points.

    Attributes
    ----------
    n : int
        Base points, with the excluded ones.
    first, total : Estimate
        S1 and ST; NaN for a constant output.
    second, second_conf : ndarray or None
        S2, shape (outputs, groups, groups); above the diagonal, NaN elsewhere.
    excluded : ndarray, int64, shape (outputs,)
        Base points left out since one of their answers is not finite.
    constant : ndarray, bool, shape (outputs,)
        The output does not vary: no index exists.
    mean, std : ndarray, float64, shape (outputs,)
        Of the output over all rows that were used, in its own unit.
    """

    n: int
    first: Estimate
    total: Estimate
    second: Array | None
    second_conf: Array | None
    excluded: NDArray[np.int64]
    constant: NDArray[np.bool_]
    mean: Array
    std: Array

    def width(self) -> float:
        """Return the largest half width of S1 and ST over outputs and groups; NaN when every output is constant."""
        widths = np.concatenate((self.first.conf.ravel(), self.total.conf.ravel()))
        known = widths[~np.isnan(widths)]
        return float(known.max()) if known.size else float("nan")

    def of_layer(self, units: slice) -> tuple[Array, Array]:
        """Return S1 and ST of a vector of outputs, shape (groups,): the outputs' indices weighted by their variance.

        It is the generalised index of a vector-valued output, which does not depend on a rotation of it (Lamboni,
        Monod and Makowski 2011; Gamboa, Janon, Klein and Lagnoux 2014). Outputs that do not vary have no weight; NaN
        when none varies.
        """
        first, total = self.first.value[units], self.total.value[units]
        stds = np.where(np.isnan(first).any(axis=1), 0.0, self.std[units])
        weight = (stds / stds.max()) ** 2 if stds.max(initial=0.0) > 0 else np.full_like(stds, np.nan)
        share = weight / weight.sum()
        return share @ np.nan_to_num(first), share @ np.nan_to_num(total)


def estimate(
    evaluations: Evaluations,
    n: int,
    *,
    second_order: bool,
    resamples: int = 100,
    confidence: float = 0.95,
    seed: int = 1,
    interval: IntervalKind = "design",
    tick: Callable[[], None] | None = None,
) -> Indices:
    r"""Estimate S1, ST and S2 from the first `n` base points.

    With y standardised over all rows, V the variance of the answers to A and B together, and means over base points:
    S1_i = mean(f_B (f_ABi - f_A)) / V (Saltelli 2010), ST_i = mean((f_A - f_ABi)^2) / (2 V) (Jansen 1999),
    S2_ij = mean(f_BAi f_ABj - f_A f_B) / V - S1_i - S1_j (Saltelli 2002). These are the estimators of
    ``SALib.analyze.sobol``; on the same answers and with the same seed index and `conf` are equal to rounding.

    Every mean, resampled or not, is a product W g of one weight matrix (a row per resample, holding how often each
    base point was drawn) with columns g made of the answers; W is shared by all outputs.

    Parameters
    ----------
    evaluations : Evaluations
        At least `n` base points.
    second_order : bool
        The answers hold BA_i too, and S2 is wanted.
    resamples, confidence, seed
        Of the bootstrap; `seed` at least 1.
    interval : str
        What `low` and `high` are: ``percentile``, percentiles of the bootstrap; or ``design``, which takes into account
        that the points are quasi-random: Student's t over eight batches of the design, see
        `sensiview.numerics.batch_intervals`.
    tick : callable
        Called often; may raise to end the computation.

    Returns
    -------
    Indices
    """
    n_groups = (evaluations.rows_per_point - 2) // (2 if second_order else 1)
    scales = output_scales(evaluations, n, tick)
    found = _Collector(scales, n_groups, second_order)
    by_mask: dict[bytes, list[int]] = {}
    for output, scale in enumerate(scales):
        if not scale.constant:
            by_mask.setdefault(b"" if scale.used is None else scale.used.tobytes(), []).append(output)
    for outputs in by_mask.values():
        used = scales[outputs[0]].used
        counts = resample_counts(n if used is None else int(used.sum()), resamples, seed, tick)
        for part in parts_of(outputs, n_groups, second_order):
            sums = weighted_sums(evaluations, n, scales, part, counts, n_groups, second_order, tick)
            for output, resampled in sums:
                found.add(output, resampled, confidence, interval)
        del counts
    return found.indices(n)


class _Collector:
    """Turns resampled means into indices, one output after the other."""

    def __init__(self, scales: list[Scale], n_groups: int, second_order: bool) -> None:
        self._scales = scales
        self._n_groups = n_groups
        shape = (len(scales), n_groups)
        self._first = Estimate(*(np.full(shape, np.nan) for _ in range(4)))
        self._total = Estimate(*(np.full(shape, np.nan) for _ in range(4)))
        self._second = np.full((*shape, n_groups), np.nan) if second_order else None
        self._second_conf = np.full((*shape, n_groups), np.nan) if second_order else None

    def add(self, output: int, means: Sums, confidence: float, interval: IntervalKind) -> None:
        """Take the resampled means of one output."""
        from scipy.special import ndtri

        z = float(ndtri(0.5 + confidence / 2))
        columns, n_groups = means.base, self._n_groups
        variance = columns[:, 1] - columns[:, 0] ** 2
        with np.errstate(invalid="ignore"):
            variance = np.where(variance > _NO_VARIANCE, variance, np.nan)[:, None]
        indices = columns[:, 3:] / variance
        first, total = indices[:, :n_groups], indices[:, n_groups:]
        halves = batch_half_widths(means.batches, columns[0], n_groups, confidence)
        for half, target, resampled in zip(halves, (self._first, self._total), (first, total), strict=True):
            target.value[output] = resampled[0]
            target.conf[output] = spread(resampled[1:], z)
            if interval == "design":
                low, high = resampled[0] - half, resampled[0] + half
            else:
                low, high = percentile_bounds(resampled[1:], confidence)
            target.low[output], target.high[output] = low, high
        if self._second is None or self._second_conf is None:
            return
        for stretch, pairs in zip(stretches_of(n_groups), means.pairs, strict=True):
            at = 0
            for i in stretch:
                product = pairs[:, at : at + n_groups - 1 - i]
                at += n_groups - 1 - i
                second = (product - columns[:, 2:3]) / variance - first[:, i : i + 1] - first[:, i + 1 :]
                self._second[output, i, i + 1 :] = second[0]
                self._second_conf[output, i, i + 1 :] = spread(second[1:], z)

    def indices(self, n: int) -> Indices:
        """Return everything."""
        return Indices(
            n=n,
            first=self._first,
            total=self._total,
            second=self._second,
            second_conf=self._second_conf,
            excluded=np.array([n - s.n_used for s in self._scales], dtype=np.int64),
            constant=np.array([s.constant for s in self._scales], dtype=np.bool_),
            mean=np.array([s.mean for s in self._scales]),
            std=np.array([s.std for s in self._scales]),
        )
