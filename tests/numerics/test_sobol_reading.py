"""What is said about indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sensiview.numerics.distributions import Factor
from sensiview.numerics.input_space import InputSpace
from sensiview.numerics.sobol_indices import Estimate, Indices
from sensiview.numerics.sobol_reading import about_inputs, findings, left_out, reading, settled_since, suggested_n


def _indices(n: int, first: Any, total: Any, conf: float = 0.01, **other: Any) -> Indices:
    def given(values: Any) -> Estimate:
        value = np.atleast_2d(np.asarray(values, dtype=float))
        return Estimate(value, np.full_like(value, conf), value - conf, value + conf)

    one, outputs = given(first), len(np.atleast_2d(first))
    defaults = {
        "excluded": np.zeros(outputs, dtype=np.int64),
        "constant": np.isnan(one.value).all(axis=1),
        "mean": np.zeros(outputs),
        "std": np.ones(outputs),
    }
    return Indices(n, one, given(total), None, None, **{**defaults, **other})


def _kinds(stages: list[Indices]) -> set[tuple[int, int, str, str]]:
    return {(f.output, f.factor, f.column, f.kind) for f in findings(stages, ["y"], ["a", "b", "c"])}


def test_that_settled_clear_indices_get_no_mark() -> None:
    assert _kinds([_indices(n, [0.6, 0.2, 0.1], [0.7, 0.3, 0.2]) for n in (512, 1024)]) == set()


def test_that_an_interval_with_zero_is_marked() -> None:
    assert _kinds([_indices(1024, [0.6, 0.005, -0.005], [0.7, 0.3, 0.004])]) == {
        (0, 1, "S1", "includes_zero"),
        (0, 2, "S1", "includes_zero"),
        (0, 2, "ST", "includes_zero"),
    }


def test_that_s1_above_st_is_marked_only_beyond_the_intervals() -> None:
    assert _kinds([_indices(1024, [0.6, 0.2, 0.1], [0.585, 0.1, 0.1])]) == {(0, 1, "S1", "S1_above_ST")}


@pytest.mark.parametrize(
    "stages",
    [
        [_indices(1024, [0.6, 0.2, -0.02], [0.7, 0.3, 0.2])],  # negative beyond its interval
        [_indices(512, [0.6, 0.2, 0.2], [0.7, 0.3, 0.2]), _indices(1024, [0.6, 0.2, 0.1], [0.7, 0.3, 0.2])],  # moves
    ],
)
def test_that_numbers_that_have_not_settled_are_marked(stages: list[Indices]) -> None:
    assert _kinds(stages) == {(0, 2, "S1", "n_too_small")}


def test_that_wide_intervals_are_marked_and_a_larger_n_is_named() -> None:
    wide = _indices(256, [0.6, 0.5, 0.4], [0.7, 0.6, 0.5], conf=0.2)
    assert {kind for *_, kind in _kinds([wide])} == {"n_too_small"}
    assert suggested_n(wide) == 4096
    said = " ".join(reading([wide], ["y"], ["a", "b", "c"], "n", {}))
    assert "N = 256 is too small: the widest interval is ± 0.2" in said
    assert "About N = 4,096" in said


def test_that_the_reading_names_the_leader_the_interactions_and_the_idle() -> None:
    stages = [_indices(n, [0.2, 0.5, 0.0], [0.3, 0.6, 0.001], conf=0.002) for n in (512, 1024)]
    said = " ".join(reading(stages, ["Outcome=1"], ["Age", "Glucose", "Site"], "width", {}))
    assert "Outcome=1: Glucose leads with S1 = 0.500 ± 0.002 (ST = 0.600), before Age (0.200)." in said
    assert "explain 70 % of the variance, interactions the rest" in said
    assert "Hardly any influence: Site." in said
    assert "has been the same since N = 512" in said
    assert "The run ended at N = 1,024, when every interval was narrow enough. N = 1,024 suffices" in said


def test_that_a_change_of_order_in_the_last_doubling_is_said() -> None:
    stages = [
        _indices(512, [0.5, 0.2, 0.1], [0.5, 0.2, 0.1]),
        _indices(1024, [0.2, 0.5, 0.1], [0.2, 0.5, 0.1]),
    ]
    assert settled_since(stages, 0) is None
    assert "changed in the last doubling" in " ".join(reading(stages, ["y"], ["a", "b", "c"], "n", {}))


def test_that_what_was_left_out_and_what_does_not_vary_is_said() -> None:
    nan = [np.nan] * 3
    found = _indices(
        1024,
        [[0.6, 0.2, 0.1], nan, nan],
        [[0.6, 0.2, 0.1], nan, nan],
        excluded=np.array([5, 0, 1024]),
    )
    said = " ".join(reading([found], ["p", "unit 1", "unit 2"], ["a", "b", "c"], "n", {}))
    assert "'p': 5 of 1,024 base points (0.49 %) are left out" in said
    assert "'unit 1' does not vary at all" in said
    assert "'unit 2': the model gave no finite number for any of the 1,024 base points" in said
    assert len(left_out(found, ["p", "unit 1", "unit 2"])) == 2


def test_that_a_layer_is_spoken_of_as_a_whole() -> None:
    found = _indices(1024, [[0.6, 0.2, 0.1], [0.1, 0.8, 0.0], [0.3, 0.6, 0.0]], [[0.7, 0.3, 0.1]] * 3)
    said = " ".join(reading([found], ["p", "fn1[0]", "fn1[1]"], ["a", "b", "c"], "n", {"fn1": slice(1, 3)}))
    assert "p: a leads" in said
    assert "fn1[0]" not in said
    assert "Layer fn1 as a whole depends most on b (0.700) and a (0.200)" in said


def test_that_correlated_columns_are_named() -> None:
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 300)
    data = np.stack([age, age / 10 + rng.normal(size=300), rng.normal(size=300), np.full(300, 2.0)], axis=1)
    data[5, 0] = np.nan
    space = InputSpace(tuple("abcd"), tuple(Factor(n) for n in "abcd"))
    said = " ".join(about_inputs(space, data))
    assert "In the data, a and b are correlated (r = 0.8" in said
    assert "Sampled independently: a uniform on [0, 1]; b" in said
    assert "correlated" not in " ".join(about_inputs(space, data[:, [2, 2, 2, 3]] * rng.normal(size=(300, 4))))


def test_that_marks_name_the_output_where_there_are_several() -> None:
    several = _indices(512, [[0.5, 0.0], [0.5, 0.3]], [[0.6, 0.1], [0.6, 0.4]])
    [mark] = findings([several], ["p", "fn1[0]"], ["a", "b"])
    assert mark.sentence == "The interval of S1 of b for p includes 0: no influence of this factor alone is shown."
