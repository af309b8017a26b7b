"""The epochs of a training on volumes, and everything that is needed to go on from one of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.batching import compute
from sensiview.models.class_scores import Floats, balanced_accuracy, class_probabilities, confusion, predicted
from sensiview.models.losses import Objective
from sensiview.models.readout import as_columns, first_tensor
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import Rows
from sensiview.models.subject_splitting import VolumeSplit
from sensiview.models.training_course import optimiser_for
from sensiview.models.volume_augmentation import augment
from sensiview.models.volume_store import VolumeStore

Arrays = dict[str, NDArray[Any]]
Keep = Callable[[Arrays, dict[str, Any]], None]
_NAN = float("nan")
_PATIENCE = 5


@dataclass(frozen=True)
class VolumeEpoch:
    """One epoch: losses, accuracies and balanced accuracies by part; NaN for parts without volumes.

    Those of the training volumes are taken on the way, in train mode, before each step and after augmentation; the
    others after the epoch, in eval mode.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    train_balanced_accuracy: float
    validation_loss: float = _NAN
    validation_accuracy: float = _NAN
    validation_balanced_accuracy: float = _NAN
    test_loss: float = _NAN
    test_accuracy: float = _NAN
    test_balanced_accuracy: float = _NAN
    seconds: float = 0.0


@dataclass(frozen=True)
class _Measured:
    """Loss and probabilities of some volumes."""

    loss: float
    probabilities: Floats

    def scores(self, labels: Rows) -> tuple[float, float, float]:
        if not len(labels):
            return _NAN, _NAN, _NAN
        table = confusion(labels, predicted(self.probabilities), self.probabilities.shape[1])
        return self.loss, float(np.trace(table) / table.sum()), balanced_accuracy(table)


