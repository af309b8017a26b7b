"""Atlases from files: label volumes of several formats, the names beside them, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sensiview.datasets.atlas import bundled_atlases, bundled_names, find_atlas, open_atlas
from sensiview.errors import DataError, UserError

AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


def labels(dtype: type = np.int16) -> np.ndarray:
    """Return three blocks of labels 1, 2 and 5 on 6 x 5 x 4 voxels."""
    found = np.zeros((6, 5, 4), dtype=dtype)
    found[0], found[1, 2:], found[4:] = 1, 2, 5
    return found


def save(path: Path, values: np.ndarray, *, slope: float | None = None) -> Path:
    """Write values as NIfTI (or what the ending says) and return the path."""
    import nibabel

    if path.name.endswith((".mgz", ".mgh")):
        nibabel.save(nibabel.MGHImage(values, AFFINE), path)
        return path
    image = nibabel.Nifti1Image(values, AFFINE)
    if slope is not None:
        image.header.set_slope_inter(slope, 0)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    ("volume", "beside"),
    [
        ("a.nii.gz", "a.tsv"),
        ("a.nii.gz", "a.nii.txt"),
        ("a.nii.gz", "a.nii.gz.txt"),
        ("a.nii", "A.CSV"),
        ("a.mgz", "a.lut"),
        ("a.img", "a.label"),
        ("atlas-X_dseg.nii.gz", "atlas-X_dseg.tsv"),
        ("tpl-M_res-02_atlas-X_dseg.nii.gz", "tpl-M_atlas-X_dseg.tsv"),
    ],
)
def test_that_names_beside_the_volume_are_found(tmp_path: Path, volume: str, beside: str) -> None:
    save(tmp_path / volume, labels(np.int32 if volume.endswith("mgz") else np.int16))
    rows = ["1 Left box", "2 Right box", "5 Wall"]
    table = ["index\tname", *[row.replace(" ", "\t", 1) for row in rows]]
    text = "\n".join(table if "sv" in beside.lower() else rows)
    (tmp_path / beside).write_text(text)
    atlas = open_atlas(tmp_path / volume)
    assert atlas.names == {1: "Left box", 2: "Right box", 5: "Wall"}
    assert atlas.labels.dtype == np.int32
    np.testing.assert_array_equal(atlas.labels, labels())
    np.testing.assert_allclose(atlas.affine, AFFINE)
    assert atlas.name == volume.split(".")[0]
    assert atlas.source == str(tmp_path / volume)


def test_that_the_xml_of_fsl_is_found_in_the_folder_above(tmp_path: Path) -> None:
    (tmp_path / "Toy").mkdir()
    volume = save(tmp_path / "Toy" / "Toy-maxprob-thr25-2mm.nii.gz", np.minimum(labels(), 3))
    (tmp_path / "Other.xml").write_text("<atlas><data><label index='0'>No</label></data></atlas>")
    (tmp_path / "Toy.xml").write_text(
        "<atlas><header><type>Probabilistic</type><images><summaryimagefile>/Toy/Toy-maxprob-thr25-2mm"
        "</summaryimagefile></images></header><data><label index='0'>A</label><label index='1'>B</label>"
        "<label index='2'>C</label></data></atlas>"
    )
    assert open_atlas(volume).names == {1: "A", 2: "B", 3: "C"}


def test_that_the_first_list_that_fits_is_taken_and_the_others_are_told(tmp_path: Path) -> None:
    volume = save(tmp_path / "a.nii.gz", labels())
    (tmp_path / "a.tsv").write_text("index\tname\n100\tX\n101\tY\n")
    (tmp_path / "a.txt").write_text("1 A\n2 B\n5 C\n")
    (tmp_path / "a.csv").write_text("")
    atlas = open_atlas(volume)
    assert atlas.names == {1: "A", 2: "B", 5: "C"}
    assert any("'a.tsv' are of labels 100 to 101" in said for said in atlas.findings)
    assert any("'a.csv' holds no names" in said for said in atlas.findings)


def test_that_labels_without_names_and_names_without_voxels_are_findings(tmp_path: Path) -> None:
    volume = save(tmp_path / "a.nii.gz", labels())
    (tmp_path / "list.txt").write_text("0 Background\n1 A\n2 A\n7 Lost\n8 Gone\n")
    atlas = open_atlas(volume, tmp_path / "list.txt")
    assert atlas.names == {1: "A (1)", 2: "A (2)", 5: "region 5"}
    said = " ".join(atlas.findings)
    assert "1 label has no name: 5." in said
    assert "2 names have no voxels: Lost (7), Gone (8)." in said
    assert "the same name, so their numbers are written behind it: A." in said


def test_that_an_atlas_without_any_names_is_called_by_numbers(tmp_path: Path) -> None:
    atlas = open_atlas(save(tmp_path / "a.nii.gz", labels() * 1000))
    assert atlas.names == {1000: "region 1000", 2000: "region 2000", 5000: "region 5000"}
    assert any("called by their numbers" in said for said in atlas.findings)


def test_that_names_given_must_belong_to_the_atlas(tmp_path: Path) -> None:
    volume = save(tmp_path / "a.nii.gz", labels())
    (tmp_path / "other.txt").write_text("100 A\n101 B\n")
    with pytest.raises(DataError, match=r"labels 100 to 101, the labels of 'a.nii.gz' are 1 to 5"):
        open_atlas(volume, tmp_path / "other.txt")
    with pytest.raises(DataError, match="can't be read"):
        open_atlas(volume, tmp_path / "none.txt")


def test_that_whole_numbers_stored_as_floats_are_labels(tmp_path: Path) -> None:
    np.testing.assert_array_equal(open_atlas(save(tmp_path / "a.nii.gz", labels(np.float32))).labels, labels())
    # A scale factor is stored in float32: 10 * 0.1 is not quite 1.
    np.testing.assert_array_equal(open_atlas(save(tmp_path / "b.nii.gz", labels() * 10, slope=0.1)).labels, labels())
    assert open_atlas(save(tmp_path / "c.nii.gz", labels()[..., None])).labels.shape == (6, 5, 4)


def test_that_missing_voxels_are_no_region(tmp_path: Path) -> None:
    values = labels(np.float32)
    values[3, 3] = np.nan
    atlas = open_atlas(save(tmp_path / "a.nii.gz", values))
    np.testing.assert_array_equal(atlas.labels, labels())
    assert any("4 voxels are not numbers" in said for said in atlas.findings)


def test_that_large_and_negative_labels_are_kept(tmp_path: Path) -> None:
    values = labels(np.int32)
    values[values == 5], values[values == 2] = 614_454_277, -3
    assert list(open_atlas(save(tmp_path / "a.nii.gz", values)).names) == [-3, 1, 614_454_277]


def bad(kind: str) -> np.ndarray:
    """Return voxels that are no labels."""
    random = np.random.default_rng(1)
    return {
        "interpolated": np.where(labels() == 2, 1.37, labels()).astype(np.float32),
        "probability": random.random((6, 5, 4)).astype(np.float32),
        "series": random.random((6, 5, 4, 48)).astype(np.float32),
        "picture": random.integers(0, 255, (20, 20, 20)).astype(np.int16),
        "empty": np.zeros((6, 5, 4), dtype=np.int16),
        "flat": np.ones((6, 5), dtype=np.int16),
        "beyond": np.full((6, 5, 4), 2.0**40),
        "colours": np.ones((6, 5, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("interpolated", r"between whole numbers \(1.37, in .* % of its voxels"),
        ("probability", "a probability map with values between 0 and 1"),
        ("series", "a probabilistic atlas with 48 maps"),
        ("picture", "looks like a picture, not an atlas: 25. different values"),
        ("empty", "no labelled voxel"),
        ("flat", "2 dimensions"),
        ("beyond", "labels beyond 2,147,483,647"),
        ("colours", "holds colours or complex numbers"),
    ],
)
def test_that_volumes_that_are_no_labels_are_refused_with_the_reason(tmp_path: Path, kind: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        open_atlas(save(tmp_path / "a.nii.gz", bad(kind)))


def test_that_damaged_and_other_files_are_refused_in_words(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", np.kron(labels(), np.ones((20, 20, 20), dtype=np.int16))).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "no.nii").write_bytes(b"no volume at all")
    (tmp_path / "names.tsv").write_text("index\tname\n1\tA\n")
    (tmp_path / "spoilt.nii.gz").write_bytes(whole[:300] + b"\xff" * 200 + whole[500:])
    (tmp_path / "folder.nii").mkdir()
    for name in ("cut.nii.gz", "no.nii", "names.tsv", "spoilt.nii.gz", "folder.nii"):
        with pytest.raises(DataError, match=rf"'{name}' (can't be read|is not a volume)"):
            open_atlas(tmp_path / name)
    with pytest.raises(DataError, match="There is no atlas"):
        open_atlas(tmp_path / "none.nii.gz")
    import nibabel

    singular = nibabel.Nifti1Image(labels(), None)
    singular.header["sform_code"], singular.header["srow_x"] = 1, [0, 0, 0, 0]
    nibabel.save(singular, tmp_path / "singular.nii")
    with pytest.raises(DataError, match="does not say where its voxels lie"):
        open_atlas(tmp_path / "singular.nii")


def test_that_the_bundled_atlas_opens_and_its_licence_lies_beside_it() -> None:
    files = bundled_atlases()
    assert list(files) == ["desikan_killiany"]
    atlas = find_atlas("Desikan-Killiany")
    assert len(atlas.names) == 83
    assert atlas.names[40] == "Hippocampus L"
    assert atlas.space == "mni"
    assert atlas is find_atlas("bundled:desikan_killiany")
    assert bundled_names(" desikan_killiany") == atlas.names
    assert bundled_names("aal") == {}
    assert atlas.findings == ("Names from 'desikan_killiany.tsv' (column 'index').",)
    with pytest.raises(ValueError, match="read-only"):
        atlas.labels[0, 0, 0] = 1
    licence = files["desikan_killiany"].with_name("LICENCE-desikan_killiany.txt").read_text()
    assert "BSD 3-Clause" in licence
    assert "Desikan" in licence
    # Left lies at negative x in RAS millimetres.
    for name, sign in (("Hippocampus L", -1), ("Hippocampus R", 1)):
        label = next(i for i, known in atlas.names.items() if known == name)
        centre = atlas.affine[:3, :3] @ np.argwhere(atlas.labels == label).mean(axis=0) + atlas.affine[:3, 3]
        assert centre[0] * sign > 15


def test_that_an_atlas_is_found_by_name_or_path_and_a_wrong_name_gets_a_suggestion(tmp_path: Path) -> None:
    volume = save(tmp_path / "mine.nii.gz", labels())
    assert find_atlas(str(volume)).name == "mine"
    with pytest.raises(UserError, match="Did you mean 'desikan_killiany'"):
        find_atlas("desikan_kiliany")
    with pytest.raises(UserError, match="Say which atlas"):
        find_atlas(" ")


def test_that_atlases_of_the_field_open_as_they_are_downloaded(shared_data: Path) -> None:
    folder = shared_data / "atlas"
    aal2 = open_atlas(folder / "atlas-AAL2_dseg.nii.gz")
    assert (len(aal2.names), aal2.names[4101], aal2.labels.shape) == (120, "Hippocampus_L", (121, 145, 121))
    aal = open_atlas(folder / "mricron_aal.nii.gz")
    assert (len(aal.names), aal.names[1], aal.names[116], aal.space) == (116, "Precentral_L", "Vermis_10", "mni")
    aicha = open_atlas(folder / "atlas-AICHA_dseg.nii.gz")
    assert (len(aicha.names), aicha.names[384]) == (384, "N_Thalamus-9-R")
    for atlas in (aal, aal2, aicha):
        assert len(atlas.findings) == 1


def test_that_a_segmentation_with_a_list_of_codes_has_their_names(shared_data: Path) -> None:
    volume = sorted((shared_data / "mri" / "ixi_dlmuse_2mm").glob("*.nii.gz"))[0]
    atlas = open_atlas(volume, shared_data / "mri" / "muse_roi_names.csv")
    assert atlas.names[48] == "Hippocampus_L"
    assert atlas.names[1] == "region 1"
    assert any("no name: 1, 46, 69" in said for said in atlas.findings)


@pytest.mark.parametrize(
    "place", ["mri/brainchop_t1_1mm.nii.gz", "mri/ixi_t1_2mm", "mri/ixi_gm_mni_3mm", "mri/msd_hippocampus/images"]
)
def test_that_real_pictures_are_not_taken_for_atlases(shared_data: Path, place: str) -> None:
    path = shared_data / place
    file = path if path.is_file() else sorted(path.glob("*.nii.gz"))[0]
    with pytest.raises(DataError, match=r"picture|probability map"):
        open_atlas(file)


def test_that_strange_file_names_make_no_difference(tmp_path: Path) -> None:
    folder = tmp_path / "Mäße & [atlas] (1)"
    folder.mkdir()
    save(folder / "ä b.c.nii.gz", labels())
    (folder / "ä b.c.txt").write_text("1 A\n2 B\n5 C\n", encoding="utf-8")
    assert open_atlas(folder / "ä b.c.nii.gz").names == {1: "A", 2: "B", 5: "C"}
    shutil.copy(folder / "ä b.c.nii.gz", folder / "UPPER.NII.GZ")
    assert open_atlas(folder / "UPPER.NII.GZ").name == "UPPER"


def test_that_a_segmentation_of_freesurfer_is_named_by_its_installed_colour_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = save(tmp_path / "aseg.mgz", np.where(labels() == 5, 17, 0).astype(np.int32))
    home = tmp_path / "freesurfer"
    home.mkdir()
    lines = [f"{i} Part-{i} 1 2 3 0" for i in range(40)]
    lines[17] = "17  Left-Hippocampus   220 216 20  0"
    (home / "FreeSurferColorLUT.txt").write_text("\n".join(lines))
    assert open_atlas(volume).names == {17: "region 17"}
    monkeypatch.setenv("FREESURFER_HOME", str(home))
    atlas = open_atlas(volume)
    assert atlas.names == {17: "Left-Hippocampus"}
    assert any("38 further names of this general list" in said for said in atlas.findings)
