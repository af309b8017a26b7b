"""The two terms that keep a mask small and connected, with their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Normalisation = Literal["mean", "sum"]


@dataclass(frozen=True)
class Weights:
    """Weights and exponents of the two terms, as in the objective of `mask_optimization`.

    ``lambda_1 * sum|1 - m|^beta_1 + lambda_2 * sum|grad m|^beta_2`` with `normalisation` ``sum``; with ``mean`` both
    sums are divided by the number of voxels that may be masked.
    """

    lambda_1: float
    lambda_2: float
    beta_1: float = 1.0
    beta_2: float = 3.0
    normalisation: Normalisation = "mean"


class MaskTerms:
    """Area and smoothness of covers c = 1 - m over the voxels that may be masked.

    The gradient of m is taken by forward differences between neighbouring voxels along each axis, both of which may be
    masked, in units of 1 per voxel; ``|grad m|^b`` is the sum of its components' powers (the norm of Fong & Vedaldi
    2017, equation 4, taken over all components). The border of the region costs nothing.

    Gradients are written down, not traced: both terms take a handful of passes over the voxels and no memory besides
    one axis's differences.

    Parameters
    ----------
    region : Tensor
        (n, *shape), bool; n masks, or one region for all (n = 1). Where a voxel may be masked.
    weights : Weights
    """

    def __init__(self, region: Tensor, weights: Weights) -> None:
        self.region = region
        self.weights = weights
        self.counts = region.flatten(1).sum(dim=1).clamp_min(1)
        divide = self.counts if weights.normalisation == "mean" else torch.ones_like(self.counts)
        self._area_scale = weights.lambda_1 / divide.to(torch.float64)
        self._smooth_scale = weights.lambda_2 / divide.to(torch.float64)
        self._pairs = [_pairs(region, axis) for axis in range(1, region.ndim)] if weights.lambda_2 else []

    def restricted(self, keep: Tensor) -> MaskTerms:
        """Return the terms of some of the masks (bool (n,))."""
        return self if len(self.region) == 1 else MaskTerms(self.region[keep], self.weights)

    def add(self, cover: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Add the gradient of both terms with respect to the cover to `gradient`, in place; return their values.

        Parameters
        ----------
        cover : Tensor
            (n, *shape), 0 outside the region.
        gradient : Tensor
            (n, *shape). Outside the region it is left as it is.

        Returns
        -------
        area, smoothness : Tensor
            (n,), float64, weighted by lambda: what they add to the objective.
        """
        area = self._area(cover, gradient)
        smoothness = torch.zeros_like(area)
        for axis, pairs in enumerate(self._pairs, start=1):
            smoothness += self._differences(cover, gradient, pairs, axis)
        return area, smoothness

    def _area(self, cover: Tensor, gradient: Tensor) -> Tensor:
        beta, scale = self.weights.beta_1, self._area_scale
        if not self.weights.lambda_1:
            return torch.zeros(len(cover), dtype=torch.float64, device=cover.device)
        if beta == 1.0:
            gradient.add_(_spread(scale, cover))
            return cover.flatten(1).sum(dim=1, dtype=torch.float64) * scale
        slope = _power(cover, beta - 1)
        value = (slope * cover).flatten(1).sum(dim=1, dtype=torch.float64) * scale
        gradient.add_(slope.mul_(_spread(beta * scale, cover)))
        return value

    def _differences(self, cover: Tensor, gradient: Tensor, pairs: Tensor, axis: int) -> Tensor:
        beta, scale = self.weights.beta_2, self._smooth_scale
        size = cover.shape[axis] - 1
        if size == 0:
            return torch.zeros(len(cover), dtype=torch.float64, device=cover.device)
        step = cover.narrow(axis, 1, size) - cover.narrow(axis, 0, size)
        step.mul_(pairs)
        value: Tensor
        if beta == 2.0:
            value = torch.linalg.vector_norm(step.flatten(1), dim=1, dtype=torch.float64) ** 2
        elif beta == 1.0:
            value = step.flatten(1).abs().sum(dim=1, dtype=torch.float64)
            step.sign_()
        else:
            size_of_step = step.abs()
            slope = _power(size_of_step, beta - 1)
            value = (slope * size_of_step).flatten(1).sum(dim=1, dtype=torch.float64)
            step.sign_().mul_(slope)
        step.mul_(_spread(beta * scale, cover))
        gradient.narrow(axis, 1, size).add_(step)
        gradient.narrow(axis, 0, size).sub_(step)
        return value * scale


def _pairs(region: Tensor, axis: int) -> Tensor:
    """Return where both neighbours along an axis may be masked, as bool."""
    size = region.shape[axis] - 1
    return region.narrow(axis, 1, size) & region.narrow(axis, 0, size)


def _power(values: Tensor, exponent: float) -> Tensor:
    """Return values >= 0 to a power; powers below 0 are 0 at 0, where the term has its least subgradient."""
    if exponent == 1.0:
        return values.clone()
    if exponent == 2.0:
        return torch.square(values)
    if exponent >= 0:
        return torch.pow(values, exponent)
    return torch.where(values > 0, values.clamp_min(1e-6).pow(exponent), 0.0)


def _spread(scale: Tensor, cover: Tensor) -> Tensor:
    """Return one number per mask in the shape of masks."""
    return scale.to(cover.dtype).reshape(-1, *([1] * (cover.ndim - 1)))
