"""Deletion and insertion: the most important parts are taken away (or put in) first, and the score is watched.

Petsiuk, Das and Saenko, RISE, BMVC 2018. Parts are the cells of a grid or the regions of an atlas, so that a volume
takes tens of evaluations and not millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import UserError

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def cells(shape: Sequence[int], side: Sequence[int]) -> Labels:
    """Return the number of its cell for every voxel, from 0; cells of `side` voxels, smaller at the far borders."""
    found = np.zeros(tuple(shape), dtype=np.int64)
    for axis, (n, s) in enumerate(zip(shape, side, strict=True)):
        along = np.arange(n) // s
        found = found * (int(along[-1]) + 1) + along.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return found


def within(labels: Labels, inside: NDArray[np.bool_]) -> tuple[Labels, int]:
    """Return the parts that have a voxel in a region, numbered from 0 without gaps, -1 elsewhere; and how many.

    Raises
    ------
    UserError
        Fewer than two: there is no order.
    """
    labels = np.where(inside, labels, -1)
    known = np.unique(labels[labels >= 0])
    if known.size < 2:
        raise UserError(
            "There are fewer than two parts to take away one after the other. Choose smaller cells, or another atlas."
        )
    numbers = np.searchsorted(known, np.maximum(labels, known[0]))
    return np.where(labels >= 0, numbers, -1), int(known.size)


def by_importance(values: NDArray[np.floating], parts: Labels, count: int) -> Labels:
    """Return the parts by the mean of a map in them, highest first; equal ones in their order."""
    chosen = parts >= 0
    sums = np.bincount(parts[chosen], np.asarray(values, dtype=np.float64)[chosen], count)
    return np.argsort(-sums / np.bincount(parts[chosen], minlength=count), kind="stable")


@dataclass(frozen=True, eq=False)
class OrderedRemoval:
    """One input, what replaces its parts, and the parts.

    Parameters
    ----------
    base, fill : Tensor
        (1, channels, ...).
    parts : ndarray
        (...), number of the part of every voxel, -1 for those that stay.
    count : int
        Number of parts.
    """

    base: Tensor
    fill: Tensor
    parts: Labels
    count: int

    def thresholds(self, steps: int) -> Labels:
        """Return how many parts are gone at each step: 0 first, all last, at most one step per part."""
        return np.unique(np.round(np.linspace(0, self.count, steps + 1)).astype(np.int64))

    def rows(self, order: Labels, gone: Sequence[int], *, insertion: bool) -> Tensor:
        """Return the input with the first `gone` parts of an order replaced, (len(gone), channels, ...).

        With `insertion` it begins as the fill, and the parts of the input are put in. Voxels of no part stay as they
        are in the input.
        """
        rank = np.empty(self.count, dtype=np.int64)
        rank[order] = np.arange(self.count)
        places = np.where(self.parts >= 0, rank[self.parts], self.count + 1)
        when = torch.from_numpy(places).to(self.base.device)
        edge = torch.tensor(list(gone), device=when.device).reshape(-1, *([1] * when.ndim))
        replaced = ((when >= edge) if insertion else (when < edge)) & (when <= self.count)
        return torch.where(replaced[:, None], self.fill, self.base)


def area(shares: Floats, scores: Floats) -> Floats:
    """Return the area under curves over the share of parts, (..., steps) to (...), by trapezoids."""
    return np.asarray(np.trapezoid(scores, shares, axis=-1), dtype=np.float64)
