"""3 x 3 convolutions of changes with fewer multiplications.

A change is a block of pixels with zeros around it. Along one axis a block of s pixels reaches s + 2 outputs, and s + 2
products of pixels with weights are enough for all of them (Toom-Cook; fewer are not, Winograd 1980). Down and across,
4 x 4 pixels cost 36 products per pair of channels in place of up to 144. Longer blocks are cut into pieces of up to
four pixels, whose outputs overlap and are added up. Rounding errors are a few times those of the plain sum, relative
to what is convolved: on a change they stay small beside the change itself.

References
----------
Lavin and Gray (2016): Fast algorithms for convolutional neural networks. CVPR. Their F(4 x 4, 3 x 3) is the transpose
of what is done here, with the same points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.polynomial import polynomial
from torch import Tensor

from sensiview.numerics.incremental.geometry import Floats

# Where the polynomials of pixels and weights are multiplied, after the point at infinity. More points would save more
# and round worse. A shorter piece takes the first of them, so that one set of transformed weights serves all.
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0)
_LONGEST = len(_POINTS) - 1
# Multiply-adds that could be done in the time in which a transform reads or writes a number, or a product reads a
# weight, and those in the time that one call of torch takes. Measured.
_MOVED, _CALL = 20.0, 2e5
# Numbers in one array of transformed pixels, on a CPU: larger ones leave its cache, and memory from the system for
# each of them costs more than the transform.
_NUMBERS = 4e6


@dataclass(frozen=True)
class Piece:
    """Pixels that are transformed together.

    Parameters
    ----------
    pixels, outputs : slice
        Of the block, and what they reach.
    read : Tensor
        (points, pixels), float64: from pixels to factors.
    made : Tensor
        (outputs, points), float64: from products to outputs.
    """

    pixels: slice
    outputs: slice
    read: Tensor
    made: Tensor


@dataclass(frozen=True)
class Along:
    """How one axis is computed.

    Parameters
    ----------
    size, outputs : int
        Pixels of the block; outputs that are wanted.
    points : int
        Products per piece.
    pieces : tuple of Piece
    middle : bool
        Two pixels to the two outputs in the middle of the four that they reach, which takes three products.
    """

    size: int
    outputs: int
    points: int
    pieces: tuple[Piece, ...]
    middle: bool = False

    @cached_property
    def products(self) -> int:
        """Products per pair of channels."""
        return self.points * len(self.pieces)

    @cached_property
    def alone(self) -> bool:
        """Whether one piece makes every output."""
        return len(self.pieces) == 1 and self.pieces[0].outputs == slice(0, self.outputs)


@lru_cache(maxsize=1024)
def along(size: int, at: int, outputs: int) -> Along:
    """Return how to compute an axis.

    Parameters
    ----------
    size : int
        Pixels of the block.
    at : int
        Where it begins in what the outputs read; the first output reads the first three pixels of that.
    outputs : int
    """
    if (size, at, outputs) == (2, 1, 2):
        read, made = torch.tensor([[1.0, 1], [0, 1], [1, 0]]), torch.tensor([[1.0, 1, 0], [1, 0, 1]])
        return Along(2, 2, 3, (Piece(slice(0, 2), slice(0, 2), read.double(), made.double()),), middle=True)
    count = -(-size // _LONGEST)
    length = -(-size // count)
    points = length + 2
    read, made = (torch.from_numpy(matrix) for matrix in _multiplication(length))
    pieces = []
    for first in range(0, size, length):
        last = min(first + length, size)
        # The output that reads the piece's first pixel last, of those before it.
        begin = first + at - 2
        reached = slice(max(0, begin), min(outputs, begin + last - first + 2))
        if reached.start < reached.stop:
            rows = made[reached.start - begin : reached.stop - begin]
            pieces.append(Piece(slice(first, last), reached, read[:, : last - first], rows))
    return Along(size, outputs, points, tuple(pieces))


def _multiplication(length: int) -> tuple[Floats, Floats]:
    """Return the matrices that evaluate a polynomial of `length` coefficients, and interpolate one of two more."""
    points = _POINTS[: length + 1]
    read, made = np.zeros((length + 2, length)), np.zeros((length + 2, length + 2))
    read[0, -1] = 1
    made[:, 0] = polynomial.polyfromroots(points)
    for i, point in enumerate(points, start=1):
        others = [other for other in points if other != point]
        read[i] = point ** np.arange(length)
        made[:-1, i] = polynomial.polyfromroots(others) / np.prod([point - other for other in others])
    return read, made


def _weighing(middle: bool) -> Tensor:
    """Return the matrix from the three weights along an axis to their factors."""
    if middle:
        return torch.tensor([[0.0, 1, 0], [0, -1, 1], [1, -1, 0]], dtype=torch.float64)
    # The first weight meets the pixel before an output: it is the coefficient of the highest power.
    rows = [[1.0, 0.0, 0.0], *([point**2, point, 1.0] for point in _POINTS)]
    return torch.tensor(rows, dtype=torch.float64)


def transformed(weight: Tensor, middle: tuple[bool, bool]) -> Tensor:
    """Return the weights (out, in, 3, 3) in the form that `convolved` takes, (points, points, in, out).

    Parameters
    ----------
    weight : Tensor
    middle : tuple of bool
        Of the axes that they are for, `Along.middle`.
    """
    down, across = (_weighing(one).to(weight.device) for one in middle)
    flat = weight.permute(2, 3, 1, 0).reshape(9, -1).double()
    made = (torch.kron(down, across) @ flat).to(weight.dtype)
    return made.view(len(down), len(across), weight.shape[1], weight.shape[0])


def cost(down: Along, across: Along, rows: int, channels_in: int, channels_out: int) -> float:
    """Return the multiply-adds for so many rows, with those that could be done in the time that the transforms take."""
    products = down.products * across.products
    read = down.size * across.size + 2 * down.products * across.size + products
    made = products + 2 * down.products * across.outputs + down.outputs * across.outputs
    per_row = products * channels_in * channels_out + _MOVED * (read * channels_in + made * channels_out)
    times = len(down.pieces) * -(-rows // _at_once(down, across, channels_in, channels_out))
    weights = down.points * across.points * channels_in * channels_out
    calls = 2 + down.points + 2 * len(across.pieces)
    return rows * per_row + times * (_MOVED * weights + _CALL * calls)


def plain_cost(pairs: int, rows: int, channels_in: int, channels_out: int) -> float:
    """Return the same of the plain convolution, with so many pairs of a pixel and an output down and across."""
    return (rows * pairs + _MOVED * 9) * channels_in * channels_out


def _at_once(down: Along, across: Along, channels_in: int, channels_out: int) -> int:
    return max(1, int(_NUMBERS / (down.points * across.products * max(channels_in, channels_out))))


def convolved(change: Tensor, weights: Tensor, down: Along, across: Along) -> Tensor:
    """Return the convolution of `change` surrounded by zeros.

    Parameters
    ----------
    change : Tensor
        (rows, in, h, w); fastest with rows and channels last in memory.
    weights : Tensor
        From `transformed`.
    down, across : Along

    Returns
    -------
    Tensor
        (rows, out, down.outputs, across.outputs), rows and channels last in memory.
    """
    block = change.permute(2, 3, 0, 1)
    rows = len(change)
    at_once = _at_once(down, across, *weights.shape[2:]) if change.device.type == "cpu" else rows
    if rows <= at_once:
        return _convolved(block.contiguous(), weights, down, across).permute(2, 3, 0, 1)
    parts = block.tensor_split(-(-rows // at_once), dim=2)
    found = [_convolved(part.contiguous(), weights, down, across) for part in parts]
    return torch.cat(found, dim=2).permute(2, 3, 0, 1)


def _convolved(block: Tensor, weights: Tensor, down: Along, across: Along) -> Tensor:
    """Return the convolution of (h, w, rows, in) as (down.outputs, across.outputs, rows, out)."""
    _, width, rows, channels = block.shape
    channels_out = weights.shape[-1]
    found = _empty(block, (down.outputs, across.outputs, rows, channels_out), down)
    for piece in down.pieces:
        factors = piece.read.to(block) @ block[piece.pixels].view(piece.read.shape[1], -1)
        factors = factors.view(down.points, width, -1)
        seen = block.new_empty((down.points, across.points, len(across.pieces), rows * channels))
        for j, other in enumerate(across.pieces):
            read = other.read.to(block).expand(down.points, *other.read.shape)
            torch.bmm(read, factors[:, other.pixels], out=seen[:, :, j])
        products = block.new_empty((down.points, across.points, len(across.pieces), rows * channels_out))
        _multiply(seen, weights[: down.points, : across.points], products)
        summed = _empty(block, (down.points, across.outputs, rows * channels_out), across)
        for j, other in enumerate(across.pieces):
            made, out = other.made.to(block).expand(down.points, *other.made.shape), summed[:, other.outputs]
            torch.baddbmm(out, made, products[:, :, j], beta=0 if across.alone else 1, out=out)
        out = found[piece.outputs].flatten(1)
        torch.addmm(out, piece.made.to(block), summed.flatten(1), beta=0 if down.alone else 1, out=out)
    return found


def _multiply(seen: Tensor, weights: Tensor, products: Tensor) -> None:
    """Multiply (points, points, ...) pixels with (points, points, in, out) weights: in one call where all are taken."""
    points, channels, channels_out = weights.shape[1:]
    if weights.is_contiguous():
        count = len(seen) * points
        out = products.view(count, -1, channels_out)
        torch.bmm(seen.view(count, -1, channels), weights.flatten(0, 1), out=out)
        return
    for some, weight, out in zip(seen, weights, products, strict=True):
        torch.bmm(some.view(points, -1, channels), weight, out=out.view(points, -1, channels_out))


def _empty(like: Tensor, shape: tuple[int, ...], axis: Along) -> Tensor:
    """Return an array to add pieces into; its values don't matter where one piece makes all of it."""
    return like.new_empty(shape) if axis.alone else like.new_zeros(shape)
