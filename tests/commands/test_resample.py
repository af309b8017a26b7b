"""Volumes brought onto another grid with a command, and maps drawn over the volumes that they explain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.commands.conftest import Command
from tests.commands.test_volume_work import write_cohort


@pytest.fixture
def volumes(sensiview: Command, tmp_path: Path) -> Path:
    """A project with four volumes of 4 mm, two and two of a class."""
    project = tmp_path / "v.sensiview"
    assert sensiview("new", project).code == 0
    folder = write_cohort(tmp_path / "four", 4)
    assert sensiview("add-dataset", project, folder, "--target", "diagnosis", "--name", "cohort").code == 0
    return project


def test_that_volumes_go_onto_a_template_of_any_voxel_size_with_names_and_labels(
    sensiview: Command, volumes: Path
) -> None:
    answer = sensiview("resample", volumes, "--to", "mni152", "--spacing", "6", "--name", "six", "--json")
    assert answer.code == 0, answer.err
    entry = answer.json["dataset"]
    assert (entry["name"], entry["rows"], entry["target"]) == ("six", 4, "diagnosis")
    assert entry["classes"] == {"control": 2, "patient": 2}
    assert entry["grid"] == "33 x 39 x 32 voxels"  # the box of 197 x 233 x 189 mm
    assert answer.json["run"].startswith("resampling-")
    again = sensiview("resample", volumes, "--dataset", "six", "--like", "cohort", "--interpolation", "nearest")
    assert again.code == 0, again.err
    assert "'six on the grid of cohort': 4 volumes, 16 x 18 x 14 voxels" in again.out
    assert "Resampled from 'six' to the grid of cohort (nearest interpolation)." in again.err


def test_that_a_file_and_one_of_the_volumes_can_be_the_grid(
    sensiview: Command, volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image: Any = nibabel.Nifti1Image(np.ones((9, 8, 7), dtype=np.int16), np.diag([-6.0, 6, 6, 1]))  # type: ignore[no-untyped-call]
    nibabel.save(image, tmp_path / "grid.nii")  # type: ignore[attr-defined]
    monkeypatch.chdir(tmp_path)
    assert "9 x 8 x 7 voxels" in sensiview("resample", volumes, "--to", "grid.nii", "--name", "a").out
    answer = sensiview("resample", volumes, "--dataset", "cohort", "--to", "sub-02", "--spacing", "8", "--name", "b")
    assert "8 x 9 x 7 voxels" in answer.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--to", "mni"], 1, "There is no template 'mni'"),
        (["--to", "gone.nii"], 1, "gone.nii"),
        (["--like", "nobody"], 1, "There is no data set 'nobody'"),
        (["--to", "mni152", "--spacing", "-2"], 1, "spacing"),
        (["--to", "mni152", "--spacing", "nan"], 1, "spacing"),
        (["--to", "mni152", "--spacing", "0.01"], 1, "Choose larger ones."),
        (["--to", "mni152", "--spacing", "two"], 2, "two"),
        (["--to", "mni152", "--like", "cohort"], 2, "not allowed"),
        ([], 2, "--to"),
    ],
)
def test_that_a_grid_that_can_not_be_found_leaves_no_run(
    sensiview: Command, volumes: Path, arguments: list[str], code: int, sentence: str
) -> None:
    answer = sensiview("resample", volumes, *arguments)
    assert (answer.code, sentence in answer.err) == (code, True), answer.err
    assert "Traceback" not in answer.err
    assert sensiview("runs", volumes, "--json").json["runs"] == []


def test_that_tables_and_mixed_grids_are_no_grid(sensiview: Command, volumes: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n3,4\n5,6\n")
    assert sensiview("add-dataset", volumes, table).code == 0
    folder = write_cohort(tmp_path / "mixed", 2)
    other: Any = nibabel.Nifti1Image(np.ones((10, 10, 10), dtype=np.float32), np.eye(4))  # type: ignore[no-untyped-call]
    nibabel.save(other, folder / "sub-99_T1w.nii.gz")  # type: ignore[attr-defined]
    assert sensiview("add-dataset", volumes, folder, "--name", "mixed").code == 0
    for like, sentence in (("t", "has no grid"), ("mixed", "2 different grids")):
        answer = sensiview("resample", volumes, "--dataset", "cohort", "--like", like)
        assert (answer.code, sentence in answer.err) == (1, True), answer.err
    answer = sensiview("resample", volumes, "--dataset", "t", "--to", "mni152")
    assert (answer.code, "only volumes can be resampled" in answer.err) == (1, True)
    assert "say which" in sensiview("resample", volumes, "--to", "mni152").err


def test_that_maps_are_exported_and_reported_over_their_volume_and_without_it_when_it_is_gone(
    sensiview: Command, volumes: Path, tmp_path: Path
) -> None:
    trained = sensiview(
        "train", volumes, "--architecture", "cnn3d", "--dataset", "cohort", "--name", "net", "--epochs", "1",
        "--option", "channels=2,2",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    answer = sensiview("run", volumes, "saliency", "-p", "subjects=2-3", "--json")
    assert answer.code == 0, answer.err
    run = answer.json["run"]
    assert sensiview("export", volumes, run, "--to", tmp_path / "a", "--item", "map").code == 0
    svg = (tmp_path / "a" / "map.svg").read_text(encoding="utf-8")
    assert "Each over its own subject." in svg
    (tmp_path / "four" / "sub-03_T1w.nii.gz").unlink()
    exported = sensiview("export", volumes, run, "--to", tmp_path / "b", "--item", "map", "--json")
    assert exported.code == 0, exported.err
    assert "Drawn without anatomy" in exported.err
    assert exported.json["notes"][0] in exported.err
    svg = (tmp_path / "b" / "map.svg").read_text(encoding="utf-8")
    assert "Over sub-02." in svg
    assert "Drawn without anatomy" in svg
    for name in ("r.html", "r.pdf"):
        reported = sensiview("report", volumes, run, "--to", tmp_path / name)
        assert reported.code == 0, reported.err
        assert "Drawn without anatomy" in reported.err
    assert "Drawn without anatomy" in (tmp_path / "r.html").read_text(encoding="utf-8")
