"""Area and smoothness of a mask against the formula, their gradients against automatic differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from sensiview.numerics.mask_terms import MaskTerms, Weights


def _direct(mask: Any, region: Any, weights: Weights) -> tuple[float, float]:
    """The printed formula for one mask, in numpy, voxel pairs inside the region only."""
    area = (np.abs(1 - mask[region]) ** weights.beta_1).sum()
    smooth = 0.0
    for axis in range(mask.ndim):
        both = np.logical_and(
            np.take(region, range(1, mask.shape[axis]), axis), np.take(region, range(mask.shape[axis] - 1), axis)
        )
        smooth += (np.abs(np.diff(mask, axis=axis))[both] ** weights.beta_2).sum()
    n = region.sum() if weights.normalisation == "mean" else 1
    return weights.lambda_1 * area / n, weights.lambda_2 * smooth / n


def _case(shape: tuple[int, ...], n: int = 2) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    region = random.random((n, *shape)) < 0.7
    cover = random.random((n, *shape)) * region
    return torch.from_numpy(cover), torch.from_numpy(region)


@pytest.mark.parametrize("normalisation", ["mean", "sum"])
@pytest.mark.parametrize("betas", [(1.0, 3.0), (2.0, 2.0), (1.5, 1.0), (0.7, 2.5)])
@pytest.mark.parametrize("shape", [(5, 6, 4), (7, 8)])
def test_that_the_terms_are_those_of_the_formula(shape: Any, betas: Any, normalisation: Any) -> None:
    cover, region = _case(shape)
    weights = Weights(0.8, 0.3, *betas, normalisation)
    area, smooth = MaskTerms(region, weights).add(cover, torch.zeros_like(cover))
    for i in range(len(cover)):
        expected = _direct(1 - cover[i].numpy(), region[i].numpy(), weights)
        assert (area[i].item(), smooth[i].item()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("betas", [(1.0, 3.0), (2.0, 2.0), (1.5, 2.5)])
def test_that_the_gradients_are_those_of_automatic_differentiation(betas: Any) -> None:
    cover, region = _case((5, 6, 4))
    weights = Weights(0.8, 0.3, *betas)
    gradient = torch.zeros_like(cover)
    MaskTerms(region, weights).add(cover, gradient)
    tracked = cover.clone().requires_grad_()
    n = region.flatten(1).sum(dim=1)
    total = (0.8 * (tracked ** betas[0] * region).flatten(1).sum(dim=1) / n).sum()
    for axis in (1, 2, 3):
        both = region.narrow(axis, 1, region.shape[axis] - 1) & region.narrow(axis, 0, region.shape[axis] - 1)
        step = tracked.diff(dim=axis).abs() ** betas[1] * both
        total = total + (0.3 * step.flatten(1).sum(dim=1) / n).sum()
    (expected,) = torch.autograd.grad(total, tracked)
    assert torch.abs(gradient - expected)[region].max() < 1e-12


def test_that_weights_of_zero_cost_nothing_and_move_nothing() -> None:
    cover, region = _case((4, 4, 4))
    gradient = torch.zeros_like(cover)
    area, smooth = MaskTerms(region, Weights(0.0, 0.0)).add(cover, gradient)
    assert area.tolist() == smooth.tolist() == [0.0, 0.0]
    assert not gradient.any()


def test_that_one_region_serves_several_masks() -> None:
    cover, region = _case((4, 5, 3), n=1)
    both = torch.cat([cover, cover])
    area, _ = MaskTerms(region, Weights(1.0, 1.0)).add(both, torch.zeros_like(both))
    assert area[0] == area[1]
