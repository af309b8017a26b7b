"""Training a network on a table, the same numbers for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sensiview.errors import UserError
from sensiview.models import devices
from sensiview.models.architectures import Architecture, Sizes
from sensiview.models.opening import build
from sensiview.models.preprocessing import Preprocessing, standardising
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import Split, split_rows
from sensiview.models.state import dtype_of, full_precision
from sensiview.models.training_course import Course, EpochReport

# Products of weights and rows in one step, below which one thread is quickest.
_SMALL = 10_000_000

__all__ = ["EpochReport", "TrainingOutcome", "TrainingRecipe", "train", "train_new"]


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training gave.

    Parameters
    ----------
    history : tuple of EpochReport
    preprocessing : dict
        For the model's card: ``none``, or ``standardise`` with the training rows' means and standard deviations.
    accuracy : dict
        By ``train`` and ``test``, of the final weights, in eval mode; R² for a target of numbers.
    best_epoch : int
        The epoch with the smallest test loss, from 1; its weights are kept where the recipe stops early.
    split : Split
        The rows that were used.
    notes : tuple of str
        Sentences about rows left out, early stopping, doubtful settings.
    """

    history: tuple[EpochReport, ...]
    preprocessing: dict[str, Any]
    accuracy: dict[str, float]
    best_epoch: int
    split: Split
    notes: tuple[str, ...]

    def columns(self) -> dict[str, list[float]]:
        """Return the history as columns, for a table or curves."""
        names = ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
        return {name: [getattr(report, name) for report in self.history] for name in names}


def train_new(
    architecture: Architecture,
    options: Mapping[str, Any],
    recipe: TrainingRecipe,
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    n_classes: int,
    seed: int = 1,
    device: str | torch.device = "cpu",
    on_epoch: Callable[[EpochReport], None] | None = None,
    test_every: int = 1,
) -> tuple[nn.Module, TrainingOutcome]:
    """Build a network for this data, with weights drawn by `seed`, and train it; see `train`."""
    sizes = Sizes(tuple(x.shape[1:]), architecture.n_outputs(n_classes))
    module = build(architecture, architecture.parse(options), sizes, seed=seed)
    outcome = train(
        module,
        recipe,
        x,
        y,
        n_classes=n_classes,
        emits=architecture.emits_for(n_classes),
        seed=seed,
        device=device,
        on_epoch=on_epoch,
        test_every=test_every,
    )
    return module, outcome


def train(
    module: nn.Module,
    recipe: TrainingRecipe,
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    n_classes: int,
    emits: str,
    seed: int = 1,
    device: str | torch.device = "cpu",
    on_epoch: Callable[[EpochReport], None] | None = None,
    test_every: int = 1,
) -> TrainingOutcome:
    """Train a module in place; it ends in eval mode on the device it came from.

    The same seed gives the same weights on the same machine. The global random state is as before afterwards. When
    `on_epoch` raises (`Stopped`), the module keeps the weights of that moment.

    Parameters
    ----------
    module : nn.Module
        With its starting weights.
    recipe : TrainingRecipe
    x : ndarray
        Raw inputs, shape (n, *input_shape). Rows with NaN are left out and counted.
    y : ndarray
        Shape (n,): class numbers 0 to n_classes - 1 (negative: missing), or values (NaN: missing).
    n_classes : int
        0 for a target of numbers.
    emits : str
        What the module gives: ``probability``, ``logit`` or ``value``.
    on_epoch : callable, optional
        Called after every epoch.
    test_every : int
        Look at the test rows only every so many epochs, and after the last: half the time of a small network.

    Raises
    ------
    UserError
        The rows, the loss or the target don't fit.
    ModelError
        The module can't compute on these inputs, or the loss became NaN.
    """
    classes = n_classes > 0
    x, y = np.asarray(x), np.asarray(y)
    if y.shape != (len(x),):
        raise UserError(f"There are {len(x)} rows and a target of shape {y.shape}; one value per row is needed.")
    split = split_rows(recipe, x, y, classes=classes, seed=seed)
    if classes and np.unique(y[split.train]).size < 2:
        raise UserError("All training rows are of one class, so there is nothing to learn. Choose other training rows.")
    place = devices.resolve(device)
    home = next((p.device for p in module.parameters()), torch.device("cpu"))
    preprocessing = standardising(x[split.train]) if recipe.standardise else {"kind": "none"}
    dtype = dtype_of(module)
    small = place.type == "cpu" and _values_per_step(module, recipe, x[split.train]) < _SMALL
    with seeded(place, seed), full_precision(place), _threads(1 if small else torch.get_num_threads()):
        module.to(place)
        try:
            values = torch.tensor(np.ascontiguousarray(x, dtype=np.float64))
            inputs = Preprocessing(preprocessing, x.shape[1:], "being trained")(values).to(device=place, dtype=dtype)
            targets = torch.tensor(y, dtype=torch.int64 if classes else dtype, device=place)
            course = Course(module, recipe, inputs, targets, split, emits, n_classes)
            history, notes = course.run(np.random.default_rng(seed), on_epoch, test_every)
        finally:
            for part in module.modules():
                part.training = False
            module.to(home)
    losses = [report.test_loss for report in history]
    best = int(np.nanargmin(losses)) + 1 if np.isfinite(losses).any() else len(history)
    return TrainingOutcome(tuple(history), preprocessing, course.final, best, split, (*split.notes, *notes))


def _values_per_step(module: nn.Module, recipe: TrainingRecipe, x: NDArray[Any]) -> int:
    rows = min(recipe.batch_size or len(x), len(x))
    return rows * (sum(p.numel() for p in module.parameters()) + math.prod(x.shape[1:]))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute on `count` threads.

    Threads that wait for each other cost a tiny network more than they bring, a hundred times more on a busy machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Draw dropout masks by `seed`, and put the global random state back."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
