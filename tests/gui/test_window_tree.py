"""The project tree: what it shows, renaming in place, deleting, searching, files from the desktop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

pytestmark = pytest.mark.needs_display


def texts(tree: Any) -> dict[str, list[str]]:
    model = tree.tree.model()
    groups = [model.index(row, 0) for row in range(model.rowCount())]
    return {g.data(): [model.index(r, 0, g).data() for r in range(model.rowCount(g))] for g in groups}


def test_that_the_tree_shows_data_sets_models_and_runs_with_the_latest_run_first(open_window: Any) -> None:
    assert texts(open_window.tree) == {
        "Data sets (1)": ["patients"], "Models (1)": ["net"], "Runs (3)": ["third", "second", "first"],
    }  # fmt: skip


def test_that_an_empty_project_says_what_to_do_next(window: Any, tmp_path: Path) -> None:
    assert window.session.create(tmp_path / "empty.sensiview", "Empty")
    assert texts(window.tree)["Data sets"] == ["Drop a table or a folder here, or press Ctrl+I"]


def test_that_a_chosen_entry_shows_its_page(open_window: Any) -> None:
    tree = open_window.tree
    session = open_window.session
    tree.select("model", session.models()[0].id)
    assert open_window.centre.page == "model"
    tree.select("dataset", session.datasets()[0].id)
    assert open_window.centre.page == "dataset"
    tree.select("run", session.runs()[0].id)
    assert open_window.centre.page == "results"
    assert open_window.results.open_runs()[-1] == session.runs()[0].id


def test_that_f2_renames_in_place_and_undo_takes_it_back(open_window: Any, wait_until: Any) -> None:
    session, tree = open_window.session, open_window.tree
    tree.select("dataset", session.datasets()[0].id)
    open_window.action_set["rename"].trigger()
    editor = tree.tree.findChild(QLineEdit)
    assert editor is not None
    assert editor.text() == "patients"
    editor.setText("Patienten, Größe & Gewicht")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait_until(lambda: session.datasets()[0].card.name == "Patienten, Größe & Gewicht")
    assert texts(tree)["Data sets (1)"] == ["Patienten, Größe & Gewicht"]
    open_window.action_set["undo"].trigger()
    assert session.datasets()[0].card.name == "patients"
    open_window.action_set["redo"].trigger()
    assert session.datasets()[0].card.name == "Patienten, Größe & Gewicht"


def test_that_the_delete_key_moves_to_the_trash_and_undo_restores(open_window: Any) -> None:
    session, tree = open_window.session, open_window.tree
    run = session.runs()[0].id
    tree.select("run", run)
    QTest.keyClick(tree.tree, Qt.Key.Key_Delete)
    assert [r.id for r in session.runs()] == [r.id for r in session.runs() if r.id != run]
    assert session.project.trash()[0].id == run
    assert any("in the trash" in sentence for sentence in open_window.messages.sentences())
    open_window.action_set["undo"].trigger()
    assert session.run_record(run) is not None


def test_that_the_search_field_leaves_only_what_matches(open_window: Any) -> None:
    open_window.tree.search.setText("SECO")
    assert texts(open_window.tree) == {"Runs (3)": ["second"]}
    open_window.tree.search.clear()
    assert len(texts(open_window.tree)) == 3


def test_that_the_selection_survives_a_refresh(open_window: Any) -> None:
    session, tree = open_window.session, open_window.tree
    model = session.models()[0].id
    tree.select("model", model)
    session.runs_changed.emit()
    assert tree.current() == ("model", model)


def test_that_a_dropped_table_opens_the_import_dialog(open_window: Any, table_file: Path, wait_until: Any) -> None:
    drop(open_window.tree.tree, table_file)
    wait_until(lambda: open_window.dialog("import_table") is not None)
    wait_until(open_window.dialog("import_table").import_button.isEnabled)


def test_that_a_dropped_file_of_another_kind_is_refused_with_a_sentence(open_window: Any, tmp_path: Path) -> None:
    other = tmp_path / "notes.docx"
    other.write_text("x", encoding="utf-8")
    drop(open_window.tree.tree, other)
    assert "neither a table, nor images, nor volumes, nor weights" in open_window.dialog("error").sentence.text()


def test_that_a_read_only_project_refuses_changes_with_the_reason(window: Any, project_path: Path) -> None:
    from sensiview.projects.store import Project

    with Project.open(project_path):
        assert window.session.open(project_path)
        assert window.session.project.read_only
        assert not window.action_set["import_table"].isEnabled()
        assert "reading only" in window.action_set.reasons["import_table"]
        assert window.statusBar().read_only.isVisible()
        window.tree.select("run", window.session.runs()[0].id)
        window.tree.delete_current()
        assert window.dialog("error") is not None
        window.session.close_project()


def drop(target: Any, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    target.dropEvent(event)
