"""Older projects: backed up, brought up to date, checked; left alone when anything fails."""

from __future__ import annotations

import ast
import json
import sqlite3
from pathlib import Path

import pytest

from sensiview.errors import ProjectError
from sensiview.projects import migrating
from sensiview.projects.migrations import Step, steps_from
from sensiview.projects.migrations import __path__ as steps_folder
from sensiview.projects.schema import CURRENT, DATABASE
from sensiview.projects.store import Project

# The tables of schema 1, as they were: written out, because the program no longer makes them.
SCHEMA_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE datasets (id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, added TEXT NOT NULL,
    card TEXT NOT NULL, files TEXT NOT NULL);
CREATE TABLE models (id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, added TEXT NOT NULL,
    card TEXT NOT NULL, files TEXT NOT NULL);
CREATE TABLE runs (id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL,
    state TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE queue (run TEXT PRIMARY KEY, position INTEGER NOT NULL);
PRAGMA application_id = 1398163799;
PRAGMA user_version = 1;
"""


@pytest.fixture
def first_generation(tmp_path: Path) -> Path:
    """A project of schema 1 with a data set, a failed and a queued run."""
    folder = tmp_path / "old.sensiview"
    for name in ("runs/sobol-0001", "runs/sobol-0002", "data"):
        (folder / name).mkdir(parents=True)
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")
    connection = sqlite3.connect(folder / DATABASE, isolation_level=None)
    connection.executescript(SCHEMA_1)
    connection.execute("PRAGMA journal_mode = WAL")
    stamp = "2025-05-05T10:00:00+00:00"
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("schema", "1"), ("title", "Old study"), ("next:sobol", "3"), ("next:dataset", "2")],
    )
    files = {"0": {"path": "../t.csv", "size": 4, "sha256": "ab" * 32, "modified": 1.0}}
    connection.execute(
        "INSERT INTO datasets VALUES ('dataset-0001', 1, 'T', ?, ?, ?)",
        (stamp, json.dumps({"name": "T", "n_rows": 1, "features": ["a"]}), json.dumps(files)),
    )
    base = {
        "kind": "analysis",
        "analysis": "sobol",
        "parameters": {"n": 64},
        "created": stamp,
        "dataset": "dataset-0001",
    }
    records = [
        ("sobol-0001", 1, "first", stamp, "failed", {**base, "name": "first", "state": "failed", "error": "It broke."}),
        ("sobol-0002", 2, "second", stamp, "queued", {**base, "name": "second", "state": "queued", "error": None}),
    ]
    for identifier, number, name, created, state, record in records:
        connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)",
            (identifier, number, name, created, state, json.dumps({**record, "id": identifier})),
        )
    connection.execute("INSERT INTO queue VALUES ('sobol-0002', 1)")
    connection.close()
    return folder


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(number)


def test_that_a_version_1_project_is_backed_up_and_migrated(first_generation: Path) -> None:
    with Project.open(first_generation) as project:
        assert project.title == "Old study"
        assert [run.name for run in project.runs()] == ["first", "second"]
        assert project.run("first").message == "It broke."
        assert project.run("second").message == ""
        assert project.run("first").extends is None
        assert project.queue() == ["sobol-0002"]
        assert project.dataset("T").card.features == ("a",)
        assert project.dataset("T").files[0].path == first_generation.parent / "t.csv"
        assert [(number, info) for number, info, _ in project.history()] == [
            (step.number, step.info) for step in steps_from(1)
        ]
        project.save_view("window", 1)
        project.delete("run", "first")
        assert project.trash()[0].id == "sobol-0001"
        assert project.new_run(analysis="sobol").id == "sobol-0003"
    assert version(first_generation / DATABASE) == CURRENT
    (backup,) = first_generation.glob(f"{DATABASE}.backup-v1-*")
    assert version(backup) == 1
    connection = sqlite3.connect(backup)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)
    connection.close()
    with Project.open(first_generation) as project:  # once is enough
        assert len(project.history()) == CURRENT - 1
    assert len(list(first_generation.glob(f"{DATABASE}.backup-*"))) == 1


def test_that_a_reader_of_a_version_1_project_changes_nothing(first_generation: Path) -> None:
    before = (first_generation / DATABASE).read_bytes()
    with Project.open(first_generation, read_only=True) as project:
        assert project.run("first").message == "It broke."
        with pytest.raises(ProjectError, match=r"reading only"):
            project.save_view("window", 1)
    assert (first_generation / DATABASE).read_bytes() == before
    assert sorted(path.name for path in first_generation.iterdir()) == ["data", DATABASE, "runs"]


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE views (name TEXT)", "DELETE FROM runs", "DROP TABLE queue", "CREATE TABLE surplus (a)"],
)
def test_that_a_failing_migration_leaves_the_project_as_it_was(
    first_generation: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    real = steps_from(1)

    def harmful(connection: sqlite3.Connection) -> None:
        real[-1].migrate(connection)
        connection.execute(statement)

    monkeypatch.setattr(migrating, "steps_from", lambda _: [*real[:-1], Step(CURRENT, "harmful", harmful)])
    with pytest.raises(ProjectError, match=r"could not be brought to format .* left as it was. A copy lies beside"):
        Project.open(first_generation, allow_read_only=False)
    assert version(first_generation / DATABASE) == 1
    monkeypatch.undo()
    with Project.open(first_generation) as project:
        assert [run.name for run in project.runs()] == ["first", "second"]


def test_that_one_unreadable_record_does_not_stop_a_migration(first_generation: Path) -> None:
    connection = sqlite3.connect(first_generation / DATABASE, isolation_level=None)
    connection.execute("UPDATE runs SET record = '{broken' WHERE id = 'sobol-0001'")
    connection.close()
    with Project.open(first_generation) as project:
        assert [run.name for run in project.runs()] == ["second"]
        assert list(project.unreadable()) == ["sobol-0001"]


def test_that_there_is_a_step_for_every_number() -> None:
    assert [step.number for step in steps_from(1)] == list(range(2, CURRENT + 1))
    assert all(step.info.endswith(".") for step in steps_from(1))


def test_that_steps_import_nothing_from_the_program() -> None:
    for path in Path(next(iter(steps_folder))).glob("to_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("sensiview") for alias in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("sensiview"), path
                assert node.level == 0, path
