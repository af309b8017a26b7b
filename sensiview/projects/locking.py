"""One writer per project: a lock of the operating system, and a note saying who holds it.

The system releases the lock when the process dies, whatever the way, so a lock never outlives its owner.
``lock.json`` beside it is for people only: it is read to say who has the project open.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sensiview.files import write_atomically
from sensiview.projects.problems import ProjectLocked
from sensiview.projects.records import clock, now

_LOCK = "project.lock"
_NOTE = "lock.json"


@dataclass(frozen=True)
class Holder:
    """Who has the project open for writing; `since` is ISO 8601, UTC."""

    host: str
    user: str
    process: int
    since: str


class WriterLock:
    """The right to write to one project folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not thread-local: a job's thread may close what the window's thread has opened.
        self._lock = FileLock(folder / _LOCK, thread_local=False)

    def acquire(self) -> None:
        """Take the lock, without waiting.

        Raises
        ------
        ProjectLocked
            Another process, or another window of this one, holds it.
        OSError
            The folder or the disk does not allow a lock.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            holder = read_holder(self._folder)
            raise ProjectLocked(_sentence(self._folder, holder), holder) from None
        except NotImplementedError as error:
            raise OSError(f"this drive can't lock files: {error}") from error
        note = json.dumps(asdict(Holder(platform.node(), _user(), os.getpid(), now()))).encode()
        # A full disk must not stop the project from opening; the note is only for people.
        with contextlib.suppress(OSError):
            write_atomically(self._folder / _NOTE, lambda stream: stream.write(note))

    def release(self) -> None:
        """Give the lock back; the note goes first, so that nobody reads a stale one."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                (self._folder / _NOTE).unlink(missing_ok=True)
            self._lock.release()


def read_holder(folder: Path) -> Holder | None:
    """Return who says to hold the lock, or None when nobody left a note that can be read."""
    try:
        return Holder(**json.loads((folder / _NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def writer_is_gone(folder: Path) -> bool:
    """Return whether the last writer, on this machine, has ended without closing the project."""
    import psutil

    holder = read_holder(folder)
    return holder is not None and holder.host == platform.node() and not psutil.pid_exists(holder.process)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"


def _sentence(folder: Path, holder: Holder | None) -> str:
    if holder is None:
        return f"'{folder.name}' is open in another window."
    return (
        f"'{folder.name}' is open in another window "
        f"(user {holder.user} on host {holder.host} since {clock(holder.since)})."
    )
