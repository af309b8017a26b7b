"""Convolutions, pools and padding: operators that slide over a feature map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.numerics.incremental.geometry import Floats, Ints, Offset, Reach, Span
from sensiview.numerics.incremental.operations import Axis, Frame, Interval, Operation
from sensiview.numerics.incremental.placing import Place, placed


@dataclass(frozen=True, eq=False)
class Sliding(Operation):
    """An operator that slides.

    Parameters
    ----------
    reaches : tuple of Reach
        Down and across.
    """

    reaches: tuple[Reach, Reach]

    @property
    def steps(self) -> tuple[int, int]:
        """Strides, down and across."""
        return self.reaches[0].stride, self.reaches[1].stride

    @property
    def kernels(self) -> tuple[int, int]:
        """Kernel sizes, down and across."""
        return self.reaches[0].kernel, self.reaches[1].kernel

    @property
    def dilations(self) -> tuple[int, int]:
        """Dilations, down and across."""
        return self.reaches[0].dilation, self.reaches[1].dilation

    def affected(self, axis: Axis, intervals: Sequence[Interval]) -> Interval:
        """Return the outputs that read something changed."""
        return self.reaches[axis].affected(*intervals[0])

    def share(self, axis: Axis, counts_in: Ints, counts_out: Ints) -> Floats:
        """Products with pixels that did not change count nothing."""
        reach = self.reaches[axis]
        whole = reach.products(np.array([reach.size_in]), np.array([reach.size_out]))
        return reach.products(counts_in, counts_out) / whole

    def offsets(self, frame: Frame) -> tuple[Offset, Offset]:
        """Return where the changed windows lie in what the outputs read."""
        inner, outer = frame.places[self.inputs[0]], frame.places[self.output]

        def along(reach: Reach, one: Span, other: Span) -> Offset:
            return Offset(one.starts - reach.context(other.starts), reach.length(other.size))

        return along(self.reaches[0], inner.y, outer.y), along(self.reaches[1], inner.x, outer.x)

    def contexts(self, frame: Frame) -> Place:
        """Return what the outputs read."""
        outer = frame.places[self.output]
        y, x = self.reaches
        return Place(
            Span(y.length(outer.y.size), y.context(outer.y.starts)),
            Span(x.length(outer.x.size), x.context(outer.x.starts)),
        )


class Padding(Sliding):
    """Constant padding, or cropping where it is negative."""

    reads: ClassVar[bool] = False

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return what of the change is not cropped off."""
        return placed(changes[0], *self.offsets(frame))


@dataclass(frozen=True, eq=False)
class Convolution(Sliding):
    """A convolution; a batch norm behind it may have been taken into its weights."""

    reads: ClassVar[bool] = False

    weight: Tensor
    bias: Tensor | None
    groups: int

    @property
    def work(self) -> float:
        """Multiply-adds per row; those with padding count as well."""
        return float(self.weight[0].numel() * np.prod(self.shape))

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Convolve the change alone: around it there are zeros, which the kernels skip as padding."""
        change = changes[0]
        y, x = self.offsets(frame)
        down, across = _symmetric(y, change.shape[2], self.steps[0]), _symmetric(x, change.shape[3], self.steps[1])
        padding, skipped = (0, 0), (0, 0)
        if down and across:
            padding, skipped = (down[0], across[0]), (down[1], across[1])
        else:
            change = placed(change, y, x)
        found = functional.conv2d(change, self.weight, None, self.steps, padding, self.dilations, self.groups)
        h, w = frame.places[self.output].size
        return found[:, :, skipped[0] : skipped[0] + h, skipped[1] : skipped[1] + w]

    def full(self, values: Mapping[int, Tensor], rows: int) -> Mapping[int, Tensor]:
        """Return the convolution of whole maps."""
        padding = (self.reaches[0].padding, self.reaches[1].padding)
        found = functional.conv2d(
            values[self.inputs[0]], self.weight, self.bias, self.steps, padding, self.dilations, self.groups
        )
        return {self.output: found}

    def normalised(self, scale: Tensor, shift: Tensor, output: int) -> Convolution:
        """Return the convolution followed by a multiplication and an addition per channel."""
        weight = (self.weight.double() * scale[:, None, None, None]).to(self.weight)
        bias = shift if self.bias is None else self.bias.double() * scale + shift
        return Convolution(
            self.call,
            self.inputs,
            output,
            self.shape,
            self.reaches,
            weight.contiguous(memory_format=torch.channels_last),
            bias.to(self.weight),
            self.groups,
        )


def _symmetric(offset: Offset, size: int, stride: int) -> tuple[int, int] | None:
    """Return the same padding on both sides that gives the wanted outputs, and how many come before them.

    None where rows differ, or where part of the change is to be left out.
    """
    before = offset.same
    if before is None:
        return None
    behind = offset.length - before - size
    if before < 0 or behind < 0:
        return None
    more = -(-max(0, behind - before) // stride)
    return before + more * stride, more


class MaxPool(Sliding):
    """The largest of the pixels under a kernel."""

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the largest after minus the largest before."""
        place = self.contexts(frame)
        base = frame.base(self.inputs[0], place)
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
        return functional.max_pool2d(values, self.kernels, self.steps, 0, self.dilations)

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
