"""Elementary effects, and what a Morris screening makes of them: mu, mu_star, sigma, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.screening.designs import Blocks, Floats

# Values of the bootstrap that are held at once.
_MOST_VALUES = 4_000_000
MEASURES = ("mu", "mu_star", "sigma")


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value and its uncertainty, each (factors, outputs), float64.

    `conf` is z times the standard deviation over the resamples, as SALib's ``mu_star_conf``; `low` and `high` are
    quantiles over them.
    """

    value: Floats
    conf: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Screening:
    """The measures of every factor and output.

    `mu` is the mean of the elementary effects, `mu_star` of their absolute values, `sigma` their sample standard
    deviation (ddof 1); in units of the output per range of the factor. `used` trajectories, `left_out` with an output
    that is not finite. `drawn`, (3, resamples, factors, outputs), the measures of each bootstrap draw, on demand.
    """

    mu: Estimate
    mu_star: Estimate
    sigma: Estimate
    used: int
    left_out: int
    drawn: Floats | None = None

    def __getitem__(self, measure: str) -> Estimate:
        return {"mu": self.mu, "mu_star": self.mu_star, "sigma": self.sigma}[measure]

    def width(self) -> float:
        """Return the largest half width of mu_star, as a share of the largest mu_star of its output."""
        largest = self.mu_star.value.max(axis=0)
        shares = self.mu_star.conf.max(axis=0)[largest > 0] / largest[largest > 0]
        return float(shares.max()) if shares.size else 0.0


