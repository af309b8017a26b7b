"""One image of a set before the set is made, and which frames of a file become images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sensiview.datasets.image_kinds import ImageFile

# Of a video neighbouring frames are nearly alike: these many, evenly spaced, unless the user says otherwise.
FRAMES_OF_VIDEO = 10
_ARRAYS = ("array", "idx", "cifar")
_ARRAY_ENDING = re.compile(r"([-._]images[-._]idx\d[-._]ubyte)?(\.(gz|npz|npy|bin))*$", re.IGNORECASE)


@dataclass
class ImageRow:
    """One image: the file and frame it is, what it is called, what it belongs to, and what is known of it.

    `columns` become the row of the set's table, with those of row `table_row` of a table that came along.
    """

    path: Path
    root: Path
    file: ImageFile
    frame: int = 0
    name: str = ""
    group: str = ""
    table_row: int | None = None
    columns: dict[str, Any] = field(default_factory=dict)


def rows_of_file(path: Path, root: Path, file: ImageFile, frames: int | None) -> Iterator[ImageRow]:
    """Yield the images of a file.

    Parameters
    ----------
    frames : int or None
        The most of one file, evenly spaced; None takes all pages of a TIFF, all frames of a DICOM file, and ten of a
        video.
    """
    most = frames if frames is not None else FRAMES_OF_VIDEO if file.kind == "video" else file.count
    for frame in evenly(file.count, most):
        yield ImageRow(path, root, file, frame)


def evenly(count: int, most: int) -> Sequence[int]:
    """Return at most `most` numbers below `count`, evenly spaced, each from the middle of its part."""
    if most >= count:
        return range(count)
    return [int(place) for place in (np.arange(most) + 0.5) * count / most]


def name_rows(rows: Sequence[ImageRow]) -> None:
    """Give every image a name that is unique: the path below the chosen folder, and the frame where there are several.

    Where two folders hold files of the same name, theirs stands in front.
    """
    roots = list(dict.fromkeys(row.root for row in rows))
    relative = {row.path: _shown(row) for row in rows}
    if len(roots) > 1 and len(set(relative.values())) < len(relative):
        relative = {row.path: f"{row.root.name}/{_shown(row)}" for row in rows}
    taken: dict[str, Path] = {}
    for path, name in relative.items():
        number = 2
        free = name
        while taken.setdefault(free, path) != path:
            free = f"{name} ({number})"
            number += 1
        relative[path] = free
    members: dict[Path, set[str]] = {}
    for row in rows:
        members.setdefault(row.path, set()).add(row.file.member)
    for row in rows:
        name = relative[row.path]
        if row.file.kind not in _ARRAYS:
            row.name = f"{name}[{row.frame}]" if row.file.count > 1 else name
        else:
            member = f":{row.file.member}" if len(members[row.path]) > 1 else ""
            row.name = f"{name}{member}[{row.frame}]"


def _shown(row: ImageRow) -> str:
    """Return what a file is called; arrays without their endings, since the place in them follows."""
    below = _below(row.path, row.root)
    return _ARRAY_ENDING.sub("", below) or below if row.file.kind in _ARRAYS else below


def _below(path: Path, root: Path) -> str:
    """Return the path below the root for people and for JSON: bytes that are no text become question marks."""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return shown.encode("utf-8", "replace").decode("utf-8")
