"""Occlusion: parts of an input are replaced, one after the other, and the change of a score is drawn where they were.

Works for any number of spatial axes: a row is (channels, ...). What is replaced is a set of `Patches`, windows on a
regular grid or regions of an atlas; how rows become scores is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import UserError
from sensiview.numerics.window_sizes import check_windows, window_starts

Floats = NDArray[np.float64]


class Patches(Protocol):
    """Parts of an input that are replaced one at a time."""

    def __len__(self) -> int:
        """How many there are."""

    def replace(self, row: Tensor, fill: Tensor, number: int) -> None:
        """Overwrite one part of `row`, (channels, ...), by the same part of `fill`."""

    def spread(self, values: Floats) -> Floats:
        """Return values per part, (parts, ...), as maps (..., *shape)."""


@dataclass(frozen=True)
class Windows:
    """Boxes of one size at regular steps that together cover the input, placed as `window_starts` does it.

    Parameters
    ----------
    shape, window, stride : tuple of int
        Voxels along each axis.
    mirrored : bool
        Place them the same from either end of each axis; from the first voxel on, as Captum, by default.

    Raises
    ------
    UserError
        A window larger than the input, or steps so large that voxels between the windows are left out.
    """

    shape: tuple[int, ...]
    window: tuple[int, ...]
    stride: tuple[int, ...]
    mirrored: bool = False

    def __post_init__(self) -> None:
        check_windows(self.shape, self.window, self.stride)

    @cached_property
    def starts(self) -> tuple[list[int], ...]:
        """First voxel of each window along each axis."""
        axes = zip(self.shape, self.window, self.stride, strict=True)
        return tuple(window_starts(*axis, mirrored=self.mirrored) for axis in axes)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Number of windows along each axis."""
        return tuple(map(len, self.starts))

    def __len__(self) -> int:
        return int(np.prod(self.counts))

    def place(self, number: int) -> tuple[slice, ...]:
        """Return where a window lies; the last axis counts fastest."""
        at = np.unravel_index(number, self.counts)
        return tuple(
            slice(starts[i], min(starts[i] + w, n))
            for i, starts, w, n in zip(at, self.starts, self.window, self.shape, strict=True)
        )

    def replace(self, row: Tensor, fill: Tensor, number: int) -> None:
        """Overwrite one window."""
        where = (slice(None), *self.place(number))
        row[where] = fill[where]

    def spread(self, values: Floats) -> Floats:
        """Return for every voxel the mean over the windows that cover it.

        Parameters
        ----------
        values : ndarray
            (windows, k).

        Returns
        -------
        ndarray
            (k, *shape), float64.
        """
        found = values.T.reshape(-1, *self.counts)
        # The windows form a grid: summing over those that cover a voxel is one small matrix product per axis.
        for axis, (n, w, starts) in enumerate(zip(self.shape, self.window, self.starts, strict=True), start=1):
            start = np.array(starts)
            voxel = np.arange(n)[:, None]
            covers = ((voxel >= start) & (voxel < start + w)).astype(np.float64)
            covers /= covers.sum(axis=1, keepdims=True)
            found = np.moveaxis(np.tensordot(covers, found, axes=(1, axis)), 0, axis)
        return found


class Regions:
    """Regions of a label map, in the order of their labels; 0 is no region.

    Parameters
    ----------
    labels : ndarray
        (*shape), integers.
    wanted : sequence of int, optional
        Labels to take; all by default.

    Raises
    ------
    UserError
        There is no region.
    """

    def __init__(self, labels: NDArray[np.integer], wanted: Sequence[int] | None = None) -> None:
        self.shape = labels.shape
        flat = labels.ravel()
        known = [int(label) for label in np.unique(flat) if label != 0]
        self.labels = known if wanted is None else [label for label in known if label in set(wanted)]
        if not self.labels:
            raise UserError("No region of the atlas lies inside the volume. Choose another atlas.")
        order = np.argsort(flat, kind="stable")
        ends = np.searchsorted(flat[order], self.labels, side="right")
        starts = np.searchsorted(flat[order], self.labels, side="left")
        self.places = [torch.from_numpy(order[a:b].copy()) for a, b in zip(starts, ends, strict=True)]

    def __len__(self) -> int:
        return len(self.labels)

    def replace(self, row: Tensor, fill: Tensor, number: int) -> None:
        """Overwrite one region."""
        where = self.places[number].to(row.device)
        row.flatten(1)[:, where] = fill.flatten(1)[:, where]

    def spread(self, values: Floats) -> Floats:
        """Return every voxel's region's value, (k, *shape); 0 outside all regions."""
        found = np.zeros((values.shape[1], int(np.prod(self.shape))))
        for places, value in zip(self.places, values, strict=True):
            found[:, places.numpy()] = value[:, None]
        return found.reshape(-1, *self.shape)


def perturbed(base: Tensor, fill: Tensor, patches: Patches, numbers: Sequence[int]) -> Tensor:
    """Return one row per patch, (len(numbers), channels, ...): `base` with that patch taken from `fill`.

    Parameters
    ----------
    base, fill : Tensor
        (1, channels, ...).
    """
    rows = base.repeat(len(numbers), *([1] * (base.ndim - 1)))
    for row, number in zip(rows, numbers, strict=True):
        patches.replace(row, fill[0], number)
    return rows
