"""The same head in every orientation: the same picture, the same millimetres, the same region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import phantom_head
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.gui.viewer import build
from sensiview.gui.viewer.geometry import placement

KINDS = ("RAS", "LPS", "LAS", "PIR", "ASL", "oblique", "anisotropic")
AXES = {"axial": 2, "coronal": 1, "sagittal": 0}


def through_a_file(volume: Volume, folder: Path) -> Volume:
    path = folder / f"{volume.name}.nii"
    nib.save(nib.Nifti1Image(volume.raw, volume.affine), path)
    image = nib.load(path)
    return Volume(np.asanyarray(image.dataobj), image.affine, name=volume.name)


def atlas(kind: str) -> Any:
    values, affine = phantom_head.labels(kind)
    return SimpleNamespace(labels=values, affine=affine, names=phantom_head.REGIONS, name="boxes", source="")


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def show(viewer: Any, kind: str, folder: Path, wait_until: Callable[..., None]) -> None:
    ready = []
    viewer.ready.connect(lambda: ready.append(1))
    viewer.show_volume(through_a_file(phantom_head.volume(kind), folder))
    wait_until(lambda: ready, 20, f"the {kind} volume")
    viewer.scene.set_layer(build.layer_from_atlas(atlas(kind), viewer.scene.grid))
    viewer.scene.set_look("atlas", visible=False)
    viewer.scene.set_look("volume", low=0.0, high=260.0)
    viewer.scene.set_options(crosshair=False, letters=False, scale_bar=False, colour_bar=False)
    viewer.scene.set_cursor(phantom_head.MARKER)
    for name, axis in AXES.items():
        across, up = (a for a in (0, 1, 2) if a != axis)
        viewer.panes[name].refresh()
        viewer.panes[name].look_at((0.0 * across, 0.0 * up), 2.5)
        viewer.panes[name].refresh()


@pytest.mark.needs_display
@pytest.mark.parametrize("kind", KINDS[1:])
def test_that_every_stored_orientation_gives_the_same_picture_on_both_canvases(
    kind: str,
    canvas: str,
    make_viewer: Callable[..., Any],
    tmp_path: Path,
    wait_until: Callable[..., None],
    settle: Callable[..., None],
) -> None:
    straight, other = make_viewer(canvas), make_viewer(canvas)
    show(straight, "RAS", tmp_path, wait_until)
    show(other, kind, tmp_path, wait_until)
    settle(0.2)
    for name in AXES:
        wanted, found = (pixels(v.panes[name]._canvas.grab().toImage()) for v in (straight, other))
        assert wanted.max() > 200, "nothing is drawn"
        off = np.abs(wanted.astype(int) - found.astype(int))
        if kind in ("oblique", "anisotropic"):
            # Other voxels: edges differ by up to a voxel, the inside hardly.
            assert np.mean(off > 40) < 0.06
            assert off.mean() < 8
        else:
            assert off.max() == 0


@pytest.mark.needs_display
def test_that_both_canvases_show_the_same(
    napari_ready: bool, make_viewer: Callable[..., Any], tmp_path: Path, wait_until: Callable[..., None], settle: Any
) -> None:
    if not napari_ready:
        pytest.skip("no OpenGL here: run under xvfb-run")
    viewer = make_viewer("napari")
    show(viewer, "ASL", tmp_path, wait_until)
    for name in AXES:
        pane = viewer.panes[name]
        settle(0.1)
        one = pixels(pane._canvas.grab().toImage()).astype(int)
        pane.set_canvas("pyqtgraph")
        settle(0.1)
        other = pixels(pane._canvas.grab().toImage()).astype(int)
        off = np.abs(one - other).max(axis=2)
        # The border of a voxel may fall on the next pixel; a voxel has five.
        assert np.mean(off > 30) < 0.02
        assert np.mean(off > 3) < 0.15


@pytest.mark.needs_display
@pytest.mark.parametrize("kind", KINDS)
def test_that_position_value_and_region_are_those_of_the_file(
    kind: str, make_viewer: Callable[..., Any], tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    viewer = make_viewer()
    show(viewer, kind, tmp_path, wait_until)
    scene = viewer.scene
    _, affine = phantom_head.grid_of(kind)
    assert scene.cursor == phantom_head.MARKER
    nearest = np.floor(nib.affines.apply_affine(np.linalg.inv(affine), scene.cursor) + 0.5)
    assert scene.file_voxel == tuple(nearest)
    assert scene.layer("volume").value_at(scene.cursor, scene.grid) == 250
    assert phantom_head.REGIONS[int(scene.layer("atlas").value_at(scene.cursor, scene.grid))] == "left box"
    assert scene.grid.resampled == (kind == "oblique")


@pytest.mark.needs_display
def test_that_the_left_marker_is_on_the_right_of_a_radiological_picture(
    make_viewer: Callable[..., Any], canvas: str, tmp_path: Path, wait_until: Callable[..., None], settle: Any
) -> None:
    viewer = make_viewer(canvas)
    show(viewer, "PIR", tmp_path, wait_until)
    settle(0.1)
    places = {"axial": 1, "coronal": 1, "sagittal": -1}  # nose left: the marker lies in front of the middle
    for name, side in places.items():
        picture = pixels(viewer.panes[name]._canvas.grab().toImage())[..., 0]
        rows, columns = np.nonzero(picture > 235)
        assert np.sign(columns.mean() - picture.shape[1] / 2) == side
        assert rows.mean() < picture.shape[0] / 2  # anterior or superior of the middle
    viewer.scene.set_options(radiological=False, nose_left=False)
    settle(0.1)
    for name, side in places.items():
        picture = pixels(viewer.panes[name]._canvas.grab().toImage())[..., 0]
        assert np.sign(np.nonzero(picture > 235)[1].mean() - picture.shape[1] / 2) == -side


@pytest.mark.needs_display
@pytest.mark.parametrize("kind", KINDS)
def test_that_a_click_on_the_marker_moves_the_crosshair_to_its_millimetres(
    kind: str, make_viewer: Callable[..., Any], tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    viewer = make_viewer()
    show(viewer, kind, tmp_path, wait_until)
    scene, pane = viewer.scene, viewer.panes["axial"]
    scene.set_cursor((0.0, 0.0, phantom_head.MARKER[2]))
    x, y = pane.view.to_pixel(phantom_head.MARKER)
    QTest.mouseClick(
        pane.overlay, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y))
    )
    assert np.abs(np.array(scene.cursor) - phantom_head.MARKER).max() < 0.5
    assert scene.layer("volume").value_at(scene.cursor, scene.grid) == 250


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_map_in_the_files_own_grid_lies_on_the_marker(kind: str) -> None:
    volume = phantom_head.volume(kind)
    grid, _, _ = build.display_volume(volume)
    inside = (phantom_head.labels(kind)[0] == 1).astype(np.float32)
    item = FieldMap(title="map", values=inside.swapaxes(0, 2), axes=("z", "y", "x"), affine=volume.affine)
    layer = build.layer_from_map(item, grid, key="map")
    where = np.argwhere(np.nan_to_num(layer.array) > 0.5)
    middle = np.array(grid.origin) + where.mean(axis=0) * grid.spacing
    assert np.abs(middle - phantom_head.MARKER).max() <= 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_map_written_in_the_original_grid_opens_alike_in_nibabel_and_nilearn(kind: str, tmp_path: Path) -> None:
    from nilearn import image as nilearn_image

    volume = phantom_head.volume(kind)
    original = tmp_path / "t1.nii.gz"
    nib.save(nib.Nifti1Image(volume.raw, volume.affine), original)
    opened = nib.load(original)
    values = (phantom_head.labels(kind)[0] == 1).astype(np.float32)
    path = tmp_path / "map.nii.gz"
    nib.save(nib.Nifti1Image(values, opened.affine), path)
    found, ours = nib.load(path), nilearn_image.load_img(str(path))
    np.testing.assert_array_equal(found.affine, opened.affine)
    np.testing.assert_array_equal(ours.affine, opened.affine)
    np.testing.assert_array_equal(np.asarray(found.dataobj), values)
    middle = nib.affines.apply_affine(ours.affine, np.argwhere(ours.get_fdata() > 0).mean(axis=0))
    assert np.abs(middle - phantom_head.MARKER).max() <= 1.5


@pytest.mark.parametrize("kind", KINDS[:5])
def test_that_a_straight_volume_is_a_view_and_not_a_copy(kind: str) -> None:
    volume = phantom_head.volume(kind)
    grid, array, _ = build.display_volume(volume)
    assert np.shares_memory(array, volume.raw)
    assert np.shares_memory(build.on_display(volume.raw, volume.affine, grid, labels=True), volume.raw)


def test_that_an_array_of_another_grid_is_brought_onto_the_display(tmp_path: Path) -> None:
    grid, _, _ = build.display_volume(phantom_head.volume("RAS"))
    values, affine = phantom_head.labels("oblique")
    brought = build.on_display(values, affine, grid, labels=True)
    wanted = phantom_head.label(phantom_head.points(grid.shape, grid.affine))
    assert brought.dtype == values.dtype
    assert np.mean(brought != wanted) < 0.005
    smooth = build.on_display(values.astype(np.float32), affine, grid, labels=False)
    assert np.isnan(build.on_display(values[:20], affine, grid, labels=False)).any()
    assert smooth.dtype == np.float32


def test_that_small_tilts_are_shown_as_stored_and_large_ones_interpolated() -> None:
    shape, affine = phantom_head.base_grid()
    for degrees, resampled in ((0.3, False), (3.0, True)):
        angle = np.deg2rad(degrees)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        placed = placement(shape, turn @ affine)
        assert placed.grid.resampled is resampled
        middle = (np.array(shape) - 1) / 2
        found = nib.affines.apply_affine(placed.to_voxel, nib.affines.apply_affine(turn @ affine, middle))
        np.testing.assert_allclose(found, middle, atol=1e-6)


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.diag([1.0, 1.0, 0.0, 1.0]), np.full((4, 4), np.nan)])
def test_that_an_unusable_affine_is_refused_with_a_sentence(affine: np.ndarray) -> None:
    from sensiview.errors import DataError

    with pytest.raises(DataError, match="can't be shown"):
        build.display_volume(Volume(np.zeros((4, 4, 4), np.uint8), affine))


def test_that_big_endian_and_half_precision_oblique_volumes_are_interpolated() -> None:
    shape, affine = phantom_head.grid_of("oblique")
    values = phantom_head.value(phantom_head.points(shape, affine)).round()
    wanted = build.display_volume(Volume(values.astype(np.float32), affine))[1]
    for dtype in (">i2", ">f4", "<f2", "uint8"):
        found = build.display_volume(Volume(values.astype(dtype), affine))[1]
        np.testing.assert_allclose(found, wanted, atol=0.2)
