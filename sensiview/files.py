"""Files: what they were when they were added, and writing that never leaves half a file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

_CHUNK = 1 << 20


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


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write beside `path` and move into place: a reader sees the old file or the new one, never half of one.

    Raises
    ------
    OSError
        No space, no permission. The file at `path` is as it was, nothing is left beside it.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
