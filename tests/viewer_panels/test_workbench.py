"""The whole workbench: volumes, cases, keys, saved views, as the window's tab shows it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QInputDialog, QLabel, QMainWindow, QMenu, QToolButton, QTreeWidget

from sensiview.analysis.items import FieldMap, Mask
from sensiview.datasets.atlas import Atlas
from sensiview.datasets.volume import Volume
from sensiview.errors import DataError
from sensiview.gui.viewer import saved_views
from sensiview.gui.viewer.panels.commands import KEYS
from sensiview.gui.viewer.panels.opening import Case
from sensiview.gui.viewer.workbench import ViewerWorkbench
from sensiview.numerics.volume_inputs import to_zyx

pytestmark = pytest.mark.needs_display

AFFINE = np.array([[-2.0, 0, 0, 19], [0, 2, 0, -23], [0, 0, 3, -22.5], [0, 0, 0, 1]])  # LAS
SHAPE = (20, 24, 16)


def volume(name: str = "sub-01", seed: int = 0, affine: Any = AFFINE) -> Volume:
    values = np.random.default_rng(seed).integers(100, 900, SHAPE).astype(np.int16)
    return Volume(values, np.asarray(affine, dtype=np.float64), name=name)


def blob(**more: Any) -> FieldMap:
    values = np.zeros(SHAPE, dtype=np.float32)
    values[4:7, 5:8, 3:6] = -2.0
    values[14, 16, 10] = 5.0
    return FieldMap(
        title="Gradient", values=to_zyx(values), axes=("z", "y", "x"), affine=AFFINE, signed=True, unit="logit", **more
    )


def atlas(name: str = "two regions", shift: float = 0.0) -> Atlas:
    labels = np.zeros(SHAPE, dtype=np.int32)
    labels[3:8, 4:9, 2:7], labels[13:16, 15:18, 9:12] = 1, 2
    affine = AFFINE.copy()
    affine[0, 3] += shift
    return Atlas(labels, affine, {1: "Hippocampus_R", 2: "Amygdala_L"}, name=name, source="memory")


@pytest.fixture
def bench(qapp: Any, shown: Any) -> ViewerWorkbench:
    made: ViewerWorkbench = shown(ViewerWorkbench(canvas="pyqtgraph"), 1000, 700)
    return made


def title(bench: ViewerWorkbench) -> str:
    return str(bench.findChild(QLabel, "viewer_title").text())


def notice(bench: ViewerWorkbench) -> str:
    return str(bench.findChild(QLabel, "workbench_notice").text())


class Store:
    """Keeps views as a project does."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {"window layout": {}}

    def views(self) -> list[str]:
        return sorted(self.kept)

    def save_view(self, name: str, value: Any) -> None:
        import json

        self.kept[name] = json.loads(json.dumps(value))

    def load_view(self, name: str) -> Any:
        return self.kept[name]

    def delete_view(self, name: str) -> None:
        self.kept.pop(name, None)


def test_that_a_volume_is_shown_at_once_with_its_maps(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume(), title="Patient 7", overlays=[("Grad-CAM", blob())])
    assert title(bench) == "Patient 7"
    assert [(la.name, la.role) for la in bench.scene.layers] == [("sub-01", "underlay"), ("Grad-CAM", "overlay")]
    bench.commands.go_to_peak()


def test_that_the_peak_key_leads_to_the_peak_and_the_read_out_tells_the_file_voxel(
    bench: ViewerWorkbench, wait_until: Any
) -> None:
    bench.show_volume(volume(), overlays=[("Grad-CAM", blob())])
    bench.viewer.panes["axial"].setFocus()
    QTest.keyClick(bench.viewer.panes["axial"].overlay, Qt.Key.Key_P)
    wait_until(lambda: bench.scene.file_voxel == (14, 16, 10), timeout=30)
    assert "Grad-CAM 5 logit" in bench.readout.text()


