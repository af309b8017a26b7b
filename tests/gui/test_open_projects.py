"""The ways in which a project reaches the window: dropped, chosen, double-clicked, named by the desktop."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent, QFileOpenEvent
from PySide6.QtWidgets import QApplication

from sensiview import locations
from sensiview.gui.application import Application
from sensiview.gui.starter import Starter

pytestmark = pytest.mark.needs_display


def drop(window: Any, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPoint(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)


@pytest.mark.parametrize("name", ["", "project.sensiview", "project.sqlite"])
def test_that_a_project_dropped_in_any_of_its_shapes_is_opened(
    name: str, window: Any, project_path: Path, wait_until: Any
) -> None:
    drop(window, project_path / name)
    wait_until(lambda: window.session.project is not None)
    assert window.session.project.path == project_path


def test_that_the_file_for_double_clicks_outside_its_project_says_so(
    window: Any, project_path: Path, tmp_path: Path, wait_until: Any
) -> None:
    stray = Path(shutil.copy(project_path / "project.sensiview", tmp_path / "my study.sensiview"))
    drop(window, stray)
    wait_until(lambda: window.dialog("error") is not None)
    assert "Put it back" in window.dialog("error").sentence.text()


def test_that_a_folder_in_a_project_is_refused_with_the_folder_to_choose(window: Any, project_path: Path) -> None:
    window.commands.open_path(project_path / "runs")
    assert f"lies inside the project '{project_path}'" in window.dialog("error").sentence.text()


@pytest.mark.parametrize("early", [True, False])
def test_that_a_project_that_the_desktop_names_in_an_event_is_opened(
    early: bool, session: Any, project_path: Path, qapp: QApplication, wait_until: Any
) -> None:
    from sensiview.gui.main_window import MainWindow

    if not isinstance(qapp, Application):
        pytest.skip("another test has made the application")
    window = MainWindow(session)
    starter = Starter(window, None, [], warm_up=False)
    window.show()
    starter.begin()
    if not early:
        wait_until(lambda: window.is_complete, timeout=20)
    qapp.sendEvent(qapp, QFileOpenEvent(str(project_path / "project.sensiview")))
    wait_until(lambda: session.project is not None, timeout=20)
    assert session.project.path == project_path
    wait_until(lambda: window.is_complete, timeout=20)
    window.close()
    window.deleteLater()


def test_that_a_home_that_can_not_be_written_is_told_in_messages_and_status_bar(
    session: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensiview.gui.main_window import MainWindow

    monkeypatch.setattr(locations, "home_problem", lambda: "Nothing is kept for the next start: the disk is full.")
    window = MainWindow(session)
    starter = Starter(window, None, [], warm_up=False)
    window.show()
    starter.begin()
    chip: Any = window.statusBar()
    assert chip.unkept.isHidden()
    wait_until(lambda: not chip.unkept.isHidden(), timeout=20)
    assert chip.unkept.accessibleName() == "Preferences are not kept"
    assert "the disk is full" in chip.unkept.toolTip()
    assert window.messages.sentences() == ["Nothing is kept for the next start: the disk is full."]
    wait_until(lambda: window.is_complete, timeout=20)
    window.close()
    window.deleteLater()


def test_that_the_folder_of_plugins_that_can_not_be_made_is_told(window: Any, own_home: Path, wait_until: Any) -> None:
    own_home.write_text("no folder", encoding="utf-8")
    window.action_set["plugins"].trigger()
    from PySide6.QtWidgets import QPushButton

    wait_until(lambda: window.dialog("plugins") is not None)
    button = window.dialog("plugins").findChild(QPushButton, "plugin_folder_button")
    button.click()
    assert "can't be read or written" in window.dialog("error").sentence.text()
