"""Pools: the largest or the mean of the pixels under a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.numerics.incremental.geometry import Span
from sensiview.numerics.incremental.operations import Frame
from sensiview.numerics.incremental.placing import Place, placed, rows_last
from sensiview.numerics.incremental.sliding import Sliding


class MaxPool(Sliding):
    """The largest of the pixels under a kernel."""

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the largest after minus the largest before."""
        place = self.contexts(frame)
        base = frame.base(self.inputs[0], place, changes[0])
        outside = self._outside(place, len(base))
        if outside is not None:
            base = base.masked_fill(outside.to(base.device), -torch.inf)
        change = placed(changes[0], *self.offsets(frame))
        if frame.tangent:
            rows = base.expand_as(change).contiguous()
            _, where = functional.max_pool2d(rows, self.kernels, self.steps, 0, self.dilations, return_indices=True)
            return change.flatten(2).gather(2, where.flatten(2)).view_as(where)
        after = self._pooled(change + base)
        return after.sub_(self._pooled(base))

    def _pooled(self, values: Tensor) -> Tensor:
        if not rows_last(values):
            return functional.max_pool2d(values, self.kernels, self.steps, 0, self.dilations)
        # torch's pools would copy them into another layout.
        values = values.permute(2, 3, 0, 1)
        for axis, reach in enumerate(self.reaches):
            count = (values.shape[axis] - reach.extent) // reach.stride + 1
            taps = [
                values.narrow(axis, k * reach.dilation, (count - 1) * reach.stride + 1) for k in range(reach.kernel)
            ]
            every = (slice(None),) * axis + (slice(None, None, reach.stride),)
            values = reduce(torch.maximum, (tap[every] for tap in taps))
        return values.permute(2, 3, 0, 1)

    def _outside(self, place: Place, rows: int) -> Tensor | None:
        """Return which pixels of the windows lie in the padding, (rows, 1, h, w); None when none does."""
        out = [
            (along < 0) | (along >= reach.size_in)
            for reach, span in zip(self.reaches, (place.y, place.x), strict=True)
            for along in [span.starts[:rows, None] + np.arange(span.size)]
        ]
        if not out[0].any() and not out[1].any():
            return None
        return torch.from_numpy(out[0][:, None, :, None] | out[1][:, None, None, :])


@dataclass(frozen=True, eq=False)
class MeanPool(Sliding):
    """The mean of the pixels under a kernel.

    Parameters
    ----------
    parts : tuple of Tensor
        For each output down and across, one over the number of pixels that are counted.
    """

    reads: ClassVar[bool] = False

    parts: tuple[Tensor, Tensor]

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the sum of the change over the kernel's pixels, divided by how many are counted."""
        change = placed(changes[0], *self.offsets(frame))
        found = functional.avg_pool2d(change, self.kernels, self.steps, divisor_override=1)
        place = frame.places[self.output]
        down, across = (_of(part.to(found), span) for part, span in zip(self.parts, (place.y, place.x), strict=True))
        return found.mul_(down[:, None, :, None] * across[:, None, None, :])


def _of(part: Tensor, span: Span) -> Tensor:
    return part[torch.from_numpy(span.starts[:, None] + np.arange(span.size)).to(part.device)]
