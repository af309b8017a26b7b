"""Small pictures of masks over the anatomy, for overviews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.mask_study import MaskStudy

_RED = np.array([0.90, 0.16, 0.16], dtype=np.float32)
_MOST_PIXELS = 128


def overview(opened: MaskStudy, masks: Sequence[Array]) -> Array:
    """Return a picture per mask, float32 (masks, y, x, 3) in [0, 1].

    Axial, coronal and sagittal slice side by side, through the voxel that the masks together cover most, in
    radiological convention. The anatomy is the first chosen subject's input in grey, the mask red.

    Parameters
    ----------
    opened : MaskStudy
    masks : sequence of ndarray
        (i, j, k), 1 keeps the input.
    """
    rows, _ = opened.problem.rows.batch([0])
    grey = rows[0, 0].cpu().numpy()
    low, high = np.percentile(grey, [1, 99.5])
    grey = np.clip((grey - low) / max(float(high - low), 1e-6), 0, 1)
    order, flips = _turn(opened.grid.affine)
    covers = [_turned(1 - np.asarray(mask, dtype=np.float32), order, flips) for mask in masks]
    anatomy = _turned(grey, order, flips)
    total = np.sum(covers, axis=0)
    at = np.unravel_index(int(np.argmax(total)), total.shape) if total.any() else tuple(n // 2 for n in total.shape)
    spacing = [opened.grid.spacing[axis] for axis in order]
    return np.stack([_picture(anatomy, cover, [int(n) for n in at], spacing) for cover in covers])


def _turn(affine: Array) -> tuple[list[int], list[int]]:
    """Return which axis of the file runs to the right, forward and up, and which of these must be reversed."""
    cosines = np.asarray(affine, dtype=np.float64)[:3, :3]
    cosines = cosines / np.linalg.norm(cosines, axis=0)
    order: list[int] = []
    for row in range(3):
        free = [axis for axis in range(3) if axis not in order]
        order.append(max(free, key=lambda axis: abs(cosines[row, axis])))
    return order, [row for row in range(3) if cosines[row, order[row]] < 0]


def _turned(values: Array, order: list[int], flips: list[int]) -> Array:
    turned: Array = np.flip(values.transpose(order), tuple(flips))
    return turned


def _picture(anatomy: Array, cover: Array, at: list[int], spacing: Sequence[float]) -> Array:
    right, forward, up = at
    slices: list[tuple[Any, tuple[int, int]]] = [
        (np.s_[:, :, up], (0, 1)),
        (np.s_[:, forward, :], (0, 2)),
        (np.s_[right, :, :], (1, 2)),
    ]
    size = max(n * s for n, s in zip(anatomy.shape, spacing, strict=True))
    pixels = min(_MOST_PIXELS, 2 * max(anatomy.shape))
    return np.concatenate(
        [_square(anatomy[cut], cover[cut], [spacing[a] for a in axes], size, pixels) for cut, axes in slices], axis=1
    )


def _square(grey: Array, cover: Array, spacing: Sequence[float], size: float, pixels: int) -> Array:
    """Return a slice in a black square, true to millimetres; up is up, the patient's right (or front) is left."""
    picture = np.zeros((pixels, pixels, 3), dtype=np.float32)
    places = [
        ((np.arange(pixels) + 0.5) / pixels * size - (size - n * s) / 2) / s
        for n, s in zip(grey.shape, spacing, strict=True)
    ]
    inside = [(p >= 0) & (p < n) for p, n in zip(places, grey.shape, strict=True)]
    across, along = (p[i].astype(int) for p, i in zip(places, inside, strict=True))
    shown, weight = grey[np.ix_(across, along)].T[..., None], cover[np.ix_(across, along)].T[..., None]
    picture[np.ix_(inside[1], inside[0])] = shown * (1 - weight) * 0.85 + weight * _RED
    # Rows from the top; columns from the patient's right, or from the front.
    return picture[::-1, ::-1]
