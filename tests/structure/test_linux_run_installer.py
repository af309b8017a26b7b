"""The self-extracting installer, as a user without root meets it: a home of any name, and bad luck."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.structure.linux_packages import LINUX, User, make, mock_program, programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="this installer is for Linux")
ODD = "ä \"b\" 'c' \\d $e `f"


@pytest.fixture(scope="module")
def installers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("run")
    return {
        version: make("run", mock_program(folder / version, version), version, folder / f"{version}.run")
        for version in ("0.1.0", "0.2.0")
    }


@pytest.fixture
def old(installers: dict[str, Path]) -> Path:
    return installers["0.1.0"]


@pytest.fixture
def new(installers: dict[str, Path]) -> Path:
    return installers["0.2.0"]


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / ODD)


def _exec_line(entry: str) -> list[str]:
    """Split the Exec line by the rules of the Desktop Entry Specification: the string's escapes, then the quotes."""
    [line] = re.findall(r"^Exec=(.*)$", entry, re.MULTILINE)
    line = re.sub(r"\\(.)", r"\1", line)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    return [(re.sub(r"\\(.)", r"\1", quoted) if quoted else plain).replace("%%", "%") for quoted, plain in words]


def test_that_the_same_folder_gives_the_same_bytes(new: Path) -> None:
    again = make("run", new.with_suffix(""), "0.2.0", new.with_name("other name.run"))
    assert again.read_bytes() == new.read_bytes()
    assert sorted(path.name for path in new.with_suffix("").iterdir()) == ["_internal", "sensiview"]


@pytest.mark.parametrize("name", [ODD, "plain", "50% = half"])
def test_that_a_home_of_any_name_gets_program_menu_and_command(tmp_path: Path, new: Path, name: str) -> None:
    user = User(tmp_path / "homes" / name)
    said = user.run("sh", new)
    assert f"SensiView 0.2.0 is installed in '{user.folder}'." in said
    assert user.sensiview("a b") == ["mock 0.2.0", "a b"]
    assert (user.folder / "INSTALLED").read_text() == "run\n"
    assert (user.folder / "_internal" / "link").read_text() == "a"

    entry = user.home / ".local" / "share" / "applications" / "sensiview.desktop"
    command = _exec_line(entry.read_text())
    assert command[-1] == "%f"
    assert user.run(*command[:-1], "P ü.sensiview").splitlines() == ["mock 0.2.0", "P ü.sensiview"]
    if shutil.which("desktop-file-validate"):
        user.run("desktop-file-validate", entry)


def test_that_removal_leaves_what_the_user_made_and_nothing_else(user: User, old: Path, new: Path) -> None:
    mine = [user.home / "p.sensiview" / "project.sqlite", user.home / ".local/share/SensiView/settings.json"]
    for path in mine:
        path.parent.mkdir(parents=True)
        path.write_text("mine")
    before = user.files()
    user.run("sh", old)
    user.run("sh", new)
    assert user.sensiview() == ["mock 0.2.0"]
    assert not (user.folder / "_internal" / "only-0.1.0.txt").exists()
    user.run("sh", old)
    assert user.sensiview() == ["mock 0.1.0"]
    (user.folder / "_internal" / "__pycache__").mkdir()
    (user.folder / "_internal" / "__pycache__" / "x.pyc").write_text("x")
    assert "__pycache__" not in (user.folder / "MANIFEST").read_text()
    said = user.run(user.home / ".local" / "bin" / "sensiview-uninstall")
    assert f"stay in '{user.home}/.local/share/SensiView'" in said
    assert user.files() == before
    assert "is not installed" in user.run("sh", new, "--uninstall", code=1)


def test_that_files_of_the_user_in_the_programs_folder_survive(user: User, old: Path, new: Path) -> None:
    user.run("sh", old)
    (user.folder / "mine.txt").write_text("mine")
    said = user.run("sh", new)
    kept = user.folder.with_name("sensiview.kept")
    assert f"they lie in '{kept}' now" in said
    assert [path.name for path in kept.iterdir()] == ["mine.txt"]


def test_that_a_running_program_is_neither_replaced_nor_removed(user: User, old: Path, new: Path) -> None:
    user.run("sh", old)
    worker = user.start(user.folder / "_internal" / "worker", "60")
    try:
        sentence = f"SensiView is running (user {Path('/proc/self').owner()}, process {worker.pid}). Close it, then "
        assert sentence + "install again." in user.run("sh", new, code=1)
        assert sentence + "remove it again." in user.run("sh", user.folder / "uninstall.sh", code=1)
    finally:
        worker.kill()
        worker.communicate()
    assert user.sensiview() == ["mock 0.1.0"]


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda data: data[:-1000], "This file is incomplete (1000 bytes are missing)"),
        (lambda data: data[:2000], "This file is incomplete."),
        (lambda data: data[:-9000] + b"x" + data[-8999:], "This file is damaged"),
    ],
    ids=["end missing", "nearly all missing", "one byte differs"],
)
def test_that_a_damaged_file_touches_nothing(user: User, new: Path, damage: object, sentence: str) -> None:
    assert callable(damage)
    copy = user.home.parent / "copy.run"
    copy.write_bytes(damage(new.read_bytes()))
    assert sentence in user.run("sh", copy, code=1)
    assert not user.files()


