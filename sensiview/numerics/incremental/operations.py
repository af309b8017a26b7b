"""What each operator of a network does with a change that lies in a window.

A change is the new value minus the base's. Linear operators pass it on without looking at the base; others ask for the
base in a window. Every operator can also compute whole feature maps (`full`), which is ordinary inference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from sensiview.numerics.incremental.geometry import Floats, Ints, Offset, Span
from sensiview.numerics.incremental.placing import Place, placed
from sensiview.numerics.incremental.recording import Call, filled, tensors_of
from sensiview.numerics.incremental.tangents import derivative

Interval = tuple[Ints, Ints]
Axis = int  # 0: down the rows of pixels, 1: across


class Frame(Protocol):
    """What an operator may ask for while it computes on windows.

    Attributes
    ----------
    places : dict
        Where the change of each value lies.
    tangent : bool
        Changes are derivatives along a direction.
    lenient : bool
        Rounding errors may be some times larger than those of whole inference, relative to the change.
    """

    places: Mapping[int, Place]
    tangent: bool
    lenient: bool

    def base(self, value: int, place: Place, like: Tensor) -> Tensor:
        """Return the base's feature maps in windows, (rows or 1, channels, ...), in memory as `like` where they can be.

        They are not to be written to.
        """


@dataclass(frozen=True, eq=False)
class Operation(ABC):
    """One step of a network.

    Parameters
    ----------
    call : Call
        As it was recorded.
    inputs : tuple of int
        Values that it reads.
    output : int
    shape : tuple of int
        Of the output, without the rows.
    """

    # Computes each pixel from the same pixel alone.
    local: ClassVar[bool] = False
    # Reads the base's values of its first input.
    reads: ClassVar[bool] = True
    windowed: ClassVar[bool] = True

    call: Call
    inputs: tuple[int, ...]
    output: int
    shape: tuple[int, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """All values that it gives."""
        return (self.output,)

    @property
    def work(self) -> float:
        """Multiply-adds of whole maps per row, where that counts."""
        return 0.0

    def share(self, axis: Axis, counts_in: Ints, counts_out: Ints) -> Floats:
        """Return the part of `work` along one axis that windows of these sizes need, about, (rows,)."""
        return counts_out / self.shape[1 + axis]

    def affected(self, axis: Axis, intervals: Sequence[Interval]) -> Interval:
        """Return the outputs that a change in these intervals of the inputs can reach."""
        lo, hi = intervals[0]
        for other_lo, other_hi in intervals[1:]:
            lo, hi = np.minimum(lo, other_lo), np.maximum(hi, other_hi)
        return lo, hi

    @abstractmethod
    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the change of the output in ``frame.places[self.output]``."""

    def full(self, values: Mapping[int, Tensor], rows: int) -> Mapping[int, Tensor]:
        """Return the outputs on whole maps."""
        return {self.output: next(iter(tensors_of(filled(self.call, values, rows))))}


class Whole(Operation):
    """Anything that is computed on whole values only."""

    windowed: ClassVar[bool] = False

    @property
    def outputs(self) -> tuple[int, ...]:
        """All values that it gives."""
        return self.call.outputs

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Not for windows."""
        raise AssertionError(f"{self.call.name} is computed on whole values")

    def full(self, values: Mapping[int, Tensor], rows: int) -> Mapping[int, Tensor]:
        """Return the outputs."""
        return dict(zip(self.call.outputs, tensors_of(filled(self.call, values, rows)), strict=True))


class Pointwise(Operation):
    """A nonlinear function of each pixel: an activation."""

    local: ClassVar[bool] = True

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """f(base + change) - f(base), or f'(base) times the change."""
        base = frame.base(self.inputs[0], frame.places[self.output], changes[0])
        rectifier = self.call.name == "relu"
        if frame.tangent:
            if rectifier:
                return changes[0] * (base > 0)
            return derivative(lambda z: self.full({self.inputs[0]: z}, len(z))[self.output], base, changes[0])
        moved = changes[0] + base
        if rectifier:
            return moved.relu_().sub_(base.relu())
        before = self.full({self.inputs[0]: base}, len(base))[self.output]
        return self.full({self.inputs[0]: moved}, len(moved))[self.output] - before


class Scaled(Operation):
    """A multiplication of each channel; the change takes part in it, nothing else does."""

    local: ClassVar[bool] = True
    reads: ClassVar[bool] = False

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the product."""
        return self.full({self.inputs[0]: changes[0]}, len(changes[0]))[self.output]


@dataclass(frozen=True, eq=False)
class Normalised(Operation):
    """Batch norm with fixed statistics: each channel times `scale` plus `shift`."""

    local: ClassVar[bool] = True
    reads: ClassVar[bool] = False

    scale: Tensor
    shift: Tensor

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """The shift has no part in a change."""
        return changes[0] * self.scale[:, None, None]


class Shifted(Operation):
    """An addition of a constant: the change goes through as it is."""

    local: ClassVar[bool] = True
    reads: ClassVar[bool] = False

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Return the change."""
        return changes[0]


def _aligned(change: Tensor, place: Place, onto: Place) -> Tensor:
    def offset(inner: Span, outer: Span) -> Offset:
        return Offset(inner.starts - outer.starts, outer.size)

    return placed(change, offset(place.y, onto.y), offset(place.x, onto.x))


@dataclass(frozen=True, eq=False)
class Sum(Operation):
    """The sum of two feature maps, the second times a factor: where branches meet."""

    reads: ClassVar[bool] = False

    factor: float

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Sum on the windows that hold both."""
        onto = frame.places[self.output]
        one, other = (
            _aligned(change, frame.places[number], onto) for number, change in zip(self.inputs, changes, strict=True)
        )
        return torch.add(one, other, alpha=self.factor)


class Joined(Operation):
    """Feature maps one after the other along the channels."""

    reads: ClassVar[bool] = False

    def change(self, frame: Frame, changes: Sequence[Tensor]) -> Tensor:
        """Join on the windows that hold all."""
        onto = frame.places[self.output]
        parts = zip(self.inputs, changes, strict=True)
        return torch.cat([_aligned(change, frame.places[number], onto) for number, change in parts], dim=1)
