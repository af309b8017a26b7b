"""Files that are no volumes, or damaged ones: one sentence each, with what to do."""

from __future__ import annotations

import contextlib
import gzip
import os
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.nifti import read_header, read_nifti
from sensiview.datasets.volume_statistics import findings, voxel_statistics
from sensiview.errors import DataError, UserError


def volume_file(path: Path, shape: tuple[int, ...] = (6, 7, 8), dtype: Any = np.int16, **fields: Any) -> Path:
    """Write a file whose header may hold anything; nibabel refuses to write most of it."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, shape).astype(dtype)
    header = nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])).header.copy()
    header.set_sform(np.diag([2.0, 2, 2, 1]), 1)
    header.set_qform(np.diag([2.0, 2, 2, 1]), 1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    for name, value in fields.items():
        header[name] = value
    content = header.binaryblock + b"\0" * 4 + data.tobytes(order="F")
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def refusal(path: Path, frame: int | None = None) -> str:
    with pytest.raises(UserError) as caught:
        read_nifti(path, frame)
    sentence = caught.value.sentence
    assert path.name.split(".")[0] in sentence
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    return sentence


def test_that_a_compressed_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = volume_file(tmp_path / "cut.nii.gz", (40, 40, 40))
    content = path.read_bytes()
    for length in (len(content) // 2, len(content) - 4, len(content) - 9):
        path.write_bytes(content[:length])
        assert "cut short" in refusal(path)
    path.write_bytes(content[:20])
    assert "can't be decompressed" in refusal(path)


def test_that_a_flipped_byte_in_a_compressed_file_is_noticed(tmp_path: Path) -> None:
    path = volume_file(tmp_path / "bad.nii.gz", (40, 40, 40))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "damaged" in refusal(path)
    content = bytearray(volume_file(path, (40, 40, 40)).read_bytes())
    content[-6] ^= 0xFF  # the check sum itself
    path.write_bytes(bytes(content))
    assert "check sum" in refusal(path)


def test_that_voxels_missing_at_the_end_are_counted(tmp_path: Path) -> None:
    path = volume_file(tmp_path / "short.nii")
    path.write_bytes(path.read_bytes()[:-10])
    assert "promises 672 bytes of voxels and 662 are there" in refusal(path)
    packed = tmp_path / "short.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert "662 are there" in refusal(packed)
    path.write_bytes(path.read_bytes()[:200])
    assert "inside its header" in refusal(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello, this is text" * 40, "not a NIfTI volume"),
        (b"\x89PNG\r\n" + bytes(600), "a PNG picture"),
        (bytes(128) + b"DICM" + bytes(600), "a DICOM image"),
        (b"NRRD0004\n" + bytes(600), "NRRD"),
        (b"PK\x03\x04" + bytes(600), "zip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"", "empty"),
        (b"\x5c\x01", "cut short inside its header"),
    ],
)
def test_that_something_else_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "other.nii"
    path.write_bytes(content)
    assert said in refusal(path)


def test_that_files_that_are_not_there_or_closed_are_said(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "gone.nii.gz")
    (tmp_path / "folder.nii").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.nii")
    with pytest.raises(DataError, match="not the name of a file"):
        read_nifti(Path("a\0b.nii"))


@pytest.mark.skipif(os.name == "nt", reason="names are always text there")
def test_that_a_name_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.nii"))
    volume_file(path)
    with pytest.raises(DataError, match="Rename the file"):
        read_nifti(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_that_a_file_without_permission_is_said(tmp_path: Path) -> None:
    path = volume_file(tmp_path / "closed.nii")
    path.chmod(0)
    assert "no permission" in refusal(path)


def test_that_a_refusal_of_the_system_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = volume_file(tmp_path / "closed.nii")

    def refused(self: Path, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert "no permission" in refusal(path)


def test_that_half_a_pair_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / "p.img")
    header = (tmp_path / "p.hdr").read_bytes()
    (tmp_path / "p.hdr").unlink()
    assert "p.hdr does not lie beside it" in refusal(tmp_path / "p.img")
    (tmp_path / "p.hdr").write_bytes(header)
    (tmp_path / "p.img").unlink()
    assert "p.img, does not lie beside it" in refusal(tmp_path / "p.hdr")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_that_an_orientation_that_can_not_be_used_is_refused(tmp_path: Path, ending: str) -> None:
    zero = np.zeros(4, np.float32)
    rows = ("srow_x", "srow_y", "srow_z")
    path = volume_file(tmp_path / f"zero{ending}", **dict.fromkeys(rows, zero))
    assert "sform is zero" in refusal(path)
    path = volume_file(tmp_path / f"flat{ending}", srow_z=zero)
    assert "singular" in refusal(path)
    path = volume_file(tmp_path / f"same{ending}", srow_x=[1, 1, 0, 0], srow_y=[1, 1, 0, 0], srow_z=[0, 0, 1, 0])
    assert "onto a plane" in refusal(path)
    path = volume_file(tmp_path / f"nan{ending}", srow_x=[np.nan, 0, 0, 0])
    assert "no numbers" in refusal(path)
    path = volume_file(tmp_path / f"inf{ending}", srow_y=[0, 2, 0, np.inf])
    assert "no numbers" in refusal(path)
    path = volume_file(tmp_path / f"quaternion{ending}", sform_code=0, quatern_b=1, quatern_c=1)
    assert "not a rotation" in refusal(path)
    path = volume_file(tmp_path / f"spacing{ending}", sform_code=0, qform_code=0, pixdim=[1, 0, 0, 0, 0, 0, 0, 0])
    assert "spacing is zero" in refusal(path)


def test_that_very_small_voxels_are_no_singular_affine(tmp_path: Path) -> None:
    tiny = np.eye(3) * 1e-3
    rows = {f"srow_{axis}": [*tiny[place], 0] for place, axis in enumerate("xyz")}
    assert read_nifti(volume_file(tmp_path / "tiny.nii", **rows)).grid.spacing == pytest.approx((1e-3,) * 3)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (64, 1, 64), (64, 64, 1, 20), (64,)])
def test_that_an_image_of_one_slice_is_no_volume(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert "a 2-D image, not a volume" in refusal(volume_file(tmp_path / "flat.nii", shape))


def test_that_a_series_without_a_choice_says_how_to_choose(tmp_path: Path) -> None:
    path = volume_file(tmp_path / "bold.nii.gz", (4, 5, 6, 12))
    assert "a 4-D file of 12 volumes. Choose one of them by its number, 0 to 11." in refusal(path)
    assert "holds 12 volumes, 0 to 11" in refusal(path, 12)
    assert "There is no volume -1" in refusal(path, -1)
    assert "one volume, number 0" in refusal(volume_file(tmp_path / "one.nii"), 3)


@pytest.mark.parametrize("dim", [[3, -4, 5, 6, 1, 1, 1, 1], [3, 4, 0, 6, 1, 1, 1, 1], [9, 4, 5, 6, 1, 1, 1, 1]])
def test_that_sizes_that_can_not_be_are_refused(tmp_path: Path, dim: list[int]) -> None:
    assert "header of" in refusal(volume_file(tmp_path / "sizes.nii", dim=dim))


def test_that_colours_complex_numbers_and_unknown_types_are_refused(tmp_path: Path) -> None:
    assert "colours" in refusal(volume_file(tmp_path / "rgb.nii", datatype=128, bitpix=24))
    assert "complex" in refusal(volume_file(tmp_path / "complex.nii", datatype=32, bitpix=64))
    assert "data type 77" in refusal(volume_file(tmp_path / "type.nii", datatype=77))
    assert "does not hold numbers" in refusal(volume_file(tmp_path / "bits.nii", datatype=1))


def test_that_a_damaged_offset_or_intercept_is_refused(tmp_path: Path) -> None:
    assert "begin at byte nan" in refusal(volume_file(tmp_path / "offset.nii", vox_offset=np.nan))
    assert "begin at byte -4" in refusal(volume_file(tmp_path / "offset.nii", vox_offset=-4))
    assert "adds inf" in refusal(volume_file(tmp_path / "inter.nii", scl_slope=1, scl_inter=np.inf))


def test_that_a_huge_scale_is_a_note_and_infinite_values_are_no_crash(tmp_path: Path) -> None:
    volume = read_nifti(volume_file(tmp_path / "scale.nii", scl_slope=1e38, scl_inter=0))
    assert "scl_slope 1e+38" in volume.notes[0]
    assert np.isinf(volume.values()).any()
    assert "infinite voxels" in " ".join(findings(voxel_statistics(volume)))
    for slope in (0.0, np.nan):
        assert read_nifti(volume_file(tmp_path / "none.nii", scl_slope=slope)).slope == 1
    assert "infinite and was ignored" in read_nifti(volume_file(tmp_path / "i.nii", scl_slope=np.inf)).notes[0]


def test_that_voxels_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    data = np.ones((30, 31, 32), np.float32)
    data[0, 0, :3], data[1, 1, 1], data[2, 2, 2] = np.nan, np.inf, 5
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "nan.nii.gz")
    found = findings(voxel_statistics(read_nifti(tmp_path / "nan.nii.gz")))
    assert found == ("3 NaN and 1 infinite voxels; they count as 0 where numbers are needed.",)
    data[:] = np.nan
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "all.nii")
    assert "No voxel holds a finite number" in findings(voxel_statistics(read_nifti(tmp_path / "all.nii")))[0]


def test_that_a_constant_volume_is_a_note(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.full((5, 6, 7), 4, np.uint8), np.eye(4)), tmp_path / "four.nii")
    (said,) = findings(voxel_statistics(read_nifti(tmp_path / "four.nii")))
    assert "Every voxel is 4: there is nothing to see." in said


def test_that_no_header_however_random_gives_anything_but_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = volume_file(tmp_path / "random.nii")
    content = path.read_bytes()
    for _ in range(300):
        broken = bytearray(content)
        for place in rng.integers(4, 344, 6):
            broken[place] = int(rng.integers(256))
        path.write_bytes(bytes(broken))
        with contextlib.suppress(UserError):
            header = read_header(path)
            read_nifti(path, 0 if header.n_frames > 1 else None)
