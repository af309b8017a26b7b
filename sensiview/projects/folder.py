"""A project's folder while it is open: lock, database, names of its parts."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sensiview.errors import ProjectError, suggestion
from sensiview.projects import opening
from sensiview.projects.backups import Backup, backups, keep_backup, put_back
from sensiview.projects.database import Database
from sensiview.projects.locking import WriterLock
from sensiview.projects.places import absolute_path, project_folder, write_opener
from sensiview.projects.problems import CannotWrite, UnreadableEntry
from sensiview.projects.schema import DATABASE, has_backups, read_header

R = TypeVar("R")
T = TypeVar("T")
SUFFIX = ".sensiview"
_FOLDERS = ("runs", "data", "models")


class ProjectFolder:
    """What every part of a project stands on; see `sensiview.projects.store.Project`.

    Attributes
    ----------
    path : Path
        The folder, absolute.
    read_only : bool
        Whether it was opened for reading only: every change then raises `ProjectError`.
    notice : str
        A sentence for the user about how it was opened; empty when there is nothing to say.
    """

    def __init__(self, path: Path, opened: opening.Opened, lock: WriterLock | None, notice: str = "") -> None:
        self.path = path
        self.read_only = lock is None
        self.notice = notice
        self._unreadable: dict[str, str] = {}
        self._lock = lock
        self._copy: tempfile.TemporaryDirectory[str] | None = opened.copy
        refusal = notice or f"'{path.name}' was opened for reading only, so it can't be changed."
        self._database = Database(opened.connection, path, read_only=refusal if self.read_only else "")
        if not self.read_only:
            try:
                # Before anything changes: what is in it now was opened without complaint.
                keep_backup(self._database, path)
                write_opener(path)
                self._opened()
            except BaseException:
                self._database.close()
                raise

    @classmethod
    def create(cls, path: Path | str, *, title: str = "") -> Self:
        """Make a new project folder, ``.sensiview`` added to its name when missing, and open it.

        Raises
        ------
        ProjectError
            Something is in the way, or the place can't be written.
        """
        folder = _with_suffix(absolute_path(path))
        if (folder / DATABASE).exists():
            raise ProjectError(f"There is a project '{folder}' already. Open it, or choose another name.")
        if folder.is_file():
            raise ProjectError(f"'{folder}' is a file. Choose another name for the project's folder.")
        if folder.is_dir() and any(folder.iterdir()):
            raise ProjectError(f"The folder '{folder}' is not empty. Choose a new name or an empty folder.")
        made = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in _FOLDERS:
                (folder / name).mkdir(exist_ok=True)
            opening.make(folder, title.strip() or folder.name.removesuffix(SUFFIX))
        except (OSError, ProjectError) as error:
            _undo(folder, made=made)
            if isinstance(error, ProjectError):
                raise
            raise ProjectError(
                f"The project '{folder}' can't be made ({error.strerror or error}). Choose a folder in which you "
                "may write, on a drive with free space."
            ) from error
        return cls.open(folder)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False, allow_read_only: bool = False) -> Self:
        """Open a project, for writing unless `read_only`.

        `allow_read_only` falls back to reading, with a `notice`, where writing is impossible (another
        window writes, the folder or its drive can't be written, the disk is full).

        Raises
        ------
        ProjectError
            Not a project, damaged (`DamagedProject`), of a newer format, locked (`ProjectLocked`).
        """
        folder = _locate(absolute_path(path))
        read_header(folder)
        if read_only:
            return cls(folder, opening.connect_reader(folder), None)
        lock = WriterLock(folder)
        try:
            return cls(folder, _opened_for_writing(folder, lock), lock)
        except BaseException as error:
            lock.release()
            if not (allow_read_only and isinstance(error, CannotWrite)):
                raise
            notice = f"{error.reason} Opened read-only."
        return cls(folder, opening.connect_reader(folder), None, notice)

    @classmethod
    def restore_backup(cls, path: Path | str, backup: Path | None = None) -> str:
        """Replace a damaged database by its newest backup that can be read (or by `backup`).

        The damaged files are kept in the backup folder. Runs made since the backup are taken in again
        from their folders. Returns a sentence that says what was done.

        Raises
        ------
        ProjectError
            Another window has it open, no backup can be read, or the disk refuses.
        """
        folder = _locate(absolute_path(path))
        lock = WriterLock(folder)
        try:
            _acquire(folder, lock)
            used, replaced = put_back(folder, backup)
        finally:
            lock.release()
        with cls.open(folder) as project:
            adopted = project._adopt_runs()
        kept = f" The damaged files are kept in backup/{replaced.name}." if replaced else ""
        runs = f" {adopted} newer run{'s' if adopted != 1 else ''} taken in again." if adopted else ""
        return f"The backup of {used.made} was put back.{runs}{kept}"

    @staticmethod
    def backups(path: Path | str) -> list[Backup]:
        """Return the backups that lie in a project's folder, newest first."""
        return backups(_locate(absolute_path(path)))

    def close(self) -> None:
        """Back up what has changed, close the database and give the lock back; safe to call twice."""
        if not self._database.closed:
            if not self.read_only and self._database.changes():
                with contextlib.suppress(ProjectError):  # a full disk must not keep a project open
                    self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
                keep_backup(self._database, self.path)
            self._database.close()
        if self._copy is not None:
            self._copy.cleanup()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}{' read-only' if self.read_only else ''}>"

    @property
    def title(self) -> str:
        """The project's title, as the window shows it."""
        return self._meta("title") or self.path.name.removesuffix(SUFFIX)

    @title.setter
    def title(self, title: str) -> None:
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('title', ?)", (title.strip(),))

    def history(self) -> list[tuple[int, str, str]]:
        """Return the migrations this project went through: schema number, what changed, when."""
        return [
            (int(number), str(info), str(done))
            for number, info, done in self._database.rows("SELECT number, info, done FROM migrations ORDER BY number")
        ]

    def _meta(self, key: str) -> str:
        found = self._database.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else ""

    def _next_number(self, connection: sqlite3.Connection, prefix: str) -> int:
        """Return the next free number of an identifier; a number is never given twice, also after deletion."""
        key = f"next:{prefix}"
        found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        number = int(found[0]) if found else 1
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(number + 1)))
        return number

    def unreadable(self) -> dict[str, str]:
        """Return sentences about entries that could not be read and were left out of lists, by identifier."""
        return dict(self._unreadable)

    def _or_skip(self, read: Callable[[R], T], row: R) -> T | None:
        """Read one entry of a list; one that is damaged must not hide the others."""
        try:
            return read(row)
        except UnreadableEntry as error:
            self._unreadable[error.identifier] = error.sentence
            return None

    def _opened(self) -> None:
        """Hook: what a part does once, after the project was opened for writing."""

    def _adopt_runs(self) -> int:
        """Take in runs whose folders the database does not know; returns how many."""
        return 0


