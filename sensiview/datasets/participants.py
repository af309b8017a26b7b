"""The table that says who the volumes are of: reading it, and finding each file's row in it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.datasets.describing import listed
from sensiview.datasets.file_entities import entities, keys
from sensiview.datasets.nifti_files import is_volume_name, volume_stem
from sensiview.datasets.options import ReadingOptions
from sensiview.datasets.reading import preview, read_table, understand
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# Names of columns that say whom a row is of, lower case without separators; the first that fits wins.
_SUBJECT_NAMES = (
    "participantid", "subjectid", "subject", "participant", "patientid", "patient", "sub", "subid", "mrid", "rid",
    "ptid", "caseid", "case", "id", "ixiid",
)  # fmt: skip
_SESSION_NAMES = ("sessionid", "session", "ses", "visit", "visitid", "viscode", "timepoint")
_TABLE_ENDINGS = (".tsv", ".csv", ".txt", ".xlsx", ".parquet")
_LARGEST_TABLE = 64 << 20
_MOST_TABLES = 20
# The first keys of a file are its whole name.
_EXACT = 2
# Shorter numbers name no file, unless the column says that it holds subjects: 35 is an age as well.
_LONG_NUMBER = 4
# A column whose values repeat more often names no file.
_LEAST_DISTINCT = 0.5


@dataclass(frozen=True, eq=False)
class Participants:
    """A participants' table as it was read; `options` read it the same way again."""

    path: Path
    frame: pd.DataFrame
    options: ReadingOptions
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matching:
    """Which row each file has.

    Parameters
    ----------
    column : str
        The column that names files or subjects.
    session_column : str
        The column that tells a subject's sessions apart; empty when there is none.
    rows : tuple of int or None
        Per file; None where the table says nothing of it, or two different things.
    findings : tuple of str
        Sentences on files without a row, rows without a file, duplicates.
    """

    column: str
    session_column: str
    rows: tuple[int | None, ...]
    findings: tuple[str, ...] = ()

    @property
    def matched(self) -> int:
        """How many files have a row."""
        return sum(row is not None for row in self.rows)


def read_participants(path: Path, options: ReadingOptions | None = None) -> Participants:
    """Read a participants' table: BIDS participants.tsv, CSV, Excel or Parquet.

    Identifiers are read as text, so that 001 stays 001. Cells that are no numbers in a column of numbers (``89+``) are
    missing values; a note says so.

    Raises
    ------
    DataError
        As `read_table`.
    """
    path = Path(path)
    if options is None:
        lenient: dict[str, Any] = {
            "has_index": False, "unreadable": "missing", "uneven_rows": "leave_out", "rename_duplicates": True,
        }  # fmt: skip
        options = understand(path, **lenient)
        named = [str(column) for column in preview(path, options, 1).columns]
        identifiers = [c for c in named if _plain(c) in _SUBJECT_NAMES + _SESSION_NAMES]
        if identifiers:
            options = understand(path, **lenient, kinds=dict.fromkeys(identifiers, "text"))
    table = read_table(path, options)
    unreadable = tuple(note for note in table.card.notes if "read as missing" in note)
    return Participants(path, table.frame, options, unreadable)


def find_participants(
    files: Sequence[Path], roots: Sequence[Path], passed_over: list[str] | None = None
) -> tuple[Participants, Matching] | None:
    """Look for a table beside the files: ``participants.tsv`` first, then any table that names at least half of them.

    Looked at are the folders that were given, those of the files, and the folders above. Why a table that is called
    participants was not taken is added to `passed_over`, a sentence each; other tables may be of anything.
    """
    best: tuple[Participants, Matching] | None = None
    why_not: list[str] = []
    for path in _tables(files, roots):
        named = "participants" in path.name.lower()
        try:
            table = read_participants(path)
        except DataError as error:
            if named:
                why_not.append(f"{path.name} beside the volumes was not used: {error.sentence}")
            continue
        matching = match_rows(table.frame, files)
        if matching is None or 2 * matching.matched < len(files):
            if named:
                why_not.append(f"{path.name} beside the volumes was not used: {_names_few(table, matching, files)}")
            continue
        if best is None or matching.matched > best[1].matched:
            best = table, matching
        if matching.matched == len(files):
            break
    if best is None and passed_over is not None:
        passed_over.extend(why_not)
    return best


def names_none(table: Participants, files: Sequence[Path]) -> str:
    """Return the sentence for a table in which no volume is found."""
    columns = listed(map(str, table.frame.columns), 5)
    return (
        f"No column of {table.path} names the volumes or their subjects (columns: {columns}; first file: "
        f"{files[0].name}). Add a column participant_id, or one with the file names."
    )


def _names_few(table: Participants, matching: Matching | None, files: Sequence[Path]) -> str:
    if matching is None:
        return names_none(table, files)
    return (
        f"its column '{matching.column}' names only {matching.matched:,} of {len(files):,} volumes. Complete it, or "
        "choose the table by hand."
    )


def _tables(files: Sequence[Path], roots: Sequence[Path]) -> list[Path]:
    folders = list(dict.fromkeys([*(r if r.is_dir() else r.parent for r in roots), *(f.parent for f in files[:50])]))
    above = [folder.parent for folder in folders if folder.parent not in folders]
    found: dict[Path, None] = {}
    for folder in [*folders, *dict.fromkeys(above)]:
        try:
            inside = sorted(folder.iterdir(), key=lambda p: ("participants" not in p.name.lower(), p.name))
        except OSError:
            continue
        for path in inside[:10_000]:
            with contextlib.suppress(OSError):  # it may be seen and not be looked at
                named = path.name.lower().endswith(_TABLE_ENDINGS)
                if named and path.is_file() and path.stat().st_size <= _LARGEST_TABLE:
                    found[path] = None
    return list(found)[:_MOST_TABLES]


