"""Windows of feature maps as tensors: taken out of kept maps, placed in wider ones, put back.

A window tensor is (rows, channels, height, width) with the channels last in memory; a kept map is
(bases, height, width, channels), so that one pixel is one contiguous piece of memory. Where convolutions are computed
with fewer multiplications, windows have rows and channels last in memory, (height, width, rows, channels): a pixel of
all rows is one piece then.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def rows_last(windows: Tensor) -> bool:
    """Whether rows and channels are last in memory."""
    return len(windows) > 1 and windows.permute(2, 3, 0, 1).is_contiguous()


def gathered(kept: Tensor, bases: Ints, place: Place, *, rows_last: bool = False) -> Tensor:
    """Return the windows of kept maps.

    Parameters
    ----------
    kept : Tensor
        (bases, height, width, channels), contiguous.
    bases : ndarray
        (rows,): which base each row belongs to.
    place : Place
        May reach beyond the map: what is read there is undefined.
    rows_last : bool
        Give them with rows and channels last in memory, where rows differ.

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
    if rows_last:
        return _rows(kept, index.transpose(1, 2, 0)).view(h, w, len(ys), -1).permute(2, 3, 0, 1)
    return _rows(kept, index).view(len(ys), h, w, -1).permute(0, 3, 1, 2)


def _rows(kept: Tensor, index: Ints) -> Tensor:
    where = torch.from_numpy(np.ascontiguousarray(index.reshape(-1))).to(kept.device)
    return kept.flatten(0, 2).index_select(0, where)


def placed(change: Tensor, y: Offset, x: Offset) -> Tensor:
    """Return windows of size (y.length, x.length) that hold `change` at an offset and 0 elsewhere.

    What of `change` would lie outside is left out. They lie in memory as `change` does.
    """
    n, channels, h, w = change.shape
    last = rows_last(change)
    at_y, at_x = y.same, x.same
    if at_y is not None and at_x is not None:
        sides = (at_x, x.length - at_x - w, at_y, y.length - at_y - h)
        if not any(sides):
            return change
        if not last:
            return functional.pad(change, sides)
        if min(sides) >= 0:
            block = change.new_zeros((y.length, x.length, n, channels))
            block[at_y : at_y + h, at_x : at_x + w] = change.permute(2, 3, 0, 1)
            return block.permute(2, 3, 0, 1)
    down = y.each[:, None] + np.arange(h)
    across = x.each[:, None] + np.arange(w)
    inside = ((down >= 0) & (down < y.length))[:, :, None] & ((across >= 0) & (across < x.length))[:, None, :]
    pixel, row = down[:, :, None] * x.length + across[:, None, :], np.arange(n)[:, None, None]
    if last:
        size, order, back = (y.length, x.length, n), (2, 3, 0, 1), (2, 3, 0, 1)
        index, inside = (pixel * n + row).transpose(1, 2, 0), inside.transpose(1, 2, 0)
    else:
        size, order, back = (n, y.length, x.length), (0, 2, 3, 1), (0, 3, 1, 2)
        index = row * (y.length * x.length) + pixel
    source = change.permute(order).reshape(-1, channels)
    if not inside.all():
        source = source[torch.from_numpy(np.flatnonzero(inside.reshape(-1))).to(change.device)]
        index = index[inside]
    wide = change.new_zeros((int(np.prod(size)), channels))
    wide.index_copy_(0, torch.from_numpy(np.ascontiguousarray(index.reshape(-1))).to(change.device), source)
    return wide.view(*size, channels).permute(back)


def widened(change: Tensor, place: Place, shape: tuple[int, ...]) -> Tensor:
    """Return changes as whole maps of `shape` (..., height, width): 0 outside the windows."""
    if place.covers(shape):
        return change
    height, width = shape[-2:]
    return placed(change, Offset(place.y.starts, height), Offset(place.x.starts, width))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Return the rows of all parts, in memory as they lie there."""
    if all(rows_last(part) for part in parts if part.ndim == 4):
        return torch.cat([part.permute(2, 3, 0, 1) for part in parts], dim=2).permute(2, 3, 0, 1)
    return torch.cat(list(parts))


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
