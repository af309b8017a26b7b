"""Changing volumes at random while a network is trained on them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Augmentation = Literal["none", "flip", "shift", "intensity", "all"]
_MOST_SHIFT = 2
_BRIGHTNESS = 0.1
_NOISE = 0.05


def augment(rows: Tensor, kind: Augmentation, left_right: int, generator: np.random.Generator) -> Tensor:
    """Return changed copies of volumes; the same random state gives the same ones.

    Parameters
    ----------
    rows : Tensor
        Shape (n, c, i, j, k), as the network takes them.
    kind : str
        ``flip`` exchanges left and right of every second volume; ``shift`` moves by up to two voxels along each axis,
        zeros coming in; ``intensity`` multiplies by 0.9 to 1.1 and adds noise of a twentieth of the volume's standard
        deviation; ``all`` does the three.
    left_right : int
        The axis of (i, j, k) along which left and right lie.
    generator : numpy.random.Generator
    """
    if kind == "none":
        return rows
    rows = rows.clone()
    for row in rows:
        if kind in ("flip", "all") and generator.random() < 0.5:
            row.copy_(torch.flip(row, [1 + left_right]))
        if kind in ("shift", "all"):
            row.copy_(_shifted(row, generator.integers(-_MOST_SHIFT, _MOST_SHIFT + 1, size=3).tolist()))
        if kind in ("intensity", "all"):
            row.mul_(float(generator.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)))
            noise = generator.standard_normal(tuple(row.shape), dtype=np.float32)
            row.add_(torch.from_numpy(noise).to(row), alpha=_NOISE * float(row.std(correction=0)))
    return rows


def _shifted(row: Tensor, shift: list[int]) -> Tensor:
    moved = torch.zeros_like(row)
    to, source = [slice(None)], [slice(None)]
    for size, by in zip(row.shape[1:], shift, strict=True):
        by = max(-size, min(size, by))
        to.append(slice(max(0, by), size + min(0, by)))
        source.append(slice(max(0, -by), size - max(0, by)))
    moved[tuple(to)] = row[tuple(source)]
    return moved
