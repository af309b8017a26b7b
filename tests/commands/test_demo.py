"""The sample project from the command line, as somebody without a display would try it first."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensiview import load
from tests.commands.conftest import Command


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_the_diabetes_demo_ends_with_every_result(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "diabetes", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    assert folder == tmp_path / "diabetes.sensiview"
    states = {run["analysis"]: run["state"] for run in sensiview("runs", folder, "--json").json["runs"]}
    wanted = ["training", "sobol", "first_layer_sensitivity", "pca", "feature_subset"]
    assert states == dict.fromkeys(wanted, "succeeded")
    assert sensiview("check", folder).code == 0


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_that_the_brain_demo_finds_what_was_planted(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "brain", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    runs = sensiview("runs", folder, "--json").json["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    loaded = load(folder)
    truth = next(run for run in runs if run["analysis"] == "known_regions")
    shares = loaded.runs[truth["id"]].result["shares"].to_frame()  # type: ignore[attr-defined]
    masks = shares[shares["analysis"] == "mask_optimization"]
    grad_cam = shares[shares["analysis"] == "grad_cam"].iloc[0]
    assert len(masks) == 4
    # A planted region leads the table of every mask, and masks tell planted voxels from others.
    assert (masks["best_rank"] == 1).all()
    assert (masks["auc"] > 0.8).all()
    assert (masks["share_dilated"] > 3 * masks["chance"]).all()
    assert (masks["share_dilated"] > grad_cam["share_dilated"]).all()
    assert sensiview("check", folder).code == 0
