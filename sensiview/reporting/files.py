"""Files that are handed on: names that every system takes, and the disk's refusals as sentences."""

from __future__ import annotations

import errno
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sensiview.errors import UserError
from sensiview.files import write_atomically

# Names that Windows keeps for devices, with any ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 100


def safe_name(name: str) -> str:
    """Return a file name without folder, hidden dot, device name or characters that some system refuses."""
    composed = unicodedata.normalize("NFC", name)
    kept = re.sub(r"[^\w.\- ]+", "_", composed).strip(" .")[:_LONGEST].rstrip(" .")
    if not kept:
        return "item"
    return f"{kept}_" if _RESERVED.fullmatch(kept) else kept


def safe_names(names: list[str]) -> dict[str, str]:
    """Return a file name for each name; no two differ in case only."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem, number = safe_name(name), 2
        candidate = stem
        while candidate.casefold() in taken:
            candidate, number = f"{stem}_{number}", number + 1
        taken.add(candidate.casefold())
        found[name] = candidate
    return found


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write beside `path` and move into place; UserError with a sentence when the disk refuses."""
    with refusals(path):
        write_atomically(path, write)
    return path


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        where = f"'{path}'"
        if error.errno == errno.ENOSPC:
            sentence = f"The disk is full: {where} could not be written. Free some space, or choose another folder."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            sentence = f"You may not write {where}. Choose another folder."
        elif error.errno in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
            sentence = f"A folder is in the way of the file {where}. Remove it, or choose another folder."
        elif error.errno == errno.ENOTDIR:
            sentence = f"A file is in the way of the folder of {where}. Choose another folder."
        elif error.errno == errno.ENOENT:
            sentence = f"The folder of {where} does not exist. Make it first, or choose another one."
        else:
            sentence = f"{where} could not be written ({error.strerror or error}). Choose another folder."
        raise UserError(sentence, details=f"{type(error).__name__}: {error}") from error


def ready_folder(directory: Path) -> Path:
    """Return the folder, made with its parents; UserError when a file is in the way or it can't be made."""
    directory = directory.expanduser()
    if directory.exists() and not directory.is_dir():
        raise UserError(f"'{directory}' is a file, so it can't be the folder to write into. Choose another name.")
    with refusals(directory):
        directory.mkdir(parents=True, exist_ok=True)
    return directory
