"""Mouse and keys in the panes: where the crosshair goes, what the picture shows then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import phantom_head
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sensiview.gui.viewer import build, corner_texts, measurements, shortcut_table
from sensiview.gui.viewer.key_commands import KeyCommands
from sensiview.gui.viewer.scene import Measurement

pytestmark = pytest.mark.needs_display
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
PLAIN, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier,
)  # fmt: skip


@pytest.fixture
def viewer(make_viewer: Callable[..., Any], settle: Callable[..., None]) -> Any:
    made = make_viewer()
    made.show_volume(phantom_head.volume("PIR"))
    settle(0.05)
    return made


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def drag(pane: Any, start: QPoint, end: QPoint, button: Any = LEFT, modifier: Any = PLAIN) -> None:
    QTest.mousePress(pane.overlay, button, modifier, start)
    QTest.mouseMove(pane.overlay, (start + end) / 2)
    QTest.mouseMove(pane.overlay, end)
    QTest.mouseRelease(pane.overlay, button, modifier, end)


def wheel(pane: Any, notches: int, at: QPoint, modifier: Any = PLAIN) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(pane.overlay.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        modifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane.overlay, event)


def pixel_of(pane: Any, mm: tuple[float, float, float]) -> QPoint:
    x, y = pane.view.to_pixel(mm)
    return QPoint(round(x), round(y))


def test_that_a_drag_moves_the_crosshair_and_the_slices_of_the_other_panes(viewer: Any, settle: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    before = {name: p._picture for name, p in viewer.panes.items()}
    drag(pane, pixel_of(pane, (0, 0, 0)), pixel_of(pane, (-20, 12, 0)))
    settle(0.05)
    assert scene.cursor[0] == pytest.approx(-20, abs=1)
    assert scene.cursor[1] == pytest.approx(12, abs=1)
    assert viewer.panes["axial"]._picture is before["axial"]  # its slice is the same: nothing is drawn anew
    assert viewer.panes["coronal"]._picture is not before["coronal"]
    assert viewer.panes["sagittal"]._picture is not before["sagittal"]


def test_that_the_crosshair_is_drawn_where_the_mouse_was_pressed(viewer: Any, settle: Any) -> None:
    pane = viewer.panes["coronal"]
    at = QPoint(100, 90)
    QTest.mouseClick(pane.overlay, LEFT, PLAIN, at)
    settle(0.05)
    drawn = pixels(pane.grab().toImage())
    green = (drawn[..., 1].astype(int) - drawn[..., 0] > 80) & (drawn[..., 1].astype(int) - drawn[..., 2] > 40)
    assert green[:, at.x() - 1 : at.x() + 2].any(axis=1).mean() > 0.7
    assert green[at.y() - 1 : at.y() + 2].any(axis=0).mean() > 0.7


def test_that_the_wheel_goes_through_slices_and_with_control_zooms_about_the_mouse(viewer: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    before, voxel = pane.view, scene.cursor_voxel
    wheel(pane, 2, QPoint(50, 60))
    assert scene.cursor_voxel == (voxel[0], voxel[1], voxel[2] + 2)
    assert pane.view == before
    fixed = pane.mm_at(QPointF(50, 60))
    wheel(pane, 3, QPoint(50, 60), CTRL)
    assert pane.view.zoom == pytest.approx(before.zoom * 1.2**3)
    np.testing.assert_allclose(pane.mm_at(QPointF(50, 60)), fixed, atol=1e-9)
    assert scene.cursor_voxel[2] == voxel[2] + 2


def test_that_the_wheel_stops_at_the_last_slice(viewer: Any) -> None:
    wheel(viewer.panes["sagittal"], 500, QPoint(50, 60))
    assert viewer.scene.cursor_voxel[0] == viewer.scene.grid.shape[0] - 1


def test_that_a_middle_drag_and_a_shift_drag_push_the_picture(viewer: Any) -> None:
    pane = viewer.panes["sagittal"]
    cursor = viewer.scene.cursor
    for button, modifier in ((MIDDLE, PLAIN), (LEFT, SHIFT)):
        x, y = pane.view.to_pixel(cursor)
        drag(pane, QPoint(80, 80), QPoint(110, 60), button, modifier)
        moved = pane.view.to_pixel(cursor)
        assert (moved[0] - x, moved[1] - y) == pytest.approx((30, -20))
    assert viewer.scene.cursor == cursor


def test_that_a_right_drag_changes_the_window_with_live_numbers(viewer: Any) -> None:
    pane = viewer.panes["axial"]
    before = viewer.scene.layer("volume").look
    drag(pane, QPoint(100, 100), QPoint(160, 100), RIGHT)
    wider = viewer.scene.layer("volume").look
    assert wider.high - wider.low > before.high - before.low
    assert (wider.high + wider.low) == pytest.approx(before.high + before.low)
    assert "window" in pane.overlay._message
    drag(pane, QPoint(100, 100), QPoint(100, 160), RIGHT)
    assert viewer.scene.layer("volume").look.low > wider.low
    QTest.keyClick(pane.overlay, Qt.Key.Key_A)
    assert viewer.scene.layer("volume").look == before


def test_that_a_right_click_asks_for_the_menu_and_changes_nothing(viewer: Any) -> None:
    asked = []
    viewer.menu_asked.connect(lambda at, name: asked.append(name))
    before = viewer.scene.layer("volume").look
    QTest.mouseClick(viewer.panes["coronal"].overlay, RIGHT, PLAIN, QPoint(60, 60))
    assert asked == ["coronal"]
    assert viewer.scene.layer("volume").look == before


def test_that_a_double_click_enlarges_a_pane_and_the_next_one_shows_all(viewer: Any, settle: Any) -> None:
    pane = viewer.panes["coronal"]
    small = pane.size()
    QTest.mouseDClick(pane.overlay, LEFT, PLAIN, QPoint(60, 60))
    settle(0.1)
    assert viewer.enlarged == "coronal"
    assert not viewer.panes["axial"].isVisible()
    assert not viewer.pane_3d.isVisible()
    assert pane.width() > 1.8 * small.width()
    QTest.mouseDClick(pane.overlay, LEFT, PLAIN, QPoint(60, 60))
    settle(0.1)
    assert viewer.enlarged == ""
    assert all(p.isVisible() for p in viewer.panes.values())
    assert pane.size() == small


def test_that_arrows_follow_the_picture_in_both_conventions(viewer: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    for radiological, sign in ((True, -1), (False, 1)):
        scene.set_options(radiological=radiological)
        pane.refresh()
        voxel = scene.cursor_voxel
        x = pane.view.to_pixel(scene.cursor)[0]
        QTest.keyClick(pane.overlay, Qt.Key.Key_Right)
        assert scene.cursor_voxel[0] == voxel[0] + sign
        assert pane.view.to_pixel(scene.cursor)[0] > x
        QTest.keyClick(pane.overlay, Qt.Key.Key_Up)
        assert scene.cursor_voxel[1] == voxel[1] + 1


@pytest.mark.parametrize(
    ("key", "step"),
    [("PgUp", 1), ("PgDown", -1), ("+", 1), ("-", -1), ("F", 1), ("B", -1), ("Shift+PgUp", 10), ("Shift+B", -10)],
)
def test_that_keys_change_the_slice(viewer: Any, key: str, step: int) -> None:
    from PySide6.QtGui import QKeySequence

    pane = viewer.panes["coronal"]
    before = viewer.scene.cursor_voxel[1]
    combination = QKeySequence(key)[0]
    QTest.keyClick(pane.overlay, combination.key(), combination.keyboardModifiers())
    assert viewer.scene.cursor_voxel[1] == before + step


def test_that_every_shortcut_has_a_command_and_no_key_has_two() -> None:
    keys = [keys for entry in shortcut_table.SHORTCUTS for keys in entry.keys]
    assert len(keys) == len(set(keys))
    for entry in shortcut_table.SHORTCUTS:
        assert callable(getattr(KeyCommands, entry.action))


def test_that_every_key_can_be_pressed_with_and_without_a_volume(make_viewer: Callable[..., Any], settle: Any) -> None:
    viewer = make_viewer()
    for volume in (None, phantom_head.volume("LPS")):
        if volume is not None:
            viewer.show_volume(volume)
        for entry in shortcut_table.SHORTCUTS:
            viewer.commands.run(entry.action, viewer.panes["axial"])
            settle(0.01)


def test_that_the_letters_and_the_flag_follow_the_convention(viewer: Any) -> None:
    axial, sagittal = viewer.panes["axial"], viewer.panes["sagittal"]
    assert axial.view.edges == ("R", "L", "A", "P")
    assert viewer.panes["coronal"].view.edges == ("R", "L", "S", "I")
    assert sagittal.view.edges == ("A", "P", "S", "I")
    assert corner_texts.arrangements(viewer.scene, axial.view)[0][1][0] == "RADIOLOGICAL"
    QTest.keyClick(axial.overlay, Qt.Key.Key_N)
    QTest.keyClick(axial.overlay, Qt.Key.Key_N, SHIFT)
    axial.refresh()
    sagittal.refresh()
    assert axial.view.edges == ("L", "R", "A", "P")
    assert sagittal.view.edges == ("P", "A", "S", "I")
    assert corner_texts.arrangements(viewer.scene, axial.view)[0][1][0] == "NEUROLOGICAL"


def test_that_letters_are_painted_at_the_edges(viewer: Any, settle: Any) -> None:
    pane = viewer.panes["axial"]
    drawn = pixels(pane.grab().toImage()).astype(int)
    yellow = (drawn[..., 0] > 200) & (drawn[..., 1] > 170) & (drawn[..., 2] < 140)
    height, width = yellow.shape
    middle = slice(height // 2 - 15, height // 2 + 15)
    centre = slice(width // 2 - 15, width // 2 + 15)
    for part in (yellow[middle, :30], yellow[middle, -30:], yellow[:30, centre], yellow[-30:, centre]):
        assert part.any()


def test_that_the_overlay_can_be_switched_faded_and_thresholded_by_key(viewer: Any, settle: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    mask = build.layer_from_map(_mask_item(), scene.grid, key="mask")
    scene.set_layer(mask)
    scene.set_cursor(phantom_head.MARKER)
    settle(0.05)
    colourful = np.ptp(pane._picture.astype(int), axis=2).max()
    assert colourful > 60
    QTest.keyClick(pane.overlay, Qt.Key.Key_W)
    settle(0.05)
    assert np.ptp(pane._picture.astype(int), axis=2).max() == 0
    QTest.keyClick(pane.overlay, Qt.Key.Key_W)
    opacity = scene.layer("mask").look.opacity
    QTest.keyClick(pane.overlay, Qt.Key.Key_Q)
    assert scene.layer("mask").look.opacity == pytest.approx(opacity - 0.1)
    QTest.keyClick(pane.overlay, Qt.Key.Key_E)
    assert scene.layer("mask").look.opacity == pytest.approx(opacity)
    threshold = scene.layer("mask").look.threshold
    QTest.keyClick(pane.overlay, Qt.Key.Key_BracketRight)
    assert scene.layer("mask").look.threshold > threshold
    QTest.keyClick(pane.overlay, Qt.Key.Key_O)
    assert scene.layer("mask").look.outline


def test_that_a_drag_with_the_ruler_measures_millimetres(viewer: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    QTest.keyClick(pane.overlay, Qt.Key.Key_L)
    cursor = scene.cursor
    drag(pane, pixel_of(pane, (-20, 0, 0)), pixel_of(pane, (10, 40, 0)))
    (found,) = scene.measurements
    assert found.kind == "length"
    assert found.axis == 2
    assert measurements.length_mm(found.points) == pytest.approx(50, abs=1.5)
    assert scene.cursor == cursor
    QTest.keyClick(pane.overlay, Qt.Key.Key_Delete)
    assert scene.measurements == ()
    QTest.keyClick(pane.overlay, Qt.Key.Key_Escape)
    assert scene.options.tool == "cursor"


def test_that_three_clicks_measure_an_angle(viewer: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["coronal"]
    scene.set_options(tool="angle")
    for point in ((20, 0, 0), (0, 0, 0), (0, 0, 20)):
        QTest.mouseClick(pane.overlay, LEFT, PLAIN, pixel_of(pane, point))
    (found,) = scene.measurements
    assert measurements.angle_degrees(found.points) == pytest.approx(90, abs=3)


def test_that_a_region_gives_mean_and_volume_of_the_marker(viewer: Any, settle: Any) -> None:
    scene, pane = viewer.scene, viewer.panes["axial"]
    scene.set_cursor(phantom_head.MARKER)
    scene.set_options(tool="region", region_shape="rectangle")
    x, y, z = phantom_head.MARKER
    settle(0.02)
    drag(pane, pixel_of(pane, (x - 4, y - 4, z)), pixel_of(pane, (x + 4, y + 4, z)))
    (found,) = scene.measurements
    statistics = measurements.region_statistics(found, scene.layer("volume"), scene.grid)
    assert statistics.mean == 250
    assert statistics.deviation == 0
    assert statistics.area == statistics.count * 4
    assert statistics.volume == statistics.area * 2
    assert "250" in measurements.label(found, scene)
    settle(0.05)
    pane.grab()


def test_that_angles_are_exact_near_0_and_180_degrees() -> None:
    assert measurements.angle_degrees(((1, 0, 0), (0, 0, 0), (-1, 1e-9, 0))) == pytest.approx(180)
    tiny = measurements.angle_degrees(((1, 0, 0), (0, 0, 0), (1, 1e-6, 0)))
    assert tiny == pytest.approx(np.degrees(1e-6), rel=1e-9)
    assert np.isnan(measurements.angle_degrees(((0, 0, 0), (0, 0, 0), (1, 0, 0))))


def test_that_an_ellipse_holds_the_area_of_an_ellipse() -> None:
    grid, layer, _ = build.layer_from_volume(phantom_head.volume("RAS"))
    drawn = Measurement("ellipse", ((-30.0, -40.0, 0.0), (30.0, 40.0, 0.0)), 2)
    assert measurements.region_statistics(drawn, layer, grid).area == pytest.approx(np.pi * 30 * 40, rel=0.02)


def test_that_the_state_of_a_viewer_comes_back_in_another(viewer: Any, make_viewer: Any, settle: Any) -> None:
    import json

    wheel(viewer.panes["axial"], 4, QPoint(70, 50), CTRL)
    viewer.scene.set_cursor((-11.0, 7.0, 3.0))
    viewer.scene.set_options(radiological=False, scale_bar=False)
    viewer.set_enlarged("axial")
    state = json.loads(json.dumps(viewer.state()))
    other = make_viewer()
    other.show_volume(phantom_head.volume("PIR"))
    other.restore(state)
    settle(0.1)
    viewer.panes["axial"].refresh()
    assert other.state() == viewer.state()
    one, two = (v.picture("axial", clean=True) for v in (viewer, other))
    assert one == two


def test_that_a_damaged_state_is_ignored_where_it_makes_no_sense(viewer: Any) -> None:
    before = viewer.state()
    nonsense = {"options": {"radiological": "yes", "tool": "saw"}, "panes": {"axial": {"zoom": -1, "centre": [1]}},
                "enlarged": "attic", "cursor": ["a", 1, 2], "volume": 3}  # fmt: skip
    viewer.restore(nonsense)
    viewer.restore({"panes": [], "cursor": [float("nan")] * 3})
    assert viewer.state() == before


def test_that_linked_viewers_share_cursor_zoom_and_convention_until_the_link_ends(
    viewer: Any, make_viewer: Any, settle: Any
) -> None:
    other = make_viewer()
    other.show_volume(phantom_head.volume("anisotropic"))
    link = viewer.link(other)
    viewer.scene.set_cursor((-20.0, 11.0, 8.0))
    assert other.scene.cursor == (-20.0, 11.0, 8.0)
    other.scene.set_cursor((5.0, 5.0, 5.0))
    assert viewer.scene.cursor == (5.0, 5.0, 5.0)
    wheel(viewer.panes["axial"], 3, QPoint(90, 90), CTRL)
    assert other.panes["axial"].view.zoom == pytest.approx(viewer.panes["axial"].view.zoom)
    assert other.panes["axial"].view.centre == pytest.approx(viewer.panes["axial"].view.centre)
    other.scene.set_options(radiological=False)
    assert not viewer.scene.options.radiological
    viewer.enlarge("sagittal")
    assert other.enlarged == "sagittal"
    link.end()
    viewer.scene.set_cursor((0.0, 0.0, 0.0))
    assert other.scene.cursor == (5.0, 5.0, 5.0)


def test_that_a_deleted_viewer_leaves_its_linked_one_usable(viewer: Any, make_viewer: Any, settle: Any) -> None:
    other = make_viewer()
    other.show_volume(phantom_head.volume("RAS"))
    viewer.link(other)
    other.dispose()
    viewer.scene.set_cursor((3.0, 3.0, 3.0))
    wheel(viewer.panes["axial"], 2, QPoint(40, 40), CTRL)
    settle(0.05)


def test_that_pictures_are_saved_clean_or_decorated_at_any_scale(viewer: Any) -> None:
    pane = viewer.panes["axial"]
    plain, clean, large = viewer.picture("axial"), viewer.picture("axial", clean=True), viewer.picture("axial", scale=3)
    assert (plain.width(), plain.height()) == (pane.width(), pane.height())
    assert (large.width(), large.height()) == (3 * pane.width(), 3 * pane.height())
    assert np.ptp(pixels(clean).astype(int), axis=2).max() == 0  # greys alone
    assert np.ptp(pixels(plain).astype(int), axis=2).max() > 100
    assert viewer.picture("all").width() == viewer.area.width()
    # As on the screen, but for which pixel a voxel's border falls on.
    off = np.abs(pixels(clean).astype(int) - pixels(pane._canvas.grab().toImage()))
    assert np.mean(off.max(axis=2) > 0) < 0.12
    assert np.mean(off.max(axis=2) > 30) < 0.02


def test_that_the_crosshair_stays_in_sight_when_another_pane_moves_it(viewer: Any, settle: Any) -> None:
    pane = viewer.panes["axial"]
    for _ in range(8):
        pane.zoom(1.5, QPointF(10, 10))
    viewer.scene.set_cursor((30.0, -40.0, 0.0))
    settle(0.05)
    x, y = pane.view.to_pixel(viewer.scene.cursor)
    assert 0 <= x <= pane.width()
    assert 0 <= y <= pane.height()


def test_that_scene_and_panes_of_a_deleted_viewer_are_gone(make_viewer: Any, settle: Any) -> None:
    from PySide6.QtCore import QCoreApplication, QEvent
    from shiboken6 import Shiboken

    made = make_viewer()
    made.show_volume(phantom_head.volume("RAS"))
    panes = list(made.panes.values())
    scene = made.scene
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not any(Shiboken.isValid(pane) for pane in panes)
    assert not Shiboken.isValid(scene)


def _mask_item() -> Any:
    from sensiview.analysis.items import Mask

    values, affine = phantom_head.labels("PIR")
    kept = 1.0 - (values == 1).astype(np.float32)
    return Mask(title="mask", values=kept.swapaxes(0, 2), axes=("z", "y", "x"), affine=affine)