def test_that_an_atlas_stays_for_the_next_volume_and_one_that_does_not_fit_is_named(
    bench: ViewerWorkbench, wait_until: Any
) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())], atlas=atlas())
    wait_until(lambda: any(la.role == "atlas" for la in bench.scene.layers), timeout=30)
    assert [la.role for la in bench.scene.layers] == ["underlay", "atlas", "overlay"]
    bench.show_volume(volume("sub-02", 1), title="sub-02")
    wait_until(lambda: title(bench) == "sub-02", timeout=30)
    assert [la.role for la in bench.scene.layers] == ["underlay", "atlas"]
    far = AFFINE.copy()
    far[:3, 3] += 4000
    bench.show_volume(volume("far", affine=far), title="far")
    wait_until(lambda: title(bench) == "far", timeout=30)
    assert [la.role for la in bench.scene.layers] == ["underlay"]
    assert "'two regions' is not shown" in notice(bench)


def test_that_the_segmentation_of_one_head_is_not_shown_over_another_grid(
    bench: ViewerWorkbench, wait_until: Any
) -> None:
    bench.show_volume(volume(), title="sub-01")
    bench.side.atlas.put(atlas("own regions"))
    beside = AFFINE.copy()
    beside[:3, 3] += 3  # well inside: only the grid tells that it is another head
    bench.show_volume(volume("sub-02", affine=beside), title="sub-02")
    wait_until(lambda: title(bench) == "sub-02", timeout=30)
    assert [la.role for la in bench.scene.layers] == ["underlay"]
    assert "'own regions' is not shown" in notice(bench)
    bench.show_volume(volume(), title="sub-01")
    wait_until(lambda: title(bench) == "sub-01", timeout=30)
    assert [la.role for la in bench.scene.layers] == ["underlay", "atlas"]


