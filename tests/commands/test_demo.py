"""The sample project from the command line, as somebody without a display would try it first."""

from __future__ import annotations

from pathlib import Path

import pytest

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