class VolumeCourse:
    """One training on its way.

    Randomness of an epoch follows from the seed and the number of the epoch alone, so that a training that goes on
    from a checkpoint gives the same weights as one that was never interrupted.

    Parameters
    ----------
    module : nn.Module
        On the device, with its starting weights.
    recipe : TrainingRecipe
    store : VolumeStore
    labels : ndarray
        Class of every volume of the cohort.
    split : VolumeSplit
    objective : Objective
    seed : int
    left_right : int
        Axis of the prepared volumes along which left and right lie.
    on_step : callable, optional
        Called with the number of volumes after each training step, with 0 while others are looked at.

    Attributes
    ----------
    history : list of VolumeEpoch
    best_epoch : int
        With the smallest watched loss (validation, else test, else training), from 1.
    stopped_early : bool
    """

    def __init__(
        self,
        module: nn.Module,
        recipe: TrainingRecipe,
        store: VolumeStore,
        labels: Rows,
        split: VolumeSplit,
        objective: Objective,
        *,
        seed: int,
        left_right: int,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        self.module, self.recipe, self.store, self.labels, self.split = module, recipe, store, labels, split
        self.objective, self.seed, self.left_right = objective, seed, left_right
        self.history: list[VolumeEpoch] = []
        self.best_epoch = 0
        self.stopped_early = False
        self._best: dict[str, Tensor] = {}
        self._on_step = on_step or (lambda count: None)
        self._optimiser = optimiser_for(module, recipe)
        self._size = min(recipe.batch_size or len(split.train), len(split.train))
        self._place = next(module.parameters()).device
        self._dtype = next(module.parameters()).dtype

    def run(self, on_epoch: Callable[[VolumeEpoch], None] | None = None, keep: Keep | None = None) -> None:
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

    def measure(self, places: Rows) -> _Measured:
        """Return loss and class probabilities of some volumes, in their order, in eval mode."""
        outputs = []
        _set_mode(self.module, training=False)
        parts = [places[i : i + self._size] for i in range(0, len(places), self._size)]
        with torch.no_grad():
            for _, rows in self.store.batches(parts):
                outputs.append(self._output(rows).cpu())
                self._on_step(0)
        if not outputs:
            return _Measured(_NAN, np.zeros((0, 2)))
        output = torch.cat(outputs)
        loss = self.objective.loss(output.to(self._place), self._targets(places))
        return _Measured(float(loss), class_probabilities(output, self.objective.form))

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
        return arrays, {"history": history, "best_epoch": self.best_epoch}

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
                VolumeEpoch(**dict(entry, **{name: _NAN for name, value in entry.items() if value is None}))
                for entry in values["history"]
            ]
            self.best_epoch, self._best = int(values["best_epoch"]), _part(arrays, "best.")
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "The training can't go on from its checkpoint: it is of another network or damaged. Train anew.",
                details=f"{type(error).__name__}: {error}",
            ) from error

    def learning_rate(self) -> float:
        """Return the step size of the next epoch; it follows from the recipe and the history alone."""
        rate, epoch = self.recipe.learning_rate, len(self.history)
        if self.recipe.schedule == "cosine":
            return rate * 0.5 * (1 + math.cos(math.pi * epoch / self.recipe.epochs))
        if self.recipe.schedule == "plateau":
            best, since = math.inf, 0
            for report in self.history:
                loss = self._watched(report)
                best, since = (loss, 0) if loss < best else (best, since + 1)
                if since == _PATIENCE:
                    rate, since = rate / 2, 0
        return rate

    def _epoch(self, number: int) -> None:
        began = time.perf_counter()
        generator = np.random.default_rng([self.seed, number])
        torch.manual_seed(int(generator.integers(2**63)))
        rate = self.learning_rate()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        train = self._train(generator)
        if not math.isfinite(train[0]):
            raise ModelError(
                f"The training diverged: the loss is not a number after epoch {number}. Lower the learning rate (now "
                f"{rate:g}), or scale the volumes (intensity)."
            )
        parts = {name: self.measure(places).scores(self.labels[places]) for name, places in self.split.parts().items()
                 if name != "train"}  # fmt: skip
        none = (_NAN, _NAN, _NAN)
        report = VolumeEpoch(
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
        """Take one step per batch; return loss, accuracy and balanced accuracy over all training volumes."""
        _set_mode(self.module, training=True)
        total, seen, outputs = 0.0, [], []
        for places, rows in self.store.batches(self._order(generator)):
            changed = augment(rows, self.recipe.augmentation, self.left_right, generator)
            output = self._output(changed)
            loss = self.objective.loss(output, self._targets(places))
            self._optimiser.zero_grad()
            torch.autograd.backward(loss)
            self._optimiser.step()
            total += float(loss.detach()) * len(places) / len(self.split.train)
            seen.append(self.labels[places])
            outputs.append(output.detach().cpu())
            self._on_step(len(places))
        probabilities = class_probabilities(torch.cat(outputs), self.objective.form)
        return _Measured(total, probabilities).scores(np.concatenate(seen))

    def _order(self, generator: np.random.Generator) -> list[Rows]:
        shuffled = self.split.train[generator.permutation(len(self.split.train))]
        parts = [shuffled[i : i + self._size] for i in range(0, len(shuffled), self._size)]
        if len(parts) > 1 and len(parts[-1]) == 1:
            # Batch norm can't train on a single row: it joins the batch before.
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def _output(self, rows: Tensor) -> Tensor:
        # Convolutions of one to two threads are a third quicker with the channels last.
        rows = rows.to(device=self._place, dtype=self._dtype).contiguous(memory_format=torch.channels_last_3d)
        answer = compute(self.module, rows, "being trained")
        return as_columns(first_tensor(answer)[0], len(rows), "The network").flatten(1)

    def _targets(self, places: Rows) -> Tensor:
        return torch.from_numpy(self.labels[places]).to(self._place)

    def _watched(self, report: VolumeEpoch) -> float:
        found = (report.validation_loss, report.test_loss, report.train_loss)
        return next(loss for loss in found if not math.isnan(loss))

    def _enough(self) -> bool:
        patience = self.recipe.early_stopping
        return bool(patience) and len(self.history) - self.best_epoch >= patience


def _set_mode(module: nn.Module, *, training: bool) -> None:
    # Directly: train() may be overridden to do more.
    for part in module.modules():
        part.training = training


def _array(value: Tensor) -> NDArray[Any]:
    # A copy: the next epoch goes on in the same memory while the checkpoint waits to be written.
    return np.array(value.detach().cpu().contiguous().numpy())


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