def _opened_for_writing(folder: Path, lock: WriterLock) -> opening.Opened:
    reason = opening.why_not_writable(folder)
    if reason:
        raise CannotWrite(
            f"'{folder.name}' can't be changed: {reason}.",
            "Open it for reading only, or copy it to a folder of your own.",
        )
    _acquire(folder, lock)
    return opening.connect_writer(folder)


def _acquire(folder: Path, lock: WriterLock) -> None:
    try:
        lock.acquire()
    except OSError as error:
        raise CannotWrite(
            f"'{folder.name}' can't be changed: its folder does not take a lock ({error.strerror or error}).",
            "Check permissions and free space, or copy it to a folder of your own.",
        ) from error


def _with_suffix(path: Path) -> Path:
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def _locate(path: Path) -> Path:
    """Return the project's folder for what a user typed or clicked, or say why it is none."""
    try:
        folder = project_folder(path)
        if folder is not None:
            return folder
        if path.is_file():
            raise ProjectError(
                f"'{path}' is a file, not a project. A project is a folder whose name ends in {SUFFIX}; choose that."
            )
        if path.is_dir():
            _refuse_part(path)
            return path
        if _with_suffix(path).is_dir():
            return _with_suffix(path)
        near = (
            [entry.name.removesuffix(SUFFIX) for entry in path.parent.glob(f"*{SUFFIX}")]
            if path.parent.is_dir()
            else []
        )
    except OSError as error:
        raise ProjectError(f"'{path}' can't be read ({error.strerror or error}). Check its permissions.") from error
    raise ProjectError(
        f"There is no project '{path}'. Check the name, or make one with 'sensiview new'."
        f"{suggestion(path.name.removesuffix(SUFFIX), near)}"
    )


def _refuse_part(path: Path) -> None:
    """Say which folder to choose instead of one that lies inside a project, unless that may be a damaged one."""
    around = next((folder for folder in path.parents if (folder / DATABASE).is_file()), None)
    if around is not None and not has_backups(path):
        raise ProjectError(f"'{path}' lies inside the project '{around}'. Choose that folder.")


def _undo(folder: Path, *, made: bool) -> None:
    """Leave nothing behind of a project that could not be made."""
    if made:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for name in _FOLDERS:
        with contextlib.suppress(OSError):
            (folder / name).rmdir()
    with contextlib.suppress(OSError):
        (folder / DATABASE).unlink()
