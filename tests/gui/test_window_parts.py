"""The window's smaller parts: background work, forms from schemas, export, moved files, damaged projects."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QLabel

from sensiview import locations
from sensiview.errors import UserError
from sensiview.gui import background
from sensiview.gui.background import run_in_background
from sensiview.gui.icons import icon
from sensiview.gui.themes import apply_theme

pytestmark = pytest.mark.needs_display


class TestBackground:
    def test_that_values_and_errors_arrive_in_the_gui_thread(self, qapp: QApplication, wait_until: Any) -> None:
        threads: list[Any] = []
        got: list[Any] = []

        def work() -> int:
            threads.append(threading.current_thread())
            return 42

        def fail() -> None:
            raise ValueError("odd file")

        run_in_background(work, got.append, got.append)
        run_in_background(fail, got.append, got.append)
        wait_until(lambda: len(got) == 2 and not background.busy())
        assert threads[0] is not threading.main_thread()
        assert 42 in got
        error = next(entry for entry in got if entry != 42)
        assert "odd file" in error.sentence
        assert "Traceback" in error.details

    def test_that_nothing_is_delivered_to_who_is_gone_or_asked_again(self, qapp: QApplication, wait_until: Any) -> None:
        got: list[Any] = []
        gate = threading.Event()
        owner = QObject()
        run_in_background(lambda: gate.wait(5), got.append, got.append, owner=owner)
        forget = run_in_background(lambda: gate.wait(5), got.append, got.append)
        forget()
        owner.deleteLater()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gate.set()
        wait_until(lambda: not background.busy())
        assert got == []


class TestSchemaForm:
    def test_that_every_field_of_a_recipe_gives_back_its_default(self, qapp: QApplication) -> None:
        from sensiview.gui.schema_form import SchemaForm
        from sensiview.models.recipe import TrainingRecipe

        form = SchemaForm(TrainingRecipe.model_json_schema())
        assert TrainingRecipe(**form.values()) == TrainingRecipe()
        assert form.changes() == {}

    def test_that_lists_words_and_numbers_are_told_apart(self, qapp: QApplication) -> None:
        from sensiview.gui.schema_form import SchemaForm
        from sensiview.models.recipe import TrainingRecipe

        form = SchemaForm(TrainingRecipe.model_json_schema(), only=("class_weights", "epochs", "learning_rate"))
        assert form.values()["class_weights"] == "none"
        form.field("class_weights").setText("1, 2.5")
        form.field("learning_rate").setValue(0.00025)
        assert form.changes() == {"class_weights": [1.0, 2.5], "learning_rate": 0.00025}


def test_that_icons_follow_the_theme(qapp: QApplication) -> None:
    def darkest() -> int:
        image = icon("search").pixmap(24, 24).toImage()
        return min(
            image.pixelColor(x, y).lightness()
            for x in range(24)
            for y in range(24)
            if image.pixelColor(x, y).alpha() > 200
        )

    try:
        apply_theme(qapp, "dark")
        assert darkest() > 120
        apply_theme(qapp, "light")
        assert darkest() < 80
    finally:
        apply_theme(qapp, "light")


def test_that_every_icon_that_is_asked_for_exists(qapp: QApplication) -> None:
    from sensiview.gui.action_list import ACTIONS

    folder = locations.resources() / "icons"
    names = {info.icon for info in ACTIONS if info.icon}
    names |= {"queued", "running", "succeeded", "failed", "stopped", "interrupted", "warning", "error", "info"}
    assert [name for name in names if not (folder / f"{name}.svg").is_file()] == []
    label = QLabel()
    for name in names:
        label.setPixmap(icon(name).pixmap(16, 16, QIcon.Mode.Disabled))


def test_that_a_change_that_fails_says_why_and_leaves_the_undo_stack(open_window: Any) -> None:
    from sensiview.gui.undo import push_rename

    session = open_window.session
    push_rename(session, "run", "no-such-run", "a", "b")
    assert "no-such-run" in open_window.dialog("error").sentence.text()
    assert not session.undo.canUndo()


def test_that_a_result_is_exported_with_tables_plots_and_record(
    open_window: Any, tmp_path: Path, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtGui import QDesktopServices

    from sensiview.gui.exporting import export_to

    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    export_to(open_window, open_window.session.runs()[0], tmp_path / "out" / "first")
    wait_until(lambda: not background.busy(), timeout=30)
    assert open_window.dialog("error") is None, open_window.dialog("error").sentence.text()
    written = {path.name for path in (tmp_path / "out" / "first").iterdir()}
    assert {"record.json", "first_total.csv", "first_total.png", "first_total.svg"} <= written


@pytest.mark.parametrize("name, begins", [("report.html", b"<!"), ("report.pdf", b"%PDF")])
def test_that_a_report_is_written(
    open_window: Any, tmp_path: Path, wait_until: Any, monkeypatch: pytest.MonkeyPatch, name: str, begins: bytes
) -> None:
    from PySide6.QtGui import QDesktopServices

    from sensiview.gui.exporting import report_to

    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    report_to(open_window, tmp_path / name)
    wait_until(lambda: not background.busy(), timeout=30)
    assert open_window.dialog("error") is None, open_window.dialog("error").sentence.text()
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_that_a_moved_file_is_found_again_only_if_it_is_the_same(
    open_window: Any, table_file: Path, tmp_path: Path, wait_until: Any
) -> None:
    from sensiview.gui.locating import missing_file, relocate

    session = open_window.session
    entry = ("dataset", session.datasets()[0].id)
    assert missing_file(session, *entry) is None
    open_window.tree.select(*entry)
    with pytest.raises(UserError, match="where they were"):
        open_window.commands.locate()
    moved = tmp_path / "elsewhere" / "renamed.csv"
    moved.parent.mkdir()
    shutil.move(table_file, moved)
    assert missing_file(session, *entry) == (0, table_file)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    relocate(open_window, entry, 0, other)
    wait_until(lambda: open_window.dialog("error") is not None)
    relocate(open_window, entry, 0, moved)
    wait_until(lambda: session.datasets()[0].files[0].path == moved)


def test_that_a_damaged_project_offers_its_backup(window: Any, project_path: Path) -> None:
    assert window.session.open(project_path)
    window.session.rename("run", window.session.runs()[0].id, "renamed")
    window.session.close_project()
    database = project_path / "project.sqlite"
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(content)
    assert not window.session.open(project_path)
    dialog = window.dialog("error")
    dialog.remedy_button.click()
    assert window.session.project is not None
    assert len(window.session.runs()) == 3
