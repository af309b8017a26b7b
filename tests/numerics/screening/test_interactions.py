"""Pairs of parts and mu_star over sigma, where the answer is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sensiview.numerics.screening.eta import Measures, eta_of, eta_of_mean, random_eta
from sensiview.numerics.screening.interactions import PairStudy, pair_changes, pair_sets

Function = Callable[[np.ndarray], np.ndarray]


def masked(function: Function, points: np.ndarray) -> np.ndarray:
    """Values of a function of the columns with every set of `pair_sets` put to 0, (inputs, 1, sets)."""
    sets = pair_sets(np.arange(points.shape[1]), points.shape[1])
    return function(np.where(sets[None], 0.0, points[:, None]))[:, None]


POINTS = np.random.default_rng(1).uniform(0.5, 1.5, (20, 3))


def test_that_a_pair_is_changed_alone_and_together() -> None:
    sets = pair_sets(np.array([4, 1]), 6)
    np.testing.assert_array_equal([np.flatnonzero(one).tolist() for one in sets[1:]][:2], [[4], [1]])
    assert np.flatnonzero(sets[3]).tolist() == [1, 4]
    assert not sets[0].any()
    assert len(pair_sets(np.arange(5), 64)) == 1 + 5 + 10


def test_that_an_additive_function_has_no_interacting_pair() -> None:
    study = PairStudy(masked(lambda x: x @ np.array([3.0, 2.0, 1.0]), POINTS), 3, "score")
    changes = study.changes()
    np.testing.assert_allclose(changes.excess, 0, atol=1e-12)
    np.testing.assert_allclose(
        changes.d1, 3.0 * POINTS[:, 0].mean() * np.array([1, 1, 0]) + [0, 0, 2 * POINTS[:, 1].mean()]
    )
    ratios = study.ratios(100, 1)
    assert (float(ratios["interacting"].value), float(ratios["substituting"].value)) == (0.0, 0.0)
    assert float(ratios["interacting"].high) == 0.0
    np.testing.assert_allclose(study.strength(), 0, atol=1e-12)


def test_that_factors_of_a_product_interact_and_what_is_added_does_not() -> None:
    study = PairStudy(masked(lambda x: x[..., 0] * x[..., 1] + x[..., 2], POINTS), 3, "score")
    np.testing.assert_array_equal(study.changes().interacting(study.tolerance), [True, False, False])
    # Without one factor the product is gone: the second difference is the product itself.
    assert study.changes().excess[0] == pytest.approx((POINTS[:, 0] * POINTS[:, 1]).mean())
    ratios = study.ratios(100, 1)
    assert float(ratios["interacting"].value) == pytest.approx(1 / 3)
    assert float(ratios["interacting"].low) == pytest.approx(1 / 3)
    np.testing.assert_allclose(study.each(), 1 / 3)


def test_that_parts_of_which_one_is_enough_stand_in_for_each_other() -> None:
    study = PairStudy(masked(lambda x: x.max(axis=-1), POINTS[:, :2]), 2, "score")
    changes = study.changes()
    assert changes.substituting(study.tolerance).all()
    assert not changes.interacting(study.tolerance).any()


def test_that_strength_of_redrawn_factors_is_the_superset_importance() -> None:
    random = np.random.default_rng(3)
    own, drawn = random.uniform(-1, 1, (400, 1, 3)), random.uniform(-1, 1, (400, 200, 3))
    sets = pair_sets(np.arange(3), 3)
    points = np.where(sets, drawn[:, :, None], own[:, :, None])
    values = points[..., 0] * points[..., 1] + 2 * points[..., 2]
    found = np.square(PairStudy(values, 3, "score").strength())
    # Var(x y) of two uniform factors on [-1, 1] is 1/9; x and y have no other effect.
    np.testing.assert_allclose(found, [1 / 9, 0, 0], atol=0.01)


def test_that_d_and_g_are_the_changes_in_both_orders() -> None:
    # f() = 10, f(x) = 7, f(y) = 6, f(x, y) = 1.
    changes = pair_changes(np.array([10.0, 7.0, 6.0, 1.0]), 2)
    assert [float(v[0]) for v in (changes.d1, changes.d2, changes.g1, changes.g2)] == [3, 6, 4, 5]
    assert float(changes.excess[0]) == -2


def test_that_eta_is_over_parts_whose_mu_star_or_sigma_is_relevant() -> None:
    mu_star = np.array([[1.0], [0.5], [0.1], [0.2]])
    sigma = np.array([[0.5], [1.0], [0.1], [2.0]])
    # The first by its mu_star, the fourth by its sigma; the second by neither.
    found = eta_of(Measures(mu_star, sigma), 0.6)
    assert (found.eta, found.relevant) == (pytest.approx((2.0 + 0.1) / 2), 2)
    assert eta_of(Measures(mu_star, sigma), 0.0).eta == pytest.approx(np.mean([2, 0.5, 1, 0.1]))


def test_that_outputs_are_averaged_and_linear_parts_have_no_ratio() -> None:
    found = eta_of(Measures(np.array([[1.0, 3.0], [0.0, 3.0]]), np.array([[0.0, 1.0], [0.0, 3.0]])), 0.6)
    # The first output has a linear part alone, the second the ratios 3 and 1.
    assert (found.eta, found.relevant, found.linear) == (2.0, 1.0, 0.5)
    nothing = eta_of(Measures(np.zeros((3, 1)), np.zeros((3, 1))), 0.6)
    assert np.isnan(nothing.eta)
    assert nothing.relevant == 0


def test_that_the_interval_of_a_mean_resamples_inputs() -> None:
    random = np.random.default_rng(1)
    each = [Measures(np.array([[m], [0.1]]), np.array([[1.0], [0.2]])) for m in random.uniform(1, 2, 30)]
    mean = eta_of(Measures(*(np.mean([getattr(o, n) for o in each], axis=0) for n in ("mu_star", "sigma"))), 0.6)
    found = eta_of_mean(each, 0.6, 500, 1, mean.eta)
    assert found.low < found.value < found.high
    deviation = np.std([one.mu_star[0, 0] for one in each]) / np.sqrt(30)
    assert float(found.high - found.low) == pytest.approx(2 * 1.96 * deviation, rel=0.2)
    assert np.isnan(eta_of_mean(each[:1], 0.6, 50, 1, mean.eta).low)


def test_that_random_parts_have_the_mean_ratio() -> None:
    one = Measures(np.array([[4.0], [0.5], [0.5], [0.25]]), np.array([[1.0], [0.5], [0.5], [0.5]]))
    found = random_eta([one], [eta_of(one, 0.6)], 2000, 1)
    assert float(found.value) == pytest.approx(np.mean([4, 1, 1, 0.5]))
    assert (float(found.low), float(found.high)) == (0.5, 4.0)
