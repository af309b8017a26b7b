"""Removal in an order, and random fields like a map, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from sensiview.errors import UserError
from sensiview.numerics.deletion import OrderedRemoval, by_importance, cells, within
from sensiview.numerics.random_controls import random_like, smoothness, top_share


def test_that_cells_are_boxes_numbered_from_zero() -> None:
    found = cells((5, 4), (2, 3))
    np.testing.assert_array_equal(found, [[0, 0, 0, 1], [0, 0, 0, 1], [2, 2, 2, 3], [2, 2, 2, 3], [4, 4, 4, 5]])
    assert cells((6, 6, 6), (2, 2, 2)).max() == 26


def test_that_only_parts_with_something_in_them_count() -> None:
    inside = np.zeros((5, 4), dtype=bool)
    inside[0, 0] = inside[4, 3] = True
    parts, count = within(cells((5, 4), (2, 3)), inside)
    assert count == 2
    assert parts[0, 0] == 0
    assert parts[4, 3] == 1
    assert (parts >= 0).sum() == 2
    with pytest.raises(UserError, match="fewer than two parts"):
        within(cells((5, 4), (2, 3)), np.zeros((5, 4), dtype=bool))


def test_that_removal_goes_in_the_maps_order_and_insertion_builds_up_the_same_way() -> None:
    parts, count = within(cells((4, 2), (1, 2)), np.ones((4, 2), dtype=bool))
    importance = np.array([[1, 3], [5, 5], [0, 1], [4, 2]])
    order = by_importance(importance, parts, count)
    assert order.tolist() == [1, 3, 0, 2]
    base, fill = torch.ones(1, 1, 4, 2), torch.zeros(1, 1, 4, 2)
    removal = OrderedRemoval(base, fill, parts, count)
    assert removal.thresholds(20).tolist() == [0, 1, 2, 3, 4]
    assert removal.thresholds(2).tolist() == [0, 2, 4]
    deleted = removal.rows(order, [0, 1, 2, 4], insertion=False)[:, 0, :, 0]
    assert deleted.tolist() == [[1, 1, 1, 1], [1, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]]
    inserted = removal.rows(order, [0, 1, 2, 4], insertion=True)[:, 0, :, 0]
    assert torch.equal(inserted, 1 - deleted)


def test_that_voxels_of_no_part_stay() -> None:
    inside = np.array([True, True, False])
    parts, count = within(np.arange(3), inside)
    removal = OrderedRemoval(torch.ones(1, 1, 3), torch.zeros(1, 1, 3), parts, count)
    for insertion in (False, True):
        assert removal.rows(np.array([1, 0]), [0, 1, 2], insertion=insertion)[:, 0, 2].tolist() == [1, 1, 1]


def test_that_smoothness_finds_the_width_of_the_gaussian() -> None:
    noise = np.random.default_rng(1).standard_normal((48, 48, 48))
    field = ndimage.gaussian_filter(noise, (1.5, 2.0, 3.0), mode="wrap")
    np.testing.assert_allclose(smoothness(field), (1.5, 2.0, 3.0), rtol=0.12)
    assert smoothness(np.ones((4, 4))) == (0.0, 0.0)
    assert max(smoothness(np.linspace(0, 1, 16)[:, None] * np.ones(16))) <= 4


def test_that_a_random_field_has_the_same_values_elsewhere() -> None:
    field = np.zeros((12, 12, 12))
    field[2:6, 3:7, 6:10] = np.arange(64).reshape(4, 4, 4)
    inside = np.ones_like(field, dtype=bool)
    inside[:, :, 11] = False
    found = random_like(field, inside, np.random.default_rng(1), (1.5, 1.5, 1.5))
    np.testing.assert_array_equal(np.sort(found[inside]), np.sort(field[inside]))
    np.testing.assert_array_equal(found[~inside], field[~inside])
    assert np.abs(found - field).max() > 0
    again = random_like(field, inside, np.random.default_rng(1), (1.5, 1.5, 1.5))
    np.testing.assert_array_equal(found, again)


def test_that_the_top_share_has_exactly_its_size_also_with_ties() -> None:
    inside = np.zeros((10, 10), dtype=bool)
    inside[:5] = True
    for field in (np.zeros((10, 10)), np.arange(100.0).reshape(10, 10)):
        chosen = top_share(field, inside, 0.1)
        assert chosen.sum() == 5
        assert not chosen[~inside].any()
    assert top_share(np.arange(100.0).reshape(10, 10), inside, 0.1)[4, 5:].all()
