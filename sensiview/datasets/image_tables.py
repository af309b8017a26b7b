"""Tables of images: which column names the files, which rows belong to which, and what the other columns are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sensiview.datasets.image_kinds import IMAGE_SUFFIXES, kind_by_name
from sensiview.datasets.participants import Participants, read_participants
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# Cells looked at to find the column of the files.
_SAMPLE = 200
_ENOUGH = 0.5

# What a column is by its name (lower case, letters and digits alone), the likeliest first.
CLASS_WORDS = (
    "class", "label", "classname", "labelname", "diagnosis", "dx", "category", "target", "outcome", "finding",
    "species", "disease", "grade", "y", "labels", "classes",
)  # fmt: skip
GROUP_WORDS = (
    "group", "patient", "patientid", "subject", "subjectid", "participantid", "source", "sourcefile", "video",
    "videoid", "case", "caseid", "lesion", "lesionid", "series", "seriesid", "study", "studyid", "scan", "scanid",
    "slide", "slideid", "glyph",
)  # fmt: skip
SPLIT_WORDS = ("split", "subset", "partition", "set", "usage", "fold")


@dataclass(frozen=True, eq=False)
class ImageTable:
    """A table that names image files.

    `files` holds per row the file it names, or None where there is none.
    """

    table: Participants
    column: str
    files: tuple[Path | None, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as they were read."""
        return self.table.frame

    @property
    def found(self) -> int:
        """How many rows name a file that is there."""
        return sum(file is not None for file in self.files)

    def missing(self) -> list[str]:
        """Return what the other rows name."""
        cells = self.frame[self.column].tolist()
        return [class_name(cell) or "(empty)" for cell, file in zip(cells, self.files, strict=True) if file is None]


def plain(name: str) -> str:
    """Return a column's name for comparison: lower case, letters and digits alone."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def names_images(path: Path) -> bool:
    """Whether a table has a column of file names of images; only its first rows are read."""
    from sensiview.datasets.reading import preview, understand

    try:
        first = preview(path, understand(path), 20)
    except DataError:
        return False
    return any(_looks_like_files(first[column].tolist()) for column in first.columns)


def _looks_like_files(cells: Sequence[Any]) -> bool:
    present = [str(cell) for cell in cells if cell is not None and cell == cell and str(cell).strip()]
    return bool(present) and sum(Path(cell).suffix.lower() in IMAGE_SUFFIXES for cell in present) > len(present) / 2


def table_of_images(path: Path, files: Iterable[Path]) -> ImageTable | None:
    """Read a table and find the column that names images; None when no column does.

    A cell is a path relative to the table, an absolute path, or the name of one of `files`, with or without folder and
    ending.

    Raises
    ------
    DataError
        The table can't be read.
    """
    table = read_participants(path)
    index = _Index(files)
    best: ImageTable | None = None
    for name in map(str, table.frame.columns):
        cells = [class_name(cell).strip() for cell in table.frame[name].tolist()]
        sample = [cell for cell in cells if cell][:_SAMPLE]
        there = sum(_resolved(cell, path.parent, index) is not None for cell in sample)
        if not sample or there < _ENOUGH * len(sample) or len(set(sample)) < _ENOUGH * len(sample):
            continue
        found = ImageTable(table, name, tuple(_resolved(cell, path.parent, index) for cell in cells))
        if best is None or found.found > best.found:
            best = found
    return best


class _Index:
    """Files by path, name and stem; ambiguous names stand for none."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._by_form: dict[str, Path | None] = {}
        for file in files:
            parts = file.parts
            forms = {"/".join(parts[-depth:]).lower() for depth in (1, 2, 3)}
            forms |= {form.removesuffix(file.suffix.lower()) for form in forms}
            forms |= {file.stem.lower().lstrip("0")} if file.stem.isdecimal() else set()
            for form in forms:
                known = self._by_form.setdefault(form, file)
                if known != file:
                    self._by_form[form] = None

    def __len__(self) -> int:
        return len(self._by_form)

    def find(self, cell: str) -> Path | None:
        parts = PurePosixPath(cell.replace("\\", "/").lower()).parts
        for depth in (3, 2, 1):
            found = self._by_form.get("/".join(parts[-depth:])) if len(parts) >= depth else None
            if found is not None:
                return found
        return None


def _resolved(cell: str, folder: Path, index: _Index) -> Path | None:
    if not cell:
        return None
    found = index.find(cell) if len(index) else None
    if found is not None:
        return found
    if len(cell) > 4096 or "\0" in cell or kind_by_name(Path(cell)) is None:
        return None
    path = Path(cell.replace("\\", "/")).expanduser()
    path = path if path.is_absolute() else folder / path
    try:
        return path if path.is_file() else None
    except OSError:
        return None


def table_in_folder(tables: Sequence[Path], files: Sequence[Path]) -> ImageTable | None:
    """Return the table beside images that names at least half of them; the one that names most."""
    best: ImageTable | None = None
    for path in tables[:20]:
        try:
            found = table_of_images(path, files)
        except DataError:
            continue
        if found is None or len(set(found.files) & set(files)) < _ENOUGH * len(files):
            continue
        if best is None or found.found > best.found:
            best = found
    return best


def column_called(frame: pd.DataFrame, words: Sequence[str], *, repeats: bool = True) -> str | None:
    """Return the column whose name is the first of these words, or None.

    `repeats` leaves out columns that have another value in every row.
    """
    by_word = {plain(str(name)): str(name) for name in reversed(frame.columns)}
    for word in words:
        name = by_word.get(word)
        if name is None:
            continue
        values = frame[name].dropna()
        if not len(values) or (repeats and len(values) > 2 and values.nunique() == len(values)):
            continue
        return name
    return None


def likely_target(frame: pd.DataFrame) -> str | None:
    """Return the column that most likely holds the classes, by its name."""
    return column_called(frame, CLASS_WORDS)
