"""Cohorts of what a notebook has: images, arrays, files, volumes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.volume import Volume
from sensiview.datasets.volume_opening import volumes_from_images
from sensiview.errors import DataError, UserError

DATA = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def test_that_images_arrays_files_and_volumes_may_be_mixed(tmp_path: Path) -> None:
    image = nib.Nifti1Image(DATA + 1, np.diag([2, 2, 2, 1]))
    nib.save(image, tmp_path / "file one.nii.gz")
    given = [image, DATA, tmp_path / "file one.nii.gz", str(tmp_path / "file one.nii.gz"), Volume(DATA, np.eye(4))]
    cohort = volumes_from_images(given, name="mine", labels=["a", "b", "a", None, "b"])
    assert len(cohort) == 5
    assert cohort.card.kind == "volumes"
    assert cohort.card.class_counts == {"a": 2, "b": 2}
    np.testing.assert_array_equal(cohort.labels(), [0, 1, 0, -1, 1])
    np.testing.assert_array_equal(cohort.volume(0).values(), DATA + 1)
    np.testing.assert_array_equal(cohort.volume(2).values(), DATA + 1)
    np.testing.assert_array_equal(cohort.volume(2).affine, np.diag([2, 2, 2, 1]))
    assert "no position in space" in cohort.volume(1).notes[0]
    assert len(set(cohort.names)) == 5


def test_that_a_series_gives_one_volume_per_last_axis_and_an_array_per_first(tmp_path: Path) -> None:
    series = np.stack([DATA, DATA * 2, DATA * 3], axis=-1)
    nib.save(nib.Nifti1Image(series, np.eye(4)), tmp_path / "bold.nii")
    for given in (
        nib.Nifti1Image(series, np.eye(4)),
        nib.load(tmp_path / "bold.nii"),
        tmp_path / "bold.nii",
        np.moveaxis(series, -1, 0),
        np.moveaxis(series, -1, 0)[:, None],
        nib.Nifti1Image(series[..., None], np.eye(4)),
    ):
        cohort = volumes_from_images(given)
        assert len(cohort) == 3
        np.testing.assert_array_equal(cohort.volume(2).values(), DATA * 3)
        assert cohort.card.extra["shape"] == [3, 4, 5]


def test_that_numbers_names_and_lazy_images_are_kept(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(DATA, np.eye(4)), tmp_path / "a.nii.gz")
    image = nib.load(tmp_path / "a.nii.gz")
    cohort = volumes_from_images([image, image], names=["x", "y"], labels=[1, 0], target="dx")
    assert cohort.names == ("x", "y")
    assert cohort.card.class_counts == {"0": 1, "1": 1}
    assert cohort.card.target == "dx"
    assert cohort.volume(1).name == "y"
    assert not image.in_memory
    assert volumes_from_images([image]).names == ("a",)


def test_that_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    for given, said in (
        ([], "no volume in what was given"),
        (np.zeros((3, 4)), r"shape \(3, 4\)"),
        (np.zeros((3, 4, 5), complex), "complex128"),
        (np.zeros((3, 0, 5)), "is no volume"),
        ([7], "no volume"),
        (nib.Nifti1Image(np.zeros((2, 2, 2, 2, 2)), np.eye(4)), "a volume has three axes"),
    ):
        with pytest.raises(UserError, match=said):
            volumes_from_images(given)
    with pytest.raises(UserError, match="2 volumes need as many labels, but 1"):
        volumes_from_images([DATA, DATA], labels=[1])
    with pytest.raises(UserError, match="need as many names"):
        volumes_from_images([DATA], names=["a", "b"])
    with pytest.raises(UserError, match="same name"):
        volumes_from_images([DATA, DATA], names=["a", "a"])
    with pytest.raises(DataError, match="one class"):
        volumes_from_images([DATA, DATA], labels=["a", "a"])
    flat = nib.Nifti1Image(DATA, np.eye(4))
    flat.affine[2, 2] = 0
    with pytest.raises(DataError, match="singular"):
        volumes_from_images([flat])
    with pytest.raises(DataError, match="There is no file"):
        volumes_from_images([tmp_path / "gone.nii"])
