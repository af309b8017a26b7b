"""Counting resamples against drawing them."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.numerics import bootstrap
from sensiview.numerics.bootstrap import percentile_bounds, resample_counts, spread, weights_of


@pytest.mark.parametrize("n", [2, 7, 100, 1000])
def test_that_the_counts_are_those_of_drawing_all_rows_at_once(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_DRAWN", 129)  # many pieces, also of odd sizes
    drawn = np.random.default_rng(3).integers(n, size=(n, 13))
    expected = np.stack([np.bincount(drawn[:, k], minlength=n) for k in range(13)])
    np.testing.assert_array_equal(resample_counts(n, 13, 3), expected)


def test_that_weights_give_the_mean_of_each_resample() -> None:
    values = np.random.default_rng(0).normal(size=50)
    drawn = np.random.default_rng(8).integers(50, size=(50, 4))
    counts = resample_counts(50, 4, 8)
    pieces = [weights_of(counts, start, start + 25) @ values[start : start + 25] for start in (0, 25)]
    np.testing.assert_allclose(
        sum(pieces) / 50, [values.mean(), *(values[drawn[:, k]].mean() for k in range(4))], atol=1e-14
    )


def test_that_undefined_resamples_are_left_out_of_spread_and_bounds() -> None:
    values = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [4.0, np.nan, np.nan], [np.nan, 7.0, np.nan]])
    found = spread(values, 2.0)
    np.testing.assert_allclose(found, [2 * np.std([1, 2, 4], ddof=1), 2 * np.std([5, 7], ddof=1), np.nan])
    low, high = percentile_bounds(values, 0.5)
    np.testing.assert_allclose(low[:2], [1.5, 5.5])
    np.testing.assert_allclose(high[:2], [3.0, 6.5])
    assert np.isnan(low[2])
    assert np.isnan(high[2])


def test_that_counts_take_a_byte_per_row_and_resample_and_draws_little_more() -> None:
    import tracemalloc

    tracemalloc.start()
    resample_counts(2**18, 20, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18 * 20 + 3.2 * 8 * bootstrap._DRAWN
