"""The way through a project by commands alone: add, train, run, extend, export, report, rerun, check."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Answer, Command

FACTORS = ["Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI"]
FACTORS += ["DiabetesPedigreeFunction", "Age"]
FIRST_TOTAL = ["output", "factor", "S1", "S1_conf", "ST", "ST_conf", "S1_low", "S1_high", "ST_low", "ST_high"]


def _sobol(sensiview: Command, project: Path, *more: object) -> Answer:
    return sensiview("run", project, "sobol", "--dataset", "patients", "--model", "net", "--json", *more)


def test_that_a_run_answers_with_one_json_object(sensiview: Command, project: Path) -> None:
    answer = _sobol(sensiview, project, "-p", "n=256", "-p", "second_order=true")
    assert answer.code == 0, answer.err
    run = answer.json
    assert run["state"] == "succeeded"
    assert run["evaluations"] == 256 * (2 * 8 + 2)
    assert {"first_total", "second_order", "convergence"} <= set(run["items"])
    assert Path(run["directory"]).is_dir()


def test_that_exports_hold_the_columns_that_scripts_rely_on(sensiview: Command, project: Path, tmp_path: Path) -> None:
    run = _sobol(sensiview, project, "-p", "n=256", "-p", "second_order=true").json["run"]
    target = tmp_path / "out"
    answer = sensiview("export", project, run, "--to", target)
    assert answer.code == 0, answer.err
    first_total = pd.read_csv(target / "first_total.csv")
    assert list(first_total.columns)[:10] == FIRST_TOTAL
    assert list(first_total["factor"]) == FACTORS
    second = pd.read_csv(target / "second_order.csv")
    assert list(second.columns)[:5] == ["output", "factor_1", "factor_2", "S2", "S2_conf"]
    assert len(second) == 8 * 7 / 2
    convergence = pd.read_csv(target / "convergence.csv")
    assert list(convergence.columns)[:7] == ["output", "N", "factor", "S1", "S1_conf", "ST", "ST_conf"]
    assert sorted(convergence["N"].unique()) == [128, 256]
    record = json.loads((target / "record.json").read_text())
    assert record["analysis"] == "sobol"
    assert record["seed"] == 1
    for name in ("first_total.png", "first_total.svg", "convergence.png", "second_order.svg"):
        assert (target / name).stat().st_size > 1000, name


def test_that_an_extended_run_equals_a_run_of_that_size(sensiview: Command, project: Path, tmp_path: Path) -> None:
    small = _sobol(sensiview, project, "-p", "n=256").json["run"]
    extended = sensiview("extend", project, small, "-p", "n=1024", "--json")
    assert extended.code == 0, extended.err
    assert extended.json["evaluations"] == (1024 - 256) * (2 * 8 + 2)
    whole = _sobol(sensiview, project, "-p", "n=1024").json["run"]
    frames = []
    for run in (extended.json["run"], whole):
        assert sensiview("export", project, run, "--to", tmp_path / run, "--item", "first_total").code == 0
        frames.append(pd.read_csv(tmp_path / run / "first_total.csv"))
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_that_a_record_runs_again_in_another_project(sensiview: Command, project: Path, tmp_path: Path) -> None:
    run = _sobol(sensiview, project, "-p", "n=256").json["run"]
    assert sensiview("export", project, run, "--to", tmp_path / "out").code == 0
    again = sensiview("rerun", tmp_path / "out" / "record.json", "--project", project, "--json")
    assert again.code == 0, again.err
    assert sensiview("export", project, again.json["run"], "--to", tmp_path / "again").code == 0
    one, two = ((tmp_path / folder / "first_total.csv").read_bytes() for folder in ("out", "again"))
    assert one == two


def test_that_runs_and_show_tell_what_was_done(sensiview: Command, project: Path) -> None:
    run = _sobol(sensiview, project, "-p", "n=128", "--name", "first try").json["run"]
    listed = sensiview("runs", project, "--json").json["runs"]
    assert [(r["id"], r["state"]) for r in listed][-1] == (run, "succeeded")
    shown = sensiview("show", project, "first try")
    assert shown.code == 0
    assert "Glucose" in shown.out
    assert sensiview("show", project, run, "--json").json["results"]["first_total"]


@pytest.mark.parametrize("suffix", ["html", "pdf"])
def test_that_a_report_is_written(sensiview: Command, project: Path, tmp_path: Path, suffix: str) -> None:
    run = _sobol(sensiview, project, "-p", "n=128").json["run"]
    report = tmp_path / f"report.{suffix}"
    answer = sensiview("report", project, run, "--to", report)
    assert answer.code == 0, answer.err
    content = report.read_bytes()
    assert content.startswith(b"%PDF" if suffix == "pdf" else b"<!DOCTYPE html>")
    assert suffix == "pdf" or b"Saltelli" in content


def test_that_check_finds_a_damaged_result(sensiview: Command, project: Path) -> None:
    run = _sobol(sensiview, project, "-p", "n=128").json
    assert sensiview("check", project).code == 0
    (Path(run["directory"]) / "items" / "first_total.csv").unlink()
    damaged = sensiview("check", project, "--json")
    assert damaged.code == 1
    assert any(run["run"] in f["sentence"] or run["run"] == f["subject"] for f in damaged.json["findings"])


def test_that_hidden_units_and_output_come_from_one_run(sensiview: Command, project: Path) -> None:
    answer = _sobol(sensiview, project, "-p", "n=128", "-p", 'output=["probability", "fn1"]')
    assert answer.code == 0, answer.err
    target = project.parent / "units"
    assert sensiview("export", project, answer.json["run"], "--to", target, "--item", "first_total").code == 0
    outputs = pd.read_csv(target / "first_total.csv")["output"].unique()
    assert len(outputs) == 1 + 10
    assert [f"fn1[{unit}]" for unit in range(10)] == list(outputs)[1:]


@pytest.mark.parametrize("key", ["first_layer_sensitivity", "pca", "permutation_importance"])
def test_that_the_companions_run_with_their_defaults(sensiview: Command, project: Path, key: str) -> None:
    answer = sensiview("run", project, key, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["state"] == "succeeded"
