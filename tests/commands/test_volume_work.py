"""A cohort of volumes, worked on with the commands alone: import, cross-validation, masks, export."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.commands.conftest import Command
from tests.datasets.dicom_phantom import write_series

SHAPE = (16, 18, 14)
AFFINE = np.array([[-4.0, 0, 0, 30], [0, 4, 0, -40], [0, 0, 4, -28], [0, 0, 0, 1.0]])


def write_cohort(folder: Path, subjects: int = 16, *, labels: bool = True) -> Path:
    """Volumes of noise; patients have a dark block in one corner. Orientation LAS, 4 mm."""
    folder.mkdir()
    random = np.random.default_rng(1)
    rows = ["participant_id\tdiagnosis\tage"]
    for number in range(subjects):
        values = 0.6 + 0.1 * random.random(SHAPE)
        if number % 2:
            values[3:8, 4:10, 4:9] *= 0.3
        image: Any = nibabel.Nifti1Image(values.astype(np.float32), AFFINE)  # type: ignore[no-untyped-call]
        nibabel.save(image, folder / f"sub-{number:02d}_T1w.nii.gz")  # type: ignore[attr-defined]
        rows.append(f"sub-{number:02d}\t{'patient' if number % 2 else 'control'}\t{60 + number}")
    if labels:
        (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def cohort(sensiview: Command, tmp_path: Path) -> Path:
    """A project with the cohort and two networks, one per fold."""
    project = tmp_path / "brains.sensiview"
    folder = write_cohort(tmp_path / "bids")
    assert sensiview("new", project).code == 0
    added = sensiview("add-dataset", project, folder, "--target", "diagnosis", "--name", "cohort", "--json")
    assert added.code == 0, added.err
    entry = added.json["datasets"][0]
    assert (entry["kind"], entry["rows"], entry["classes"]) == ("volumes", 16, {"control": 8, "patient": 8})
    trained = sensiview(
        "train", project, "--architecture", "cnn3d", "--dataset", "cohort", "--name", "net", "--epochs", "30",
        "--folds", "2", "--option", "channels=4,8", "--option", "dropout=0", "--json",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    assert [m["name"] for m in trained.json["models"]] == ["net fold 0", "net fold 1"]
    return project


def test_that_a_cohort_is_trained_masked_compared_and_exported(
    sensiview: Command, cohort: Path, tmp_path: Path
) -> None:
    masks = []
    for fold in (0, 1):
        answer = sensiview(
            "run", cohort, "mask_optimization", "--dataset", "cohort", "--model", f"net fold {fold}",
            "-p", "subjects=diagnosis=patient", "-p", "group=true", "-p", "steps=20", "-p", "fill=one", "--json",
        )  # fmt: skip
        assert answer.code == 0, answer.err
        assert {"mask", "masked_input", "trace", "probability"} <= set(answer.json["items"])
        masks.append(answer.json["run"])
    robust = sensiview(
        "run", cohort, "mask_robustness", "--dataset", "cohort", "--model", "net fold 0",
        "-p", f"runs=[\"{masks[0]}\",\"{masks[1]}\"]", "-p", "subjects=diagnosis=patient", "--json",
    )  # fmt: skip
    assert robust.code == 0, robust.err
    assert {"roi_similarity", "prob_cnn", "means"} <= set(robust.json["items"])
    folder = tmp_path / "out"
    exported = sensiview("export", cohort, masks[0], "--to", folder)
    assert exported.code == 0, exported.err
    image: Any = nibabel.load(folder / "mask.nii.gz")  # type: ignore[attr-defined]
    assert image.shape == SHAPE
    np.testing.assert_allclose(image.affine, AFFINE)
    assert nibabel.aff2axcodes(image.affine) == ("L", "A", "S")  # type: ignore[attr-defined]
    # The dark block is what makes a patient: the mask must lie there.
    covered = 1 - np.asarray(image.dataobj)
    assert covered[3:8, 4:10, 4:9].mean() > 3 * covered.mean()
    for name in ("mask.npz", "mask.png", "trace.csv", "record.json"):
        assert (folder / name).is_file(), name


@pytest.mark.parametrize(
    ("name", "contents", "sentence"),
    [
        ("cut.nii.gz", "truncated", "cut.nii.gz"),
        ("flat.nii", "flat", "flat.nii"),
        ("empty.nii.gz", "empty", "empty.nii.gz"),
    ],
)
def test_that_a_bad_volume_is_refused_with_a_sentence_that_names_it(
    sensiview: Command, tmp_path: Path, name: str, contents: str, sentence: str
) -> None:
    project = tmp_path / "p.sensiview"
    sensiview("new", project)
    path = tmp_path / name
    if contents == "truncated":
        image: Any = nibabel.Nifti1Image(np.random.default_rng(1).random((20, 20, 20)), np.eye(4))  # type: ignore[no-untyped-call]
        whole = gzip.compress(image.to_bytes())
        path.write_bytes(whole[: len(whole) // 2])
    elif contents == "flat":
        nibabel.save(nibabel.Nifti1Image(np.zeros((20, 20)), np.eye(4)), path)  # type: ignore[attr-defined,no-untyped-call]
    else:
        path.write_bytes(b"")
    answer = sensiview("add-dataset", project, path)
    assert answer.code == 1
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert "error it does not know" not in answer.err


def test_that_a_mixed_cohort_is_taken_and_the_group_mask_refused_with_the_reason(
    sensiview: Command, cohort: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    write_cohort(folder, 4)
    other: Any = nibabel.Nifti1Image(np.ones((10, 10, 10), dtype=np.float32), np.eye(4))  # type: ignore[no-untyped-call]
    nibabel.save(other, folder / "sub-99_T1w.nii.gz")  # type: ignore[attr-defined]
    added = sensiview("add-dataset", cohort, folder, "--target", "diagnosis", "--name", "mixed")
    assert added.code == 0, added.err
    answer = sensiview(
        "run", cohort, "mask_optimization", "--dataset", "mixed", "--model", "net fold 0", "-p", "subjects=all",
        "-p", "group=true", "-p", "steps=2",
    )  # fmt: skip
    assert answer.code in (1, 3)
    assert "grid" in answer.err
    assert "Traceback" not in answer.err


def test_that_folds_need_volumes_and_at_least_two(sensiview: Command, cohort: Path) -> None:
    few = sensiview("train", cohort, "--architecture", "cnn3d", "--dataset", "cohort", "--folds", "1")
    assert (few.code, "two folds" in few.err) == (1, True)
    many = sensiview("train", cohort, "--architecture", "cnn3d", "--dataset", "cohort", "--folds", "20")
    assert many.code == 1
    assert "fold" in many.err
    before = len(sensiview("runs", cohort, "--json").json["runs"])
    wrong = sensiview(
        "train", cohort, "--architecture", "cnn3d", "--dataset", "cohort", "--folds", "2", "--recipe", "epoch=3"
    )
    assert (wrong.code, "There is no training setting 'epoch'. Did you mean 'epochs'?" in wrong.err) == (1, True)
    assert len(sensiview("runs", cohort, "--json").json["runs"]) == before


def test_that_what_of_a_dicom_folder_is_left_out_is_said(sensiview: Command, tmp_path: Path) -> None:
    def without_pixels(dataset: Any, _: int) -> None:
        del dataset.PixelData

    project, folder = tmp_path / "p.sensiview", tmp_path / "scans"
    assert sensiview("new", project).code == 0
    block = np.arange(6 * 7 * 8).reshape(6, 7, 8)
    write_series(folder / "good", block, description="T1")
    write_series(folder / "report", block, description="Scout", series="two", edit=without_pixels)
    (folder / "readme.txt").write_text("hello")
    added = sensiview("add-dataset", project, folder, "--json")
    assert (added.code, added.err) == (0, "")
    notes = added.json["datasets"][0]["notes"]
    assert any("The series 'Scout (series 3)' of 8 files is left out: It holds no pixel data" in note for note in notes)
    assert any("readme.txt" in note for note in notes)
    none = sensiview("add-dataset", project, folder / "report", "--kind", "dicom")
    assert none.code == 1
    assert none.err.startswith("The series is no volume. It holds no pixel data")


def test_that_a_model_has_its_name_though_the_first_try_to_train_it_failed(sensiview: Command, cohort: Path) -> None:
    asked = ("train", cohort, "--architecture", "cnn3d", "--dataset", "cohort", "--name", "second", "--epochs", "1")
    failed = sensiview(*asked, "--recipe", "fit=1,1,1")
    assert failed.code != 0
    done = sensiview(*asked, "--option", "channels=2", "--json")
    assert done.code == 0, done.err
    answer = sensiview("run", cohort, "saliency", "--dataset", "cohort", "--model", "second", "-p", "subjects=0")
    assert answer.code == 0, answer.err
    again = sensiview(*asked, "--option", "channels=2")
    assert again.code == 0
    assert (
        "Known: net fold 0, net fold 1, second, second 2."
        in sensiview("run", cohort, "saliency", "--dataset", "cohort", "--model", "third").err
    )


def test_that_a_run_that_was_still_waiting_when_the_program_ended_can_be_begun(
    sensiview: Command, cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensiview.command_line import run_commands

    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_commands, "_finish", killed)
        ended = sensiview("run", cohort, "saliency", "--dataset", "cohort", "--model", "net fold 0", "-p", "subjects=0")
    assert ended.code == 130
    waiting = sensiview("runs", cohort, "--json").json["runs"][-1]
    assert waiting["state"] == "queued"
    begun = sensiview("resume", cohort, waiting["id"], "--json")
    assert (begun.code, begun.json["state"]) == (0, "succeeded"), begun.err
