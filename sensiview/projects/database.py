"""The one connection to a project's database: transactions, and SQLite's errors as sentences.

Every thread of the process shares one connection behind one lock: the window's thread and a job's thread
may call at the same time, each sees whole transactions, and no cursor leaves the lock.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sensiview.errors import ProjectError
from sensiview.projects.problems import DiskFull
from sensiview.projects.schema import DATABASE, damaged

_PRIMARY = 0xFF  # SQLite's extended error codes carry the primary one in the low byte


class Database:
    """A connection in autocommit mode, with transactions on request.

    Parameters
    ----------
    connection : sqlite3.Connection
        Made with ``check_same_thread=False`` and ``isolation_level=None``.
    folder : Path
        The project's folder, for sentences.
    read_only : str
        Why it can't be written, as a sentence; empty when it can.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path, *, read_only: str = "") -> None:
        self._connection: sqlite3.Connection | None = connection
        self._folder = folder
        self._read_only = read_only
        self._lock = threading.RLock()
        self._depth = 0

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock, speaking(self._folder):
            return self._open().execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction, which an error undoes; nested calls join the outer one.

        Raises
        ------
        ProjectError
            The project is read-only, the disk is full, the database is damaged: a sentence each.
        """
        with self._lock:
            if self._read_only:
                raise ProjectError(self._read_only)
            connection = self._open()
            if self._depth:
                with speaking(self._folder):
                    yield connection
                return
            with speaking(self._folder):
                connection.execute("BEGIN IMMEDIATE")
                self._depth += 1
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    # SQLite has already rolled back by itself after some errors, a full disk among them.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                finally:
                    self._depth -= 1

    def changes(self) -> int:
        """Return how many rows this connection has changed since it was opened."""
        with self._lock:
            return self._open().total_changes

    def backup_to(self, path: Path) -> None:
        """Copy the database as it is now into a new file, through SQLite, while it is in use."""
        with self._lock, speaking(self._folder):
            copy_database(self._open(), path)

    def close(self) -> None:
        """Write the WAL back and close; safe to call twice."""
        with self._lock:
            if self._connection is None:
                return
            connection, self._connection = self._connection, None
            connection.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._connection is None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ProjectError(f"The project '{self._folder.name}' has been closed. Open it again.")
        return self._connection


def copy_database(source: sqlite3.Connection, path: Path) -> None:
    """Copy through SQLite's backup interface into `path`, as one plain file without a WAL."""
    target = sqlite3.connect(path, isolation_level=None)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        target.close()


@contextmanager
def speaking(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into `ProjectError` sentences that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, folder) from error


def explained(error: sqlite3.Error, folder: Path) -> ProjectError:
    """Return the sentence for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    name = folder.name
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(folder, "its database can't be read", details=str(error))
    details = f"{type(error).__name__}: {error}"
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(
            f"The disk that holds '{name}' is full, so the last change was not kept; everything before it was.",
            "Free some space and try again.",
            details=details,
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        sentence = f"Another program is using {DATABASE} of '{name}'. Try again in a moment."
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        sentence = (
            f"The project '{name}' can't be written (it was moved, or its permissions have changed). "
            "Close it and open it again."
        )
    elif code == sqlite3.SQLITE_IOERR:
        sentence = (
            f"The drive that holds '{name}' reports an error, so the change was not kept. Check the drive "
            "and its free space, then try again."
        )
    else:
        sentence = f"The database of '{name}' refused a change ({error}). Close the project and open it again."
    return ProjectError(sentence, details=details)
