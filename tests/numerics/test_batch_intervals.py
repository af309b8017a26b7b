"""How often intervals hold the exact index."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from reference_functions import ISHIGAMI, SOBOL_G, Reference

from sensiview.numerics.batch_intervals import BatchCut, BatchSums
from sensiview.numerics.sobol_indices import estimate

SEEDS = range(1, 201)


def _held(function: Reference, n: int, kind: Literal["design", "percentile"]) -> float:
    """Share of cases (200 scrambles, every S1 and ST) in which the 95 % interval holds the exact value."""
    held = []
    for seed in SEEDS:
        resamples = 2 if kind == "design" else 100  # those bounds do not come from resamples
        found = estimate(
            function.evaluated(n, seed), n, second_order=False, seed=seed, interval=kind, resamples=resamples
        )
        for estimates, exact in ((found.first, function.first), (found.total, function.total)):
            held.append((estimates.low[0] <= exact) & (exact <= estimates.high[0]))
    return float(np.mean(held))


@pytest.mark.parametrize("n", [64, 256, 1024, 4096])
@pytest.mark.parametrize("function", [ISHIGAMI, SOBOL_G], ids=lambda f: f.name)
def test_that_the_95_percent_interval_holds_the_exact_index_in_90_to_99_percent_of_cases(
    function: Reference, n: int
) -> None:
    assert 0.90 <= _held(function, n, "design") <= 0.99


@pytest.mark.parametrize("function", [ISHIGAMI, SOBOL_G], ids=lambda f: f.name)
def test_that_the_bootstrap_interval_holds_it_while_points_are_as_good_as_random(function: Reference) -> None:
    assert 0.90 <= _held(function, 128, "percentile") <= 0.99


def test_that_the_interval_shrinks_faster_than_that_of_the_bootstrap() -> None:
    small, large = (estimate(ISHIGAMI.evaluated(n, 1), n, second_order=False) for n in (256, 16_384))
    assert (large.total.high - large.total.low).max() < (small.total.high - small.total.low).max() / 16
    assert large.total.conf.max() > small.total.conf.max() / 16


def test_that_sums_over_batches_do_not_depend_on_the_pieces() -> None:
    values = np.random.default_rng(0).normal(size=(64, 3))
    numbers = np.delete(np.arange(64), [0, 8, 9, 10, 11, 12, 13, 14, 15, 40])  # the second batch is empty
    whole, pieces = BatchSums(64, 3), BatchSums(64, 3)
    whole.add(BatchCut.of(numbers, 64), values[numbers].T)
    for part in np.array_split(numbers, 7):
        pieces.add(BatchCut.of(part, 64), values[part].T)
    np.testing.assert_allclose(whole.sums, pieces.sums)
    np.testing.assert_array_equal(whole.counts, [7, 0, 8, 8, 8, 7, 8, 8])
    np.testing.assert_array_equal(pieces.counts, whole.counts)
    np.testing.assert_allclose(whole.sums[2], values[16:24].sum(axis=0))
