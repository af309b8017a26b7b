"""eta = mu_star / sigma over the parts that matter: how much they do by themselves, how much together (C section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensiview.numerics.bootstrap import percentile_bounds, resample_counts
from sensiview.numerics.screening.changed_inputs import Bools
from sensiview.numerics.screening.crossed_bootstrap import CONFIDENCE, Estimate
from sensiview.numerics.screening.designs import Floats


@dataclass(frozen=True, eq=False)
class Measures:
    """mu_star and sigma of one input, or of the mean over inputs, each (parts, outputs)."""

    mu_star: Floats
    sigma: Floats


@dataclass(frozen=True)
class Eta:
    """The mean of mu_star / sigma over relevant parts, averaged over outputs; NaN where there is none.

    `relevant` is how many parts it is over, `linear` how many relevant ones have sigma 0, and so no ratio: both are
    means over outputs.
    """

    eta: float
    relevant: float
    linear: float


def eta_of(measures: Measures, threshold: float) -> Eta:
    """Return eta of the parts whose mu_star or sigma is more than a share of the output's largest."""
    etas, counts, linear = [], [], []
    for mu_star, sigma in zip(measures.mu_star.T, measures.sigma.T, strict=True):
        chosen = relevant(mu_star, sigma, threshold)
        usable = chosen & (sigma > 0)
        if usable.any():
            etas.append(float((mu_star[usable] / sigma[usable]).mean()))
        counts.append(float(usable.sum()))
        linear.append(float((chosen & ~usable).sum()))
    mean = float(np.mean(etas)) if etas else float("nan")
    return Eta(mean, float(np.mean(counts)), float(np.mean(linear)))


def relevant(mu_star: Floats, sigma: Floats, threshold: float) -> Bools:
    """Return which parts have a mu_star or a sigma of more than a share of the largest; none where nothing moves."""
    known = np.isfinite(mu_star) & np.isfinite(sigma)
    found = np.zeros(len(mu_star), dtype=np.bool_)
    for values in (mu_star, sigma):
        largest = float(np.max(values[known], initial=0.0))
        if largest > 0:
            found |= known & (values > threshold * largest)
    return found


def eta_of_mean(each: Sequence[Measures], threshold: float, resamples: int, seed: int, value: float) -> Estimate:
    """Return eta of the mean over inputs, `value`, with the interval that resampled inputs give."""
    if len(each) < 2:
        return Estimate(np.asarray(value), np.asarray(np.nan), np.asarray(np.nan))
    weights = resample_counts(len(each), resamples, seed) / len(each)
    mu_star, sigma = (
        np.tensordot(weights, np.stack([getattr(one, name) for one in each]), axes=(1, 0))
        for name in ("mu_star", "sigma")
    )
    drawn = [eta_of(Measures(*one), threshold).eta for one in zip(mu_star, sigma, strict=True)]
    low, high = percentile_bounds(np.array(drawn)[:, None], CONFIDENCE)
    return Estimate(np.asarray(value), low[0], high[0])


def random_eta(each: Sequence[Measures], found: Sequence[Eta], draws: int, seed: int) -> Estimate:
    """Return eta of as many parts chosen by chance: mean over inputs, and where 95 % of such means lie.

    Inputs without a relevant part are left out.
    """
    random = np.random.default_rng(seed)
    values, means = [], []
    for one, eta in zip(each, found, strict=True):
        for mu_star, sigma in zip(one.mu_star.T, one.sigma.T, strict=True):
            usable = np.isfinite(mu_star) & np.isfinite(sigma) & (sigma > 0)
            count = min(int(usable.sum()), max(1, round(eta.relevant)))
            if not count or not np.isfinite(eta.eta):
                continue
            ratios = mu_star[usable] / sigma[usable]
            keys = random.random((draws, len(ratios)))
            chosen = np.argpartition(keys, count - 1, axis=1)[:, :count]
            values.append(ratios[chosen].mean(axis=1))
            means.append(ratios.mean())
    if not values:
        nothing = np.asarray(np.nan)
        return Estimate(nothing, nothing, nothing)
    low, high = percentile_bounds(np.mean(values, axis=0)[:, None], CONFIDENCE)
    return Estimate(np.asarray(np.mean(means)), low[0], high[0])
