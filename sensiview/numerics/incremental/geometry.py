"""Which part of a feature map a change reaches: exact arithmetic of receptive fields along one axis.

An interval is half open, [lo, hi), in pixels of one feature map; arrays hold one per row. A `Span` covers intervals by
windows of one size, so that rows can be computed together: what a window holds beyond its interval has not changed,
and computing it gives exactly zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """A sliding operator along one axis.

    Parameters
    ----------
    kernel, stride, padding, dilation : int
        As torch names them; a negative padding cuts off.
    size_in, size_out : int
        Pixels of the feature maps.
    """

    kernel: int
    stride: int
    padding: int
    dilation: int
    size_in: int
    size_out: int

    @property
    def extent(self) -> int:
        """Pixels from the first to the last that one output reads."""
        return self.dilation * (self.kernel - 1) + 1

    def affected(self, lo: Ints, hi: Ints) -> tuple[Ints, Ints]:
        """Return the outputs that read a pixel of [lo, hi); where there is none, one that does not."""
        first = -((self.extent - 1 - self.padding - lo) // self.stride)
        last = (hi - 1 + self.padding) // self.stride
        first = np.clip(first, 0, self.size_out - 1)
        return first, np.clip(last, first, self.size_out - 1) + 1

    def context(self, first: Ints) -> Ints:
        """Return where the pixels begin that outputs from `first` on read; it may lie in the padding."""
        return first * self.stride - self.padding

    def length(self, count: int) -> int:
        """Return the number of pixels, padding included, that `count` outputs read."""
        return (count - 1) * self.stride + self.extent

    def products(self, counts_in: Ints, counts_out: Ints) -> Floats:
        """Return about how many (output, pixel) pairs there are between windows of these sizes, (rows,)."""
        return np.minimum(counts_out * self.kernel, np.maximum(1.0, counts_in * self.kernel / self.stride))

    @property
    def all_to_all(self) -> bool:
        """Whether every output reads every pixel."""
        outputs = np.arange(self.size_out)
        first = self.context(outputs)
        reads_all = (first <= 0) & (first + self.extent >= self.size_in)
        return bool(reads_all.all()) and self.dilation == 1


@dataclass(frozen=True)
class Span:
    """Windows of one size along one axis.

    Parameters
    ----------
    size : int
    starts : ndarray
        (rows,), inside the feature map, also at its end.
    """

    size: int
    starts: Ints

    @classmethod
    def over(cls, lo: Ints, hi: Ints, limit: int) -> Span:
        """Return windows over [lo, hi) in a map of `limit` pixels, all as large as the largest needs to be."""
        size = int((hi - lo).max())
        return cls(size, np.minimum(lo, limit - size))

    def of(self, rows: Ints) -> Span:
        """Return the windows of some rows."""
        return Span(self.size, self.starts[rows])


@dataclass(frozen=True)
class Offset:
    """Where windows lie in larger or smaller ones, along one axis.

    Parameters
    ----------
    each : ndarray
        (rows,): begin of the window, counted from the begin of the other; may be negative.
    length : int
        Size of the other.
    """

    each: Ints
    length: int

    @property
    def same(self) -> int | None:
        """The offset, when all rows have the same."""
        first = int(self.each[0])
        return first if bool((self.each == first).all()) else None

    def together(self, size: int) -> tuple[Offset, Offset]:
        """Return where windows of `size` lie in windows over all of them, and where those lie in the other."""
        first, last = int(self.each.min()), int(self.each.max())
        return Offset(self.each - first, last - first + size), Offset(np.full_like(self.each, first), self.length)
