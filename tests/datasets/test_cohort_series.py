"""DICOM series as a cohort, on real series."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sensiview.datasets.cohort import cohort_of_series
from sensiview.datasets.dicom_series import list_series
from sensiview.datasets.dicom_volume import open_series
from sensiview.datasets.volume_opening import open_volumes
from sensiview.errors import DataError
from sensiview.files import fingerprint
from tests.datasets.dicom_phantom import phantom, write_series


def test_that_real_series_are_a_cohort_that_opens_again(shared_data: Path) -> None:
    series = list_series([shared_data / "dicom" / "hippocrop_study1", shared_data / "dicom" / "hippocrop_study3"])
    shares: list[float] = []
    cohort = cohort_of_series(series, name="crops", on_progress=shares.append)
    card = cohort.card
    assert (card.kind, card.n_rows) == ("volumes", len(series))
    assert len(set(card.extra["names"])) == len(series)
    assert shares[-1] == 1
    assert card.extra["space"] == "scanner"
    assert {entry["format"] for entry in card.reading["volumes"]} == {"dicom"}
    # Neither folders nor names of patients stay in the project.
    text = json.dumps(card.model_dump(mode="json"))
    assert str(shared_data) not in text
    assert '"patient"' not in text
    volumes = open_volumes(SimpleNamespace(card=card, files=[fingerprint(path) for path in cohort.files]))
    for index, one in enumerate(series):
        np.testing.assert_array_equal(volumes.volume(index).values(), open_series(one).values())
        assert volumes.volume(index).grid.same_as(volumes.entries[index].grid)


def test_that_a_series_that_can_not_be_read_is_left_out(tmp_path: Path, shared_data: Path) -> None:
    for study in ("hippocrop_study1", "hippocrop_study3"):
        shutil.copytree(shared_data / "dicom" / study, tmp_path / study, copy_function=shutil.copyfile)
        (tmp_path / study).chmod(0o755)
    series = list_series(tmp_path)
    lost = series[0].files[len(series[0].files) // 2]
    lost.unlink()
    cohort = cohort_of_series(series, name="crops")
    assert cohort.card.n_rows == len(series) - 1
    assert any(report.severity == "error" for report in cohort.reports)
    with pytest.raises(DataError):
        cohort_of_series(series[:1], name="crops")
    with pytest.raises(DataError, match="No DICOM series is chosen"):
        cohort_of_series([], name="crops")


def test_that_what_is_said_of_several_series_is_said_once_with_their_names(tmp_path: Path) -> None:
    def turned(dataset: Any, k: int) -> None:
        if k % 2:
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
            dataset.ImagePositionPatient = [k, 0, 0]

    write_series(tmp_path, phantom((6, 7, 8)), edit=turned)
    series = list_series(tmp_path)
    assert len(series) == 2
    cohort = cohort_of_series(series, name="mixed")
    mixed = [note for note in cohort.card.notes if "it holds 2 blocks of slices" in note.lower()]
    assert len(mixed) == 1
    assert mixed[0].startswith(f"{cohort.card.extra['names'][0]}, {cohort.card.extra['names'][1]}: ")


def test_that_single_slices_are_left_out_with_the_reason(tmp_path: Path) -> None:
    def turned(dataset: Any, k: int) -> None:
        if k % 2:
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    write_series(tmp_path, phantom((6, 7, 8)), edit=turned)
    series = list_series(tmp_path)
    assert len(series) == 5
    cohort = cohort_of_series(series, name="mixed")
    assert cohort.card.n_rows == 1
    assert sum("a single slice: a 2-D image" in report.sentence for report in cohort.reports) >= 4
