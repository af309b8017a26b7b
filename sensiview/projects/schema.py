"""The tables of a project's database, their number, and how a database is recognised.

The number must rise when a table, a column or the meaning of a stored JSON value is renamed, removed,
changes its type, or when a new one is required. A new *optional* JSON field does not need it.
Each rise comes with a module ``migrations/to_N.py``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sensiview.errors import ProjectError
from sensiview.projects import places
from sensiview.projects.problems import DamagedProject
from sensiview.projects.records import now, program_versions

CURRENT = 2
DATABASE = places.DATABASE
# "SVIW": written into the header, so that another program's database is not taken for a project.
APPLICATION_ID = 0x53564957
_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
_VERSION_AT = 60
_APPLICATION_AT = 68

# `deleted` is empty, or the time at which the row went to the trash.
TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE migrations (
        number INTEGER PRIMARY KEY, info TEXT NOT NULL, done TEXT NOT NULL, program TEXT NOT NULL)""",
    """CREATE TABLE datasets (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, added TEXT NOT NULL,
        card TEXT NOT NULL, files TEXT NOT NULL, deleted TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE models (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, added TEXT NOT NULL,
        card TEXT NOT NULL, files TEXT NOT NULL, deleted TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL,
        state TEXT NOT NULL, record TEXT NOT NULL, deleted TEXT NOT NULL DEFAULT '')""",
    "CREATE TABLE queue (run TEXT PRIMARY KEY, position INTEGER NOT NULL)",
    "CREATE TABLE views (name TEXT PRIMARY KEY, saved TEXT NOT NULL, value TEXT NOT NULL)",
)


@dataclass(frozen=True)
class Header:
    """What the first hundred bytes of a database say. `number` may lag behind what a crash left in the WAL."""

    number: int


def create_tables(connection: sqlite3.Connection, title: str) -> None:
    """Make the tables of the current schema in an empty database, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        connection.execute(statement)
    facts = {
        "schema": str(CURRENT),
        "title": title,
        "created": now(),
        "program": program_versions()["sensiview"],
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {CURRENT}")
    connection.execute("COMMIT")


def read_header(folder: Path) -> Header:
    """Look at a project's database without opening it: nothing on the disk changes.

    Raises
    ------
    ProjectError
        There is none, it belongs to another program, or to a newer SensiView.
    DamagedProject
        It is no database at all.
    """
    path = folder / DATABASE
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER)
    except FileNotFoundError:
        if has_backups(folder):
            raise damaged(folder, "its database file is missing") from None
        raise ProjectError(
            f"'{folder}' is not a SensiView project: it holds no {DATABASE}. Choose a folder whose name "
            "ends in .sensiview, or make a new project."
        ) from None
    except OSError as error:
        raise ProjectError(
            f"The project '{folder.name}' can't be read ({error.strerror or error}). Check that you may read "
            "the folder and that its drive is connected."
        ) from error
    if len(head) < _HEADER or not head.startswith(_MAGIC):
        reason = "its database file is empty" if not head else "its database file holds something else"
        raise damaged(folder, reason)
    if int.from_bytes(head[_APPLICATION_AT : _APPLICATION_AT + 4], "big") != APPLICATION_ID:
        raise ProjectError(
            f"'{folder}' is not a SensiView project: {DATABASE} belongs to another program. Choose another folder."
        )
    number = int.from_bytes(head[_VERSION_AT : _VERSION_AT + 4], "big")
    refuse_newer(folder, number)
    return Header(number)


def refuse_newer(folder: Path, number: int) -> None:
    """Raise ProjectError for a schema number that this program does not know."""
    if number > CURRENT:
        raise ProjectError(
            f"The project '{folder.name}' was made by a newer SensiView (project format {number}; this one knows "
            f"up to {CURRENT}). Nothing was changed. Install the newer SensiView to open it."
        )


def has_backups(folder: Path) -> bool:
    """Say whether a backup of the database lies in the project."""
    return any((folder / "backup").glob("project-*.sqlite"))


def damaged(folder: Path, reason: str, *, details: str = "") -> DamagedProject:
    """Return the error of a database that can't be read, saying what to do."""
    if has_backups(folder):
        advice = (
            "Restore its last backup: with 'Restore backup' in the window, or with "
            f"'sensiview check \"{folder}\" --restore'. Results under runs are kept."
        )
    else:
        advice = (
            f"There is no backup in it. Put back a copy of {DATABASE}, or make a new project; "
            "the results under runs can still be read."
        )
    return DamagedProject(f"The project '{folder.name}' is damaged: {reason}. {advice}", folder=folder, details=details)
