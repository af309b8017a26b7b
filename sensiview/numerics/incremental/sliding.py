"""Convolutions and padding: operators that slide over a feature map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.numerics.incremental import winograd
from sensiview.numerics.incremental.geometry import Floats, Ints, Offset, Reach, Span
from sensiview.numerics.incremental.operations import Axis, Frame, Interval, Operation
from sensiview.numerics.incremental.placing import Place, placed

# Fewer multiplications are taken when they cost at most this part of the plain ones.
_SAVED = 0.9


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
        size = frame.places[self.output].size
        if frame.lenient:
            # Rows near a border of the map may have their change elsewhere than the others; then all get the pixels
            # between as well, which is less than all that the outputs read.
            (inner_y, y), (inner_x, x) = y.together(change.shape[2]), x.together(change.shape[3])
            change = placed(change, inner_y, inner_x)
        if frame.lenient and (found := self._cheaper(change, y, x, size)) is not None:
            return found
        down, across = _symmetric(y, change.shape[2], self.steps[0]), _symmetric(x, change.shape[3], self.steps[1])
        padding, skipped = (0, 0), (0, 0)
        if down and across:
            padding, skipped = (down[0], across[0]), (down[1], across[1])
        else:
            change = placed(change, y, x)
        found = self._convolved(change, None, padding)
        return found[:, :, skipped[0] : skipped[0] + size[0], skipped[1] : skipped[1] + size[1]]

    def _cheaper(self, change: Tensor, y: Offset, x: Offset, size: tuple[int, int]) -> Tensor | None:
        """Return the convolution of the change by fewer multiplications, None where there are none to save."""
        rows, _, *sizes = change.shape
        channels_out, channels_in = self.weight.shape[:2]
        if y.same is not None and x.same is not None and self._three_by_three:
            down, across = winograd.along(sizes[0], y.same, size[0]), winograd.along(sizes[1], x.same, size[1])
            pairs = _pairs(y.same, sizes[0], size[0]) * _pairs(x.same, sizes[1], size[1])
            cost = winograd.cost(down, across, rows, channels_in, channels_out)
            if cost < _SAVED * winograd.plain_cost(pairs, rows, channels_in, channels_out):
                return winograd.convolved(change, self._transformed((down.middle, across.middle)), down, across)
        whole = sizes == [self.reaches[0].size_in, self.reaches[1].size_in] and size == self.shape[1:]
        return self._by_matrix(change) if whole and self._matrix is not None else None

    @property
    def _three_by_three(self) -> bool:
        plain = self.groups == 1 and self.kernels == (3, 3) and self.steps == (1, 1) and self.dilations == (1, 1)
        return plain and self.weight.dtype in (torch.float32, torch.float64)

    def _transformed(self, middle: tuple[bool, bool]) -> Tensor:
        if middle not in self._forms:
            self._forms[middle] = winograd.transformed(self.weight, middle)
        return self._forms[middle]

    @cached_property
    def _forms(self) -> dict[tuple[bool, bool], Tensor]:
        return {}

    def full(self, values: Mapping[int, Tensor], rows: int) -> Mapping[int, Tensor]:
        """Return the convolution of whole maps."""
        padding = (self.reaches[0].padding, self.reaches[1].padding)
        maps = values[self.inputs[0]]
        if self._matrix is None:
            return {self.output: self._convolved(maps, self.bias, padding)}
        found = self._by_matrix(maps)
        return {self.output: found if self.bias is None else found.add_(self.bias[:, None, None])}

    def _by_matrix(self, maps: Tensor) -> Tensor:
        assert self._matrix is not None  # the caller has asked
        found = maps.permute(0, 2, 3, 1).flatten(1) @ self._matrix
        return found.view(len(maps), *self.shape[1:], self.shape[0]).permute(0, 3, 1, 2)

    @cached_property
    def _matrix(self) -> Tensor | None:
        """The convolution as one matrix, where every output reads every pixel: nothing of it would be zero.

        Kernels slide over the padding of maps of 2 x 2 pixels most of the time; a matrix product does not.
        """
        y, x = self.reaches
        if self.groups != 1 or not (y.all_to_all and x.all_to_all) or (y.size_in, x.size_in) == (1, 1):
            return None
        channels_out, channels_in = self.weight.shape[:2]
        found = self.weight.new_empty((y.size_in, x.size_in, channels_in, y.size_out, x.size_out, channels_out))
        for i, j, m, n in np.ndindex(y.size_in, x.size_in, y.size_out, x.size_out):
            tap = self.weight[:, :, i + y.padding - m * y.stride, j + x.padding - n * x.stride]
            found[i, j, :, m, n] = tap.T
        return found.view(y.size_in * x.size_in * channels_in, -1)

    def _convolved(self, maps: Tensor, bias: Tensor | None, padding: tuple[int, int]) -> Tensor:
        # Given few small rows, torch takes kernels of its own that are several times slower than oneDNN's.
        if len(maps) < 16 and _one_dnn(maps):
            found: Tensor = torch.mkldnn_convolution(
                maps, self.weight, bias, padding, self.steps, self.dilations, self.groups
            )
            return found
        return functional.conv2d(maps, self.weight, bias, self.steps, padding, self.dilations, self.groups)

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


def _pairs(before: int, size: int, outputs: int) -> int:
    """Return the pairs of an output and a pixel of the change that a kernel of three joins, along one axis."""
    return sum(max(0, min(i + 3, before + size) - max(i, before)) for i in range(outputs))


def _one_dnn(maps: Tensor) -> bool:
    if maps.device.type != "cpu" or maps.dtype != torch.float32:
        return False
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call] # torch leaves it untyped


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
