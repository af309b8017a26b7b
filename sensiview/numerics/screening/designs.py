"""Designs of a Morris screening in the unit cube: trajectories on a grid of levels, stars of Sobol' points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError
from sensiview.numerics.designs import MOST_DIMENSIONS, SobolPoints

Floats: TypeAlias = "NDArray[np.float64]"
Ints: TypeAlias = "NDArray[np.int64]"
DesignName: TypeAlias = Literal["trajectory", "radial"]

# Rows by which the second half of the Sobol' points is shifted, so that no coordinate repeats (Campolongo et al. 2011).
_SHIFT = 4
# Radial steps shorter than this are turned by half the range: a network in float32 would answer with rounding errors.
SHORTEST_STEP = 0.05


@dataclass(frozen=True, eq=False)
class Blocks:
    """Some blocks of a design: each has a first point, and one further point per factor.

    Parameters
    ----------
    starts : ndarray
        (blocks, factors), the first points, in [0, 1].
    order : ndarray
        (blocks, factors): which factor changes in which step.
    goals : ndarray
        (blocks, factors): the value that a factor takes when it changes, in [0, 1]; by factor, not by step.
    chained : bool
        Whether a step starts from the point before (trajectory) or from the first point (radial).
    """

    starts: Floats
    order: Ints
    goals: Floats
    chained: bool

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def factors(self) -> int:
        """Number of factors."""
        return int(self.starts.shape[1])

    @property
    def steps(self) -> Floats:
        """Signed step of each factor, (blocks, factors), by factor."""
        return self.goals - self.starts

    def points(self) -> Floats:
        """Return every point, (blocks, factors + 1, factors): what a model is evaluated at, in order."""
        found = np.repeat(self.starts[:, None, :], self.factors + 1, axis=1)
        blocks = np.arange(len(self))
        for step in range(self.factors):
            factor = self.order[:, step]
            changed = slice(step + 1, None if self.chained else step + 2)
            found[blocks, changed, factor] = (
                self.goals[blocks, factor][:, None] if self.chained else _column(self, factor)
            )
        return found

    def part(self, first: int, last: int) -> Blocks:
        """Return the blocks `first` (included) to `last`."""
        return Blocks(self.starts[first:last], self.order[first:last], self.goals[first:last], self.chained)


def _column(blocks: Blocks, factor: Ints) -> Floats:
    return blocks.goals[np.arange(len(blocks)), factor][:, None]


class Design(ABC):
    """Blocks of points, any stretch of an endless sequence: the first N do not depend on how many are taken."""

    factors: int

    @abstractmethod
    def take(self, start: int, stop: int) -> Blocks:
        """Return the blocks `start` (included) to `stop`."""


@dataclass(frozen=True)
class TrajectoryDesign(Design):
    """Morris' trajectories on a grid of m levels 0, 1/(m-1), ..., 1, with steps of m / (2 (m - 1)).

    Every factor changes once, up or down with equal probability, in random order; each level is as probable as any
    other. Each trajectory has a random stream of its own.

    Parameters
    ----------
    factors : int
    levels : int
        m, even and at least 2: only then is every level reached as often.
    seed : int

    References
    ----------
    Morris (1991). Factorial sampling plans for preliminary computational experiments. Technometrics 33, 161-174.
    """

    factors: int
    levels: int
    seed: int

    def __post_init__(self) -> None:
        if sentence := levels_problem(self.levels):
            raise UserError(sentence)

    @property
    def delta(self) -> float:
        """The length of every step, m / (2 (m - 1)), as a share of a factor's range."""
        return self.levels / (2 * (self.levels - 1))

    def take(self, start: int, stop: int) -> Blocks:
        """Return the trajectories `start` (included) to `stop`."""
        count = max(0, stop - start)
        starts, goals = np.empty((2, count, self.factors))
        order = np.empty((count, self.factors), dtype=np.int64)
        for place in range(count):
            rng = np.random.default_rng([self.seed, start + place])
            low = rng.integers(0, self.levels // 2, self.factors)
            up = rng.random(self.factors) < 0.5
            # As whole numbers over m - 1, so that both ends of a step are levels to the last bit.
            high = low + self.levels // 2
            starts[place] = np.where(up, low, high) / (self.levels - 1)
            goals[place] = np.where(up, high, low) / (self.levels - 1)
            order[place] = rng.permutation(self.factors)
        return Blocks(starts, order, goals, chained=True)


@dataclass(frozen=True)
class RadialDesign(Design):
    """Stars around scrambled Sobol' points: from each centre one step along every factor, of differing lengths.

    A centre is the first half of a Sobol' point of 2 p dimensions, the ends of its steps are the second half of the
    point four rows further on.

    Parameters
    ----------
    factors : int
        p, at most 10,600.
    seed : int
        Of the scramble.

    References
    ----------
    Campolongo, Saltelli, Cariboni (2011). From screening to quantitative sensitivity analysis: a unified approach.
    Computer Physics Communications 182, 978-988.
    """

    factors: int
    seed: int

    def __post_init__(self) -> None:
        if 2 * self.factors > MOST_DIMENSIONS:
            raise UserError(
                f"{self.factors:,} factors are too many for the radial design: Sobol' points exist for "
                f"{MOST_DIMENSIONS // 2:,} at most. Choose larger parts, or design = trajectory."
            )

    @cached_property
    def _points(self) -> SobolPoints:
        return SobolPoints(2 * self.factors, self.seed)

    def take(self, start: int, stop: int) -> Blocks:
        """Return the stars `start` (included) to `stop`."""
        whole = self._points.take(start, stop + _SHIFT)
        count = stop - start
        starts, goals = whole[:count, : self.factors].copy(), whole[_SHIFT:, self.factors :].copy()
        near = np.abs(goals - starts) < SHORTEST_STEP
        goals[near] = (goals[near] + 0.5) % 1.0
        order = np.broadcast_to(np.arange(self.factors), (count, self.factors))
        return Blocks(starts, np.array(order, dtype=np.int64), goals, chained=False)


def make_design(name: DesignName, factors: int, levels: int, seed: int) -> Design:
    """Return the design of that name; `levels` is of trajectories only."""
    return TrajectoryDesign(factors, levels, seed) if name == "trajectory" else RadialDesign(factors, seed)


def levels_problem(levels: int) -> str:
    """Return a sentence about a number of levels that gives no design; empty when it does."""
    if levels < 2:
        return f"levels is {levels}: with one level a factor can't change. Choose an even number, for example 4 or 8."
    if levels % 2:
        return (
            f"levels is {levels}, an odd number: steps of half the levels would then reach the outer levels less often "
            f"than the inner ones, and the indices would lean to the middle of the range. Choose {levels - 1 or 2} or "
            f"{levels + 1}."
        )
    return ""