def elementary_effects(outputs: NDArray[Any], blocks: Blocks) -> Floats:
    """Return the elementary effect of each factor in each block (Morris 1991; Campolongo et al. 2011 for stars).

    Parameters
    ----------
    outputs : ndarray
        (blocks, factors + 1, outputs), any float dtype: the model at ``blocks.points()``.
    blocks : Blocks

    Returns
    -------
    ndarray
        (blocks, factors, outputs), by factor; output per range of the factor.
    """
    wide = np.asarray(outputs, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # an infinite output less another is no number, and left out as such
        change = np.diff(wide, axis=1) if blocks.chained else wide[:, 1:] - wide[:, :1]
    by_factor = np.empty_like(change)
    np.put_along_axis(by_factor, blocks.order[:, :, None], change, axis=1)
    by_factor /= blocks.steps[:, :, None]
    return by_factor


def screen(
    effects: Floats,
    *,
    resamples: int = 100,
    confidence: float = 0.95,
    seed: int = 1,
    keep_draws: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Screening:
    """Return the measures of elementary effects, (blocks, factors, outputs); blocks that are not finite are left out.

    Blocks are resampled as a whole, so that the intervals of all factors and outputs belong to the same draws. With
    fewer than two blocks sigma and all intervals are NaN, with none every number is.

    Parameters
    ----------
    effects : ndarray
    resamples, confidence, seed
        Of the bootstrap.
    keep_draws : bool
        Also return the measures of each draw, for an average over inputs.
    tick : callable
        Called between pieces of work; what it raises ends it.
    """
    finite = np.isfinite(effects).all(axis=(1, 2))
    used = effects if finite.all() else effects[finite]
    n = len(used)
    flat = used.reshape(n, int(np.prod(effects.shape[1:])))
    values = _measures(flat.mean(axis=0), np.abs(flat).mean(axis=0), flat, n) if n else _nan(flat.shape[1])
    spread = np.full((3, 3, flat.shape[1]), np.nan)
    kept = np.full((3, resamples, flat.shape[1]), np.nan) if keep_draws else None
    if n > 1:
        counts = _draws(n, resamples, seed)
        piece = max(1, _MOST_VALUES // (3 * resamples + n))
        for begin in range(0, flat.shape[1], piece):
            part = slice(begin, begin + piece)
            drawn = _resampled(counts, flat[:, part])
            if kept is not None:
                kept[:, :, part] = drawn
            spread[:, :, part] = _intervals(drawn, confidence)
            tick()
    shape = effects.shape[1:]
    estimates = [Estimate(*(row.reshape(shape) for row in (values[m], *spread[m]))) for m in range(3)]
    drawn_of = kept.reshape(3, resamples, *shape) if kept is not None else None
    mu, mu_star, sigma = estimates
    return Screening(mu, mu_star, sigma, n, len(effects) - n, drawn_of)


class MeanScreening:
    """The mean of screenings of several inputs, taken one by one.

    The inputs are sampled at the same points, so that what a trajectory has of chance is the same in all of them; the
    intervals come from the same bootstrap draws in all and keep that.
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self.count = 0
        self.used = self.left_out = 0
        self._sum = self._squares = self._drawn = np.zeros(0)

    def add(self, one: Screening) -> None:
        """Take the screening of one more input, with its draws; one without any trajectory is left out."""
        self.left_out += one.left_out
        if not one.used:
            return
        assert one.drawn is not None
        values = np.stack([one[measure].value for measure in MEASURES])
        if not self.count:
            self._sum, self._squares, self._drawn = (
                np.zeros_like(values),
                np.zeros_like(values),
                np.zeros_like(one.drawn),
            )
        self.count += 1
        self.used += one.used
        self._sum += values
        self._squares += np.square(values)
        self._drawn += one.drawn

    def mean(self) -> Screening:
        """Return the mean of each measure with its interval over the trajectories."""
        values, spread = self._sum / self.count, _intervals(self._drawn / self.count, self._confidence)
        mu, mu_star, sigma = (Estimate(values[m], *spread[m]) for m in range(3))
        return Screening(mu, mu_star, sigma, self.used, self.left_out)

    def spread(self) -> tuple[Floats, Floats]:
        """Return the sample standard deviation over inputs of mu_star and of sigma, each (factors, outputs)."""
        if self.count < 2:
            return np.zeros_like(self._sum[1]), np.zeros_like(self._sum[2])
        around = np.maximum(self._squares - np.square(self._sum) / self.count, 0.0) / (self.count - 1)
        return np.sqrt(around[1]), np.sqrt(around[2])


def _intervals(drawn: Floats, confidence: float) -> Floats:
    """Return half width, low and high end over the draws, (3 measures, 3, ...), from (3, resamples, ...)."""
    from scipy.stats import norm

    z, tail = float(norm.ppf(0.5 + confidence / 2)), (1 - confidence) / 2
    half = z * drawn.std(axis=1, ddof=1)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=1)
    return np.stack([half, low, high], axis=1)


def _draws(n: int, resamples: int, seed: int) -> Floats:
    """Return how often each of `n` blocks is drawn, (resamples, n)."""
    rng = np.random.default_rng([seed, n, resamples])
    found = np.zeros((resamples, n))
    for row in found:
        np.add.at(row, rng.integers(0, n, n), 1.0)
    return found


def _measures(mu: Floats, mu_star: Floats, flat: Floats, n: int) -> Floats:
    sigma = np.sqrt(np.square(flat - mu).sum(axis=0) / (n - 1)) if n > 1 else np.full(flat.shape[1], np.nan)
    return np.stack([mu, mu_star, sigma])


def _resampled(counts: Floats, flat: Floats) -> Floats:
    """Return the measures of each draw, (3, resamples, columns)."""
    n = flat.shape[0]
    # Around the mean, so that sums of squares lose no digits.
    centre = flat.mean(axis=0)
    around = flat - centre
    first, second = counts @ around / n, counts @ np.square(around) / n
    variance = np.maximum(second - np.square(first), 0.0) * n / (n - 1)
    return np.stack([first + centre, counts @ np.abs(flat) / n, np.sqrt(variance)])


def _nan(columns: int) -> Floats:
    return np.full((3, columns), np.nan)
