"""What is said when a network can't compute on the inputs that it is given."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sensiview.errors import ModelError
from sensiview.models.batching import compute

NETWORK = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 4 * 4, 2))


def test_that_a_wrong_number_of_channels_is_told() -> None:
    with pytest.raises(ModelError, match=r"takes 3 channels, so the shape should be \(rows, 3, height, width\)"):
        compute(NETWORK, torch.zeros(2, 1, 6, 6), "net")


def test_that_a_wrong_size_is_not_taken_for_a_wrong_number_of_channels() -> None:
    with pytest.raises(ModelError, match="set the size in the network's preprocessing") as caught:
        compute(NETWORK, torch.zeros(2, 3, 9, 9), "net")
    assert "so the shape should be" not in str(caught.value)
