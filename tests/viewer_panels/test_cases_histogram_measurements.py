"""The list of cases, the histogram, and the table of measurements."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QTableWidget, QToolButton

from sensiview.gui.viewer.panels.case_list import SUBTITLE
from sensiview.gui.viewer.panels.cases import CasesPanel
from sensiview.gui.viewer.panels.histogram import HistogramPanel, count
from sensiview.gui.viewer.panels.measurements import MeasurementsPanel
from sensiview.gui.viewer.scene import Measurement, Scene

pytestmark = pytest.mark.needs_display

NAMES = ("sub-01", "sub-02", "Größe <b>3</b>", "sub-10")
CLASSES = ("AD", "CN", "AD", "CN")
GROUPS = ("fold 1", "fold 1", "fold 2", "")


@pytest.fixture
def cases(shown: Any) -> CasesPanel:
    made: CasesPanel = shown(CasesPanel(), 300, 400)
    made.set_cases(NAMES, CLASSES, GROUPS)
    return made


def shown_names(panel: CasesPanel) -> list[str]:
    return [panel.model.index(row).data() for row in range(panel.model.rowCount())]


def press(panel: Any, name: str) -> None:
    QTest.mouseClick(panel.findChild(QToolButton, name), Qt.MouseButton.LeftButton)


def test_that_cases_are_stepped_through_and_stop_at_the_ends(cases: CasesPanel) -> None:
    asked: list[int] = []
    cases.case_wanted.connect(asked.append)
    for _ in range(6):
        cases.step(1)
    assert asked == [0, 1, 2, 3]
    assert not cases.next.isEnabled()
    press(cases, "previous_case")
    assert asked[-1] == 2
    assert cases.findChild(QLabel, "cases_count").text() == "3 of 4"
    assert cases.list.currentIndex().data() == NAMES[2]


def test_that_the_filter_looks_at_name_class_and_group(cases: CasesPanel) -> None:
    cases.filter.setText("ad fold")
    assert shown_names(cases) == ["sub-01", "Größe <b>3</b>"]
    assert cases.findChild(QLabel, "cases_count").text() == "2 cases (4 in all)"
    cases.step(1)
    cases.step(1)
    assert cases.current() == 2
    assert cases.list.currentIndex().data(SUBTITLE) == "AD · fold 2"


def test_that_marks_are_kept_by_name(cases: CasesPanel) -> None:
    cases.choose(1)
    QTest.keyClick(cases.list, Qt.Key.Key_M)
    cases.only_marked.setChecked(True)
    assert shown_names(cases) == ["sub-02"]
    other = CasesPanel()
    other.set_cases(NAMES[::-1], CLASSES, GROUPS)
    asked: list[int] = []
    other.case_wanted.connect(asked.append)
    other.restore(cases.state())
    assert other.model.marked == {"sub-02"}
    assert asked == [2]
    other.deleteLater()


def test_that_only_cases_on_the_screen_get_thumbnails_away_from_the_gui_thread(shown: Any, wait_until: Any) -> None:
    made: list[tuple[int, bool]] = []

    def provider(case: int) -> np.ndarray[Any, Any] | None:
        made.append((case, threading.current_thread() is threading.main_thread()))
        if case == 1:
            raise ValueError("broken file")
        return np.arange(64, dtype=np.float32).reshape(8, 8) if case else None

    panel = CasesPanel()
    panel.set_cases([f"case {n}" for n in range(500)], thumbnails=provider)
    shown(panel, 300, 300)
    wait_until(lambda: len(made) >= 4 and not panel.model._running and not panel.model._wanted)
    assert len(made) < 30
    assert not any(main for _, main in made)
    assert panel.model.index(2).data(Qt.ItemDataRole.DecorationRole).width() == 8
    assert panel.model.index(1).data(Qt.ItemDataRole.DecorationRole) is None


def test_that_an_empty_cohort_offers_nothing(shown: Any) -> None:
    panel = shown(CasesPanel(), 300, 300)
    panel.set_cases(())
    panel.step(1)
    assert panel.current() == -1
    assert not panel.next.isEnabled()
    assert panel.findChild(QLabel, "cases_count").text() == "0 cases"


def test_that_lines_of_the_histogram_are_the_look_of_the_active_layer(
    scene: Scene, shown: Any, wait_until: Any
) -> None:
    scene.set_active("t1")
    panel = shown(HistogramPanel(scene), 340, 260)
    wait_until(lambda: panel._counts is not None)
    assert panel.low.value() == 200.0
    panel.high.setValue(640.0)
    assert scene.layer("t1").look.high == 640.0
    panel.low.setValue(9999.0)  # past the other end: stays
    assert scene.layer("t1").look.low == 200.0
    assert panel.low.value() == 200.0
    assert not panel.threshold.isVisible()
    scene.set_active("gcam")
    wait_until(lambda: "zeros" in panel.findChild(QLabel, "histogram_note").text())
    assert panel.negative.isVisible()
    panel.negative.setValue(-2.0)
    assert scene.layer("gcam").look.threshold == 2.0
    assert panel.threshold.value() == 2.0
    panel.low.setValue(-3.0)
    assert scene.layer("gcam").look.high == 3.0
    scene.set_look("gcam", high=4.0)
    assert (panel.low.value(), panel.high.value()) == (-4.0, 4.0)
    panel.findChild(QCheckBox, "histogram_log").click()


def test_that_every_voxel_is_counted_once(scene: Scene) -> None:
    found, edges, zeros = count(scene.layer("t1"))
    assert (int(found.sum()), zeros) == (scene.layer("t1").array.size, 0)
    assert (edges[0], edges[-1]) == (200.0, 899.0)
    found, _, zeros = count(scene.layer("gcam"))
    assert (int(found.sum()), zeros) == (35, scene.layer("gcam").array.size - 35)


def test_that_a_constant_or_empty_layer_has_a_histogram(scene: Scene) -> None:
    from dataclasses import replace

    layer = scene.layer("t1")
    for array in (np.full((3, 3, 3), 7.0), np.zeros((3, 3, 3)), np.full((3, 3, 3), np.nan)):
        found, edges, _ = count(replace(layer, array=array))
        assert edges[-1] > edges[0]
        assert found.sum() in (0, 27)


@pytest.fixture
def measured(scene: Scene, shown: Any) -> MeasurementsPanel:
    scene.set_active("t1")
    made: MeasurementsPanel = shown(MeasurementsPanel(scene), 420, 300)
    scene.set_measurements(
        (
            Measurement("length", ((-19.0, -23.0, -22.5), (-16.0, -19.0, -22.5)), 2),
            Measurement("angle", ((1.0, 0, 0), (0.0, 0, 0), (0.0, 1.0, 0)), 2, "corner"),
            Measurement("rectangle", ((-19.0, -23.0, -22.5), (-15.0, -19.0, -22.5)), 2),
        )
    )
    return made


def texts(panel: MeasurementsPanel, column: int) -> list[str]:
    table = panel.findChild(QTableWidget, "measurements_table")
    found = []
    for row in range(table.rowCount()):
        item = table.item(row, column)
        assert item is not None
        found.append(item.text())
    return found


def test_that_measurements_are_listed_with_their_units(measured: MeasurementsPanel, scene: Scene) -> None:
    assert texts(measured, 0) == ["Length", "Angle", "Rectangle"]
    length, angle, area = texts(measured, 1)
    assert (length, angle) == ("5.0 mm", "90.0°")
    voxels = np.asarray(scene.layer("t1").array)[:3, :3, 0].astype(float)
    assert area.startswith(f"{voxels.mean():.1f} ± ")
    assert area.endswith("108 mm³")
    frame = measured.frame()
    assert frame["deviation"].iloc[2] == pytest.approx(voxels.std(ddof=1))
    measured.copy()
    assert QGuiApplication.clipboard().text().count("\n") == 4


def test_that_a_row_leads_to_its_place_and_its_comment_is_kept(measured: MeasurementsPanel, scene: Scene) -> None:
    table = measured.findChild(QTableWidget, "measurements_table")
    table.setCurrentCell(0, 0)
    assert scene.cursor == (-17.5, -21.0, -22.5)
    table.item(0, 3).setText(" left ventricle ")
    assert scene.measurements[0].text == "left ventricle"


def test_that_measurements_are_removed(measured: MeasurementsPanel, scene: Scene) -> None:
    table = measured.findChild(QTableWidget, "measurements_table")
    table.selectRow(1)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [m.kind for m in scene.measurements] == ["length", "rectangle"]
    press(measured, "clear_measurements")
    assert scene.measurements == ()
    assert measured.findChild(QLabel, "measurements_empty").isVisible()
