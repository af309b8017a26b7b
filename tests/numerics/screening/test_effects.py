"""Elementary effects: equal to SALib's on the same design, and to what can be computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from SALib.analyze import morris, radial_ee
from SALib.sample.morris import sample

from sensiview.numerics.screening.designs import Blocks, RadialDesign, TrajectoryDesign, make_design
from sensiview.numerics.screening.effects import MEASURES, MeanScreening, Screening, elementary_effects, screen

_FACTORS = 5
_PROBLEM = {"num_vars": _FACTORS, "names": list("abcde"), "bounds": [[0.0, 1.0]] * _FACTORS}


def _model(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear in a, curved in b, c and d interact, e does nothing."""
    a, b, c, d, _ = np.moveaxis(points, -1, 0)
    return np.asarray(3 * a + np.exp(b) + 4 * c * d)


def _screened(design: TrajectoryDesign | RadialDesign, n: int, **more: Any) -> tuple[Screening, Blocks]:
    blocks = design.take(0, n)
    answers = _model(blocks.points())[..., None]
    return screen(elementary_effects(answers, blocks), **more), blocks


@pytest.mark.parametrize("levels", [4, 8, 20])
def test_that_trajectories_give_the_indices_of_salib(levels: int) -> None:
    found, blocks = _screened(TrajectoryDesign(_FACTORS, levels, seed=4), 60)
    points = blocks.points().reshape(-1, _FACTORS)
    expected = morris.analyze(_PROBLEM, points, _model(points), num_levels=levels, seed=1)
    for measure in MEASURES:
        assert np.abs(found[measure].value[:, 0] - np.asarray(expected[measure], dtype=float)).max() < 1e-10


def test_that_stars_give_the_indices_of_salib() -> None:
    found, blocks = _screened(RadialDesign(_FACTORS, seed=4), 60)
    points = blocks.points().reshape(-1, _FACTORS)
    expected = radial_ee.analyze(_PROBLEM, points, _model(points), 60, seed=1)
    for measure in MEASURES:
        assert np.abs(found[measure].value[:, 0] - np.asarray(expected[measure], dtype=float)).max() < 1e-10


def test_that_a_design_of_salib_gives_the_indices_of_salib() -> None:
    points = sample(_PROBLEM, 50, num_levels=8, seed=7).reshape(50, _FACTORS + 1, _FACTORS)
    steps = np.diff(points, axis=1)
    order = np.abs(steps).argmax(axis=2)
    goals = np.take_along_axis(points[:, -1], order, axis=1)
    blocks = Blocks(points[:, 0], order, points[:, -1], chained=True)
    assert np.array_equal(np.take_along_axis(blocks.goals, order, axis=1), goals)
    found = screen(elementary_effects(_model(points)[..., None], blocks))
    flat = points.reshape(-1, _FACTORS)
    expected = morris.analyze(_PROBLEM, flat, _model(flat), num_levels=8, seed=1)
    for measure in MEASURES:
        assert np.abs(found[measure].value[:, 0] - np.asarray(expected[measure], dtype=float)).max() < 1e-10


# The standard deviation of d, which c is multiplied with: on eight levels, and on [0, 1].
@pytest.mark.parametrize(("name", "of_d"), [("trajectory", np.sqrt(63 / 12) / 7), ("radial", np.sqrt(1 / 12))])
def test_that_a_linear_factor_has_no_spread_and_a_product_has(name: str, of_d: float) -> None:
    found, _ = _screened(make_design(name, _FACTORS, 8, 2), 400)  # type: ignore[arg-type]
    mu, star, sigma = (found[measure].value[:, 0] for measure in MEASURES)
    assert mu[0] == pytest.approx(3, abs=1e-9)
    assert sigma[0] == pytest.approx(0, abs=1e-9)
    assert star[2] == pytest.approx(2, abs=0.15)  # 4 times the mean of d
    assert sigma[2] == pytest.approx(4 * of_d, rel=0.08)
    assert star[4] == 0
    assert sigma[4] == 0


