"""The table of a cohort: grids and classes at once, numbers of the voxels from the files or from the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.cohort_table import Numbers, add_numbers, cohort_table, numbers_of
from sensiview.datasets.volume import Volume
from sensiview.datasets.volume_opening import volumes_from_images
from sensiview.datasets.volumes import VolumeEntry
from sensiview.errors import DataError
from sensiview.locations import home


def noise(seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(10, 2, (5, 6, 7)).astype(np.float32)


def entry(values: np.ndarray[Any, Any], opened: list[str], name: str = "a") -> VolumeEntry:
    volume = Volume(values, np.eye(4), name=name)

    def open_it() -> Volume:
        opened.append(name)
        return volume

    return VolumeEntry(name, name, volume.grid, open_it)


def test_that_a_row_tells_grid_class_size_and_what_the_participants_table_says() -> None:
    images = [nib.Nifti1Image(noise(seed=n), np.diag([2, 2, 2, 1])) for n in range(3)]
    images.append(nib.Nifti1Image(np.full((4, 5, 6), 3, np.uint8), np.diag([-1, 1, 3, 1])))
    cohort = volumes_from_images(images, names=["a", "b", "c", "flat"], labels=["x", "y", "x", None])
    table = cohort_table(cohort, target="label", sizes=(1e6, 2e6, 3e6, 4e6))
    assert list(table["volume"]) == ["a", "b", "c", "flat"]
    assert list(table.columns)[:4] == ["volume", "subject", "label", "problems"]
    assert list(table["label"])[:3] == ["x", "y", "x"]
    assert list(table["voxels"])[2:] == ["5 × 6 × 7", "4 × 5 × 6"]
    assert list(table["spacing (mm)"])[2:] == ["2 × 2 × 2", "1 × 1 × 3"]
    assert list(table["axes"]) == ["RAS", "RAS", "RAS", "LAS"]
    assert list(table["size"]) == [1.0, 2.0, 3.0, 4.0]
    assert list(table["problems"]) == ["", "", "", "Not on the grid of most volumes: resample before training."]
    assert table["mean"].isna().all()


def test_that_numbers_and_sentences_come_into_their_rows_once() -> None:
    cohort = volumes_from_images([noise(1), np.full((5, 6, 7), 3.0, np.float32), np.full((5, 6, 7), np.nan)])
    table = cohort_table(cohort)
    assert list(table.columns)[2] == "problems"
    for _ in range(2):
        add_numbers(table, {place: numbers_of(one, f"hash {place}") for place, one in enumerate(cohort.entries)})
    assert table["mean"].iloc[0] == pytest.approx(float(noise(1).mean()), rel=1e-6)
    assert table["min"].iloc[0] == pytest.approx(float(noise(1).min()), rel=1e-6)
    assert table["not zero"].iloc[0] == 1.0
    assert table["problems"].iloc[0] == ""
    assert table["problems"].iloc[1].count("nothing to see") == 1
    assert "No voxel holds a finite number" in table["problems"].iloc[2]


def test_that_all_different_grids_and_oblique_ones_are_told_for_each() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[0.94, -0.342], [0.342, 0.94]]
    images = [nib.Nifti1Image(noise(), affine) for affine in (np.eye(4), np.diag([2, 2, 2, 1]), turn)]
    problems = list(cohort_table(volumes_from_images(images))["problems"])
    assert problems[0] == "One of 3 grids: resample before training."
    assert problems[2].endswith("Oblique by 20 degrees.")


def test_that_numbers_are_found_once_per_content_and_a_damaged_cache_is_made_anew() -> None:
    opened: list[str] = []
    first = numbers_of(entry(noise(), opened), "h")
    assert numbers_of(entry(noise(), opened), "h") == first
    assert opened == ["a"]
    assert numbers_of(entry(noise(2), opened), "other") != first
    assert opened == ["a", "a"]
    for kept in (home() / "cache" / "thumbnails").iterdir():
        kept.write_bytes(b"torn")
    assert numbers_of(entry(noise(), opened), "h") == first
    for kept in (home() / "cache" / "thumbnails").iterdir():
        np.save(kept, np.zeros(3))
    assert numbers_of(entry(noise(), opened), "h") == first


def test_that_a_volume_that_can_not_be_read_has_a_sentence_and_no_numbers(tmp_path: Path) -> None:
    def gone() -> Volume:
        raise DataError("a.nii is gone.")

    opener: Callable[[], Volume] = gone
    found = numbers_of(VolumeEntry("a", "a", Volume(noise(), np.eye(4)).grid, opener), "h")
    assert found == Numbers(None, ("a.nii is gone.",))
    table = cohort_table(volumes_from_images([noise()]))
    add_numbers(table, {0: found})
    assert (table["problems"].iloc[0], np.isnan(table["max"].iloc[0])) == ("a.nii is gone.", True)
