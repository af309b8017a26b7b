"""How a project's database is opened: for writing, for reading beside a writer, or from a copy.

A reader must work on media that can't be written, and leave no trace. SQLite makes two files beside a WAL
database even to read it, so a reader opens the database itself only beside a writer of this host, whose
changes it then sees; otherwise it reads a private copy. The copy also serves readers of an older schema
(the copy is migrated, the project is not touched) and readers on another host than the writer, because a
WAL can't be shared over a network.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sensiview.errors import ProjectError, os_reason
from sensiview.projects.database import explained, speaking
from sensiview.projects.locking import read_holder
from sensiview.projects.migrating import migrate
from sensiview.projects.problems import CannotWrite
from sensiview.projects.schema import CURRENT, DATABASE, create_tables, damaged, read_header, refuse_newer

_WAL = DATABASE + "-wal"
_BUSY_SECONDS = 5.0
_COPY_ATTEMPTS = 5
_REFUSALS = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN,
)


@dataclass(frozen=True)
class Opened:
    """A connection, and the folder of the private copy it reads, if it reads one."""

    connection: sqlite3.Connection
    copy: tempfile.TemporaryDirectory[str] | None = None


def why_not_writable(folder: Path) -> str:
    """Return the reason why a project folder can't be written to, as half a sentence; empty when it can."""
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=effective):
        return "you may not write into its folder"
    if not os.access(folder / DATABASE, os.W_OK, effective_ids=effective):
        return f"you may not change its {DATABASE}"
    return ""


def connect_writer(folder: Path) -> Opened:
    """Open for writing; the caller holds the lock. Checked, and brought to the current schema.

    Raises
    ------
    CannotWrite
        The disk is full, or the drive refuses the files that SQLite needs.
    ProjectError
        Damaged, or newer than this program.
    """
    with _writable(folder), speaking(folder):
        _refuse_newer_in_wal(folder)
        connection = _connect(folder / DATABASE, "rw")
        try:
            _check(connection, folder)
            # Durable against a crash of the program; a power cut may lose the last moments, never the rest.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if _number(connection) < CURRENT:
                migrate(connection, folder)
        except BaseException:
            connection.close()
            raise
    return Opened(connection)


def connect_reader(folder: Path) -> Opened:
    """Open for reading only: nothing in the project's folder changes.

    Raises
    ------
    ProjectError
        Damaged or newer; no room for a private copy.
    """
    header = read_header(folder)
    beside_writer = (folder / _WAL).exists() and not _writer_elsewhere(folder)
    if header.number < CURRENT or not beside_writer:
        return _connect_copy(folder)
    connection = None
    try:
        connection = _connect(folder / DATABASE, "ro")
        _check(connection, folder)
        return Opened(connection)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.OperationalError):
            return _connect_copy(folder)  # the files that SQLite needs beside the WAL can't be made here
        if isinstance(error, sqlite3.Error):
            raise explained(error, folder) from error
        raise


def make(folder: Path, title: str) -> None:
    """Make the database of a new project.

    Written without a WAL at first: its header is then complete, whatever happens next.
    """
    with speaking(folder):
        connection = sqlite3.connect(folder / DATABASE, isolation_level=None)
        try:
            create_tables(connection, title)
        finally:
            connection.close()


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Tell "can't be written now" from damage; passes other errors on."""
    try:
        yield
    except ProjectError as error:
        cause = error.__cause__
        refused = isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF in _REFUSALS
        if refused and not isinstance(error, CannotWrite):
            raise CannotWrite(
                f"The drive that holds '{folder.name}' does not let SensiView write ({cause}).",
                "Free some space on it, check its permissions, and open the project again.",
                details=error.details,
            ) from cause
        raise


def _connect_copy(folder: Path) -> Opened:
    """Open a private copy of the database and its WAL, brought to the current schema."""
    try:
        copy = _private_copy(folder)
    except OSError as error:
        raise ProjectError(
            f"The project '{folder.name}' can't be read from its place, and there is no room for a temporary "
            f"copy ({os_reason(error)}). Free some space and try again."
        ) from error
    connection = None
    try:
        with speaking(folder):
            connection = _connect(Path(copy.name) / DATABASE, "rw")
            _check(connection, folder)
            if _number(connection) < CURRENT:
                migrate(connection, folder, backup=False)
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        if connection is not None:
            connection.close()
        copy.cleanup()
        raise
    return Opened(connection, copy)


def _private_copy(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Copy database and WAL, again when a writer elsewhere changed them meanwhile."""
    copy = tempfile.TemporaryDirectory(prefix="sensiview-")
    try:
        for _ in range(_COPY_ATTEMPTS):
            before = _stamps(folder)
            for name in (DATABASE, _WAL):
                target = Path(copy.name) / name
                if (folder / name).exists():
                    shutil.copyfile(folder / name, target)
                else:
                    target.unlink(missing_ok=True)
            if _stamps(folder) == before:
                break
    except BaseException:
        copy.cleanup()
        raise
    return copy


def _stamps(folder: Path) -> list[tuple[int, int]]:
    found = [(folder / name).stat() for name in (DATABASE, _WAL) if (folder / name).exists()]
    return [(stat.st_size, stat.st_mtime_ns) for stat in found]


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        timeout=_BUSY_SECONDS,
    )


def _check(connection: sqlite3.Connection, folder: Path) -> None:
    """Refuse a newer schema first (the header may not show it yet), then a damaged database."""
    refuse_newer(folder, _number(connection))
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise damaged(folder, "its database is incomplete or overwritten in part", details=verdict)


def _refuse_newer_in_wal(folder: Path) -> None:
    """Look at a copy when a crash left a WAL: opening the project itself would already write the WAL back."""
    if (folder / _WAL).exists():
        opened = _connect_copy(folder)
        opened.connection.close()
        if opened.copy is not None:
            opened.copy.cleanup()


def _number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _writer_elsewhere(folder: Path) -> bool:
    holder = read_holder(folder)
    return holder is not None and holder.host != platform.node()