def test_that_half_widths_are_those_of_salib_up_to_the_draws() -> None:
    found, blocks = _screened(TrajectoryDesign(_FACTORS, 8, seed=1), 100, resamples=4000)
    points = blocks.points().reshape(-1, _FACTORS)
    expected = morris.analyze(_PROBLEM, points, _model(points), num_levels=8, num_resamples=4000, seed=1)
    conf = np.asarray(expected["mu_star_conf"], dtype=float)
    assert np.allclose(found.mu_star.conf[:, 0], conf, rtol=0.08, atol=1e-12)


def test_that_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(1, 201):
        found, _ = _screened(TrajectoryDesign(_FACTORS, 20, seed=seed), 60, resamples=200)
        # Over the levels, not the continuum: the mean of the goal's partner level is 1/2.
        inside += int(found.mu_star.low[2, 0] <= 2.0 <= found.mu_star.high[2, 0])
    assert 178 <= inside <= 199


def test_that_a_trajectory_with_an_output_that_is_not_finite_is_left_out_and_counted() -> None:
    design = TrajectoryDesign(_FACTORS, 8, seed=6)
    blocks = design.take(0, 20)
    answers = _model(blocks.points())[..., None]
    spoiled = answers.copy()
    spoiled[3, 2], spoiled[11, 0] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        found = screen(elementary_effects(spoiled, blocks))
    kept = [i for i in range(20) if i not in (3, 11)]
    expected = screen(elementary_effects(answers, blocks)[kept])
    assert (found.used, found.left_out) == (18, 2)
    assert np.array_equal(found.mu_star.value, expected.mu_star.value)


def test_that_no_finite_trajectory_gives_no_number_and_one_gives_no_spread() -> None:
    blocks = TrajectoryDesign(_FACTORS, 8, seed=6).take(0, 1)
    one = screen(elementary_effects(_model(blocks.points())[..., None], blocks))
    assert np.isfinite(one.mu_star.value).all()
    assert np.isnan(one.sigma.value).all()
    none = screen(np.full((4, _FACTORS, 1), np.nan))
    assert none.used == 0
    assert np.isnan(none.mu_star.value).all()


def test_that_many_outputs_are_screened_as_each_alone() -> None:
    blocks = TrajectoryDesign(_FACTORS, 8, seed=9).take(0, 30)
    answers = np.stack([_model(blocks.points()), np.sin(_model(blocks.points()))], axis=-1)
    both = screen(elementary_effects(answers, blocks))
    for column in range(2):
        alone = screen(elementary_effects(answers[..., column : column + 1], blocks))
        for measure in MEASURES:
            assert np.allclose(both[measure].value[:, column], alone[measure].value[:, 0], rtol=1e-13, atol=0)
            assert np.allclose(both[measure].conf[:, column], alone[measure].conf[:, 0], rtol=1e-9, atol=1e-15)


def test_that_the_mean_over_inputs_keeps_what_their_designs_share() -> None:
    """Twice the same input has the interval of one: its trajectories are no new evidence."""
    found, _ = _screened(TrajectoryDesign(_FACTORS, 8, seed=3), 50, keep_draws=True)
    mean = MeanScreening(0.95)
    mean.add(found)
    mean.add(found)
    for measure in MEASURES:
        assert np.allclose(mean.mean()[measure].value, found[measure].value)
        assert np.allclose(mean.mean()[measure].conf, found[measure].conf)
    assert np.allclose(mean.spread()[0], 0, atol=1e-7)


def test_that_the_width_is_a_share_of_the_largest_index() -> None:
    few, _ = _screened(TrajectoryDesign(_FACTORS, 8, seed=3), 20)
    many, _ = _screened(TrajectoryDesign(_FACTORS, 8, seed=3), 320)
    assert 0 < many.width() < few.width() < 1
    assert few.width() == pytest.approx(few.mu_star.conf.max() / few.mu_star.value.max())
