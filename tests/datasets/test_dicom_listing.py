"""What a listing of DICOM series says of patients, of files that belong to none, and of their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sensiview.datasets.dicom_series import Series, list_series, scan
from sensiview.datasets.dicom_volume import open_series
from sensiview.errors import DataError, Stopped
from tests.datasets.dicom_phantom import phantom, write_series

BLOCK = phantom((7, 8, 10))


def only(folder: Path) -> Series:
    (series,) = list_series(folder)
    return series


def kinds(series: Series) -> list[str]:
    return [finding.kind for finding in series.findings]


@pytest.mark.parametrize(
    "written, charset, spoken, odd",
    [
        ("Müller^Jörg", "ISO_IR 100", "Müller, Jörg", False),
        ("Müller^Jörg", "ISO_IR 192", "Müller, Jörg", False),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"], "Yamada, Tarou (山田 太郎)", False),
        ("Люк^Иван", "ISO_IR 144", "Люк, Иван", False),
        ("Müller^Jörg".encode(), None, "Müller, Jörg", True),
        ("Müller^Jörg".encode("latin-1"), None, "Müller, Jörg", True),
        ("", "ISO_IR 100", "", False),
    ],
)  # fmt: skip
def test_that_names_are_read_in_their_character_set(
    tmp_path: Path, written: Any, charset: Any, spoken: str, odd: bool
) -> None:
    def named(dataset: Any, k: int) -> None:
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        if charset is not None:
            dataset.SpecificCharacterSet = charset
        if isinstance(written, bytes):
            tag = Tag(0x0010, 0x0010)
            padded = written + b" " * (len(written) % 2)
            dataset[tag] = RawDataElement(tag, "PN", len(padded), padded, 0, False, True)
        else:
            dataset.PatientName = written

    series = only(write_series(tmp_path, BLOCK, left_out=range(3, 10), edit=named))
    assert series.patient == spoken
    assert ("characters" in kinds(series)) is odd
    assert ("no_name" in kinds(series)) is (spoken == "")


def test_that_notes_and_titles_say_nothing_of_the_patient(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK, (1, 1, 3.0), patient="Secret^Name", patient_id="ID77", left_out=(3,)))
    volume = open_series(series)
    told = " ".join((volume.name, volume.source, *volume.notes, series.title, series.subject, str(series.to_plain())))
    assert "Secret" not in told
    assert "ID77" not in told
    assert series.to_plain(identified=True)["patient"] == "Secret, Name"


def test_that_a_series_survives_json_and_a_move_of_its_files(tmp_path: Path) -> None:
    import json

    series = only(write_series(tmp_path / "here", BLOCK, (1, 1, 3.0), left_out=(3,)))
    plain = json.loads(json.dumps(series.to_plain()))
    (tmp_path / "here").rename(tmp_path / "there")
    moved = [tmp_path / "there" / path.name for path in series.files]
    again = Series.from_plain(plain, moved)
    assert again.findings == series.findings
    assert again.places == series.places
    volume = open_series(again)
    assert volume.grid.same_as(series.grid) if series.grid else False
    with pytest.raises(DataError, match="9 files, but 8 are given"):
        Series.from_plain(plain, moved[1:])
    with pytest.raises(DataError, match="damaged"):
        Series.from_plain({**plain, "affine": [[1]]})
    with pytest.raises(DataError, match="moved or deleted"):
        open_series(Series.from_plain(plain))


def test_that_files_of_no_series_are_counted_and_named(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "Umlaut ä 山", BLOCK)
    (folder / "readme.txt").write_text("hello")
    (folder / "empty").write_bytes(b"")
    (folder / "scan.zip").write_bytes(b"PK\x03\x04....")
    (folder / "half.dcm").write_bytes((b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\xff")[:139])
    listing = scan(folder)
    told = {finding.kind: finding.sentence for finding in listing.findings}
    assert len(listing.series) == 1
    assert listing.series[0].findings == ()
    assert listing.n_files == 14
    assert "scan.zip is an archive: unpack it" in told["archive"]
    assert told["not_dicom"].startswith("2 other files are no DICOM")


def test_that_a_folder_without_dicom_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder or file"):
        list_series(tmp_path / "nowhere")
    with pytest.raises(DataError, match="No file is there"):
        list_series(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"None of the files is a DICOM image.*a\.zip is an archive: unpack it"):
        list_series(tmp_path)
    (tmp_path / "brain.nii.gz").write_bytes(b"\x1f\x8b...")
    with pytest.raises(DataError, match=r"brain\.nii\.gz is a NIfTI volume: add it as volumes"):
        list_series(tmp_path)


def test_that_progress_rises_and_a_stop_ends_the_search(tmp_path: Path) -> None:
    folder = write_series(tmp_path, BLOCK)
    told: list[float] = []
    list_series(folder, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        list_series(folder, stop)
    with pytest.raises(Stopped):
        open_series(only(folder), stop)


def test_that_series_in_one_folder_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    for number in (12, 3, 7):
        write_series(tmp_path, BLOCK, number=number, series=f"s{number}", suffix=f".{number}", seed=number)
    found = list_series(tmp_path)
    assert [series.number for series in found] == [3, 7, 12]
    assert all(series.readable and series.n_slices == 10 for series in found)
