"""How alike two maps are, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sensiview.numerics.map_similarity import cosine, rank_correlation, structural_similarity, top_overlap

RNG = np.random.default_rng(1)
ONE = RNG.normal(size=(9, 10, 11))
OTHER = 0.5 * ONE + RNG.normal(size=(9, 10, 11))


def test_that_the_rank_correlation_equals_scipy_with_ties_too() -> None:
    assert rank_correlation(ONE, OTHER) == pytest.approx(stats.spearmanr(ONE.ravel(), OTHER.ravel())[0], abs=1e-12)
    tied = np.maximum(ONE, 0), np.round(OTHER)
    assert rank_correlation(*tied) == pytest.approx(stats.spearmanr(tied[0].ravel(), tied[1].ravel())[0], abs=1e-12)
    assert rank_correlation(ONE, np.exp(ONE)) == pytest.approx(1.0)
    assert rank_correlation(ONE, -ONE) == pytest.approx(-1.0)


def test_that_the_cosine_is_that_of_the_vectors_also_of_tiny_ones() -> None:
    wanted = np.vdot(ONE, OTHER) / np.linalg.norm(ONE) / np.linalg.norm(OTHER)
    assert cosine(ONE, OTHER) == pytest.approx(wanted, abs=1e-12)
    assert cosine(1e-200 * ONE, OTHER) == pytest.approx(wanted, abs=1e-12)


def test_that_structural_similarity_equals_a_direct_computation() -> None:
    a, b = (x - x.min() for x in (ONE, OTHER))
    a, b = a / a.max(), b / b.max()
    found = []
    for i, j, k in np.ndindex(3, 4, 5):
        p, q = (x[i : i + 7, j : j + 7, k : k + 7].ravel() for x in (a, b))
        both = np.cov(p, q)
        above = (2 * p.mean() * q.mean() + 1e-4) * (2 * both[0, 1] + 9e-4)
        found.append(above / ((p.mean() ** 2 + q.mean() ** 2 + 1e-4) * (both[0, 0] + both[1, 1] + 9e-4)))
    assert structural_similarity(ONE, OTHER) == pytest.approx(np.mean(found), abs=1e-10)
    assert structural_similarity(ONE, ONE) == pytest.approx(1.0)
    assert structural_similarity(ONE[:2, :1], ONE[:2, :1]) == pytest.approx(1.0)


def test_that_the_overlap_counts_the_highest_voxels_that_both_share() -> None:
    a = np.arange(100.0)
    assert top_overlap(a, a) == 1.0
    assert top_overlap(a, -a) == 0.0
    assert top_overlap(a, np.where(a >= 95, a, -a)) == pytest.approx(0.5)


@pytest.mark.parametrize("how", [rank_correlation, structural_similarity, top_overlap, cosine])
def test_that_a_map_with_nothing_in_it_has_no_similarity(how: object) -> None:
    assert callable(how)
    assert math.isnan(how(np.zeros((4, 4, 4)), ONE[:4, :4, :4]))
    assert math.isnan(how(ONE[:4, :4, :4], np.full((4, 4, 4), np.nan)))
    if how is not cosine:
        assert math.isnan(how(np.full((4, 4, 4), 0.1), ONE[:4, :4, :4]))
