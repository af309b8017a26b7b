"""The same block as NIfTI and as DICOM is the same picture; our affines agree with nibabel's own DICOM reader."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import map_coordinates

from sensiview.datasets.dicom_series import Series, list_series
from sensiview.datasets.dicom_volume import open_series
from sensiview.datasets.volume import Volume
from tests.datasets.dicom_phantom import oblique, phantom, placed, tilted, write_enhanced, write_series

ORIENTATIONS: dict[str, Any] = {
    "RAS": "RAS",
    "LPS": "LPS",
    "LAS": "LAS",
    "PIR": "PIR",
    "ASL": "ASL",
    "SRP": "SRP",
    "oblique 20 degrees": oblique(20.0),
    "oblique -35 degrees": oblique(-35.0, (0.2, 0.3, 1.0)),
}


def only(folder: Path) -> Series:
    (series,) = list_series(folder)
    return series


def voxel_at(volume: Volume, mm: Any) -> Any:
    """Return the voxel whose centre lies at these RAS mm, which must be one."""
    place = np.linalg.inv(volume.affine) @ [*mm, 1.0]
    index = np.rint(place[:3]).astype(int)
    assert_allclose(place[:3], index, atol=1e-6)
    return volume.raw[tuple(index)]


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 3.0), (1.2, 0.75, 2.5)], ids=str)
def test_that_every_voxel_lies_at_the_same_millimetres_as_in_nifti(
    tmp_path: Path, orientation: Any, spacing: tuple[float, float, float]
) -> None:
    block = phantom((9, 11, 7))
    voxels, affine = placed(block, spacing, orientation)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "same.nii.gz")
    nifti: Any = nibabel.load(tmp_path / "same.nii.gz")
    volume = open_series(only(write_series(tmp_path / "dicom", block, spacing, orientation)))

    assert volume.raw.dtype == np.int16
    places = np.argwhere(np.ones(nifti.shape, dtype=bool))
    mm = places @ nifti.affine[:3, :3].T + nifti.affine[:3, 3]
    back = (mm - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    index = np.rint(back).astype(int)
    assert_allclose(back, index, atol=1e-5)  # NIfTI keeps its affine in float32
    assert sorted(volume.raw.shape) == sorted(block.shape)
    assert_array_equal(volume.raw[tuple(index.T)], np.asarray(nifti.dataobj)[tuple(places.T)])


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "LAS", "PIR", "ASL"])
def test_that_the_canonical_picture_is_the_block_itself(tmp_path: Path, orientation: str) -> None:
    block = phantom((9, 11, 7))
    volume = open_series(only(write_series(tmp_path, block, (0.5, 0.5, 3.0), orientation)))
    canonical = nibabel.as_closest_canonical(nibabel.Nifti1Image(volume.raw, volume.affine))
    assert_array_equal(np.asarray(canonical.dataobj), block)
    assert_allclose(canonical.header.get_zooms(), (0.5, 0.5, 3.0), rtol=1e-6)


def test_that_the_marker_lies_left_in_front_and_on_top(tmp_path: Path) -> None:
    block = phantom()
    volume = open_series(only(write_series(tmp_path, block, (2.0, 2.0, 2.0), "PIR")))
    marked = np.argwhere(volume.raw == 30000)
    centre = (marked @ volume.affine[:3, :3].T + volume.affine[:3, 3]).mean(axis=0)
    middle = volume.affine @ [*((np.array(volume.raw.shape) - 1) / 2), 1.0]
    assert centre[0] < middle[0] - 5  # left
    assert centre[1] > middle[1] + 5  # front
    assert centre[2] > middle[2] + 5  # top


def test_that_an_oblique_block_lies_where_its_rotation_puts_it(tmp_path: Path) -> None:
    """An analytic field sampled on a turned grid is the same field at the same millimetres."""
    rotation = oblique(20.0)
    _, affine = placed(np.zeros((12, 13, 14)), (0.5, 0.5, 3.0), rotation)
    grid = np.argwhere(np.ones((12, 13, 14), dtype=bool)) @ affine[:3, :3].T + affine[:3, 3]
    field = (1000 + 20 * grid[:, 0] - 11 * grid[:, 1] + 7 * grid[:, 2]).reshape(12, 13, 14)
    volume = open_series(only(write_series(tmp_path, np.rint(field).astype(np.int16), (0.5, 0.5, 3.0), rotation)))
    points = np.array([[3.0, -5.0, 7.0], [4.0, -4.0, 10.0], [2.0, -6.0, 1.0]])
    voxels = (points - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    found = map_coordinates(volume.values(), voxels.T, order=1)
    assert_allclose(found, 1000 + points @ [20, -11, 7], atol=1.0)
    assert_allclose(volume.grid.spacing, (0.5, 0.5, 3.0), rtol=1e-6)


def test_that_a_tilted_gantry_becomes_a_shear_and_no_value_changes(tmp_path: Path) -> None:
    block = phantom((9, 11, 7))
    series = only(write_series(tmp_path, block, (1.0, 1.0, 2.0), "LPS", tilt_degrees=15.0))
    volume = open_series(series)
    voxels, affine = placed(block, (1.0, 1.0, 2.0), "LPS")
    assert_array_equal(volume.raw, voxels)
    assert_allclose(volume.affine, tilted(affine, 15.0), atol=1e-9)
    (finding,) = [finding for finding in series.findings if finding.kind == "gantry_tilt"]
    assert "tilted by 15.0 degrees" in finding.sentence
    assert finding.sentence in volume.notes
    assert_allclose(volume.grid.voxel_mm3, 2.0)
    kept = nibabel.Nifti1Image(volume.raw, volume.affine).get_sform()
    assert_allclose(kept, volume.affine, atol=1e-6)


def test_that_slices_are_ordered_by_position_whatever_their_names_and_numbers_say(tmp_path: Path) -> None:
    block = phantom((5, 6, 12))
    rng = np.random.default_rng(4)

    def any_number(dataset: Any, k: int) -> None:
        dataset.InstanceNumber = int(rng.integers(1, 1000))

    shuffled = open_series(only(write_series(tmp_path / "a", block, seed=1, edit=any_number)))
    straight = open_series(only(write_series(tmp_path / "b", block, names="straight", suffix=".dcm")))
    assert_array_equal(shuffled.raw, straight.raw)
    assert_allclose(shuffled.affine, straight.affine)


def test_that_frames_of_an_enhanced_object_are_placed_like_single_slices(tmp_path: Path) -> None:
    block = phantom((9, 11, 7))
    order = [3, 0, 6, 1, 5, 2, 4]
    path = write_enhanced(tmp_path / "enhanced" / "IM0", block, (0.5, 0.5, 3.0), oblique(20.0), order=order)
    enhanced = open_series(only(path.parent))
    classic = open_series(only(write_series(tmp_path / "classic", block, (0.5, 0.5, 3.0), oblique(20.0))))
    assert_array_equal(enhanced.raw, classic.raw)
    assert_allclose(enhanced.affine, classic.affine, atol=1e-9)


def nicom_copy(name: str, path: Path) -> Path:
    """Unpack one of nibabel's own test files."""
    source = Path(nibabel.__file__).parent / "nicom" / "tests" / "data" / name
    if not source.is_file():
        pytest.skip("this nibabel comes without its test files")
    path.write_bytes(gzip.decompress(source.read_bytes()))
    return path


