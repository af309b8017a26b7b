"""A screening of one input: blocks evaluated in pieces, kept, extended, stopped when intervals are narrow enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.screening.designs import Blocks, Design
from sensiview.numerics.screening.effects import Screening, elementary_effects, screen

Answers: TypeAlias = "NDArray[Any]"
Reason: TypeAlias = Literal["n", "width", "time"]

# Blocks that are evaluated between two looks at clock, width and cancel; pieces begin at multiples of it, so that a
# resumed or extended screening computes the very same numbers.
PIECE = 16
# Fewest blocks for an interval that a rule may rest on.
_FEWEST = 8


@dataclass(frozen=True)
class ScreeningPlan:
    """What numbers depend on beside the design: blocks at most, the bootstrap, and when to stop."""

    n: int
    resamples: int = 100
    confidence: float = 0.95
    seed: int = 1
    stop_width: float | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The measures at N = 4, 8, 16, ... and at the end, which is the result.

    Attributes
    ----------
    stages : tuple of (int, Screening)
    answers : ndarray
        (blocks, factors + 1, outputs): the network at the points of the design.
    reason : str
        What ended it.
    """

    stages: tuple[tuple[int, Screening], ...]
    answers: Answers
    reason: Reason

    @property
    def screening(self) -> Screening:
        """The measures of all blocks."""
        return self.stages[-1][1]


def _nothing(*_: Any) -> None:
    """Stand in for a callback nobody asked for."""


@dataclass
class ScreeningStudy:
    """Evaluates blocks of a design and makes elementary effects of them.

    Parameters
    ----------
    design : Design
    plan : ScreeningPlan
    evaluate : callable
        Blocks -> answers, (blocks, factors + 1, outputs), any float dtype.
    known : ndarray or None
        Answers of the first blocks, from a checkpoint.
    keep : callable
        Gets all answers so far after each piece.
    tick : callable
        Called often during the estimation; what it raises ends the study.
    clock : callable
        Seconds; replaced in tests.
    """

    design: Design
    plan: ScreeningPlan
    evaluate: Callable[[Blocks], Answers]
    known: Answers | None = None
    keep: Callable[[Answers], None] = _nothing
    tick: Callable[[], None] = _nothing
    clock: Callable[[], float] = time.monotonic
    _pieces: list[Answers] = field(init=False, default_factory=list)

    def run(self, began: float | None = None) -> Outcome:
        """Evaluate what is missing and estimate; `began` is when the seconds that the plan allows started."""
        began = self.clock() if began is None else began
        if self.known is not None and len(self.known):
            self._pieces = [self.known[: self.plan.n]]
        done = sum(map(len, self._pieces))
        reason: Reason = "n"
        while done < self.plan.n:
            if done >= _FEWEST and (stopped := self._stopped(done, began)):
                reason = stopped
                break
            stop = min((done // PIECE + 1) * PIECE, self.plan.n)
            self._pieces.append(self.evaluate(self.design.take(done, stop)))
            done = stop
            self.keep(self._answers())
        answers = self._answers()
        effects = elementary_effects(answers, self.design.take(0, done))
        stages = [(n, self._screen(effects[:n])) for n in convergence_points(done)[:-1]]
        stages.append((done, self._screen(effects, keep_draws=True)))
        return Outcome(tuple(stages), answers, reason)

    def _stopped(self, done: int, began: float) -> Reason | None:
        if self.plan.max_seconds is not None and self.clock() - began > self.plan.max_seconds:
            return "time"
        if self.plan.stop_width is None:
            return None
        found = self._screen(elementary_effects(self._answers(), self.design.take(0, done)))
        return "width" if found.used >= _FEWEST and found.width() <= self.plan.stop_width else None

    def _answers(self) -> Answers:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0]

    def _screen(self, effects: NDArray[np.float64], *, keep_draws: bool = False) -> Screening:
        plan = self.plan
        return screen(
            effects,
            resamples=plan.resamples,
            confidence=plan.confidence,
            seed=plan.seed,
            keep_draws=keep_draws,
            tick=self.tick,
        )


def convergence_points(n: int) -> list[int]:
    """Return 4, 8, 16, ... below `n`, and `n`."""
    found, at = [], 4
    while at < n:
        found.append(at)
        at *= 2
    return [*found, n]
