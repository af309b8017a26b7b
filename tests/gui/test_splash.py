"""The splash: there before the window's modules, gone with the first paint, in no way and never left over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from shiboken6 import Shiboken

from sensiview import __version__, assembly
from sensiview.gui import early_errors
from sensiview.gui.splash import Splash
from sensiview.gui.themes import DARK, LIGHT, apply_theme

pytestmark = pytest.mark.needs_display
ROOT = Path(__file__).resolve().parents[2]
# Runs the real start in a process of its own that quits when the window is complete.
WATCHED = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from sensiview.gui import splash, start, starter as behind

said = []
say = splash.Splash.say
def listen(self, words):
    say(self, words)
    said.append((words, self.isVisible(), 'sensiview.gui.main_window' in sys.modules))
splash.Splash.say = listen
begin = behind.Starter.begin
def watch(starter):
    starter.painted.connect(lambda: QTimer.singleShot(0, look))
    starter.complete.connect(lambda: (print(starter._window.statusBar().currentMessage()), QApplication.quit()))
    begin(starter)
def look():
    seen = [w.objectName() for w in QApplication.topLevelWidgets() if w.isVisible()]
    print(said, seen, QApplication.activeWindow() is None)
behind.Starter.begin = watch
"""


def python(script: str, *arguments: object, **streams: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], text=True, timeout=60, check=False, cwd=ROOT,
        env=dict(os.environ), stdout=subprocess.PIPE, **(streams or {"stderr": subprocess.PIPE}),
    )  # fmt: skip


@pytest.fixture
def splash(qapp: QApplication) -> Iterator[Splash]:
    made = Splash()
    yield made
    if Shiboken.isValid(made):
        made.close()
    apply_theme(qapp, "light")


def test_that_the_splash_comes_before_the_window_is_loaded_and_goes_with_its_first_paint() -> None:
    done = python(f"{WATCHED}\nstart.run_window()")
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    # Before the window's modules, then once they are there.
    assert "('Loading the window', True, False), ('Preparing the window', True, True)" in first
    assert "'main_window'" in first
    assert "'splash'" not in first
    assert last == ""


@pytest.mark.parametrize("name", ["", "project.sensiview"])
def test_that_the_status_bar_says_which_project_is_being_opened(name: str, project_path: Path) -> None:
    script = WATCHED + (
        "tell = behind.Starter._tell\n"
        "behind.Starter._tell = lambda self, words: (print(words), tell(self, words))\n"
        "from pathlib import Path\nstart.run_window(Path(sys.argv[1]))"
    )
    done = python(script, project_path / name)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("[")]
    assert lines == ["Opening study", "Loading the analyses", "", ""]


def test_that_a_picture_of_the_window_is_taken_without_a_splash(tmp_path: Path) -> None:
    script = f"{WATCHED}\nfrom sensiview import assembly\nprint(assembly.run(['--screenshot', sys.argv[1]]), said)"
    done = python(script, tmp_path / "window.png")
    assert done.stdout.strip().endswith("0 []"), done.stderr


@pytest.mark.parametrize(
    "error, said",
    [
        ("UserError('The icons are missing. Install SensiView again.')", "The icons are missing."),
        ("ZeroDivisionError('by zero')", "(ZeroDivisionError: by zero)"),
    ],
)
@pytest.mark.parametrize("reader", [True, False])
def test_that_a_start_that_fails_shows_a_box_where_nobody_reads_and_no_splash(
    error: str, said: str, reader: bool, tmp_path: Path
) -> None:
    script = (
        "import sys\nimport sensiview.gui.main_window as m\nfrom sensiview.errors import UserError\n"
        f"def fail(*_): raise {error}\n"
        "m.MainWindow = fail\n"
        "from PySide6.QtWidgets import QApplication, QMessageBox\n"
        "def seen(): return [w.objectName() for w in QApplication.topLevelWidgets() if w.isVisible()]\n"
        "QMessageBox.exec = lambda box: print('box:', box.text(), seen())\n"
        "from sensiview import assembly\nprint('code', assembly.run([]))"
    )
    with (tmp_path / "log").open("w+") as log:
        streams = {"stderr": subprocess.PIPE} if reader else {"stderr": log, "stdin": subprocess.DEVNULL}
        done = python(script, **streams)
        log.seek(0)
        errors = done.stderr if reader else log.read()
    assert said in errors
    assert "Traceback" not in errors
    shown = [line for line in done.stdout.splitlines() if line.startswith("box:")]
    assert len(shown) == (0 if reader else 1)
    assert all(said in line and line.endswith("[]") for line in shown)
    assert done.stdout.strip().endswith("code 1")


