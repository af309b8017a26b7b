"""A project's folder while it is open: lock, database, names of its parts."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sensiview.errors import ProjectError
from sensiview.projects import opening
from sensiview.projects.backups import Backup, backups, keep_backup, put_back
from sensiview.projects.database import Database, speaking
from sensiview.projects.locking import ProjectLocked, WriterLock
from sensiview.projects.schema import APPLICATION_ID, DATABASE, create_tables, read_header

SUFFIX = ".sensiview"
_FOLDERS = ("runs", "data", "models")
_INTERRUPTED = "SensiView ended while this run was going on. Resume it: it continues from its last checkpoint."


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
        self._lock = lock
        self._copy: tempfile.TemporaryDirectory[str] | None = opened.copy
        refusal = notice or f"'{path.name}' was opened for reading only, so it can't be changed."
        self._database = Database(opened.connection, path, read_only=refusal if self.read_only else "")
        if not self.read_only:
            # Before anything changes: what is in it now opened without complaint.
            keep_backup(self._database, path)
            self._interrupt()

    @classmethod
    def create(cls, path: Path | str, *, title: str = "") -> Self:
        """Make a new project folder, ``.sensiview`` added to its name when missing, and open it.

        Raises
        ------
        ProjectError
            Something is in the way, or the place can't be written.
        """
        folder = _with_suffix(Path(path).expanduser().absolute())
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
            with speaking(folder):
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
        folder = _locate(Path(path).expanduser().absolute())
        read_header(folder)
        if read_only:
            return cls(folder, opening.connect_reader(folder), None)
        lock = WriterLock(folder)
        try:
            reason = opening.why_not_writable(folder)
            if reason:
                raise _Unwritable(f"'{folder.name}' can't be changed: {reason}.")
            try:
                lock.acquire()
            except OSError as error:
                raise _Unwritable(f"'{folder.name}' can't be changed: {error.strerror or error}.") from error
            try:
                return cls(folder, opening.connect_writer(folder), lock)
            except BaseException:
                lock.release()
                raise
        except (ProjectLocked, _Unwritable, opening.NoRoom) as error:
            if not allow_read_only:
                raise type(error).advised(error) from error
            return cls(folder, opening.connect_reader(folder), None, f"{error.sentence} Opened read-only.")

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
