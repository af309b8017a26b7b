"""Which project a path stands for: what users type, and what file managers and desktop files hand over.

A project is a folder, and file managers give folders to themselves, never to a program by the folder's name. So each
project holds a small file, `OPENER`, that desktops know by its name or by its first line; a double click on it opens
the project around it.

Nothing heavy is imported here: the window asks before its first paint.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from sensiview.errors import ProjectError

DATABASE = "project.sqlite"
OPENER = "project.sensiview"
# Never changes: desktops recognise the file by it.
OPENER_MAGIC = b"SensiView project\n"
_OPENER_TEXT = OPENER_MAGIC + (
    b"Double-click this file to open the project in SensiView. It holds no data: the project is the folder around it.\n"
)
_log = logging.getLogger(__name__)


def given_path(text: str | Path) -> Path:
    """Return the path that was given as a path, one below ``~``, or a ``file:`` URI."""
    given = str(text)
    path = _from_uri(given) if given.lower().startswith("file:/") else Path(given)
    try:
        return path.expanduser()
    except RuntimeError:
        return path  # no such user, or a user without a home


def absolute_path(text: str | Path) -> Path:
    """Return what `given_path` does, absolute; symbolic links stay as they are."""
    return given_path(text).absolute()


def project_folder(path: Path) -> Path | None:
    """Return the folder of the project that `path` stands for, or None when it stands for none.

    That is the folder itself, its database or its opener, all of them also through symbolic links.

    Raises
    ------
    ProjectError
        An opener that was taken out of its project.
    OSError
        The path can't be looked at.
    """
    if (path / DATABASE).is_file():
        return path
    if not path.is_file():
        return None
    real = path.resolve() if path.is_symlink() else path
    if real.name in (DATABASE, OPENER) and (real.parent / DATABASE).is_file():
        return real.parent
    if not _is_opener(real):
        return None
    if (real.parent / DATABASE).is_file() or (real.parent / "backup").is_dir():
        return real.parent
    raise ProjectError(
        f"'{path}' opens the project in whose folder it lies, but there is no project in '{real.parent}'. "
        "Put it back, or open the project's folder, whose name ends in .sensiview."
    )


def stands_for_project(text: str | Path) -> bool:
    """Say whether a project opens when this is opened; whatever is wrong with it is said then."""
    try:
        return project_folder(given_path(text)) is not None
    except ProjectError:
        return True
    except (OSError, ValueError):
        return False


def write_opener(folder: Path) -> None:
    """Put the opener into a project's folder unless something of that name is there.

    It is a convenience: where it can't be written, the project opens as well.
    """
    path = folder / OPENER
    if os.path.lexists(path):
        return
    from sensiview.files import write_atomically  # pydantic: not before the window is visible

    try:
        write_atomically(path, lambda stream: stream.write(_OPENER_TEXT))
    except OSError as error:
        _log.info("no %s in %s: %s", OPENER, folder.name, error)


def _is_opener(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(OPENER_MAGIC) + 1).replace(b"\r\n", b"\n").startswith(OPENER_MAGIC)


def _from_uri(uri: str) -> Path:
    from urllib.parse import unquote_to_bytes

    rest = uri[len("file:") :]
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        if host not in ("", "localhost") and sys.platform == "win32":
            rest = f"//{host}{rest}"  # a network share
    path = os.fsdecode(unquote_to_bytes(rest))
    if sys.platform == "win32" and path[2:3] == ":":
        path = path.lstrip("/")  # /C:/studies
    return Path(path)
