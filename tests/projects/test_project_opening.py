"""How a project opens when something is in the way: another window, permissions, damage, a full disk."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sensiview.datasets.card import DatasetCard
from sensiview.errors import ProjectError
from sensiview.projects import opening
from sensiview.projects.problems import CannotWrite, DamagedProject, DiskFull, ProjectLocked
from sensiview.projects.schema import CURRENT, DATABASE
from sensiview.projects.store import Project


@pytest.fixture
def closed(project: Project, table_card: DatasetCard, table_file: Path) -> Path:
    """A project with one data set and one run, closed, and its one backup."""
    data = project.add_dataset(table_card, [table_file])
    project.new_run(analysis="sobol", dataset=data.id)
    project.close()
    for older in Project.backups(project.path)[1:]:
        older.path.unlink()
    return project.path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Where no project is --------------------------------------------------------------------------------------------


def test_that_what_is_no_project_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "pima.sensiview").mkdir()
    with pytest.raises(ProjectError, match=r"no project .*/pimo'.*Did you mean 'pima'"):
        Project.open(tmp_path / "pimo")
    with pytest.raises(ProjectError, match=r"not a SensiView project: it holds no project.sqlite"):
        Project.open(tmp_path / "empty")
    with pytest.raises(ProjectError, match=r"is a file, not a project"):
        Project.open(tmp_path / "notes.txt")
    with pytest.raises(ProjectError, match=r"can't be made"):
        Project.create(tmp_path / "notes.txt" / "inside")


def test_that_the_database_file_itself_opens_its_project(closed: Path) -> None:
    with Project.open(closed / DATABASE) as project:
        assert project.path == closed


def test_that_a_project_is_made_only_where_nothing_is(tmp_path: Path, closed: Path) -> None:
    before = contents(closed)
    with pytest.raises(ProjectError, match=r"There is a project .* already"):
        Project.create(closed)
    assert contents(closed) == before
    (tmp_path / "full.sensiview").mkdir()
    (tmp_path / "full.sensiview" / "thesis.tex").write_text("years of work")
    with pytest.raises(ProjectError, match=r"not empty"):
        Project.create(tmp_path / "full")
    assert contents(tmp_path / "full.sensiview") == {"thesis.tex": b"years of work"}


def test_that_another_programs_database_is_not_taken_for_a_project(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(ProjectError, match=r"belongs to another program"):
        Project.open(tmp_path)


# One writer -----------------------------------------------------------------------------------------------------


def test_that_a_second_window_reads_and_says_who_writes(closed: Path) -> None:
    with Project.open(closed) as writer:
        with pytest.raises(ProjectLocked, match=r"open in another window \(user \w+ on host .+ since \d\d:\d\d\)"):
            Project.open(closed)
        with Project.open(closed, allow_read_only=True) as reader:
            assert reader.read_only
            assert reader.notice.endswith("Opened read-only.")
            assert [run.id for run in reader.runs()] == ["sobol-0001"]
            writer.update_run("sobol-0001", state="running")
            assert reader.run("sobol-0001").state == "running"  # it follows the writer
            with pytest.raises(ProjectError, match=r"open in another window.*Opened read-only"):
                reader.delete("run", "sobol-0001")
            with pytest.raises(ProjectError, match=r"open in another window"):
                reader.title = "mine"
        writer.update_run("sobol-0001", state="succeeded")
    with Project.open(closed) as project:
        assert not project.read_only
        assert project.run("sobol-0001").state == "succeeded"


def test_that_another_process_finds_the_lock(closed: Path) -> None:
    script = (
        "import sys\n"
        "from sensiview.errors import ProjectError\n"
        "from sensiview.projects.store import Project\n"
        "try:\n"
        "    Project.open(sys.argv[1])\n"
        "except ProjectError as error:\n"
        "    print(error)\n"
    )
    with Project.open(closed):
        done = subprocess.run([sys.executable, "-c", script, closed], capture_output=True, text=True, check=True)
    assert "is open in another window" in done.stdout
    assert done.stdout.strip().endswith("Close it there first, or open it here for reading only.")


def test_that_a_reader_leaves_no_trace(closed: Path) -> None:
    before = contents(closed)
    with Project.open(closed, read_only=True) as reader:
        assert reader.datasets()
        assert reader.notice == ""
        reader.verify()
        assert reader.run_directory("sobol-0001").is_dir()
        with pytest.raises(ProjectError, match=r"opened for reading only"):
            reader.new_run(analysis="sobol")
    assert contents(closed) == before


def test_that_the_lock_dies_with_its_process_and_its_run_is_interrupted(closed: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from sensiview.projects.store import Project\n"
        "project = Project.open(sys.argv[1])\n"
        "project.update_run('sobol-0001', state='running')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", script, closed], check=False)
    assert died.returncode == -9
    assert (closed / "lock.json").exists()
    with Project.open(closed, read_only=True) as reader:
        assert reader.run("sobol-0001").state == "interrupted"  # shown, not written
    with Project.open(closed) as project:
        run = project.run("sobol-0001")
        assert run.state == "interrupted"
        assert "Resume it" in run.message
        assert run.finished
        assert project.queue() == []
        assert json.loads((closed / "lock.json").read_text())["process"] == os.getpid()


def test_that_a_writer_on_another_host_is_read_from_a_copy(closed: Path) -> None:
    with Project.open(closed):
        note = json.loads((closed / "lock.json").read_text())
        (closed / "lock.json").write_text(
            json.dumps({**note, "host": "scanner-2", "since": "2020-01-02T10:00:00+00:00"})
        )
        with pytest.raises(ProjectLocked, match=r"on host scanner-2 since 2020-01-02"):
            Project.open(closed)
        with Project.open(closed, allow_read_only=True) as reader:
            assert len(reader.runs()) == 1
            assert reader._copy is not None


# Folders that can't be written ----------------------------------------------------------------------------------


def test_that_a_folder_without_permission_opens_for_reading(
    nobodys_folder: Path, closed: Path, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(closed, nobodys_folder / "theirs.sensiview")
    request.getfixturevalue("unprivileged")
    if os.geteuid() == os.getuid():
        (nobodys_folder / "theirs.sensiview").chmod(0o555)
    folder = nobodys_folder / "theirs.sensiview"
    before = contents(folder)
    with pytest.raises(CannotWrite, match=r"may not write into its folder.*copy it to a folder of your own"):
        Project.open(folder)
    with Project.open(folder, allow_read_only=True) as project:
        assert project.read_only
        assert (
            project.notice
            == "'theirs.sensiview' can't be changed: you may not write into its folder. Opened read-only."
        )
        assert len(project.runs()) == 1
        with pytest.raises(ProjectError, match=r"may not write into its folder"):
            project.new_run(analysis="sobol")
    assert contents(folder) == before
    with pytest.raises(ProjectError, match=r"can't be made"):
        Project.create(folder / "inside")


def test_that_a_crash_left_wal_is_read_where_nothing_can_be_written(
    nobodys_folder: Path, project: Project, request: pytest.FixtureRequest
) -> None:
    project.new_run(analysis="sobol")
    assert (project.path / (DATABASE + "-wal")).stat().st_size > 0
    copy = nobodys_folder / "crashed.sensiview"
    shutil.copytree(project.path, copy, ignore=shutil.ignore_patterns("*-shm", "lock.json"))
    if os.geteuid() != 0:
        copy.chmod(0o555)
    request.getfixturevalue("unprivileged")
    with Project.open(copy, allow_read_only=True) as reader:
        assert reader.read_only
        assert [run.id for run in reader.runs()] == ["sobol-0001"]


_ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size={size} tmpfs "$1"
cp -r "$2" "$1/p.sensiview"
{then}
exec "$3" -c "$4" "$1/p.sensiview"
"""


