"""Starting: light before the first paint, the welcome page, remembered places, pictures of the window, last errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from sensiview.errors import UserError
from sensiview.gui import recent
from sensiview.gui.screenshot import ScreenshotRequest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_that_nothing_heavy_is_imported_before_the_window_is_shown() -> None:
    heavy = ("torch", "numpy", "pandas", "pydantic", "pyqtgraph", "scipy", "sqlite3", "sensiview.analysis")
    modules = "sensiview.gui.start, sensiview.gui.splash, sensiview.gui.main_window, sensiview.projects.places"
    script = f"import {modules}, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = run("-c", script)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.needs_display
def test_that_the_window_process_never_imports_torch(window: Any, wait_until: Any) -> None:
    found: list[Any] = []
    from sensiview.gui.architecture_list import list_architectures

    list_architectures(found.append, found.append, window)
    wait_until(lambda: found, timeout=20)
    assert {"diabetes_net", "mlp"} <= {entry.key for entry in found[0]}
    done = run(
        "-c",
        "import sensiview.gui.architecture_list as a, sys; a._collect();"
        "import sensiview.gui.analysis_pane, sensiview.gui.result_tabs, sensiview.gui.model_pane;"
        "print('torch' in sys.modules)",
    )
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.needs_display
class TestWelcome:
    def test_that_recent_projects_are_listed_and_missing_ones_can_be_removed(
        self, window: Any, project_path: Path, tmp_path: Path
    ) -> None:
        recent.remember(tmp_path / "gone.sensiview", "Gone")
        recent.remember(project_path, "A study")
        page = window.centre.welcome
        page.refresh()
        titles = [page.list.item(row).text() for row in range(page.list.count())]
        assert titles == ["A study", "Gone"]
        assert "not found" in page.list.item(1).data(Qt.ItemDataRole.UserRole + 10)
        page.list.setCurrentRow(1)
        QTest.keyClick(page.list, Qt.Key.Key_Delete)
        assert [project.title for project in recent.recent_projects()] == ["A study"]

    def test_that_enter_opens_the_chosen_project(self, window: Any, project_path: Path) -> None:
        recent.remember(project_path, "A study")
        window.centre.show_welcome()
        QTest.keyClick(window.centre.welcome.list, Qt.Key.Key_Return)
        assert window.session.project is not None
        assert window.session.project.path == project_path

    def test_that_an_opened_project_becomes_a_recent_one(self, open_window: Any, project_path: Path) -> None:
        assert [(p.path, p.title) for p in recent.recent_projects()] == [(str(project_path), "A study")]

    def test_that_a_damaged_list_is_an_empty_one(self, own_home: Path) -> None:
        own_home.mkdir(parents=True)
        (own_home / "recent.json").write_text("{broken", encoding="utf-8")
        assert recent.recent_projects() == []

    def test_that_times_are_told_as_people_say_them(self) -> None:
        now = datetime.now(UTC)
        told = [recent.RecentProject("/x", "x", (now - timedelta(days=d)).isoformat()).when() for d in (0, 1, 3)]
        assert told[0].startswith("today, ")
        assert told[1:] == ["yesterday", "3 days ago"]


@pytest.mark.needs_display
def test_that_the_panes_are_where_they_were_left(session: Any, project_path: Path, qapp: Any) -> None:
    from sensiview.gui.main_window import MainWindow

    first = MainWindow(session)
    first.show()
    session.open(project_path)
    first.docks["jobs"].close()
    first.resize(1111, 777)
    qapp.processEvents()
    first.close()
    second = MainWindow(type(session)(session.services))
    from sensiview.gui import window_layout

    assert window_layout.restore_geometry(second)
    second.show()
    second.session.open(project_path)
    qapp.processEvents()
    # The size itself is up to the screen: without a window manager it answers late, or with another size.
    assert second.docks["jobs"].isHidden()
    assert not second.docks["project"].isHidden()
    second.action_set["reset_layout"].trigger()
    assert not second.docks["jobs"].isHidden()
    for window in (first, second):
        window.close()
        window.deleteLater()


@pytest.mark.needs_display
def test_that_a_window_gets_the_size_and_place_that_were_kept(qapp: Any, own_home: Path) -> None:
    from PySide6.QtWidgets import QMainWindow

    from sensiview.gui import window_layout

    # Neither is shown: what a screen makes of a size is not what is kept.
    first, second = QMainWindow(), QMainWindow()
    assert not window_layout.restore_geometry(second)
    first.setGeometry(120, 90, 1111, 777)
    window_layout.save_geometry(first)
    assert window_layout.restore_geometry(second)
    assert second.geometry() == first.geometry()
    for window in (first, second):
        window.deleteLater()


@pytest.mark.needs_display
def test_that_an_unexpected_exception_in_a_slot_becomes_a_report(
    window: Any, wait_until: Any, own_home: Path, nothing_fails_silently: list[str]
) -> None:
    from sensiview.gui.error_report import UnexpectedErrors

    errors = UnexpectedErrors(window)
    errors.install()
    window.session.runs_changed.connect(lambda: 1 / 0)
    window.session.runs_changed.emit()
    errors.uninstall()
    wait_until(lambda: window.dialog("error") is not None)
    dialog = window.dialog("error")
    assert "ZeroDivisionError" in dialog.sentence.text()
    assert "Traceback" in dialog.details.toPlainText()
    assert "ZeroDivisionError" in (own_home / "log" / "sensiview.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, said",
    [(("x.jpg",), "PNG"), (("x.png", "big"), "1280x800"), (("/no/such/folder/x.png",), "does not exist")],
)
def test_that_a_wrong_request_for_a_picture_is_refused(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        ScreenshotRequest.parse(*arguments)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_that_a_picture_of_the_window_is_taken_without_a_display(
    theme: str, project_path: Path, tmp_path: Path, own_home: Path
) -> None:
    own_home.mkdir(parents=True, exist_ok=True)
    (own_home / "settings.json").write_text(json.dumps({"theme": theme}), encoding="utf-8")
    picture = tmp_path / "window.png"
    done = run(
        "-m", "sensiview", "--screenshot", str(picture), "--size", "1280x800", "--show", "jobs", str(project_path),
        DISPLAY="", WAYLAND_DISPLAY="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    corner = image.pixelColor(2, 300).lightness()
    assert (corner > 200) == (theme == "light")


def test_that_a_project_that_can_not_be_opened_gives_no_picture(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = run(
        "-m", "sensiview", "--screenshot", str(picture), str(tmp_path / "nothing.sensiview"),
        DISPLAY="", WAYLAND_DISPLAY="",
    )  # fmt: skip
    assert done.returncode == 1
    assert "nothing.sensiview" in done.stderr
    assert not picture.exists()


def test_that_an_unknown_pane_is_refused_with_exit_code_1(project_path: Path, tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = run(
        "-m", "sensiview", "--screenshot", str(picture), "--show", "jbos", str(project_path),
        DISPLAY="", WAYLAND_DISPLAY="",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Did you mean 'jobs'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not picture.exists()
