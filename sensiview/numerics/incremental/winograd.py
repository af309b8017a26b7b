"""3 x 3 convolutions with fewer multiplications, for changes alone.

Four by four outputs cost 36 products per pair of channels instead of up to 144. Rounding errors are a few times those
of the plain sum, relative to what is convolved: on a change, they stay small beside the change itself.

References
----------
Lavin and Gray (2016): Fast algorithms for convolutional neural networks. CVPR. F(4 x 4, 3 x 3).
"""

from __future__ import annotations

import torch
from torch import Tensor

TILE, READ = 4, 6
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
# Multiply-adds that could be done in the time that the transforms of one channel of a tile take. Measured.
_TRANSFORM = 5000.0


def cost(height: int, width: int, channels_in: int, channels_out: int) -> float:
    """Return the multiply-adds for so many outputs of one row, with what the transforms cost."""
    tiles = -(-height // TILE) * -(-width // TILE)
    return tiles * (READ * READ * channels_in * channels_out + _TRANSFORM * (channels_in + channels_out))


def transformed(weight: Tensor) -> Tensor:
    """Return the weights (out, in, 3, 3) in the form that `convolved` takes, (36, in, out)."""
    one = torch.tensor(_KERNEL, dtype=torch.float64, device=weight.device)
    flat = weight.permute(2, 3, 1, 0).reshape(9, -1).double()
    return (torch.kron(one, one) @ flat).to(weight.dtype).view(READ * READ, weight.shape[1], weight.shape[0])


def convolved(change: Tensor, weights: Tensor, at: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Return the convolution of `change` surrounded by zeros.

    Parameters
    ----------
    change : Tensor
        (rows, in, h, w).
    weights : Tensor
        From `transformed`.
    at : tuple of int
        Where the change begins in what the outputs read; not negative.
    size : tuple of int
        Outputs down and across; they read two pixels more.

    Returns
    -------
    Tensor
        (rows, out, *size), rows and channels last in memory.
    """
    n, channels, h, w = change.shape
    down, across = -(-size[0] // TILE), -(-size[1] // TILE)
    shape = (TILE * down + READ - TILE, TILE * across + READ - TILE)
    wide = change.new_zeros((*shape, n, channels))
    wide[at[0] : at[0] + h, at[1] : at[1] + w] = change.permute(2, 3, 0, 1)
    tiles = wide.unfold(0, READ, TILE).unfold(1, READ, TILE).permute(4, 5, 0, 1, 2, 3)
    seen = _both(_INPUT, change) @ tiles.reshape(READ * READ, -1)
    products = torch.bmm(seen.view(READ * READ, down * across * n, channels), weights)
    found = _both(_OUTPUT, change) @ products.view(READ * READ, -1)
    out = found.view(TILE, TILE, down, across, n, -1)
    if down > 1 or across > 1:
        out = out.permute(2, 0, 3, 1, 4, 5)
    out = out.reshape(TILE * down, TILE * across, n, -1)
    return out[: size[0], : size[1]].permute(2, 3, 0, 1)


def _both(matrix: tuple[tuple[int, ...], ...], like: Tensor) -> Tensor:
    """Return the transform down and across as one matrix."""
    one = torch.tensor(matrix, dtype=like.dtype, device=like.device)
    return torch.kron(one, one)
