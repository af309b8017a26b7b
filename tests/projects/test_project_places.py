"""Which project a path stands for: folder, database, the file for double clicks, URIs, links, what is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sensiview.errors import ProjectError
from sensiview.projects.places import OPENER, OPENER_MAGIC, given_path, project_folder, stands_for_project
from sensiview.projects.schema import APPLICATION_ID, DATABASE
from sensiview.projects.store import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed project in a folder with a space and letters beyond ASCII."""
    with Project.create(tmp_path / "Größe und Âge" / "ma étude 1") as project:
        return project.path


def test_that_desktops_recognise_a_new_project_by_its_first_bytes(folder: Path) -> None:
    assert (folder / OPENER).read_bytes().startswith(b"SensiView project\n")
    assert len((folder / OPENER).read_bytes()) < 200
    head = (folder / DATABASE).read_bytes()[:100]
    assert head[:16] == b"SQLite format 3\0"
    assert head[68:72] == b"SVIW" == APPLICATION_ID.to_bytes(4, "big")


def test_that_an_older_project_gets_its_opener_when_it_is_opened_for_writing(folder: Path) -> None:
    (folder / OPENER).unlink()
    with Project.open(folder, read_only=True):
        assert not (folder / OPENER).exists()
    with Project.open(folder) as project:
        assert (folder / OPENER).is_file()
        assert project.verify() == []


def test_that_a_file_of_that_name_is_left_as_it_is(folder: Path) -> None:
    (folder / OPENER).write_text("mine", encoding="utf-8")
    Project.open(folder).close()
    assert (folder / OPENER).read_text(encoding="utf-8") == "mine"
    with Project.open(folder / OPENER) as project:
        assert project.path == folder


def test_that_a_project_whose_opener_can_not_be_written_opens_as_well(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (folder / OPENER).unlink()
    monkeypatch.setattr("sensiview.files.write_atomically", refuse)
    with Project.open(folder) as project:
        assert not project.read_only
    assert not (folder / OPENER).exists()


def test_that_every_way_to_name_a_project_opens_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (tmp_path / "folder link").symlink_to(folder)
    (tmp_path / "opener link").symlink_to(folder / OPENER)
    (tmp_path / "database link").symlink_to(folder / DATABASE)
    uri = folder.as_uri()
    assert "%" in uri
    given = [
        folder, f"{folder}/", f"{folder}//", folder / OPENER, folder / DATABASE, "ma étude 1.sensiview", "ma étude 1",
        "./ma étude 1.sensiview/", "../Größe und Âge/ma étude 1.sensiview", uri, f"{uri}/", (folder / OPENER).as_uri(),
        uri.replace("file:///", "file:/"), uri.replace("file:///", "FILE://localhost/"), f"file://{folder}",
        tmp_path / "folder link", tmp_path / "opener link", tmp_path / "database link",
    ]  # fmt: skip
    for way in given:
        with Project.open(way, read_only=True) as project:
            assert project.path.resolve() == folder.resolve(), way


def test_that_a_home_folder_is_filled_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert project_folder(given_path("~/ma étude 1.sensiview")) == folder
    assert given_path("~no-such-user/x") == Path("~no-such-user/x")


def test_that_a_path_that_is_no_text_is_found_by_its_bytes(folder: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/L\xf6we.sensiview")
    try:
        shutil.copytree(folder, odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert project_folder(given_path(f"file://{tmp_path}/L%F6we.sensiview")) == Path(odd)


def test_that_what_stands_for_no_project_is_told_apart(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.sensiview").write_text("hello", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for wrong in ("", "empty", "notes.sensiview", "nothing", "file:///nothing", "a\0b", "x" * 5000, "~nobody-at-all"):
        assert not stands_for_project(tmp_path / wrong if wrong.isalpha() else wrong), wrong
    assert stands_for_project(folder)


def test_that_an_opener_outside_its_project_says_to_put_it_back(folder: Path, tmp_path: Path) -> None:
    stray = Path(shutil.copy(folder / OPENER, tmp_path / "to my study.sensiview"))
    assert stands_for_project(stray)  # what is wrong with it is said when it is opened
    with pytest.raises(ProjectError, match=r"to my study.sensiview' opens the project in whose folder .*Put it back"):
        Project.open(stray)
    stray.write_bytes(OPENER_MAGIC.replace(b"\n", b"\r\n"))
    with pytest.raises(ProjectError, match=r"Put it back"):
        Project.open(stray)


def test_that_a_folder_inside_a_project_names_the_project(folder: Path) -> None:
    with pytest.raises(ProjectError, match=r"runs' lies inside the project '.*ma étude 1.sensiview'\. Choose that"):
        Project.open(folder / "runs")


def test_that_an_opener_beside_a_lost_database_leads_to_the_backup(folder: Path) -> None:
    with Project.open(folder) as project:
        project.save_view("a", 1)
    (folder / DATABASE).unlink()
    with pytest.raises(ProjectError, match=r"database file is missing.*Restore its last backup"):
        Project.open(folder / OPENER)
