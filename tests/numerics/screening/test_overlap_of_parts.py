"""Which parts touch, and what share of top parts lies at or beside others."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.numerics.screening.cells import grid_labels
from sensiview.numerics.screening.overlap import (
    expected_by_chance,
    from_other_inputs,
    mean_where,
    neighbourhoods,
    shares_near,
    top_parts,
)


def test_that_cells_of_a_grid_have_the_eight_around_them() -> None:
    near = neighbourhoods(grid_labels((24, 30), (8, 8)), 64)
    assert (near == near.T).all()
    for part in range(64):
        row, column = divmod(part, 8)
        wanted = {
            8 * r + c
            for r in range(max(0, row - 1), min(8, row + 2))
            for c in range(max(0, column - 1), min(8, column + 2))
        }
        assert set(np.flatnonzero(near[part])) == wanted


def test_that_cells_of_a_volume_have_the_twenty_six_around_them() -> None:
    near = neighbourhoods(grid_labels((9, 9, 9), (3, 3, 3)), 27)
    assert near[13].all()
    assert near[0].sum() == 8


def test_that_places_outside_all_parts_join_nothing() -> None:
    labels = np.array([[0, 0, -1, 1, 1], [0, 0, -1, 1, 2]])
    np.testing.assert_array_equal(neighbourhoods(labels, 3), [[1, 0, 0], [0, 1, 1], [0, 1, 1]])


def test_that_the_share_counts_top_parts_at_or_beside_those_of_the_reference() -> None:
    near = neighbourhoods(grid_labels((4, 4), (4, 4)), 16)
    reference = np.zeros(16, dtype=bool)
    reference[0] = True
    tops = np.zeros((1, 16), dtype=bool)
    tops[0, [0, 5, 10, 15]] = True
    around = (reference.astype(int) @ near.astype(int) > 0)[None]
    # Of the diagonal the first cell is the same and the second touches its corner.
    assert shares_near(tops, around)[0, 0] == pytest.approx(0.5)


def test_that_chance_is_the_exact_mean_and_holds_random_choices() -> None:
    random = np.random.default_rng(2)
    near = np.array([12, 30, 40])
    found = expected_by_chance(near, np.full(3, 13), np.full(3, 64), 4000, 1)
    assert float(found.value) == pytest.approx(np.mean(near / 64))
    means = []
    for _ in range(2000):
        hits = [(random.permutation(64)[:13] < count).mean() for count in near]
        means.append(np.mean(hits))
    np.testing.assert_allclose([found.low, found.high], np.quantile(means, [0.025, 0.975]), atol=0.03)


def test_that_other_inputs_are_those_off_the_diagonal() -> None:
    assert from_other_inputs(np.array([[1.0, 0.2], [0.4, 1.0]])) == pytest.approx(0.3)
    assert np.isnan(from_other_inputs(np.array([[1.0]])))


def test_that_tops_are_the_largest_and_means_are_over_what_is_chosen() -> None:
    np.testing.assert_array_equal(top_parts(np.array([0.1, 3.0, 2.0, 0.0]), 2, [1]), [False, True, True, False])
    found = mean_where(np.array([[1.0, 3.0], [5.0, 7.0]]), np.array([[True, True], [False, False]]))
    assert found[0] == 2.0
    assert np.isnan(found[1])
