"""Images as what maps are drawn over: on the pixels (y, x) that the network sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import DataError
from sensiview.models.network import Network
from sensiview.numerics.image_inputs import ImageInputs
from sensiview.numerics.map_space import MapInputs, Reader, Space, constant
from sensiview.numerics.upsampling import upsample


class ImageSpace:
    """The pixels of some images of one size; see `Space`.

    Parameters
    ----------
    inputs : ImageInputs
    seen : tuple of int
        (channels, y, x).
    """

    def __init__(self, inputs: ImageInputs, seen: tuple[int, ...]) -> None:
        self.inputs = inputs
        self.channels = seen[0]
        self.shape = seen[1:]
        self.spacing = tuple(1.0 for _ in self.shape)

    def prepared(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the module takes; nothing in it depends on the image as a whole."""
        return self.inputs.prepared(rows)

    def forward(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the network gives."""
        return self.inputs.forward(rows)

    def own(self, maps: Tensor, rows: Tensor) -> Tensor:
        """Return maps of a layer on the pixels that the network sees."""
        return upsample(maps, self.shape)


class ImageMapInputs(MapInputs):
    """A network and images."""

    what = "image"
    key = "image"

    def __init__(self, inputs: ImageInputs) -> None:
        super().__init__(inputs)
        self.inputs = inputs
        self.lowest = inputs.images.valid_range[0]

    @property
    def groups(self) -> tuple[str, ...]:
        """What each of them belongs to."""
        return self.inputs.images.groups

    def select(self, wanted: str | Sequence[int | str]) -> NDArray[np.int64]:
        """Return places of images."""
        return self.inputs.images.select(wanted)

    def space(self, indices: Sequence[int]) -> Space:
        """Return the pixels of the first image; whether the others have as many shows when they are read."""
        return ImageSpace(self.inputs, self.inputs.seen(indices[:1]).shape[1:])

    def reader(self, warn: Callable[[str], None]) -> Reader:
        """Return what reads images as the network sees them, values in their valid range."""
        said: set[int] = set()
        first: list[tuple[str, tuple[int, ...]]] = []

        def rows_of(indices: Sequence[int]) -> tuple[Tensor, Space]:
            seen = self.inputs.seen(indices)
            first.append((self.names[indices[0]], seen.shape))
            (name, shape), *_ = first
            del first[1:]
            if shape[1:] != seen.shape[1:]:
                raise DataError(
                    f"The network sees {_size(shape)} of '{name}' and {_size(seen.shape)} of "
                    f"'{self.names[indices[0]]}'. Set 'resize' and 'size' in its preprocessing, or choose images of "
                    "one size."
                )
            for row, index in zip(seen, indices, strict=True):
                if all(constant(channel) for channel in row) and index not in said:
                    said.add(index)
                    warn(f"'{self.names[index]}' has the same value in every pixel; there is nothing in it to look at.")
            return torch.from_numpy(seen).to(self.network.device), ImageSpace(self.inputs, seen.shape[1:])

        return rows_of

    def with_network(self, network: Network) -> MapInputs:
        """Return the same images under another network."""
        return ImageMapInputs(ImageInputs(network, self.inputs.images))

    def inside(self, row: Tensor) -> NDArray[np.bool_]:
        """Return every pixel: black is a colour like any other."""
        return np.ones(tuple(row.shape[2:]), dtype=np.bool_)


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape[1:]))
