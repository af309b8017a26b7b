"""Which files are read as images, in which order, and with which row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.describing import listed
from sensiview.datasets.image_kinds import Kind, kind_of
from sensiview.datasets.image_search import FoundImages, find_images
from sensiview.datasets.image_tables import ImageTable, plain, table_in_folder, table_of_images
from sensiview.errors import DataError

_MOST_NAMED = 5


@dataclass(frozen=True)
class Planned:
    """One file to read, or one frame of it; `table_row` counts the table's rows from 0."""

    path: Path
    root: Path
    kind: Kind
    table_row: int | None = None
    frame: int | None = None


def plan(found: FoundImages, labels: Path | None, said: list[FileFinding]) -> tuple[list[Planned], ImageTable | None]:
    """Return the files to read and the table that names them, if there is one.

    A table that was chosen by name decides which images there are, and their order; one that lies in the folder, or is
    given as `labels`, only adds its columns to the images found.

    Raises
    ------
    DataError
        A table that was chosen names no image.
    """
    pictures = [one for one in found.files if one[2] in ("picture", "dicom", "video")]
    chosen = [table for table in found.tables if table in found.named]
    if chosen:
        if len(chosen) > 1:
            raise DataError("One table of images at a time: add the others as data sets of their own.")
        deciding = _chosen(chosen[0], [path for path, _, _ in pictures])
        return _by_table(deciding, said), deciding
    table = _chosen(labels, [path for path, _, _ in pictures]) if labels is not None else None
    if table is None and pictures:
        table = table_in_folder(found.tables, [path for path, _, _ in pictures])
        if table is not None:
            said.append(
                FileFinding(None, f"Labels and other columns come from {table.table.path.name}, found with the images.")
            )
    if table is None:
        return [Planned(*one) for one in pictures], None
    return _by_files(pictures, table, said), table


def _chosen(path: Path, files: Sequence[Path]) -> ImageTable:
    table = table_of_images(path, files)
    if table is None and not files:
        # Names without folders: the files lie somewhere below the table.
        below = [file for file, _, _ in find_images([path.parent]).files] if _has_files(path.parent) else []
        table = table_of_images(path, below)
    if table is None:
        raise DataError(
            f"No column of {path} names image files that are there. Write paths relative to the table, or choose the "
            "folder of the images together with it."
        )
    return table


def _has_files(folder: Path) -> bool:
    try:
        find_images([folder])
    except DataError:
        return False
    return True


def _by_table(table: ImageTable, said: list[FileFinding]) -> list[Planned]:
    frames = _frame_cells(table)
    planned: dict[tuple[Path, int | None], Planned] = {}
    repeated = []
    for row, (file, frame) in enumerate(zip(table.files, frames, strict=True)):
        if file is None:
            continue
        kind = kind_of(file)
        if kind not in ("picture", "dicom", "video"):
            continue
        if (file, frame) in planned:
            repeated.append(file.name)
            continue
        planned[file, frame] = Planned(file, table.table.path.parent, kind, row, frame)
    missing = table.missing()
    if missing:
        what = "1 row of the table names an image that is" if len(missing) == 1 else (
            f"{len(missing):,} rows of the table name images that are"
        )  # fmt: skip
        said.append(FileFinding(None, f"{what} not there, and left out: {listed(missing, _MOST_NAMED)}.", "warning"))
    if repeated:
        what = "1 row names an image" if len(repeated) == 1 else f"{len(repeated):,} rows name images"
        said.append(
            FileFinding(
                None, f"{what} that an earlier row names already; left out: {listed(repeated, _MOST_NAMED)}.", "warning"
            )
        )
    return list(planned.values())


def _frame_cells(table: ImageTable) -> list[int | None]:
    """Return which frame of its file each row names, by a column called frame that tells rows of one file apart."""
    files = [file for file in table.files if file is not None]
    name = next((str(c) for c in table.frame.columns if plain(str(c)) in ("frame", "frameindex", "page")), None)
    if name is None or len(set(files)) == len(files):
        return [None] * len(table.files)
    return [_whole(cell) for cell in table.frame[name].tolist()]


def _whole(cell: Any) -> int | None:
    try:
        return int(cell) if cell is not None and float(cell) == int(cell) and cell >= 0 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _by_files(pictures: Sequence[tuple[Path, Path, Kind]], table: ImageTable, said: list[FileFinding]) -> list[Planned]:
    rows: dict[Path, int] = {}
    for row, file in enumerate(table.files):
        if file is not None:
            rows.setdefault(file, row)
    planned = [Planned(path, root, kind, rows.get(path)) for path, root, kind in pictures]
    without = [one.path.name for one in planned if one.table_row is None]
    if without:
        what = "1 image has" if len(without) == 1 else f"{len(without):,} images have"
        name = table.table.path.name
        said.append(FileFinding(None, f"{what} no row in {name}: {listed(without, _MOST_NAMED)}.", "warning"))
    missing = table.missing()
    if missing:
        what = "1 row of the table has" if len(missing) == 1 else f"{len(missing):,} rows of the table have"
        said.append(FileFinding(None, f"{what} no image: {listed(missing, _MOST_NAMED)}.", "warning"))
    return planned
