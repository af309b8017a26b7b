"""Atlases on other grids: nearest neighbours against nilearn, lost regions, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sensiview.datasets.atlas import Atlas, atlas_fit, atlas_for, atlas_on, find_atlas, open_atlas, place_atlas
from sensiview.datasets.atlas_nearest import nearest
from sensiview.datasets.atlas_space import likeness_to_mni, looks_native, looks_oblique, of_mni
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid
from sensiview.errors import DataError, UserError


def rotated(degrees: float, axis: int = 2) -> np.ndarray:
    """Return a (4, 4) rotation about an axis."""
    matrix = np.eye(4)
    a, b = [i for i in range(3) if i != axis]
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


def toy() -> Atlas:
    """Return an atlas without symmetry on 20 x 24 x 18 voxels of 2 x 1.5 x 3 mm, stored LAS."""
    random = np.random.default_rng(1)
    blocks = random.integers(0, 9, (5, 6, 6)).astype(np.int32)
    labels = np.kron(blocks, np.ones((4, 4, 3), dtype=np.int32))
    affine = np.array([[-2.0, 0, 0, 20], [0, 1.5, 0, -18], [0, 0, 3, -25], [0, 0, 0, 1]])
    return Atlas(labels, affine, {i: f"region {i}" for i in range(1, 9)}, "toy")


def grid_of(shape: tuple[int, int, int], rows: list[list[float]]) -> Grid:
    """Return a grid from the upper three rows of its affine."""
    return Grid(shape, np.array([*rows, [0, 0, 0, 1]], dtype=np.float64))


STRAIGHT = grid_of((25, 28, 26), [[2.1, 0, 0, -23.3], [0, 1.7, 0, -19.1], [0, 0, 2.3, -28.7]])
GRIDS = {
    "finer": grid_of((41, 37, 54), [[1.03, 0, 0, -20.1], [0, 1.01, 0, -18.3], [0, 0, 1.02, -26.13]]),
    "swapped and flipped": grid_of((30, 23, 19), [[0, -1.71, 0, 19.4], [0, 0, 1.93, -17.7], [-1.81, 0, 0, 28.3]]),
    "larger": grid_of((30, 30, 30), [[2.9, 0, 0, -44.3], [0, 2.7, 0, -41.2], [0, 0, 3.1, -51.7]]),
    "oblique": Grid(STRAIGHT.shape, rotated(20) @ rotated(7, 0) @ STRAIGHT.affine),
}


@pytest.mark.parametrize("name", GRIDS)
def test_that_labels_on_another_grid_equal_nilearn(name: str) -> None:
    import nibabel
    from nilearn.image import resample_img

    atlas, grid = toy(), GRIDS[name]
    image = nibabel.Nifti1Image(atlas.labels, atlas.affine)
    reference = resample_img(
        image, grid.affine, grid.shape, interpolation="nearest", copy_header=True, force_resample=True
    )
    # scipy takes voxels up to the centre of the last one; ours reach its outer face, as they should.
    expected = np.asarray(reference.dataobj)
    ours = atlas_on(atlas, grid)
    assert ours.dtype == np.int32
    assert ours.shape == grid.shape
    places = np.indices(grid.shape).reshape(3, -1)
    matrix = np.linalg.inv(atlas.affine) @ grid.affine
    found = matrix[:3, :3] @ places + matrix[:3, 3:]
    last = np.array(atlas.labels.shape)[:, None] - 1
    well_inside = ((found >= 0) & (found <= last)).all(axis=0).reshape(grid.shape)
    assert well_inside.sum() > 1000
    np.testing.assert_array_equal(ours[well_inside], expected[well_inside])
    beyond = ((found < -0.5) | (found > last + 0.5)).any(axis=0).reshape(grid.shape)
    assert not ours[beyond].any()


@pytest.mark.parametrize("name", GRIDS)
def test_that_labels_on_another_grid_equal_map_coordinates(name: str) -> None:
    from scipy.ndimage import map_coordinates

    atlas, grid = toy(), GRIDS[name]
    matrix = np.linalg.inv(atlas.affine) @ grid.affine
    places = matrix[:3, :3] @ np.indices(grid.shape).reshape(3, -1) + matrix[:3, 3:]
    direct = map_coordinates(np.pad(atlas.labels, 1), places + 1, order=0, cval=0).reshape(grid.shape)
    np.testing.assert_array_equal(nearest(atlas.labels, matrix, grid.shape), direct)


def test_that_the_same_grid_gives_the_same_array() -> None:
    atlas = toy()
    assert atlas_on(atlas, Grid(atlas.labels.shape, atlas.affine + 1e-5)) is atlas.labels
    assert atlas_fit(atlas, atlas.grid).share_inside == 1


def test_that_a_voxel_half_way_between_two_falls_the_same_way_in_every_row() -> None:
    labels = np.arange(1, 9, dtype=np.int32)[:, None, None] * np.ones((8, 5, 5), dtype=np.int32)
    random = np.random.default_rng(2)
    # A millionth of a voxel of rounding, as float32 affines have it.
    for noise in random.normal(scale=1e-8, size=(5, 4, 4)):
        noise[3] = 0
        half = np.eye(4)
        half[0, 3] = 0.5
        found = nearest(labels, half + noise, (7, 5, 5))
        np.testing.assert_array_equal(found, labels[1:])


def test_that_every_orientation_of_a_grid_gives_the_same_label_at_the_same_place() -> None:
    from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

    atlas = toy()
    base = Grid((20, 20, 20), np.array([[1.9, 0, 0, -18.2], [0, 1.7, 0, -17.1], [0, 0, 2.4, -24.3], [0, 0, 0, 1]]))
    expected = atlas_on(atlas, base)
    for codes in ("LPS", "LAS", "PIR", "ASL", "SRA"):
        turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
        affine = base.affine @ inv_ornt_aff(turn, base.shape)
        from nibabel.orientations import apply_orientation

        found = atlas_on(atlas, Grid(base.shape, affine))
        np.testing.assert_array_equal(found, apply_orientation(expected, turn))


def test_that_regions_lost_on_a_coarse_grid_are_named() -> None:
    atlas = toy()
    atlas.labels[0, 0, 0] = 40
    atlas = replace(atlas, names={**atlas.names, 40: "Tiny"})
    said: list[str] = []
    coarse = grid_of((11, 11, 11), [[4.0, 0, 0, -20], [0, 4, 0, -20], [0, 0, 6, -27]])
    atlas_on(atlas, coarse, warn=said.append)
    assert said == ["1 region has no voxel on this grid of 4 x 4 x 6 mm: Tiny."]
    atlas_on(atlas, atlas.grid, warn=said.append)
    assert len(said) == 1


def test_that_an_atlas_far_away_or_mostly_outside_is_refused_with_the_reason() -> None:
    atlas = toy()
    away = np.eye(4)
    away[0, 3] = 500
    with pytest.raises(
        DataError, match=r"'toy' does not fit these data. The two don't overlap; their centres lie \d+ mm"
    ):
        atlas_on(atlas, Grid(atlas.labels.shape, away @ atlas.affine))
    away[0, 3] = 26
    with pytest.raises(DataError, match=r"Only [34]\d % of its regions lie inside the data's grid"):
        atlas_on(atlas, Grid(atlas.labels.shape, away @ atlas.affine))
    away[0, 3] = 8
    fit = atlas_fit(atlas, Grid(atlas.labels.shape, away @ atlas.affine))
    assert fit.ok
    assert fit.share_inside == pytest.approx(0.8, abs=0.03)
    assert any("lie outside the data's grid" in said for said in fit.warnings)


def test_that_regions_over_empty_data_are_refused() -> None:
    atlas = toy()
    grid = Grid((20, 20, 20), np.array([[2.0, 0, 0, -19], [0, 2, 0, -19], [0, 0, 3, -26], [0, 0, 0, 1]]))
    data = np.zeros(grid.shape)
    assert any("0 % of its regions lie where the data" in said for said in atlas_fit(atlas, grid, data).reasons)
    data[5:] = 1
    data[6, 3] = np.nan
    fit = atlas_fit(atlas, grid, data)
    labels, _ = place_atlas(atlas, grid)
    direct = np.mean(np.isfinite(data[labels > 0]) & (data[labels > 0] != 0))
    assert fit.share_on_data == pytest.approx(direct)
    assert any("look at it over the anatomy" in said for said in fit.warnings)
    empty = atlas_fit(atlas, atlas.grid, np.zeros(atlas.labels.shape))
    assert not empty.ok
    with pytest.raises(DataError, match="Give data of this grid"):
        atlas_fit(atlas, grid, data[1:])


def mni(shift: tuple[float, float, float] = (0, 0, 0), size: float = 2.0) -> Grid:
    """Return the usual MNI grid of FSL, moved."""
    affine = np.diag([-size, size, size, 1.0])
    affine[:3, 3] = np.array([90.0, -126.0, -72.0]) + shift
    return Grid((round(182 / size), round(218 / size), round(182 / size)), affine)


def test_that_spaces_are_told_by_code_and_extent() -> None:
    atlas = find_atlas("desikan_killiany")
    native = Grid((256, 256, 256), np.array([[-1.0, 0, 0, 128], [0, 0, 1, -133], [0, -1, 0, 134], [0, 0, 0, 1]]))
    tilted = Grid(mni().shape, rotated(20) @ mni().affine)
    assert of_mni(mni(), "")
    assert not of_mni(mni(), "talairach")
    assert not of_mni(native, "")
    assert looks_native(native)
    assert not looks_native(mni())
    assert looks_oblique(tilted)
    assert not looks_oblique(mni())
    assert atlas_fit(atlas, mni()).ok
    assert atlas_fit(atlas, native, space="mni").ok
    assert any("reaches far beyond" in said for said in atlas_fit(atlas, native).reasons)
    # Programs built on ITK write the scanner's code for MNI too: the grid decides.
    assert atlas_fit(atlas, mni(), space="scanner").ok
    moved = atlas_fit(atlas, mni((0, 0, -20)), space="scanner")
    assert any("the scanner's own space" in said for said in moved.reasons)
    assert atlas_fit(atlas, mni((0, 0, -20)), space="aligned").ok
    assert any("are the data?" in said for said in atlas_fit(atlas, tilted).warnings)
    own = replace(atlas, space="talairach")
    assert atlas_fit(own, native).ok


def test_that_the_data_tell_mni_where_the_grid_does_not() -> None:
    from nilearn.datasets import load_mni152_template
    from nilearn.image import resample_img

    atlas = find_atlas("desikan_killiany")
    cube = Grid((64, 64, 64), np.array([[4.0, 0, 0, -126], [0, 4, 0, -140], [0, 0, 4, -118], [0, 0, 0, 1]]))
    image = resample_img(
        load_mni152_template(resolution=4), cube.affine, cube.shape, copy_header=True, force_resample=True
    )
    data = np.asarray(image.dataobj)
    there = atlas_fit(atlas, cube, data)
    assert there.ok
    assert there.likeness is not None
    assert there.likeness > 0.9
    noise = np.random.default_rng(1).random(cube.shape)
    other = atlas_fit(atlas, cube, noise)
    assert not other.ok
    assert any("correlation with the MNI template is 0.0" in said for said in other.reasons)
    assert likeness_to_mni(np.ones(cube.shape), cube.affine) is None
    assert likeness_to_mni(noise[:3, :3, :1], cube.affine) is None


def test_that_a_choice_of_atlas_means_the_text_then_the_data_sets_own_then_the_bundled_one(tmp_path: Path) -> None:
    import nibabel

    small = Grid((12, 12, 12), np.eye(4))
    labels = np.ones(small.shape, dtype=np.int16)
    nibabel.save(nibabel.Nifti1Image(labels, small.affine), tmp_path / "own.nii.gz")
    (tmp_path / "words.txt").write_text("1 Box\n")
    files = {"file": str(tmp_path / "own.nii.gz"), "names": str(tmp_path / "words.txt")}
    own = DatasetCard(name="x", kind="volumes", extra={"atlas": files})
    assert atlas_for("", None, small) is None
    found = atlas_for("", own, small)
    assert found is not None
    assert found[0].names == {1: "Box"}
    assert found[2] == ()
    bundled = atlas_for("", None, mni())
    assert bundled is not None
    assert bundled[0].name == "desikan_killiany"
    with pytest.raises(DataError, match="does not fit"):
        atlas_for("desikan_killiany", own, small)
    with pytest.raises(UserError, match="There is no atlas"):
        atlas_for("none.nii", own, small)


def test_that_labels_without_a_name_and_lists_that_are_no_use_are_warnings(tmp_path: Path) -> None:
    import nibabel

    grid = Grid((12, 12, 12), np.eye(4))
    labels = np.ones(grid.shape, dtype=np.int16)
    labels[6:] = 2
    file = tmp_path / "own.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels, grid.affine), file)

    def warnings() -> tuple[str, ...]:
        found = atlas_for(str(file), None, grid)
        assert found is not None
        return found[2]

    assert warnings() == ("No names were found beside the volume; its regions are called by their numbers.",)
    (tmp_path / "own.txt").write_text("1 Box\n1 Chest\n")
    assert warnings() == ("'own.txt' names 1 twice; the first name is taken.", "1 label has no name: 2.")
    (tmp_path / "own.txt").write_text("1 Box\n2 Chest\n")
    assert warnings() == ()


def test_that_aal2_lies_on_the_grey_matter_maps_as_every_second_voxel(shared_data: Path) -> None:
    import nibabel

    aal2 = open_atlas(shared_data / "atlas" / "atlas-AAL2_dseg.nii.gz")
    image = nibabel.load(sorted((shared_data / "mri" / "ixi_gm_mni_3mm").glob("*.nii.gz"))[0])
    labels, fit = place_atlas(aal2, Grid(image.shape, image.affine), np.asarray(image.dataobj))
    np.testing.assert_array_equal(labels, aal2.labels[::2, ::2, ::2])
    assert fit.ok
    assert fit.warnings == ()
    assert fit.share_on_data is not None
    assert fit.share_on_data > 0.95


@pytest.mark.parametrize("atlas_name", ["desikan_killiany", "aal2", "aal"])
def test_that_heads_that_were_not_registered_are_refused_by_an_mni_atlas(shared_data: Path, atlas_name: str) -> None:
    import nibabel

    files = {"aal2": "atlas-AAL2_dseg.nii.gz", "aal": "mricron_aal.nii.gz"}
    atlas = open_atlas(shared_data / "atlas" / files[atlas_name]) if atlas_name in files else find_atlas(atlas_name)
    for file in sorted((shared_data / "mri" / "ixi_t1_2mm").glob("*.nii.gz"))[:3]:
        image = nibabel.load(file)
        grid = Grid(image.shape, image.affine)
        assert not atlas_fit(atlas, grid).ok
        fit = atlas_fit(atlas, grid, np.asarray(image.dataobj))
        assert not fit.ok
        assert fit.likeness is not None
        assert fit.likeness < 0.3


def test_that_a_segmentation_fits_its_own_head(shared_data: Path) -> None:
    import nibabel

    volume = sorted((shared_data / "mri" / "ixi_dlmuse_2mm").glob("*.nii.gz"))[0]
    atlas = open_atlas(volume, shared_data / "mri" / "muse_roi_names.csv")
    head = nibabel.load(shared_data / "mri" / "ixi_t1_2mm" / volume.name.replace("_DLMUSE", ""))
    fit = atlas_fit(atlas, Grid(head.shape, head.affine), np.asarray(head.dataobj), space="scanner")
    assert fit.ok
    assert fit.warnings == ()
