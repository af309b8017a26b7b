"""First-layer sensitivity: the authors' numbers, analytic models, and what users try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sensiview.analysis.progress import Silent
from sensiview.analysis.study import Study
from sensiview.datasets.table import table_from_frame
from sensiview.errors import UserError
from sensiview.methods.first_layer_sensitivity import FirstLayerParameters, FirstLayerSensitivity
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network, network_from_module

ANALYSIS = FirstLayerSensitivity()


def study_of(frame: pd.DataFrame, module: nn.Module, *, target: str | None = None, **options: Any) -> Study:
    table = table_from_frame(frame, name="table", target=target)
    sample = np.nan_to_num(table.features()[:2])

    def network() -> Network:
        return network_from_module(module, sample=sample, name="net", device="cpu", **options)

    return Study(
        dataset=table.card, model=network().card, device="cpu", table_loader=lambda: table, network_loader=network
    )


def seeded(*layers: nn.Module) -> nn.Sequential:
    module = nn.Sequential(*layers)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def run(study: Study, **parameters: Any) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    progress = Silent()
    chosen = FirstLayerParameters.parse(parameters)
    assert ANALYSIS.obstacles(study) == []
    assert ANALYSIS.problems(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress)
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result["relative"].to_frame(), result["derivative"].to_frame(), result  # type: ignore[attr-defined]


class DiabetesNet(nn.Module):
    """The authors' network, as they wrote it."""

    def __init__(self) -> None:
        super().__init__()
        self.fn1, self.bn1 = nn.Linear(8, 10), nn.BatchNorm1d(10)
        self.fn2, self.bn2 = nn.Linear(10, 1), nn.BatchNorm1d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.bn2(self.fn2(torch.relu(self.bn1(self.fn1(x))))))


@pytest.fixture
def pima(shared_data: Path) -> Study:
    module = DiabetesNet()
    weights = torch.load(shared_data / "weights" / "pima_mlp_8-10-1_LUCI1a.pth", weights_only=True)  # noqa: TID251
    module.load_state_dict(weights)
    frame = pd.read_csv(shared_data / "tabular" / "pima_diabetes.csv")
    return study_of(frame, module, target="Outcome", class_names=("0", "1"))


def test_that_the_authors_numbers_come_out_with_the_authors_weights(pima: Study, shared_data: Path) -> None:
    reference = json.loads((shared_data / "tabular" / "reference_pima.json").read_text("utf-8"))
    relative, _, result = run(pima, rows="0-699")
    assert list(relative.columns) == ["layer", "factor", "value", "std"]
    assert set(relative["layer"]) == {"fn1"}
    found = dict(zip(relative["factor"], relative["value"], strict=True))
    for factor, value in reference["first_hidden_layer_FD_1pct_relative_mean_L2_rows_0_700"].items():
        assert found[factor] == pytest.approx(value, abs=1e-5)
    # 374 of the 768 insulin values are 0: said in words and marked in the table.
    assert "Insulin 48." in result["notes"].text
    assert {relative["factor"][r.row] for r in result["relative"].remarks} == {"Insulin", "SkinThickness"}


def test_that_the_derivatives_of_the_real_network_equal_central_differences(pima: Study) -> None:
    _, derivative, _ = run(pima, rows="0-199")
    assert list(derivative.columns) == ["layer", "unit", "factor", "mean", "std", "mean_square", "scaled"]
    assert len(derivative) == (1 + 10) * 8
    rows = pima.table().features()[:200]
    network = pima.network()
    evaluate = Evaluator(Network(network.module.double(), network.card), ["probability", "fn1"])
    steps = 1e-6 * np.eye(8)
    slopes = np.stack([(evaluate(rows + s) - evaluate(rows - s)) / 2e-6 for s in steps], axis=2)
    np.testing.assert_allclose(derivative["mean"], slopes.mean(axis=0).ravel(), atol=1e-7)
    np.testing.assert_allclose(derivative["std"], slopes.std(axis=0, ddof=1).ravel(), atol=1e-6)
    np.testing.assert_allclose(derivative["mean_square"], (slopes**2).mean(axis=0).ravel(), atol=1e-6)
    scale = np.tile(rows.std(axis=0, ddof=1), 11)
    np.testing.assert_allclose(derivative["scaled"], np.sqrt((slopes**2).mean(axis=0)).ravel() * scale, atol=1e-5)


def test_that_the_model_given_stays_in_its_own_precision_and_mode(pima: Study) -> None:
    network = pima.network()
    network.module.train()
    before = {k: v.clone() for k, v in network.module.state_dict().items()}
    study = Study(pima.dataset, pima.model, "cpu", table_loader=pima.table, network_loader=lambda: network)
    run(study, rows="0-9")
    assert network.module.training
    assert all(torch.equal(v, before[k]) for k, v in network.module.state_dict().items())
    assert network.dtype == torch.float32


