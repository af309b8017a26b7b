"""NIfTI files of every kind give nibabel's numbers, without being read as a whole."""

from __future__ import annotations

import gzip
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.nifti import read_header, read_nifti
from sensiview.datasets.volume_cache import cache_folder

AFFINE = np.array([[0, 0, 2.0, -98], [-2, 0, 0, 117], [0, 2, 0, -117], [0, 0, 0, 1]])


def values(shape: tuple[int, ...] = (5, 6, 7), dtype: Any = np.int16) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 120).reshape(shape).astype(dtype)


def saved(path: Path, data: np.ndarray, kind: Any = nib.Nifti1Image, **header: Any) -> Path:
    image = kind(data, AFFINE)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def with_header(path: Path, **fields: Any) -> Path:
    """Change fields of an uncompressed single file in place."""
    with path.open("rb") as stream:
        header = nib.Nifti1Header.from_fileobj(stream, check=False)
    for name, value in fields.items():
        header[name] = value
    with path.open("r+b") as stream:
        stream.write(header.binaryblock)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img", "Größe, ü (1).nii", "A.NII.GZ"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64, np.uint16])
def test_that_values_and_affine_are_nibabels(tmp_path: Path, name: str, dtype: Any) -> None:
    kind = nib.Nifti1Pair if name.endswith(".img") else nib.Nifti1Image
    plain = tmp_path / name.lower()
    saved(plain, values(dtype=dtype), kind)
    path = plain.rename(tmp_path / name) if name != plain.name else plain
    volume = read_nifti(path)
    assert volume.values().dtype == np.float32
    np.testing.assert_array_equal(volume.values(), values())
    np.testing.assert_allclose(volume.affine, AFFINE)
    assert volume.raw.dtype == np.dtype(dtype)
    assert isinstance(volume.raw, np.memmap)
    assert not volume.raw.flags.writeable


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_that_scaled_big_endian_and_version_two_files_are_read(tmp_path: Path, ending: str) -> None:
    for number, kind in enumerate((nib.Nifti1Image, nib.Nifti2Image)):
        image = kind(values(), AFFINE, header=kind.header_class(endianness=">"))
        image.header.set_data_dtype(">i2")
        path = tmp_path / f"{number}{ending}"
        nib.save(image, path)
        np.testing.assert_array_equal(read_nifti(path).values(), values())
        assert read_header(path).dtype == np.dtype(">i2")
    image = nib.Nifti1Image(np.linspace(-3, 8, 210).reshape(5, 6, 7), AFFINE)
    image.header.set_data_dtype(np.int16)
    nib.save(image, tmp_path / f"scaled{ending}")
    volume = read_nifti(tmp_path / f"scaled{ending}")
    assert volume.raw.dtype == np.int16
    assert volume.slope != 1
    np.testing.assert_allclose(
        volume.values(), nib.load(tmp_path / f"scaled{ending}").get_fdata(), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_that_one_volume_of_a_series_is_read(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path / f"bold{ending}", values((4, 5, 6, 3)))
    for frame in range(3):
        volume = read_nifti(path, frame)
        np.testing.assert_array_equal(volume.values(), values((4, 5, 6, 3))[..., frame])
        assert volume.name == f"bold_{frame}"
    vectors = saved(tmp_path / f"vectors{ending}", values((4, 5, 6, 1, 2)))
    np.testing.assert_array_equal(read_nifti(vectors, 1).values(), values((4, 5, 6, 1, 2))[..., 0, 1])


def test_that_axes_of_length_one_at_the_end_do_not_count(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", values((4, 5, 6, 1, 1)))
    assert read_nifti(path).raw.shape == (4, 5, 6)
    assert read_nifti(path, 0).name == "a"


def test_that_a_pair_is_opened_by_either_of_its_files(tmp_path: Path) -> None:
    saved(tmp_path / "p.img", values(), nib.Nifti1Pair)
    for name in ("p.img", "p.hdr"):
        np.testing.assert_array_equal(read_nifti(tmp_path / name).values(), values())
    assert [p.name for p in read_header(tmp_path / "p.hdr").files] == ["p.hdr", "p.img"]
    for name in ("p.img", "p.hdr"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    np.testing.assert_array_equal(read_nifti(tmp_path / "p.hdr.gz").values(), values())


def test_that_compression_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    packed = saved(tmp_path / "a.nii.gz", values())
    shutil.copy(packed, tmp_path / "really packed.nii")
    plain = saved(tmp_path / "b.nii", values())
    shutil.copy(plain, tmp_path / "not packed.nii.gz")
    for name in ("really packed.nii", "not packed.nii.gz"):
        np.testing.assert_array_equal(read_nifti(tmp_path / name).values(), values())


def test_that_an_analyze_file_is_read_with_a_word_on_its_sides(tmp_path: Path) -> None:
    nib.save(nib.AnalyzeImage(values(), np.diag([-2.0, 2, 2, 1])), tmp_path / "old.img")
    volume = read_nifti(tmp_path / "old.img")
    np.testing.assert_array_equal(volume.values(), values())
    assert "left and right" in volume.notes[0]


def test_that_the_sform_goes_before_the_qform_and_a_difference_is_said(tmp_path: Path) -> None:
    image = nib.Nifti1Image(values(), AFFINE)
    image.set_sform(AFFINE, 4)
    image.set_qform(np.diag([2.0, 2, 2, 1]), 1)
    nib.save(image, tmp_path / "both.nii")
    volume = read_nifti(tmp_path / "both.nii")
    np.testing.assert_allclose(volume.affine, AFFINE)
    assert "disagree" in volume.notes[0]
    assert "PSR and RAS" in volume.notes[0]
    assert read_header(tmp_path / "both.nii").space == "mni"
    image.set_sform(None, 0)
    nib.save(image, tmp_path / "q.nii")
    np.testing.assert_allclose(read_nifti(tmp_path / "q.nii").affine, np.diag([2.0, 2, 2, 1]), atol=1e-6)
    assert read_nifti(tmp_path / "q.nii").notes == ()


def test_that_no_spatial_code_is_a_note_with_the_sides_that_are_assumed(tmp_path: Path) -> None:
    image = nib.Nifti1Image(values(), None)
    image.header["pixdim"][1:4] = (1, 2, 3)
    image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, tmp_path / "none.nii")
    with_header(tmp_path / "none.nii", sform_code=0, qform_code=0)
    volume = read_nifti(tmp_path / "none.nii")
    np.testing.assert_allclose(volume.affine, nib.load(tmp_path / "none.nii").affine)
    assert "no spatial code" in volume.notes[0]
    assert "taken as LAS" in volume.notes[0]


def test_that_other_units_and_an_odd_offset_are_said(tmp_path: Path) -> None:
    path = with_header(saved(tmp_path / "a.nii", values()), xyzt_units=3, vox_offset=0)
    volume = read_nifti(path)
    assert "micrometres" in volume.notes[0]
    assert "byte 0" in volume.notes[1]
    np.testing.assert_array_equal(volume.values(), values())


def test_that_a_volume_larger_than_memory_gives_slices_without_being_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "huge.nii", values((2, 2, 2)))
    with_header(path, dim=[3, 1000, 1000, 1000, 1, 1, 1, 1])
    with path.open("r+b") as stream:
        stream.truncate(352 + 2 * 1000**3)
        stream.seek(352 + 2 * (500 + 1000 * 400 + 1000**2 * 300))
        stream.write(np.int16(77).tobytes())
    tracemalloc.start()
    volume = read_nifti(path)
    assert volume.scaled(volume.raw[500, 400, 300]) == 77
    axial = volume.scaled(volume.raw[:, :, 300])
    assert axial.shape == (1000, 1000)
    assert axial.sum() == 77
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_that_real_heads_read_as_nibabel_reads_them(shared_data: Path) -> None:
    files = [
        *sorted((shared_data / "mri" / "ixi_t1_2mm").glob("*.nii.gz"))[:3],
        sorted((shared_data / "mri" / "ixi_gm_mni_3mm").glob("*.nii.gz"))[0],
        sorted((shared_data / "mri" / "msd_hippocampus" / "images").glob("*.nii.gz"))[1],
        shared_data / "mri" / "brainchop_t1_1mm.nii.gz",
    ]
    for path in files:
        volume, image = read_nifti(path), nib.load(path)
        np.testing.assert_allclose(volume.values(), image.get_fdata(), rtol=1e-6)
        np.testing.assert_array_equal(volume.affine, image.affine)
        assert volume.notes == ()
    assert read_header(files[3]).space == "mni"


def test_that_the_copy_in_the_cache_is_used_until_the_file_changes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", values())
    read_nifti(path)
    (kept,) = cache_folder().iterdir()
    stamp = kept.stat().st_ino
    read_nifti(path)
    assert [one.stat().st_ino for one in cache_folder().iterdir()] == [stamp]
    saved(path, values() + 1)
    np.testing.assert_array_equal(read_nifti(path).values(), values() + 1)
