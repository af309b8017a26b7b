"""Running the migrations: a backup first, one transaction, a check, and back to where it was on failure."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sensiview.errors import ProjectError
from sensiview.projects.database import copy_database
from sensiview.projects.migrations import Step, steps_from
from sensiview.projects.records import now, program_versions
from sensiview.projects.schema import CURRENT, DATABASE, TABLES

_KEPT = ("datasets", "models", "runs", "queue")


def migrate(connection: sqlite3.Connection, folder: Path, *, backup: bool = True) -> None:
    """Bring an open database to the current schema.

    `backup` leaves ``project.sqlite.backup-vN-DATE`` beside the database first.

    Raises
    ------
    ProjectError
        A step failed or its outcome is not a database of the current schema; nothing has changed.
    """
    old = int(connection.execute("PRAGMA user_version").fetchone()[0])
    kept = _backup(connection, folder, old) if backup else None
    before = _counts(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        steps = steps_from(old)
        for step in steps:
            step.migrate(connection)
        _note(connection, steps)
        _check(connection, before)
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        where = f" A copy lies beside it as {kept.name}." if kept else ""
        raise ProjectError(
            f"The project '{folder.name}' (format {old}) could not be brought to format {CURRENT}; it was left as "
            f"it was.{where} Please report this with the details.",
            details=f"{type(error).__name__}: {error}",
        ) from error


def _backup(connection: sqlite3.Connection, folder: Path, old: int) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    path = folder / f"{DATABASE}.backup-v{old}-{stamp}"
    try:
        copy_database(connection, path)
    except sqlite3.Error as error:
        path.unlink(missing_ok=True)
        raise ProjectError(
            f"The project '{folder.name}' is of an older format and must be backed up before it is brought up to "
            "date, but the copy could not be written. Free some space on its drive and open it again.",
            details=str(error),
        ) from error
    return path


def _note(connection: sqlite3.Connection, steps: list[Step]) -> None:
    program = program_versions()["sensiview"]
    connection.executemany(
        "INSERT INTO migrations VALUES (?, ?, ?, ?)", [(step.number, step.info, now(), program) for step in steps]
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (str(CURRENT),))
    connection.execute(f"PRAGMA user_version = {CURRENT}")


def _check(connection: sqlite3.Connection, before: dict[str, int]) -> None:
    """Raise ValueError unless tables, columns, and row counts are those of the current schema."""
    wanted = sqlite3.connect(":memory:")
    try:
        for statement in TABLES:
            wanted.execute(statement)
        if (found := _columns(connection)) != (expected := _columns(wanted)):
            raise ValueError(f"tables {found} instead of {expected}")
    finally:
        wanted.close()
    if (after := _counts(connection)) != before:
        raise ValueError(f"rows {after} instead of {before}")
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise ValueError(verdict)


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    tables = [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")} for table in tables}


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    return {table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in _KEPT}
