"""Mosaics, screenshots, and two maps side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel, QSpinBox, QToolButton

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.gui.viewer.compare import CompareView
from sensiview.gui.viewer.lightbox import Mosaic, draw_mosaic, extent
from sensiview.gui.viewer.panels.differences import difference_layer
from sensiview.gui.viewer.panels.lightbox_dialog import LightboxDialog
from sensiview.gui.viewer.panels.region_bars import paired
from sensiview.gui.viewer.panels.screenshot_dialog import ScreenshotDialog
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look, Scene
from sensiview.gui.viewer.viewer import VolumeViewer
from sensiview.numerics.volume_inputs import to_zyx

pytestmark = pytest.mark.needs_display

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
SHAPE = (20, 24, 16)


def pixels(image: QImage) -> Any:
    made = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(made.constBits(), np.uint8).reshape(made.height(), made.bytesPerLine())
    return flat[:, : 3 * made.width()].reshape(made.height(), made.width(), 3).copy()  # the image goes


def yellow(picture: Any) -> Any:
    """Where the letters are, whose edges are blended."""
    return (picture[..., 0] > 200) & (picture[..., 1] > 150) & (picture[..., 2] < 120)


def head(qapp: Any) -> Scene:
    """A ball whose grey level is its slice, so that tiles can be told apart; a bright spot on the patient's left."""
    grid = DisplayGrid((20, 24, 16), (2.0, 2.0, 3.0), (-19.0, -23.0, -22.5))
    array = np.zeros(grid.shape, dtype=np.uint8)
    array[4:16, 4:20, 3:13] = (np.arange(3, 13) * 15)[None, None]
    array[4:6, 10:14, 3:13] = 255
    scene = Scene()
    scene.show(grid, (Layer("v", "head", "underlay", array, Look(low=0, high=255), value_range=(0.0, 255.0)),))
    return scene


def test_that_the_extent_is_that_of_the_anatomy(qapp: Any) -> None:
    assert extent(head(qapp), 2) == (-22.5 + 3 * 3, -22.5 + 12 * 3)


