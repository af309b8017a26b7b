"""How large windows are on a grid, and how many there are: whole voxels from voxels or millimetres. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from sensiview.errors import UserError

Unit = Literal["voxels", "mm"]
Sizes = float | Sequence[float]


def in_voxels(size: Sizes, unit: Unit, spacing: Sequence[float]) -> tuple[int, ...]:
    """Return a size along each axis in whole voxels, at least one; one number counts for every axis.

    Raises
    ------
    UserError
        Neither one number nor one per axis.
    """
    sizes = [float(size)] if isinstance(size, int | float) else [float(s) for s in size]
    if len(sizes) == 1:
        sizes *= len(spacing)
    if len(sizes) != len(spacing):
        raise UserError(f"Write one size, or {len(spacing)}, one for each axis (given: {len(sizes)}).")
    steps = spacing if unit == "mm" else [1.0] * len(spacing)
    return tuple(max(1, round(s / step)) for s, step in zip(sizes, steps, strict=True))


def window_sizes(
    shape: Sequence[int], spacing: Sequence[float], window: Sizes, stride: Sizes, unit: Unit
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return window and stride in voxels along each axis; a stride of 0 is half a window, rounded up.

    Raises
    ------
    UserError
        The window is larger than the input, or the steps leave gaps.
    """
    sides = in_voxels(window, unit, spacing)
    if np.all(np.asarray(stride, dtype=np.float64) == 0):
        steps = tuple((side + 1) // 2 for side in sides)
    else:
        steps = in_voxels(stride, unit, spacing)
    check_windows(shape, sides, steps)
    return sides, steps


def check_windows(shape: Sequence[int], window: Sequence[int], stride: Sequence[int]) -> None:
    """Refuse windows larger than the input and steps that leave gaps.

    Raises
    ------
    UserError
        The sentence names both sizes.
    """
    unit, what = ("pixels", "image") if len(shape) == 2 else ("voxels", "volume")
    if any(w > n for w, n in zip(window, shape, strict=True)):
        raise UserError(
            f"The window of {_times(window)} {unit} is larger than the {what} of {_times(shape)}. Choose a smaller "
            "window."
        )
    if any(s > w and w < n for s, w, n in zip(stride, window, shape, strict=True)):
        raise UserError(
            f"Steps of {_times(stride)} {unit} leave gaps between windows of {_times(window)}. Choose a stride no "
            "larger than the window."
        )


def window_counts(
    shape: Sequence[int], window: Sequence[int], stride: Sequence[int], *, mirrored: bool = False
) -> tuple[int, ...]:
    """Return how many windows there are along each axis, placed as `window_starts` does it."""
    return tuple(len(window_starts(*axis, mirrored=mirrored)) for axis in zip(shape, window, stride, strict=True))


def window_starts(size: int, window: int, stride: int, *, mirrored: bool = False) -> list[int]:
    """Return where the windows along one axis begin.

    Steps of `stride` from the first voxel on, as Captum does it; the last window is cut at the border. `mirrored`
    places them the same from either end, so that the order in which a file stores its voxels changes nothing: whole
    windows from border to border, in steps as even as whole voxels allow, none larger than `stride`. Where `stride`
    divides what the window leaves over, both are the same.
    """
    left = size - window
    count = -(-left // stride) + 1
    if not mirrored:
        return [stride * i for i in range(count)]
    if left % 2 and count % 2:
        count += 1  # the one in the middle would lie half a voxel off
    if count == 1:
        return [0]
    # Rounded to the nearest voxel; the upper half mirrors the lower one.
    lower = [(2 * i * left + count - 1) // (2 * (count - 1)) for i in range((count + 1) // 2)]
    return lower + [left - start for start in reversed(lower[: count // 2])]


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
