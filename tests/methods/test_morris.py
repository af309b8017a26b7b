"""Morris screening of tables: numbers against SALib and by hand, going on, stopping, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from SALib.analyze import morris as salib_morris
from SALib.analyze import radial_ee
from torch import Tensor, nn

import sensiview
from sensiview.analysis.items import IndexTable
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError
from sensiview.methods.morris import Morris
from sensiview.numerics.screening.designs import make_design

_LOW = np.array([-1.0, 0.0, 2.0, -4.0])
_HIGH = np.array([1.0, 2.0, 2.5, 4.0])
_NAMES = ["a", "b", "c", "d"]


class _Formula(nn.Module):
    """Two outputs: a linear one, and one in which b and c interact."""

    def __init__(self) -> None:
        super().__init__()
        # What has no weights is taken for float32.
        self.one = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.one * torch.stack([3 * x[:, 0] - 0.5 * x[:, 3], x[:, 1] * x[:, 2] + x[:, 0] ** 2], dim=1)


def _table(rows: int = 50) -> pd.DataFrame:
    values = np.random.default_rng(3).uniform(_LOW, _HIGH, (rows, 4))
    values[0], values[1] = _LOW, _HIGH
    return pd.DataFrame(values, columns=_NAMES)


def _run(parameters: dict[str, Any], module: nn.Module | None = None, data: Any = None, seed: int = 1) -> Result:
    given = _table() if data is None else data
    net = (module or _Formula()).double()
    return sensiview.analyse("morris", net, given, parameters=parameters, seed=seed, progress=False)


def _frame(result: Result, name: str = "screening") -> pd.DataFrame:
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.to_frame()


@pytest.mark.parametrize("design", ["trajectory", "radial"])
def test_that_the_indices_are_those_of_salib_on_the_same_design(design: Any) -> None:
    found = _frame(_run({"n": 30, "levels": 8, "design": design}, seed=5))
    units = make_design(design, 4, 8, 5).take(0, 30).points().reshape(-1, 4)
    answers = _Formula().double()(torch.from_numpy(_LOW + units * (_HIGH - _LOW))).detach().numpy()
    problem = {"num_vars": 4, "names": _NAMES, "bounds": [[0.0, 1.0]] * 4}
    for number, output in enumerate(dict.fromkeys(found["output"])):
        rows = found[found["output"] == output]
        y = np.ascontiguousarray(answers[:, number])
        if design == "trajectory":
            expected = salib_morris.analyze(problem, units, y, num_levels=8, seed=1)
        else:
            expected = radial_ee.analyze(problem, units, y, 30, seed=1)
        for measure in ("mu", "mu_star", "sigma"):
            assert np.abs(rows[measure].to_numpy() - np.asarray(expected[measure], dtype=float)).max() < 1e-10


def test_that_a_linear_output_has_its_slope_times_the_range_and_no_spread() -> None:
    found = _frame(_run({"n": 12})).set_index(["output", "factor"])
    output = found.index[0][0]
    assert found.loc[(output, "a"), "mu"] == pytest.approx(6)
    assert found.loc[(output, "d"), "mu"] == pytest.approx(-4)
    assert found.loc[(output, "d"), "mu_star"] == pytest.approx(4)
    assert found.loc[(output, "b"), "mu_star"] == 0
    assert found.loc[output, "sigma"].abs().max() < 1e-9


def test_that_ranks_agree_with_total_indices_of_sobol() -> None:
    found = _frame(_run({"n": 200, "design": "radial"}))
    sobol = sensiview.analyse(
        "sobol", _Formula().double(), _table(), parameters={"n": 1024, "second_order": False}, progress=False
    )["first_total"].to_frame()
    for output in dict.fromkeys(found["output"]):
        ranks = [
            list(frame[frame["output"] == output].sort_values(column, ascending=False)["factor"])[:2]
            for frame, column in ((found, "mu_star"), (sobol, "ST"))
        ]
        assert ranks[0] == ranks[1]


def test_that_columns_come_as_the_method_names_them() -> None:
    result = _run({"n": 8})
    assert list(_frame(result).columns)[:6] == ["output", "factor", "mu", "mu_star", "mu_star_conf", "sigma"]
    assert list(_frame(result, "factors").columns) == ["factor", "number", "low", "high"]
    assert _frame(result, "normalised")["mu_star"].max() <= 1
    assert result.evaluations == 8 * 5


def test_that_local_screenings_stay_around_their_rows() -> None:
    result = _run({"n": 10, "scope": "local", "rows": "0,7", "spread": 0.1})
    factors = _frame(result, "factors").set_index(["row", "factor"])
    own = _table()
    assert factors.loc[("row 7", "b"), "value"] == pytest.approx(own["b"][7])
    assert factors.loc[("row 7", "b"), "high"] - factors.loc[("row 7", "b"), "low"] == pytest.approx(0.2)
    assert set(_frame(result)["row"]) == {"row 0", "row 7"}


def test_that_bounds_and_held_values_are_obeyed() -> None:
    result = _run({"n": 10, "bounds": {"a": [0, 10]}, "fixed": {"b": 1.0}})
    found = _frame(result).set_index(["output", "factor"])
    assert found.loc[(found.index[0][0], "a"), "mu"] == pytest.approx(30)
    assert "b" not in set(_frame(result)["factor"])


def test_that_a_column_without_a_range_has_no_effect_and_says_so() -> None:
    data = _table()
    data["c"] = 2.0
    result = _run({"n": 10}, data=data)
    item = result["screening"]
    assert isinstance(item, IndexTable)
    marked = {item.frame["factor"][remark.row] for remark in item.remarks if remark.kind == "no_effect"}
    assert marked == {"c"}
    assert (item.frame.loc[item.frame["factor"] == "c", "mu_star"] == 0).all()


class _Pole(nn.Module):
    """Infinite where a is at its upper end."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.sum(dim=1) / (x[:, 0] < 0.99))[:, None]


