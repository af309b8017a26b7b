"""Names of labels in text files: each way in which the lines can be understood, best first."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sensiview.datasets.atlas_sides import side_of

_WHOLE = re.compile(r"[+-]?\d+(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# What a column of values is called, most telling first.
_VALUES = (
    "roi_value", "value", "voxel_value", "label_value", "index", "roiid", "roi_id", "region_id", "label_id", "labelid",
    "id", "key", "intensity", "label", "roi", "no", "nr", "number", "code", "#",
)  # fmt: skip
_NAMES = (
    "roi_name", "roiname", "region_name", "regionname", "label_name", "labelname", "full_name", "fullname",
    "long_name", "longname", "name", "names", "region", "regions", "structure_name", "anatomy", "label", "labels",
    "structure", "description", "roi", "abbreviation", "roiabbr", "acronym", "code",
)  # fmt: skip
_SIDE_COLUMNS = ("hemisphere", "hemi", "side", "laterality")
# id r g b a visible mesh "name": label descriptions of ITK-SNAP
_ITK = re.compile(r'^\s*(\d+)\s+\d+\s+\d+\s+\d+\s+[\d.]+\s+\d+\s+\d+\s+"(.*)"\s*$')
# id name r g b a: colour tables of FreeSurfer and 3D Slicer
_LUT = re.compile(r"^\s*(\d+)\s+(\S.*?)\s+\d{1,3}\s+\d{1,3}\s+\d{1,3}\s+\d{1,3}\s*$")
# id r g b name, colours from 0 to 1: look-up tables of FSLeyes
_FSLEYES = re.compile(r"^\s*(\d+)(?:\s+(?:[01]?\.\d+|[01]\.?)){3}\s+(\S.*?)\s*$")
_MISSING = frozenset({"", "n/a", "nan"})
_LEADING = re.compile(r"^\s*([+-]?\d+)(?:\s*[:=,;|)]\s*|\.?\s+)(\S.*?)\s*$")
_TRAILING = re.compile(r"^\s*(\S.*?)(?:\s*[:=,;|]\s*|\s+)([+-]?\d+)\s*$")


@dataclass(frozen=True)
class Reading:
    """One way to understand a list of names.

    `names` by voxel value, `how` says which way it is, `repeated` are values that were named twice, differently; the
    first name is kept.
    """

    names: Mapping[int, str]
    how: str = ""
    repeated: tuple[int, ...] = ()


def reading_of(pairs: Sequence[tuple[int, str]], how: str) -> Reading | None:
    """Return pairs of value and name as a reading; None when there are none with a name."""
    names: dict[int, str] = {}
    repeated = []
    for value, name in pairs:
        tidy = " ".join(name.replace("\x00", " ").split())
        if len(tidy) > 1 and tidy[0] == tidy[-1] and tidy[0] in "\"'":
            tidy = tidy[1:-1].strip()
        if tidy.lower() in _MISSING:
            continue
        if names.setdefault(value, tidy) != tidy:
            repeated.append(value)
    return Reading(names, how, tuple(sorted(set(repeated)))) if names else None


def read_lines(text: str) -> list[Reading]:
    """Return the readings of a list without columns: ITK-SNAP, FreeSurfer, ``1: Name``, ``1 Name 2001``, ``Name``."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "//", "%"))]
    if not lines:
        return []
    tables = ((_ITK, "a label description of ITK-SNAP"), (_LUT, "a colour table"), (_FSLEYES, "a table of FSLeyes"))
    for pattern, how in tables:
        matches = [pattern.match(line) for line in lines]
        found = [(int(m[1]), m[2]) for m in matches if m]
        if len(found) >= 0.9 * len(lines):
            return _kept([reading_of(found, how)])
    leading = [m for line in lines if (m := _LEADING.match(line))]
    trailing = [m for line in lines if (m := _TRAILING.match(line))]
    readings = []
    if len(leading) >= 0.5 * len(lines):
        # Where every name is followed by one more number, that number may be the value: 1 Precentral_L 2001.
        inner = [(int(m[1]), _TRAILING.match(m[2])) for m in leading]
        if all(behind for _, behind in inner):
            split = [(first, behind[1], int(behind[2])) for first, behind in inner if behind]
            readings += [
                reading_of([(first, name) for first, name, _ in split], "the number before the name"),
                reading_of([(last, name) for _, name, last in split], "the number behind the name"),
            ]
        readings.append(reading_of([(int(m[1]), m[2]) for m in leading], "the number before the name"))
    elif len(trailing) >= 0.5 * len(lines):
        readings.append(reading_of([(int(m[2]), m[1]) for m in trailing], "the number behind the name"))
    else:
        first = 0 if lines[0].strip().lower() in ("background", "unknown", "clear label") else 1
        readings.append(reading_of(list(enumerate(lines, first)), f"one name a line, the first is label {first}"))
    return _kept(readings)


