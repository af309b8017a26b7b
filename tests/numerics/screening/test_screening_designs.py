"""Designs of a Morris screening: their geometry, their levels, and that their beginning does not depend on the end."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.errors import UserError
from sensiview.numerics.screening.designs import (
    SHORTEST_STEP,
    RadialDesign,
    TrajectoryDesign,
    levels_problem,
    make_design,
)


@pytest.mark.parametrize("levels", [2, 4, 8, 20])
def test_that_each_point_of_a_trajectory_differs_from_the_one_before_in_one_factor_by_delta(levels: int) -> None:
    design = TrajectoryDesign(5, levels, seed=3)
    points = design.take(0, 40).points()
    steps = np.diff(points, axis=1)
    assert points.shape == (40, 6, 5)
    assert ((np.abs(steps) > 1e-12).sum(axis=2) == 1).all()
    assert np.allclose(np.abs(steps).sum(axis=2), design.delta, rtol=0, atol=1e-12)
    assert ((np.abs(steps) > 1e-12).sum(axis=1) == 1).all()  # each factor once
    assert design.delta == pytest.approx(levels / (2 * (levels - 1)))


def test_that_trajectories_stand_on_levels_and_use_each_as_often() -> None:
    points = TrajectoryDesign(3, 8, seed=1).take(0, 4000).points()[:, 0]
    places = points * 7
    assert np.allclose(places, places.round(), atol=1e-9)
    counts = np.bincount(places.round().astype(int).ravel(), minlength=8)
    assert counts.min() > 0.9 * counts.mean()
    assert counts.max() < 1.1 * counts.mean()


def test_that_steps_go_up_and_down_as_often_and_in_every_order() -> None:
    blocks = TrajectoryDesign(3, 4, seed=2).take(0, 3000)
    assert abs((blocks.steps > 0).mean() - 0.5) < 0.03
    orders, counts = np.unique(blocks.order, axis=0, return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 400


def test_that_each_point_of_a_star_differs_from_its_centre_in_one_factor() -> None:
    blocks = RadialDesign(4, seed=5).take(0, 64)
    points = blocks.points()
    differs = points[:, 1:] != points[:, :1]
    assert (differs == np.eye(4, dtype=bool)).all()
    assert np.abs(blocks.steps).min() >= SHORTEST_STEP
    assert (points >= 0).all()
    assert (points < 1).all()


@pytest.mark.parametrize("name", ["trajectory", "radial"])
def test_that_a_stretch_of_a_design_does_not_depend_on_how_much_is_taken(name: str) -> None:
    first, again = (make_design(name, 6, 8, 11) for _ in range(2))  # type: ignore[arg-type]
    whole = first.take(0, 50)
    part = again.take(17, 31)
    for found, expected in ((part.starts, whole.starts), (part.goals, whole.goals), (part.order, whole.order)):
        assert np.array_equal(found, expected[17:31])


def test_that_other_seeds_give_other_points() -> None:
    for name in ("trajectory", "radial"):
        one, other = (make_design(name, 4, 8, seed).take(0, 8).points() for seed in (1, 2))  # type: ignore[arg-type]
        assert not np.array_equal(one, other)


@pytest.mark.parametrize(("levels", "said"), [(1, "can't change"), (0, "can't change"), (7, "6 or 8"), (3, "2 or 4")])
def test_that_numbers_of_levels_that_give_no_design_are_refused_with_the_way_out(levels: int, said: str) -> None:
    assert said in levels_problem(levels)
    with pytest.raises(UserError, match=said):
        TrajectoryDesign(3, levels, seed=1)


def test_that_more_factors_than_sobol_points_have_are_refused() -> None:
    with pytest.raises(UserError, match="10,600"):
        RadialDesign(10_601, seed=1)
