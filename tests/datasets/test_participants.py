"""Rows of a table find their files, by BIDS and CAPS names and by any other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sensiview.datasets.file_entities import entities, looks_like_labels, short_names
from sensiview.datasets.participants import find_participants, match_rows, read_participants
from sensiview.errors import DataError


def paths(*names: str) -> list[Path]:
    return [Path("/data") / name for name in names]


def rows(frame: pd.DataFrame, *names: str) -> tuple[int | None, ...]:
    found = match_rows(frame, paths(*names))
    assert found is not None
    return found.rows


def test_that_entities_of_bids_and_caps_names_are_found() -> None:
    caps = Path("sub-ADNI002S0295_ses-M00_T1w_segm-graymatter_space-Ixi549Space_modulated-on_probability.nii.gz")
    assert entities(caps)["sub"] == "ADNI002S0295"
    assert entities(caps)["ses"] == "M00"
    assert entities(caps)["suffix"] == "probability"
    assert entities(Path("/d/sub-01/ses-2/anat/T1.nii")) == {"sub": "01", "ses": "2"}
    assert entities(Path("brain.nii")) == {}


def test_that_segmentations_are_told_from_tissue_maps() -> None:
    for name in ("sub-01_dseg.nii.gz", "a_brain_mask.nii", "labels/a.nii", "IXI1_T1_DLMUSE.nii.gz", "x-seg.nii"):
        assert looks_like_labels(Path("/r") / name, Path("/r"))
    caps = "sub-1_T1w_segm-graymatter_dseg.nii.gz"
    for name in (caps, "sub-01_label-GM_probseg.nii.gz", "unmasked.nii", "segmentally.nii", "a.nii"):
        assert not looks_like_labels(Path("/r") / name, Path("/r"))
    assert not looks_like_labels(Path("/r/labels/a.nii"), Path("/r/labels"))


def test_that_bids_names_find_their_rows() -> None:
    frame = pd.DataFrame({"participant_id": ["sub-02", "sub-01", "sub-10"], "age": [1, 2, 3]})
    assert rows(frame, "sub-01_T1w.nii.gz", "sub-10/anat/T1.nii", "sub-02_ses-1_T1w.nii.gz") == (1, 2, 0)
    bare = pd.DataFrame({"participant_id": ["02", "01"], "age": [1, 2]})
    assert rows(bare, "sub-01_T1w.nii.gz", "sub-02_T1w.nii.gz") == (1, 0)
    numbers = pd.DataFrame({"subject": [2, 1], "age": [1, 2]})
    assert rows(numbers, "sub-001_T1w.nii.gz", "sub-002_T1w.nii.gz") == (1, 0)


def test_that_sessions_tell_rows_of_a_subject_apart() -> None:
    frame = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-1", "sub-2", "sub-2"],
            "session_id": ["ses-M000", "ses-M012", "ses-M000", "ses-M012"],
            "diagnosis": ["CN", "MCI", "CN", "AD"],
        }
    )
    found = match_rows(frame, paths("sub-1_ses-M12_T1w.nii.gz", "sub-2_ses-M00_T1w.nii.gz", "sub-2_ses-M24_T1w.nii"))
    assert found is not None
    assert found.rows == (1, 2, None)
    assert found.session_column == "session_id"
    assert any("sub-2_ses-M24_T1w" in sentence for sentence in found.findings)


def test_that_any_column_that_names_files_will_do() -> None:
    frame = pd.DataFrame({"x": [35, 34], "file": ["images/h_034.nii.gz", "h_035.nii.gz"], "y": [0.5, 1.5]})
    assert rows(frame, "h_035.nii.gz", "h_034.nii.gz") == (1, 0)
    stems = pd.DataFrame({"scan": ["H_035", "h_034"], "y": [1, 2]})
    assert rows(stems, "h_034.nii.gz", "h_035.img") == (1, 0)
    parts = pd.DataFrame({"MRID": ["IXI132-HH-1415", "IXI13-HH-1"], "Sex": ["M", "F"]})
    assert rows(parts, "IXI132-HH-1415_T1.nii.gz", "IXI13-HH-1_gm.nii.gz") == (0, 1)
    folders = pd.DataFrame({"id": ["OAS_1", "OAS_2"], "age": [1, 2]})
    assert rows(folders, "OAS_2/T1.nii", "OAS_1/T1.nii") == (1, 0)


def test_that_no_column_or_a_column_of_measurements_names_nothing() -> None:
    assert match_rows(pd.DataFrame({"age": [1.5, 2.5], "sex": ["a", "b"]}), paths("t1.nii", "t2.nii")) is None
    frame = pd.DataFrame({"sex": ["m"] * 9 + ["f"], "n": range(100, 110)})
    assert match_rows(frame, paths("s1_m.nii", "s2_f.nii")) is None


def test_that_missing_surplus_and_contradicting_rows_are_said() -> None:
    frame = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-2", "sub-2", "sub-3", "sub-3", "sub-9"],
            "diagnosis": ["a", "a", "b", "b", "b", "a"],
        }
    )
    found = match_rows(frame, paths("sub-1.nii", "sub-2.nii", "sub-3.nii", "sub-4.nii"))
    assert found is not None
    assert found.rows == (0, None, 3, None)
    said = " ".join(found.findings)
    assert "1 volume has no row in the participants' table, so no label: sub-4." in said
    assert "1 volume has several rows that differ, so no label: sub-2." in said
    assert "1 row of the participants' table has no volume: sub-9." in said
    assert "occur twice are used once" in said


def test_that_identifiers_stay_text_and_odd_cells_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tage\tdiagnosis\n001\t70\tAD\n002\tn/a\tCN\n003\t89+\tn/a\n", encoding="utf-8")
    found = read_participants(path)
    assert list(found.frame["participant_id"]) == ["001", "002", "003"]
    assert found.frame["age"].isna().tolist() == [False, True, True]
    assert any("89+" in note for note in found.notes)
    again = read_participants(path, found.options)
    pd.testing.assert_frame_equal(again.frame, found.frame)


def test_that_the_table_beside_the_volumes_is_found(tmp_path: Path) -> None:
    files = []
    for number in (1, 2):
        files.append(tmp_path / f"sub-{number}" / "anat" / f"sub-{number}_T1w.nii.gz")
        files[-1].parent.mkdir(parents=True)
        files[-1].touch()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "broken.tsv").write_bytes(bytes(100))
    assert find_participants(files, [tmp_path]) is None
    (tmp_path / "participants.tsv").write_text("participant_id\tgroup\nsub-1\ta\nsub-2\tb\n")
    found = find_participants(files, [tmp_path])
    assert found is not None
    assert found[0].path == tmp_path / "participants.tsv"
    assert found[1].rows == (0, 1)


def test_that_it_is_said_why_a_participants_table_was_passed_over(tmp_path: Path) -> None:
    files = [tmp_path / f"sub-{k:02}_T1w.nii.gz" for k in range(1, 7)]
    table = tmp_path / "participants.tsv"
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for content, said in (
        ("participant_id\tdiagnosis\npat-1\tAD\npat-2\tCN\n", "No column of"),
        ("participant_id\tdiagnosis\nsub-01\tAD\nsub-99\tCN\n", "names only 1 of 6 volumes"),
        ("", "empty"),
    ):
        table.write_text(content)
        why: list[str] = []
        assert find_participants(files, [tmp_path], why) is None
        assert len(why) == 1  # other tables may be of anything
        assert why[0].startswith("participants.tsv beside the volumes was not used: ")
        assert said in why[0]
    table.write_text("participant_id\tdiagnosis\n" + "".join(f"sub-{k:02}\tAD\n" for k in range(1, 7)))
    why = []
    assert find_participants(files, [tmp_path], why) is not None
    assert why == []


def test_that_a_table_of_one_column_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\nsub-1\nsub-2\n")
    with pytest.raises(DataError, match="only one column"):
        read_participants(path)


def test_that_names_are_short_and_unique() -> None:
    assert short_names(paths("sub-1_ses-A_T1w.nii.gz", "sub-2_ses-A_T1w.nii.gz")) == ["sub-1_ses-A", "sub-2_ses-A"]
    assert short_names(paths("sub-1_T1w.nii", "sub-1_T2w.nii")) == ["sub-1_T1w", "sub-1_T2w"]
    assert short_names(paths("a/T1.nii", "b/T1.nii")) == ["a_T1", "b_T1"]
    assert short_names(paths("my, head.nii", "ü.nii.gz")) == ["my_head", "ü"]
    assert len(set(short_names(paths("a/T1.nii", "a/T1.nii.gz")))) == 2


def test_that_real_tables_match_real_files(shared_data: Path) -> None:
    mri = shared_data / "mri"
    for folder, table, count in (
        ("ixi_t1_2mm", "ixi_participants.csv", 40),
        ("ixi_gm_mni_3mm", "ixi_participants.csv", 40),
        ("msd_hippocampus/images", "volumes.csv", 130),
    ):
        files = sorted((mri / folder).glob("*.nii.gz"))
        found = find_participants(files, [mri / folder])
        assert found is not None
        assert found[0].path.name == table
        assert found[1].matched == count
        assert found[1].findings == ()
