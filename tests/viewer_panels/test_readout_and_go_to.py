"""The line that says where the cursor is, and the field that takes it elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QToolButton

from sensiview.gui.viewer.panels.go_to import GoTo
from sensiview.gui.viewer.panels.readout import Readout
from sensiview.gui.viewer.scene import Scene

pytestmark = pytest.mark.needs_display


def text_of(widget: Any, name: str) -> str:
    return str(widget.findChild(QLabel, name).text())


def test_that_the_read_out_says_place_voxel_values_and_region(scene: Scene, shown: Any) -> None:
    line = shown(Readout(scene), 900, 30)
    scene.set_cursor(scene.grid.mm((5, 6, 4)))
    assert text_of(line, "readout_place") == "L 9.0  P 11.0  I 10.5 mm"
    assert text_of(line, "readout_voxel") == "(14, 6, 4)"
    assert "Grad-CAM 3 logit" in text_of(line, "readout_values")
    assert "brain T1" in text_of(line, "readout_values")
    assert text_of(line, "readout_region") == "Hippocampus_L"
    scene.set_look("gcam", visible=False)
    assert "Grad-CAM" not in text_of(line, "readout_values")
    scene.set_cursor(scene.grid.mm((0, 0, 0)))
    assert text_of(line, "readout_region") == "no region"


def test_that_the_read_out_can_be_copied(scene: Scene, shown: Any) -> None:
    line = shown(Readout(scene), 900, 30)
    scene.set_cursor((-9.0, -11.0, -10.5))
    line.findChild(QAction, "copy_position").trigger()
    assert QGuiApplication.clipboard().text() == "-9.0 -11.0 -10.5"
    line.findChild(QAction, "copy_readout").trigger()
    assert QGuiApplication.clipboard().text().split("\t")[1] == "(14, 6, 4)"


def test_that_typed_coordinates_move_the_cursor_and_nonsense_says_why(scene: Scene, shown: Any) -> None:
    panel = shown(GoTo(scene))
    field = panel.findChild(QLineEdit, "go_to_field")
    QTest.keyClicks(field, "L9 P11 I10.5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert scene.cursor == (-9.0, -11.0, -10.5)
    field.setText("far away")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "not a place" in text_of(panel, "go_to_answer")
    assert panel.findChild(QLabel, "go_to_answer").isVisible()
    assert scene.cursor == (-9.0, -11.0, -10.5)
    panel.findChild(QComboBox, "go_to_units").setCurrentText("voxel")
    field.setText("4 6 3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert scene.file_voxel == (4, 6, 3)
    assert not panel.findChild(QLabel, "go_to_answer").isVisible()


def test_that_places_of_the_menu_are_reached(scene: Scene, shown: Any, wait_until: Any) -> None:
    panel = shown(GoTo(scene))
    menu = panel.findChild(QToolButton, "go_to_places").menu()
    menu.aboutToShow.emit()
    actions = {action.objectName(): action for action in menu.actions()}
    actions["go_to_peak_gcam"].trigger()
    wait_until(lambda: scene.cursor_voxel == (15, 17, 11))
    assert text_of(panel, "go_to_answer") == "Peak of Grad-CAM: -5 logit"
    actions["go_to_centre"].trigger()
    assert scene.cursor == scene.grid.centre
    actions["go_to_origin"].trigger()
    assert scene.cursor == (0.0, 0.0, 0.0)


def test_that_arrows_step_through_regions_clusters_and_peaks(scene: Scene, shown: Any, wait_until: Any) -> None:
    panel = shown(GoTo(scene))
    what = panel.findChild(QComboBox, "step_through")
    offered = [what.itemText(n) for n in range(what.count())]
    assert offered == ["Regions of AAL", "Clusters of Grad-CAM", "Local peaks of Grad-CAM"]
    after, before = panel.findChild(QToolButton, "next_landmark"), panel.findChild(QToolButton, "previous_landmark")
    visited = []
    for button in (after, after, after, after, before):
        seen = text_of(panel, "go_to_answer")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        wait_until(lambda seen=seen: text_of(panel, "go_to_answer") not in (seen, "Searching …"))
        visited.append(text_of(panel, "go_to_answer"))
    assert visited == ["Hippocampus_L", "Amygdala_R", "Thalamus_L", "Hippocampus_L", "Thalamus_L"]
    what.setCurrentIndex(1)
    QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    wait_until(lambda: text_of(panel, "go_to_answer") == "Cluster 1 of 2: 3 logit")
    assert scene.cursor_voxel == (5, 6, 4)
    scene.set_look("gcam", threshold=40.0)
    QTest.mouseClick(after, Qt.MouseButton.LeftButton)
    wait_until(lambda: "nothing above its threshold" in text_of(panel, "go_to_answer"))


def test_that_a_scene_without_maps_has_nothing_to_step_through(scene: Scene, shown: Any) -> None:
    panel = shown(GoTo(scene))
    scene.remove_layer("gcam")
    scene.remove_layer("aal")
    assert not panel.findChild(QToolButton, "next_landmark").isEnabled()
    panel.step(1)
    assert "no map" in text_of(panel, "go_to_answer")