def test_that_clicks_and_the_focus_go_past_the_splash(splash: Splash) -> None:
    splash.say("Loading the window")
    assert splash.isVisible()
    assert splash.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert splash.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert splash.focusPolicy() == Qt.FocusPolicy.NoFocus


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_that_the_splash_is_drawn_in_the_colours_of_the_theme(theme: Any, splash: Splash, qapp: QApplication) -> None:
    apply_theme(qapp, theme.name)
    splash.say("Loading the window")
    picture = splash.grab().toImage()
    assert picture.pixelColor(200, 130) == QColor(theme.panel)
    assert picture.pixelColor(200, picture.height() - 2) == QColor(theme.accent)
    assert splash.accessibleDescription() == "Loading the window"


@pytest.mark.parametrize("points", [6, 32])
def test_that_words_stay_within_the_splash_at_every_font_size(points: int, splash: Splash) -> None:
    font = splash.font()
    font.setPointSize(points)
    splash.setFont(font)
    splash.said = "Opening " + "a very long name of a project " * 9
    picture = splash.grab().toImage()
    assert __version__
    for row in range(4, picture.height() - 8):
        assert picture.pixelColor(picture.width() - 4, row) == QColor(LIGHT.panel)


def test_that_the_splash_goes_even_if_the_window_is_never_painted(
    splash: Splash, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Painter(QObject):
        painted = Signal()

    monkeypatch.setattr("sensiview.gui.splash._LONGEST_MS", 50)
    gone: list[bool] = []
    never = Painter()
    splash.say("Loading the window")
    splash.destroyed.connect(lambda: gone.append(True))
    splash.go_with(never.painted)
    wait_until(lambda: gone)


@pytest.mark.parametrize("read_by_nobody", [True, False])
def test_that_a_path_from_a_file_manager_opens_the_window_which_says_what_is_wrong(
    read_by_nobody: bool, project_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_errors, "nobody_reads", lambda: read_by_nobody)
    gone = tmp_path / "gone" / "Größe 1.sensiview"
    assert assembly._quick_project([str(gone)]) == (read_by_nobody, gone)
    assert assembly._quick_project([gone.as_uri()]) == (read_by_nobody, gone)
    assert assembly._quick_project(["analises"])[0] is False
    assert assembly._quick_project(["--help"])[0] is False
    assert assembly._quick_project([]) == (True, None)
    for way in (project_path, project_path / "project.sqlite", project_path / "project.sensiview"):
        assert assembly._quick_project([str(way)]) == (True, way)
        assert assembly._quick_project([way.as_uri()]) == (True, way)


@pytest.mark.parametrize("reader", [True, False])
def test_that_a_missing_file_of_ours_is_told_though_the_icons_are_missing(reader: bool, tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\nfrom sensiview import assembly, locations\n"
        "locations.resources = lambda: Path('/nowhere')\n"
        "from PySide6.QtWidgets import QMessageBox\n"
        "QMessageBox.exec = lambda box: print('box:', box.text())\n"
        "print('code', assembly.run([]))"
    )
    said = "'/nowhere/icons/sensiview.svg', which comes with SensiView, can't be read (No such file or directory)."
    with (tmp_path / "log").open("w+") as log:
        streams = {"stderr": subprocess.PIPE} if reader else {"stderr": log, "stdin": subprocess.DEVNULL}
        done = python(script, **streams)
        log.seek(0)
        assert said in (done.stderr if reader else log.read())
    assert done.stdout == ("code 1\n" if reader else f"box: {said} Install SensiView again.\ncode 1\n")
