"""Resampling keeps every point where it is in mm, and says when there is nothing to resample."""

from __future__ import annotations

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.nifti import read_header, read_nifti
from sensiview.datasets.resampling import (
    Template,
    find_template,
    resample_volume,
    share_inside,
    templates,
    with_spacing,
    write_volume,
)
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volume_opening import volumes_from_images
from sensiview.errors import DataError, UserError


def ramp(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """A value that is linear in mm: linear interpolation must give it back exactly."""
    ijk = np.stack([*np.meshgrid(*map(np.arange, shape), indexing="ij"), np.ones(shape)], axis=-1)
    mm = ijk @ affine.T
    return (2 * mm[..., 0] - mm[..., 1] + 0.5 * mm[..., 2] + 100).astype(np.float32)


def turned(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    affine = np.array([[0, 0, 2.0, -20], [-2, 0, 0, 20], [0, 2, 0, -20], [0, 0, 0, 1]])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine


@pytest.mark.parametrize("degrees", [0, 20])
@pytest.mark.parametrize("interpolation", ["linear", "continuous"])
def test_that_every_point_keeps_its_value_in_mm(degrees: float, interpolation: str) -> None:
    affine = turned(degrees)
    volume = Volume(ramp((21, 21, 21), affine), affine)
    grid = Grid((8, 9, 10), np.array([[-1.5, 0, 0, 6], [0, 1, 0, -4], [0, 0, 1, -5], [0, 0, 0, 1.0]]))
    made = resample_volume(volume, grid, interpolation)  # type: ignore[arg-type]
    np.testing.assert_allclose(made.values(), ramp(grid.shape, grid.affine), atol=2e-2)
    np.testing.assert_array_equal(made.affine, grid.affine)


def test_that_nearest_keeps_labels_and_their_type() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (10, 10, 10))
    for dtype in (np.uint8, np.int16, np.int64, ">i2"):
        made = resample_volume(
            Volume(labels.astype(dtype), np.eye(4)), Grid((20, 20, 20), np.diag([0.5, 0.5, 0.5, 1])), "nearest"
        )
        assert made.raw.dtype.kind in "iu"
        assert set(np.unique(made.raw)) <= set(range(5))
        np.testing.assert_array_equal(made.raw[2:18:2, 2:18:2, 2:18:2], labels[1:9, 1:9, 1:9])


def test_that_the_same_grid_changes_nothing_and_nan_becomes_zero() -> None:
    values = np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)
    same = resample_volume(Volume(values, np.eye(4)), Grid((6, 7, 8), np.eye(4)), "continuous")
    np.testing.assert_array_equal(same.values(), values)
    values[3, 3, 3] = np.nan
    made = resample_volume(Volume(values, np.eye(4)), Grid((6, 7, 8), np.eye(4) + 0.0), "linear")
    assert made.values()[3, 3, 3] == 0
    scaled = resample_volume(Volume(np.full((4, 4, 4), 10, np.uint8), np.eye(4), 0.1, 1), Grid((2, 2, 2), np.eye(4)))
    np.testing.assert_allclose(scaled.values(), 2)


def test_that_splines_do_not_leave_the_range_of_the_values() -> None:
    step = np.zeros((10, 10, 10), np.float32)
    step[5:] = 1
    made = resample_volume(Volume(step, np.eye(4)), Grid((20, 10, 10), np.diag([0.5, 1, 1, 1])), "continuous")
    assert made.values().min() >= 0
    assert made.values().max() <= 1


def test_that_templates_are_nilearns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nilearn.datasets import load_mni152_template

        image = load_mni152_template(resolution=1)
        three = load_mni152_template(resolution=3)
    cohort = volumes_from_images([np.zeros((2, 2, 2))])
    for name, known in (("mni152_1mm", image), ("MNI152_3mm", three)):
        found = find_template(name, cohort)
        assert found.grid.same_as(Grid(known.shape, np.asarray(known.affine, dtype=np.float64)))
        assert found.space == "mni"
    assert list(templates()) == ["mni152_1mm", "mni152_2mm", "mni152_3mm"]
    assert find_template("mni152_2mm", cohort).grid.shape == (99, 117, 95)


