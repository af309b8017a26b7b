"""A cohort of files: what is taken, what is left out, and what is said of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from sensiview.datasets.cohort import Cohort, understand_cohort, with_target
from sensiview.datasets.volume_opening import open_volumes
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import DataError
from sensiview.files import fingerprint

GRID = np.diag([3.0, 3, 3, 1])


def head(path: Path, seed: int = 0, shape: tuple[int, ...] = (8, 9, 10), affine: np.ndarray = GRID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.random.default_rng(seed).integers(0, 200, shape).astype(np.int16), affine)
    image.set_sform(affine, 1)
    nib.save(image, path)
    return path


def bids(root: Path, n: int = 6, *, labels: bool = True) -> Path:
    for number in range(1, n + 1):
        head(root / f"sub-{number:02}" / "anat" / f"sub-{number:02}_T1w.nii.gz", number)
    if labels:
        rows = [f"sub-{k:02}\t{60 + k}\t{'AD' if k % 2 else 'CN'}\t{k % 3}\t{k % 2 + 1}" for k in range(1, n + 1)]
        text = "\n".join(["participant_id\tage\tdiagnosis\tsite\tfold", *rows])
        (root / "participants.tsv").write_text(text + "\n", encoding="utf-8")
    return root


def opened(cohort: Cohort) -> VolumeSet:
    return open_volumes(SimpleNamespace(card=cohort.card, files=[fingerprint(path) for path in cohort.files]))


def test_that_a_bids_folder_is_a_cohort_with_labels(tmp_path: Path) -> None:
    shares: list[float] = []
    cohort = understand_cohort([bids(tmp_path)], name="study", target="diagnosis", on_progress=shares.append)
    card = cohort.card
    assert (card.kind, card.n_rows, card.name, card.target) == ("volumes", 6, "study", "diagnosis")
    assert card.class_counts == {"AD": 3, "CN": 3}
    assert [column.name for column in card.columns] == ["participant_id", "age", "diagnosis", "site", "fold"]
    assert card.features == ()
    assert card.reading["participants"] == 6
    assert card.reading["subject_column"] == "participant_id"
    assert card.reading["volumes"][1]["files"] == [1]
    assert card.extra["shape"] == [8, 9, 10]
    assert card.extra["affine"] == GRID.tolist()
    assert (card.extra["orientation"], card.extra["spacing"]) == ("RAS", [3.0, 3.0, 3.0])
    assert card.extra["grids"][0]["count"] == 6
    assert card.extra["names"][0] == card.extra["subjects"][0] == "sub-01"
    assert card.extra["candidates"]["target"][0] == "diagnosis"
    assert card.extra["candidates"]["groups"][0] == "site"
    assert card.extra["candidates"]["folds"] == ["fold"]
    assert 90 < card.extra["statistics"]["mean"] < 110
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert type(card).model_validate_json(card.model_dump_json()) == card


def test_that_an_opened_cohort_has_values_labels_and_table(tmp_path: Path) -> None:
    volumes = opened(understand_cohort([bids(tmp_path)], name="study", target="diagnosis"))
    assert volumes.names == tuple(f"sub-{k:02}" for k in range(1, 7))
    np.testing.assert_array_equal(volumes.labels(), [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(volumes.select("diagnosis=CN"), [1, 3, 5])
    batch = volumes.batch([2, 0])
    assert batch.shape == (2, 1, 8, 9, 10)
    expected = np.random.default_rng(3).integers(0, 200, (8, 9, 10))
    np.testing.assert_array_equal(batch[0, 0], expected)
    assert volumes.volume(2).name == "sub-03"
    assert list(volumes.table["age"]) == [61, 62, 63, 64, 65, 66]


def test_that_bad_files_are_reported_and_nothing_else_is_lost(tmp_path: Path) -> None:
    bids(tmp_path)
    anat = tmp_path / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    anat.write_bytes(anat.read_bytes()[:-20])
    (tmp_path / "sub-04" / "anat" / "sub-04_T1w.nii.gz").write_bytes(b"")
    head(tmp_path / "sub-05" / "func" / "sub-05_bold.nii.gz", shape=(8, 9, 10, 4))
    head(tmp_path / "sub-06" / "anat" / "sub-06_slice.nii.gz", shape=(8, 9, 1))
    cohort = understand_cohort([tmp_path], name="study", target="diagnosis")
    assert cohort.card.extra["names"] == ["sub-01", "sub-03", "sub-05", "sub-06"]
    lost = {
        report.file.name: report.sentence for report in cohort.reports if report.severity == "error" and report.file
    }
    assert "cut short" in lost["sub-02_T1w.nii.gz"]
    assert "empty (0 bytes)" in lost["sub-04_T1w.nii.gz"]
    assert "4-D file of 4 volumes" in lost["sub-05_bold.nii.gz"]
    assert "2-D image" in lost["sub-06_slice.nii.gz"]
    assert any("4 files could not be used" in note for note in cohort.card.notes)
    assert cohort.findings[0] == lost[sorted(lost)[0]] or cohort.findings[0] in lost.values()
    np.testing.assert_array_equal(opened(cohort).labels(), [0, 0, 0, 1])


def test_that_nothing_left_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    path = head(tmp_path / "bold.nii.gz", shape=(4, 4, 4, 5))
    with pytest.raises(DataError, match="a 4-D file of 5 volumes"):
        understand_cohort([path], name="x")
    (tmp_path / "empty.nii").touch()
    with pytest.raises(DataError, match=r"None of 2 files can be used\. The first: ") as caught:
        understand_cohort([tmp_path], name="x")
    assert "empty.nii" in caught.value.details
    with pytest.raises(DataError, match="There is no file or folder"):
        understand_cohort([tmp_path / "gone"], name="x")
    (tmp_path / "void").mkdir()
    with pytest.raises(DataError, match="There is no NIfTI file"):
        understand_cohort([tmp_path / "void"], name="x")
    (tmp_path / "void" / "IM1").write_bytes(bytes(128) + b"DICM" + bytes(50))
    with pytest.raises(DataError, match="Add the folder as DICOM"):
        understand_cohort([tmp_path / "void"], name="x")


def test_that_one_volume_of_series_is_taken_on_request(tmp_path: Path) -> None:
    head(tmp_path / "a.nii.gz", shape=(4, 5, 6, 3))
    head(tmp_path / "b.nii.gz", 1, shape=(4, 5, 6))
    head(tmp_path / "c.nii.gz", 2, shape=(4, 5, 6, 2))
    cohort = understand_cohort([tmp_path], name="x", frame=2)
    assert cohort.card.extra["names"] == ["a", "b"]
    assert [entry["frame"] for entry in cohort.card.reading["volumes"]] == [2, None]
    assert any("There is no volume 2 in" in sentence for sentence in cohort.findings)
    expected = np.random.default_rng(0).integers(0, 200, (4, 5, 6, 3))[..., 2]
    np.testing.assert_array_equal(opened(cohort).volume(0).values(), expected)


def test_that_segmentations_and_derivatives_are_left_out_and_offered(tmp_path: Path) -> None:
    bids(tmp_path, 2)
    mask = head(tmp_path / "sub-01" / "anat" / "sub-01_desc-brain_mask.nii.gz", 9)
    head(tmp_path / "derivatives" / "x" / "sub-01_T1w.nii.gz", 8)
    head(tmp_path / ".hidden" / "sub-09_T1w.nii.gz")
    labelled = nib.Nifti1Image(np.ones((8, 9, 10), np.uint8), GRID)
    labelled.header.set_intent("label")
    nib.save(labelled, tmp_path / "sub-02" / "regions.nii.gz")
    cohort = understand_cohort([tmp_path], name="x")
    assert cohort.card.extra["names"] == ["sub-01", "sub-02"]
    assert {path.name for path in cohort.label_images} == {"sub-01_desc-brain_mask.nii.gz", "regions.nii.gz"}
    assert any("left out as segmentation or mask" in note for note in cohort.card.notes)
    assert any("Derivatives" in note for note in cohort.findings)
    assert understand_cohort([mask], name="x").card.n_rows == 1
    only = tmp_path / "only" / "labels"
    only.mkdir(parents=True)
    shutil.copy(mask, only)
    found = understand_cohort([tmp_path / "only"], name="x")
    assert found.card.n_rows == 1
    assert any("taken all the same" in note for note in found.findings)


def test_that_mixed_grids_are_allowed_and_said(tmp_path: Path) -> None:
    head(tmp_path / "a.nii.gz", 1)
    head(tmp_path / "b.nii.gz", 2)
    head(tmp_path / "c.nii.gz", 3, shape=(9, 9, 9))
    cohort = understand_cohort([tmp_path], name="x")
    assert cohort.card.extra["shape"] is None
    assert [grid["count"] for grid in cohort.card.extra["grids"]] == [2, 1]
    assert any("different grids (8 x 9 x 10 voxels in 2 of 3)" in note for note in cohort.card.notes)
    volumes = opened(cohort)
    assert volumes.volume(2).raw.shape == (9, 9, 9)
    with pytest.raises(DataError, match="Resample them to a template first"):
        volumes.batch([0, 2])
    shifted = GRID.copy()
    shifted[0, 3] = 5
    head(tmp_path / "c.nii.gz", 3, affine=shifted)
    cohort = understand_cohort([tmp_path], name="x")
    assert cohort.card.extra["shape"] == [8, 9, 10]
    assert cohort.card.extra["affine"] is None
    assert any("at 2 different places" in note for note in cohort.card.notes)


def test_that_notes_of_headers_and_voxels_name_their_volumes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2), ("copy of a", 1)):
        head(tmp_path / f"{name}.nii.gz", seed)
    data = np.ones((8, 9, 10), np.float32)
    data[0, 0, :7] = np.nan
    data[1] = 3
    nib.save(nib.Nifti1Image(data, GRID), tmp_path / "nan.nii.gz")
    nib.save(nib.Nifti1Image(np.full((8, 9, 10), 3, np.uint8), GRID), tmp_path / "flat.nii.gz")
    turned = GRID.copy()
    turned[1:3, 1:3] = 3 * np.array([[0.94, -0.342], [0.342, 0.94]])
    head(tmp_path / "tilted.nii.gz", 5, affine=turned)
    cohort = understand_cohort([tmp_path], name="x")
    said = " ".join(cohort.card.notes)
    assert "nan: 7 NaN voxels" in said
    assert "flat: Every voxel is 3" in said
    assert "a, copy_of_a seem to hold the same voxels" in said
    assert "1 of 6 volumes are oblique, by up to 20 degrees" in said
    assert "Every volume counts as a subject of its own" in said
    assert any("7 NaN" in note for note in opened(cohort).volume(cohort.card.extra["names"].index("nan")).notes)


def test_that_targets_without_contrast_or_with_gaps_are_said(tmp_path: Path) -> None:
    bids(tmp_path, labels=False)
    frame = pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02}" for k in range(1, 7)],
            "one": ["AD"] * 6,
            "gaps": ["a", "b", None, "a", None, "b"],
            "empty": [None] * 6,
            "code": [1.0, 2.0, 1.0, None, 2.0, 2.0],
            "age": [61.5, 62.1, 63, 64, 65, 66],
        }
    )
    frame.to_csv(tmp_path / "participants.tsv", sep="\t", index=False, na_rep="n/a")
    cohort = understand_cohort([tmp_path], name="x", target="gaps")
    assert cohort.card.class_counts == {"a": 2, "b": 2}
    assert any("Without a label in 'gaps': 2 volumes (sub-03, sub-05)" in note for note in cohort.card.notes)
    np.testing.assert_array_equal(opened(cohort).labels(), [0, 1, -1, 0, -1, 1])
    coded = with_target(cohort.card, cohort.table, "code")
    assert coded.class_counts == {"1": 2, "2": 3}
    assert not any("'gaps'" in note for note in coded.notes)
    assert with_target(coded, cohort.table, None).class_counts == {}
    for column, said in (
        ("one", r"one class in 'one' \(AD\)"),
        ("empty", "is empty for all volumes"),
        ("participant_id", "names them rather than their classes"),
        ("gap", r"no column 'gap'\. Did you mean 'gaps'"),
    ):
        with pytest.raises(DataError, match=said):
            with_target(cohort.card, cohort.table, column)
    assert cohort.card.extra["candidates"]["target"] == ["gaps", "code"]


def test_that_a_target_needs_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no participants' table"):
        understand_cohort([bids(tmp_path, 2, labels=False)], name="x", target="diagnosis")
    table = tmp_path / "t.csv"
    table.write_text("who,group\nq,1\nr,2\n")
    with pytest.raises(DataError, match="names the volumes or their subjects"):
        understand_cohort([tmp_path], name="x", participants=table)


def test_that_folders_name_subjects_where_all_files_are_called_alike(tmp_path: Path) -> None:
    for number, who in enumerate(("OAS1", "OAS2")):
        head(tmp_path / who / "T1.nii", number)
    card = understand_cohort([tmp_path], name="x").card
    assert card.extra["names"] == ["OAS1_T1", "OAS2_T1"]
    assert card.extra["subjects"] == ["OAS1", "OAS2"]


def test_that_pairs_are_one_volume_of_two_files(tmp_path: Path) -> None:
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nib.save(nib.Nifti1Pair(data, np.eye(4)), tmp_path / "a.img")
    nib.save(nib.Nifti1Pair(data + 1, np.eye(4)), tmp_path / "b.img")
    cohort = understand_cohort([tmp_path], name="x")
    assert [path.name for path in cohort.files] == ["a.hdr", "a.img", "b.hdr", "b.img"]
    assert [entry["files"] for entry in cohort.card.reading["volumes"]] == [[0, 1], [2, 3]]
    np.testing.assert_array_equal(opened(cohort).volume(1).values(), data + 1)
    assert understand_cohort([tmp_path / "a.img", tmp_path / "a.hdr"], name="x").card.n_rows == 1


def test_that_moved_changed_and_exchanged_files_are_refused(tmp_path: Path) -> None:
    cohort = understand_cohort([bids(tmp_path)], name="study", target="diagnosis")
    references = [fingerprint(path) for path in cohort.files]
    source = SimpleNamespace(card=cohort.card, files=references)
    volumes = open_volumes(source)
    other = head(tmp_path / "other.nii.gz", 1, affine=np.eye(4))
    shutil.copy(other, cohort.files[0])
    with pytest.raises(DataError, match="has changed since"):
        volumes.volume(0)
    cohort.files[1].unlink()
    with pytest.raises(DataError, match=r"sub-02_T1w\.nii\.gz of 'study' can't be found"):
        open_volumes(source)
    with pytest.raises(DataError, match=r"can't be found|There is no file"):
        volumes.volume(1)


def test_that_several_kinds_of_images_are_said_and_classes_are_in_natural_order(tmp_path: Path) -> None:
    for number in range(1, 4):
        for seed, tissue in enumerate(("graymatter", "whitematter")):
            name = f"sub-{number}_ses-M00_T1w_segm-{tissue}_space-Ixi549Space_modulated-on_probability.nii.gz"
            head(tmp_path / f"sub-{number}" / "ses-M00" / "t1" / "spm" / name, 10 * number + seed)
    rows = [
        "participant_id\tsession_id\tstage\tage",
        "sub-1\tses-M00\t10\t1",
        "sub-2\tses-M00\t2\t2",
        "sub-3\tses-M00\t9\t3",
    ]
    (tmp_path / "t.tsv").write_text("\n".join(rows) + "\n")
    cohort = understand_cohort([tmp_path], name="caps", target="stage")
    assert cohort.card.n_rows == 6
    assert cohort.card.extra["subjects"] == [f"sub-{k}" for k in (1, 1, 2, 2, 3, 3)]
    assert list(cohort.card.class_counts.items()) == [("2", 2), ("9", 2), ("10", 2)]
    assert any("of several kinds: 3 T1w_segm-graymatter" in note for note in cohort.card.notes)
    np.testing.assert_array_equal(opened(cohort).labels(), [2, 2, 0, 0, 1, 1])


@pytest.mark.skipif(os.name == "nt", reason="names are always text there")
def test_that_a_name_that_is_no_text_is_left_out_and_the_card_can_be_written(tmp_path: Path) -> None:
    head(tmp_path / "a.nii.gz", 1)
    for name in (b"/b\xff.nii.gz", b"/c\xff_mask.nii.gz"):
        shutil.copy(tmp_path / "a.nii.gz", os.fsdecode(os.fsencode(tmp_path) + name))
    cohort = understand_cohort([tmp_path], name="x")
    assert cohort.card.extra["names"] == ["a"]
    assert any("Rename the file" in sentence for sentence in cohort.findings)
    cohort.card.model_dump_json().encode("utf-8")
    "".join(cohort.findings).encode("utf-8")


def test_that_a_closed_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head(tmp_path / "a.nii.gz", 1)
    walk = os.walk

    def refusing(root: Path, onerror: Any) -> Any:
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "closed")))
        return walk(root)

    monkeypatch.setattr(os, "walk", refusing)
    cohort = understand_cohort([tmp_path], name="x")
    assert any("closed can't be read (Permission denied)" in sentence for sentence in cohort.findings)

    def closed(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", closed)
    with pytest.raises(DataError, match="no permission"):
        understand_cohort([tmp_path], name="x")


def test_that_a_stop_ends_the_work(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.3:
            raise Stop

    with pytest.raises(Stop):
        understand_cohort([bids(tmp_path)], name="x", on_progress=stop)


def test_that_a_table_beside_the_volumes_that_is_no_good_is_named_where_the_target_is_missed(tmp_path: Path) -> None:
    bids(tmp_path, labels=False)
    (tmp_path / "participants.tsv").write_text("participant_id\tdiagnosis\npat-1\tAD\npat-2\tCN\n")
    with pytest.raises(DataError, match=r"no table with a column 'diagnosis'. participants.tsv beside.*No column of"):
        understand_cohort([tmp_path], name="x", target="diagnosis")
    cohort = understand_cohort([tmp_path], name="x")
    assert any("participants.tsv beside the volumes was not used" in note for note in cohort.card.notes)


def test_that_real_cohorts_are_understood(shared_data: Path) -> None:
    mri = shared_data / "mri"
    heads = understand_cohort([mri / "ixi_t1_2mm"], name="T1", target="Sex")
    assert heads.card.class_counts == {"F": 25, "M": 15}
    assert (heads.card.extra["orientation"], heads.card.extra["shape"]) == ("PSR", [120, 120, 90])
    assert heads.card.extra["affine"] is None
    assert heads.card.extra["subjects"][0] == "IXI132-HH-1415"
    maps = understand_cohort([mri / "ixi_gm_mni_3mm"], name="GM", target="Sex")
    assert len(maps.card.extra["grids"]) == 1
    assert maps.card.extra["space"] == "mni"
    assert opened(maps).batch([0, 39]).max() <= 1
    crops = understand_cohort([mri / "msd_hippocampus"], name="crops")
    assert crops.card.n_rows == 130
    assert len(crops.label_images) == 130
    assert crops.card.extra["shape"] is None
    assert opened(crops).table["x"].iloc[0] == opened(crops).volume(0).raw.shape[0]