def _on_a_small_disk(closed: Path, tmp_path: Path, script: str, *, size: str, then: str = "") -> str:
    """Run a script with the project on a small file system of its own, or skip where that is not allowed."""
    place = tmp_path / "mounted"
    place.mkdir()
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("this account may not mount a file system of its own")
    shell = _ON_A_SMALL_DISK.format(size=size, then=then)
    command = ["unshare", "-m", "sh", "-c", shell, "sh", place, closed, sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mount:" in done.stderr:
        pytest.skip("this account may not mount a file system of its own")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_that_a_project_on_a_read_only_drive_opens_for_reading(closed: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from sensiview.errors import ProjectError\n"
        "from sensiview.projects.store import Project\n"
        "with Project.open(sys.argv[1], allow_read_only=True) as project:\n"
        "    print(project.notice, project.runs()[0].id, project.run_directory('sobol-0001').is_dir())\n"
        "    try:\n"
        "        project.save_view('a', 1)\n"
        "    except ProjectError as error:\n"
        "        print(error)\n"
    )
    said = _on_a_small_disk(closed, tmp_path, script, size="4m", then='mount -o remount,ro "$1"').splitlines()
    assert said[0].endswith("Opened read-only. sobol-0001 True")
    assert "may not write into its folder" in said[1]


def test_that_a_full_disk_costs_the_change_and_the_project_still_opens(closed: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sensiview.errors import ProjectError\n"
        "from sensiview.projects.store import Project\n"
        "path = Path(sys.argv[1])\n"
        "project = Project.open(path)\n"
        "with (path / 'ballast').open('wb', buffering=0) as ballast:\n"
        "    try:\n"
        "        while True:\n"
        "            ballast.write(bytes(4096))\n"
        "    except OSError:\n"
        "        pass\n"
        "for change in (lambda: project.save_view('big', 'x' * 200_000), lambda: project.new_run(analysis='pca')):\n"
        "    try:\n"
        "        change()\n"
        "    except ProjectError as error:\n"
        "        print(type(error).__name__, error)\n"
        "print([run.id for run in project.runs()], project.views())\n"
        "project.close()\n"
        "again = Project.open(path, allow_read_only=True)\n"
        "print([run.id for run in again.runs()], again.notice)\n"
        "again.close()\n"
        "(path / 'ballast').unlink()\n"
        "again = Project.open(path)\n"
        "again.save_view('big', 'x' * 200_000)\n"
        "print(again.new_run(analysis='pca').id, again.views())\n"
        "again.close()\n"
    )
    said = _on_a_small_disk(closed, tmp_path, script, size="2m").splitlines()
    assert said[0].startswith("DiskFull The disk that holds 'p.sensiview' is full")
    assert said[-3] == "['sobol-0001'] []"
    assert said[-2].startswith("['sobol-0001']")
    assert said[-1] == "pca-0001 ['big']"


def test_that_sqlites_own_full_disk_error_undoes_the_whole_change(project: Project) -> None:
    run = project.new_run(analysis="sobol")
    ((pages,),) = project._database.rows("PRAGMA page_count")
    project._database.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull, match=r"is full.*everything before it was\. Free some space and try again\."):
        project.new_run(analysis="sobol", parameters={"text": "x" * 100_000})
    assert project.runs() == [run]
    assert project.queue() == [run.id]
    assert [path.name for path in (project.path / "runs").iterdir()] == [run.id]
    assert project.update_run(run.id, state="running").state == "running"


