"""Volumes on their way to a network: read, prepared once, kept while there is room, read ahead otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models import devices
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.reading_ahead import Places, in_batches

# Of the memory that is free when training begins; networks, gradients and the window need the rest.
_SHARE_OF_MEMORY = 4


class VolumeSource(Protocol):
    """A cohort as training sees it."""

    def __len__(self) -> int:
        """Return the number of volumes."""

    def read(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the finite values of one volume, float32 (i, j, k), and its affine, voxel to RAS mm."""


class VolumeStore:
    """Prepared volumes, float32, on the CPU.

    What is kept is what would be read again: the numbers do not depend on how much memory there is.

    Parameters
    ----------
    source : VolumeSource
    preprocessing : Preprocessing
        Of kind ``volume``.
    keep_bytes : int, optional
        Most memory for prepared volumes; a quarter of what is free by default.
    """

    def __init__(self, source: VolumeSource, preprocessing: Preprocessing, keep_bytes: int | None = None) -> None:
        self._source = source
        self._preprocessing = preprocessing
        free = devices.memory_free(torch.device("cpu"))
        self._room = free // _SHARE_OF_MEMORY if keep_bytes is None else keep_bytes
        self._kept: dict[int, Tensor] = {}
        self._shape: tuple[int, ...] | None = None
        self._first = -1

    @property
    def kept(self) -> int:
        """Number of volumes that are in memory."""
        return len(self._kept)

    def one(self, index: int) -> Tensor:
        """Return a prepared volume, shape (1, c, i, j, k).

        Raises
        ------
        ModelError
            It has another size than the ones before.
        """
        if index in self._kept:
            return self._kept[index]
        values, affine = self._source.read(index)
        row = self._preprocessing(torch.from_numpy(values)[None, None], None, affine)
        if self._shape is None:
            self._shape, self._first = tuple(row.shape), index
        elif tuple(row.shape) != self._shape:
            here, there = (" x ".join(map(str, shape[2:])) for shape in (row.shape, self._shape))
            raise ModelError(
                f"The volumes have different sizes: number {self._first} has {there} voxels, number {index} {here}. "
                "Resample them to a template, or set 'fit' to pad or crop all to one size."
            )
        size = row.numel() * row.element_size()
        if size <= self._room:
            self._room -= size
            self._kept[index] = row
        return row

    def batch(self, indices: Iterable[int]) -> Tensor:
        """Return prepared volumes, shape (n, c, i, j, k)."""
        return torch.cat([self.one(int(index)) for index in indices])

    def batches(self, parts: Iterable[Places]) -> Iterator[tuple[Places, Tensor]]:
        """Yield one batch after the other; where files must be read, the next is read while one is computed with."""
        return in_batches(parts, self.batch, ready=lambda index: index in self._kept)
