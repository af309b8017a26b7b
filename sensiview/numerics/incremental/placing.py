"""Windows of feature maps as tensors: taken out of kept maps, placed in wider ones, put back.

A window tensor is (rows, channels, height, width) with the channels last in memory; a kept map is
(bases, height, width, channels), so that one pixel is one contiguous piece of memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.numerics.incremental.geometry import Ints, Offset, Span


@dataclass(frozen=True)
class Place:
    """Where the windows of some rows lie on one feature map."""

    y: Span
    x: Span

    @classmethod
    def whole(cls, shape: tuple[int, ...], rows: int) -> Place:
        """Return the whole map of `shape` (..., height, width) for every row."""
        begin = np.zeros(rows, dtype=np.int64)
        return cls(Span(shape[-2], begin), Span(shape[-1], begin))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the windows."""
        return self.y.size, self.x.size

    def covers(self, shape: tuple[int, ...]) -> bool:
        """Whether every window is the whole map of `shape` (..., height, width)."""
        return self.size == tuple(shape[-2:])


def gathered(kept: Tensor, bases: Ints, place: Place) -> Tensor:
    """Return the windows of kept maps.

    Parameters
    ----------
    kept : Tensor
        (bases, height, width, channels), contiguous.
    bases : ndarray
        (rows,): which base each row belongs to.
    place : Place
        May reach beyond the map: what is read there is undefined.

    Returns
    -------
    Tensor
        (rows, channels, *place.size); (1, ...) where all rows are the same. May share memory with `kept`.
    """
    _, height, width, _ = kept.shape
    (h, w), ys, xs = place.size, place.y.starts, place.x.starts
    y, x, base = int(ys[0]), int(xs[0]), int(bases[0])
    if bool((ys == y).all() and (xs == x).all() and (bases == base).all()):
        if y >= 0 and x >= 0 and y + h <= height and x + w <= width:
            return kept[base : base + 1, y : y + h, x : x + w].permute(0, 3, 1, 2)
        bases, ys, xs = bases[:1], ys[:1], xs[:1]
    down = np.clip(ys[:, None] + np.arange(h), 0, height - 1)
    across = np.clip(xs[:, None] + np.arange(w), 0, width - 1)
    index = (bases[:, None] * height + down)[:, :, None] * width + across[:, None, :]
    return _rows(kept, index).view(len(ys), h, w, -1).permute(0, 3, 1, 2)


def _rows(kept: Tensor, index: Ints) -> Tensor:
    where = torch.from_numpy(np.ascontiguousarray(index.reshape(-1))).to(kept.device)
    return kept.flatten(0, 2).index_select(0, where)


def placed(change: Tensor, y: Offset, x: Offset) -> Tensor:
    """Return windows of size (y.length, x.length) that hold `change` at an offset and 0 elsewhere.

    What of `change` would lie outside is left out.
    """
    n, channels, h, w = change.shape
    at_y, at_x = y.same, x.same
    if at_y is not None and at_x is not None:
        sides = (at_x, x.length - at_x - w, at_y, y.length - at_y - h)
        return functional.pad(change, sides) if any(sides) else change
    down = y.each[:, None] + np.arange(h)
    across = x.each[:, None] + np.arange(w)
    index = (np.arange(n)[:, None] * y.length + down)[:, :, None] * x.length + across[:, None, :]
    inside = ((down >= 0) & (down < y.length))[:, :, None] & ((across >= 0) & (across < x.length))[:, None, :]
    source = change.permute(0, 2, 3, 1).reshape(-1, channels)
    if not inside.all():
        source = source[torch.from_numpy(np.flatnonzero(inside.reshape(-1))).to(change.device)]
        index = index[inside]
    wide = change.new_zeros((n * y.length * x.length, channels))
    wide = wide.index_copy(0, torch.from_numpy(np.ascontiguousarray(index.reshape(-1))).to(change.device), source)
    return wide.view(n, y.length, x.length, channels).permute(0, 3, 1, 2)


def widened(change: Tensor, place: Place, shape: tuple[int, ...]) -> Tensor:
    """Return changes as whole maps of `shape` (..., height, width): 0 outside the windows."""
    if place.covers(shape):
        return change
    height, width = shape[-2:]
    return placed(change, Offset(place.y.starts, height), Offset(place.x.starts, width))


def add_into(kept: Tensor, bases: Ints, place: Place, change: Tensor) -> None:
    """Add changes to the windows of kept maps, in place. No base may occur twice."""
    _, height, width, channels = kept.shape
    h, w = place.size
    down = place.y.starts[:, None] + np.arange(h)
    across = place.x.starts[:, None] + np.arange(w)
    index = (bases[:, None] * height + down)[:, :, None] * width + across[:, None, :]
    where = torch.from_numpy(np.ascontiguousarray(index.reshape(-1))).to(kept.device)
    kept.view(-1, channels).index_add_(0, where, change.permute(0, 2, 3, 1).reshape(-1, channels))


def as_kept(values: Tensor) -> Tensor:
    """Return feature maps (bases, channels, height, width) in the layout that is kept."""
    return values.permute(0, 2, 3, 1).contiguous()


def as_maps(kept: Tensor) -> Tensor:
    """Return kept maps as (bases, channels, height, width), channels last in memory, sharing it."""
    return kept.permute(0, 3, 1, 2)