def nibabel_reads(path: Path) -> tuple[Any, Any]:
    """Return nibabel's own array (row, column, slice) and affine to RAS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental whenever they are imported
        from nibabel.nicom.dicomwrappers import wrapper_from_file

    wrapper = wrapper_from_file(path)
    return wrapper, np.diag([-1.0, -1.0, 1.0, 1.0]) @ wrapper.affine


def same_millimetres(volume: Volume, wrapper: Any, affine: Any) -> None:
    """Every corner of the one lies where that of the other lies; nibabel counts (row, column, slice)."""
    rows, columns, slices = wrapper.image_shape[:3]
    assert volume.raw.shape == (columns, rows, slices)
    for row in (0, rows - 1):
        for column in (0, columns - 1):
            for k in (0, slices - 1):
                theirs = affine @ [row, column, k, 1.0]
                place = np.linalg.inv(volume.affine) @ theirs
                assert_allclose(place[:2], [column, row], atol=1e-3)
                assert min(abs(place[2] - k), abs(place[2] - (slices - 1 - k))) < 5e-3


@pytest.mark.parametrize("name", ["siemens_dwi_1000.dcm.gz", "philips_mprage.dcm.gz"])
def test_that_mosaics_and_enhanced_objects_lie_where_nibabel_puts_them(tmp_path: Path, name: str) -> None:
    path = nicom_copy(name, tmp_path / "IM1")
    wrapper, affine = nibabel_reads(path)
    same_millimetres(open_series(only(path)), wrapper, affine)


def test_that_the_tiles_of_a_mosaic_become_slices_as_in_nibabel(tmp_path: Path) -> None:
    import pydicom

    path = nicom_copy("siemens_dwi_1000.dcm.gz", tmp_path / "IM1")  # its own pixels are all zero
    dataset = pydicom.dcmread(path)
    dataset.PixelData = np.random.default_rng(1).integers(0, 4096, (896, 896), dtype=np.uint16).tobytes()
    dataset.save_as(path)
    wrapper, _ = nibabel_reads(path)
    volume = open_series(only(path))
    assert_array_equal(volume.raw, wrapper.get_unscaled_data().transpose(1, 0, 2))


def test_that_a_real_series_lies_where_nibabel_puts_its_slices(shared_data: Path) -> None:
    series = only(shared_data / "dicom" / "hippocrop_study1")
    volume = open_series(series)
    for k in (0, 7, volume.raw.shape[2] - 1):
        place = series.places[k]
        assert place is not None
        wrapper, affine = nibabel_reads(series.files[place[0]])
        pixels = wrapper.get_unscaled_data()
        assert_array_equal(volume.raw[:, :, k], pixels.T)
        assert_allclose(volume.affine @ [4, 9, k, 1], affine @ [9, 4, 0, 1], atol=1e-4)


def test_that_a_dose_is_placed_by_its_offsets_and_scaled() -> None:
    import pydicom
    from pydicom.data import get_testdata_file

    path = get_testdata_file("rtdose.dcm", download=False)
    if path is None:
        pytest.skip("this pydicom comes without its test files")
    dataset = pydicom.dcmread(str(path))
    volume = open_series(only(Path(str(path))))
    assert volume.raw.shape == (10, 10, 15)
    offsets = [float(offset) for offset in dataset.GridFrameOffsetVector]
    top = volume.affine @ [0, 0, 14, 1]
    x, y, z = (float(part) for part in dataset.ImagePositionPatient)
    assert_allclose(top[:3], [-x, -y, z + max(offsets)], atol=1e-6)
    assert volume.unit == ("Gy" if dataset.DoseUnits == "GY" else "")
    order = np.argsort(offsets)
    wanted = dataset.pixel_array[order].transpose(2, 1, 0) * float(dataset.DoseGridScaling)
    assert_allclose(volume.values(), wanted, rtol=1e-6)