def test_that_standardising_belongs_to_the_model_and_raw_units_come_out() -> None:
    module = seeded(nn.Linear(2, 3))
    preprocessing = {"kind": "standardise", "mean": [10.0, -3.0], "std": [4.0, 0.5]}
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.5, 0.25, 8.0]})
    relative, derivative, _ = run(study_of(frame, module, preprocessing=preprocessing))
    weights = module[0].weight.detach().numpy() / [4.0, 0.5]
    np.testing.assert_allclose(relative["value"], 0.01 * frame.mean() * np.linalg.norm(weights, axis=0), rtol=1e-6)
    np.testing.assert_allclose(derivative["mean"], np.tile(weights.ravel(), 2), rtol=1e-6)
    np.testing.assert_allclose(derivative["std"], 0, atol=1e-12)
    np.testing.assert_allclose(derivative["mean_square"], np.tile(weights.ravel() ** 2, 2), rtol=1e-6)


def test_that_several_layers_come_from_one_run_and_layer_may_be_written_for_one() -> None:
    module = seeded(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(9, 2)), columns=["a", "b"])
    study = study_of(frame, module)
    both, derivative, _ = run(study, layers=["0", "2"], delta=0.5)
    assert list(both["layer"]) == ["0", "0", "2", "2"]
    assert list(derivative["layer"].unique()) == ["output", "0", "2"]
    one, _, _ = run(study, layer="2", delta=0.5)
    np.testing.assert_array_equal(one["value"], both["value"][2:])
    x = frame.to_numpy()
    forward = lambda values: module.double()(torch.tensor(values)).detach().numpy()  # noqa: E731
    moved = np.linalg.norm(forward(x * [1.5, 1]) - forward(x), axis=1)
    assert both["value"][2] == pytest.approx(moved.mean(), rel=1e-10)
    assert both["std"][2] == pytest.approx(moved.std(ddof=1), rel=1e-10)


def test_that_rows_with_gaps_are_left_out_and_said() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1.0, 2.0, 3.0]})
    study = study_of(frame, seeded(nn.Linear(2, 1)))
    progress = Silent()
    result = ANALYSIS.run(study, FirstLayerParameters(), progress)
    assert progress.warnings == ["1 row is left out: a value is missing."]
    assert result.evaluations == 2 * 4
    with pytest.raises(UserError, match="missing value"):
        ANALYSIS.run(study, FirstLayerParameters(rows="1"), Silent())


def test_that_a_column_of_zeros_is_exactly_insensitive_and_marked() -> None:
    frame = pd.DataFrame({'ä, "odd" name': [0.0, 0.0], "b": [1.0, 2.0]})
    relative, derivative, result = run(study_of(frame, seeded(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))))
    assert relative["value"][0] == 0.0
    assert relative["value"][1] > 0
    assert derivative["mean"].abs().min() > 0
    assert 'ä, "odd" name 100.0%' in result["notes"].text


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"layers": "fn9"}, "has no layer 'fn9'"),
        ({"rows": "0-99"}, "There is no row 99"),
        ({"output": "probabilty"}, "Did you mean 'probability'"),
        ({"target": "maybe"}, "maybe"),
    ],
)
def test_that_values_that_do_not_fit_are_sentences_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    study = study_of(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}), seeded(nn.Linear(2, 1)))
    assert sentence in " ".join(ANALYSIS.problems(study, FirstLayerParameters.parse(parameters)))


@pytest.mark.parametrize("parameters", [{"delta": 0}, {"delta": -2}, {"nonsense": 1}, {"layers": 3}])
def test_that_impossible_values_are_refused_at_once(parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        FirstLayerParameters.parse(parameters)


def test_that_a_layer_with_too_many_units_for_a_table_is_refused_with_the_count() -> None:
    study = study_of(pd.DataFrame(np.ones((2, 50))).rename(columns=str), seeded(nn.Linear(50, 5000)))
    assert "derivatives; at most 200,000" in " ".join(ANALYSIS.problems(study, FirstLayerParameters()))


def test_that_a_network_without_linear_layers_asks_for_a_name() -> None:
    study = study_of(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}), nn.Sequential(nn.Tanh()))
    assert "no linear or convolutional layer" in " ".join(ANALYSIS.problems(study, FirstLayerParameters()))
    assert ANALYSIS.cost(study, FirstLayerParameters()).evaluations == 0
    relative, _, _ = run(study, layers=["0"])
    assert len(relative) == 2


def test_that_convolutions_over_a_row_are_watched_unit_by_unit() -> None:
    module = seeded(nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(4, 1))
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(5, 4)), columns=list("abcd"))
    relative, derivative, _ = run(study_of(frame, module))
    assert set(relative["layer"]) == {"1"}
    assert list(derivative["unit"].unique()) == ["output", "0,0", "0,1", "1,0", "1,1"]
