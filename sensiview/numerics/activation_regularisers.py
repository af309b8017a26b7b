"""What keeps a maximised input near a picture: total variation, size, blur, jitter. Inputs are (n, channels, ...)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional


def total_variation(rows: Tensor) -> Tensor:
    """Return sum over the spatial axes of the mean absolute difference of neighbours, (n,); differentiable.

    ``mean |dx| + mean |dy|`` for images, the means over channels and places, as the publication has it. 0 for inputs
    without spatial axes.
    """
    total = torch.zeros(len(rows), dtype=rows.dtype, device=rows.device)
    for axis in range(2, rows.ndim):
        if rows.shape[axis] > 1:
            total = total + rows.diff(dim=axis).abs().flatten(1).mean(dim=1)
    return total


def mean_square(rows: Tensor, about: float) -> Tensor:
    """Return the mean square distance from `about`, (n,); differentiable."""
    return (rows - about).square().flatten(1).mean(dim=1)


def blurred(rows: Tensor, sigma: float) -> Tensor:
    """Return rows smoothed along every spatial axis by a Gaussian of `sigma` pixels, cut at three sigma.

    The border is mirrored: an input of one value stays as it is.
    """
    radius = max(1, math.ceil(3 * sigma))
    steps = torch.arange(-radius, radius + 1, dtype=rows.dtype, device=rows.device)
    kernel = torch.exp(-0.5 * (steps / sigma).square())
    kernel = kernel / kernel.sum()
    for axis in range(2, rows.ndim):
        moved = rows.movedim(axis, -1)
        flat = moved.reshape(-1, 1, moved.shape[-1])
        padded = _mirrored(flat, radius)
        smooth = functional.conv1d(padded, kernel[None, None])
        rows = smooth.reshape(moved.shape).movedim(-1, axis)
    return rows


def _mirrored(flat: Tensor, radius: int) -> Tensor:
    """Pad the last axis by `radius` on both sides, mirrored about the edge, also where it is longer than the input."""
    length = flat.shape[-1]
    places = torch.arange(-radius, length + radius, device=flat.device) % (2 * length)
    return flat[..., torch.where(places < length, places, 2 * length - 1 - places)]


def shifts(seed: int, row: int, step: int, jitter: int, axes: int) -> tuple[int, ...]:
    """Return by how many pixels a row is shifted along each spatial axis in a step; the same for the same numbers.

    Neither the batch nor an interruption changes them.
    """
    if not jitter:
        return (0,) * axes
    drawn = np.random.default_rng([seed, row, step]).integers(-jitter, jitter + 1, size=axes)
    return tuple(int(n) for n in drawn)


def shifted(rows: Tensor, by: npt.NDArray[np.int64] | list[tuple[int, ...]]) -> Tensor:
    """Return each row rolled around by its own shift along the spatial axes."""
    if not np.any(by):
        return rows
    axes = tuple(range(1, rows.ndim - 1))
    return torch.stack([torch.roll(row, tuple(int(n) for n in one), axes) for row, one in zip(rows, by, strict=True)])
