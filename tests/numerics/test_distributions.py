"""Quantile functions of factors against scipy and SALib."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from SALib.sample import sobol as salib_sample
from scipy import stats

from sensiview.numerics.distributions import Factor
from sensiview.numerics.input_space import ColumnSummary, InputSpace

U = np.linspace(0.0, 1.0, 1001)[1:-1]


@pytest.mark.parametrize(
    ("factor", "reference"),
    [
        (Factor("x", "uniform", low=-2, high=5), stats.uniform(-2, 7)),
        (Factor("x", "normal", mean=3, std=0.5), stats.norm(3, 0.5)),
        (Factor("x", "truncated_normal", mean=0, std=2, low=-1, high=4), stats.truncnorm(-0.5, 2, 0, 2)),
        (Factor("x", "truncated_normal", mean=0, std=1, low=8, high=9), stats.truncnorm(8, 9)),
    ],
)
def test_that_quantiles_are_those_of_scipy(factor: Factor, reference: Any) -> None:
    np.testing.assert_allclose(factor.quantiles(U), reference.ppf(U), rtol=1e-12)


def test_that_an_empirical_factor_takes_each_value_as_often_as_the_data_has_it() -> None:
    factor = Factor("x", "empirical", values=np.array([1.0, 2.0, 2.0, 7.0]))
    drawn = factor.quantiles((np.arange(400) + 0.5) / 400)
    assert {float(v): int((drawn == v).sum()) for v in np.unique(drawn)} == {1.0: 100, 2.0: 200, 7.0: 100}
    np.testing.assert_array_equal(factor.quantiles(np.array([0.0, 0.25, 0.250001, 1.0])), [1.0, 1.0, 2.0, 7.0])


@pytest.mark.parametrize(
    "factor",
    [
        Factor("x", "normal", mean=0, std=1),
        Factor("x", "truncated_normal", mean=0, std=1, low=-1, high=1),
        Factor("x", "empirical", values=np.array([1.0])),
        Factor("x", "uniform", low=0, high=1),
    ],
)
def test_that_quantiles_at_the_ends_are_finite(factor: Factor) -> None:
    assert np.isfinite(factor.quantiles(np.array([0.0, 1.0]))).all()


def test_that_a_mixed_space_samples_as_salib_does() -> None:
    bounds = [[0, 1], [5, 2], [-1, 4, 0, 2]]
    problem = {"num_vars": 3, "names": list("abc"), "bounds": bounds, "dists": ["unif", "norm", "truncnorm"]}
    expected = salib_sample.sample(problem, 32, calc_second_order=False, seed=5)
    space = InputSpace(
        ("a", "b", "c"),
        (
            Factor("a", "uniform", low=0, high=1),
            Factor("b", "normal", mean=5, std=2),
            Factor("c", "truncated_normal", low=-1, high=4, mean=0, std=2),
        ),
    )
    from sensiview.numerics.designs import SaltelliDesign, SobolPoints

    points = SobolPoints(6, 5).take(0, 32)
    rows = SaltelliDesign((0, 1, 2), False).rows(space.values(points[:, :3]), space.values(points[:, 3:]))
    np.testing.assert_allclose(rows.reshape(-1, 3), expected, rtol=1e-12)


def test_that_descriptions_are_json_and_tell_empirical_data_apart() -> None:
    one = Factor("x", "empirical", values=np.array([1.0, 2.0]))
    other = Factor("x", "empirical", values=np.array([1.0, 2.5]))
    assert json.loads(json.dumps(one.describe())) == one.describe()
    assert one.describe() != other.describe()
    assert Factor("x", "normal", mean=1, std=2).describe() == {"factor": "x", "kind": "normal", "mean": 1.0, "std": 2.0}


def test_that_fixed_columns_lie_at_their_place_in_the_model_s_rows() -> None:
    space = InputSpace(("a", "b", "c"), (Factor("a"), Factor("c")), {"b": 7.0})
    rows = space.model_rows(np.array([[1.0, 3.0], [2.0, 4.0]]))
    np.testing.assert_array_equal(rows, [[1.0, 7.0, 3.0], [2.0, 7.0, 4.0]])


def test_that_a_summary_ignores_what_is_missing() -> None:
    summary = ColumnSummary.of("x", np.array([3.0, np.nan, 1.0, np.inf]))
    assert (summary.minimum, summary.maximum, summary.mean) == (1.0, 3.0, 2.0)
    assert ColumnSummary.of("x", np.array([np.nan])).minimum is None
