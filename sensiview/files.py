"""Files: what they were when they were added, and writing that never leaves half a file."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from sensiview.errors import DataError

_CHUNK = 1 << 20
# Up to here a file is hashed whenever it is verified (0.3 s at most); above, only when its time stamp moved.
ALWAYS_HASHED = 256 << 20

_log = logging.getLogger(__name__)


class FileReference(BaseModel):
    """A file outside or inside the project, and what it was when it was added."""

    model_config = ConfigDict(frozen=True)

    path: Path  # absolute in a task, as stored (relative where possible) in the project
    size: int
    sha256: str
    modified: float = 0.0  # seconds since the epoch; a quick hint only, never the proof


def fingerprint(path: Path) -> FileReference:
    """Return size, SHA-256 and modification time of a file, read in chunks.

    Raises
    ------
    OSError
        The file can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    stat = path.stat()
    return FileReference(path=path, size=stat.st_size, sha256=digest.hexdigest(), modified=stat.st_mtime)


def verify(reference: FileReference) -> None:
    """Check that a file is still what it was when it was added to the project.

    Up to 256 MiB the content is hashed. A larger file whose size and modification time are unchanged is taken as
    unchanged without reading it, and the log says so; `fingerprint` compares its content in any case.

    Raises
    ------
    DataError
        The file is gone, can't be read, or has another content; the sentence says what to do.
    """
    path = reference.path
    again = "Put it back, or add the file to the project again from where it lies now."
    try:
        stat = path.stat()
        if not path.is_file():
            raise DataError(f"{path} is not a file any more. {again}")
        if stat.st_size != reference.size:
            raise _changed(reference, f"it had {reference.size:,} bytes and now has {stat.st_size:,}")
        if stat.st_size > ALWAYS_HASHED and stat.st_mtime == reference.modified:
            _log.info("%s: taken as unchanged by its size and time; its content was not read again.", path)
            return
        if fingerprint(path).sha256 != reference.sha256:
            raise _changed(reference, "it has the same size but another content")
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{path} was moved or deleted since it was added to the project. {again}") from None
    except PermissionError:
        raise DataError(f"{path} can't be read: no permission. Ask for the right to read it, then try again.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{path} can't be read ({reason}). Check the drive or network folder it lies on.") from None


def _changed(reference: FileReference, how: str) -> DataError:
    return DataError(
        f"{reference.path} has changed since it was added to the project: {how}. Results computed from it would not "
        "fit the earlier ones. Put the old file back, or add the new one as another data set or model."
    )


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside `path` and move into place: a reader sees the old file or the new one, never half of one.

    The new file has the rights that the user's other new files have.

    Raises
    ------
    OSError
        No space, no permission. The file at `path` is as it was, nothing is left beside it.
    """
    # Not tempfile: it makes files that only their owner may read, and a name of ours stays within the length limit.
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
