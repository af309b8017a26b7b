"""Orders of parts, and means with intervals over inputs and repeats."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.numerics.screening.crossed_bootstrap import estimate, mean_with_interval, resampled_means
from sensiview.numerics.screening.ranking import (
    descending,
    importance,
    normalised,
    ranks_nothing,
    top_count,
)


def test_that_one_output_keeps_its_unit_and_the_sum_is_plain() -> None:
    mu_star, sigma = np.array([[3.0], [1.0]]), np.array([[1.0], [4.0]])
    np.testing.assert_array_equal(importance(mu_star, sigma, "mu_star"), [3, 1])
    np.testing.assert_array_equal(importance(mu_star, sigma, "sigma"), [1, 4])
    np.testing.assert_array_equal(importance(mu_star, sigma, "mu_star + sigma"), [4, 5])


def test_that_outputs_are_averaged_as_shares_of_their_largest_part() -> None:
    mu_star = np.array([[100.0, 0.5, 0.0], [50.0, 1.0, 0.0]])
    found = importance(mu_star, np.zeros_like(mu_star), "mu_star")
    # The third output is moved by no part, and says nothing.
    np.testing.assert_allclose(found, [(1 + 0.5) / 2, (0.5 + 1) / 2])
    np.testing.assert_array_equal(normalised(np.zeros((2, 3))), np.zeros((2, 1)))


def test_that_a_screening_without_numbers_or_differences_ranks_nothing() -> None:
    assert ranks_nothing(np.zeros(4))
    assert ranks_nothing(np.full(4, 2.5))
    assert ranks_nothing(np.array([1.0, np.nan]))
    assert not ranks_nothing(np.array([1.0, 0.0]))


def test_that_equal_parts_come_in_random_order_and_others_by_importance() -> None:
    values = np.array([0.0, 2.0, 0.0, 3.0, 0.0, 0.0])
    orders = np.array([descending(values, [seed, 7]) for seed in range(200)])
    np.testing.assert_array_equal(orders[:, :2], np.tile([3, 1], (200, 1)))
    last = np.bincount(orders[:, -1], minlength=6)
    assert last[[1, 3]].sum() == 0
    assert (last[[0, 2, 4, 5]] > 25).all()
    np.testing.assert_array_equal(descending(values, [1, 2]), descending(values, [1, 2]))


@pytest.mark.parametrize(
    ("share", "parts", "count"), [(0.2, 64, 13), (0.2, 3, 1), (0.5, 3, 2), (0.001, 64, 0), (1, 9, 9)]
)
def test_that_a_share_of_the_parts_is_the_nearest_whole_number(share: float, parts: int, count: int) -> None:
    assert top_count(share, parts) == count


def test_that_the_interval_over_inputs_covers_the_mean_it_was_drawn_from() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        found = mean_with_interval(random.normal(2.0, 1.0, 40), 400, seed + 1)
        hits += bool(found.low <= 2.0 <= found.high)
    # 95 % of 200, within four standard deviations of that count; the percentile bootstrap is a little narrow.
    assert 176 <= hits <= 199


def test_that_inputs_and_repeats_are_resampled_both() -> None:
    random = np.random.default_rng(4)
    of_inputs, of_repeats = random.normal(size=(50, 1)), random.normal(size=(1, 20))
    both = (of_inputs + of_repeats)[:, :, None]
    drawn = resampled_means(both, 4000, 1)[:, 0]
    expected = np.sqrt(of_inputs.var() / 50 + of_repeats.var() / 20)
    assert drawn.std() == pytest.approx(expected, rel=0.06)
    found = estimate(both, drawn[:, None])
    assert found.value[0] == pytest.approx(both.mean())
    assert found.low[0] < both.mean() < found.high[0]


def test_that_the_same_draws_serve_two_quantities_so_that_differences_are_paired() -> None:
    values = np.random.default_rng(5).normal(size=(30, 4, 2))
    shifted = values + 7.0
    difference = resampled_means(shifted, 100, 9) - resampled_means(values, 100, 9)
    np.testing.assert_allclose(difference, 7.0)


def test_that_one_input_with_one_repeat_has_no_interval() -> None:
    found = estimate(np.ones((1, 1, 3)), resampled_means(np.ones((1, 1, 3)), 50, 1))
    np.testing.assert_array_equal(found.value, np.ones(3))
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(mean_with_interval(np.array([np.nan]), 50, 1).value)
    some = mean_with_interval(np.array([1.0, np.nan, 3.0]), 50, 1)
    assert some.value == 2.0
