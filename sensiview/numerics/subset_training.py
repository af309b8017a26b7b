"""Ranking factors by total index, and training one architecture on several sets of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import ModelError, UserError
from sensiview.models.architectures import Architecture
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import split_rows
from sensiview.models.training import EpochReport, train_new
from sensiview.numerics.input_space import ColumnSummary
from sensiview.numerics.sobol_study import SobolStudy, StudyPlan
from sensiview.numerics.space_builder import SpaceBuilder

Array = NDArray[np.float64]

# Only the last epoch's figures count here; the curve is not shown.
_TEST_EVERY = 1_000_000


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

    The mean over the network's outputs; one that does not vary has no index and is left out. NaN when none varies.
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
        raise UserError(" ".join(builder.problems))
    plan = StudyPlan(space, n, second_order=False, seed=seed, resamples=2)
    total = SobolStudy(plan, piece, evaluate.labels).run().indices.total.value
    varies = ~np.isnan(total).all(axis=1)
    return total[varies].mean(axis=0) if varies.any() else np.full(len(factors), np.nan)


@dataclass(frozen=True)
class SubsetPlan:
    """Trainings of one architecture on several subsets of columns, each with the same seeds, rows and recipe.

    Parameters
    ----------
    architecture, options, recipe
        What is built and how it is trained.
    x : ndarray, float64, shape (n, D)
        Raw values of all factors.
    y : ndarray, shape (n,)
        Class numbers (int64, negative where the row takes part in no training), or values (float64, NaN there).
    n_classes : int
        0 for a target of numbers.
    subsets : mapping of str to tuple of int
        Columns of `x` by name of the subset.
    seeds : tuple of int
    device : str
    """

    architecture: Architecture
    options: Mapping[str, Any]
    recipe: TrainingRecipe
    x: Array
    y: NDArray[Any]
    n_classes: int
    subsets: Mapping[str, tuple[int, ...]]
    seeds: tuple[int, ...]
    device: str

    @property
    def identity(self) -> dict[str, Any]:
        """What the scores depend on besides data and the number of seeds, as JSON values."""
        return {
            "first_seed": self.seeds[0],
            "recipe": self.recipe.model_dump(mode="json"),
            "subsets": {name: list(columns) for name, columns in self.subsets.items()},
            "options": dict(self.options),
        }

    @property
    def rows_per_epoch(self) -> int:
        """Rows that go through the network in an epoch: training rows, then test rows."""
        split = split_rows(self.recipe, self.x, self.y, classes=self.n_classes > 0, seed=self.seeds[0])
        return len(split.train) + len(split.test)

    def no_scores(self) -> Array:
        """Return scores of nothing, NaN, shape (subsets, seeds, 2); the last axis is train, test."""
        return np.full((len(self.subsets), len(self.seeds), 2), np.nan)

    def train(
        self,
        scores: Array,
        *,
        begin: Callable[[str, int], Callable[[EpochReport], None]],
        skip: Callable[[], None],
        done: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        """Fill what is still NaN in `scores`, seed by seed, so that every subset has about as many at any time.

        Parameters
        ----------
        begin : callable
            Takes subset and seed, gives what is called after every epoch; what that raises comes through.
        skip, done : callable
            Called for a training that has its scores already, and after one that has them now.
        warn : callable
            Gets sentences, also of a training that failed while others did not.

        Raises
        ------
        ModelError
            A training failed before any had succeeded.
        """
        said: set[str] = set()
        for place, seed in enumerate(self.seeds):
            for number, (subset, columns) in enumerate(self.subsets.items()):
                if np.isfinite(scores[number, place, 0]):
                    skip()
                    continue
                try:
                    scores[number, place], notes = self._score(columns, seed, begin(subset, seed))
                except ModelError as error:
                    if np.isnan(scores[:, :, 0]).all():
                        raise
                    notes = (f"The training on the {subset} factors with seed {seed} failed. {error.sentence}",)
                for sentence in notes:
                    if sentence not in said:
                        said.add(sentence)
                        warn(sentence)
                done()

    def _score(
        self, columns: tuple[int, ...], seed: int, on_epoch: Callable[[EpochReport], None]
    ) -> tuple[tuple[float, float], tuple[str, ...]]:
        """Train anew on these columns; return how good it is on training and on test rows, and sentences.

        Good is the share of rows in the right class. For a target of numbers it is bad: the root of the mean squared
        error, in the target's unit. NaN without test rows.
        """
        _, outcome = train_new(
            self.architecture,
            self.options,
            self.recipe,
            np.ascontiguousarray(self.x[:, list(columns)]),
            self.y,
            n_classes=self.n_classes,
            seed=seed,
            device=self.device,
            on_epoch=on_epoch,
            test_every=_TEST_EVERY,
        )
        train, test = (outcome.accuracy.get(part, float("nan")) for part in ("train", "test"))
        if self.n_classes == 0:
            # R² is 1 - mean squared error / variance of the very rows it is of.
            train, test = (
                float(np.sqrt((1 - value) * max(float(np.var(self.y[rows])), 1e-30))) if len(rows) else float("nan")
                for value, rows in ((train, outcome.split.train), (test, outcome.split.test))
            )
        return (train, test), outcome.notes
