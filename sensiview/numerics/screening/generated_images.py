"""Images that a generator makes anew, as a network sees them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.datasets.generators import Generator
from sensiview.errors import DataError
from sensiview.models.image_geometry import seen_image
from sensiview.numerics.image_inputs import ImageInputs

Floats = NDArray[np.float64]


class GeneratedImages:
    """Images of a data set as a network sees them, made by a generator for other values of its factors.

    Parameters
    ----------
    inputs : ImageInputs
    generator : Generator
    """

    def __init__(self, inputs: ImageInputs, generator: Generator) -> None:
        self.inputs, self.generator = inputs, generator
        self.factors = generator.factors(inputs.images.card)

    def seen(self, index: int, values: Floats) -> Tensor:
        """Return what the network sees for values of the factors, (n, factors) -> (n, channels, y, x).

        Raises
        ------
        DataError
            The generator gives something else than images of the size that the network saw so far.
        """
        images, settings = self.inputs.images, self.inputs.network.image_settings
        made = np.asarray(self.generator.generate(images, index, values))
        name = images.names[index]
        if made.ndim != 4 or len(made) != len(values):
            raise DataError(
                f"The generator '{self.generator.title}' gives an array of shape {made.shape} for {len(values)} images "
                f"of '{name}'; it should be (images, height, width, channels)."
            )
        own = images.image(index).shape
        found = np.moveaxis(made, -1, 1)
        if found.shape[1:] != own:
            raise DataError(
                f"The generator '{self.generator.title}' makes images of {_size(found.shape[1:])} (channels, height, "
                f"width) where '{name}' has {_size(own)}. It must give images of the size of the data set's."
            )
        pixels = found.astype(np.float32) / 255 if made.dtype == np.uint8 else found.astype(np.float32)
        rows = [one if settings is None else seen_image(one, settings, images.valid_range) for one in pixels]
        return torch.from_numpy(np.stack(rows)).to(self.inputs.network.device)

    def forward(self, index: int, values: Floats) -> Tensor:
        """Return what the network gives for values of the factors, (n, outputs)."""
        return self.inputs.forward(self.seen(index, values))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
