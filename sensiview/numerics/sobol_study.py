"""A Sobol' study in doubling stages over anything that turns rows into outputs; resumes, extends, stops by rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError
from sensiview.numerics.designs import MOST_BYTES, SaltelliDesign, SobolPoints, stages
from sensiview.numerics.evaluations import Evaluations
from sensiview.numerics.input_space import InputSpace
from sensiview.numerics.sobol_indices import Indices, IntervalKind, estimate

Evaluate: TypeAlias = "Callable[[NDArray[np.float64]], NDArray[Any]]"
Reason: TypeAlias = Literal["n", "width", "time"]

FIRST_STAGE = 128
MOST_ROWS = 131_072
_FORMAT = 1
_SMALLEST_CHUNK = 16
_SECONDS_BETWEEN_STATES = 10.0


@dataclass(frozen=True)
class StudyPlan:
    """What to compute, with everything that numbers depend on.

    Parameters
    ----------
    space : InputSpace
        Factors and their distributions.
    n : int
        Base points at most, a power of two.
    second_order : bool
        With S2, for N (2 G + 2) evaluations in place of N (G + 2).
    seed : int
        At least 1; of the scramble and of the bootstrap.
    resamples, confidence, interval
        Of the intervals, see `sensiview.numerics.sobol_indices.estimate`.
    stop_width : float or None
        End as soon as the half widths `conf` of all S1 and ST are at most this.
    max_seconds : float or None
        End when the next doubling would take longer than this since the start; at least one stage is computed.
    """

    space: InputSpace
    n: int
    second_order: bool = True
    seed: int = 1
    resamples: int = 100
    confidence: float = 0.95
    interval: IntervalKind = "design"
    stop_width: float | None = None
    max_seconds: float | None = None

    @property
    def design(self) -> SaltelliDesign:
        """The rows of a base point."""
        return SaltelliDesign(self.space.group_numbers, self.second_order)


@dataclass(frozen=True)
class StudyState:
    """Everything needed to go on: arrays of the model's answers, and JSON values that say what they belong to."""

    arrays: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Indices at every stage, the last being the result.

    `evaluations` counts model rows computed in this run, `reason` says what ended it.
    """

    stages: tuple[Indices, ...]
    evaluations: int
    reason: Reason

    @property
    def indices(self) -> Indices:
        """The indices at the largest N."""
        return self.stages[-1]


def _nothing(*_: Any) -> None:
    """Stand in for a callback nobody asked for."""


@dataclass
class SobolStudy:
    """Samples, evaluates and estimates, N = 128, 256, ... up to n.

    A stage evaluates only the base points that are new, and estimates from all. Rows are evaluated in pieces whose
    borders depend on their position alone, so that a resumed or extended study computes the very same numbers.

    Parameters
    ----------
    plan : StudyPlan
    evaluate : callable
        Rows as the model takes them, shape (rows, columns), float64 -> answers, shape (rows, outputs), any float dtype.
    outputs : sequence of str
        Names of the columns of the answers; compared on resume.
    on_stage : callable
        Takes the tuple of all stages so far after each.
    keep : callable
        Takes a `StudyState` after each stage and every ten seconds between.
    begin : callable
        Takes (N, rows to evaluate) when a stage begins to evaluate.
    tick : callable
        Called often during the estimation; what it raises ends the study.
    rows_per_call : int
        Rows that `evaluate` gets at most (but at least those of one base point). For a slow model as many as take a
        second: between calls the study is kept and the time is looked at.
    clock : callable
        Seconds; replaced in tests.
    """

    plan: StudyPlan
    evaluate: Evaluate
    outputs: Sequence[str]
    on_stage: Callable[[tuple[Indices, ...]], None] = _nothing
    keep: Callable[[StudyState], None] = _nothing
    begin: Callable[[int, int], None] = _nothing
    tick: Callable[[], None] = _nothing
    rows_per_call: int = MOST_ROWS
    clock: Callable[[], float] = time.monotonic
    evaluations: Evaluations = field(init=False)

    def __post_init__(self) -> None:
        self._design = self.plan.design
        self._points = SobolPoints(2 * self._design.n_factors, self.plan.seed)
        self._chunk = self._design.points_per_chunk(len(self.plan.space.columns), min(self.rows_per_call, MOST_ROWS))
        self.evaluations = Evaluations(self._design.rows_per_point)
        self._computed = 0  # base points evaluated by this object
        self._kept_at = self.clock()

    def state(self) -> StudyState:
        """Return what `restore` takes back; the arrays are views."""
        values = {"format": _FORMAT, "n": self.evaluations.n, **self._identity()}
        return StudyState(self.evaluations.arrays(), values)

    def restore(self, state: StudyState) -> None:
        """Go on from the evaluations of this study or of one with other n, stop rules, resamples or confidence.

        Raises
        ------
        UserError
            The state belongs to another design or model output, so its evaluations can't be re-used.
        """
        for key, sentence in _DIFFERENT.items():
            if state.values.get(key) != self._identity().get(key, _FORMAT):
                raise UserError(sentence)
        found = Evaluations.from_arrays(state.arrays, self._design.rows_per_point)
        if found.n != state.values.get("n") or (found.n and found.n_outputs != len(self.outputs)):
            raise UserError("The kept evaluations are incomplete, so they can't be re-used. Start a new run.")
        self.evaluations = found

    def run(self) -> Outcome:
        """Compute all stages; returns the indices at each."""
        began = self.clock()
        found: list[Indices] = []
        reason: Reason = "n"
        for n in stages(self.plan.n, FIRST_STAGE):
            if found and self._too_long(n, began):
                reason = "time"
                break
            if not self._evaluate_to(n, began if found else None):
                reason = "time"
                break
            found.append(self._estimate(n))
            self.on_stage(tuple(found))
            if self.plan.stop_width is not None and found[-1].width() <= self.plan.stop_width:
                reason = "width"
                break
        return Outcome(tuple(found), self._computed * self._design.rows_per_point, reason)

    def _evaluate_to(self, n: int, began: float | None) -> bool:
        """Evaluate the base points up to `n`; False when time ran out (`began` None: it can't)."""
        if self.evaluations.n >= n:
            return True
        self.begin(n, (n - self.evaluations.n) * self._design.rows_per_point)
        while self.evaluations.n < n:
            start = self.evaluations.n
            size = min(self._chunk, max(start, _SMALLEST_CHUNK))
            self._evaluate_piece(start, min(start + size, n))
            now = self.clock()
            over = began is not None and self.plan.max_seconds is not None and now - began > self.plan.max_seconds
            if now - self._kept_at > _SECONDS_BETWEEN_STATES or self.evaluations.n == n or over:
                self.keep(self.state())
                self._kept_at = self.clock()
            if over and self.evaluations.n < n:
                return False
        return True

    def _evaluate_piece(self, start: int, stop: int) -> None:
        n_factors, space = self._design.n_factors, self.plan.space
        points = self._points.take(start, stop)
        a, b = space.values(points[:, :n_factors]), space.values(points[:, n_factors:])
        rows = self._design.rows(a, b).reshape(-1, n_factors)
        answers = np.asarray(self.evaluate(space.model_rows(rows)))
        if answers.shape != (len(rows), len(self.outputs)):
            raise ValueError(f"expected answers of shape {(len(rows), len(self.outputs))}, got {answers.shape}")
        self.evaluations.append(answers)
        self._computed += stop - start

    def _estimate(self, n: int) -> Indices:
        plan = self.plan
        return estimate(
            self.evaluations,
            n,
            second_order=plan.second_order,
            resamples=plan.resamples,
            confidence=plan.confidence,
            seed=plan.seed,
            interval=plan.interval,
            tick=self.tick,
        )

    def _too_long(self, n: int, began: float) -> bool:
        """Say whether stage `n` would end too late: it takes about as long as all before it together."""
        if self.plan.max_seconds is None or self.evaluations.n >= n:
            return False
        elapsed = self.clock() - began
        speed = self._computed / elapsed if elapsed > 0 else 0.0
        expected = (n - self.evaluations.n) / speed if speed else 0.0
        return elapsed + expected > self.plan.max_seconds

    def _identity(self) -> dict[str, Any]:
        return {
            "second_order": self.plan.second_order,
            "seed": self.plan.seed,
            "space": self.plan.space.describe(),
            "outputs": list(self.outputs),
        }


def study_cost(
    new: int, n: int, *, groups: int, columns: int, outputs: int, second_order: bool, resamples: int
) -> tuple[int, int, float]:
    """Return evaluations, peak bytes beside the model's own, and seconds of estimation, known beforehand.

    Parameters
    ----------
    new, n : int
        Base points still to evaluate, and in all.
    groups, columns, outputs : int
        Indices per output, columns of the model's input, columns of its answer (counted as float32).
    """
    per_point = (2 * groups if second_order else groups) + 2
    sums = 3 + 2 * groups + (groups * (groups - 1) // 2 if second_order else 0)
    answers = 4 * n * per_point * outputs
    # The rows of one call, and as much again twice: base points, rows for the model.
    one_point = 8 * per_point * columns
    sampling = 3 * max(min(MOST_BYTES, n * one_point), one_point)
    bootstrap = n * resamples + 8 * (resamples + 1) * max(sums, min(outputs * sums, 16_384)) + (64 << 20)
    # Counting draws, and products of 2 (resamples + 1) operations per column, for all stages together.
    seconds = 2 * n * resamples * 2e-8 + 2 * n * outputs * sums * (resamples + 40) * 1e-10
    return new * per_point, answers + max(sampling, bootstrap), seconds


_DIFFERENT: Mapping[str, str] = {
    "format": "The kept evaluations come from another version of this program. Start a new run.",
    "second_order": (
        "Second-order indices need other evaluations, so they can't be added to or removed from a run that is "
        "extended. Leave second_order as it was, or start a new run."
    ),
    "seed": "The run to go on from was made with another seed. Use its seed, or start a new run.",
    "space": (
        "The run to go on from sampled other factors, ranges or groups. Leave them as they were, or start a new run."
    ),
    "outputs": "The run to go on from looked at other outputs. Leave them as they were, or start a new run.",
}
