"""The table of regions, the search in an atlas, and the way from both to the cursor and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QTableView, QToolButton

from sensiview.datasets.atlas import Atlas
from sensiview.errors import DataError
from sensiview.gui.viewer.panels.atlas import AtlasPanel
from sensiview.gui.viewer.panels.regions import RegionsPanel
from sensiview.gui.viewer.scene import Scene

pytestmark = pytest.mark.needs_display


@pytest.fixture
def panel(scene: Scene, shown: Any, wait_until: Any) -> RegionsPanel:
    made: RegionsPanel = shown(RegionsPanel(scene), 420, 500)
    wait_until(lambda: made.frame() is not None)
    return made


def view(panel: RegionsPanel) -> QTableView:
    found = panel.findChild(QTableView, "regions_table")
    assert isinstance(found, QTableView)
    return found


def column(panel: RegionsPanel, name: str) -> int:
    return panel.table.columns().index(name)


def cell(panel: RegionsPanel, row: int, name: str) -> str:
    return panel.table.texts(row)[column(panel, name)]


def test_that_regions_are_counted_for_the_map_and_the_strongest_comes_first(panel: RegionsPanel) -> None:
    assert panel.source.currentText() == "Grad-CAM in AAL"
    assert [cell(panel, row, "region") for row in range(4)] == [
        "Amygdala_R", "Hippocampus_L", "Thalamus_L", "outside the atlas",
    ]  # fmt: skip
    frame = panel.frame()
    assert frame is not None
    amygdala = frame.iloc[0]
    # Eight voxels of magnitude 4, one of them 5, in a region of 4 x 4 x 4 voxels of 12 mm3.
    assert amygdala["density"] == pytest.approx((7 * 4 + 5) / 64)
    assert amygdala["volume_mm3"] == pytest.approx(64 * 12)
    assert amygdala["peak"] == -5.0
    assert view(panel).isColumnHidden(column(panel, "peak_x"))
    assert not view(panel).isColumnHidden(column(panel, "volume_mm3"))


def test_that_a_click_on_a_row_leads_to_the_peak_of_its_region(panel: RegionsPanel, scene: Scene) -> None:
    table = view(panel)
    for row, voxel in ((0, (15, 17, 11)), (1, (5, 6, 4))):
        place = table.visualRect(table.model().index(row, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert scene.cursor_voxel == voxel


def test_that_a_region_without_map_is_entered_at_its_middle(panel: RegionsPanel, scene: Scene) -> None:
    view(panel).setCurrentIndex(view(panel).model().index(2, 0))
    assert scene.layer("aal").array[scene.cursor_voxel] == 7


def test_that_the_row_of_the_region_under_the_cursor_is_chosen(panel: RegionsPanel, scene: Scene) -> None:
    scene.set_cursor(scene.grid.mm((4, 5, 3)))
    assert cell(panel, view(panel).currentIndex().row(), "region") == "Hippocampus_L"
    assert scene.cursor_voxel == (4, 5, 3)  # choosing the row did not move the cursor
    panel.table.view.sortByColumn(column(panel, "region"), Qt.SortOrder.DescendingOrder)
    assert cell(panel, view(panel).currentIndex().row(), "region") == "Hippocampus_L"
    assert scene.cursor_voxel == (4, 5, 3)


def test_that_next_and_previous_go_round_in_the_order_of_the_table(panel: RegionsPanel, scene: Scene) -> None:
    panel.table.view.sortByColumn(column(panel, "region"), Qt.SortOrder.AscendingOrder)
    scene.set_cursor(scene.grid.mm((0, 0, 0)))
    view(panel).setCurrentIndex(view(panel).model().index(0, 0))
    QTest.mouseClick(panel.findChild(QToolButton, "next_region"), Qt.MouseButton.LeftButton)
    assert cell(panel, view(panel).currentIndex().row(), "region") == "Hippocampus_L"
    assert scene.cursor_voxel == (5, 6, 4)
    QTest.mouseClick(panel.findChild(QToolButton, "previous_region"), Qt.MouseButton.LeftButton)
    assert scene.cursor_voxel == (15, 17, 11)


def test_that_chosen_regions_alone_are_drawn_as_outlines(panel: RegionsPanel, scene: Scene) -> None:
    view(panel).selectRow(0)
    button = panel.findChild(QToolButton, "outline_regions")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert scene.layer("aal").look.only == (2,)
    assert scene.layer("aal").look.outline
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert scene.layer("aal").look.only == ()


def test_that_the_filter_narrows_and_the_table_is_copied_and_exported(
    panel: RegionsPanel, tmp_path: Path, wait_until: Any
) -> None:
    panel.findChild(QLineEdit, "regions_table_filter").setText("hippo")
    wait_until(lambda: view(panel).model().rowCount() == 1)
    panel.table.copy_all()
    assert "Hippocampus_L" in QGuiApplication.clipboard().text()
    QTest.mouseClick(panel.findChild(QToolButton, "export_regions"), Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog, "save_file_dialog")
    path = tmp_path / "regions.csv"
    dialog.fileSelected.emit(str(path))
    dialog.close()
    assert pd.read_csv(path)["region"][0] == "Amygdala_R"
    said: list[Any] = []
    panel.problem.connect(said.append)
    from sensiview.gui.viewer.panels.saving import write_frame

    write_frame(pd.DataFrame(), tmp_path / "no" / "such.csv", panel.problem.emit)
    assert "can't be read or written" in said[0].sentence


def test_that_the_table_of_a_run_leads_to_regions_by_name(panel: RegionsPanel, scene: Scene) -> None:
    frame = pd.DataFrame({"region": ["Thalamus_L", "Nowhere"], "density": [0.9, 0.1]})
    panel.show_result(frame, "Mask of group")
    assert panel.source.currentText() == "Mask of group"
    view(panel).setCurrentIndex(view(panel).model().index(0, 0))
    assert scene.layer("aal").array[scene.cursor_voxel] == 7
    before = scene.cursor
    view(panel).setCurrentIndex(view(panel).model().index(1, 0))
    assert scene.cursor == before
    panel.show_result(None)
    assert panel.source.currentText() == "Grad-CAM in AAL"


def test_that_without_an_atlas_the_table_says_what_to_do(panel: RegionsPanel, scene: Scene) -> None:
    scene.remove_layer("aal")
    assert panel.frame() is None
    assert "Load an atlas" in panel.findChild(QLabel, "regions_note").text()
    assert not panel.findChild(QToolButton, "export_regions").isEnabled()


def test_that_a_region_is_found_by_part_of_its_name(scene: Scene, shown: Any) -> None:
    panel = shown(AtlasPanel(scene), 340, 100)
    field = panel.findChild(QLineEdit, "region_search")
    QTest.keyClicks(field, "amyg")
    field.completer().popup().hide()
    field.returnPressed.emit()
    here = panel.findChild(QLabel, "atlas_here")
    assert not here.isVisible()  # the read-out says it
    assert scene.layer("aal").array[scene.cursor_voxel] == 2
    panel.go_to("cerebellum")
    assert here.text() == "AAL has no region 'cerebellum' on this volume."


def atlas_like(scene: Scene, shift: float = 0.0) -> Atlas:
    affine = scene.grid.affine.copy()
    affine[0, 3] += shift
    labels = np.asarray(scene.layer("aal").array).copy()
    return Atlas(labels, affine, {1: "One", 2: "Two", 7: "Seven"}, name="second", source="second.nii")


def test_that_several_atlases_speak_and_one_that_does_not_fit_is_refused(scene: Scene, shown: Any) -> None:
    panel = shown(AtlasPanel(scene), 340, 120)
    panel.put(atlas_like(scene))
    assert [layer.key for layer in scene.layers] == ["t1", "atlas:second", "gcam", "aal"]
    scene.set_cursor(scene.grid.mm((5, 6, 4)))
    assert panel.findChild(QLabel, "atlas_here").text() == "second: One (1)\nAAL: Hippocampus_L (1)"
    assert panel.which.isVisible()
    with pytest.raises(DataError):
        panel.put(atlas_like(scene, shift=5000.0))


def test_that_a_bad_atlas_file_is_answered_with_a_sentence(
    scene: Scene, shown: Any, tmp_path: Path, wait_until: Any
) -> None:
    panel = shown(AtlasPanel(scene), 340, 120)
    said: list[Any] = []
    panel.problem.connect(said.append)
    path = tmp_path / "nonsense.nii.gz"
    path.write_bytes(b"no volume")
    panel.open_file(path)
    wait_until(lambda: said)
    assert said[0].sentence
    assert panel.findChild(QLabel, "atlas_here").text() == said[0].sentence


def test_that_numbers_of_one_map_never_stand_under_the_name_of_another(
    panel: RegionsPanel, scene: Scene, wait_until: Any
) -> None:
    panel.hide()
    scene.remove_layer("gcam")
    assert panel.source.currentText() == "brain T1 in AAL"
    assert panel.frame() is None
    panel.show()
    wait_until(lambda: panel.frame() is not None, timeout=30)
    frame = panel.frame()
    assert frame is not None
    assert frame["density"].min() > 200
