"""`sensiview.analyse` in a notebook, and `sensiview.load` on a project."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import sensiview
from sensiview.errors import UserError


class Ishigami(nn.Module):
    """y = sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x[:, 0]) + 7 * torch.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * torch.sin(x[:, 0])


S1, ST = [0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]
BOX = [[-math.pi, math.pi]] * 3


def _frame() -> pd.DataFrame:
    rows = np.random.default_rng(1).uniform(-math.pi, math.pi, (100, 3))
    return pd.DataFrame(rows, columns=["x1", "x2", "x3"])


@pytest.mark.parametrize(
    "data",
    [_frame(), _frame().to_numpy(), torch.from_numpy(_frame().to_numpy().copy()), None],
    ids=["frame", "array", "tensor", "bounds alone"],
)
def test_that_ishigami_comes_out_of_every_kind_of_data(data: object) -> None:
    result = sensiview.analyse(
        "sobol", Ishigami(), data, parameters={"n": 4096, "bounds": BOX}, device="cpu", seed=1, progress=False
    )
    table = result["first_total"].to_frame()
    assert np.allclose(table["S1"], S1, atol=0.02)
    assert np.allclose(table["ST"], ST, atol=0.02)
    assert result.evaluations == 4096 * (2 * 3 + 2)
    assert "convergence" in result
    assert result.get("no such item") is None


def test_that_the_last_column_is_the_target_when_the_model_takes_one_fewer() -> None:
    frame = _frame().assign(ill=lambda f: (f["x1"] > 0).astype(int))
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    result = sensiview.analyse("sobol", network, frame, parameters={"n": 128}, progress=False)
    assert list(result["first_total"].to_frame()["factor"]) == ["x1", "x2", "x3"]


def test_that_the_model_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2)).train()
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    sensiview.analyse("sobol", network, _frame(), parameters={"n": 128, "output": "logit"}, progress=False)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(not module._forward_hooks for module in network.modules())
    assert torch.is_grad_enabled()


def test_that_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    def run(seed: int) -> pd.DataFrame:
        parameters = {"n": 256, "bounds": BOX}
        result = sensiview.analyse("sobol", Ishigami(), _frame(), parameters=parameters, seed=seed, progress=False)
        return result["first_total"].to_frame()

    pd.testing.assert_frame_equal(run(3), run(3), check_exact=True)
    assert not np.allclose(run(3)["S1"], run(4)["S1"], atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"key": "sobl"}, "sobol"),
        ({"parameters": {"m": 3}}, "no parameter 'm'"),
        ({"seed": 0}, "seed"),
        ({"data": None}, "bounds"),
        ({"data": _frame().iloc[:, :2]}, "2"),
        ({"device": "cuda:9"}, "cuda:9"),
        ({"model": None}, "model"),
    ],
)
def test_that_wrong_calls_are_answered_in_a_sentence(call: dict[str, object], words: str) -> None:
    good: dict[str, object] = {"key": "sobol", "model": nn.Linear(3, 1), "data": _frame(), "progress": False}
    with pytest.raises(UserError, match=words):
        sensiview.analyse(**{**good, **call})  # type: ignore[arg-type]


def test_that_nothing_is_printed_without_progress(capfd: pytest.CaptureFixture[str]) -> None:
    sensiview.analyse("sobol", Ishigami(), _frame(), parameters={"n": 128}, progress=False)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_that_a_project_gives_its_contents_as_objects(tmp_path: Path) -> None:
    from sensiview import assembly

    sample = Path(__file__).resolve().parents[2] / "resources" / "samples" / "diabetes" / "diabetes.csv"
    folder = tmp_path / "p.sensiview"
    for line in (
        ["new", folder],
        ["add-dataset", folder, sample, "--target", "Outcome", "--name", "patients"],
        ["train", folder, "--architecture", "mlp", "--dataset", "patients", "--epochs", "3", "--name", "net"],
        ["run", folder, "sobol", "-p", "n=128", "--name", "first"],
    ):
        assert assembly.run([str(part) for part in line]) == 0
    project = sensiview.load(folder)
    assert project.datasets["patients"].shape == (768, 9)
    assert project.models["net"].card.architecture == "mlp"
    assert len(project.runs["first"].result["first_total"].to_frame()) >= 8
    again = sensiview.analyse(
        "sobol", project.models["net"], project.datasets["patients"], parameters={"n": 128}, target="Outcome",
        progress=False,
    )  # fmt: skip
    assert np.allclose(
        again["first_total"].to_frame()["ST"], project.runs["first"].result["first_total"].to_frame()["ST"]
    )
    with pytest.raises(UserError, match="patients"):
        project.datasets["patient"]
