"""Finding a mask: projected Adam on the nodes of a coarse grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models.batching import does_not_fit, is_out_of_memory
from sensiview.numerics.mask_grid import MaskGrid
from sensiview.numerics.mask_problem import MaskProblem
from sensiview.numerics.mask_terms import MaskTerms, Weights

# Kingma and Ba (2015).
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
# Steps without progress after which a mask is finished.
PATIENCE = 20
TRACE_COLUMNS = ("objective", "score", "probability", "area_term", "smoothness_term")
_KEPT = ("cover", "first", "second", "best", "trace", "after", "best_objective", "best_step", "anchor", "anchor_step")


@dataclass(frozen=True)
class Schedule:
    """How a mask is sought.

    Parameters
    ----------
    steps : int
        At most so many updates.
    learning_rate : float
        Of Adam: about how far a node moves per step, in units of the mask.
    tolerance : float
        A mask is finished when its objective did not fall by this much, relative to its size or to 1, in 20 steps; 0
        goes to the end.
    start : float
        Value of the mask at the beginning: 1 leaves the input as it is.
    coarse_levels, coarse_steps : int
        Grids twice, four times, ... as coarse that go before, coarsest first, for so many steps each.
    """

    steps: int = 120
    learning_rate: float = 0.1
    tolerance: float = 1e-3
    start: float = 1.0
    coarse_levels: int = 0
    coarse_steps: int = 30

    def level(self, step: int) -> int:
        """Return the level that a step works on, 0 the coarsest."""
        return min(step // self.coarse_steps, self.coarse_levels) if self.coarse_levels else 0


class MaskDescent:
    """One mask for several inputs, or several masks for one input each, on their way down.

    In every step the score's gradient with respect to the voxels comes from the network, those of the two terms from
    their formulas; the transposed interpolation takes their sum to the nodes, Adam moves the nodes, and what left
    [0, 1] is put back to its border. A projection, not a sigmoid: the untouched input, m = 1, is a point that can
    be started from and come back to exactly, so that masks are empty where nothing is gained.

    What counts is the mask with the least objective so far, not the last one: with a constant step length the last
    steps go to and fro.

    Parameters
    ----------
    problem : MaskProblem
    places : sequence of int
        Inputs; all share one mask when the problem's masks are shared.
    grids : sequence of MaskGrid
        From the coarsest to the one of the result.
    weights : Weights
    schedule : Schedule
    start : ndarray, optional
        Cover of nodes of the last grid to begin with, (masks, *nodes): a warm start.
    """

    def __init__(
        self,
        problem: MaskProblem,
        places: Sequence[int],
        grids: Sequence[MaskGrid],
        weights: Weights,
        schedule: Schedule,
        start: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self.problem, self.places, self.schedule = problem, list(places), schedule
        self._grids = list(grids)
        self.masks = 1 if problem.shared else len(self.places)
        self._device = problem.inputs.network.device
        self._terms = MaskTerms(problem.region(self.places), weights)
        self.step = 0
        level = schedule.level(0)
        nodes = (self.masks, *grids[-1].nodes)
        cover = torch.full(nodes, 1.0 - schedule.start) if start is None else torch.from_numpy(np.array(start))
        self.cover = self._grids[-1].moved_to(self._grids[level], cover.to(self._device, torch.float32))
        self._first, self._second = torch.zeros_like(self.cover), torch.zeros_like(self.cover)
        self.best = self.cover.clone()
        self.best_objective = np.full(self.masks, np.inf)
        self.best_step = np.zeros(self.masks, dtype=np.int64)
        self._anchor = np.full(self.masks, np.inf)
        self._anchor_step = np.zeros(self.masks, dtype=np.int64)
        self.after = np.full(len(self.places), np.nan)
        self.trace = np.full((self.masks, schedule.steps + 1, len(TRACE_COLUMNS)), np.nan)

    @property
    def grid(self) -> MaskGrid:
        """The grid that the current step works on."""
        return self._grids[self.schedule.level(self.step)]

    @property
    def at_work(self) -> npt.NDArray[np.int64]:
        """Numbers of the masks that are not finished."""
        settled = self.schedule.tolerance > 0
        done = (
            (self.step - self._anchor_step >= PATIENCE)
            if settled and self._on_last_grid()
            else np.zeros(self.masks, bool)
        )
        return np.flatnonzero(~done)

    @property
    def finished(self) -> bool:
        """Whether all steps are done or no mask makes progress."""
        return self.step > self.schedule.steps or not len(self.at_work)

    def run(self, after_step: Callable[[MaskDescent], None] = lambda descent: None) -> None:
        """Go on until finished; `after_step` hears of every step and may raise to stop.

        Raises
        ------
        ModelError
            Not even one input fits into memory, or the network can't take them.
        """
        while not self.finished:
            try:
                self._one_step()
            except (RuntimeError, MemoryError) as error:
                if self.problem.make_room(error):
                    continue
                if is_out_of_memory(error):
                    raise does_not_fit(self.problem.inputs.network) from error
                raise
            after_step(self)

    def _one_step(self) -> None:
        working = self.at_work
        everything = len(working) == self.masks
        places = self.places if self.problem.shared or everything else [self.places[i] for i in working]
        keep = torch.from_numpy(working).to(self._device)
        cover = self.cover if everything else self.cover[keep]
        terms = self._terms if everything else self._terms_of(working)
        voxels = self.grid.to_voxels(cover)
        # Without interpolation these are the nodes themselves, which must not change.
        voxels = voxels.mul_(terms.region) if voxels.data_ptr() != cover.data_ptr() else voxels * terms.region
        gradient = torch.empty_like(voxels)
        scores, probabilities = self.problem.push(places, voxels, gradient)
        area, smoothness = terms.add(voxels, gradient)
        self._note(working, scores, probabilities, area, smoothness, cover)
        if self.step < self.schedule.steps:
            slope = self.grid.to_nodes(gradient.mul_(terms.region))
            self._move(slope, None if everything else keep)
        self.step += 1
        self._change_grid()

    def _terms_of(self, working: npt.NDArray[np.int64]) -> MaskTerms:
        # Masks finish a few times per run; in between the same ones are at work.
        key = working.tobytes()
        if getattr(self, "_some", (b"", None))[0] != key:
            keep = torch.zeros(self.masks, dtype=torch.bool, device=self._device)
            keep[torch.from_numpy(working).to(self._device)] = True
            self._some = (key, self._terms.restricted(keep))
        return self._some[1]

    def _note(
        self,
        working: npt.NDArray[np.int64],
        scores: npt.NDArray[np.float64],
        probabilities: npt.NDArray[np.float64],
        area: Tensor,
        smoothness: Tensor,
        cover: Tensor,
    ) -> None:
        """Keep what this step gave, and the mask where it is the best so far."""
        score = np.array([scores.mean()]) if self.problem.shared else scores
        probability = np.array([probabilities.mean()]) if self.problem.shared else probabilities
        terms = area.cpu().numpy(), smoothness.cpu().numpy()
        objective = score + terms[0] + terms[1]
        self.trace[working, self.step] = np.stack([objective, score, probability, *terms], axis=1)
        better = objective < self.best_objective[working]
        for position in np.flatnonzero(better):
            mask = working[position]
            self.best[mask] = cover[position]
            if self.problem.shared:
                self.after[:] = probabilities
            else:
                self.after[mask] = probabilities[position]
        self.best_objective[working[better]] = objective[better]
        self.best_step[working[better]] = self.step
        anchor = self._anchor[working]
        # Before the first step there is nothing to be better than.
        size = np.maximum(1.0, np.abs(np.where(np.isfinite(anchor), anchor, 1.0)))
        progress = objective < anchor - self.schedule.tolerance * size
        self._anchor[working[progress]] = objective[progress]
        self._anchor_step[working[progress]] = self.step

    def _move(self, slope: Tensor, keep: Tensor | None) -> None:
        """One step of Adam on the masks at work, then back into [0, 1]."""
        first, second, cover = (
            (self._first, self._second, self.cover)
            if keep is None
            else (self._first[keep], self._second[keep], self.cover[keep])
        )
        count = self._steps_on_this_grid() + 1
        first.lerp_(slope, 1 - _BETA_1)
        second.mul_(_BETA_2).addcmul_(slope, slope, value=1 - _BETA_2)
        root = second.sqrt().div_((1 - _BETA_2**count) ** 0.5).add_(_EPSILON)
        cover.addcdiv_(first, root, value=-self.schedule.learning_rate / (1 - _BETA_1**count)).clamp_(0.0, 1.0)
        if keep is not None:
            self._first[keep], self._second[keep], self.cover[keep] = first, second, cover

    def _steps_on_this_grid(self) -> int:
        return self.step - self.schedule.level(self.step) * self.schedule.coarse_steps

    def _on_last_grid(self) -> bool:
        return self.schedule.level(self.step) == self.schedule.coarse_levels

    def _change_grid(self) -> None:
        before, now = self._grids[self.schedule.level(self.step - 1)], self.grid
        if now is before:
            return
        self.cover = before.moved_to(now, self.cover)
        self._first, self._second = torch.zeros_like(self.cover), torch.zeros_like(self.cover)
        # A mask of the result's grid is wanted, also where the coarser one is as good.
        self.best = self.cover.clone()
        for values in (self.best_objective, self._anchor):
            values[:] = np.inf
        self._anchor_step[:] = self.step

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Return arrays and plain values that `restore` takes back."""
        named = {
            "cover": self.cover,
            "first": self._first,
            "second": self._second,
            "best": self.best,
        }
        arrays: dict[str, npt.NDArray[Any]] = {name: tensor.cpu().numpy().copy() for name, tensor in named.items()}
        arrays |= {
            "trace": self.trace[:, : self.step].copy(),
            "after": self.after.copy(),
            "best_objective": self.best_objective.copy(),
            "best_step": self.best_step.copy(),
            "anchor": self._anchor.copy(),
            "anchor_step": self._anchor_step.copy(),
        }
        return arrays, {"step": self.step}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Go on from a state; the next step is the one that would have come.

        Raises
        ------
        ModelError
            It is a state of other masks.
        """
        step = int(values["step"])
        nodes = (self.masks, *self._grids[self.schedule.level(step)].nodes)
        if any(name not in arrays for name in _KEPT) or arrays["cover"].shape != nodes:
            raise ModelError("The masks to go on from were made with other settings. Start a new run.")
        self.step = step
        self.cover, self._first, self._second, self.best = (
            torch.from_numpy(np.array(arrays[name])).to(self._device) for name in ("cover", "first", "second", "best")
        )
        kept = arrays["trace"]
        count = min(kept.shape[1], self.trace.shape[1])
        self.trace[:, :count] = kept[:, :count]
        self.after, self.best_objective = np.array(arrays["after"]), np.array(arrays["best_objective"])
        self.best_step = np.array(arrays["best_step"])
        self._anchor, self._anchor_step = np.array(arrays["anchor"]), np.array(arrays["anchor_step"])
