"""3 x 3 convolutions of blocks between zeros with fewer products, against torch's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.numerics.incremental import winograd

FAR = 20  # zeros around a block, more than any output here reads


def plain(block: Tensor, weight: Tensor, at: tuple[int, int], outputs: tuple[int, int]) -> Tensor:
    """Return what torch gives where the block begins at `at` in what the outputs read."""
    wide = functional.conv2d(functional.pad(block, (FAR,) * 4), weight)
    y, x = (FAR - begin for begin in at)
    return wide[:, :, y : y + outputs[0], x : x + outputs[1]]


@pytest.mark.parametrize("size", range(1, 14))
@pytest.mark.parametrize("at", [-1, 0, 1, 2, 4])
def test_that_every_block_gives_every_output_of_the_plain_convolution(size: int, at: int) -> None:
    generator = torch.Generator().manual_seed(size)
    block = torch.randn(3, 5, size, 4, generator=generator, dtype=torch.float64)
    weight = torch.randn(6, 5, 3, 3, generator=generator, dtype=torch.float64)
    across = winograd.along(4, 2, 6)
    for outputs in range(1, size + 4):
        down = winograd.along(size, at, outputs)
        form = winograd.transformed(weight, (down.middle, across.middle))
        wanted = plain(block, weight, (at, 2), (outputs, 6))
        torch.testing.assert_close(winograd.convolved(block, form, down, across), wanted, rtol=1e-10, atol=1e-10)


def test_that_the_products_are_as_few_as_they_can_be() -> None:
    assert [winograd.along(size, 2, size + 2).products for size in (1, 2, 3, 4, 8)] == [3, 4, 5, 6, 12]
    assert winograd.along(2, 1, 2).products == 3


def test_that_maps_of_two_by_two_pixels_are_exact_with_nine_products() -> None:
    block, weight = torch.randn(7, 4, 2, 2, dtype=torch.float64), torch.randn(3, 4, 3, 3, dtype=torch.float64)
    axis = winograd.along(2, 1, 2)
    form = winograd.transformed(weight, (True, True))
    assert form.shape == (3, 3, 4, 3)
    torch.testing.assert_close(winograd.convolved(block, form, axis, axis), functional.conv2d(block, weight, padding=1))


def test_that_rows_in_parts_give_what_all_rows_give(monkeypatch: pytest.MonkeyPatch) -> None:
    block, weight = torch.randn(11, 4, 6, 5), torch.randn(3, 4, 3, 3)
    down, across = winograd.along(6, 2, 8), winograd.along(5, 1, 5)
    form = winograd.transformed(weight, (False, False))
    wanted = winograd.convolved(block, form, down, across)
    # Five points and ten products for four channels: room for three rows.
    monkeypatch.setattr(winograd, "_NUMBERS", 5 * 10 * 4 * 3)
    torch.testing.assert_close(winograd.convolved(block, form, down, across), wanted)


def test_that_rounding_errors_stay_a_millionth_of_the_change() -> None:
    torch.manual_seed(1)
    block, weight = torch.randn(16, 256, 8, 8), torch.randn(64, 256, 3, 3)
    axis = winograd.along(8, 1, 8)
    found = winograd.convolved(block, winograd.transformed(weight, (False, False)), axis, axis).double()
    wanted = functional.conv2d(block.double(), weight.double(), padding=1)
    assert float((found - wanted).norm() / wanted.norm()) < 5e-6


def test_that_fewer_products_are_dear_for_few_channels_and_cheap_for_many() -> None:
    axis = winograd.along(4, 2, 6)
    for channels, pays in ((8, False), (256, True)):
        plain_cost = winograd.plain_cost(144, 100, channels, channels)
        assert (winograd.cost(axis, axis, 100, channels, channels) < plain_cost) is pays