def test_that_a_typed_place_gives_the_keys_back_to_the_panes(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume())
    bench.activateWindow()
    QTest.keyClick(bench, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    field = bench.side.go_to.field
    QTest.keyClicks(field, "2 4 3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert bench.scene.cursor == (2.0, 4.0, 3.0)
    assert bench.window().focusWidget() is bench.viewer.panes["axial"].overlay


def test_that_looks_go_on_from_case_to_case_but_not_an_mr_window(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.scene.set_look("map0", threshold=3.0, opacity=0.4)
    bench.scene.set_look("volume", low=0.0, high=10.0, interpolate=True)
    brighter = volume("sub-02", 1)
    bench.show_volume(Volume((brighter.raw * 3).astype(np.int16), AFFINE, name="sub-02"), overlays=[("Map", blob())])
    assert bench.scene.layer("map0").look.threshold == 3.0
    assert bench.scene.layer("map0").look.opacity == 0.4
    look = bench.scene.layer("volume").look
    assert look.interpolate
    assert look.high > 2000


def test_that_cases_are_opened_in_the_background_and_the_last_one_asked_for_wins(
    bench: ViewerWorkbench, wait_until: Any
) -> None:
    slow = threading.Event()
    threads: list[bool] = []

    def open_case(index: int) -> Volume | Case:
        threads.append(threading.current_thread() is threading.main_thread())
        if index == 0:
            slow.wait(5)
        if index == 2:
            raise DataError("The file of sub-2 is damaged. Choose another one.")
        made = volume(f"sub-{index}", index)
        return Case(made, f"Case {index}", (("Map", blob()),)) if index == 3 else made

    asked: list[int] = []
    bench.case_changed.connect(asked.append)
    bench.set_cases(["sub-0", "sub-1", "sub-2", "sub-3"], ["AD", "CN", "AD", "CN"], None, open_case)
    bench.choose_case(0)
    assert title(bench) == "sub-0 …"
    bench.choose_case(1)
    wait_until(lambda: title(bench) == "sub-1", timeout=30)
    slow.set()
    QTest.keyClick(bench, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: "damaged" in notice(bench), timeout=30)
    assert title(bench) == "sub-1"  # what is still on the screen
    QTest.keyClick(bench, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    wait_until(lambda: title(bench) == "Case 3", timeout=30)
    assert notice(bench) == ""
    assert asked == [0, 1, 2, 3]
    assert not any(threads)
    assert len(bench.scene.layers) == 2


def test_that_undo_is_about_the_view_while_the_viewer_has_the_keys(qapp: Any, shown: Any, wait_until: Any) -> None:
    window = QMainWindow()
    undone: list[str] = []
    action = QAction("Undo", window)
    action.setShortcut(QKeySequence.StandardKey.Undo)
    action.triggered.connect(lambda: undone.append("project"))
    window.addAction(action)
    bench = ViewerWorkbench(canvas="pyqtgraph")
    window.setCentralWidget(bench)
    shown(window, 900, 600)
    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.scene.set_look("map0", threshold=4.0)
    window.activateWindow()
    bench.viewer.panes["axial"].setFocus()
    QTest.keyClick(bench.viewer.panes["axial"].overlay, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.scene.layer("map0").look.threshold != 4.0
    assert undone == []
    assert bench.findChild(QToolButton, "view_redo").toolTip().startswith("Redo look of Map")
    QTest.keyClick(bench, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert bench.scene.layer("map0").look.threshold == 4.0


def test_that_keys_lead_to_fields_and_panels(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.activateWindow()
    QTest.keyClick(bench, Qt.Key.Key_T)
    assert bench.side.isHidden()
    QTest.keyClick(bench, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert not bench.side.isHidden()
    assert bench.side.currentWidget() is bench.side.places
    QTest.keyClick(bench, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    sheet = bench.findChild(QDialog, "viewer_shortcuts_dialog")
    tree = sheet.findChild(QTreeWidget, "viewer_shortcut_list")
    groups = [tree.topLevelItem(n).text(0) for n in range(tree.topLevelItemCount())]
    assert "Mouse" in groups
    assert tree.topLevelItem(tree.topLevelItemCount() - 1).childCount() == len(KEYS)
    sheet.search.setText("radiological")
    assert sum(not tree.topLevelItem(n).isHidden() for n in range(tree.topLevelItemCount())) == 1
    sheet.close()


def test_that_no_key_means_two_things() -> None:
    from sensiview.gui.viewer.shortcut_table import SHORTCUTS

    keys = [key for entry in SHORTCUTS for key in entry.keys] + [key for _, ours in KEYS.values() for key in ours]
    said = [QKeySequence(key).toString() for key in keys]
    assert len(said) == len(set(said))


def view_menu(bench: ViewerWorkbench) -> dict[str, QAction]:
    menu = bench.findChild(QMenu, "saved_views_menu")
    menu.aboutToShow.emit()
    found = {a.objectName(): a for a in menu.actions()}
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            found.update({a.objectName(): a for a in inner.actions()})
    return found


def test_that_a_view_is_saved_and_comes_back_whole(bench: ViewerWorkbench) -> None:
    from sensiview.gui.viewer.scene import Measurement

    bench.show_volume(volume(), title="sub-01", overlays=[("Map", blob()), ("Second", blob())])
    assert not view_menu(bench)["save_view"].isEnabled()
    store = Store()
    bench.pictures.set_store(store, "cohort/sub-01")
    scene = bench.scene
    scene.set_cursor((1.0, 3.0, 4.5))
    scene.set_look("map0", threshold=3.5, colour_map="green_violet", visible=False)
    scene.move_layer("map1", 1)
    scene.set_options(radiological=False)
    scene.add_measurement(Measurement("length", ((0, 0, 0), (3, 4, 0)), 2, "tumour"))
    view_menu(bench)["save_view"].trigger()
    dialog = bench.findChild(QInputDialog, "view_name_dialog")
    dialog.setTextValue("Ränge & <b>links</b>")
    dialog.accept()
    kept = scene.layer("map0").look
    scene.set_cursor((-5.0, -5.0, -4.5))
    scene.set_look("map0", threshold=0.0, colour_map="hot", visible=True)
    scene.move_layer("map1", 2)
    scene.set_options(radiological=True)
    scene.set_measurements(())
    view_menu(bench)["view_Ränge & <b>links</b>"].trigger()
    assert scene.cursor == (1.0, 3.0, 4.5)
    assert scene.layer("map0").look == kept
    assert [la.key for la in scene.layers] == ["volume", "map1", "map0"]
    assert not scene.options.radiological
    assert scene.measurements[0].text == "tumour"
    assert notice(bench) == ""
    bench.show_volume(volume("sub-02"), title="sub-02", overlays=[("Map", blob())])
    bench.pictures.set_store(store, "cohort/sub-02")
    view_menu(bench)["view_Ränge & <b>links</b>"].trigger()
    assert notice(bench) == "'Ränge & <b>links</b>' was saved of sub-01. Not shown here: Second."
    view_menu(bench)["delete_view_Ränge & <b>links</b>"].trigger()
    assert store.views() == ["window layout"]


def test_that_a_damaged_or_newer_view_changes_nothing_it_should_not(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())])
    scene = bench.scene
    before = scene.layers
    strange = {
        "layers": [{"key": "map0", "role": "overlay", "look": {"opacity": "much", "low": float("nan"), "signed": 3,
                    "only": ["x"], "unknown": 1}}, 7, {"name": None}],
        "measurements": [{"kind": "length", "points": [[1, 2]], "axis": 2}, {"kind": "x"}, None,
                         {"kind": "angle", "points": [["a", 1, 2]] * 3, "axis": 1}],
        "viewer": {"cursor": "here", "options": {"radiological": "no"}, "panes": 3}, "active": 5,
    }  # fmt: skip
    saved_views.apply_view(bench.viewer, strange)
    assert scene.layers == before
    assert scene.measurements == ()
    saved_views.apply_view(bench.viewer, {"layers": "all", "viewer": None})
    with pytest.raises(DataError, match="newer version"):
        saved_views.apply_view(bench.viewer, {"version": 99})
    said: list[Any] = []
    bench.problem.connect(said.append)
    store = Store()
    store.kept["viewer: odd"] = [1, 2]
    bench.pictures.set_store(store, "x")
    bench.pictures.open_view("odd")
    assert "can't be read" in said[0].sentence


def test_that_the_workbench_remembers_its_arrangement(bench: ViewerWorkbench, shown: Any) -> None:
    import json

    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.side.open_tab("histogram")
    bench._splitter.moveSplitter(600, 1)  # as the user drags it
    state = json.loads(json.dumps(bench.state()))
    other = shown(ViewerWorkbench(canvas="pyqtgraph"), 1000, 700)
    other.restore(state)
    assert abs(other._splitter.sizes()[1] - bench._splitter.sizes()[1]) <= 2
    assert other.side.currentWidget() is other.side.histogram
    other.restore({"splitter": ["a"], "side": 4, "viewer": None, "side_hidden": "yes"})


def test_that_the_picture_is_copied(bench: ViewerWorkbench) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.commands.copy_picture()
    assert QGuiApplication.clipboard().image().width() > 200


def test_that_oblique_volumes_masks_and_bad_maps_are_shown_or_named(bench: ViewerWorkbench, wait_until: Any) -> None:
    turned = AFFINE.copy()
    c, s = np.cos(0.3), np.sin(0.3)
    turned[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ turned[:3, :3]
    mask = Mask(title="Mask", values=np.full(SHAPE[::-1], 0.25), axes=("z", "y", "x"), affine=turned)
    flat = FieldMap(title="Flat", values=np.zeros((4, 5)), axes=("y", "x"))
    bench.show_volume(volume(affine=turned), title="oblique", overlays=[("Mask", mask), ("Flat", flat)])
    wait_until(lambda: title(bench) == "oblique", timeout=30)
    assert bench.scene.grid.resampled
    assert [la.role for la in bench.scene.layers] == ["underlay", "mask"]
    assert "a volume has z, y, x" in notice(bench)
    singular = AFFINE.copy()
    singular[:3, 1] = 0
    said: list[Any] = []
    bench.problem.connect(said.append)
    bench.show_volume(volume(affine=singular), title="nowhere")
    wait_until(lambda: said, timeout=30)
    assert title(bench) == "oblique"


def test_that_a_right_click_offers_what_one_does_at_a_place(bench: ViewerWorkbench, qapp: Any) -> None:
    bench.show_volume(volume(), overlays=[("Map", blob())])
    bench.side.atlas.put(atlas())
    overlay = bench.viewer.panes["coronal"].overlay
    bench.scene.set_cursor(tuple(float(v) for v in (AFFINE @ [5, 6, 4, 1])[:3]))
    middle = overlay.rect().center()
    QTest.mousePress(overlay, Qt.MouseButton.RightButton, pos=middle)
    QTest.mouseRelease(overlay, Qt.MouseButton.RightButton, pos=middle)
    menu = bench.findChild(QMenu, "pane_menu")
    offered = {action.objectName(): action for action in menu.actions() if not action.isSeparator()}
    assert offered["pane_copy_region"].text() == "Copy region: Hippocampus_R"
    assert offered["pane_enlarge_coronal"].text() == "Enlarge this pane\t3"
    offered["pane_copy_region"].trigger()
    assert QGuiApplication.clipboard().text() == "Hippocampus_R"
    offered["pane_copy_picture"].trigger()
    assert QGuiApplication.clipboard().image().size() == bench.viewer.panes["coronal"].size()
    offered["pane_enlarge_coronal"].trigger()
    assert bench.viewer.enlarged == "coronal"
    menu.close()


def test_that_numbers_stay_whole_in_a_narrow_read_out(bench: ViewerWorkbench, settle: Any) -> None:
    bench.show_volume(volume("a volume with a very long name of its own"), overlays=[("Another long name", blob())])
    bench.scene.set_cursor(tuple(float(v) for v in (AFFINE @ [14, 16, 10, 1])[:3]))
    value = bench.scene.layer("volume").value_at(bench.scene.cursor, bench.scene.grid)
    label = bench.readout.findChild(QLabel, "readout_values")
    for width in (1400, 1000, 760, 620):
        bench.resize(width, 600)
        settle(0.05)
        assert f" {value:g}" in label.text()
        assert "5 logit" in label.text()
        assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width(), width


def test_that_a_view_of_another_case_opens_that_case(bench: ViewerWorkbench, wait_until: Any) -> None:
    store, names = Store(), ["sub-01", "sub-02"]
    bench.case_changed.connect(lambda index: bench.pictures.set_store(store, f"cohort/{names[index]}"))
    bench.set_cases(names, open_case=lambda index: volume(names[index], index))
    bench.choose_case(1)
    wait_until(lambda: title(bench) == "sub-02", timeout=30)
    bench.scene.set_cursor((4.0, 6.0, 6.0))
    bench.scene.set_look("volume", inverted=True)
    bench.pictures.save_view("odd")
    bench.choose_case(0)
    wait_until(lambda: title(bench) == "sub-01", timeout=30)
    bench.scene.set_cursor((0.0, 0.0, 0.0))
    bench.scene.set_look("volume", inverted=False)
    bench.pictures.open_view("odd")
    wait_until(lambda: title(bench) == "sub-02", timeout=30)
    assert bench.scene.cursor == (4.0, 6.0, 6.0)
    assert bench.scene.layer("volume").look.inverted
    assert notice(bench) == ""