def test_that_another_voxel_size_covers_the_same_box_from_the_same_corner() -> None:
    turn = np.array([[0, -1.5, 0, 7], [2.0, 0, 0, -9], [0, 0, 4.0, 11], [0, 0, 0, 1]])
    template = Template("t", Grid((11, 12, 13), turn), "scanner")
    made = with_spacing(template, 3.0)
    assert (made.name, made.space, made.grid.spacing) == ("t at 3 mm", "scanner", (3.0, 3.0, 3.0))
    assert made.grid.shape == (8, 6, 18)  # 22, 18 and 52 mm
    corner = [-0.5, -0.5, -0.5, 1.0]
    np.testing.assert_allclose(made.grid.affine @ corner, turn @ corner)
    assert with_spacing(template, 1000.0).grid.shape == (1, 1, 1)
    with pytest.raises(UserError, match="more than 536,870,912 voxels"):
        with_spacing(template, 0.001)


def test_that_mni152_is_known_at_every_voxel_size() -> None:
    volumes = volumes_from_images([np.zeros((2, 2, 2))])
    assert find_template("MNI152", volumes).name == "mni152_3mm"
    assert find_template("mni152", volumes, 2.0).grid.same_as(find_template("mni152_2mm", volumes).grid)
    coarse = find_template("mni152", volumes, 4.0)
    assert (coarse.name, coarse.space, coarse.grid.shape) == ("mni152 at 4 mm", "mni", (50, 59, 48))


def test_that_a_volume_or_a_file_is_a_template_too(tmp_path: Path) -> None:
    cohort = volumes_from_images([np.zeros((2, 3, 4)), np.zeros((5, 6, 7))], names=["a", "b"])
    assert find_template("b", cohort).grid.shape == (5, 6, 7)
    image = nib.Nifti1Image(np.zeros((3, 4, 5, 2), np.uint8), np.diag([2, 2, 2, 1]))
    image.set_sform(image.affine, 4)
    nib.save(image, tmp_path / "t.nii.gz")
    found = find_template(str(tmp_path / "t.nii.gz"), cohort)
    assert (found.grid.shape, found.space) == ((3, 4, 5), "mni")
    with pytest.raises(UserError, match=r"There is no template 'mni'\. Choose mni152_1mm"):
        find_template("mni", cohort)
    with pytest.raises(DataError, match="There is no file"):
        find_template(str(tmp_path / "gone.nii"), cohort)


def test_that_the_share_inside_is_that_of_what_is_bright() -> None:
    values = np.zeros((100, 100, 100), np.uint8)
    values[20:60, 20:40, 20:40] = 9
    volume = Volume(values, np.eye(4))
    assert share_inside(volume, Grid((100, 100, 100), np.eye(4))) == 1
    shifted = np.eye(4)
    shifted[0, 3] = 40
    assert share_inside(volume, Grid((100, 100, 100), shifted)) == pytest.approx(0.5, abs=0.03)
    shifted[0, 3] = 500
    assert share_inside(volume, Grid((100, 100, 100), shifted)) == 0


def test_that_a_written_volume_opens_alike_in_nibabel_with_the_same_bytes(tmp_path: Path) -> None:
    affine = turned(20)
    values = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    for name in ("a.nii.gz", "b.nii.gz"):
        write_volume(Volume(values, affine), tmp_path / name, "mni")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    image = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(image.get_fdata(), values)
    np.testing.assert_allclose(image.affine, affine, atol=1e-5)
    assert (read_header(tmp_path / "a.nii.gz").space, read_nifti(tmp_path / "a.nii.gz").notes) == ("mni", ())
    write_volume(Volume(np.array([[[300]]] * 3, np.uint16), affine, 0.5), tmp_path / "s.nii.gz")
    assert nib.load(tmp_path / "s.nii.gz").get_fdata().max() == 150
    with pytest.raises(DataError, match="can't be written"):
        write_volume(Volume(values, affine), tmp_path / "no" / "folder.nii.gz")