def test_that_trajectories_that_are_not_finite_are_left_out_counted_and_said() -> None:
    result = _run({"n": 40, "levels": 4}, module=_Pole())
    item = result["screening"]
    assert isinstance(item, IndexTable)
    assert np.isfinite(item.frame["mu_star"]).all()
    assert any(remark.kind == "left_out" for remark in item.remarks)
    assert any("not finite and are left out" in sentence for sentence in result.warnings)


class _Undefined(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x.sum(dim=1) * float("nan"))[:, None]


def test_that_a_network_that_is_never_finite_gives_a_sentence_not_a_crash() -> None:
    result = _run({"n": 10}, module=_Undefined())
    assert any("no measures" in sentence for sentence in result.warnings)


# Going on and stopping ---------------------------------------------------------------------------------------------


def _study(module: nn.Module | None = None) -> Study:
    from sensiview.datasets.table import table_from_frame
    from sensiview.models.network import network_from_module

    table = table_from_frame(_table(), name="t")
    network = network_from_module(
        (module or _Formula()).double(), sample=table.features()[:2], name="net", device="cpu"
    )
    return Study(table.card, network.card, device="cpu", table_loader=lambda: table, network_loader=lambda: network)


def test_that_an_extended_run_has_the_numbers_of_a_longer_one() -> None:
    short = Silent()
    Morris().run(_study(), ScreeningParameters(n=20), short)
    longer = Silent(short.restored())
    extended = Morris().run(_study(), ScreeningParameters(n=50), longer)
    fresh = Morris().run(_study(), ScreeningParameters(n=50), Silent())
    assert extended.evaluations == 30 * 5
    pd.testing.assert_frame_equal(_frame(extended), _frame(fresh), check_exact=True)


