"""Files that were moved together: where one of them went tells where the others are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sensiview.files import FileReference
from sensiview.projects.references import difference


@dataclass(frozen=True)
class Relocated:
    """How many files of an entry were found again, and how many are still not where they should be."""

    found: int
    missing: int


def moved_folder(old: Path, new: Path) -> tuple[Path, Path]:
    """Return the folders, before and after, below which both files have the same path: what was moved or renamed.

    ``/a/pets/cat/1.png`` that is now ``/b/animals/cat/1.png`` gives ``/a/pets`` and ``/b/animals``.
    """
    before, after = old.parts, new.parts
    same = 0
    while same < min(len(before), len(after)) - 1 and before[-1 - same] == after[-1 - same]:
        same += 1
    return (Path(*before[:-same]), Path(*after[:-same])) if same else (old.parent, new.parent)


def found_along(files: Mapping[str, FileReference], folders: tuple[Path, Path]) -> tuple[dict[str, Path], int]:
    """Return where those files lie that are gone and went the same way, and how many are gone for good.

    Only files with the content that was added count.
    """
    before, after = folders
    found: dict[str, Path] = {}
    gone = 0
    for role, reference in files.items():
        if reference.path.is_file():
            continue
        place = after / reference.path.relative_to(before) if reference.path.is_relative_to(before) else None
        if place is not None and not difference(reference, place):
            found[role] = place
        else:
            gone += 1
    return found, gone
