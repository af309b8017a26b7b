"""The coarse grid on which a mask is optimised, and the way from it to the input's voxels and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.errors import UserError

Affine = npt.NDArray[np.float64]


class MaskGrid:
    """Nodes at every `factor`-th voxel, linear in between (trilinear for volumes, bilinear for images).

    The nodes are centred on the input and reach to its borders or a little beyond, so every voxel lies between nodes
    and its weights sum to 1: values of nodes in [0, 1] give voxels in [0, 1].

    Interpolation along one axis is a product with a small matrix, so `to_voxels` is one product per axis, and
    `to_nodes`, its exact transpose, another. On a GPU this is deterministic, where the backward pass of torch's own
    interpolation adds in any order.

    Parameters
    ----------
    shape : sequence of int
        Of the input, one number per spatial axis.
    factors : sequence of float
        Voxels between two nodes along each axis, at least 1. With 1 the nodes are the voxels.

    Attributes
    ----------
    nodes : tuple of int
        Number of nodes along each axis.
    """

    def __init__(
        self,
        shape: Sequence[int],
        factors: Sequence[float],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        # An axis of one voxel has nothing in between.
        self.factors = tuple(
            1.0 if n == 1 else min(float(f), float(n - 1)) for n, f in zip(self.shape, factors, strict=True)
        )
        self.nodes = tuple(math.ceil((n - 1) / f - 1e-9) + 1 for n, f in zip(self.shape, self.factors, strict=True))
        self.offsets = tuple(
            (n - 1 - (k - 1) * f) / 2 for n, k, f in zip(self.shape, self.nodes, self.factors, strict=True)
        )
        self._matrices: list[Tensor | None] = [
            None if f == 1.0 else torch.from_numpy(_weights(n, k, f, o)).to(device=device, dtype=dtype)
            for n, k, f, o in zip(self.shape, self.nodes, self.factors, self.offsets, strict=True)
        ]

    def to_voxels(self, nodes: Tensor) -> Tensor:
        """Return values of nodes (n, *nodes) at every voxel, (n, *shape)."""
        return self._along_axes(nodes, transposed=False)

    def to_nodes(self, voxels: Tensor) -> Tensor:
        """Return the transpose of `to_voxels`: what a gradient with respect to voxels is with respect to nodes."""
        return self._along_axes(voxels, transposed=True)

    def _along_axes(self, values: Tensor, *, transposed: bool) -> Tensor:
        # On the way up the last axis grows last, on the way down it shrinks first: the products stay small.
        axes = range(len(self._matrices)) if not transposed else range(len(self._matrices) - 1, -1, -1)
        for axis in axes:
            matrix = self._matrices[axis]
            if matrix is not None:
                values = _product(values, matrix.T if transposed else matrix, axis + 1)
        return values

    def affine(self, affine: Affine) -> Affine:
        """Return node to mm, (4, 4), from the input's voxel to mm."""
        step = np.diag([*self.factors, 1.0])
        step[:3, 3] = self.offsets
        return np.asarray(affine @ step, dtype=np.float64)

    def moved_to(self, other: MaskGrid, nodes: Tensor) -> Tensor:
        """Return values of these nodes, (n, *nodes), at the nodes of another grid over the same input."""
        for axis, (count, factor, offset) in enumerate(zip(self.nodes, self.factors, self.offsets, strict=True)):
            places = other.offsets[axis] + other.factors[axis] * np.arange(other.nodes[axis])
            places = np.clip(places, offset, offset + (count - 1) * factor)
            matrix = torch.from_numpy(_weights_at(places, count, factor, offset)).to(nodes)
            nodes = _product(nodes, matrix, axis + 1)
        return nodes


_AUTO_MM = 9.0


def spacing_factors(grid_spacing: float | str, unit: str, spacing: Sequence[float]) -> tuple[float, ...]:
    """Return how many voxels lie between two nodes along each axis, never less than one.

    Parameters
    ----------
    grid_spacing : float
        Distance of nodes.
    unit : str
        ``voxels`` or ``mm``.
    spacing : sequence of float
        Of the input's voxels, mm.

    Raises
    ------
    UserError
        Not above 0.
    """
    if isinstance(grid_spacing, str):
        # Nine millimetres are a third of the resolution of 3 mm maps; coarser data have fewer voxels to spare, and a
        # mask between their voxels runs into the regions beside.
        return tuple(float(min(3, max(1, math.floor(_AUTO_MM / float(mm) + 1e-6)))) for mm in spacing)
    if not (math.isfinite(grid_spacing) and grid_spacing > 0):
        raise UserError(f"The mask's grid spacing is {grid_spacing:g}; it must be above 0.")
    if unit == "voxels":
        return tuple(max(1.0, float(grid_spacing)) for _ in spacing)
    return tuple(max(1.0, float(grid_spacing) / float(mm)) for mm in spacing)


def _product(values: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """Multiply along one axis: (..., k, ...) by (n, k) gives (..., n, ...)."""
    if axis == values.ndim - 1:
        return values @ matrix.T
    before, after = values.shape[:axis], values.shape[axis + 1 :]
    flat = values.reshape(math.prod(before), values.shape[axis], math.prod(after))
    return torch.matmul(matrix, flat).reshape(*before, matrix.shape[0], *after)


def _weights(size: int, nodes: int, factor: float, offset: float) -> npt.NDArray[np.float64]:
    return _weights_at(np.arange(size, dtype=np.float64), nodes, factor, offset)


def _weights_at(places: npt.NDArray[np.float64], nodes: int, factor: float, offset: float) -> npt.NDArray[np.float64]:
    """Return (places, nodes): how much each node counts at each place, in voxels; rows sum to 1."""
    matrix = np.zeros((len(places), nodes))
    if nodes == 1:
        matrix[:] = 1.0
        return matrix
    along = (places - offset) / factor
    left = np.clip(np.floor(along + 1e-9).astype(np.int64), 0, nodes - 2)
    right_weight = np.clip(along - left, 0.0, 1.0)
    rows = np.arange(len(places))
    matrix[rows, left] = 1.0 - right_weight
    matrix[rows, left + 1] += right_weight
    return matrix