# Damage ---------------------------------------------------------------------------------------------------------


def test_that_a_damaged_project_names_the_command_that_restores_it(closed: Path) -> None:
    _zero(closed / DATABASE)
    with pytest.raises(DamagedProject, match=rf"sensiview check \"{closed}\" --restore'") as caught:
        Project.open(closed)
    assert caught.value.folder == closed


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def _html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>404</title>" + " " * 200)


def _zero(path: Path) -> None:
    path.write_bytes(b"")


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _overwritten(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(bytes(data))


def _missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [_garbage, _html, _zero, _truncated, _overwritten, _missing])
def test_that_a_damaged_database_is_named_and_its_backup_put_back(closed: Path, harm: object) -> None:
    assert callable(harm)
    harm(closed / DATABASE)
    before = contents(closed)
    for options in ({}, {"read_only": True}, {"allow_read_only": True}):
        with pytest.raises(DamagedProject, match=r"is damaged: .*Restore its last backup.*Results under runs are kept"):
            Project.open(closed, **options)
    assert contents(closed) == before
    assert Project.restore_backup(closed).startswith("The backup of ")
    with Project.open(closed) as project:
        assert [run.id for run in project.runs()] == ["sobol-0001"]
        assert project.datasets()[0].card.name == "Pima"
        assert all(finding.severity == "note" for finding in project.verify())
    with Project.open(closed) as project:
        assert not project.read_only


def test_that_a_damaged_database_without_backup_says_what_is_left(closed: Path) -> None:
    shutil.rmtree(closed / "backup")
    _garbage(closed / DATABASE)
    with pytest.raises(DamagedProject, match=r"There is no backup in it"):
        Project.open(closed)
    with pytest.raises(ProjectError, match=r"no backup that can be read"):
        Project.restore_backup(closed)


