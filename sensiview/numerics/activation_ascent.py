"""Gradient ascent on inputs: many at once, each for its own activation, with a way to go on after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.errors import ModelError, UserError
from sensiview.models.readout import Forward, read
from sensiview.numerics.activation_aims import Aim
from sensiview.numerics.activation_reading import AimReader
from sensiview.numerics.activation_regularisers import blurred, mean_square, shifted, shifts, total_variation
from sensiview.numerics.careful_batches import CarefulBatches

TRACE_COLUMNS = ("objective", "activation", "total_variation", "probability")
_OTHER = "The pictures to go on from were made with other targets or settings. Start a new run."


@dataclass(frozen=True)
class AscentSettings:
    """How an input is moved.

    One step is ``x <- clamp(x + step_size da/dx - tv_weight dTV/dx - l2_weight dL2/dx)``: the ascent of
    ``a - (tv_weight TV + l2_weight L2) / step_size``.

    Parameters
    ----------
    steps : int
    step_size : float
        Of the activation's gradient (e1 of the publication).
    tv_weight, l2_weight : float
        Of the gradients of total variation (e2) and of the mean square distance from `middle`.
    normalise : bool
        Divide the activation's gradient by its root mean square, so that steps are alike for every network.
    blur_every, blur_sigma : int, float
        Smooth the input every so many steps; 0 never.
    jitter : int
        Shift the input by up to so many pixels in each step.
    low, high : float
        Values are put back into this range.
    middle : float
    seed : int
    """

    steps: int = 300
    step_size: float = 0.1
    tv_weight: float = 0.1
    l2_weight: float = 0.0
    normalise: bool = False
    blur_every: int = 0
    blur_sigma: float = 1.0
    jitter: int = 0
    low: float = 0.0
    high: float = 1.0
    middle: float = 0.5
    seed: int = 1


class Ascent:
    """Inputs on their way up.

    Parameters
    ----------
    reader : AimReader
    aims : sequence of Aim
        One per row.
    start : Tensor
        (n, *shape), what each row begins with.
    prepare : callable
        From rows to what the module takes; differentiable.
    settings : AscentSettings
    batches : CarefulBatches
    advance : callable
        Hears of every batch of rows.
    kept_steps : sequence of int
        Steps whose inputs are kept as snapshots, ascending, 0 is the start.

    Attributes
    ----------
    rows : Tensor
        As they are now.
    step : int
        Steps that are done.
    trace : ndarray
        (n, steps + 1, 4), float64, columns as `TRACE_COLUMNS`; NaN where not there yet. Each line is of the input
        before the step of its number.
    snapshots : ndarray
        (n, len(kept_steps), *shape), float32.
    flat : ndarray
        (n,), bool: rows whose activation had no gradient in any step so far.
    """

    def __init__(
        self,
        reader: AimReader,
        aims: Sequence[Aim],
        start: Tensor,
        prepare: Callable[[Tensor], Tensor],
        settings: AscentSettings,
        batches: CarefulBatches,
        advance: Callable[[int], None],
        kept_steps: Sequence[int] = (0,),
    ) -> None:
        self._reader, self.aims, self._prepare = reader, list(aims), prepare
        self.settings, self._batches, self._advance = settings, batches, advance
        self.kept_steps = list(kept_steps)
        self.rows = start.clone()
        self.step = 0
        self.trace = np.full((len(start), settings.steps + 1, len(TRACE_COLUMNS)), np.nan)
        self.snapshots = np.zeros((len(start), len(self.kept_steps), *start.shape[1:]), dtype=np.float32)
        self.flat = np.ones(len(start), dtype=bool)
        self.broken = np.zeros(len(start), dtype=bool)

    def run(self, after_step: Callable[[Ascent], None] = lambda ascent: None) -> None:
        """Do all steps that are left; what `after_step` raises ends it, and `state` knows how to go on.

        Raises
        ------
        ModelError
            The network has no gradient, or not even one row fits into memory.
        """
        while self.step <= self.settings.steps:
            self._one_step()
            after_step(self)

    def _one_step(self) -> None:
        settings, gradient = self.settings, torch.zeros_like(self.rows)
        measured = np.full((len(self.rows), len(TRACE_COLUMNS)), np.nan)
        last = self.step == settings.steps

        def work(places: Sequence[int]) -> None:
            chosen = list(places)
            gradient[chosen], measured[chosen] = self._push(chosen, gradient=not last)
            self._advance(len(chosen))

        self._batches.run(range(len(self.rows)), work)
        self.trace[:, self.step] = measured
        if self.step in self.kept_steps:
            self.snapshots[:, self.kept_steps.index(self.step)] = self.rows.detach().float().cpu().numpy()
        if not last:
            self._move(gradient)
        self.step += 1

    def _push(self, places: list[int], *, gradient: bool) -> tuple[Tensor, npt.NDArray[np.float64]]:
        """Return the gradient of the objective times the step size, and what the trace keeps of these rows."""
        settings = self.settings
        rows = self.rows[places].detach().requires_grad_()
        by = [shifts(settings.seed, row, self.step, settings.jitter, rows.ndim - 2) for row in places]
        aims = [self.aims[row] for row in places]
        # A copy: a module that writes into its input must not meet a leaf of the graph.
        activation, raw = self._reader(self._prepare(shifted(rows, by)).clone(), aims)
        if not activation.requires_grad:
            raise ModelError(
                f"The network '{self._reader.network.card.name}' has no gradient for this activation: its forward() "
                "cuts it off (no_grad, rounding, numpy). Choose another layer or another network."
            )
        variation, size = total_variation(rows), mean_square(rows, settings.middle)
        penalty = settings.tv_weight * variation + settings.l2_weight * size
        objective = activation - penalty / settings.step_size
        columns = [objective, activation, variation]
        numbers = torch.stack([c.detach().double().cpu() for c in columns], dim=1).numpy()
        measured = np.concatenate([numbers, self._probability(raw.detach(), aims)[:, None]], axis=1)
        if not gradient:
            return torch.zeros_like(rows), measured
        (slope,) = torch.autograd.grad(activation.sum(), rows, allow_unused=True)
        slope = torch.zeros_like(rows) if slope is None else slope
        finite = torch.isfinite(slope).flatten(1).all(dim=1)
        self.broken[places] |= ~finite.cpu().numpy()
        slope = torch.where(finite.reshape(-1, *[1] * (rows.ndim - 1)), slope, torch.zeros_like(slope))
        strength = slope.flatten(1).square().mean(dim=1).sqrt()
        self.flat[places] &= (strength == 0).cpu().numpy()
        if settings.normalise:
            slope = slope / strength.clamp_min(1e-30).reshape(-1, *[1] * (rows.ndim - 1))
        if settings.tv_weight or settings.l2_weight:
            (against,) = torch.autograd.grad(penalty.sum(), rows)
            return settings.step_size * slope - against, measured
        return settings.step_size * slope, measured

    def _probability(self, raw: Tensor, aims: Sequence[Aim]) -> npt.NDArray[np.float64]:
        card = self._reader.network.card
        if card.emits == "value" and not card.class_names:
            return np.full(len(aims), np.nan)
        rows = [
            float(read("probability", Forward(row[None]), card.emits, [aim.target])[0, 0]) if aim.target else np.nan
            for row, aim in zip(raw, aims, strict=True)
        ]
        return np.array(rows, dtype=np.float64)

    def _move(self, change: Tensor) -> None:
        settings = self.settings
        self.rows = self.rows + change
        if settings.blur_every and (self.step + 1) % settings.blur_every == 0:
            self.rows = blurred(self.rows, settings.blur_sigma)
        if np.isfinite(settings.low) or np.isfinite(settings.high):
            self.rows = self.rows.clamp(settings.low, settings.high)

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Return arrays and plain values that `restore` takes back: the next step comes out the same."""
        arrays = {
            "rows": self.rows.detach().cpu().numpy(),
            "trace": self.trace,
            "snapshots": self.snapshots,
            "flat": self.flat,
            "broken": self.broken,
        }
        values = {
            "step": self.step,
            "batch_size": self._batches.size,
            "aims": [aim.label for aim in self.aims],
            "kept_steps": self.kept_steps,
        }
        return arrays, values

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        UserError
            It is the state of another run.
        """
        try:
            same = list(values["aims"]) == [aim.label for aim in self.aims]
            same = same and list(values["kept_steps"]) == self.kept_steps
            same = same and arrays["rows"].shape == self.rows.shape and arrays["trace"].shape == self.trace.shape
            if not same:
                raise UserError(_OTHER)
            self.rows = torch.from_numpy(np.array(arrays["rows"])).to(self.rows)
            self.trace[:], self.snapshots[:] = arrays["trace"], arrays["snapshots"]
            self.flat[:], self.broken[:] = arrays["flat"], arrays["broken"]
            self._batches.size = int(values["batch_size"])
            self.step = int(values["step"])
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(_OTHER, details=repr(error)) from error