def test_that_tiles_run_from_first_to_last_with_the_right_on_the_left(qapp: Any) -> None:
    scene = head(qapp)
    first, last = extent(scene, 2)
    what = Mosaic(2, 2, 5, first, last, labels=False, letters=False, crop=False, locator=False, colour_bar=False)
    assert what.count == 10
    assert what.step == 3.0
    image = draw_mosaic(scene, what, scale=1.0)
    assert (image.width(), image.height()) == (5 * 40, 2 * 48)
    shown = pixels(image)
    for number in range(10):
        tile = shown[48 * (number // 5) : 48 * (number // 5) + 48, 40 * (number % 5) : 40 * (number % 5) + 40]
        assert abs(int(tile[24, 20, 0]) - (number + 3) * 15) <= 1
        assert tile[24, 30, 0] == 255  # the patient's left, on the right of the picture
        assert tile[24, 9, 0] < 255
    scene.set_options(radiological=False)
    assert pixels(draw_mosaic(scene, what, scale=1.0))[24, 9, 0] == 255


def test_that_cropping_letters_and_bars_change_the_picture_as_said(qapp: Any) -> None:
    scene = head(qapp)
    first, last = extent(scene, 0)
    plain = Mosaic(0, 2, 3, first, last, labels=False, letters=False, crop=False, locator=False, colour_bar=False)
    full = Mosaic(0, 2, 3, first, last)
    assert full.count == 5
    assert draw_mosaic(scene, full, scale=2.0).width() < draw_mosaic(scene, plain, scale=2.0).width()
    assert yellow(pixels(draw_mosaic(scene, full, scale=4.0))).any()
    assert not yellow(pixels(draw_mosaic(scene, plain, scale=4.0))).any()
    huge = draw_mosaic(scene, plain, scale=500.0)
    assert huge.width() * huge.height() <= 125_000_000


def test_that_the_dialog_follows_the_scene_and_saves_what_it_shows(
    scene: Scene, shown: Any, wait_until: Any, tmp_path: Path
) -> None:
    dialog = shown(LightboxDialog(scene), 900, 600)
    wait_until(lambda: not dialog.preview.picture.isNull())
    assert dialog.findChild(QLabel, "lightbox_size").text() == "23 slices, 2.0 mm apart"
    dialog.findChild(QComboBox, "lightbox_plane").setCurrentText("Coronal")
    dialog.findChild(QSpinBox, "lightbox_rows").setValue(2)
    dialog.findChild(QSpinBox, "lightbox_columns").setValue(3)
    dialog.findChild(QCheckBox, "lightbox_locator").setChecked(False)
    dialog.findChild(QDoubleSpinBox, "lightbox_first").setValue(-20.0)
    dialog.findChild(QDoubleSpinBox, "lightbox_step").setValue(4.0)
    assert dialog.mosaic().positions() == [-20.0, -16.0, -12.0, -8.0, -4.0, 0.0]
    before = dialog.preview.picture.cacheKey()
    scene.set_look("gcam", visible=False)
    wait_until(lambda: dialog.preview.picture.cacheKey() != before)
    said: list[Any] = []
    dialog.problem.connect(said.append)
    for suffix in ("png", "tiff", "pdf"):
        dialog.save(tmp_path / f"mosaic.{suffix}")
    assert QImage(str(tmp_path / "mosaic.png")).size() == dialog.image().size()
    assert (tmp_path / "mosaic.tiff").stat().st_size > 1000
    assert (tmp_path / "mosaic.pdf").read_bytes().startswith(b"%PDF")
    assert said == []
    dialog.save(tmp_path / "mosaic.xyz")
    dialog.save(tmp_path / "no" / "folder.png")
    assert "ends in .png" in said[0].sentence
    assert "can't be read or written" in said[1].sentence
    dialog.copy()
    assert QGuiApplication.clipboard().image().size() == dialog.image().size()
    dialog.findChild(QSpinBox, "lightbox_rows").setValue(20)
    dialog.findChild(QSpinBox, "lightbox_columns").setValue(20)
    assert dialog.mosaic().count <= 400


def test_that_a_screenshot_is_as_large_as_said_and_clean_when_asked(scene: Scene, shown: Any, tmp_path: Path) -> None:
    scene.remove_layer("gcam")
    scene.remove_layer("aal")
    viewer = shown(VolumeViewer(scene, canvas="pyqtgraph"), 500, 500)
    dialog = shown(ScreenshotDialog(viewer), 480, 520)
    one = viewer.picture()
    dialog.scale.setCurrentIndex(2)
    assert dialog.image().width() == 3 * one.width()
    assert dialog.findChild(QLabel, "screenshot_size").text() == f"{3 * one.width()} x {3 * one.height()} pixels"
    dialog.pane.setCurrentText("Axial")
    decorated = pixels(dialog.image())
    dialog.clean.setChecked(True)
    clean = pixels(dialog.image())
    assert yellow(decorated).any()
    assert not yellow(clean).any()
    dialog.save(tmp_path / "axial.png")
    assert QImage(str(tmp_path / "axial.png")).width() == clean.shape[1]


def made_map(peak: float, title: str, shape: tuple[int, int, int] = SHAPE, affine: Any = AFFINE) -> FieldMap:
    values = np.zeros(shape, dtype=np.float32)
    values[5:8, 5:8, 5:8] = peak
    return FieldMap(title=title, values=to_zyx(values), axes=("z", "y", "x"), affine=affine, signed=True)


@pytest.fixture
def pair(shown: Any, wait_until: Any) -> CompareView:
    view: CompareView = shown(CompareView(canvas="pyqtgraph"), 1100, 700)
    base = Volume(np.random.default_rng(0).integers(1, 99, SHAPE).astype(np.int16), AFFINE, name="sub-01")
    density = pd.DataFrame({"region": ["outside the atlas", "A", "B", "C"], "label": [0, 1, 2, 3]})
    a, b = density.assign(density=[9.0, 0.5, 0.1, 0.3]), density.assign(density=[0.0, 0.4, 0.9, 0.3])
    view.show_pair(base, ("fold 1", made_map(4.0, "x")), ("fold 2", made_map(-2.0, "y")), a, b)
    wait_until(lambda: view.difference.isEnabled(), timeout=30)
    return view


def title(view: CompareView, side: str) -> str:
    return str(view.findChild(QLabel, f"compare_title_{side}").text())


def press(view: CompareView, name: str) -> None:
    QTest.mouseClick(view.findChild(QToolButton, name), Qt.MouseButton.LeftButton)


def test_that_two_maps_share_cursor_and_range(pair: CompareView) -> None:
    assert (title(pair, "left"), title(pair, "right")) == ("A: fold 1", "B: fold 2")
    pair.left.scene.set_cursor((10.0, 10.0, 15.0))
    assert pair.right.scene.cursor == (10.0, 10.0, 15.0)
    assert pair.left.scene.layer("map0").look.high == pair.right.scene.layer("map0").look.high
    pair.right.scene.set_look("map0", threshold=1.5, opacity=0.3)
    assert pair.left.scene.layer("map0").look.threshold == 1.5
    pair.left.scene.set_look("volume", low=10.0, high=20.0)
    assert pair.right.scene.layer("volume").look.high == 20.0
    press(pair, "compare_same_range")
    pair.right.scene.set_look("map0", threshold=0.5)
    assert pair.left.scene.layer("map0").look.threshold == 1.5


def test_that_the_difference_is_a_minus_b(pair: CompareView) -> None:
    press(pair, "compare_difference")
    assert title(pair, "right") == "A - B: fold 1 minus fold 2"
    layer = pair.right.scene.layer("difference")
    assert layer.look.visible
    assert not pair.right.scene.layer("map0").look.visible
    assert layer.value((6, 6, 6)) == 6.0
    assert layer.value((0, 0, 0)) == 0.0
    press(pair, "compare_difference")
    assert title(pair, "right") == "B: fold 2"
    assert pair.right.scene.layer("map0").look.visible


def test_that_flicker_shows_both_in_turn_and_stops(pair: CompareView) -> None:
    press(pair, "compare_flicker")
    pair._turn()
    assert title(pair, "left") == "B: fold 2"
    assert pair.left.scene.layer("other").look.visible
    pair._turn()
    assert title(pair, "left") == "A: fold 1"
    pair._turn()
    pair.hide()
    assert not pair.flicker.isChecked()
    assert pair.left.scene.layer("map0").look.visible


def test_that_bars_come_by_difference_without_what_lies_outside(pair: CompareView) -> None:
    assert pair.bars.isVisible()
    assert pair.bars.regions() == ["B", "A", "C"]
    chosen: list[str] = []
    pair.bars.region_chosen.connect(chosen.append)
    pair.bars.choose(0.3)
    pair.bars.choose(17.0)
    assert chosen == ["B"]


def test_that_a_region_of_one_table_counts_as_zero_in_the_other() -> None:
    one = pd.DataFrame({"region": ["A", "B"], "density": [0.2, 0.9]})
    two = pd.DataFrame({"region": ["C"], "density": [0.5]})
    found = paired(one, two)
    assert list(found["region"]) == ["B", "C", "A"]
    assert list(found["difference"]) == pytest.approx([0.9, -0.5, 0.2])


def test_that_maps_of_different_grids_are_compared_without_an_anatomy(shown: Any, wait_until: Any) -> None:
    view = shown(CompareView(canvas="pyqtgraph"), 1000, 600)
    other = made_map(2.0, "coarse", (10, 12, 8), np.diag([4.0, 4.0, 6.0, 1.0]))
    view.show_pair(None, ("", made_map(1.0, "fine")), ("", other))
    wait_until(lambda: view.difference.isEnabled(), timeout=30)
    assert title(view, "left") == "A: fine"
    assert not view.bars.isVisible()
    assert view.right.scene.layer("map0").array.shape == SHAPE
    view.show_pair(
        None, ("", made_map(1.0, "fine")), ("", FieldMap(title="2-D", values=np.zeros((3, 3)), axes=("y", "x")))
    )
    wait_until(lambda: "a volume has z, y, x" in view.findChild(QLabel, "compare_notice").text())


def test_that_a_voxel_without_value_in_one_map_has_no_difference(scene: Scene) -> None:
    from dataclasses import replace

    layer = scene.layer("gcam")
    holed = np.array(layer.array)
    holed[5, 6, 4] = np.nan
    found = difference_layer(layer, replace(layer, array=holed), scene.grid)
    assert np.isnan(found.array[5, 6, 4])
    assert np.nansum(np.abs(found.array)) == 0
    assert found.value_range == (-1.0, 1.0)
