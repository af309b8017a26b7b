"""Real series and pydicom's own collection of odd files: each is opened or refused with a sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sensiview.datasets.dicom_series import Series, list_series, scan
from sensiview.datasets.dicom_volume import open_series
from sensiview.datasets.volume import Volume
from sensiview.errors import DataError


@pytest.fixture(scope="module")
def collection() -> Path:
    """Return the folder of pydicom's test files, as far as they come with it."""
    import pydicom

    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    if not (folder / "MR_small.dcm").is_file():
        pytest.skip("this pydicom comes without its test files")
    return folder


def opened_or_refused(series: Series) -> Volume | str:
    try:
        return open_series(series)
    except DataError as error:
        return error.sentence


def test_that_a_whole_head_is_one_series_in_its_place(shared_data: Path, tmp_path: Path) -> None:
    import pydicom

    with zipfile.ZipFile(shared_data / "dicom" / "sag_anon_mprage_192.zip") as archive:
        archive.extractall(tmp_path)
    listing = scan(tmp_path)
    (series,) = listing.series
    assert series.findings == ()
    assert (series.n_slices, series.rows, series.columns, series.modality) == (192, 256, 256, "MR")
    assert series.spacing is not None
    assert_allclose(series.spacing, (0.859375, 0.859375, 0.9), atol=1e-6)
    volume = open_series(series)
    assert volume.raw.dtype == np.uint16
    assert volume.raw.max() == 713
    for k in (0, 100, 191):
        dataset = pydicom.dcmread(series.files[k])
        assert_array_equal(volume.raw[:, :, k], dataset.pixel_array.T)
        x, y, z = (float(part) for part in dataset.ImagePositionPatient)
        assert_allclose((volume.affine @ [0, 0, k, 1])[:3], [-x, -y, z], atol=1e-4)
    # Sagittal slices: they follow each other from side to side, rows run down, columns run back.
    assert int(np.abs(volume.affine[:3, 2]).argmax()) == 0
    assert volume.affine[2, 1] < 0
    assert volume.affine[1, 0] < 0


def test_that_a_zip_file_is_refused_with_what_to_do(shared_data: Path) -> None:
    with pytest.raises(DataError, match=r"sag_anon_mprage_192\.zip is an archive: unpack it"):
        list_series(shared_data / "dicom" / "sag_anon_mprage_192.zip")


def test_that_two_studies_in_one_folder_are_two_subjects(shared_data: Path) -> None:
    first, second = list_series(
        [shared_data / "dicom" / "hippocrop_study1", shared_data / "dicom" / "hippocrop_study3"]
    )
    assert first.subject != second.subject
    assert sorted((first.n_slices, second.n_slices)) == [32, 40]
    assert open_series(first).raw.shape in ((35, 51, 32), (34, 50, 40))


def test_that_every_file_of_the_collection_is_opened_or_refused_with_a_sentence(collection: Path) -> None:
    listing = scan(collection)
    assert len(listing.series) > 40
    opened = single = 0
    for series in listing.series:
        volume = opened_or_refused(series)
        if isinstance(volume, str):
            assert volume.endswith(".")
            assert "Error" not in volume
            single += "needs at least two" in volume
        else:
            opened += 1
            assert volume.raw.shape == (series.columns, series.rows, len(series.places))
            assert np.isfinite(volume.affine).all()
            assert abs(np.linalg.det(volume.affine[:3, :3])) > 0
        for finding in series.findings:
            assert finding.sentence[0].isupper() or finding.sentence[0].isdigit()
            assert finding.sentence.endswith(".")
    # Most of its files are one slice each: images, not volumes.
    assert opened > 0
    assert single > 15


def test_that_a_disc_with_a_dicomdir_is_read_from_its_files(collection: Path) -> None:
    listing = scan(collection / "dicomdirtests" / "98892001")
    assert [series.description for series in listing.series if series.n_slices == 5] == ["SmartScore - Gated 0.5 sec"]
    scouts = [series for series in listing.series if series.description == "Scout"]
    assert {series.stack for series in scouts} == {"coronal", "sagittal"}
    whole = scan(collection / "dicomdirtests")
    assert "index_file" in {finding.kind for finding in whole.findings}


@pytest.mark.parametrize(
    "name, told",
    [
        ("examples_rgb_color.dcm", "colour pictures"),
        ("examples_ybr_color.dcm", "colour pictures"),
        ("rtstruct.dcm", "contours of a radiotherapy plan"),
        ("reportsi.dcm", "a written report"),
        ("liver_1frame.dcm", "segmentation object"),
        ("JPEG2000.dcm", "lack a usable position"),
    ],
)
def test_that_what_is_no_volume_says_what_it_is(collection: Path, name: str, told: str) -> None:
    (series,) = list_series(collection / name)
    assert not series.readable
    with pytest.raises(DataError, match=told):
        open_series(series)
