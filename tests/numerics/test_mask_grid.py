"""The mask's own grid: linear in between, its transpose, and where its nodes lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sensiview.errors import UserError
from sensiview.numerics.mask_grid import MaskGrid, spacing_factors


@pytest.mark.parametrize("shape", [(9, 7, 5), (61, 73, 61), (12, 10)])
@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0, 2.5])
def test_that_a_linear_function_of_the_nodes_is_linear_in_the_voxels(shape: tuple[int, ...], factor: float) -> None:
    grid = MaskGrid(shape, [factor] * len(shape), dtype=torch.float64)
    nodes = [o + f * np.arange(k) for o, f, k in zip(grid.offsets, grid.factors, grid.nodes, strict=True)]
    slopes = 1.0 + np.arange(len(shape))
    at_nodes = sum(s * m for s, m in zip(slopes, np.meshgrid(*nodes, indexing="ij"), strict=True))
    expected = sum(s * m for s, m in zip(slopes, np.indices(shape), strict=True))
    found = grid.to_voxels(torch.from_numpy(at_nodes)[None])[0].numpy()
    assert np.abs(found - expected).max() < 1e-10


def test_that_voxels_agree_with_the_interpolation_of_torch_where_both_have_nodes_at_the_borders() -> None:
    grid = MaskGrid((13, 10, 7), [3.0, 3.0, 3.0])
    nodes = torch.rand(2, *grid.nodes, generator=torch.Generator().manual_seed(1))
    peer = torch.nn.functional.interpolate(nodes[:, None], size=grid.shape, mode="trilinear", align_corners=True)[:, 0]
    assert torch.abs(grid.to_voxels(nodes) - peer).max() < 1e-6


def test_that_the_way_to_the_nodes_is_the_transpose_of_the_way_to_the_voxels() -> None:
    random = torch.Generator().manual_seed(2)
    grid = MaskGrid((9, 14, 6), [2.0, 3.5, 2.0], dtype=torch.float64)
    nodes = torch.rand(3, *grid.nodes, generator=random, dtype=torch.float64)
    voxels = torch.rand(3, *grid.shape, generator=random, dtype=torch.float64)
    assert torch.isclose((grid.to_voxels(nodes) * voxels).sum(), (nodes * grid.to_nodes(voxels)).sum(), rtol=1e-12)


def test_that_values_between_0_and_1_stay_there() -> None:
    grid = MaskGrid((61, 73, 61), [3.0, 4.0, 2.7])
    ones = grid.to_voxels(torch.ones(1, *grid.nodes))
    assert torch.abs(ones - 1).max() < 1e-6


def test_that_a_factor_of_one_has_the_voxels_as_nodes() -> None:
    grid = MaskGrid((4, 5, 6), [1.0, 1.0, 1.0])
    values = torch.rand(1, 4, 5, 6)
    assert grid.nodes == (4, 5, 6)
    assert torch.equal(grid.to_voxels(values), values)


def test_that_an_axis_of_one_voxel_and_a_factor_larger_than_the_volume_are_no_trouble() -> None:
    grid = MaskGrid((1, 5, 4), [3.0, 100.0, 3.0])
    assert grid.nodes[:2] == (1, 2)
    assert torch.allclose(grid.to_voxels(torch.ones(1, *grid.nodes)), torch.ones(1, 1, 5, 4))


def test_that_the_affine_of_the_nodes_puts_a_node_where_its_voxel_lies() -> None:
    affine = np.array([[0, -3.0, 0, 90], [2, 0, 0, -126], [0, 0, 4, -72], [0, 0, 0, 1]])
    grid = MaskGrid((10, 12, 7), [3.0, 3.0, 3.0])
    node = np.array([2, 1, 1, 1.0])
    voxel = np.array([*(o + f * n for o, f, n in zip(grid.offsets, grid.factors, node, strict=False)), 1.0])
    assert np.allclose(grid.affine(affine) @ node, affine @ voxel)


def test_that_a_finer_grid_takes_over_a_coarser_mask_without_changing_it() -> None:
    coarse, fine = MaskGrid((25, 25, 25), [6.0] * 3), MaskGrid((25, 25, 25), [3.0] * 3)
    nodes = torch.rand(1, *coarse.nodes)
    assert torch.allclose(fine.to_voxels(coarse.moved_to(fine, nodes)), coarse.to_voxels(nodes), atol=1e-6)


def test_that_a_spacing_in_mm_is_divided_by_that_of_the_voxels_and_never_finer() -> None:
    assert spacing_factors(6.0, "mm", (2.0, 3.0, 12.0)) == (3.0, 2.0, 1.0)
    assert spacing_factors(3.0, "voxels", (2.0, 3.0, 12.0)) == (3.0, 3.0, 3.0)
    with pytest.raises(UserError, match="above 0"):
        spacing_factors(0.0, "voxels", (1.0, 1.0, 1.0))


def test_that_automatic_nodes_are_whole_voxels_within_nine_millimetres_and_three_voxels() -> None:
    assert spacing_factors("auto", "voxels", (1.0, 3.0, 4.0)) == (3.0, 3.0, 2.0)
    assert spacing_factors("auto", "voxels", (4.5, 6.0, 12.0)) == (2.0, 1.0, 1.0)
