"""Keys that the user chose: obeyed, shown everywhere, kept, and never given to two commands at one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton, QToolButton, QTreeWidget

from sensiview.datasets.volume import Volume
from sensiview.gui import key_bindings, rebindable
from sensiview.gui.viewer.workbench import ViewerWorkbench
from sensiview.settings import read_settings
from tests.gui.conftest import session, window, workers  # noqa: F401 - fixtures

pytestmark = pytest.mark.needs_display
PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def declared_keys() -> Iterator[None]:
    """Let every test begin and end with the declared keys."""
    key_bindings.use_bindings({})
    yield
    key_bindings.use_bindings({})


@pytest.fixture
def dialog(window: Any) -> Any:  # noqa: F811
    """Return the dialog of the shortcuts, open over the window."""
    window.action_set["shortcuts"].trigger()
    return window.dialog("shortcuts")


def press(
    dialog: Any, command: str, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> str:
    dialog.choose(command)
    dialog.pressed.setFocus()
    QTest.keyClick(dialog.pressed, key, modifiers)
    return str(dialog.answer.text())


def keys_shown(dialog: Any, command: str) -> str:
    return str(dialog._rows[command].text(1))


def brain() -> Volume:
    values = np.random.default_rng(0).integers(0, 900, (20, 24, 16)).astype(np.int16)
    return Volume(values, np.diag([2.0, 2.0, 3.0, 1.0]), 1.0, 0.0, "brain")


def test_that_every_command_can_be_found_once_and_declared_keys_do_not_clash() -> None:
    for entry in rebindable.rebindable().values():
        assert entry.text
        for key in entry.declared:
            assert not QKeySequence(key).isEmpty(), key
            assert rebindable.clashes(entry.command, key) == [], (entry.command, key)


def test_that_a_new_key_is_obeyed_by_the_panes_and_the_old_one_is_not(shown: Any) -> None:
    bench = shown(ViewerWorkbench(canvas="pyqtgraph"), 1000, 700)
    bench.show_volume(brain())
    pane = bench.viewer.panes["axial"].overlay
    key_bindings.use_bindings({"viewer.radiological": ["Ctrl+J"], "viewer.toggle_side": ["Y"]})
    QTest.keyClick(pane, Qt.Key.Key_N)
    assert bench.scene.options.radiological
    QTest.keyClick(pane, Qt.Key.Key_J, CONTROL)
    assert not bench.scene.options.radiological
    QTest.keyClick(bench, Qt.Key.Key_T)
    assert not bench.side.isHidden()
    QTest.keyClick(bench, Qt.Key.Key_Y)
    assert bench.side.isHidden()


def test_that_tool_tips_and_the_sheet_show_the_keys_in_force(shown: Any) -> None:
    bench = shown(ViewerWorkbench(canvas="pyqtgraph"), 1000, 700)
    bench.show_volume(brain())
    action = bench.viewer.tool_bar.actions_by_key["invert"]
    panels = bench.findChild(QToolButton, "view_panels")
    assert action.toolTip().startswith("Invert (I)")
    assert panels.toolTip() == "Show or hide the panels (T)"
    key_bindings.use_bindings({"viewer.invert": ["Ctrl+I", "J"], "viewer.toggle_side": []})
    assert action.toolTip().startswith("Invert (Ctrl+I)")
    assert panels.toolTip() == "Show or hide the panels"
    bench.commands.shortcut_sheet()
    sheet = bench.findChild(QDialog, "viewer_shortcuts_dialog")
    sheet.search.setText("invert the colours")
    tree = sheet.findChild(QTreeWidget, "viewer_shortcut_list")
    rows = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    found = [row.child(i).text(0) for row in rows for i in range(row.childCount()) if not row.child(i).isHidden()]
    assert found == ["Ctrl+I   J"]
    sheet.close()


def test_that_a_menu_command_takes_a_pressed_key_and_keeps_it_in_the_settings(window: Any, dialog: Any) -> None:  # noqa: F811
    answer = press(dialog, "window.theme", Qt.Key.Key_J, CONTROL)
    assert answer == "Ctrl+J is free."
    dialog.set.click()
    assert [k.toString() for k in window.action_set["theme"].shortcuts()] == ["Ctrl+J"]
    assert window.action_set["theme"].toolTip().startswith("Switch light or dark (Ctrl+J)")
    assert keys_shown(dialog, "window.theme") == "Ctrl+J"
    settings, notices = read_settings()
    assert (settings.shortcuts, notices) == ({"window.theme": ["Ctrl+J"]}, [])


def test_that_a_taken_key_is_told_with_its_owner_and_moves(dialog: Any) -> None:
    answer = press(dialog, "viewer.invert", Qt.Key.Key_A)
    assert answer.startswith("A belongs to 'Window and level from the values' (Viewer: picture).")
    dialog.add.click()
    assert keys_shown(dialog, "viewer.invert") == "I   A"
    assert keys_shown(dialog, "viewer.auto_window") == ""
    dialog.choose("viewer.auto_window")
    dialog.reset.click()
    assert keys_shown(dialog, "viewer.auto_window") == "A"
    assert keys_shown(dialog, "viewer.invert") == "I"


def test_that_the_same_key_in_window_and_viewer_is_explained_and_allowed(dialog: Any) -> None:
    answer = press(dialog, "window.theme", Qt.Key.Key_A)
    assert answer == "In the viewer A is 'Window and level from the values', elsewhere 'Switch light or dark'."
    dialog.set.click()
    assert keys_shown(dialog, "viewer.auto_window") == "A"
    assert keys_shown(dialog, "window.theme") == "A"


def test_that_keys_are_taken_away_and_all_come_back(window: Any, dialog: Any) -> None:  # noqa: F811
    assert not dialog.reset_all.isEnabled()
    for command in ("window.undo", "viewer.next_slice"):
        dialog.choose(command)
        dialog.remove.click()
        assert keys_shown(dialog, command) == ""
    assert window.action_set["undo"].shortcuts() == []
    dialog.reset_all.click()
    assert [k.toString() for k in window.action_set["undo"].shortcuts()] == ["Ctrl+Z"]
    assert read_settings()[0].shortcuts == {}


def test_that_nothing_can_be_pressed_before_a_command_is_chosen(dialog: Any) -> None:
    assert not dialog.pressed.isEnabled()
    assert not dialog.set.isEnabled()
    dialog.choose("window.plugins")
    assert dialog.pressed.isEnabled()
    assert not dialog.remove.isEnabled()


def test_that_the_preferences_lead_to_the_shortcuts(window: Any) -> None:  # noqa: F811
    window.action_set["preferences"].trigger()
    window.dialog("preferences").findChild(QPushButton, "preferences_shortcuts").click()
    assert window.dialog("shortcuts") is not None


@pytest.mark.parametrize("value", ['"I"', '{"viewer.invert": "I"}', '{"viewer.invert": [1]}', "[]", "7"])
def test_that_unusable_shortcuts_in_the_settings_are_left_out(value: str, own_home: Any) -> None:
    from sensiview import locations

    path = locations.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"theme": "dark", "shortcuts": {value}}}', encoding="utf-8")
    settings, notices = read_settings()
    assert settings.shortcuts == {}
    assert settings.theme == "dark"
    assert "'shortcuts'" in notices[0]
