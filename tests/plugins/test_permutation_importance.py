"""The bundled plugin: known importances, intervals, classes by name, regression, resume, gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sensiview.analysis.contract import Analysis
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.study import Study
from sensiview.datasets.table import table_from_frame
from sensiview.errors import Stopped, UserError
from sensiview.models.network import network_from_module
from sensiview.plugin_loading import discover


@pytest.fixture(scope="module")
def analysis() -> Analysis[Any]:
    return discover()["permutation_importance"]


def linear(weights: list[float], *more: nn.Module) -> nn.Module:
    module = nn.Sequential(nn.Linear(len(weights), 1), *more)
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([weights]))
        module[0].bias.zero_()
    return module


def study_of(frame: pd.DataFrame, module: nn.Module, target: str | None, seed: int = 1, **options: Any) -> Study:
    table = table_from_frame(frame, name="table", target=target)
    network = network_from_module(
        module, sample=np.nan_to_num(table.features()[:2]), name="net", device="cpu", **options
    )
    return Study(table.card, network.card, "cpu", seed, table_loader=lambda: table, network_loader=lambda: network)


def run(analysis: Analysis[Any], study: Study, progress: Silent | None = None, **parameters: Any) -> Any:
    chosen = analysis.Parameters.parse(parameters)
    assert analysis.obstacles(study) == []
    assert analysis.problems(study, chosen) == []
    return analysis.run(study, chosen, progress or Silent())


def regression(count: int = 4000) -> pd.DataFrame:
    x = np.random.default_rng(2).normal(size=(count, 3))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": 3 * x[:, 0] + x[:, 1]})


def classes(count: int = 500) -> pd.DataFrame:
    x = np.random.default_rng(2).normal(size=(count, 3))
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(kind=np.where(3 * x[:, 0] + x[:, 1] > 0, "ill", "healthy"))


def test_that_a_linear_model_loses_twice_the_variance_that_a_column_explains(analysis: Analysis[Any]) -> None:
    # A perfect model y = 3a + b: shuffling x_j makes the squared error w_j² E(x_j - x_j')² = 2 w_j² Var(x_j).
    frame = regression()
    result = run(analysis, study_of(frame, linear([3.0, 1.0, 0.0]), "y"), repeats=20)
    table = result["importance"].to_frame().set_index("factor")
    expected = 2 * np.array([9, 1, 0]) * frame[["a", "b", "c"]].var(ddof=0)
    np.testing.assert_allclose(table["importance"], expected, rtol=0.03)
    assert (np.abs(table["importance"] - expected) <= 4 * table["importance_conf"] + 1e-12).all()
    assert (table["low"] <= table["importance"]).all()
    assert (table["importance"] <= table["high"]).all()
    assert result.evaluations == 4000 * (1 + 3 * 20)
    assert "as they are: loss" in result["notes"].text
    assert [table.index[r.row] for r in result["importance"].remarks] == ["c"]


def test_that_accuracy_falls_as_counted_by_hand(analysis: Analysis[Any]) -> None:
    frame = classes()
    study = study_of(frame, linear([3.0, 1.0, 0.0], nn.Sigmoid()), "kind", seed=7, class_names=("healthy", "ill"))
    result = run(analysis, study, repeats=4)
    x, truth = frame[["a", "b", "c"]].to_numpy(), (frame["kind"] == "ill").to_numpy()
    for column, found in enumerate(result["importance"].to_frame()["importance"]):
        drops = []
        for repeat in range(4):
            shuffled = x.copy()
            shuffled[:, column] = np.random.default_rng([7, column, repeat]).permutation(shuffled[:, column])
            drops.append(1 - np.mean((3 * shuffled[:, 0] + shuffled[:, 1] > 0) == truth))
        assert found == pytest.approx(np.mean(drops), abs=1e-12)
    assert "accuracy 100.0%" in result["notes"].text


@pytest.mark.parametrize("outputs", [1, 2])
def test_that_classes_are_matched_by_name_not_by_their_order(analysis: Analysis[Any], outputs: int) -> None:
    frame = classes()
    # This network's first class is "ill", the table's first is "healthy".
    if outputs == 1:
        module = linear([-3.0, -1.0, 0.0], nn.Sigmoid())
    else:
        module = nn.Sequential(nn.Linear(3, 2), nn.Softmax(1))
        with torch.no_grad():
            module[0].weight.copy_(torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
            module[0].bias.zero_()
    result = run(analysis, study_of(frame, module, "kind", class_names=("ill", "healthy")), repeats=2)
    assert "accuracy 100.0%" in result["notes"].text


def test_that_the_loss_of_a_classifier_is_its_cross_entropy(analysis: Analysis[Any]) -> None:
    frame = classes(50)
    module = linear([3.0, 1.0, 0.0])
    study = study_of(frame, module, "kind", class_names=("healthy", "ill"))
    result = run(analysis, study, repeats=2, measure="loss")
    z = 3 * frame["a"] + frame["b"]
    loss = np.mean(np.log1p(np.exp(-np.where(frame["kind"] == "ill", z, -z))))
    assert f"loss {loss:.4g}" in result["notes"].text


def test_that_an_interrupted_run_ends_with_the_same_numbers(analysis: Analysis[Any]) -> None:
    study = study_of(classes(), linear([3.0, 1.0, 0.0], nn.Sigmoid()), "kind", class_names=("healthy", "ill"))
    whole = run(analysis, study, repeats=3)["importance"].to_frame()

    kept: list[Checkpoint] = []

    class Interrupted(Silent):
        def checkpoint(self, state: Checkpoint) -> None:
            kept.append(state)
            if len(kept) == 2:
                raise Stopped

    with pytest.raises(Stopped):
        run(analysis, study, Interrupted(), repeats=3)
    resumed = run(analysis, study, Silent(kept[-1]), repeats=3)
    pd.testing.assert_frame_equal(resumed["importance"].to_frame(), whole)
    assert resumed.evaluations == 500 * 3


def test_that_gaps_are_left_out_and_a_table_of_gaps_is_refused(analysis: Analysis[Any]) -> None:
    frame = regression(20)
    frame.loc[3, "a"] = np.nan
    frame.loc[4, "y"] = np.nan
    study = study_of(frame, linear([3.0, 1.0, 0.0]), "y")
    progress = Silent()
    result = run(analysis, study, progress, repeats=2)
    assert progress.warnings == ["2 rows left out: a value is missing."]
    assert result.evaluations == 18 * 7
    with pytest.raises(UserError, match="missing value"):
        run(analysis, study, rows="3,4")


def test_that_what_does_not_fit_is_a_sentence(analysis: Analysis[Any]) -> None:
    frame = regression(20)
    without = study_of(frame[["a", "b", "c"]], linear([1.0, 1.0, 0.0]), None)
    assert "no target column" in " ".join(analysis.obstacles(without))
    study = study_of(frame, linear([1.0, 1.0, 0.0]), "y")
    chosen = analysis.Parameters.parse({"measure": "accuracy", "rows": "0-40"})
    problems = " ".join(analysis.problems(study, chosen))
    assert "holds no classes" in problems
    assert "no row 40" in problems


def test_that_the_manifest_and_the_class_tell_the_same_title(analysis: Analysis[Any]) -> None:
    from sensiview.plugin_loading import list_plugins

    info = next(i for i in list_plugins() if i.name == "permutation_importance")
    assert info.title == analysis.title
    assert (info.path / "README.md").is_file()  # type: ignore[operator]
    assert analysis.summary().endswith("shuffled.")
