"""What a training on volumes or images leaves behind, measured with the final weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sensiview.models.class_scores import Floats, area_under_curve, balanced_accuracy, confusion, predicted
from sensiview.models.course_epoch import CourseEpoch
from sensiview.models.group_splitting import GroupSplit
from sensiview.models.resumable_course import ResumableCourse
from sensiview.models.splitting import Rows


@dataclass(frozen=True)
class PartScores:
    """How the final weights do on one part, in eval mode, without augmentation.

    `auc` is of the second of two classes, NaN for more; `table` counts true classes (rows) by predicted ones.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    auc: float
    table: Rows


@dataclass(frozen=True)
class CourseOutcome:
    """What a training on volumes or images gave.

    Parameters
    ----------
    history : tuple of CourseEpoch
    preprocessing : dict
        For the model's card.
    input_shape : tuple of int
        (channels, i, j, k) or (channels, y, x) that the network takes.
    scores : dict of PartScores
        By ``train``, ``validation``, ``test``; of the final weights.
    probabilities : dict
        By part: ndarray (n, classes) in the order of the part's places.
    best_epoch : int
        With the smallest loss of the validation (else test) inputs, from 1; its weights are kept where the recipe
        stops early.
    split : GroupSplit
    notes : tuple of str
    """

    history: tuple[CourseEpoch, ...]
    preprocessing: dict[str, Any]
    input_shape: tuple[int, ...]
    scores: dict[str, PartScores]
    probabilities: dict[str, Floats]
    best_epoch: int
    split: GroupSplit
    notes: tuple[str, ...]

    def accuracy(self) -> dict[str, float]:
        """Return accuracies for the model's card: ``train``, ``test``, ``balanced test`` ..., ``AUC test``."""
        found = {part: scores.accuracy for part, scores in self.scores.items()}
        found |= {f"balanced {part}": scores.balanced_accuracy for part, scores in self.scores.items()}
        return found | {f"AUC {part}": s.auc for part, s in self.scores.items() if not np.isnan(s.auc)}

    def columns(self) -> dict[str, list[float]]:
        """Return the history as columns, for a table or curves."""
        return {name: [getattr(epoch, name) for epoch in self.history] for name in CourseEpoch.__dataclass_fields__}


def outcome_of(
    course: ResumableCourse, preprocessing: dict[str, Any], input_shape: tuple[int, ...], notes: tuple[str, ...] = ()
) -> CourseOutcome:
    """Measure every part with the weights that the course ended with; the module must still be on its device."""
    labels, split = course.labels, course.split
    measured = {part: course.measure(places) for part, places in split.parts().items()}
    scores = {part: _scores(found.loss, found.probabilities, labels[split.parts()[part]])
              for part, found in measured.items()}  # fmt: skip
    said = [*split.notes, *notes]
    if course.stopped_early:
        said.append(
            f"Stopped early after epoch {len(course.history)}: the loss that is watched was smallest in epoch "
            f"{course.best_epoch}."
        )
    probabilities = {part: found.probabilities for part, found in measured.items()}
    return CourseOutcome(
        tuple(course.history), preprocessing, input_shape, scores, probabilities, course.best_epoch, split, tuple(said)
    )


def _scores(loss: float, probabilities: Floats, labels: Rows) -> PartScores:
    table = confusion(labels, predicted(probabilities), probabilities.shape[1])
    auc = area_under_curve(probabilities[:, 1], labels == 1) if probabilities.shape[1] == 2 else float("nan")
    return PartScores(loss, float(np.trace(table) / table.sum()), balanced_accuracy(table), auc, table)


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Let a GPU choose only convolutions that give the same numbers each time."""
    if device.type != "cuda":
        yield
        return
    backend: Any = torch.backends.cudnn
    before = backend.deterministic, backend.benchmark
    backend.deterministic, backend.benchmark = True, False
    try:
        yield
    finally:
        backend.deterministic, backend.benchmark = before