class _Impatient(Silent):
    """Stops after some evaluations."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def advance(self, done: int) -> None:
        self._left -= done
        if self._left < 0:
            raise Stopped


def test_that_a_stopped_run_goes_on_where_it_was() -> None:
    stopped = _Impatient(120)
    with pytest.raises(Stopped):
        Morris().run(_study(), ScreeningParameters(n=64), stopped)
    resumed = Morris().run(_study(), ScreeningParameters(n=64), Silent(stopped.restored()))
    fresh = Morris().run(_study(), ScreeningParameters(n=64), Silent())
    assert resumed.evaluations < fresh.evaluations
    pd.testing.assert_frame_equal(_frame(resumed), _frame(fresh), check_exact=True)


@pytest.mark.parametrize(("name", "value"), [("levels", 4), ("design", "radial"), ("output", "logit")])
def test_that_evaluations_of_another_design_are_not_taken_over(name: str, value: Any) -> None:
    first = Silent()
    Morris().run(_study(), ScreeningParameters(n=20), first)
    other = ScreeningParameters.parse({"n": 40, name: value})
    with pytest.raises(UserError, match=f"another '{name}'"):
        Morris().run(_study(), other, Silent(first.restored()))


def test_that_it_stops_when_the_intervals_are_narrow_enough() -> None:
    result = Morris().run(_study(), ScreeningParameters(n=4000, stop_width=0.1), Silent())
    frame = _frame(result)
    assert result.evaluations < 4000 * 5
    for output in dict.fromkeys(frame["output"]):
        rows = frame[frame["output"] == output]
        assert rows["mu_star_conf"].max() <= 0.1 * rows["mu_star"].max()
    assert any("narrow enough" in sentence for sentence in result.warnings)


def test_that_checkpoints_hold_arrays_and_plain_values_only() -> None:
    kept = Silent()
    Morris().run(_study(), ScreeningParameters(n=20), kept)
    state = kept.restored()
    assert isinstance(state, Checkpoint)
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.arrays.values())


# What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"levels": 1}, "can't change"),
        ({"levels": 7}, "6 or 8"),
        ({"levels": 0}, "can't change"),
        ({"bounds": {"a": [1, 1]}}, "are equal"),
        ({"bounds": {"a": [2, 1]}}, "reversed"),
        ({"bounds": {"age": [0, 1]}}, "no factor 'age'"),
        ({"fixed": {"a": 0, "b": 0, "c": 0, "d": 0}}, "nothing is left to vary"),
        ({"partition": "grid"}, "cut into its columns"),
        ({"output": "probabilty"}, "neither an output nor a layer"),
        ({"rows": "90-99"}, "rows"),
        ({"rows": "9-3"}, "9-3|backwards"),
        ({"target": "cat"}, "cat"),
        ({"n": 1}, "2"),
        ({"design": "star"}, "design"),
        ({"scope": "everywhere"}, "scope"),
        ({"cells": 4}, "no meaning for table"),
        ({"confidence": 1.0}, "confidence"),
        ({"resamples": 1}, "resamples"),
        ({"stop_width": 0}, "stop_width"),
        ({"trajectories": 10}, "no parameter 'trajectories'"),
    ],
)
def test_that_values_that_make_no_screening_are_told_in_a_sentence(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        _run(parameters)


def test_that_more_factors_than_memory_are_refused_before_the_run() -> None:
    wide = pd.DataFrame(np.random.default_rng(0).random((4, 400)), columns=[f"x{i}" for i in range(400)])
    with pytest.raises(UserError, match="more memory than there is"):
        _run({"n": 1_000_000}, module=nn.Linear(400, 3), data=wide)


def test_that_a_table_of_constants_has_nothing_to_vary() -> None:
    data = pd.DataFrame(np.ones((5, 4)), columns=_NAMES)
    with pytest.raises(UserError, match="nothing can vary"):
        _run({}, data=data)


def test_that_rows_with_holes_are_left_out_of_local_screenings() -> None:
    data = _table()
    data.loc[3, "b"] = np.nan
    result = _run({"n": 4, "scope": "local", "rows": "3,4"}, data=data)
    assert set(_frame(result)["row"]) == {"row 4"}
    assert any("missing values" in sentence for sentence in result.warnings)


def test_that_hidden_units_can_be_screened() -> None:
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    found = _frame(_run({"n": 6, "output": "0"}, module=net))
    assert found["output"].nunique() == 6


def test_that_the_cost_is_told_beforehand() -> None:
    cost = Morris().cost(_study(), ScreeningParameters(n=1000))
    assert cost.evaluations == 1000 * 5
    assert cost.peak_bytes > 0


@pytest.mark.parametrize("design", ["trajectory", "radial"])
def test_that_the_design_is_given_with_the_answers_as_salib_takes_it(design: Any) -> None:
    result = _run({"n": 25, "design": design, "levels": 4})
    table, found = _frame(result, "design"), _frame(result)
    x = table[_NAMES].to_numpy()
    problem = {"num_vars": 4, "names": _NAMES, "bounds": [[0.0, 1.0]] * 4}
    for output in dict.fromkeys(found["output"]):
        y = table[output].to_numpy()
        if design == "trajectory":
            expected = salib_morris.analyze(problem, x, y, num_levels=4, seed=1)
        else:
            expected = radial_ee.analyze(problem, x, y, 25, seed=1)
        rows = found[found["output"] == output]
        for measure in ("mu", "mu_star", "sigma"):
            assert np.abs(rows[measure].to_numpy() - np.asarray(expected[measure], dtype=float)).max() < 1e-10