def match_rows(frame: pd.DataFrame, files: Sequence[Path]) -> Matching | None:
    """Find the column that names the files or their subjects, and each file's row; None when no column does.

    Files are found by name (with or without ending or folder), by BIDS and CAPS entities (``sub-``, ``ses-``), or by a
    part of the name between separators (``IXI132-HH-1415`` in ``IXI132-HH-1415_T1.nii.gz``). Upper and lower case are
    the same. The column that names most files is taken.
    """
    sought = [list(dict.fromkeys(key for key in keys(path) if key)) for path in files]
    best: tuple[tuple[int, int, int, int], str, list[list[int]]] | None = None
    for name in map(str, frame.columns):
        known = _plain(name) in _SUBJECT_NAMES
        index = _index(frame[name], known=known)
        if not index:
            continue
        rows = [next((index[key] for key in wanted if key in index), []) for wanted in sought]
        matched = sum(bool(found) for found in rows)
        exact = sum(any(key in index for key in wanted[:_EXACT]) for wanted in sought)
        score = (matched, exact, int(known), len({row for found in rows for row in found}))
        if matched and (best is None or score > best[0]):
            best = score, name, rows
    if best is None:
        return None
    _, column, candidates = best
    session = next((str(c) for c in frame.columns if _plain(str(c)) in _SESSION_NAMES and str(c) != column), "")
    return _settled(frame, files, column, session, candidates)


def _index(values: pd.Series[Any], *, known: bool) -> dict[str, list[int]]:
    """Rows by what a cell may be looked for as; empty for a column that can't name files."""
    cells = values.tolist()
    if getattr(values.dtype, "kind", "O") == "f" and not known:
        return {}
    present = [cell for cell in cells if not _missing(cell)]
    if not present or (not known and len(set(present)) < _LEAST_DISTINCT * len(present)):
        return {}
    if not known and all(str(cell).isdecimal() and len(str(cell)) < _LONG_NUMBER for cell in present):
        return {}
    index: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        if _missing(cell):
            continue
        text = class_name(cell).strip().replace("\\", "/").lower()
        forms = {text, text.rsplit("/", 1)[-1]}
        if is_volume_name(Path(text)):
            forms.add(volume_stem(Path(text)))
        if text.isdecimal():
            forms.add(text.lstrip("0"))
        if text.startswith("sub-"):
            forms.add(text.removeprefix("sub-"))
        for form in forms - {""}:
            index.setdefault(form, []).append(row)
    return index


def _settled(
    frame: pd.DataFrame, files: Sequence[Path], column: str, session: str, candidates: Sequence[Sequence[int]]
) -> Matching:
    rows: list[int | None] = []
    ambiguous: list[str] = []
    without: list[str] = []
    repeated: set[int] = set()
    for path, found in zip(files, candidates, strict=True):
        left = list(found)
        if session and len(left) > 1:
            left = _of_session(frame, left, session, entities(path).get("ses", ""))
        if len(left) > 1 and frame.iloc[left].drop_duplicates().shape[0] == 1:
            repeated.update(left[1:])
            left = left[:1]
        if len(left) == 1:
            rows.append(left[0])
            continue
        rows.append(None)
        (ambiguous if left else without).append(volume_stem(path))
    said = []
    if without:
        said.append(f"{_volumes(len(without))} no row in the participants' table, so no label: {listed(without, 5)}.")
    if ambiguous:
        said.append(
            f"{_volumes(len(ambiguous))} several rows that differ, so no label: {listed(ambiguous, 5)}. Leave one row "
            "per volume, or add a session_id column."
        )
    used = {row for row in rows if row is not None} | repeated
    seen = {row for found in candidates for row in found}
    unused = [str(frame[column].iloc[row]) for row in range(len(frame)) if row not in used and row not in seen]
    if unused:
        count = "1 row of the participants' table has" if len(unused) == 1 else f"{len(unused):,} rows have"
        said.append(f"{count} no volume: {listed(unused, 5)}.")
    if repeated:
        said.append("Rows of the participants' table that occur twice are used once.")
    return Matching(column, session, tuple(rows), tuple(said))


def _of_session(frame: pd.DataFrame, rows: Sequence[int], column: str, wanted: str) -> list[int]:
    if not wanted:
        return list(rows)
    return [row for row in rows if _session(frame[column].iloc[row]) == _session(wanted)]


def _session(value: Any) -> str:
    """M00, ses-M00 and M000 are one session."""
    text = str(value).strip().lower().removeprefix("ses-")
    head = text.rstrip("0123456789")
    digits = text[len(head) :]
    return head + (digits.lstrip("0") or "0" if digits else "")


def is_subject_column(name: str) -> bool:
    """Whether the column says by its name whom a row is of."""
    return _plain(name) in _SUBJECT_NAMES


def is_session_column(name: str) -> bool:
    """Whether the column says by its name at which visit."""
    return _plain(name) in _SESSION_NAMES


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float | np.floating) and bool(np.isnan(cell))) or str(cell).strip() == ""


def _volumes(count: int) -> str:
    return "1 volume has" if count == 1 else f"{count:,} volumes have"
