"""What the jobs that train on volumes and on images have in common: folds, chosen inputs, progress, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.folds import assign_folds
from sensiview.jobs.course_items import class_accuracy
from sensiview.jobs.progress import JobProgress
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from sensiview.models.training_outcome import CourseOutcome

# A card is read whenever its project is opened: of larger data sets only the numbers are kept in it.
_NAMED = 20_000


class Selectable(Protocol):
    """Inputs of which some can be chosen by words."""

    def select(self, wanted: str) -> npt.NDArray[np.int64]:
        """Return places."""


def chosen(inputs: Selectable, text: str) -> npt.NDArray[np.int64] | None:
    """Return the places that a recipe's text names; None for no text."""
    return inputs.select(text) if text.strip() else None


def folds_of(
    groups: Sequence[str], labels: npt.NDArray[np.int64], card: DatasetCard, recipe: TrainingRecipe
) -> dict[str, int] | None:
    """Return the fold of each group: those kept with the data set where they fit the recipe, else drawn anew.

    None where the recipe has no folds, or names its inputs.
    """
    if not recipe.folds or recipe.train_rows.strip() or recipe.test_rows.strip():
        return None
    kept = card.extra.get("folds")
    if kept and kept["k"] == recipe.folds and recipe.split_seed in (0, kept["seed"]):
        return {str(group): int(fold) for group, fold in kept["assignment"].items()}
    return assign_folds(groups, labels.tolist(), recipe.folds, recipe.split_seed or 1)


def training_facts(
    outcome: CourseOutcome, card: DatasetCard, names: Sequence[str], recipe: TrainingRecipe, seed: int
) -> dict[str, Any]:
    """Return what a model's card keeps of its training.

    ``train``, ``validation`` and ``test`` are names; () for data sets of more than 20,000, whose numbers are in
    ``counts``. ``class_accuracy`` is by class, of the test part (of the training part where there is none).
    """
    parts = outcome.split.parts()
    listed = sum(len(places) for places in parts.values()) <= _NAMED
    chosen_names = {part: [names[i] for i in places] if listed else [] for part, places in parts.items()}
    scores = outcome.scores
    measured = scores.get("test") or scores["train"]
    by_class = zip(card.class_counts, class_accuracy(measured.table), strict=True)
    return {
        "dataset": card.name,
        "folds": recipe.folds,
        "fold": recipe.fold,
        "run": recipe.run,
        "seed": seed,
        "split_seed": recipe.split_seed,
        **{part: chosen_names.get(part, []) for part in ("train", "validation", "test")},
        "counts": {part: len(places) for part, places in parts.items()},
        "balanced_accuracy": scores["test"].balanced_accuracy if "test" in scores else None,
        # JSON knows no NaN: a class that does not occur has none.
        "class_accuracy": {name: share for name, share in by_class if not np.isnan(share)},
        "epochs": len(outcome.history),
        "best_epoch": outcome.best_epoch,
    }


@dataclass
class CourseSteps:
    """Counts training inputs; the stage begins with the first step, when reading has ended."""

    progress: JobProgress
    total: int
    began: bool = False

    def advance(self, count: int) -> None:
        """Tell of `count` more; raises `Stopped` after a cancel."""
        if not self.began:
            self.began = True
            self.progress.stage("Training", self.total)
        self.progress.advance(count)


Restored = tuple[dict[str, npt.NDArray[Any]], Mapping[str, Any]]


def going_on(progress: JobProgress) -> Restored | None:
    """Return what an interrupted training left to go on from."""
    restored = progress.restored()
    return None if restored is None or not restored.arrays else (dict(restored.arrays), restored.values)
