"""What users write about factors: taken up, or answered with a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sensiview.numerics.input_space import ColumnSummary
from sensiview.numerics.space_builder import SpaceBuilder

COLUMNS = [
    ColumnSummary.of("Age", np.array([21.0, 50.0, 81.0])),
    ColumnSummary.of("Glucose", np.array([0.0, 100.0, 199.0])),
    ColumnSummary.of("BMI", np.array([18.0, 25.0, 67.1])),
]


def _problems(**given: Any) -> str:
    builder = SpaceBuilder(COLUMNS, **given)
    assert builder.space() is None
    return " ".join(builder.problems)


def _space(**given: Any) -> Any:
    builder = SpaceBuilder(COLUMNS, **given)
    assert builder.problems == []
    return builder.space()


def test_that_bounds_default_to_the_range_of_the_data() -> None:
    assert [(f.kind, f.low, f.high) for f in _space().factors] == [
        ("uniform", 21.0, 81.0),
        ("uniform", 0.0, 199.0),
        ("uniform", 18.0, 67.1),
    ]


@pytest.mark.parametrize(
    "bounds", [{"Glucose": [50, 150]}, {"Glucose": (50, 150.0)}, [None, [50, 150], None], {"Glucose": ["50", "150"]}]
)
def test_that_bounds_are_taken_by_name_or_in_order(bounds: Any) -> None:
    space = _space(bounds=bounds)
    assert [(f.low, f.high) for f in space.factors] == [(21.0, 81.0), (50.0, 150.0), (18.0, 67.1)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"bounds": {"Glucose": [150, 50]}}, "bounds of 'Glucose' are reversed"),
        ({"bounds": {"Glucose": [50, 50]}}, "bounds of 'Glucose' are equal"),
        ({"bounds": {"Glucos": [1, 2]}}, "no factor 'Glucos'.*Did you mean 'Glucose'"),
        ({"bounds": {"Glucose": [1, 2, 3]}}, "must be two finite numbers"),
        ({"bounds": {"Glucose": "wide"}}, "must be two finite numbers"),
        ({"bounds": {"Glucose": [0, float("inf")]}}, "must be two finite numbers"),
        ({"bounds": [[0, 1]]}, "'bounds' has 1 pairs for 3 sampled factors"),
        ({"distributions": {"Age": "gaussian"}}, "there is no distribution 'gaussian'"),
        ({"distributions": {"Age": "norml"}}, "Did you mean 'normal'"),
        ({"distributions": {"Age": {"kind": "normal", "mean": 3}}}, "needs its std too"),
        ({"distributions": {"Age": {"kind": "normal", "std": 3}}}, "needs its mean too"),
        ({"distributions": {"Age": {"kind": "normal", "mean": 3, "std": 0}}}, "std of 'Age' is 0"),
        ({"distributions": {"Age": {"kind": "normal", "mean": 3, "sd": 1}}}, "no setting 'sd'"),
        ({"distributions": {"Age": {"kind": "normal", "mean": "x", "std": 1}}}, "must be a finite number"),
        ({"distributions": {"Age": "normal"}, "bounds": {"Age": [1, 2]}}, "Choose truncated_normal"),
        ({"distributions": {"Age": {"kind": "uniform", "low": 5, "high": 2}}}, "reversed"),
        (
            {"distributions": {"Age": {"kind": "truncated_normal", "mean": 0, "std": 0.1, "low": 50, "high": 60}}},
            "practically nothing between",
        ),
        ({"distributions": {"Aeg": "normal"}}, "Did you mean 'Age'"),
        ({"groups": {"Aeg": "old"}}, "Did you mean 'Age'"),
        ({"groups": {"old": ["Age"], "young": ["Age"]}}, "'Age' is in two groups"),
        ({"groups": {"BMI": ["Age", "Glucose"]}}, "name of a factor that is not in it"),
        ({"fixed": {"Aeg": 3}}, "Did you mean 'Age'"),
        ({"fixed": {"Age": float("nan")}}, "must be a finite number"),
        ({"fixed": {"Age": 1}, "bounds": {"Age": [1, 2]}}, "held fixed at once"),
        ({"fixed": {"Age": 1}, "groups": {"g": ["Age", "BMI"]}}, "held fixed"),
        ({"fixed": {"Age": 1, "Glucose": 1, "BMI": 1}}, "nothing is left to vary"),
    ],
)
def test_that_what_does_not_fit_is_answered_with_a_sentence(given: dict[str, Any], expected: str) -> None:
    import re

    said = _problems(**given)
    assert re.search(expected, said), said


def test_that_a_constant_column_is_refused_with_the_way_out() -> None:
    columns = [*COLUMNS, ColumnSummary.of("Site", np.array([3.0, 3.0]))]
    builder = SpaceBuilder(columns)
    assert 'constant in these rows (3), so it can\'t vary. Give bounds for it, or hold it with fixed={"Site": 3}' in (
        " ".join(builder.problems)
    )
    assert SpaceBuilder(columns, bounds={"Site": [1, 4]}).problems == []
    assert SpaceBuilder(columns, fixed={"Site": 3}).problems == []


def test_that_an_empty_column_is_refused_with_the_way_out() -> None:
    builder = SpaceBuilder([*COLUMNS, ColumnSummary.of("Lab", np.array([np.nan]))])
    assert "has no values in these rows" in " ".join(builder.problems)


def test_that_moments_are_taken_from_the_data_when_neither_is_given() -> None:
    factor = _space(distributions={"Age": "normal"}).factors[0]
    assert (factor.kind, factor.mean) == ("normal", pytest.approx(np.mean([21, 50, 81])))
    assert factor.std == pytest.approx(np.std([21, 50, 81], ddof=1))


def test_that_a_truncated_normal_takes_its_bounds_from_bounds_and_its_moments_from_the_data() -> None:
    factor = _space(distributions={"Age": "truncated_normal"}, bounds={"Age": [30, 60]}).factors[0]
    assert (factor.low, factor.high) == (30, 60)
    assert factor.mean == pytest.approx(50.666667)


@pytest.mark.parametrize(
    "groups", [{"Age": "body", "BMI": "body"}, {"body": ["Age", "BMI"]}, {"body": ["BMI", "Age"], "Glucose": "Glucose"}]
)
def test_that_groups_are_taken_from_either_side(groups: Any) -> None:
    space = _space(groups=groups)
    assert space.labels == ("body", "Glucose")
    assert space.group_numbers == (0, 1, 0)


def test_that_names_with_spaces_commas_quotes_and_other_letters_are_taken_as_they_are() -> None:
    name = 'Größe, "in cm" 身長'
    builder = SpaceBuilder([ColumnSummary(name, 0.0, 1.0, 0.5, 0.2)], bounds={name: [0, 2]})
    space = builder.space()
    assert space is not None
    assert space.factors[0].high == 2
