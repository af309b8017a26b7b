"""Ranking factors by total index, and training one architecture on several sets of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sensiview.models.architectures import Architecture
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.training import EpochReport, train_new
from sensiview.numerics.input_space import ColumnSummary, SpaceBuilder
from sensiview.numerics.sobol_study import SobolStudy, StudyPlan

Array = NDArray[np.float64]

# Below this size one core is faster than several: they would wait for each other at every step.
_SMALL = 100_000


@dataclass(frozen=True)
class Task:
    """One training: which columns (positions), which seed."""

    subset: str
    columns: tuple[int, ...]
    seed: int


def total_indices(
    network: Network,
    rows: Array,
    factors: Sequence[str],
    *,
    n: int,
    seed: int,
    batch_size: int | None,
    advance: Callable[[int], None],
    warn: Callable[[str], None],
) -> Array:
    """Return ST of each factor, shape (D,): uniform between the smallest and the largest value of its column.

    The mean over the network's outputs; an output that does not vary has no index and is left out. NaN when none varies.
    Takes n (D + 2) evaluations.
    """
    done_before = 0

    def told(done: int) -> None:
        nonlocal done_before
        advance(done - done_before)
        done_before = done

    evaluate = Evaluator(network, ["auto"], batch_size=batch_size, on_batch=told, warn=warn)

    def piece(values: Array) -> NDArray[Any]:
        nonlocal done_before
        done_before = 0
        return evaluate(values)

    builder = SpaceBuilder([ColumnSummary.of(name, rows[:, i]) for i, name in enumerate(factors)])
    space = builder.space()
    if space is None:
        from sensiview.errors import UserError

        raise UserError(" ".join(builder.problems))
    plan = StudyPlan(space, n, second_order=False, seed=seed, resamples=2)
    total = SobolStudy(plan, piece, evaluate.labels).run().indices.total.value
    varies = ~np.isnan(total).all(axis=1)
    return total[varies].mean(axis=0) if varies.any() else np.full(len(factors), np.nan)


def score(
    task: Task,
    architecture: Architecture,
    options: Mapping[str, Any],
    recipe: TrainingRecipe,
    x: Array,
    y: NDArray[Any],
    *,
    n_classes: int,
    device: str,
    on_epoch: Callable[[EpochReport], None],
) -> tuple[float, float, tuple[str, ...]]:
    """Train anew on the task's columns; return how good it is on training and on test rows, and sentences.

    Good is the share of rows in the right class. For a target of numbers it is bad: the root of the mean squared
    error, in the target's unit. NaN without test rows.
    """
    with _threads_for(recipe, x):
        _, outcome = train_new(
            architecture,
            options,
            recipe,
            np.ascontiguousarray(x[:, list(task.columns)]),
            y,
            n_classes=n_classes,
            seed=task.seed,
            device=device,
            on_epoch=on_epoch,
        )
    train, test = (outcome.accuracy.get(part, float("nan")) for part in ("train", "test"))
    if n_classes == 0:
        # R² is 1 - mean squared error / variance of the training rows.
        spread = float(np.var(y[outcome.split.train]))
        train, test = (float(np.sqrt(max(0.0, 1 - value) * spread)) for value in (train, test))
    return train, test, outcome.notes


@contextmanager
def _threads_for(recipe: TrainingRecipe, x: Array) -> Iterator[None]:
    before = torch.get_num_threads()
    rows = min(recipe.batch_size or len(x), len(x))
    if rows * x.shape[1] <= _SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
