"""Images as inputs of a network: what it sees of them on one side, class scores on the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError
from sensiview.models.batching import compute
from sensiview.models.image_geometry import seen_image
from sensiview.models.network import Network
from sensiview.models.readout import as_columns, first_tensor
from sensiview.numerics.scored_inputs import ScoredInputs


class ImageInputs(ScoredInputs):
    """A network and the images it looks at.

    Everything is on the pixels that the network sees: resized, cut and with its number of channels, but with values
    still in the images' valid range. What is done to the values afterwards happens inside `forward`, differentiably.

    Parameters
    ----------
    network : Network
        For images: its preprocessing takes rows (n, channels, y, x).
    images : ImageSet
    """

    def __init__(self, network: Network, images: ImageSet) -> None:
        super().__init__(network, images)
        self.images = images

    def seen(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return what the network sees of images, float32 (n, channels, y, x), values in the images' valid range.

        Raises
        ------
        DataError
            A file is gone or damaged, or what is seen differs in size from image to image.
        """
        rows: list[npt.NDArray[np.float32]] = []
        for index in indices:
            settings = self.network.image_settings
            pixels = self.images.image(int(index))
            row = pixels if settings is None else seen_image(pixels, settings, self.images.valid_range)
            if rows and row.shape != rows[0].shape:
                raise DataError(
                    f"The images of '{self.images.card.name}' differ in size ('{self.images.names[int(indices[0])]}' "
                    f"and '{self.images.names[int(index)]}'). Set 'resize' and 'size' in the network's preprocessing."
                )
            rows.append(row)
        return np.stack(rows)

    def tensor(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> Tensor:
        """Return `seen` on the network's device."""
        return torch.from_numpy(self.seen(indices)).to(self.network.device)

    def prepared(self, rows: Tensor) -> Tensor:
        """Return what the module takes, from seen rows (n, channels, y, x). Differentiable."""
        return self.network.preprocess(rows)

    def forward(self, rows: Tensor) -> Tensor:
        """Return what the network gives for seen rows (n, channels, y, x), shape (n, outputs). Differentiable."""
        answer, _ = first_tensor(compute(self.network.module, self.prepared(rows), self.network.card.name))
        return as_columns(answer, len(rows), f"The network '{self.network.card.name}'")

    def output(self, index: int) -> Tensor:
        """Return what the network gives for one untouched image, (outputs,)."""
        return self.forward(self.tensor([index]))[0]
