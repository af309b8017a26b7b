"""Inputs whose parts are scaled: lumped values, pictures, and incremental inference equal to whole passes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.screening.cells import Channels, Grid
from sensiview.numerics.screening.designs import Blocks, make_design
from sensiview.numerics.screening.part_boxes import PartBoxes
from sensiview.numerics.screening.partition import Division, Partition, PartitionOptions, Picture
from sensiview.numerics.screening.scaled_inputs import ScaledInput, WindowWalk
from sensiview.numerics.screening.superpixels import Superpixels


class _Pixels:
    """Images of 24 pixels under a small convolutional network; values are scaled before it."""

    shape = (24, 24)
    channels = 3
    spacing = (1.0, 1.0)

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.module = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(72, 5),
        ).eval()

    def prepared(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        return (rows - 0.4) / 0.3

    def forward(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        answer: Tensor = self.module(self.prepared(rows))
        return answer

    def own(self, maps: Tensor, rows: Tensor) -> Tensor:
        return maps


def _scaled(partition: Partition, row: Tensor, cells: int = 4) -> ScaledInput:
    picture = Picture("one.png", row[0].numpy(), (1.0, 1.0))
    return ScaledInput(_Pixels(), row, partition.divide(picture, PartitionOptions(cells=cells)))


@pytest.fixture
def row() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(1, 3, 24, 24)


def test_that_lumped_values_are_sums_and_own_values_give_the_input_back(row: Tensor) -> None:
    scaled = _scaled(Grid(), row)
    first = row[0, :, :6, :6].double().sum().item()
    assert scaled.lumped[0] == pytest.approx(first, rel=1e-12)
    assert scaled.lumped.sum() == pytest.approx(row.double().sum().item(), rel=1e-12)
    assert torch.equal(scaled.rows(np.ones((2, 16))), row.expand(2, -1, -1, -1))


def test_that_a_sample_multiplies_the_map_of_each_part(row: Tensor) -> None:
    scaled = _scaled(Grid(), row)
    low, high = np.zeros(16), 2 * scaled.lumped
    units = np.random.default_rng(0).random((3, 16))
    rows = scaled.rows(scaled.scales(units, low, high))
    for place in range(3):
        cell = rows[place, :, 6:12, 18:24]  # row 2, column 4: number 7
        sampled = low[7] + units[place, 7] * (high[7] - low[7])
        assert torch.allclose(cell, row[0, :, 6:12, 18:24] / scaled.lumped[7] * sampled, rtol=1e-5)


def test_that_a_part_that_sums_up_to_zero_stays_and_is_zero_to_rounding() -> None:
    row = torch.zeros(1, 3, 24, 24)
    row[0, 0, :6, :3], row[0, 0, :6, 3:6] = 0.1, -0.1
    row[:, :, 12:] = 0.5
    scaled = _scaled(Grid(), row)
    assert scaled.lumped[0] == 0
    assert scaled.lumped[1] == 0
    assert torch.equal(scaled.rows(scaled.scales(np.zeros((1, 16)), *_ends(scaled)))[:, :, :12], row[:, :, :12])


def test_that_negative_sums_scale_as_positive_ones() -> None:
    row = -torch.rand(1, 3, 24, 24)
    scaled = _scaled(Grid(), row)
    assert (scaled.lumped < 0).all()
    low, high = _ends(scaled)
    assert (low < high).all()
    assert np.allclose(scaled.scales(np.zeros((1, 16)), low, high), 2.0)
    assert np.allclose(scaled.scales(np.ones((1, 16)), low, high), 0.0)


def test_that_channels_scale_apart(row: Tensor) -> None:
    scaled = _scaled(Channels(), row)
    rows = scaled.rows(np.array([[0.0, 1.0, 2.0]]))
    assert not rows[0, 0].any()
    assert torch.equal(rows[0, 1], row[0, 1])
    assert torch.allclose(rows[0, 2], 2 * row[0, 2])


@pytest.mark.parametrize("name", ["trajectory", "radial"])
@pytest.mark.parametrize("partition", [Grid(), Superpixels()], ids=["grid", "superpixels"])
def test_that_windows_give_what_whole_passes_give(name: str, partition: Partition, row: Tensor) -> None:
    scaled = _scaled(partition, row)
    space = scaled.space
    assert isinstance(space, _Pixels)
    blocks = make_design(name, scaled.parts, 4, 2).take(0, 5)  # type: ignore[arg-type]
    low, high = _ends(scaled)
    with torch.no_grad():
        network = IncrementalNetwork.build(space.module, space.prepared(row))
        assert isinstance(network, IncrementalNetwork)
        rows: list[int] = []
        walk = WindowWalk(scaled, network, lambda t: t.double().numpy(), rows.append, print)
        found = walk(scaled.scales(blocks.starts, low, high), scaled.scales(blocks.goals, low, high), blocks)
        points = scaled.scales(blocks.points(), low, high).reshape(-1, scaled.parts)
        expected = scaled.forward(points).double().numpy().reshape(found.shape)
    assert sum(rows) == 5 * (scaled.parts + 1)
    assert np.abs(found - expected).max() < 2e-5 * np.abs(expected).max()


def test_that_windows_take_some_parts_only(row: Tensor) -> None:
    """Parts that do not vary are left out of the design, and stay as they are."""
    scaled = _scaled(Grid(), row)
    space = scaled.space
    assert isinstance(space, _Pixels)
    chosen = np.array([2, 5, 11])
    inner = make_design("trajectory", 3, 4, 2).take(0, 4)
    low, high = _ends(scaled)

    def whole(units: np.ndarray) -> np.ndarray:
        full = np.full((*units.shape[:-1], 16), 0.5)
        full[..., chosen] = units
        return scaled.scales(full, low, high)

    with torch.no_grad():
        network = IncrementalNetwork.build(space.module, space.prepared(row))
        assert isinstance(network, IncrementalNetwork)
        walk = WindowWalk(scaled, network, lambda t: t.double().numpy(), lambda _: None, print)
        blocks = Blocks(inner.starts, chosen[inner.order], inner.goals, chained=True)
        found = walk(whole(inner.starts), whole(inner.goals), blocks)
        expected = scaled.forward(whole(inner.points()).reshape(-1, 16)).double().numpy().reshape(found.shape)
    assert np.abs(found - expected).max() < 2e-5 * np.abs(expected).max()


def test_that_boxes_hold_other_parts_at_their_own_scale() -> None:
    labels = np.zeros((1, 6, 6), dtype=np.int32)
    labels[0, 2:4, 2:4] = 1  # inside the box of part 0
    row = torch.ones(1, 1, 6, 6)
    boxes = PartBoxes(row, Division(labels, ("ring", "core")))
    windows, values = boxes.patches(np.array([0]), torch.tensor([[3.0, 5.0, 1.0]]))
    assert windows.tolist() == [[0, 6, 0, 6]]
    assert values[0, 0, 0, 0] == 3
    assert values[0, 0, 2, 2] == 5
    assert boxes.area() == pytest.approx((36 + 4) / 2)


def _ends(scaled: ScaledInput) -> tuple[np.ndarray, np.ndarray]:
    ends = np.stack([np.zeros_like(scaled.lumped), 2 * scaled.lumped])
    return ends.min(axis=0), ends.max(axis=0)
