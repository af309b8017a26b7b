"""One epoch of a training, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensiview.models.class_scores import Floats, balanced_accuracy, confusion, predicted
from sensiview.models.splitting import Rows

_NAN = float("nan")


@dataclass(frozen=True)
class CourseEpoch:
    """One epoch: losses, accuracies and balanced accuracies by part; NaN for parts without inputs.

    `learning_rate` is that of its first step. Scores of the training inputs are taken on the way, in train mode, before
    each step and after augmentation; the others after the epoch, in eval mode.
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
class Measured:
    """Loss and probabilities of some inputs."""

    loss: float
    probabilities: Floats

    def scores(self, labels: Rows) -> tuple[float, float, float]:
        """Return loss, accuracy and balanced accuracy; NaN without inputs."""
        if not len(labels):
            return _NAN, _NAN, _NAN
        table = confusion(labels, predicted(self.probabilities), self.probabilities.shape[1])
        return self.loss, float(np.trace(table) / table.sum()), balanced_accuracy(table)
