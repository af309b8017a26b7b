"""A home folder that is read-only, full, missing or not there at all: the program works and says what is not kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sensiview import locations
from tests.commands.conftest import Command

ROOT = Path(__file__).resolve().parents[2]


def python(script: str, **environment: str | None) -> str:
    """Run a script in a process of its own and return what it prints; a variable that is None is unset."""
    merged = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        env={name: value for name, value in merged.items() if value is not None},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_that_a_home_that_can_be_written_is_no_problem_and_stays_empty(own_home: Path) -> None:
    assert locations.home_problem() == ""
    assert list(own_home.iterdir()) == []


def test_that_a_home_that_can_not_be_made_is_told_with_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sensiview: Command
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SENSIVIEW_HOME", str(tmp_path / "file" / "Größe 1"))
    said = locations.home_problem()
    assert "Größe 1' can't be written (Not a directory)" in said
    assert "recent projects" in said
    assert "SENSIVIEW_HOME" in said
    refused = sensiview("demo", "diabetes", "--no-window")
    assert refused.code == 1
    assert "sensiview demo diabetes --to FOLDER" in refused.err
    assert sensiview("new", tmp_path / "elsewhere").code == 0


def test_that_a_read_only_home_is_told(
    nobodys_folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("SENSIVIEW_HOME", str(nobodys_folder))
    nobodys_folder.chmod(0o555)
    request.getfixturevalue("unprivileged")
    assert "can't be written (Permission denied)" in locations.home_problem()


def test_that_a_full_home_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    shell = (
        'mount -t tmpfs -o size=64k tmpfs "$1" && dd if=/dev/zero of="$1/ballast" bs=1k count=100 2>/dev/null\n'
        'SENSIVIEW_HOME="$1" exec "$2" -c "from sensiview import locations as l; import os, sys; '
        'print(l.home_problem()); print(os.listdir(sys.argv[1]))" "$1"'
    )
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("this account may not mount a file system of its own")
    command = ["unshare", "-m", "sh", "-c", shell, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if "mount:" in done.stderr:
        pytest.skip("this account may not mount a file system of its own")
    assert "can't be written (No space left on device)" in done.stdout
    assert done.stdout.strip().endswith("['ballast']")


# A user with a number that the system's list does not hold, as in a container.
NOBODY_KNOWS = "import pwd\ndef unknown(number): raise KeyError(number)\npwd.getpwuid = unknown\n"


@pytest.mark.skipif(os.name == "nt", reason="users of a POSIX system")
def test_that_a_user_without_a_home_keeps_nothing_and_leaves_no_folder_behind() -> None:
    script = (
        f"{NOBODY_KNOWS}from pathlib import Path\n"
        "from sensiview import locations\n"
        "print(locations.home(), '|', locations.home_problem())\n"
        "locations.name_a_home()\nprint(Path.home(), Path('~').expanduser())\n"
    )
    for home in (None, "~/somewhere"):
        said = python(script, HOME=None, XDG_DATA_HOME=None, SENSIVIEW_HOME=home).splitlines()
        assert said[0].startswith("/nonexistent/SensiView | Nothing is kept")
        assert "this user has no home folder" in said[0]
        assert said[1] == "/nonexistent /nonexistent"
    assert not Path("/nonexistent").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux keeps caches")
@pytest.mark.parametrize("writable", [True, False])
def test_that_libraries_get_a_folder_for_caches_where_the_users_can_not_be_written(
    writable: bool, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    script = (
        "from sensiview import locations\nlocations.lend_caches()\nimport os\n"
        "from platformdirs import user_cache_path\n"
        "place = user_cache_path()\n"
        "print(place)\n(place / 'napari').mkdir(parents=True)\n"
    )
    own = tmp_path if writable else tmp_path / "file"
    used = Path(python(script, HOME=str(tmp_path), XDG_CACHE_HOME=str(own / "cache")))
    assert (used == own / "cache") == writable
    assert used.is_dir() == writable, "a folder that was lent goes with its process"


def test_that_a_folder_of_ours_serves_where_no_temporary_files_can_be_written(own_home: Path) -> None:
    script = (
        "import os, tempfile\nfrom sensiview import locations\n"
        "listed = tempfile._candidate_tempdir_list\n"
        "tempfile._candidate_tempdir_list = lambda: listed()[:1]\n"  # what TMPDIR names, and nothing else
        "locations.lend_temporary_folder()\n"
        "with tempfile.TemporaryDirectory() as made:\n    print(made)\nprint(os.environ['TMPDIR'])\n"
    )
    made, named = python(script, TMPDIR="/nowhere").splitlines()
    assert Path(made).parent == Path(named) == own_home / "temporary"
    assert os.name == "nt" or (own_home / "temporary").stat().st_mode & 0o077 == 0


def test_that_no_folder_for_temporary_files_is_told_in_words() -> None:
    from sensiview.errors import os_reason

    script = (
        "import tempfile\ntempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
        "from sensiview.errors import os_reason\n"
        "try:\n    tempfile.mkdtemp()\nexcept OSError as error:\n    print(os_reason(error))\n"
    )
    assert python(script).startswith("no folder for temporary files can be written: make room in /tmp")
    assert os_reason(PermissionError(13, "Permission denied", "/x")) == "Permission denied"
