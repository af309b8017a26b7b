"""Sobol' points and Saltelli designs against scipy and SALib."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from SALib.sample import sobol as salib_sample
from scipy.stats import qmc

from sensiview.errors import UserError
from sensiview.numerics.designs import (
    SaltelliDesign,
    SobolPoints,
    is_power_of_two,
    nearest_powers,
    stages,
)

BOUNDS = [[0.0, 17.0], [-3.0, 199.0], [0.078, 2.42]]


def _rows(design: SaltelliDesign, n: int, seed: int) -> Any:
    points = SobolPoints(2 * design.n_factors, seed).take(0, n)
    low, high = np.array(BOUNDS).T
    d = design.n_factors
    a, b = (points[:, part] * (high - low) + low for part in (slice(0, d), slice(d, 2 * d)))
    return design.rows(a, b).reshape(-1, d)


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("groups", [None, ["x", "y", "x"], ["y", "x", "x"]])
def test_that_the_rows_are_those_of_salib_to_the_last_bit(second_order: bool, groups: list[str] | None) -> None:
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": BOUNDS, "groups": groups}
    expected = salib_sample.sample(problem, 64, calc_second_order=second_order, seed=11)
    names = list(dict.fromkeys(groups or "abc"))
    design = SaltelliDesign(tuple(names.index(name) for name in groups or "abc"), second_order)
    np.testing.assert_array_equal(_rows(design, 64, seed=11), expected)
    assert len(expected) == 64 * design.rows_per_point


def test_that_the_first_points_of_a_large_design_are_those_of_a_small_one() -> None:
    np.testing.assert_array_equal(SobolPoints(6, 3).take(0, 128), SobolPoints(6, 3).take(0, 1024)[:128])


@pytest.mark.parametrize("cuts", [[0, 128, 256, 1024], [0, 1, 16, 1024], [0, 1000, 1024], [0, 3, 1024]])
def test_that_points_do_not_depend_on_how_they_are_cut_into_pieces(cuts: list[int]) -> None:
    points = SobolPoints(4, 9)
    pieces = [points.take(start, stop) for start, stop in itertools.pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(pieces), qmc.Sobol(4, seed=9).random(1024))


def test_that_points_can_be_taken_from_the_middle_and_from_before() -> None:
    points, whole = SobolPoints(4, 9), SobolPoints(4, 9).take(0, 512)
    np.testing.assert_array_equal(points.take(256, 512), whole[256:])
    np.testing.assert_array_equal(points.take(64, 128), whole[64:128])


def test_that_seeds_give_different_points() -> None:
    assert not np.array_equal(SobolPoints(4, 1).take(0, 8), SobolPoints(4, 2).take(0, 8))


def test_that_too_many_factors_are_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="at most 21,201 columns"):
        SobolPoints(30_000, 1)


def test_that_more_points_than_the_sequence_has_are_refused() -> None:
    with pytest.raises(UserError, match="ends after"):
        SobolPoints(2, 1).take(0, 2**31)


def test_that_a_chunk_is_a_power_of_two_and_fits_into_memory_also_for_a_thousand_factors() -> None:
    for n_factors in (1, 3, 8, 100, 1000, 10_000):
        design = SaltelliDesign(tuple(range(n_factors)), second_order=True)
        for rows in (1, 256, 131_072):
            points = design.points_per_chunk(n_factors, rows)
            assert is_power_of_two(points)
            assert points == 1 or points * design.rows_per_point <= rows
            assert points == 1 or points * design.rows_per_point * n_factors * 8 <= 32 << 20


def test_that_stages_double_up_to_n() -> None:
    assert stages(1024) == [128, 256, 512, 1024]
    assert stages(128) == [128]
    assert stages(64) == [64]
    assert stages(65_536) == [2**k for k in range(7, 17)]


def test_that_the_nearest_powers_lie_on_both_sides() -> None:
    assert nearest_powers(1000) == (512, 1024)
    assert nearest_powers(3) == (2, 4)
    assert not is_power_of_two(0)
    assert is_power_of_two(1)
