"""Images on their way to a network: what it sees of them, kept as bytes while there is room, read ahead otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models import devices
from sensiview.models.image_geometry import seen_image
from sensiview.models.image_settings import ImageSettings
from sensiview.models.reading_ahead import Places, in_batches

# Of the memory that is free when training begins; networks, gradients and the window need the rest.
_SHARE_OF_MEMORY = 4


class ImageSource(Protocol):
    """A set of images as training sees it."""

    @property
    def valid_range(self) -> tuple[float, float]:
        """Lowest and highest value that a pixel can have."""

    @property
    def names(self) -> tuple[str, ...]:
        """The images' names."""

    def image(self, index: int) -> NDArray[np.float32]:
        """Return one image, float32 (channels, y, x), finite."""


class ImageStore:
    """Seen images on the CPU: uint8 where pixels lie in [0, 1], else float32.

    What is kept is what would be read again: the numbers do not depend on how much memory there is.

    Parameters
    ----------
    source : ImageSource
    settings : ImageSettings
        Channels, size and cut; nothing is done to the values here.
    keep_bytes : int, optional
        Most memory for seen images; a quarter of what is free by default.
    """

    def __init__(self, source: ImageSource, settings: ImageSettings, keep_bytes: int | None = None) -> None:
        self._source, self._settings = source, settings
        self.valid = source.valid_range
        self._bytes = self.valid == (0.0, 1.0)
        free = devices.memory_free(torch.device("cpu"))
        self._room = free // _SHARE_OF_MEMORY if keep_bytes is None else keep_bytes
        self._kept: dict[int, Tensor] = {}
        self._shape: tuple[int, ...] | None = None
        self._first = -1

    @property
    def kept(self) -> int:
        """Number of images that are in memory."""
        return len(self._kept)

    def one(self, index: int) -> Tensor:
        """Return a seen image, shape (c, y, x), uint8 0 to 255 or float32 in the images' own range.

        Raises
        ------
        ModelError
            It has another size than the ones before.
        DataError
            The file is gone or damaged.
        """
        if index in self._kept:
            return self._kept[index]
        values = seen_image(self._source.image(index), self._settings, self.valid)
        row = torch.from_numpy(np.rint(values * 255).astype(np.uint8) if self._bytes else values)
        if self._shape is None:
            self._shape, self._first = tuple(row.shape), index
        elif tuple(row.shape) != self._shape:
            here, there = (" x ".join(map(str, shape[1:])) for shape in (row.shape, self._shape))
            raise ModelError(
                f"The images have different sizes: '{self._source.names[self._first]}' has {there} pixels, "
                f"'{self._source.names[index]}' {here}. Set the image size of the training to bring all to one."
            )
        size = row.numel() * row.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[index] = row
        return row

    def batch(self, indices: Iterable[int]) -> Tensor:
        """Return seen images, float32 (n, c, y, x), values in the images' own range."""
        rows = torch.stack([self.one(int(index)) for index in indices])
        return rows.float().div_(255) if self._bytes else rows

    def batches(self, parts: Iterable[Places]) -> Iterator[tuple[Places, Tensor]]:
        """Yield one batch after the other; where files must be read, the next is read while one is computed with."""
        return in_batches(parts, self.batch, ready=lambda index: index in self._kept)

    def statistics(self, indices: Iterable[int]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and standard deviation (ddof 0) of each channel over the pixels of some images."""
        count, total, squares = 0, 0.0, 0.0
        for index in indices:
            values = self.batch([index])[0].double().numpy()
            count += values[0].size
            total, squares = total + values.sum(axis=(1, 2)), squares + np.square(values).sum(axis=(1, 2))
        mean = np.atleast_1d(total / max(1, count))
        std = np.sqrt(np.maximum(0.0, np.atleast_1d(squares / max(1, count)) - mean**2))
        # Images of one colour are only centred.
        std = np.where(std > 1e-6, std, 1.0)
        return tuple(mean.round(6).tolist()), tuple(std.round(6).tolist())
