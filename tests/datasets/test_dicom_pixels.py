"""Stored numbers, rescaling, compression, and files that are damaged, cut off or exchanged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sensiview.datasets.dicom_codecs import codec_of
from sensiview.datasets.dicom_series import Series, list_series, series_to_files
from sensiview.datasets.dicom_tags import describe_tags
from sensiview.datasets.dicom_volume import open_series
from sensiview.errors import DataError
from tests.datasets.dicom_phantom import phantom, set_pixels, write_series

BLOCK = phantom((7, 8, 6))
RLE, JPEG_LS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"


def only(folder: Path) -> Series:
    (series,) = list_series(folder)
    return series


def of_pydicom(name: str) -> Path:
    from pydicom.data import get_testdata_file

    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"this pydicom comes without {name}")
    return Path(str(path))


def as_volume(series: Series) -> Series:
    """A single image is refused as a volume; its pixels are read all the same."""
    return replace(series, findings=tuple(one for one in series.findings if one.kind != "one_slice"))


def test_that_one_rescale_keeps_the_stored_integers(tmp_path: Path) -> None:
    volume = open_series(only(write_series(tmp_path, BLOCK, rescale=(0.5, -1024.0), modality="CT")))
    assert volume.raw.dtype == np.int16
    assert_array_equal(volume.raw, BLOCK)
    assert (volume.slope, volume.intercept, volume.unit) == (0.5, -1024.0, "HU")
    assert_allclose(volume.values(), BLOCK * 0.5 - 1024.0)


def test_that_a_rescale_of_its_own_is_applied_to_each_slice(tmp_path: Path) -> None:
    def scaled(dataset: Any, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = str(1.0 + k / 4), str(-k)

    series = only(write_series(tmp_path, BLOCK, edit=scaled))
    volume = open_series(series)
    k = np.arange(6)
    assert volume.raw.dtype == np.float32
    assert (volume.slope, volume.intercept) == (1.0, 0.0)
    assert_allclose(volume.values(), BLOCK * (1.0 + k / 4) - k)
    assert any("different rescale factors (1 to 2.25)" in note for note in volume.notes)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32"])
def test_that_integers_of_every_width_are_read(tmp_path: Path, dtype: str) -> None:
    block = (BLOCK % 251).astype(dtype)
    if np.dtype(dtype).kind == "i":
        block -= 100
    volume = open_series(only(write_series(tmp_path, block)))
    assert volume.raw.dtype == np.dtype(dtype)
    assert_array_equal(volume.raw, block)


def test_that_float_pixels_are_read(tmp_path: Path) -> None:
    def floats(dataset: Any, k: int) -> None:
        del dataset["PixelData"]
        dataset.FloatPixelData = (BLOCK[:, :, k].T * 0.25).astype("<f4").tobytes()
        dataset.BitsAllocated = 32
        for word in ("BitsStored", "HighBit", "PixelRepresentation"):
            del dataset[word]

    assert_allclose(open_series(only(write_series(tmp_path, BLOCK, edit=floats))).raw, BLOCK * 0.25)


def test_that_slices_of_two_signs_share_a_type_that_holds_both(tmp_path: Path) -> None:
    def unsigned(dataset: Any, k: int) -> None:
        if k % 2:
            set_pixels(dataset, np.full((8, 7), 60000, np.uint16))
        else:
            set_pixels(dataset, np.full((8, 7), -5, np.int16))

    volume = open_series(only(write_series(tmp_path, BLOCK, edit=unsigned)))
    assert volume.raw.dtype == np.int32
    assert sorted(np.unique(volume.raw)) == [-5, 60000]


def test_that_a_sign_in_twelve_bits_is_extended(tmp_path: Path) -> None:
    wanted = BLOCK % 4096 - 2048

    def twelve(dataset: Any, k: int) -> None:
        set_pixels(dataset, (wanted[:, :, k].T & 0x0FFF).astype(np.uint16))
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1

    assert_array_equal(open_series(only(write_series(tmp_path, BLOCK, edit=twelve))).raw, wanted)


def test_that_overlays_in_unused_bits_are_taken_off(tmp_path: Path) -> None:
    wanted = (BLOCK % 4096).astype(np.uint16)

    def drawn_upon(dataset: Any, k: int) -> None:
        set_pixels(dataset, wanted[:, :, k].T | np.uint16(0x1000))
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.add_new(0x60000100, "US", 16)
        dataset.add_new(0x60000102, "US", 12)

    assert_array_equal(open_series(only(write_series(tmp_path, BLOCK, edit=drawn_upon))).raw, wanted)


def test_that_numbers_in_the_upper_bits_are_moved_down(tmp_path: Path) -> None:
    wanted = (BLOCK % 4096).astype(np.uint16)

    def upper(dataset: Any, k: int) -> None:
        set_pixels(dataset, wanted[:, :, k].T << np.uint16(4))
        dataset.BitsStored, dataset.HighBit = 12, 15

    assert_array_equal(open_series(only(write_series(tmp_path, BLOCK, edit=upper))).raw, wanted)


def test_that_numbers_above_a_wrong_header_are_kept_and_noted(tmp_path: Path) -> None:
    def wrong(dataset: Any, k: int) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11

    volume = open_series(only(write_series(tmp_path, BLOCK, edit=wrong)))
    assert_array_equal(volume.raw, BLOCK)
    assert any("Bits Stored" in note for note in volume.notes)


def test_that_a_modality_table_gives_the_values(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset

    def tabled(dataset: Any, k: int) -> None:
        set_pixels(dataset, (BLOCK[:, :, k].T % 16).astype(np.uint8))
        table = Dataset()
        table.LUTDescriptor = [16, 0, 16]
        table.ModalityLUTType = "US"
        table.LUTData = np.arange(0, 1600, 100, dtype="<u2").tobytes()
        table["LUTData"].VR = "OW"
        table["LUTDescriptor"].VR = "US"
        dataset.ModalityLUTSequence = [table]

    volume = open_series(only(write_series(tmp_path, BLOCK, edit=tabled)))
    assert_allclose(volume.values(), BLOCK % 16 * 100)
    assert any("Modality LUT" in note for note in volume.notes)


def test_that_padding_is_kept_and_noted_with_its_share(tmp_path: Path) -> None:
    def padded(dataset: Any, k: int) -> None:
        picture = BLOCK[:, :, k].T.copy()
        picture[:4] = -2000
        set_pixels(dataset, picture)
        dataset.add_new(0x00280120, "SS", -2000)

    volume = open_series(only(write_series(tmp_path, BLOCK, edit=padded)))
    assert any(note.startswith("50.0 % of the voxels hold the stored number -2000") for note in volume.notes)
    assert (volume.raw == -2000).mean() == 0.5


def test_that_inverted_grey_scales_keep_their_values(tmp_path: Path) -> None:
    def inverted(dataset: Any, k: int) -> None:
        dataset.PhotometricInterpretation = "MONOCHROME1"

    volume = open_series(only(write_series(tmp_path, BLOCK, edit=inverted)))
    assert_array_equal(volume.raw, BLOCK)
    assert any("MONOCHROME1" in note for note in volume.notes)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS], ids=["RLE", "JPEG-LS"])
def test_that_compressed_series_are_those_before_compression(tmp_path: Path, syntax: str) -> None:
    block = phantom((7, 8, 6), "uint16")
    series = only(write_series(tmp_path, block, (0.5, 0.5, 3.0), "PIR", syntax=syntax))
    plain = only(write_series(tmp_path / "plain", block, (0.5, 0.5, 3.0), "PIR"))
    (told,) = [finding.sentence for finding in series.findings if finding.kind == "compressed"]
    assert told.startswith("Compressed as ")
    assert "; read with " in told
    volume, reference = open_series(series), open_series(plain)
    assert_array_equal(volume.raw, reference.raw)
    assert_allclose(volume.affine, reference.affine)


def compressed_by_gdcm(folder: Path, to: Path, syntax: str) -> Path:
    gdcm: Any = pytest.importorskip("gdcm")
    to.mkdir()
    for path in folder.iterdir():
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(to / path.name))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    return to


@pytest.mark.parametrize("syntax", ["JPEGLosslessProcess14_1", "JPEG2000Lossless"])
def test_that_lossless_jpeg_series_are_those_before_compression(tmp_path: Path, syntax: str) -> None:
    block = phantom((20, 24, 3), "uint16")
    folder = compressed_by_gdcm(write_series(tmp_path / "plain", block), tmp_path / "small", syntax)
    assert_array_equal(open_series(only(folder)).raw, block)


def test_that_damaged_lossless_jpeg_is_a_sentence_and_no_crash(tmp_path: Path) -> None:
    """gdcm ends the program on some of these; its frames are checked before it sees them."""
    block = phantom((20, 24, 3), "uint16")
    folder = compressed_by_gdcm(write_series(tmp_path / "plain", block), tmp_path / "small", "JPEGLosslessProcess14_1")
    series = only(folder)
    path = series.files[1]
    sound = path.read_bytes()
    start = sound.index(b"\xff\xd8")
    tables, size = sound.index(b"\xff\xc4", start), sound.index(b"\xff\xc3", start)
    for place, byte in ((tables + 5, 255), (size + 4, 99), (size + 6, 1), (size + 9, 3), (start + 1, 0)):
        path.write_bytes(sound[:place] + bytes([byte]) + sound[place + 1 :])
        with pytest.raises(DataError, match=rf"{path.name}: its pixels can't be read"):
            open_series(series)


def test_that_a_big_endian_series_is_read(tmp_path: Path) -> None:
    block = phantom((7, 8, 6), "uint16")
    volume = open_series(only(write_series(tmp_path, block, big_endian=True)))
    assert_array_equal(volume.raw, block)
    assert volume.raw.dtype.isnative


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_that_one_image_in_every_transfer_syntax_is_one_image(name: str) -> None:
    import pydicom

    reference = pydicom.dcmread(of_pydicom("MR_small.dcm")).pixel_array
    volume = open_series(as_volume(only(of_pydicom(name))))
    assert_array_equal(volume.raw[:, :, 0], reference.T)
    assert volume.raw.dtype == np.int16


@pytest.mark.parametrize("name", ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "examples_overlay.dcm", "CT_small.dcm"])
def test_that_real_files_give_the_numbers_pydicom_gives(name: str) -> None:
    import pydicom

    path = of_pydicom(name)
    volume = open_series(as_volume(only(path)))
    assert_array_equal(volume.raw[:, :, 0], pydicom.dcmread(path).pixel_array.T)


def test_that_a_syntax_without_codec_is_named_and_refused(tmp_path: Path) -> None:
    folder = write_series(tmp_path, BLOCK)
    for path in folder.iterdir():
        content = path.read_bytes()
        length = content.index(b"1.2.840.10008.1.2.1\0")
        path.write_bytes(content[:length] + b"1.2.840.10008.1.2.9\0" + content[length + 20 :])
    series = only(folder)
    (told,) = [finding for finding in series.findings if finding.kind == "codec"]
    assert told.severity == "error"
    assert "which nothing installed here can read" in told.sentence
    with pytest.raises(DataError, match="Export the series uncompressed"):
        open_series(series)
    assert codec_of("1.2.840.10008.1.2.4.102")[1] == ""  # a film


def test_that_cut_off_pixels_are_seen_in_the_headers_and_name_the_file(tmp_path: Path) -> None:
    folder = write_series(tmp_path, BLOCK)
    whole = only(folder)
    path = whole.files[3]
    path.write_bytes(path.read_bytes()[:-30])
    (told,) = [finding for finding in only(folder).findings if finding.kind == "truncated"]
    assert f"1 file of 6 ends before its pixels do ({path.name})" in told.sentence
    with pytest.raises(DataError, match=rf"{path.name}.*(cut off|damaged)"):
        open_series(whole)
    assert not list_series(of_pydicom("MR_truncated.dcm"))[0].readable


def test_that_cut_off_compressed_pixels_name_the_file(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, phantom((16, 16, 3), "uint16"), syntax=RLE))
    path = series.files[1]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=rf"{path.name}.*(cut off|damaged)"):
        open_series(series)


def test_that_exchanged_files_are_refused(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK))
    shutil.copy(series.files[0], series.files[4])
    with pytest.raises(DataError, match="another slice than when the series was listed"):
        open_series(series)
    series.files[4].write_text("no DICOM any more")
    with pytest.raises(DataError, match=series.files[4].name):
        open_series(series)


def test_that_a_volume_larger_than_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    series = only(write_series(tmp_path, BLOCK))

    class Little:
        available = 100

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(DataError, match="more than the free memory"):
        open_series(series)


def test_that_slices_are_contiguous_views_in_file_order(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK))
    volume = open_series(series)
    assert volume.raw.flags.f_contiguous
    assert series_to_files(series) == list(series.files)
    assert len(series.files) == 6


def test_that_tags_are_described_without_pixels(tmp_path: Path) -> None:
    def private(dataset: Any, k: int) -> None:
        block = dataset.private_block(0x0029, "ACME 1.0", create=True)
        block.add_new(0x10, "OB", bytes(range(256)) * 40)
        dataset.ImageComments = "x" * 500

    path = only(write_series(tmp_path, BLOCK, patient="Müller^Jörg", edit=_with_charset(private))).files[0]
    rows = describe_tags(path)
    found = {tag: (name, value) for tag, name, value in rows}
    assert found["(0010,0010)"] == ("Patient's Name", "Müller^Jörg")
    assert found["(0002,0010)"] == ("Transfer Syntax UID", "1.2.840.10008.1.2.1")
    assert found["(0029,1010)"] == ("(private)", "10,240 bytes")
    assert found["(0020,4000)"][1].endswith("…")
    assert found["(0028,0030)"] == ("Pixel Spacing", "1\\1")
    assert "(7FE0,0010)" not in found
    assert max(len(value) for _, _, value in rows) <= 120


def _with_charset(edit: Any) -> Any:
    def both(dataset: Any, k: int) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 192"
        edit(dataset, k)

    return both


def test_that_sequences_are_indented_and_long_ones_shortened(tmp_path: Path) -> None:
    from tests.datasets.dicom_phantom import write_enhanced

    rows = describe_tags(write_enhanced(tmp_path / "IM", BLOCK))
    tags = [tag for tag, _, _ in rows]
    assert ("(5200,9230)", "Per-Frame Functional Groups Sequence", "6 items") in [tuple(row) for row in rows]
    assert "> > (0020,0032)" in tags
    assert ("> ...", "", "3 more items") in [tuple(row) for row in rows]


def test_that_tags_of_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(DataError, match="is not a DICOM file"):
        describe_tags(tmp_path / "a.txt")
    with pytest.raises(DataError, match="can't be read"):
        describe_tags(tmp_path / "gone")