def test_that_runs_made_since_the_backup_are_taken_in_again(closed: Path) -> None:
    with Project.open(closed) as project:
        run = project.new_run(analysis="sobol", name="after the backup")
        going_on = project.new_run(analysis="pca")
        project.update_run(run.id, state="succeeded", items=["first_total"])
        shutil.copytree(closed / "backup", closed / "kept")  # the closing backup would hold the runs already
    shutil.rmtree(closed / "backup")
    (closed / "kept").rename(closed / "backup")
    _garbage(closed / DATABASE)
    assert "2 newer runs taken in again" in Project.restore_backup(closed)
    with Project.open(closed) as project:
        assert project.run("after the backup").items == ["first_total"]
        assert project.run(going_on.id).state == "interrupted"
        assert project.new_run(analysis="sobol").id == "sobol-0003"


def test_that_a_damaged_backup_is_passed_over_for_an_older_one(closed: Path) -> None:
    (newest,) = (closed / "backup").glob("project-*.sqlite")
    shutil.copy(newest, newest.with_name("project-20200102-030405.sqlite"))
    _garbage(newest)
    _garbage(closed / DATABASE)
    assert [backup.made for backup in Project.backups(closed)][-1] == "2020-01-02 03:04"
    assert "backup of 2020-01-02 03:04" in Project.restore_backup(closed)


def test_that_a_project_open_elsewhere_is_not_restored(closed: Path) -> None:
    with Project.open(closed), pytest.raises(ProjectLocked):
        Project.restore_backup(closed)


def test_that_backups_roll_and_unchanged_projects_make_none(closed: Path) -> None:
    first = {path.name for path in (closed / "backup").iterdir()}
    assert len(first) == 1
    Project.open(closed).close()
    assert {path.name for path in (closed / "backup").iterdir()} == first
    for number in range(7):
        (closed / "backup" / f"project-2020010{number}-000000.sqlite").write_bytes(b"old")
    with Project.open(closed) as project:
        project.save_view("a", 1)
    kept = sorted(path.name for path in (closed / "backup").iterdir())
    assert len(kept) == 5
    assert "project-20200100-000000.sqlite" not in kept


# Versions -------------------------------------------------------------------------------------------------------


def _newer_number(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {CURRENT + 1}")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_that_a_newer_project_is_refused_and_untouched_byte_for_byte(closed: Path, read_only: bool) -> None:
    _newer_number(closed / DATABASE)
    before = contents(closed)
    with pytest.raises(ProjectError, match=rf"newer SensiView .project format {CURRENT + 1}; .*Nothing was changed"):
        Project.open(closed, read_only=read_only, allow_read_only=True)
    assert contents(closed) == before


def test_that_a_newer_project_is_refused_when_only_its_wal_says_so(closed: Path) -> None:
    script = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA user_version = 99')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, closed / DATABASE], check=False)
    before = contents(closed)
    assert int.from_bytes(before[DATABASE][60:64], "big") == CURRENT
    with pytest.raises(ProjectError, match=r"newer SensiView .project format 99"):
        Project.open(closed, allow_read_only=True)
    after = contents(closed)
    assert after[DATABASE] == before[DATABASE]
    assert after[DATABASE + "-wal"] == before[DATABASE + "-wal"]


def test_that_an_error_of_the_drive_is_told_from_damage(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> sqlite3.Connection:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    monkeypatch.setattr(opening, "_connect", refuse)
    with pytest.raises(CannotWrite, match=r"does not let SensiView write"):
        Project.open(closed)


def test_that_what_a_crash_left_is_in_the_next_backup(closed: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from sensiview.projects.store import Project\n"
        "project = Project.open(sys.argv[1])\n"
        "project.save_view('last words', 'x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (backup,) = Project.backups(closed)
    backup.path.rename(backup.path.with_name("project-20200102-030405.sqlite"))
    subprocess.run([sys.executable, "-c", script, closed], check=False)
    Project.open(closed).close()
    newest, _ = Project.backups(closed)
    connection = sqlite3.connect(newest.path)
    assert connection.execute("SELECT name FROM views").fetchall() == [("last words",)]
    connection.close()
