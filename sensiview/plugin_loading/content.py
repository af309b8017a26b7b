"""What a plugin's folder holds: read once, hashed, and never read again before it runs.

The sources that are compiled are the very bytes that were hashed, so that nothing can change between the
check and the use, and no stale or planted byte code is ever loaded.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sensiview.errors import UserError

# Everything is read at every start, so a folder must be small.
MAX_BYTES = 64 << 20
MAX_FILES = 2_000
# Never loaded by us, and changed behind the user's back by Python, git and file managers.
_LITTER = frozenset({"__pycache__", ".git", ".DS_Store", "Thumbs.db", "desktop.ini"})


class PluginProblem(UserError):
    """A plugin can't be used; the sentence says why and what to do next."""


@dataclass(frozen=True)
class Content:
    """A folder (or installed package) at one moment.

    Attributes
    ----------
    sha256 : str
        Over the names and bytes of all files, in the order of their names.
    sources : mapping of str to bytes
        Python files and ``plugin.toml`` by path inside the folder, with forward slashes.
    """

    folder: Path
    sha256: str
    sources: Mapping[str, bytes] = field(repr=False)


def read_content(folder: Path) -> Content:
    """Read and hash every file of a folder.

    Parameters
    ----------
    folder : Path
        May itself be a link (a developer's checkout); what lies in it may not.

    Raises
    ------
    PluginProblem
        A link, a device, more than 64 MB or 2,000 files in it, or it can't be read.
    """
    return read_contents([folder.resolve()], folder)


def read_contents(roots: Iterable[Path], folder: Path) -> Content:
    """Read and hash several folders or single files as one, `folder` being the one that is named to users."""
    digest = hashlib.sha256()
    sources: dict[str, bytes] = {}
    size = count = 0
    try:
        for root in roots:
            for name, path in sorted(_files(root)):
                count += 1
                size += path.stat().st_size
                if size > MAX_BYTES or count > MAX_FILES:
                    raise PluginProblem(
                        f"'{folder}' is too big to be checked at every start (more than {MAX_BYTES >> 20} MB or "
                        f"{MAX_FILES} files). Keep data and weights outside the plugin's folder."
                    )
                content = path.read_bytes()
                raw_name = os.fsencode(name)
                # Lengths keep two different folders from giving the same stream of bytes.
                digest.update(b"%d:%s%d:" % (len(raw_name), raw_name, len(content)))
                digest.update(content)
                if name.endswith(".py") or name == "plugin.toml":
                    sources[name] = content
    except OSError as error:
        raise PluginProblem(
            f"'{folder}' can't be read ({error.strerror or error}). Check its permissions, or remove it."
        ) from error
    return Content(folder=folder, sha256=digest.hexdigest(), sources=sources)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield name inside `root` and path of every file below it; `root` may be one file."""
    if root.is_file():
        yield root.name, root
        return
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name in _LITTER:
                    continue
                path = Path(entry.path)
                name = path.relative_to(root).as_posix()
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    pending.append(path)
                elif stat.S_ISREG(mode):
                    yield name, path
                else:
                    # A link may point to what was never agreed to; a pipe would never end.
                    raise PluginProblem(
                        f"'{path}' is a link or a device, and a plugin may hold only files. Put the file itself there."
                    )
