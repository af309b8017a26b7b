"""How a project remembers files: relative paths, size and SHA-256 in the database, absolute paths outside."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from sensiview.errors import DataError, ProjectError
from sensiview.files import FileReference, fingerprint, write_atomically

_CHUNK = 1 << 20


def to_stored(reference: FileReference, folder: Path) -> dict[str, Any]:
    """Return what the database keeps of a file.

    ``path`` is relative to the project where both lie on one drive, so that project and data can move
    together; ``absolute`` is kept for files outside, so that the project can also move alone.
    """
    path = _absolute(reference.path)
    stored = {"path": _relative(path, folder), "size": reference.size, "sha256": reference.sha256}
    if not path.is_relative_to(folder):
        stored["absolute"] = str(path)
    return {**stored, "modified": reference.modified}


def from_stored(stored: Mapping[str, Any], folder: Path, real: Path | None = None) -> FileReference:
    """Return the file with its absolute path: where the relative path leads, or where it was last.

    `real` is the folder without symbolic links, for whoever asks for thousands of files.
    """
    text = str(stored["path"])
    # Plain text: data sets of 60,000 files are opened while the window waits.
    path = os.path.normpath(os.path.join(folder, text))  # noqa: PTH118
    if not path.startswith(f"{os.path.normpath(folder)}{os.sep}"):
        path = os.path.normpath(os.path.join(real or folder.resolve(), text))  # noqa: PTH118
        if "absolute" in stored and not os.path.exists(path) and os.path.exists(stored["absolute"]):  # noqa: PTH110
            path = str(stored["absolute"])
    return FileReference(
        path=Path(path), size=stored["size"], sha256=stored["sha256"], modified=stored.get("modified", 0.0)
    )


def examine(path: Path) -> FileReference:
    """Return the fingerprint of a file that is added to a project.

    Raises
    ------
    DataError
        It is not there, no file, or can't be read.
    """
    path = _absolute(path.expanduser())
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors="replace").decode()
        raise DataError(f"The name of the file '{shown}' is not valid text. Rename the file first.") from None
    if path.is_dir():
        raise DataError(f"'{path}' is a folder. Choose the file itself.")
    try:
        return fingerprint(path)
    except FileNotFoundError:
        raise DataError(f"There is no file '{path}'. Check the name and that its drive is connected.") from None
    except OSError as error:
        raise DataError(
            f"The file '{path}' can't be read ({error.strerror or error}). Check its permissions."
        ) from error


def copy_in(source: Path, target_folder: Path) -> FileReference:
    """Copy a file into a folder of the project, reading it once, and return its fingerprint there.

    Raises
    ------
    DataError
        The file can't be read.
    ProjectError
        The copy can't be written; nothing is left of it.
    """
    target = _free(target_folder / source.name)
    digest = hashlib.sha256()

    def write(stream: BinaryIO) -> None:
        while chunk := _read(origin, source):
            digest.update(chunk)
            stream.write(chunk)

    try:
        origin = source.open("rb")
    except OSError as error:
        raise DataError(
            f"The file '{source}' can't be read ({error.strerror or error}). Check its permissions."
        ) from error
    with origin:
        try:
            target_folder.mkdir(parents=True, exist_ok=True)
            write_atomically(target, write)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else str(error.strerror or error)
            raise ProjectError(
                f"'{source.name}' can't be copied into the project: {reason}. Free some space, or add it "
                "without copying."
            ) from error
    stat = target.stat()
    return FileReference(path=target, size=stat.st_size, sha256=digest.hexdigest(), modified=stat.st_mtime)


def move_in(reference: FileReference, target_folder: Path) -> FileReference:
    """Move a file that lies in the project into another of its folders; its content is known already.

    Raises
    ------
    ProjectError
        It can't be moved.
    """
    target = _free(target_folder / reference.path.name)
    try:
        target_folder.mkdir(parents=True, exist_ok=True)
        reference.path.replace(target)
    except OSError as error:
        raise ProjectError(
            f"'{reference.path}' can't be moved to '{target_folder}' ({error.strerror or error}). Check the right to "
            "write there, then make the data set again."
        ) from error
    return reference.model_copy(update={"path": target})


def difference(reference: FileReference, path: Path) -> str:
    """Return how the file at `path` differs from the one that was added, as half a sentence; empty when equal."""
    try:
        size = path.stat().st_size
        if size != reference.size:
            return f"it has {size:,} bytes instead of {reference.size:,}"
        if fingerprint(path).sha256 != reference.sha256:
            return "its content is different (another SHA-256)"
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        return f"it can't be read ({error.strerror or error})"
    return ""


def _absolute(path: Path) -> Path:
    """Return the path from the root, through the links the user chose; real only where it steps back up."""
    return path.resolve() if ".." in path.parts else path.absolute()


def _relative(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    try:
        # Through real paths: ".." behind a symbolic link leads elsewhere.
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # Windows: another drive
        return path.as_posix()


def _read(origin: BinaryIO, source: Path) -> bytes:
    try:
        return origin.read(_CHUNK)
    except OSError as error:
        raise DataError(f"The file '{source}' can't be read ({error.strerror or error}). Check its drive.") from error


def _free(target: Path) -> Path:
    number = 2
    candidate = target
    while candidate.exists():
        candidate = target.with_name(f"{target.stem} {number}{target.suffix}")
        number += 1
    return candidate
