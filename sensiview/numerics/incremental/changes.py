"""The change of the input that patches make, in windows that lie inside the input."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sensiview.numerics.incremental.geometry import Ints
from sensiview.numerics.incremental.placing import Place
from sensiview.numerics.incremental.results import Patches


def inside(windows: Ints, height: int, width: int) -> Ints:
    """Return windows cut at the border of the input; an empty one becomes a pixel, of which nothing will change."""
    found = windows.copy()
    for axis, limit in ((0, height), (1, width)):
        lo, hi = found[:, 2 * axis], found[:, 2 * axis + 1]
        lo[:] = np.clip(lo, 0, limit - 1)
        hi[:] = np.clip(hi, lo + 1, limit)
    return found


def input_changes(inputs: Tensor, patches: Patches, rows: Ints, place: Place) -> Tensor:
    """Return new minus old values of the input.

    Parameters
    ----------
    inputs : Tensor
        (bases, channels, height, width).
    patches : Patches
    rows : ndarray
        Numbers of patches.
    place : Place
        One window per row, over the changed one and inside the input.

    Returns
    -------
    Tensor
        (rows, channels, *place.size), 0 in the part of a window that its patch leaves alone.
    """
    windows = patches.windows[rows]
    h, w = place.size
    down = place.y.starts[:, None] + np.arange(h)
    across = place.x.starts[:, None] + np.arange(w)
    differs = _within(down, windows[:, 0], windows[:, 1])[:, :, None]
    differs = differs & _within(across, windows[:, 2], windows[:, 3])[:, None, :]
    bases = np.zeros(len(rows), dtype=np.int64) if patches.bases is None else patches.bases[rows]
    before = _picked(inputs, bases, down, across)
    number = rows if len(patches.values) > 1 else np.zeros_like(rows)
    if patches.cropped:
        down, across = down - windows[:, :1], across - windows[:, 2:3]
    _, _, height, width = patches.values.shape
    after = _picked(patches.values, number, np.clip(down, 0, height - 1), np.clip(across, 0, width - 1))
    change = after.to(before) - before
    change = change if differs.all() else change * torch.from_numpy(differs[..., None]).to(change.device)
    return change.permute(0, 3, 1, 2)


def _within(pixels: Ints, lo: Ints, hi: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (pixels >= lo[:, None]) & (pixels < hi[:, None])


def _picked(images: Tensor, numbers: Ints, down: Ints, across: Ints) -> Tensor:
    """Return windows of images as (rows, h, w, channels)."""
    last = images.permute(0, 2, 3, 1)
    n, y, x = (torch.from_numpy(np.ascontiguousarray(a)).to(images.device) for a in (numbers, down, across))
    return last[n[:, None, None], y[:, :, None], x[:, None, :]]
