"""The declared commands: complete, reachable, explained; palette and shortcut sheet are made from them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QApplication, QComboBox, QLineEdit

from sensiview.errors import SensiViewError
from sensiview.gui.action_list import ACTIONS, MENUS
from sensiview.gui.command_palette import fuzzy_score
from sensiview.gui.commands import Commands
from sensiview.gui.conditions import CONDITIONS
from sensiview.gui.dialogs.shortcuts import viewer_shortcuts

pytestmark = pytest.mark.needs_display


def test_that_every_command_has_a_handler_a_menu_a_condition_and_a_tip() -> None:
    for info in ACTIONS:
        assert callable(getattr(Commands, info.handler)), info.key
        assert info.menu in MENUS
        assert info.condition in CONDITIONS
        assert info.tip
        assert "&" in info.text, f"{info.key} has no mnemonic"


def test_that_keys_and_shortcuts_occur_once() -> None:
    keys = Counter(info.key for info in ACTIONS)
    shortcuts = Counter(shortcut for info in ACTIONS for shortcut in info.shortcuts)
    assert [key for key, count in (keys + shortcuts).items() if count > 1] == []


def test_that_mnemonics_within_a_menu_differ() -> None:
    for menu in MENUS:
        letters = Counter(info.text[info.text.index("&") + 1].lower() for info in ACTIONS if info.menu == menu)
        assert [letter for letter, count in letters.items() if count > 1] == [], menu


def test_that_every_command_is_in_its_menu(window: Any) -> None:
    for info in ACTIONS:
        assert window.action_set[info.key] in window.menus[info.menu].actions()


def test_that_an_unknown_command_is_refused_with_the_nearest(window: Any) -> None:
    with pytest.raises(SensiViewError, match="Did you mean 'import_table'"):
        _ = window.action_set["import_tabel"]


def test_that_a_disabled_command_says_why(window: Any) -> None:
    action = window.action_set["import_table"]
    assert not action.isEnabled()
    assert "Open or make a project first." in action.toolTip()


def test_that_a_project_enables_what_it_allows(open_window: Any) -> None:
    assert open_window.action_set["import_table"].isEnabled()
    open_window.session.select_run(open_window.session.runs()[0].id)
    assert open_window.action_set["export_run"].isEnabled()
    assert not open_window.action_set["resume"].isEnabled()
    open_window.session.select_run(open_window.session.runs()[2].id)
    assert open_window.action_set["resume"].isEnabled()
    assert open_window.action_set.reasons["export_run"] == "This run has no result."


@pytest.mark.parametrize(
    "wanted, better, worse",
    [
        ("imp", "Import table", "Import a very long name of a table that nobody wants"),
        ("it", "Import table", "Quit"),
        ("sobol", "Analysis: Sobol' indices", "some other big list"),
    ],
)
def test_that_the_palette_ranks_word_beginnings_first(wanted: str, better: str, worse: str) -> None:
    best = fuzzy_score(wanted, better)
    other = fuzzy_score(wanted, worse)
    assert best is not None
    assert other is None or best > other


def test_that_letters_in_another_order_do_not_match() -> None:
    assert fuzzy_score("zq", "Quit") is None
    assert fuzzy_score("", "anything") == 0.0


def test_that_the_palette_finds_commands_entries_and_analyses(open_window: Any) -> None:
    open_window.action_set["palette"].trigger()
    palette = open_window.dialog("palette")
    for wanted, title in (("impo", "Import table"), ("patie", "patients"), ("third", "third"), ("sobol", "Analysis: ")):
        palette.field.setText(wanted)
        assert any(found.startswith(title) for found in palette.titles()[:4]), wanted


def test_that_enter_in_the_palette_carries_out_the_chosen_command(open_window: Any, wait_until: Any) -> None:
    open_window.action_set["palette"].trigger()
    palette = open_window.dialog("palette")
    QTest.keyClicks(palette.field, "keyboard shor")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    wait_until(lambda: open_window.dialog("shortcuts") is not None)


def test_that_the_palette_shows_why_a_command_is_disabled_and_does_not_run_it(window: Any, settle: Any) -> None:
    window.action_set["palette"].trigger()
    palette = window.dialog("palette")
    palette.field.setText("export result")
    assert palette.list.item(0).data(Qt.ItemDataRole.UserRole + 10) == "Open or make a project first."
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    settle()
    assert window.dialog("error") is None


def test_that_the_shortcut_sheet_lists_every_command_and_narrows(window: Any) -> None:
    window.action_set["shortcuts"].trigger()
    sheet = window.dialog("shortcuts")
    rows = [group.child(i).text(0) for group in sheet._groups for i in range(group.childCount())]
    of_the_viewer = [text for _, text, _ in viewer_shortcuts()]
    assert sorted(rows) == sorted([*(info.title for info in ACTIONS), *of_the_viewer])
    sheet.search.setText("ctrl+i")
    shown = [g.child(i).text(0) for g in sheet._groups for i in range(g.childCount()) if not g.child(i).isHidden()]
    assert shown == ["Import table"]


def test_that_every_interactive_widget_has_a_name_for_scripts_and_one_for_screen_readers(
    open_window: Any, qapp: QApplication
) -> None:
    nameless = []
    for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView):
        for widget in open_window.findChildren(kind):
            inside = widget.objectName().startswith("qt_") or isinstance(
                widget.parentWidget(), QAbstractSpinBox | QComboBox | QLineEdit
            )
            library = type(widget).__module__.startswith("PySide6") and type(widget).__name__ in (
                "QHeaderView", "QListView", "QTableCornerButton", "QToolButton", "QAbstractButton",
            )  # fmt: skip
            spoken = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            if (
                widget.isVisible()
                and not inside
                and not (library and not widget.objectName())
                and not (widget.objectName() and spoken)
            ):
                nameless.append(
                    f"{type(widget).__name__} {widget.objectName()!r} in {widget.parentWidget().objectName()!r}"
                )
    assert nameless == []


def test_that_f6_goes_from_pane_to_pane(open_window: Any, qapp: QApplication) -> None:
    visited = set()
    for _ in range(6):
        open_window.commands.next_pane()
        focus = open_window.focusWidget()
        for key, dock in open_window.docks.items():
            if focus is not None and dock.isAncestorOf(focus):
                visited.add(key)
    assert {"project", "analysis"} <= visited
