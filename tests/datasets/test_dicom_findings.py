"""What is odd about a DICOM folder is found in its headers and said in sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sensiview.datasets.dicom_findings import Finding
from sensiview.datasets.dicom_series import Series, list_series, scan
from sensiview.datasets.dicom_volume import open_series
from sensiview.errors import DataError
from tests.datasets.dicom_phantom import phantom, placed, uid, write_enhanced, write_series

BLOCK = phantom((7, 8, 10))


def only(folder: Path) -> Series:
    (series,) = list_series(folder)
    return series


def finding(series: Series, kind: str) -> Finding:
    (found,) = [finding for finding in series.findings if finding.kind == kind]
    return found


def kinds(series: Series) -> list[str]:
    return [finding.kind for finding in series.findings]


def test_that_a_clean_series_has_no_findings(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK, (1.0, 1.0, 2.0)))
    assert series.findings == ()
    assert series.readable
    assert (series.n_slices, series.rows, series.columns) == (10, 8, 7)
    assert series.spacing == (1.0, 1.0, 2.0)
    assert series.thickness == 2.0
    assert series.date == "2024-02-29"
    assert series.title == "T1 phantom (series 3)"
    assert series.grid is not None
    assert series.grid.same_as(open_series(series).grid)


def test_that_missing_slices_stay_empty_and_the_others_in_their_place(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK, (1.0, 1.0, 3.0), left_out=(4, 5, 8)))
    missing = finding(series, "missing_slices")
    assert missing.severity == "warning"
    assert missing.sentence.startswith(
        "3 slices are missing: the slices lie 3.00 mm apart, but 9.00 mm after slice 4; 6.00 mm after slice 6."
    )
    assert series.n_slices == 7
    volume = open_series(series)
    _, affine = placed(BLOCK, (1.0, 1.0, 3.0))
    there = np.isfinite(volume.raw).all(axis=(0, 1))
    assert there.tolist() == [k not in (4, 5, 8) for k in range(10)]
    assert volume.raw.dtype == np.float32
    # DICOM's left-handed RAS block is read in the order of the normal, which here is that of S.
    assert_allclose(volume.affine @ [0, 0, 3, 1], affine @ [0, 0, 3, 1])
    assert_array_equal(volume.raw[:, :, 3], BLOCK[:, :, 3])
    assert missing.sentence in volume.notes


def test_that_the_smallest_gap_is_the_distance_when_most_gaps_miss_a_slice(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK, (1.0, 1.0, 3.0), left_out=(1, 4, 6, 8)))
    assert "the slices lie 3.00 mm apart" in finding(series, "missing_slices").sentence


def test_that_one_slice_of_two_left_out_is_suspected_from_the_spacing_tag(tmp_path: Path) -> None:
    def tagged(dataset: Any, k: int) -> None:
        dataset.SpacingBetweenSlices = "3"

    series = only(write_series(tmp_path, BLOCK, (1.0, 1.0, 3.0), left_out=(1, 3, 5, 7, 9), edit=tagged))
    found = finding(series, "spacing_tag")
    assert "6.00 mm apart by their positions" in found.sentence
    assert "Only one of 2 slices may have been exported." in found.sentence
    assert series.readable


@pytest.mark.parametrize("changed", [False, True], ids=["same pixels", "other pixels"])
def test_that_of_duplicated_positions_the_first_is_kept(tmp_path: Path, changed: bool) -> None:
    folder = write_series(tmp_path, BLOCK, (1.0, 1.0, 3.0))

    def second(dataset: Any, k: int) -> None:
        dataset.SOPInstanceUID = uid("again", k)
        dataset.InstanceNumber = 100 + k

    block = BLOCK + 1 if changed else BLOCK
    write_series(folder, block, (1.0, 1.0, 3.0), left_out=set(range(10)) - {2, 7}, names="straight", edit=second)
    series = only(folder)
    found = finding(series, "duplicate_slices")
    assert found.sentence.startswith("2 slices lie where another slice lies, with ")
    assert ("other pixels" in found.sentence) is changed
    assert found.severity == ("warning" if changed else "note")
    assert series.n_slices == 10
    assert len(series.files) == 12
    assert_array_equal(np.sort(open_series(series).raw.ravel()), np.sort(BLOCK.ravel()))


def test_that_copies_of_a_file_are_used_once(tmp_path: Path) -> None:
    folder = write_series(tmp_path, BLOCK)
    for path in sorted(folder.iterdir())[:3]:
        (folder / f"copy of {path.name}").write_bytes(path.read_bytes())
    series = only(folder)
    assert "3 files are copies" in finding(series, "duplicate_slices").sentence
    assert len(series.files) == 10


def test_that_of_copies_the_whole_one_is_used(tmp_path: Path) -> None:
    folder = write_series(tmp_path, BLOCK)
    path = sorted(folder.iterdir())[0]
    (folder / "0000 cut").write_bytes(path.read_bytes()[:-40])
    assert only(folder).readable


def test_that_unevenly_spaced_slices_are_refused_with_both_distances(tmp_path: Path) -> None:
    def drifting(dataset: Any, k: int) -> None:
        dataset.ImagePositionPatient[2] = float(k * (2.0 + 0.15 * k))

    series = only(write_series(tmp_path, BLOCK, edit=drifting))
    assert "unevenly spaced, 2.15 to 4.55 mm apart" in finding(series, "uneven_spacing").sentence
    assert not series.readable
    with pytest.raises(DataError, match="unevenly spaced"):
        open_series(series)


def test_that_slightly_uneven_slices_are_read_on_the_nearest_even_grid(tmp_path: Path) -> None:
    def jitter(dataset: Any, k: int) -> None:
        dataset.ImagePositionPatient[2] = float(3.0 * k + (0.1 if k % 2 else -0.1))

    series = only(write_series(tmp_path, BLOCK, (1, 1, 3.0), edit=jitter))
    assert finding(series, "uneven_spacing").severity == "warning"
    assert series.readable
    assert series.spacing is not None
    assert abs(series.spacing[2] - 3.0) < 0.03


def test_that_slices_shifted_at_random_in_their_plane_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)

    def shifted(dataset: Any, k: int) -> None:
        dataset.ImagePositionPatient[0] = float(rng.uniform(-5, 5))

    series = only(write_series(tmp_path, BLOCK, edit=shifted))
    assert finding(series, "shifted_slices").severity == "error"
    assert not series.readable


def test_that_two_orientations_in_one_series_are_two_stacks(tmp_path: Path) -> None:
    write_series(tmp_path / "a", BLOCK, (1.0, 1.0, 2.0), "RAS")

    def other(dataset: Any, k: int) -> None:
        dataset.SOPInstanceUID = uid("other", k)

    write_series(tmp_path / "b", BLOCK, (1.0, 1.0, 2.0), "ASR", edit=other)
    first, second = sorted(list_series(tmp_path), key=lambda series: series.stack)
    assert first.stack == "7 x 8 pixels, pixels of 1 x 1 mm, axial"
    assert second.stack == "8 x 10 pixels, pixels of 1 x 2 mm, sagittal"
    assert "mixed in one series" in finding(first, "mixed_series").sentence
    assert first.readable
    assert second.readable
    total = np.sort(np.concatenate([open_series(s).raw.ravel() for s in (first, second)]))
    assert_array_equal(total, np.sort(np.concatenate([BLOCK.ravel()] * 2)))


@pytest.mark.parametrize(
    "word, values, label",
    [
        ("EchoTime", ("12", "80"), "echo time 80 ms"),
        ("TemporalPositionIdentifier", (1, 2), "time point 2"),
        ("DiffusionBValue", (0.0, 1000.0), "b = 1000 s/mm²"),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]), "P"),
        ("AcquisitionNumber", (1, 2), "acquisition 2"),
        ("ContentTime", ("120000", "130000"), "repetition 2"),
    ],
)
def test_that_repeated_positions_are_told_apart(tmp_path: Path, word: str, values: Any, label: str) -> None:
    for turn in (0, 1):

        def labelled(dataset: Any, k: int, turn: int = turn) -> None:
            setattr(dataset, word, values[turn])
            dataset.SOPInstanceUID = uid(turn, k)
            dataset.InstanceNumber = 2 * k + turn + 1  # interleaved, as scanners do it

        write_series(tmp_path, BLOCK + turn, (1, 1, 2.0), edit=labelled, suffix=str(turn), seed=turn)
    first, second = list_series(tmp_path)
    assert second.stack == label
    assert finding(second, "repeated_stacks").severity == "note"
    assert_array_equal(open_series(first).raw + 1, open_series(second).raw)


def test_that_two_series_under_one_uid_are_two_stacks(tmp_path: Path) -> None:
    """As programs leave it that replace every UID by the same one."""
    for turn, (number, description) in enumerate(((3, "T1"), (4, "T1"), (4, "T2"))):

        def one_uid(dataset: Any, k: int, turn: int = turn) -> None:
            dataset.SeriesInstanceUID = "1.2.3"
            dataset.SOPInstanceUID = uid("mixed", turn, k)

        write_series(
            tmp_path / str(turn),
            BLOCK + turn,
            number=number,
            description=description,
            edit=one_uid,
            centre=(turn, 0, 0),
        )
    found = list_series(tmp_path)
    assert [(series.number, series.stack) for series in found] == [
        (3, "series number 3"),
        (4, "series number 4, T1"),
        (4, "series number 4, T2"),
    ]
    assert all("mixed in one series" in finding(series, "mixed_series").sentence for series in found)
    assert [int(open_series(series).raw.min()) for series in found] == [0, 1, 2]


def test_that_two_interleaved_blocks_are_parted_when_together_they_are_uneven(tmp_path: Path) -> None:
    for turn in (0, 1):

        def offset(dataset: Any, k: int, turn: int = turn) -> None:
            dataset.AcquisitionNumber = turn + 1
            dataset.SOPInstanceUID = uid("interleaved", turn, k)

        write_series(tmp_path / str(turn), BLOCK + turn, (1, 1, 3.0), edit=offset, centre=(0, 0, 0.7 * turn))
    first, second = list_series(tmp_path)
    assert (first.stack, second.stack) == ("acquisition 1", "acquisition 2")
    assert finding(first, "mixed_series").severity == "warning"
    assert_array_equal(open_series(first).raw + 1, open_series(second).raw)


def test_that_a_scan_that_was_broken_off_keeps_its_whole_time_points(tmp_path: Path) -> None:
    for turn in range(3):

        def timed(dataset: Any, k: int, turn: int = turn) -> None:
            dataset.TemporalPositionIdentifier = turn + 1
            dataset.SOPInstanceUID = uid("broken off", turn, k)

        write_series(tmp_path / str(turn), BLOCK + turn, edit=timed, left_out=range(3, 10) if turn == 2 else ())
    assert [(s.stack, s.n_slices) for s in list_series(tmp_path)] == [
        ("time point 1", 10),
        ("time point 2", 10),
        ("time point 3", 3),
    ]


def test_that_time_points_of_an_enhanced_object_are_two_stacks(tmp_path: Path) -> None:
    both = np.concatenate([BLOCK, BLOCK + 5], axis=2)

    def labelled(item: Any, frame: int) -> None:
        item.FrameContentSequence[0].TemporalPositionIndex = 1 + frame // 10
        if frame >= 10:
            item.PlanePositionSequence[0].ImagePositionPatient[2] -= 10.0

    write_enhanced(tmp_path / "IM", both, labels=labelled)
    first, second = list_series(tmp_path)
    assert (first.stack, second.stack) == ("time point 1", "time point 2")
    assert first.files == second.files
    assert_array_equal(open_series(first).raw + 5, open_series(second).raw)


def test_that_two_patients_with_one_series_number_are_not_mixed(tmp_path: Path) -> None:
    def same_uid(dataset: Any, k: int) -> None:
        dataset.SeriesInstanceUID = "1.2.3"

    write_series(tmp_path / "a", BLOCK, patient_id="A", patient="Same", edit=same_uid)
    write_series(tmp_path / "b", BLOCK, patient_id="B", patient="Same", edit=same_uid)
    first, second = list_series(tmp_path)
    assert first.subject != second.subject
    assert first.readable
    assert second.readable


def test_that_a_patient_spelt_in_two_ways_is_one_subject(tmp_path: Path) -> None:
    write_series(tmp_path / "a", BLOCK, patient="Roe^Jane", series="1")
    write_series(tmp_path / "b", BLOCK, patient="ROE^JANE^B", series="2")
    listing = scan(tmp_path)
    assert len({series.subject for series in listing.series}) == 1
    (told,) = listing.findings
    assert told.sentence.startswith("1 patient number stands with more than one name.")
    assert "Roe" not in told.sentence
    write_series(tmp_path / "c", BLOCK, patient="Roe^Jane", patient_id="")
    assert len({series.subject for series in list_series(tmp_path)}) == 2


def test_that_without_name_and_number_each_study_is_a_subject(tmp_path: Path) -> None:
    for study in (1, 2):

        def nameless(dataset: Any, k: int, study: int = study) -> None:
            dataset.StudyInstanceUID = uid("study", study)
            dataset.SOPInstanceUID = uid("nameless", study, k)

        write_series(tmp_path / str(study), BLOCK, patient="", patient_id="", series=f"{study}", edit=nameless)
    first, second = list_series(tmp_path)
    assert first.subject != second.subject
    assert "taken as a subject of its own" in finding(first, "no_name").sentence


def test_that_a_localiser_is_called_one(tmp_path: Path) -> None:
    for name in ("RAS", "ASR", "RSA"):

        def own(dataset: Any, k: int, name: str = name) -> None:
            dataset.SOPInstanceUID = uid(name, k)

        write_series(tmp_path / name, phantom((8, 8, 8)), orientation=name, left_out=range(1, 8), edit=own)
    found = list_series(tmp_path)
    assert sorted(series.stack for series in found) == ["axial", "coronal", "sagittal"]
    assert all("localiser" in finding(series, "localiser").sentence for series in found)


def test_that_an_incomplete_export_is_noted(tmp_path: Path) -> None:
    def announced(dataset: Any, k: int) -> None:
        dataset.ImagesInAcquisition = 14

    series = only(write_series(tmp_path, BLOCK, edit=announced))
    assert "announce 14 images, 10 are here" in finding(series, "incomplete").sentence


def test_that_objects_without_pixels_say_what_they_are(tmp_path: Path) -> None:
    def contours(dataset: Any, k: int) -> None:
        dataset.Modality = "RTSTRUCT"
        for word in ("PixelData", "Rows", "Columns", "BitsAllocated"):
            del dataset[word]

    series = only(write_series(tmp_path, BLOCK, left_out=range(1, 10), edit=contours))
    assert "contours of a radiotherapy plan" in finding(series, "no_pixels").sentence
    with pytest.raises(DataError, match="no pixel data"):
        open_series(series)


def test_that_single_headers_without_pixels_are_left_out_and_counted(tmp_path: Path) -> None:
    def emptied(dataset: Any, k: int) -> None:
        if k in (0, 9):
            del dataset["PixelData"]

    series = only(write_series(tmp_path, BLOCK, edit=emptied))
    assert finding(series, "no_pixels").sentence == "2 files of 10 have no pixel data and are left out."
    assert open_series(series).raw.shape == (7, 8, 8)


def test_that_one_header_without_pixels_is_told_in_the_singular(tmp_path: Path) -> None:
    def emptied(dataset: Any, k: int) -> None:
        if k == 4:
            del dataset["PixelData"]

    series = only(write_series(tmp_path, BLOCK, edit=emptied))
    assert finding(series, "no_pixels").sentence == "1 file of 10 has no pixel data and is left out."


def test_that_a_single_slice_is_refused_as_an_image(tmp_path: Path) -> None:
    series = only(write_series(tmp_path, BLOCK, left_out=range(1, 10)))
    found = finding(series, "one_slice")
    assert found.severity == "error"
    assert not series.readable
    assert "holds a single slice: a 2-D image, not a volume, which needs at least two" in found.sentence
    with pytest.raises(DataError, match="a single slice: a 2-D image, not a volume"):
        open_series(series)


@pytest.mark.parametrize("value", [None, "1e300"])
@pytest.mark.parametrize("word", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_that_missing_geometry_is_refused_not_guessed(tmp_path: Path, word: str, value: str | None) -> None:
    def stripped(dataset: Any, k: int) -> None:
        if value is None:
            del dataset[word]
        else:
            setattr(dataset, word, [value] * dataset[word].VM)

    series = only(write_series(tmp_path, BLOCK, edit=stripped))
    assert finding(series, "no_geometry").severity == "error"
    assert not series.readable
    with pytest.raises(DataError, match="Export the series again"):
        open_series(series)


@pytest.mark.parametrize("value", [["1", "0", "0", "1", "0", "0"], ["0"] * 6, ["1e300", "0", "0", "0", "1", "0"]])
def test_that_an_impossible_orientation_is_refused(tmp_path: Path, value: list[str]) -> None:
    def turned(dataset: Any, k: int) -> None:
        dataset.ImageOrientationPatient = value

    series = only(write_series(tmp_path, BLOCK, edit=turned))
    assert "no_geometry" in kinds(series)
    assert not series.readable


def test_that_frames_that_follow_in_time_are_no_volume(tmp_path: Path) -> None:
    from tests.datasets.dicom_phantom import set_pixels

    def film(dataset: Any, k: int) -> None:
        set_pixels(dataset, np.zeros((30, 8, 7), np.uint8))
        dataset.Modality = "US"
        for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            del dataset[word]

    series = only(write_series(tmp_path, BLOCK, left_out=range(1, 10), edit=film))
    assert "30 frames that follow each other in time" in finding(series, "not_a_volume").sentence
