"""The epochs of a training on images."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sensiview.models.image_augmentation import augment_images
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.resumable_course import ResumableCourse


class ImageCourse(ResumableCourse):
    """One training on images on its way; see `ResumableCourse`.

    Parameters
    ----------
    preprocessing : Preprocessing
        Of kind ``image``: what is done to the values, after the random changes.
    valid : (float, float)
        Range of the pixels.
    """

    every_step = True

    def __init__(self, *args: Any, preprocessing: Preprocessing, valid: tuple[float, float], **more: Any) -> None:
        super().__init__(*args, **more)
        self._preprocessing, self._valid = preprocessing, valid
        self._half = self._precision()
        self._scaler = torch.amp.GradScaler("cuda") if self._half is torch.float16 else None
        # Statistics of layers that are kept as they are must not move either.
        self._fixed = [
            part
            for part in self.module.modules()
            if isinstance(part, nn.modules.batchnorm._BatchNorm)
            and self.recipe.freeze
            and not any(parameter.requires_grad for parameter in part.parameters())
        ]

    def _precision(self) -> torch.dtype | None:
        """Return the 16-bit type to compute in; None for plain float32."""
        if not self.recipe.mixed_precision or self._place.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    def changed(self, rows: Tensor, generator: np.random.Generator) -> Tensor:
        """Return seen images changed as the recipe says, on the network's device."""
        return augment_images(rows.to(self._place), self.recipe, self._valid, generator)

    def output(self, rows: Tensor) -> Tensor:
        """Return what the network gives for seen images."""
        prepared = self._preprocessing(rows.to(device=self._place, dtype=self._dtype))
        context: AbstractContextManager[Any] = nullcontext()
        # Only while training: what is measured is what the model gives later.
        if self._half is not None and torch.is_grad_enabled():
            context = torch.autocast("cuda", dtype=self._half)
        with context:
            answer = super().output(prepared.contiguous(memory_format=torch.channels_last))
        return answer.float() if self._half is not None else answer

    def step(self, loss: Tensor) -> None:
        """Follow the gradients, scaled where half precision would lose them."""
        if self._scaler is None:
            super().step(loss)
            return
        self._optimiser.zero_grad()
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.step(self._optimiser)
        self._scaler.update()

    def set_mode(self, *, training: bool) -> None:
        """Switch every layer to train or eval mode; batch norm that is kept as it is stays in eval mode."""
        super().set_mode(training=training)
        for part in self._fixed:
            part.training = False

    def extra_state(self) -> dict[str, Any]:
        """Return the scale of the gradients."""
        return {} if self._scaler is None else {"scaler": self._scaler.state_dict()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        super().restore(arrays, values)
        if self._scaler is not None and "scaler" in values:
            self._scaler.load_state_dict(dict(values["scaler"]))
