"""The list of layers and the controls of the chosen one, driven as a user does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QInputDialog, QLabel, QSlider, QToolButton

from sensiview.gui.viewer.panels.layers import LayersPanel
from sensiview.gui.viewer.panels.windows import PRESETS, auto_range, modality_of
from sensiview.gui.viewer.scene import Layer, Look, Scene

pytestmark = pytest.mark.needs_display


@pytest.fixture
def panel(scene: Scene, shown: Any) -> LayersPanel:
    made: LayersPanel = shown(LayersPanel(scene))
    return made


def names(panel: LayersPanel) -> list[str]:
    model = panel.list.layers
    return [model.index(row).data() for row in range(model.rowCount())]


def keys(scene: Scene) -> list[str]:
    return [layer.key for layer in scene.layers]


def box(panel: LayersPanel, name: str) -> Any:
    return panel.findChild(QDoubleSpinBox, name)


def menu_of(panel: LayersPanel, button: str) -> dict[str, Any]:
    menu = panel.findChild(QToolButton, button).menu()
    menu.aboutToShow.emit()
    found, open_menus = {}, [menu]
    while open_menus:
        for action in open_menus.pop().actions():
            if action.menu() is not None:
                open_menus.append(action.menu())
            found[action.objectName()] = action
    return found


def test_that_the_top_layer_is_listed_first_and_dragging_moves_it_in_the_scene(
    panel: LayersPanel, scene: Scene
) -> None:
    assert names(panel) == ["AAL", "Grad-CAM", "brain T1"]
    model = panel.list.layers
    data = model.mimeData([model.index(0)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 3, 0, QModelIndex())
    assert names(panel) == ["Grad-CAM", "brain T1", "AAL"]
    assert keys(scene) == ["aal", "t1", "gcam"]
    assert not model.dropMimeData(QMimeData(), Qt.DropAction.MoveAction, 0, 0, QModelIndex())


def test_that_alt_and_arrows_move_a_layer_and_it_stays_chosen(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    QTest.keyClick(panel.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert keys(scene) == ["gcam", "t1", "aal"]
    assert panel.list.current_key() == "gcam"
    QTest.keyClick(panel.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert keys(scene) == ["t1", "gcam", "aal"]


def test_that_the_eye_and_space_hide_and_alt_shows_alone(panel: LayersPanel, scene: Scene) -> None:
    rect = panel.list.visualRect(panel.list.layers.index(1))
    eye = QPoint(rect.left() + 14, rect.center().y())
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, eye)
    assert not scene.layer("gcam").look.visible
    panel.choose("gcam")
    QTest.keyClick(panel.list, Qt.Key.Key_Space)
    assert scene.layer("gcam").look.visible
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, eye)
    assert [layer.look.visible for layer in scene.layers] == [False, True, False]
    QTest.mouseClick(panel.findChild(QToolButton, "layer_solo"), Qt.MouseButton.LeftButton)
    assert all(layer.look.visible for layer in scene.layers)


def test_that_choosing_a_layer_makes_it_the_active_one_and_back(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    assert scene.active is not None
    assert scene.active.key == "gcam"
    scene.set_active("t1")
    assert panel.list.current_key() == "t1"
    assert panel.findChild(QLabel, "chosen_layer").text() == "brain T1"


def test_that_range_and_threshold_are_two_things(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    assert box(panel, "layer_low").value() == -5.0
    assert not box(panel, "layer_low").isEnabled()  # zero-centred: the upper end says both
    assert box(panel, "layer_high").suffix() == " logit"
    box(panel, "layer_high").setValue(3.0)
    box(panel, "layer_threshold").setValue(1.5)
    look = scene.layer("gcam").look
    assert (look.low, look.high, look.threshold) == (0.0, 3.0, 1.5)
    assert box(panel, "layer_low").value() == -3.0
    panel.findChild(QSlider, "layer_threshold_slider").setValue(100)
    assert scene.layer("gcam").look.threshold == 2.5


def test_that_an_end_of_the_range_pushes_the_other_one(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("t1")
    box(panel, "layer_low").setValue(2000.0)
    look = scene.layer("t1").look
    assert look.low == 2000.0
    assert look.high > look.low
    box(panel, "layer_high").setValue(100.0)
    look = scene.layer("t1").look
    assert look.high == 100.0
    assert look.low < 100.0


def test_that_opacity_colours_and_switches_reach_the_scene(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    panel.findChild(QSlider, "layer_opacity").setValue(35)
    panel.findChild(QCheckBox, "layer_alpha_by_magnitude").click()
    panel.findChild(QCheckBox, "layer_interpolate").click()
    colours = panel.findChild(QComboBox, "layer_colour_map")
    other = next(n for n in range(colours.count()) if colours.itemData(n) != "blue_red")
    colours.setCurrentIndex(other)
    colours.activated.emit(other)
    look = scene.layer("gcam").look
    assert look.opacity == 0.35
    assert look.alpha_by_magnitude
    assert look.interpolate
    assert look.colour_map == colours.itemData(other)
    assert panel.findChild(QLabel, "layer_opacity_text").text() == "35 %"


def test_that_zero_centring_takes_a_diverging_map_and_the_wider_side(panel: LayersPanel, scene: Scene) -> None:
    scene.set_look("gcam", signed=False, low=-5.0, high=3.0, colour_map="hot")
    panel.choose("gcam")
    panel.findChild(QCheckBox, "layer_signed").click()
    look = scene.layer("gcam").look
    assert (look.signed, look.low, look.high, look.colour_map) == (True, 0.0, 5.0, "blue_red")


def test_that_controls_without_effect_are_not_offered(panel: LayersPanel) -> None:
    panel.choose("aal")
    assert panel.findChild(QCheckBox, "layer_outline").isVisible()
    assert not box(panel, "layer_low").isVisible()
    assert not panel.findChild(QCheckBox, "layer_signed").isVisible()
    panel.choose("t1")
    assert box(panel, "layer_low").isVisible()
    assert not box(panel, "layer_threshold").isVisible()
    assert panel.findChild(QLabel, "layer_window_text").text() == "Window 700, level 550"


def test_that_windows_are_offered_by_modality_and_own_ones_are_kept(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("t1")
    menu_of(panel, "layer_windows")["window_full"].trigger()
    assert (scene.layer("t1").look.low, scene.layer("t1").look.high) == (200.0, 899.0)
    menu_of(panel, "layer_windows")["window_bone"].trigger()
    assert (scene.layer("t1").look.low, scene.layer("t1").look.high) == (-500.0, 1300.0)
    menu_of(panel, "layer_windows")["window_keep"].trigger()
    dialog = panel.findChild(QInputDialog, "window_name_dialog")
    dialog.setTextValue("My bone")
    dialog.accept()
    scene.set_look("t1", low=0.0, high=1.0)
    menu_of(panel, "layer_windows")["window_my_bone"].trigger()
    assert scene.layer("t1").look.high == 1300.0
    fresh = LayersPanel(scene)
    fresh.restore({**panel.state(), "unknown": 1})
    assert [p.name for p in fresh.own_presets] == ["My bone"]
    fresh.restore({"windows": [{"name": "x"}, 7, {"name": "y", "low": "a", "high": 2}]})
    assert fresh.own_presets == []
    fresh.deleteLater()


def test_that_reset_brings_back_a_fresh_look(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    scene.set_look("gcam", high=1.0, opacity=0.1, threshold=4.0, interpolate=True)
    QTest.mouseClick(panel.findChild(QToolButton, "layer_reset"), Qt.MouseButton.LeftButton)
    look = scene.layer("gcam").look
    assert (look.high, look.opacity, look.threshold, look.interpolate, look.signed) == (5.0, 0.8, 0.0, False, True)


def test_that_linked_layers_are_drawn_alike_but_hidden_alone(panel: LayersPanel, scene: Scene) -> None:
    from dataclasses import replace

    scene.set_layer(replace(scene.layer("gcam"), key="second", name="Occlusion"))
    for key in ("gcam", "second"):
        panel.choose(key)
        QTest.mouseClick(panel.findChild(QToolButton, "layer_link"), Qt.MouseButton.LeftButton)
    scene.set_look("gcam", threshold=2.0, high=4.0)
    assert (scene.layer("second").look.threshold, scene.layer("second").look.high) == (2.0, 4.0)
    scene.set_look("second", visible=False)
    assert scene.layer("gcam").look.visible
    menu_of(panel, "layer_more")["layer_unlink_all"].trigger()
    scene.set_look("gcam", threshold=1.0)
    assert scene.layer("second").look.threshold == 2.0


def test_that_layers_are_renamed_removed_and_shown_as_something_else(panel: LayersPanel, scene: Scene) -> None:
    panel.choose("gcam")
    model = panel.list.layers
    assert model.setData(model.index(model.row_of("gcam")), "  Änderung: <b>x</b> ")
    assert scene.layer("gcam").name == "Änderung: <b>x</b>"
    assert not model.setData(model.index(0), "   ")
    panel.choose("gcam")
    menu_of(panel, "layer_more")["layer_as_underlay"].trigger()
    assert scene.layer("gcam").role == "underlay"
    menu_of(panel, "layer_more")["layer_remove"].trigger()
    assert keys(scene) == ["t1", "aal"]
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    assert keys(scene) == []
    assert panel.findChild(QLabel, "chosen_layer").text() == "No layer"
    assert not panel.findChild(QToolButton, "layer_windows").isEnabled()


def test_that_every_control_has_a_name_for_people_who_do_not_see_it(panel: LayersPanel) -> None:
    for kind in (QToolButton, QComboBox, QSlider, QCheckBox, QDoubleSpinBox):
        for widget in panel.findChildren(kind):
            if not widget.objectName().startswith("qt_"):
                assert widget.accessibleName(), widget.objectName()


def test_that_auto_windows_ignore_air_and_what_is_not_finite(qapp: Any) -> None:
    values = np.concatenate([np.zeros(50_000), np.linspace(100, 300, 14_000)]).astype(np.float32)
    values[:5] = np.nan
    layer = Layer("a", "a", "underlay", values.reshape(40, 40, 40), Look(), value_range=(0.0, 300.0))
    low, high = auto_range(layer)
    assert 100 <= low < 103
    assert 297 < high <= 300
    assert auto_range(Layer("b", "b", "underlay", np.zeros((2, 2, 2)), Look(), value_range=(0.0, 0.0))) == (0.0, 1.0)


def test_that_the_modality_is_told_by_unit_and_values(scene: Scene) -> None:
    from dataclasses import replace

    t1 = scene.layer("t1")
    assert modality_of(t1) == "MR"
    assert modality_of(replace(t1, unit="HU")) == "CT"
    assert modality_of(replace(t1, value_range=(-1024.0, 3000.0))) == "CT"
    assert modality_of(scene.layer("gcam")) == "Map"
    brain = next(p for p in PRESETS if p.name == "Brain")
    assert (brain.low, brain.high, brain.width, brain.level) == (0, 80, 80, 40)