@pytest.mark.parametrize(
    "scripts, sentence",
    [
        ({"uname": 'test "$1" = -s && echo Linux || echo i686'}, "AMD processor (x86_64); this computer is i686"),
        ({"getconf": "echo glibc 2.9"}, "this system has 2.9"),
        ({"getconf": "exit 1", "ldd": "echo musl libc"}, "needs the GNU C library (glibc)"),
        ({"df": 'echo; echo "my disk 9999999 9999899 100 100% /home"'}, "where 1 MB are free. Make room"),
        ({"id": "echo 0"}, "You are root, whose home nobody else sees"),
    ],
    ids=["32 bit", "old glibc", "other C library", "full disk", "root"],
)  # fmt: skip
def test_that_a_computer_that_can_not_run_it_is_told_so(
    user: User, new: Path, scripts: dict[str, str], sentence: str
) -> None:
    user.pretend.append(programs(user.home.parent / "pretend", **scripts))
    assert sentence in user.run("sh", new, code=1)
    assert not user.files()


def test_that_a_disk_that_fills_up_leaves_the_old_version(user: User, old: Path, new: Path) -> None:
    user.run("sh", old)
    before = user.files()
    full = 'cat >/dev/null; echo "tar: x: Wrote only 512 of 10240 bytes" >&2; exit 2'
    user.pretend.append(programs(user.home.parent / "full", tar=full))
    assert "failed: the disk or your share of it is full. Nothing was changed." in user.run("sh", new, code=1)
    user.pretend.pop()
    assert user.files() == before
    assert user.sensiview() == ["mock 0.1.0"]


def test_that_an_interrupted_installation_leaves_the_old_version(user: User, old: Path, new: Path) -> None:
    user.run("sh", old)
    before = user.files()
    user.pretend.append(programs(user.home.parent / "slow", gzip=f'sleep 20; exec {shutil.which("gzip")} "$@"'))
    process = user.start("sh", new)
    _wait_for(user, "sensiview.new-*")
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl+C does: everything in the terminal hears it
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted. Nothing was changed." in errors
    user.pretend.pop()
    assert user.files() == before
    assert user.sensiview() == ["mock 0.1.0"]


def test_that_the_next_installation_clears_up_after_one_that_was_killed(user: User, old: Path, new: Path) -> None:
    user.run("sh", old)
    user.pretend.append(programs(user.home.parent / "slow", gzip="sleep 20"))
    process = user.start("sh", new)
    left = _wait_for(user, "sensiview.new-*")
    assert "is being installed or removed here already" in user.run("sh", new, code=1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    user.pretend.pop()
    assert left.is_dir()
    assert user.sensiview() == ["mock 0.1.0"]
    # As if it had been killed between the two moves.
    user.folder.rename(user.folder.with_name("sensiview.old-99"))
    user.run("sh", new)
    assert [path.name for path in user.folder.parent.iterdir()] == ["sensiview"]
    assert user.sensiview() == ["mock 0.2.0"]


def _wait_for(user: User, pattern: str) -> Path:
    for _ in range(200):
        found = list(user.folder.parent.glob(pattern))
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"{pattern} did not appear")


def test_that_another_folder_can_be_chosen_and_others_are_left_alone(user: User, new: Path) -> None:
    user.run("sh", new, "--to", "neu er/tief", "--no-menu")
    assert user.run(user.home / "neu er" / "tief" / "sensiview" / "sensiview") == "mock 0.2.0\n"
    assert not (user.home / ".local").exists()
    user.run(user.home / "neu er" / "tief" / "sensiview" / "uninstall.sh")
    assert not user.files()

    (user.home / "x" / "sensiview").mkdir(parents=True)
    assert "was not made by this installer" in user.run("sh", new, "--to", "x", code=1)
    (user.home / "file").write_text("")
    assert f"'{user.home}/file' is a file" in user.run("sh", new, "--to", "file/y", code=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_that_a_read_only_home_is_told_of_the_way_out(user: User, new: Path) -> None:
    user.home.chmod(0o555)
    said = user.run("sh", new, code=1)
    user.home.chmod(0o755)
    assert "can't be written to" in said
    assert "--to FOLDER" in said


def test_that_checking_and_listing_install_nothing(user: User, new: Path) -> None:
    assert "This file is whole" in user.run("sh", new, "--check")
    listed = user.run("sh", new, "--list")
    assert "./_internal/größe/ärger ß.txt" in listed
    assert "__pycache__" not in listed
    assert "--uninstall" in user.run("sh", new, "--help")
    assert "There is no option '--frob'." in user.run("sh", new, "--frob", code=2)
    assert not user.files()


def test_that_the_shell_code_is_posix_and_clean() -> None:
    if shutil.which("dash"):
        for script in LINUX.glob("run/*.sh"):
            subprocess.run(["dash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        scripts = [*LINUX.glob("*.sh"), *LINUX.glob("run/*.sh")]
        done = subprocess.run(
            ["shellcheck", "-x", *map(str, scripts)], cwd=LINUX.parents[1], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