def read_columns(text: str) -> list[Reading]:
    """Return the readings of a table with or without a header: each column of whole numbers may hold the values."""
    rows, delimiter = _rows(text)
    if not rows:
        return []
    width = max(len(row) for row in rows)
    header = None
    if not any(_WHOLE.fullmatch(cell) for cell in rows[0]) and len(rows) > 1:
        header, rows = [cell.lower().replace(" ", "_").strip("_") for cell in rows[0]], rows[1:]
    columns = [[row[i] if i < len(row) else "" for row in rows] for i in range(width)]
    titles = [*(header or []), *[""] * (width - len(header or []))]
    numeric = [i for i, cells in enumerate(columns) if all(_WHOLE.fullmatch(c) for c in cells if c) and any(cells)]
    wordy = [i for i, cells in enumerate(columns) if not all(_NUMBER.fullmatch(c) for c in cells if c)]
    if not numeric or not wordy:
        return []
    # Without a header the column with the longest words holds the names: abbreviations are shorter.
    length = {i: sum(map(len, columns[i])) for i in wordy}
    name_column = min(wordy, key=lambda i: (_place(titles[i], _NAMES), -length[i]))
    names = _with_sides(columns[name_column], titles, columns)
    readings = []
    for i in sorted(numeric, key=lambda i: (_place(titles[i], _VALUES), i)):
        title = f"column '{titles[i]}'" if titles[i] else f"column {i + 1}"
        pairs = [(int(float(cell)), name) for cell, name in zip(columns[i], names, strict=True) if cell]
        readings.append(reading_of(pairs, title))
    return _kept(readings) if delimiter else []


def _rows(text: str) -> tuple[list[list[str]], str]:
    """Return rows of stripped cells and the delimiter that splits most lines alike; empty when none does."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "//"))]
    if not lines:
        return [], ""
    best, best_score = "", 0.0
    for delimiter in ("\t", ";", ",", "|"):
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count)
        score = counts.count(usual) / len(counts) if usual else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    if best_score < 0.5:
        return [], ""
    rows = csv.reader(io.StringIO("\n".join(lines)), delimiter=best, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)], best


def _place(title: str, known: Sequence[str]) -> int:
    return known.index(title) if title in known else len(known)


def _with_sides(names: list[str], titles: list[str], columns: list[list[str]]) -> list[str]:
    """Put L or R behind names that stand there once for each hemisphere, where a column says which."""
    sides = [column for title, column in zip(titles, columns, strict=True) if title in _SIDE_COLUMNS]
    if not sides or len(set(names)) == len(names) or any(side_of(name)[1] for name in names):
        return names
    short = {"l": "L", "left": "L", "lh": "L", "r": "R", "right": "R", "rh": "R"}
    return [f"{name} {short.get(side.lower(), '')}".strip() for name, side in zip(names, sides[0], strict=True)]


def _kept(readings: Sequence[Reading | None]) -> list[Reading]:
    return [reading for reading in readings if reading is not None]
