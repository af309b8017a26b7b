"""Occlusion against Captum, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor

from sensiview.errors import UserError
from sensiview.numerics.occlusion_windows import Regions, Windows, perturbed
from sensiview.numerics.window_sizes import in_voxels, window_counts, window_sizes, window_starts


def scores(rows: Tensor) -> Tensor:
    """Two nonlinear scores of rows of any shape."""
    flat = rows.flatten(1)
    ramp = torch.linspace(-1, 1, flat.shape[1], dtype=flat.dtype)
    return torch.stack([torch.tanh(flat @ ramp / 3), (flat**2).mean(dim=1)], dim=1)


@pytest.mark.parametrize(
    "shape, window, stride",
    [
        ((7, 6, 5), (3, 2, 2), (2, 1, 2)),
        ((7, 6, 5), (3, 3, 3), (3, 3, 3)),
        ((7, 6, 5), (7, 6, 5), (9, 9, 9)),
        ((8, 9), (4, 3), (3, 2)),
        ((13,), (5,), (4,)),
    ],
)
def test_that_the_map_equals_captum(shape: tuple[int, ...], window: tuple[int, ...], stride: tuple[int, ...]) -> None:
    base = torch.randn((1, 1, *shape), generator=torch.Generator().manual_seed(1))
    fill = torch.full_like(base, 0.3)
    windows = Windows(shape, window, stride)
    after = scores(perturbed(base, fill, windows, range(len(windows))))
    found = windows.spread((scores(base) - after).double().numpy())
    for target in range(2):
        wanted = CaptumOcclusion(scores).attribute(
            base, (1, *window), strides=(1, *stride), baselines=fill, target=target, perturbations_per_eval=3
        )
        np.testing.assert_allclose(found[target], wanted[0, 0].numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "shape, window, stride", [((9, 7, 5), (3, 3, 3), (2, 2, 1)), ((8, 6, 5), (2, 6, 1), (2, 9, 1))]
)
def test_that_mirrored_windows_equal_captum_where_the_stride_divides(
    shape: tuple[int, ...], window: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    base = torch.randn((1, 1, *shape), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    windows = Windows(shape, window, stride, mirrored=True)
    after = scores(perturbed(base, torch.zeros_like(base), windows, range(len(windows))))
    wanted = CaptumOcclusion(scores).attribute(base, (1, *window), strides=(1, *stride), target=0)
    np.testing.assert_allclose(
        windows.spread((scores(base) - after).double().numpy())[0], wanted[0, 0].numpy(), atol=1e-6
    )


def test_that_mirrored_windows_are_whole_cover_all_and_lie_the_same_from_either_end() -> None:
    for size in range(1, 26):
        for window in range(1, size + 1):
            for stride in range(1, window + 1):
                starts = window_starts(size, window, stride, mirrored=True)
                assert [size - window - start for start in reversed(starts)] == starts, (size, window, stride)
                assert starts[0] == 0, (size, window, stride)
                assert starts[-1] + window == size, (size, window, stride)
                steps = np.diff(starts)
                assert ((steps >= 1) & (steps <= stride)).all(), (size, window, stride, starts)
                plain = window_starts(size, window, stride)
                assert len(starts) in (len(plain), len(plain) + 1)
                if (size - window) % stride == 0 and not ((size - window) % 2 and len(plain) % 2):
                    assert starts == plain, (size, window, stride)


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2)])
def test_that_a_mirrored_input_gives_the_mirrored_map(axes: tuple[int, ...]) -> None:
    shape, window, stride = (11, 8, 7), (4, 3, 4), (3, 2, 2)
    base = torch.randn((1, 1, *shape), dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    weights = torch.randn((1, 1, *shape), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    windows = Windows(shape, window, stride, mirrored=True)

    def found(row: Tensor, by: Tensor) -> np.ndarray:
        rows = perturbed(row, torch.zeros_like(row), windows, range(len(windows)))
        after = torch.tanh((rows * by).flatten(1).sum(dim=1, keepdim=True))
        return windows.spread((torch.tanh((row * by).sum()) - after).double().numpy())[0]

    there = [axis + 2 for axis in axes]
    flipped = found(base.flip(there), weights.flip(there))
    np.testing.assert_allclose(np.flip(flipped, axes), found(base, weights), atol=1e-6)


def test_that_every_voxel_is_covered_and_the_batch_does_not_matter() -> None:
    windows = Windows((10, 7, 5), (4, 3, 5), (3, 2, 1))
    covered = np.zeros((10, 7, 5), dtype=int)
    for number in range(len(windows)):
        covered[windows.place(number)] += 1
    assert covered.min() >= 1
    base, fill = torch.rand(1, 1, 10, 7, 5), torch.zeros(1, 1, 10, 7, 5)
    at_once = perturbed(base, fill, windows, range(len(windows)))
    assert torch.equal(at_once, torch.cat([perturbed(base, fill, windows, [n]) for n in range(len(windows))]))


def test_that_only_the_window_is_replaced_and_the_base_is_left_alone() -> None:
    base, fill = torch.rand(1, 2, 6, 6), -torch.ones(1, 2, 6, 6)
    before = base.clone()
    windows = Windows((6, 6), (2, 3), (2, 3))
    rows = perturbed(base, fill, windows, [0, 5])
    assert torch.equal(base, before)
    assert (rows[1, :, 4:6, 3:6] == -1).all()
    assert torch.equal(rows[1, :, :4], base[0, :, :4])
    assert len(windows) == 6


def test_that_regions_are_replaced_whole_and_painted_with_their_value() -> None:
    labels = np.zeros((4, 3, 2), dtype=np.int32)
    labels[:2], labels[3] = 7, 2001
    regions = Regions(labels)
    assert regions.labels == [7, 2001]
    rows = perturbed(torch.ones(1, 1, 4, 3, 2), torch.zeros(1, 1, 4, 3, 2), regions, [0, 1])
    np.testing.assert_array_equal(rows[0, 0].numpy() == 0, labels == 7)
    np.testing.assert_array_equal(rows[1, 0].numpy() == 0, labels == 2001)
    painted = regions.spread(np.array([[0.5], [-2.0]]))
    np.testing.assert_array_equal(painted[0], np.where(labels == 7, 0.5, np.where(labels == 2001, -2.0, 0.0)))
    assert Regions(labels, [2001, 5]).labels == [2001]
    with pytest.raises(UserError, match="No region"):
        Regions(np.zeros((2, 2, 2), dtype=np.int32))


def test_that_sizes_in_mm_follow_the_spacing_and_impossible_ones_are_sentences() -> None:
    assert in_voxels(6, "mm", (1.0, 2.0, 3.0)) == (6, 3, 2)
    assert in_voxels([6], "voxels", (1.0, 2.0, 3.0)) == (6, 6, 6)
    assert in_voxels(0.2, "mm", (1.0, 2.0, 3.0)) == (1, 1, 1)
    assert window_sizes((20, 20, 20), (1.0, 1.0, 1.0), 5, 0, "voxels") == ((5, 5, 5), (3, 3, 3))
    assert window_counts((20, 20, 20), (5, 5, 5), (3, 3, 3)) == (6, 6, 6)
    with pytest.raises(UserError, match="larger than the volume of 4 x 20 x 20"):
        window_sizes((4, 20, 20), (1.0, 1.0, 1.0), 5, 0, "voxels")
    with pytest.raises(UserError, match="leave gaps"):
        window_sizes((20, 20, 20), (1.0, 1.0, 1.0), 5, 6, "voxels")
