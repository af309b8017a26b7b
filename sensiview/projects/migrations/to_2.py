"""Schema 1 to 2."""

from __future__ import annotations

import json
import sqlite3

info = "Adds a trash, saved views and a history of migrations; a run says in words why it ended and what it extends."


def migrate(connection: sqlite3.Connection) -> None:
    """Add the new tables and columns, and rename ``error`` to ``message`` in the records of runs."""
    for table in ("datasets", "models", "runs"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN deleted TEXT NOT NULL DEFAULT ''")
    connection.execute("CREATE TABLE views (name TEXT PRIMARY KEY, saved TEXT NOT NULL, value TEXT NOT NULL)")
    connection.execute(
        "CREATE TABLE migrations ("
        "number INTEGER PRIMARY KEY, info TEXT NOT NULL, done TEXT NOT NULL, program TEXT NOT NULL)"
    )
    for identifier, text in connection.execute("SELECT id, record FROM runs").fetchall():
        try:
            record = json.loads(text)
        except ValueError:
            continue  # one unreadable row must not block the others; the check of the project names it
        record["message"] = record.pop("error", None) or ""
        record.setdefault("extends", None)
        connection.execute("UPDATE runs SET record = ? WHERE id = ?", (json.dumps(record), identifier))
