"""When no window can be shown: the sentence, exit code 1, no traceback and no core dump."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sensiview.errors import UserError
from sensiview.gui import early_errors, platform_check

ROOT = Path(__file__).resolve().parents[2]
SENSIVIEW = (sys.executable, "-P", "-m", "sensiview")
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
# Removes libraries from the system's folder for one process and those it starts.
WITHOUT = f"""
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir={LIBRARIES},upperdir=$1/upper,workdir=$1/work" {LIBRARIES}
for library in $2; do rm {LIBRARIES}/$library*; done
shift 2
exec "$@"
"""


def start(*command: object, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run a command; a variable that is None is unset."""
    merged = {**os.environ, **environment}
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        env={name: value for name, value in merged.items() if value is not None},
    )  # fmt: skip


def start_without(libraries: str, tmp_path: Path, *command: object, **environment: str | None) -> str:
    """Run a command where libraries are missing and return what it says; skips where that can't be arranged."""
    if not LIBRARIES.is_dir() or shutil.which("unshare") is None:
        pytest.skip("written for Debian's folder of libraries")
    place = tmp_path / "overlay"
    place.mkdir()
    done = start("unshare", "-m", "sh", "-c", WITHOUT, "sh", place, libraries, *command, **environment)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this account may not mount a file system of its own")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(
    "environment, said",
    [
        ({"DISPLAY": None, "WAYLAND_DISPLAY": None}, "There is no display"),
        ({"DISPLAY": ":9797", "WAYLAND_DISPLAY": None}, "The display ':9797' does not answer"),
        ({"QT_QPA_PLATFORM": "nonsense", "DISPLAY": ":9797"}, "QT_QPA_PLATFORM asks for 'nonsense'"),
    ],
)
def test_that_a_display_that_can_not_be_used_is_told_in_a_sentence(
    environment: dict[str, str | None], said: str, own_home: Path
) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("displays are named on Linux only")
    done = start(*SENSIVIEW, **{"QT_QPA_PLATFORM": None, **environment})
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    if "no display" not in said:  # Qt's own words are kept for whoever looks after the computer
        assert "Qt platform plugin" in (own_home / "log" / "sensiview.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "libraries, packages",
    [
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        # libxkbcommon-x11 needs libxcb-xkb, but is not missing itself.
        ("libxcb-cursor.so.0 libxcb-xkb.so.1", "libxcb-cursor0 libxcb-xkb1"),
        ("libEGL.so.1", "libegl1"),
        ("libfontconfig.so.1", "libfontconfig1"),
    ],
)
def test_that_a_missing_library_is_named_with_its_package(libraries: str, packages: str, tmp_path: Path) -> None:
    said = start_without(libraries, tmp_path, *SENSIVIEW, DISPLAY=":9797", WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)
    assert all(library in said for library in libraries.split())
    assert f"sudo apt install {packages})" in said


def test_that_doctor_and_drawing_commands_do_without_a_display(tmp_path: Path) -> None:
    done = start(*SENSIVIEW, "doctor", DISPLAY=":9797", WAYLAND_DISPLAY=None)
    assert done.returncode == 0, done.stderr
    assert "none: The display ':9797' does not answer" in done.stdout


def test_that_a_picture_is_drawn_in_memory_where_the_display_does_not_answer(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = start(*SENSIVIEW, "--screenshot", picture, DISPLAY=":9797", WAYLAND_DISPLAY=None)
    assert done.returncode == 0, done.stderr
    assert picture.is_file()


def test_that_doctor_names_a_missing_library(tmp_path: Path) -> None:
    script = (
        "import os, sys; from sensiview import assembly; from sensiview.gui import platform_check as p\n"
        "p._x_server_answers = lambda: True\n"
        "print(p.display_problem(), assembly._graphics(), sep='|', file=sys.stderr); sys.exit(1)"
    )
    said = start_without("libEGL.so.1", tmp_path, sys.executable, "-c", script, DISPLAY=":9797", WAYLAND_DISPLAY=None)
    assert said.startswith("The system library libEGL.so.1 is missing")
    assert "|none: The system library libEGL.so.1 is missing" in said


def test_that_other_failed_imports_are_not_taken_for_missing_libraries() -> None:
    with pytest.raises(ImportError, match="no such thing"), platform_check.explained_imports():
        raise ImportError("no such thing")
    said = r"libodd\.so\.3 is missing.*Install the package of your system that holds it"
    with pytest.raises(UserError, match=said), platform_check.explained_imports():
        raise ImportError("libodd.so.3: cannot open shared object file: No such file or directory")


@pytest.mark.parametrize(
    "given, read_by_nobody", [("pipe", False), ("file", True), ("null", True), ("launcher", True), ("closed", True)]
)
def test_that_a_sentence_reaches_nobody_without_terminal_and_pipe(
    given: str, read_by_nobody: bool, tmp_path: Path
) -> None:
    script = (
        "import os, sys\n"
        "if sys.argv[2] == 'launcher': os.environ['GIO_LAUNCHED_DESKTOP_FILE_PID'] = str(os.getpid())\n"
        "if sys.argv[2] == 'closed': sys.stderr = None\n"
        "from sensiview.gui.early_errors import nobody_reads\n"
        "open(sys.argv[1], 'w').write(str(nobody_reads()))"
    )
    with (tmp_path / "log").open("w") as log:
        errors = {"file": log, "null": subprocess.DEVNULL}.get(given, subprocess.PIPE)
        answer = tmp_path / "answer"
        command = [sys.executable, "-c", script, str(answer), given]
        subprocess.run(command, stdin=subprocess.DEVNULL, stderr=errors, check=True, timeout=60, cwd=ROOT)
    assert answer.read_text() == str(read_by_nobody)


def test_that_a_program_of_the_desktop_shows_the_sentence_where_qt_can_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("zenity", "xmessage"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@" >"{tmp_path}/shown"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    sentence = "Größe & <b>umlauts</b> stay as they are, 'quoted' and with {braces}. " * 3
    early_errors.speak(sentence)
    assert (tmp_path / "shown").read_text().startswith("zenity\n--error\n--no-markup\n")
    assert f"--text={sentence}" in (tmp_path / "shown").read_text()
    (tmp_path / "zenity").unlink()
    monkeypatch.setattr(early_errors, "_SPEAKERS", tuple(s for s in early_errors._SPEAKERS if s[0] != "kdialog"))
    early_errors.speak(sentence)
    lines = (tmp_path / "shown").read_text().splitlines()
    assert lines[0] == "xmessage"
    assert max(map(len, lines)) <= 72
