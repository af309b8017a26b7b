"""The analysis as users meet it: parameters, sentences, items, resuming, the authors' own numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from SALib.analyze import sobol as salib_analyze
from SALib.sample import sobol as salib_sample
from torch import Tensor, nn

from sensiview.analysis.items import Curve, IndexTable, Item, Note
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.table import table_from_frame
from sensiview.errors import Stopped, UserError
from sensiview.methods.sobol import Sobol, SobolParameters
from sensiview.models.network import network_from_module

NAMES = ("x 1", 'x,"2"', "größe")


class Ishigami(nn.Module):
    """a = 7, b = 0.1, as a network of one output, with something to look at inside."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Identity()
        self.seven = nn.Parameter(torch.tensor(7.0))  # a module without parameters is taken for float32

    def forward(self, x: Tensor) -> Tensor:
        inside = self.inside(torch.stack((x[:, 0].sin(), x[:, 1].sin() ** 2, 0 * x[:, 2]), dim=1))
        return inside[:, :1] * (1 + 0.1 * x[:, 2:3] ** 4) + self.seven * inside[:, 1:2]


class Rows(nn.Module):
    """Any function of rows."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _study(module: nn.Module | None = None, frame: pd.DataFrame | None = None, **other: Any) -> Study:
    if frame is None:
        ends = np.array([[-np.pi] * 3, [np.pi] * 3, [0.5] * 3])
        frame = pd.DataFrame(ends, columns=list(NAMES))
    table = table_from_frame(frame, name="table")
    module = (module or Ishigami()).double()
    network = network_from_module(module, sample=np.nan_to_num(table.features()[:2]), name="net", device="cpu")
    return Study(
        dataset=table.card,
        model=network.card,
        **{"device": "cpu", "table_loader": lambda: table, "network_loader": lambda: network, **other},
    )


def _run(study: Study, progress: Any = None, **parameters: Any) -> Result:
    return Sobol().run(study, SobolParameters.parse(parameters), progress or Silent())


def _table(result: Result, name: str = "first_total") -> pd.DataFrame:
    item = result[name]
    assert isinstance(item, IndexTable | Curve)
    return item.frame


def _text(result: Result) -> str:
    item = result["reading"]
    assert isinstance(item, Note)
    return item.text


def test_that_the_items_are_those_of_the_definition() -> None:
    result = _run(_study(), n=512)
    assert list(result) == ["first_total", "second_order", "convergence", "reading"]
    assert list(_table(result)) == [
        "output", "factor", "S1", "S1_conf", "ST", "ST_conf", "S1_low", "S1_high", "ST_low", "ST_high",
    ]  # fmt: skip
    assert list(_table(result, "second_order")) == ["output", "factor_1", "factor_2", "S2", "S2_conf"]
    assert list(_table(result, "convergence")) == ["output", "N", "factor", "S1", "S1_conf", "ST", "ST_conf"]
    assert _table(result)["factor"].tolist() == list(NAMES)
    assert _table(result, "convergence")["N"].unique().tolist() == [128, 256, 512]
    assert result.evaluations == 512 * 8
    assert json.loads(result.facts["input_space"])["columns"] == list(NAMES)


def test_that_ishigami_s_exact_indices_come_out() -> None:
    found = _table(_run(_study(), n=16_384))
    np.testing.assert_allclose(found["S1"], [0.3139, 0.4424, 0.0], atol=2e-3)
    np.testing.assert_allclose(found["ST"], [0.5576, 0.4424, 0.2437], atol=2e-3)
    assert (found["S1_low"] <= found["S1"]).all()
    assert (found["S1"] <= found["S1_high"]).all()


@pytest.mark.parametrize("groups", [None, {"ends": ["x 1", "größe"]}])
@pytest.mark.parametrize("second_order", [True, False])
def test_that_everything_equals_salib_with_the_same_seed(second_order: bool, groups: Any) -> None:
    study = _study(seed=6)
    names = ["ends", 'x,"2"', "ends"] if groups else None
    problem = {"num_vars": 3, "names": list(NAMES), "bounds": [[-np.pi, np.pi]] * 3, "groups": names}
    rows = salib_sample.sample(problem, 256, calc_second_order=second_order, seed=6)
    y = Ishigami().double()(torch.from_numpy(rows))[:, 0].detach().numpy()
    expected = salib_analyze.analyze(problem, y, calc_second_order=second_order, seed=6)
    result = _run(study, n=256, second_order=second_order, groups=groups)
    for column in ("S1", "S1_conf", "ST", "ST_conf"):
        np.testing.assert_allclose(_table(result)[column], expected[column], atol=1e-10, rtol=0)
    if second_order:
        upper = np.triu_indices(len(expected["S1"]), 1)
        np.testing.assert_allclose(_table(result, "second_order")["S2"], expected["S2"][upper], atol=1e-10)
        np.testing.assert_allclose(_table(result, "second_order")["S2_conf"], expected["S2_conf"][upper], atol=1e-10)
    else:
        assert "second_order" not in list(result)


def test_that_output_and_every_unit_of_a_layer_come_from_one_run() -> None:
    result = _run(_study(), n=1024, output=["auto", "inside"])
    table = _table(result)
    assert table["output"].unique().tolist() == ["output", "inside[0]", "inside[1]", "inside[2]"]
    assert result.evaluations == 1024 * 8
    units = table.set_index(["output", "factor"])["S1"]
    assert units["inside[0]", "x 1"] == pytest.approx(1, abs=0.02)
    assert units["inside[1]", 'x,"2"'] == pytest.approx(1, abs=0.02)
    assert np.isnan(units["inside[2]"]).all()
    layer = _table(result, "layers").set_index("factor")["S1"]
    # Variances of sin and sin^2 of a uniform angle: 1/2 and 1/8.
    np.testing.assert_allclose(layer, [0.8, 0.2, 0.0], atol=0.02)
    assert "Layer inside as a whole depends most on x 1" in _text(result)
    assert "'inside[2]' does not vary at all" in _text(result)


def test_that_a_command_line_can_say_it_all() -> None:
    found = SobolParameters.parse_strings(
        {
            "n": "1024",
            "second_order": "false",
            "output": "probability,fn1",
            "bounds": '{"x 1": [0, 1]}',
            "distributions": "empirical",
            "groups": '{"g": ["x 1", "größe"]}',
            "stop_width": "0.02",
            "rows": "0-499,600",
        }
    )
    assert found.rows == "0-499,600"
    assert SobolParameters.parse_strings({"rows": "5"}).rows == "5"
    assert found.n == 1024
    assert found.outputs() == ["probability", "fn1"]
    assert found.bounds == {"x 1": [0, 1]}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n": 1000}, "The nearest are 512 and 1,024"),
        ({"output": "insid"}, "Did you mean 'inside'"),
        ({"target": "sick"}, "no class or output 'sick'"),
        ({"rows": "0-99"}, "There is no row 99"),
        ({"bounds": {"x 1": [2, 1]}}, "reversed"),
        ({"bounds": {"x 1": [1, 1]}}, "equal"),
        ({"bounds": {"x1": [1, 2]}}, "Did you mean 'x 1'"),
        ({"distributions": {"x 1": "gauss"}}, "no distribution 'gauss'"),
        ({"distributions": {"x 1": {"kind": "normal", "mean": 1}}}, "needs its std too"),
        ({"distributions": "gauss"}, "no distribution 'gauss'"),
    ],
)
def test_that_values_that_do_not_fit_are_said_before_and_refused_at_the_run(
    values: dict[str, Any], sentence: str
) -> None:
    study = replace(_study(), table_loader=None, network_loader=None)
    said = " ".join(Sobol().problems(study, SobolParameters.parse(values)))
    assert re.search(sentence, said), said
    with pytest.raises(UserError, match=sentence):
        _run(_study(), **values)


@pytest.mark.parametrize(
    "values",
    [
        {"n": 1},
        {"n": "many"},
        {"output": ""},
        {"output": []},
        {"confidence": 1.0},
        {"stop_width": 0},
        {"batch_size": 0},
        {"resamples": 1},
        {"groups": {"g": 3}},
        {"fixed": {"x 1": "high"}},
        {"interval": "wide"},
    ],
)
def test_that_values_out_of_range_are_refused_with_the_parameter_s_name(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"^{next(iter(values))}: "):
        SobolParameters.parse(values)


def test_that_a_seed_below_one_is_refused() -> None:
    assert "must be at least 1" in " ".join(Sobol().problems(_study(seed=0), SobolParameters()))


def test_that_a_column_constant_in_the_chosen_rows_is_a_sentence_and_can_be_held() -> None:
    frame = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [5.0, 5, 5, 6], "c": [0.0, 1, 0, 1]})
    study = _study(Rows(lambda x: x[:, :1] + x[:, 1:2]), frame)
    with pytest.raises(UserError, match=r"'b' is constant in these rows \(5\)"):
        _run(study, n=64, rows="0-2")
    table = _table(_run(study, n=64, rows="0-2", fixed={"b": 5}))
    assert table["factor"].tolist() == ["a", "c"]


def test_that_missing_values_only_leave_the_bounds_to_the_others() -> None:
    frame = pd.DataFrame({"a": [0.0, np.nan, 2.0], "b": [np.nan, 1.0, 3.0], "c": [0.0, 1.0, 2.0]})
    space = json.loads(_run(_study(Rows(lambda x: x.sum(1, keepdim=True)), frame), n=64).facts["input_space"])
    assert [(f["low"], f["high"]) for f in space["factors"]] == [(0.0, 2.0), (1.0, 3.0), (0.0, 2.0)]


def test_that_columns_reach_the_model_in_its_own_order() -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0], "c": [0.0, 1.0]})
    study = _study(Rows(lambda x: x[:, :1]), frame)
    assert study.model is not None
    table = _table(_run(replace(study, model=study.model.model_copy(update={"input_names": ("c", "a", "b")})), n=512))
    assert dict(zip(table["factor"], table["S1"].round(2), strict=True)) == {"c": 1.0, "a": 0.0, "b": 0.0}


def test_that_every_distribution_can_be_sampled() -> None:
    values = np.random.default_rng(0).normal(3, 2, (200, 3))
    study = _study(Rows(lambda x: x.sum(1, keepdim=True)), pd.DataFrame(values, columns=list("abc")))
    result = _run(
        study,
        n=256,
        distributions={
            "a": "normal",
            "b": {"kind": "truncated_normal", "mean": 3, "std": 2, "low": 0, "high": 9},
            "c": "empirical",
        },
    )
    assert _table(result)["S1"].sum() == pytest.approx(1, abs=0.1)
    assert "a normal with mean" in _text(result)
    empirical = _run(study, n=64, distributions="empirical")
    assert "as in the data (200 values" in _text(empirical)


class Recorder(Silent):
    """Keeps what is said; cancels at a given advance."""

    def __init__(self, checkpoint: Checkpoint | None = None, stop_at: int | None = None) -> None:
        super().__init__(checkpoint)
        self.advanced = 0
        self.rows = 0
        self.stop_at = stop_at
        self.previews: list[tuple[str, Item]] = []
        self.stages: list[tuple[str, int | None]] = []

    def advance(self, done: int) -> None:
        self.advanced += 1
        self.rows += done
        if self.stop_at is not None and self.advanced >= self.stop_at:
            raise Stopped

    def stage(self, name: str, total: int | None = None) -> None:
        self.stages.append((name, total))

    def preview(self, name: str, item: Item) -> None:
        self.previews.append((name, item))


def test_that_progress_tells_stages_rows_and_live_results() -> None:
    progress = Recorder()
    result = _run(_study(), progress, n=512)
    assert progress.rows == result.evaluations == Sobol().cost(_study(), SobolParameters(n=512)).evaluations
    assert progress.stages[1:] == [("Evaluating to N = 128", 1024), ("Evaluating to N = 256", 1024), (
        "Evaluating to N = 512", 2048)]  # fmt: skip
    live = [item for name, item in progress.previews if name == "convergence"]
    assert [item.frame["N"].max() for item in live if isinstance(item, Curve)] == [128, 256, 512]
    pd.testing.assert_frame_equal(_table(result), [i.frame for n, i in progress.previews if n == "first_total"][-1])


@pytest.mark.parametrize("stop_at", [1, 5, 40])
def test_that_a_cancelled_run_resumes_with_the_same_numbers(stop_at: int) -> None:
    progress = Recorder(stop_at=stop_at)
    with pytest.raises(Stopped):
        _run(_study(batch_size=256), progress, n=1024)
    again = Recorder(progress.restored())
    resumed, whole = _run(_study(batch_size=256), again, n=1024), _run(_study(batch_size=256), n=1024)
    pd.testing.assert_frame_equal(_table(resumed), _table(whole), check_exact=True)
    assert again.rows <= 1024 * 8
    assert again.rows < 1024 * 8 or stop_at == 1


def test_that_a_finished_run_is_extended_by_the_new_evaluations_alone() -> None:
    progress = Silent()
    _run(_study(), progress, n=256)
    extended, whole = _run(_study(), Silent(progress.restored()), n=1024), _run(_study(), n=1024)
    assert extended.evaluations == (1024 - 256) * 8
    for name in ("first_total", "second_order", "convergence"):
        pd.testing.assert_frame_equal(_table(extended, name), _table(whole, name), check_exact=True)
    with pytest.raises(UserError, match="can't be added to or removed from"):
        _run(_study(), Silent(progress.restored()), n=1024, second_order=False)


def test_that_the_batch_size_does_not_change_the_numbers() -> None:
    one, other = (_run(_study(batch_size=size), n=256) for size in (7, None))
    pd.testing.assert_frame_equal(_table(one), _table(other), rtol=0, atol=1e-12)
    third = _run(_study(), n=256, batch_size=100)
    pd.testing.assert_frame_equal(_table(third), _table(other), rtol=0, atol=1e-12)


def test_that_outputs_that_are_not_finite_are_left_out_counted_and_said() -> None:
    study = _study(Rows(lambda x: torch.where(x[:, :1] > 3.1, torch.nan, x[:, :1] + x[:, 1:2])))
    result = _run(study, n=1024)
    said = _text(result)
    count = re.search(r"'output': (\d+) of 1,024 base points .* are left out", said)
    assert count is not None
    assert 0 < int(count[1]) < 100
    assert "left out" in " ".join(result.warnings)
    assert _table(result).drop(columns=["output", "factor"]).notna().all(axis=None)


@pytest.mark.parametrize("value", [0.25, float("nan"), float("inf")])
def test_that_a_constant_output_gives_empty_cells_and_a_sentence(value: float) -> None:
    result = _run(_study(Rows(lambda x: torch.full_like(x[:, :1], value))), n=128)
    assert _table(result)[["S1", "ST", "S1_conf"]].isna().all(axis=None)
    assert ("does not vary at all" if value == 0.25 else "no finite number for any") in _text(result)


def test_that_a_width_or_the_time_ends_the_run_early_and_is_said() -> None:
    narrow = _run(_study(), n=2**15, stop_width=0.06)
    assert narrow.facts["stopped_by"] == "width"
    assert int(narrow.facts["N"]) < 2**15
    assert "every interval was narrow enough" in _text(narrow)
    assert "may stop earlier" in Sobol().cost(_study(), SobolParameters(stop_width=0.1)).note


def test_that_doubtful_rows_are_marked_at_their_place() -> None:
    result = _run(_study(), n=128)
    table = result["first_total"]
    assert isinstance(table, IndexTable)
    marks = {(table.frame["factor"][mark.row], mark.column, mark.kind) for mark in table.remarks}
    assert ("größe", "S1", "includes_zero") in marks
    assert ("x 1", "S1", "n_too_small") in marks


def test_that_a_model_of_images_is_an_obstacle() -> None:
    study = _study()
    assert study.model is not None
    images = replace(study, model=study.model.model_copy(update={"input_shape": (3, 8, 8)}))
    assert "does not take rows of a table" in " ".join(Sobol().obstacles(images))


def test_that_the_cost_grows_with_groups_outputs_and_order() -> None:
    study = _study()

    def evaluations(**values: Any) -> int:
        return Sobol().cost(study, SobolParameters.parse({"n": 1024, **values})).evaluations

    assert evaluations() == 1024 * 8
    assert evaluations(second_order=False) == 1024 * 5
    assert evaluations(groups={"g": ["x 1", "größe"]}) == 1024 * 6
    assert evaluations(fixed={"x 1": 1}) == 1024 * 6
    assert Sobol().cost(study, SobolParameters(n=1024), kept=512).evaluations == 512 * 8
    small, large = (Sobol().cost(study, SobolParameters(n=2**20, output=o)).peak_bytes for o in ("auto", "inside"))
    assert large > small > 4 * 8 * 2**20


def test_that_nothing_can_be_computed_but_the_cost_is_known_without_data() -> None:
    assert Sobol().cost(Study(), SobolParameters()).evaluations == 0
    assert Sobol().obstacles(Study()) == ["Choose a data set.", "Choose a model."]


@pytest.fixture(scope="module")
def authors(shared_data: Path) -> Study:
    """The diabetes table and the authors' own weights."""
    from sensiview.models.small_networks import DiabetesNet, DiabetesOptions
    from sensiview.models.weights import load_weights

    table = table_from_frame(pd.read_csv(shared_data / "tabular" / "pima_diabetes.csv"), name="Pima", target="Outcome")
    module = DiabetesNet().build(DiabetesOptions(), (8,), 1)
    load_weights(module, shared_data / "weights" / "pima_mlp_8-10-1_LUCI1a.pth")
    network = network_from_module(module, sample=table.features()[:4], name="authors", device="cpu")
    return Study(table.card, network.card, "cpu", table_loader=lambda: table, network_loader=lambda: network)


def test_that_the_authors_network_gives_the_reference_indices(authors: Study, shared_data: Path) -> None:
    reference = json.loads((shared_data / "tabular" / "reference_pima.json").read_text(encoding="utf-8"))
    result = _run(authors, n=16_384, rows="0-699", output="probability")
    expected = reference["sobol_scrambled_N65536_seed0"]
    for column in ("S1", "ST"):
        np.testing.assert_allclose(_table(result)[column], expected[column], atol=0.01)
    pairs = _table(result, "second_order").set_index(["factor_1", "factor_2"])["S2"]
    for pair, value in reference["sobol_S2_largest_scrambled_N65536"].items():
        one, other = pair.split(":")
        assert pairs[one, other] == pytest.approx(value, abs=0.015)
    assert "Glucose leads" in _text(result)
    assert "before BMI" in _text(result)
    space = json.loads(result.facts["input_space"])
    bounds = reference["sobol_bounds_rows_0_700"]
    assert [f["low"] for f in space["factors"]] == bounds["min"]
    assert [f["high"] for f in space["factors"]] == bounds["max"]
