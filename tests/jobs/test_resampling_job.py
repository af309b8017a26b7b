"""A cohort resampled as a job: the same subjects and labels on one grid."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.items import IndexTable
from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.cohort import understand_cohort
from sensiview.datasets.volume_opening import open_volumes
from sensiview.errors import DataError, Stopped, UserError
from sensiview.files import fingerprint
from sensiview.jobs.events import Event, StageBegan, Succeeded, Warned
from sensiview.jobs.execution import execute
from sensiview.jobs.prepared import read_prepared
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.resampling_job import resample
from sensiview.jobs.task import Task


def source_of(folder: Path, *, target: str | None = None, extra: dict[str, Any] | None = None) -> DatasetSource:
    cohort = understand_cohort([folder], name="heads", target=target)
    card = cohort.card.model_copy(update={"extra": {**cohort.card.extra, **(extra or {})}})
    return DatasetSource(id="d1", card=card, files=tuple(fingerprint(path) for path in cohort.files))


def run(tmp_path: Path, source: DatasetSource, stop: bool = False, **parameters: Any) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    task = Task(
        kind="preparation",
        analysis="resampling",
        run="r1",
        directory=tmp_path / "run",
        parameters=parameters,
        dataset=source,
    )
    task.directory.mkdir(exist_ok=True)
    progress = JobProgress("r1", events.append, lambda: stop, keep=lambda state: None)
    return resample(task, "cpu", progress, {}), events


def blob(path: Path, shape: tuple[int, int, int], affine: np.ndarray, centre: tuple[float, float, float]) -> None:
    """A ball of 12 mm around a point in mm, whatever the grid."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ijk = np.stack([*np.meshgrid(*map(np.arange, shape), indexing="ij"), np.ones(shape)], axis=-1)
    away = np.linalg.norm((ijk @ affine.T)[..., :3] - centre, axis=-1)
    image = nib.Nifti1Image((100 * np.exp(-((away / 12) ** 2))).astype(np.float32), affine)
    image.set_sform(affine, 4)
    nib.save(image, path)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Four volumes on four grids, one oblique, all with a ball at (10, 5, 8) mm."""
    root = tmp_path / "data"
    angle = np.radians(20)
    oblique = np.array(
        [
            [2 * np.cos(angle), -2 * np.sin(angle), 0, -30],
            [2 * np.sin(angle), 2 * np.cos(angle), 0, -60],
            [0, 0, 2, -40],
            [0, 0, 0, 1],
        ]
    )
    grids = [
        ((40, 40, 40), np.array([[2, 0, 0, -40], [0, 2, 0, -40], [0, 0, 2, -40], [0, 0, 0, 1.0]])),
        ((30, 40, 35), np.array([[0, 0, -2, 40], [-2, 0, 0, 40], [0, 2, 0, -40], [0, 0, 0, 1.0]])),
        ((50, 60, 40), oblique),
        ((45, 45, 20), np.array([[2, 0, 0, -40], [0, 2, 0, -40], [0, 0, 4, -40], [0, 0, 0, 1.0]])),
    ]
    for number, (shape, affine) in enumerate(grids, start=1):
        blob(root / f"sub-{number:03}_T1w.nii.gz", shape, affine, (10, 5, 8))
    rows = ["sub-001\tAD\t0070", "sub-002\tCN\t0080", "sub-003\tAD\tn/a", "sub-004\tn/a\t0100"]
    (root / "participants.tsv").write_text("\n".join(["participant_id\tdiagnosis\tcode", *rows]) + "\n")
    return root


def test_that_a_mixed_cohort_lies_on_one_grid_with_everything_in_its_place(tmp_path: Path, mixed: Path) -> None:
    folds = {"k": 2, "seed": 1, "assignment": {"sub-001": 0}}
    source = source_of(mixed, target="diagnosis", extra={"folds": folds})
    (result, recorded), events = run(tmp_path, source, template="mni152_3mm", name="on MNI")
    card, files = read_prepared(tmp_path / "run")
    assert (card.name, card.n_rows, card.kind) == ("on MNI", 4, "volumes")
    assert card.extra["shape"] == [67, 79, 64]
    assert len(card.extra["grids"]) == 1
    assert card.extra["space"] == "mni"
    assert card.extra["folds"] == folds
    assert card.extra["names"] == source.card.extra["names"]
    assert card.extra["subjects"] == source.card.extra["subjects"]
    assert (card.target, card.class_counts) == ("diagnosis", {"AD": 2, "CN": 1})
    assert [path.name for path in files][-1] == "participants.tsv"
    volumes = open_volumes(SimpleNamespace(card=card, files=[fingerprint(path) for path in files]))
    np.testing.assert_array_equal(volumes.labels(), [0, 1, 0, -1])
    assert list(volumes.table["code"].astype(object))[:2] == ["0070", "0080"]
    for index in range(4):
        volume = volumes.volume(index)
        values = volume.values().astype(np.float64)
        weights = np.argwhere(values > 5)
        centre = np.average(weights, axis=0, weights=values[values > 5])
        np.testing.assert_allclose((volume.affine @ [*centre, 1])[:3], (10, 5, 8), atol=0.3)
    table = result["volumes"]
    assert isinstance(table, IndexTable)
    assert list(table.frame["volume"]) == list(volumes.names)
    assert (table.frame["inside_template"] > 0.9).all()
    assert recorded["parameters"]["interpolation"] == "linear"
    assert not [event for event in events if isinstance(event, Warned)]
    assert any(isinstance(event, StageBegan) for event in events)


def test_that_what_can_not_be_resampled_is_left_out_and_said(tmp_path: Path, mixed: Path) -> None:
    far = np.diag([2.0, 2, 2, 1])
    far[:3, 3] = 900
    blob(mixed / "sub-005_T1w.nii.gz", (20, 20, 20), far, (920, 920, 920))
    near = np.diag([2.0, 2, 2, 1])
    near[:3, 3] = (80, -20, -20)
    blob(mixed / "sub-006_T1w.nii.gz", (30, 20, 20), near, (108, 0, 0))
    source = source_of(mixed, target="diagnosis")
    shutil.copy(mixed / "sub-001_T1w.nii.gz", mixed / "sub-002_T1w.nii.gz")
    with pytest.raises(DataError, match="has changed"):
        run(tmp_path, source)
    source = source_of(mixed, target="diagnosis")
    _, events = run(tmp_path, source)
    card, _ = read_prepared(tmp_path / "run")
    assert card.n_rows == 5
    said = " ".join(event.sentence for event in events if isinstance(event, Warned))
    assert "Nothing of 'sub-005' lies inside mni152_3mm" in said
    assert "'sub-006' and mni152_3mm hardly overlap" in said


def test_that_volumes_outside_mni_are_warned_of_and_none_left_is_an_error(tmp_path: Path) -> None:
    far = np.diag([2.0, 2, 2, 1])
    far[:3, 3] = 900
    image = nib.Nifti1Image(np.random.default_rng(0).random((5, 6, 7), np.float32), far)
    image.set_sform(far, 1)
    (tmp_path / "data").mkdir()
    nib.save(image, tmp_path / "data" / "a.nii.gz")
    with pytest.raises(DataError, match=r"No volume of 'heads' can be resampled to mni152_3mm: Nothing of 'a'"):
        run(tmp_path, source_of(tmp_path / "data"))
    (result, _), _ = run(tmp_path, source_of(tmp_path / "data"), template="a", interpolation="nearest")
    assert list(result["volumes"].frame["inside_template"]) == [1.0]


def test_that_the_job_runs_from_the_first_event_to_the_last(tmp_path: Path, mixed: Path) -> None:
    events: list[Event] = []
    task = Task(
        kind="preparation",
        analysis="resampling",
        run="r1",
        directory=tmp_path / "run",
        parameters={"template": "sub-001"},
        dataset=source_of(mixed),
    )
    execute(task, Catalogue(), events.append, lambda: False)
    assert isinstance(events[-1], Succeeded), events[-1]
    assert events[-1].items == ("volumes", "note")
    assert read_prepared(tmp_path / "run")[0].extra["shape"] == [40, 40, 40]


def test_that_wrong_settings_and_a_stop_are_obeyed(tmp_path: Path, mixed: Path) -> None:
    source = source_of(mixed)
    with pytest.raises(UserError, match="settings of the resampling"):
        run(tmp_path, source, interpolation="cubic")
    with pytest.raises(UserError, match="no template 'mni'"):
        run(tmp_path, source, template="mni")
    with pytest.raises(Stopped):
        run(tmp_path, source, stop=True)


def test_that_odd_names_and_columns_survive(tmp_path: Path) -> None:
    root = tmp_path / "data"
    affine = np.diag([4.0, 4, 4, 1])
    names = ["Kopf ü 1.nii", "kopf ü 1 .nii", "x;y.nii"]
    for number, name in enumerate(names):
        affine[:3, 3] = -20 + number
        blob(root / name, (10, 10, 10), affine, (0, 0, 0))
    lines = [f'"{name}"\t{k}\t"say ""hi""\tü"' for k, name in enumerate(names)]
    (root / "t.tsv").write_text("\n".join(["file\tparticipant_id\tnote", *lines]) + "\n", encoding="utf-8")
    source = source_of(root)
    run(tmp_path, source, template=source.card.extra["names"][0])
    card, files = read_prepared(tmp_path / "run")
    assert card.extra["names"] == source.card.extra["names"]
    assert card.extra["subjects"] == source.card.extra["subjects"]
    volumes = open_volumes(SimpleNamespace(card=card, files=[fingerprint(path) for path in files]))
    assert list(volumes.table["note"].astype(str)) == ['say "hi"\tü'] * 3
    assert len({path.name.lower() for path in files}) == 4


def test_that_real_hippocampi_go_onto_one_grid(tmp_path: Path, shared_data: Path) -> None:
    images = shared_data / "mri" / "msd_hippocampus" / "images"
    files = sorted(images.glob("*.nii.gz"))[:4]
    cohort = understand_cohort(files, name="crops")
    source = DatasetSource(id="d", card=cohort.card, files=tuple(fingerprint(path) for path in cohort.files))
    run(tmp_path, source, template=cohort.card.extra["names"][1])
    card, _ = read_prepared(tmp_path / "run")
    assert card.extra["shape"] == list(nib.load(files[1]).shape)
    assert len(card.extra["grids"]) == 1
