"""Several masks in a row, one for a group or one per subject, at one pair of weights or many: with a way to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import UserError
from sensiview.numerics.mask_descent import TRACE_COLUMNS, MaskDescent, Schedule
from sensiview.numerics.mask_grid import MaskGrid
from sensiview.numerics.mask_problem import MaskProblem
from sensiview.numerics.mask_terms import Weights

Arrays = Mapping[str, npt.NDArray[Any]]
_OTHER = "The masks to go on from were made with other subjects or settings. Start a new run."


@dataclass
class Masks:
    """What was found at one pair of weights.

    Parameters
    ----------
    cover : ndarray
        (masks, *nodes), float32: 1 - m at the nodes.
    trace : ndarray
        (masks, steps + 1, 5), columns as `TRACE_COLUMNS`, NaN after the last step of a mask.
    after : ndarray
        (subjects,), probability of the target with the mask.
    best_step : ndarray
        (masks,), the step whose mask it is.
    """

    cover: npt.NDArray[np.float32]
    trace: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    best_step: npt.NDArray[np.int64]


class MaskRun:
    """Cells, one pair of weights each, in the order given.

    A group has one mask per cell; single masks are optimised in batches of subjects, each mask as if it were alone.
    With `warm_start` a cell begins with the mask of the cell before it. With `until` the run ends at the first cell
    whose masks it accepts: a search over weights from the strictest on.

    Parameters
    ----------
    problem : MaskProblem
    grids : sequence of MaskGrid
        From the coarsest to the one of the result.
    cells : sequence of Weights
    schedule : Schedule
    warm_start : bool
    until : callable, optional
        ``until(masks, before)``, True when no further cell is needed; `before` are the probabilities without a mask.
    """

    def __init__(
        self,
        problem: MaskProblem,
        grids: Sequence[MaskGrid],
        cells: Sequence[Weights],
        schedule: Schedule,
        *,
        warm_start: bool = False,
        until: Callable[[Masks, npt.NDArray[np.float64]], bool] | None = None,
    ) -> None:
        self._until = until
        self.problem, self.grids, self.cells, self.schedule = problem, list(grids), list(cells), schedule
        self.warm_start = warm_start
        self.n_masks = 1 if problem.shared else len(problem)
        self.done: list[Masks] = [self._nothing() for _ in cells]
        self.before = np.full(len(problem), np.nan)
        # Cells and masks that are finished: the next mask to be found is the first that is not.
        self.cell, self._mask = 0, 0
        self.descent: MaskDescent | None = None
        self._at_work: list[int] = []
        self._restored: tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None = None

    @property
    def grid(self) -> MaskGrid:
        """The grid of the result."""
        return self.grids[-1]

    @property
    def evaluations(self) -> int:
        """Inputs through the network at most, those of an earlier part of the run included."""
        return len(self.problem) * (1 + len(self.cells) * (self.schedule.steps + 1))

    def run(
        self,
        begin: Callable[[int], None] = lambda cell: None,
        after_step: Callable[[MaskRun], None] = lambda run: None,
        after_cell: Callable[[int], None] = lambda cell: None,
    ) -> list[Masks]:
        """Find every mask that is not found yet.

        `begin` hears of every cell, `after_step` of every step, `after_cell` of every cell that is done; what they
        raise ends the run, and `state` knows how to go on.
        """
        everyone = list(range(len(self.problem)))
        if np.isnan(self.before).any():
            self.before = self.problem.plain(everyone)
        while self.cell < len(self.cells) and not self._accepted():
            begin(self.cell)
            for places in self._jobs():
                self._one_job(places, after_step)
            finished = self.cell
            self.cell, self._mask = self.cell + 1, 0
            after_cell(finished)
        return self.done

    def _accepted(self) -> bool:
        """Say whether the last finished cell is all that was sought."""
        if self._until is None or not self.cell or self._mask:
            return False
        return self._until(self.done[self.cell - 1], self.before)

    @property
    def last(self) -> Masks:
        """The masks of the last finished cell."""
        return self.done[max(0, self.cell - 1)]

    def _jobs(self) -> Iterator[list[int]]:
        if self.problem.shared:
            yield list(range(len(self.problem)))
            return
        while self._mask < self.n_masks:
            # A job that was interrupted goes on with the subjects that it had.
            yield self._at_work or list(range(self._mask, min(self._mask + self.problem.batch_size, self.n_masks)))

    def _one_job(self, places: list[int], after_step: Callable[[MaskRun], None]) -> None:
        masks = slice(0, 1) if self.problem.shared else slice(places[0], places[-1] + 1)
        start = self.done[self.cell - 1].cover[masks] if self.warm_start and self.cell else None
        descent = MaskDescent(self.problem, places, self.grids, self.cells[self.cell], self.schedule, start)
        if self._restored is not None:
            descent.restore(*self._restored)
            self._restored = None
        self.descent, self._at_work = descent, places
        descent.run(lambda _: after_step(self))
        found = self.done[self.cell]
        found.cover[masks] = descent.best.cpu().numpy()
        found.trace[masks] = descent.trace
        found.best_step[masks] = descent.best_step
        found.after[places] = descent.after
        self.descent, self._at_work = None, []
        self._mask = masks.stop

    def _nothing(self) -> Masks:
        return Masks(
            np.zeros((self.n_masks, *self.grid.nodes), dtype=np.float32),
            np.full((self.n_masks, self.schedule.steps + 1, len(TRACE_COLUMNS)), np.nan),
            np.full(len(self.problem), np.nan),
            np.zeros(self.n_masks, dtype=np.int64),
        )

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Return arrays and plain values that `restore` takes back.

        The masks found so far, and the one at work with its moments: a run that goes on from here ends with the same
        numbers as one that was never interrupted.
        """
        upto = self.cell + (1 if self._mask else 0)
        arrays: dict[str, npt.NDArray[Any]] = {"before": self.before}
        for name in ("cover", "trace", "after", "best_step"):
            arrays[name] = np.stack([getattr(m, name) for m in self.done[:upto]]) if upto else np.zeros(0)
        values: dict[str, Any] = {
            "cell": self.cell,
            "mask": self._mask,
            "cells": upto,
            "batch_size": self.problem.batch_size,
            "masks": self.n_masks,
            "subjects": self.problem.rows.indices,
            "nodes": list(self.grid.nodes),
        }
        if self.descent is not None:
            inner, more = self.descent.state()
            arrays |= {f"working_{name}": array for name, array in inner.items()}
            values |= {"working": more, "at_work": self._at_work}
        return arrays, values

    def restore(self, arrays: Arrays, values: Mapping[str, Any]) -> None:
        """Go on from a state; the next step is the one that would have come.

        Raises
        ------
        UserError
            It is the state of another run.
        """
        try:
            same = (
                list(values["subjects"]) == self.problem.rows.indices
                and int(values["masks"]) == self.n_masks
                and list(values["nodes"]) == list(self.grid.nodes)
            )
            if not same:
                raise UserError(_OTHER)
            for i in range(min(int(values["cells"]), len(self.cells))):
                trace = arrays["trace"][i]
                count = min(trace.shape[1], self.schedule.steps + 1)
                mine = self.done[i]
                mine.cover[:], mine.after[:] = arrays["cover"][i], arrays["after"][i]
                mine.best_step[:] = arrays["best_step"][i]
                mine.trace[:, :count] = trace[:, :count]
            self.before = np.array(arrays["before"], dtype=np.float64)
            self.cell, self._mask = int(values["cell"]), int(values["mask"])
            self.problem.batch_size = int(values["batch_size"])
            if "working" in values:
                prefix = "working_"
                inner = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
                self._restored = inner, dict(values["working"])
                self._at_work = [int(p) for p in values["at_work"]]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise UserError(_OTHER, details=repr(error)) from error
