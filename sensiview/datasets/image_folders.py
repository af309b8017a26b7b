"""What nested folders say of the images in them: the class, the split, and what belongs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.describing import listed
from sensiview.datasets.image_rows import ImageRow

_SPLITS = {
    "train": "train", "training": "train", "trainset": "train",
    "test": "test", "testing": "test", "testset": "test",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
}  # fmt: skip
_MOST_NAMED = 5


def from_folders(
    rows: Sequence[ImageRow], empty: Sequence[tuple[Path, Path]], findings: list[FileFinding]
) -> list[str]:
    """Read class, split and groups from the folders, into the rows.

    A class per folder (``cats/7.png``), a split per folder around or inside them (``train/cats/7.png``,
    ``cats/test/7.png``), and folders inside a class as groups (``cats/kitty/7.png``): images of one such folder stay on
    one side of a split. Folders that all images share are passed over.

    Returns
    -------
    list of str
        Class folders without an image.
    """
    parts = {id(row): _folders(row) for row in rows}
    shared = _shared(list(parts.values()))
    for row in rows:
        parts[id(row)] = parts[id(row)][shared:]
    if not any(parts.values()):
        return []
    split_at = _split_level(list(parts.values()))
    if split_at is not None:
        for row in rows:
            folders = parts[id(row)]
            word = _SPLITS.get(folders[split_at].lower()) if len(folders) > split_at else None
            row.columns["split"] = word
            if word is not None:
                parts[id(row)] = [*folders[:split_at], *folders[split_at + 1 :]]
    classes = {folders[0] for folders in parts.values() if folders}
    if not classes:
        return []
    loose = [row for row in rows if not parts[id(row)]]
    for row in rows:
        row.columns["class"] = parts[id(row)][0] if parts[id(row)] else None
    if loose:
        some = listed((row.path.name for row in loose), _MOST_NAMED)
        what = "1 image lies" if len(loose) == 1 else f"{len(loose):,} images lie"
        findings.append(FileFinding(None, f"{what} in no class folder and so without a class: {some}.", "warning"))
    deeper = {row.path.parent for row in rows if len(parts[id(row)]) > 1}
    if len(deeper) > len(classes):
        for row in rows:
            if len(parts[id(row)]) > 1:
                row.group = "/".join(parts[id(row)])
        findings.append(
            FileFinding(None, f"Images of one folder inside a class count as one group: {len(deeper):,} folders.")
        )
    return _empty_classes(classes, shared, empty)


def _folders(row: ImageRow) -> list[str]:
    if not row.path.is_relative_to(row.root):
        return []
    return [part.encode("utf-8", "replace").decode("utf-8") for part in row.path.relative_to(row.root).parts[:-1]]


def _shared(folders: Sequence[Sequence[str]]) -> int:
    """Return how many outer folders all images share; a single one around images is their class."""
    depth = 0
    while all(len(parts) > depth + 1 for parts in folders) and len({parts[depth] for parts in folders}) == 1:
        if folders[0][depth].lower() in _SPLITS:
            break
        depth += 1
    return depth


def _split_level(folders: Sequence[Sequence[str]]) -> int | None:
    """Return at which depth the folders are called train, test, val; None where none is."""
    for depth in (0, 1):
        there = Counter(parts[depth] for parts in folders if len(parts) > depth)
        if there and all(name.lower() in _SPLITS for name in there) and sum(there.values()) == len(folders):
            return depth
    return None


def _empty_classes(classes: set[str], shared: int, empty: Sequence[tuple[Path, Path]]) -> list[str]:
    found = []
    for folder, root in empty:
        parts = folder.relative_to(root).parts[shared:]
        if parts and parts[0].lower() in _SPLITS:
            parts = parts[1:]
        if len(parts) == 1 and parts[0] not in classes and parts[0].lower() not in _SPLITS:
            found.append(parts[0])
    return list(dict.fromkeys(found))
