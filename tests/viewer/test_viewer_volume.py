"""The 3-D pane, the canvases' life, and volumes that come from DICOM."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import phantom_head
import pytest
from PySide6.QtGui import QImage

from sensiview.gui.viewer import build
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look
from sensiview.gui.viewer.volume_bricks import make_bricks

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "datasets"))


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def test_that_bricks_are_small_lie_in_place_and_keep_the_peak_of_an_overlay() -> None:
    grid = DisplayGrid((200, 150, 30), (1.0, 1.0, 5.0), (-100.0, -75.0, -70.0))
    values = np.zeros(grid.shape, np.float32)
    values[131, 77, 11] = 10.0
    look = Look("hot", 0.0, 10.0)
    ground = Layer("t1", "t1", "underlay", np.full(grid.shape, 5, np.uint8), Look(low=0, high=10))
    bricks = make_bricks([ground, Layer("m", "m", "overlay", values, look)], grid, "mip", 64)
    assert [brick.is_ground for brick in bricks] == [True, False]
    for brick in bricks:
        assert max(brick.values.shape) <= 64
        # Edges of the outer blocks agree with those of the outer voxels, in S, A, R.
        low = np.array(brick.corner) - np.array(brick.scale) / 2
        np.testing.assert_allclose(low, [-72.5, -75.5, -100.5])
    assert bricks[0].values.shape[0] == 30  # thick slices keep all of theirs
    assert bricks[1].values.max() == 255
    peak = np.array(np.unravel_index(bricks[1].values.argmax(), bricks[1].values.shape))
    place = np.array(bricks[1].corner) + peak * bricks[1].scale
    assert np.abs(place - np.array(grid.mm((131, 77, 11)))[::-1]).max() <= max(bricks[1].scale) / 2


def test_that_what_is_not_finite_or_below_the_threshold_is_empty_in_a_brick() -> None:
    grid = DisplayGrid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    values = np.full(grid.shape, np.nan, np.float32)
    values[0], values[1], values[2] = -8.0, 0.5, 4.0
    layer = Layer("m", "m", "overlay", values, Look("blue_red", 0.0, 10.0, signed=True, threshold=1.0))
    (brick,) = make_bricks([layer], grid, "mip", 64)
    assert [int(v) for v in brick.values[0, 0]] == [204, 0, 102, 0]


@pytest.mark.needs_display
def test_that_the_left_marker_is_on_the_right_of_a_head_seen_from_the_front(
    napari_ready: bool, make_viewer: Callable[..., Any], wait_until: Callable[..., None], settle: Any
) -> None:
    if not napari_ready:
        pytest.skip("no OpenGL here: run under xvfb-run")
    viewer = make_viewer("napari")
    viewer.show_volume(phantom_head.volume("LPS"))
    viewer.scene.set_look("volume", low=200.0, high=250.0)  # the marker alone
    viewer.pane_3d.set_rendering("mip")
    wait_until(lambda: viewer.pane_3d.is_loaded, 60, "the 3-D view")
    settle(0.5)
    # side of the view -> where the marker (left, front, above) is seen: right of the middle?, above the middle?
    for side, (right, above) in {
        "anterior": (True, True), "posterior": (False, True), "left": (False, True), "right": (True, True),
        "superior": (False, True), "inferior": (True, True),
    }.items():  # fmt: skip
        viewer.pane_3d.look_from(side)
        settle(0.2)
        picture = pixels(viewer.pane_3d.picture()).sum(axis=2)
        rows, columns = np.nonzero(picture > 300)
        assert rows.size, side
        assert bool(columns.mean() > picture.shape[1] / 2) == right, side
        assert bool(rows.mean() < picture.shape[0] / 2) == above, side
    viewer.pane_3d.set_cut("sagittal")
    viewer.scene.set_cursor((-35.0, 0.0, 0.0))
    viewer.pane_3d.set_rendering("iso")
    wait_until(lambda: viewer.pane_3d.is_loaded, 60)
    settle(0.4)


@pytest.mark.needs_display
def test_that_napari_takes_over_at_the_same_view_and_is_freed(
    napari_ready: bool, make_viewer: Callable[..., Any], wait_until: Callable[..., None], settle: Any
) -> None:
    if not napari_ready:
        pytest.skip("no OpenGL here: run under xvfb-run")
    from sensiview.gui.viewer.napari_canvas import NapariCanvas

    viewer = make_viewer("napari")
    viewer.show_volume(phantom_head.volume("PIR"))
    assert all(isinstance(pane._canvas, NapariCanvas) for pane in viewer.panes.values())
    pane = viewer.panes["axial"]
    settle(0.1)
    before = pixels(pane._canvas.grab().toImage())
    pane.set_canvas("pyqtgraph")
    settle(0.1)
    off = np.abs(pixels(pane._canvas.grab().toImage()) - before).max(axis=2)
    assert np.mean(off > 30) < 0.02
    viewer.dispose()
    viewer.dispose()


def test_that_without_opengl_plain_panes_and_a_sentence_are_chosen(monkeypatch: pytest.MonkeyPatch, qapp: Any) -> None:
    from sensiview.gui.viewer import canvas_choice

    monkeypatch.setattr(canvas_choice, "opengl_problem", lambda: "This machine offers no OpenGL.")
    choice = canvas_choice.choose_canvas()
    assert choice.kind == "pyqtgraph"
    assert choice.sentence == "This machine offers no OpenGL. Panes are drawn without it; there is no 3-D view."
    monkeypatch.setattr(canvas_choice, "opengl_problem", lambda: "")
    assert canvas_choice.choose_canvas() == canvas_choice.CanvasChoice("napari")
    monkeypatch.setenv(canvas_choice.VARIABLE, "pyqtgraph")
    assert canvas_choice.choose_canvas().kind == "pyqtgraph"


@pytest.mark.parametrize("kind", ["RAS", "LPS", "LAS", "PIR", "ASL", "oblique", "anisotropic"])
def test_that_a_series_of_dicom_files_shows_what_the_nifti_file_shows(kind: str, tmp_path: Path) -> None:
    import dicom_phantom

    from sensiview.datasets.dicom_series import list_series
    from sensiview.datasets.dicom_volume import open_series
    from sensiview.datasets.volume import Volume

    head = dicom_phantom.phantom()
    spacing = (0.5, 0.5, 3.0) if kind == "anisotropic" else (2.0, 2.0, 2.0)
    orientation = dicom_phantom.oblique(20.0) if kind == "oblique" else "RAS" if kind == "anisotropic" else kind
    voxels, affine = dicom_phantom.placed(head, spacing, orientation)
    dicom_phantom.write_series(tmp_path, head, spacing, orientation)
    (series,) = list_series(tmp_path)
    found = build.display_volume(open_series(series))
    wanted = build.display_volume(Volume(voxels, affine))
    assert found[0].shape == wanted[0].shape
    np.testing.assert_allclose(found[0].affine, wanted[0].affine, atol=1e-3)
    assert found[0].resampled is wanted[0].resampled is (kind == "oblique")
    np.testing.assert_allclose(np.nan_to_num(found[1]), np.nan_to_num(wanted[1]), atol=30000 * 0.01)
    if kind != "oblique":
        np.testing.assert_array_equal(found[1], head)


@pytest.mark.parametrize("name", ["brainchop_t1_1mm.nii.gz", "ixi_t1_2mm"])
def test_that_real_heads_lie_as_nibabel_says(name: str, shared_data: Path) -> None:
    import nibabel as nib

    from sensiview.datasets.nifti import read_nifti

    path = shared_data / "mri" / name
    path = sorted(path.glob("*.nii.gz"))[0] if path.is_dir() else path
    grid, layer, to_file_voxel = build.layer_from_volume(read_nifti(path))
    canonical = nib.as_closest_canonical(nib.load(path))
    assert nib.aff2axcodes(grid.affine) == ("R", "A", "S")
    assert grid.shape == canonical.shape
    middle = tuple(n // 2 for n in grid.shape)
    assert layer.value(middle) == pytest.approx(float(canonical.dataobj[middle]), rel=1e-5)
    voxel = nib.affines.apply_affine(to_file_voxel, grid.mm(middle))
    wanted = nib.affines.apply_affine(np.linalg.inv(nib.load(path).affine), grid.mm(middle))
    np.testing.assert_allclose(voxel, wanted, atol=0.51 if not grid.resampled else 1e-6)
