"""The epochs of a training on volumes or images, and everything that is needed to go on from one of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.batching import compute
from sensiview.models.class_scores import class_probabilities
from sensiview.models.course_epoch import CourseEpoch, Measured
from sensiview.models.group_splitting import GroupSplit
from sensiview.models.learning_rates import learning_rate
from sensiview.models.losses import Objective
from sensiview.models.readout import as_columns, first_tensor
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import Rows
from sensiview.models.training_course import optimiser_for

Arrays = dict[str, NDArray[Any]]
Keep = Callable[[Arrays, dict[str, Any]], None]
_NAN = float("nan")


class Batches(Protocol):
    """Where inputs come from."""

    def batches(self, parts: Iterable[Rows]) -> Iterator[tuple[Rows, Tensor]]:
        """Yield places and what lies there, one batch after the other."""


class ResumableCourse:
    """One training on its way.

    Randomness of an epoch follows from the seed and the number of the epoch alone, so that a training that goes on
    from a checkpoint gives the same weights as one that was never interrupted.

    Parameters
    ----------
    module : nn.Module
        On the device, with its starting weights; those that don't need gradients stay as they are.
    recipe : TrainingRecipe
    store : Batches
    labels : ndarray
        Class of every input of the data set.
    split : GroupSplit
    objective : Objective
    seed : int
    on_step : callable, optional
        Called with the number of inputs after each training step, with 0 while others are looked at.

    Attributes
    ----------
    history : list of CourseEpoch
    best_epoch : int
        With the smallest watched loss (validation, else test, else training), from 1.
    stopped_early : bool
    """

    # Whether the learning rate is set anew before every step, or once an epoch.
    every_step = False
    # What to do when the loss is no number.
    advice = "Lower the learning rate"

    def __init__(
        self,
        module: nn.Module,
        recipe: TrainingRecipe,
        store: Batches,
        labels: Rows,
        split: GroupSplit,
        objective: Objective,
        *,
        seed: int,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        self.module, self.recipe, self.store, self.labels, self.split = module, recipe, store, labels, split
        self.objective, self.seed = objective, seed
        self.history: list[CourseEpoch] = []
        self.best_epoch = 0
        self.stopped_early = False
        self._best: dict[str, Tensor] = {}
        self._on_step = on_step or (lambda count: None)
        self._optimiser = optimiser_for(module, recipe)
        self._size = min(recipe.batch_size or len(split.train), len(split.train))
        self._place = next(module.parameters()).device
        self._dtype = next(module.parameters()).dtype

    # What volumes and images do in their own way

    def changed(self, rows: Tensor, generator: np.random.Generator) -> Tensor:
        """Return the rows of a training batch changed at random."""
        return rows

    def output(self, rows: Tensor) -> Tensor:
        """Return what the network gives for rows of the store, shape (n, outputs)."""
        answer = compute(self.module, rows.to(device=self._place, dtype=self._dtype), "being trained")
        return as_columns(first_tensor(answer)[0], len(rows), "The network").flatten(1)

    def step(self, loss: Tensor) -> None:
        """Follow the gradients of a loss by one step of the optimiser."""
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        self._optimiser.step()

    def set_mode(self, *, training: bool) -> None:
        """Switch every layer to train or eval mode."""
        # Directly: train() may be overridden to do more.
        for part in self.module.modules():
            part.training = training

    # The epochs

    def run(self, on_epoch: Callable[[CourseEpoch], None] | None = None, keep: Keep | None = None) -> None:
        """Go through the epochs that are left; the module ends with the weights that the recipe keeps."""
        while len(self.history) < self.recipe.epochs and not self._enough():
            self._epoch(len(self.history) + 1)
            if keep is not None:
                keep(*self.state())
            if on_epoch is not None:
                on_epoch(self.history[-1])
        self.stopped_early = self._enough() and len(self.history) < self.recipe.epochs
        if self.recipe.early_stopping and self._best:
            self.module.load_state_dict(self._best)

    def measure(self, places: Rows) -> Measured:
        """Return loss and class probabilities of some inputs, in their order, in eval mode."""
        outputs = []
        self.set_mode(training=False)
        parts = [places[i : i + self._size] for i in range(0, len(places), self._size)]
        with torch.no_grad():
            for _, rows in self.store.batches(parts):
                outputs.append(self.output(rows).cpu())
                self._on_step(0)
        if not outputs:
            return Measured(_NAN, np.zeros((0, 2)))
        output = torch.cat(outputs)
        loss = self.objective.loss(output.to(self._place), self._targets(places))
        return Measured(float(loss), class_probabilities(output, self.objective.form))

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return arrays and plain values to go on from: weights, the optimiser's memory, the best weights, history."""
        arrays = {f"weights.{key}": _array(value) for key, value in self.module.state_dict().items()}
        arrays |= {f"best.{key}": _array(value) for key, value in self._best.items()}
        for number, memory in self._optimiser.state_dict()["state"].items():
            arrays |= {f"optimiser.{number}.{name}": _array(value) for name, value in memory.items()
                       if isinstance(value, Tensor)}  # fmt: skip
        # JSON knows no NaN.
        history = [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in asdict(e).items()
            }
            for e in self.history
        ]
        return arrays, {"history": history, "best_epoch": self.best_epoch, **self.extra_state()}

    def extra_state(self) -> dict[str, Any]:
        """Return further plain values to go on from."""
        return {}

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back what `state` gave.

        Raises
        ------
        ModelError
            It is of another network.
        """
        try:
            self.module.load_state_dict(_part(arrays, "weights."))
            groups = self._optimiser.state_dict()["param_groups"]
            memory: dict[int, dict[str, Tensor]] = {}
            for key, value in _part(arrays, "optimiser.").items():
                number, _, name = key.partition(".")
                memory.setdefault(int(number), {})[name] = value
            self._optimiser.load_state_dict({"state": memory, "param_groups": groups})
            self.history = [
                CourseEpoch(**dict(entry, **{name: _NAN for name, value in entry.items() if value is None}))
                for entry in values["history"]
            ]
            self.best_epoch, self._best = int(values["best_epoch"]), _part(arrays, "best.")
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "The training can't go on from its checkpoint: it is of another network or damaged. Train anew.",
                details=f"{type(error).__name__}: {error}",
            ) from error

    def learning_rate(self, share: float = 0.0) -> float:
        """Return the step size after `share` of the epoch on its way; it follows from recipe and history alone."""
        return learning_rate(self.recipe, len(self.history) + share, [self._watched(epoch) for epoch in self.history])

    def _set_rate(self, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _epoch(self, number: int) -> None:
        began = time.perf_counter()
        generator = np.random.default_rng([self.seed, number])
        torch.manual_seed(int(generator.integers(2**63)))
        rate = self.learning_rate()
        self._set_rate(rate)
        train = self._train(generator)
        if not math.isfinite(train[0]):
            raise ModelError(
                f"The training diverged: the loss is not a number after epoch {number}. {self.advice} (now "
                f"{self.recipe.learning_rate:g})."
            )
        parts = {name: self.measure(places).scores(self.labels[places]) for name, places in self.split.parts().items()
                 if name != "train"}  # fmt: skip
        none = (_NAN, _NAN, _NAN)
        report = CourseEpoch(
            number, rate, *train, *parts.get("validation", none), *parts.get("test", none),
            seconds=time.perf_counter() - began,
        )  # fmt: skip
        smallest = min((self._watched(before) for before in self.history), default=math.inf)
        self.history.append(report)
        if self._watched(report) < smallest:
            self.best_epoch = number
            if self.recipe.early_stopping:
                self._best = {key: value.detach().clone() for key, value in self.module.state_dict().items()}

    def _train(self, generator: np.random.Generator) -> tuple[float, float, float]:
        """Take one step per batch; return loss, accuracy and balanced accuracy over all training inputs."""
        self.set_mode(training=True)
        total, done, seen, outputs = 0.0, 0.0, [], []
        for places, rows in self.store.batches(self._order(generator)):
            if self.every_step:
                self._set_rate(self.learning_rate(done))
            changed = self.changed(rows, generator)
            output = self.output(changed)
            loss = self.objective.loss(output, self._targets(places))
            self.step(loss)
            done += len(places) / len(self.split.train)
            total += float(loss.detach()) * len(places) / len(self.split.train)
            seen.append(self.labels[places])
            outputs.append(output.detach().cpu())
            self._on_step(len(places))
        probabilities = class_probabilities(torch.cat(outputs), self.objective.form)
        return Measured(total, probabilities).scores(np.concatenate(seen))

    def _order(self, generator: np.random.Generator) -> list[Rows]:
        shuffled = self.split.train[generator.permutation(len(self.split.train))]
        parts = [shuffled[i : i + self._size] for i in range(0, len(shuffled), self._size)]
        if len(parts) > 1 and len(parts[-1]) == 1:
            # Batch norm can't train on a single row: it joins the batch before.
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def _targets(self, places: Rows) -> Tensor:
        return torch.from_numpy(self.labels[places]).to(self._place)

    def _watched(self, report: CourseEpoch) -> float:
        found = (report.validation_loss, report.test_loss, report.train_loss)
        return next(loss for loss in found if not math.isnan(loss))

    def _enough(self) -> bool:
        patience = self.recipe.early_stopping
        return bool(patience) and len(self.history) - self.best_epoch >= patience


def _array(value: Tensor) -> NDArray[Any]:
    # A copy: the next epoch goes on in the same memory while the checkpoint waits to be written.
    return np.array(value.detach().cpu().contiguous().numpy())


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
