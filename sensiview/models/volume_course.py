"""The epochs of a training on volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sensiview.models.resumable_course import ResumableCourse
from sensiview.models.volume_augmentation import augment


class VolumeCourse(ResumableCourse):
    """One training on volumes on its way; see `ResumableCourse`.

    Parameters
    ----------
    left_right : int
        Axis of the prepared volumes along which left and right lie.
    """

    advice = "Scale the volumes (intensity), or lower the learning rate"

    def __init__(self, *args: Any, left_right: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self.left_right = left_right

    def changed(self, rows: Tensor, generator: np.random.Generator) -> Tensor:
        """Return prepared volumes changed as the recipe says."""
        return augment(rows, self.recipe.augmentation, self.left_right, generator)

    def output(self, rows: Tensor) -> Tensor:
        """Return what the network gives for prepared volumes."""
        # Convolutions of one to two threads are a third quicker with the channels last.
        return super().output(rows.contiguous(memory_format=torch.channels_last_3d))
