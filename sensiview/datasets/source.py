"""What CSV, Excel and Parquet have in common while they are read: named columns, and rows in chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from sensiview.datasets.options import ReadingOptions, shortened
from sensiview.errors import DataError, suggestion

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows: one pyarrow array per wanted column.

    `place` says where row i is in the file (``line 14``); `fraction` how much of the file has been read.
    """

    columns: list[pa.Array]
    place: Callable[[int], str]
    fraction: float

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0


@dataclass
class Columns:
    """The columns of a file.

    `unnamed` are those the file has no name for, `unread` those that can't be factors at all: names of rows,
    lists, raw bytes.
    """

    names: list[str]
    unnamed: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()

    def wanted(self, options: ReadingOptions) -> list[int]:
        """Return the places of the columns to read.

        Raises
        ------
        DataError
            A column named in the options is not in the file, or none is left.
        """
        for name in (*options.left_out, *options.kinds):
            if name not in self.names:
                raise DataError(
                    f"There is no column '{name}' in the file.{suggestion(name, self.names)} Was another file chosen?"
                )
        out = {*options.left_out, *self.unread}
        found = [i for i, name in enumerate(self.names) if name not in out]
        if not found:
            raise DataError("All columns are left out. Keep at least one.")
        return found


class Source(Protocol):
    """A file that is read column by column, chunk by chunk.

    `empty_rows` and `uneven_rows` count the rows that were left out, once the batches are through; `expected_rows`
    is about how many there will be, 0 when that can't be told.
    """

    columns: Columns
    expected_rows: int
    empty_rows: int
    uneven_rows: int

    def batches(self, wanted: list[int]) -> Generator[Batch, None, None]:
        """Yield all rows of the wanted columns."""


def without_empty_rows(columns: list[pa.Array]) -> tuple[list[pa.Array], npt.NDArray[np.int64] | None]:
    """Leave out rows in which every cell is missing (spreadsheets export them below the table).

    Returns the columns, and the places of the kept rows if any was left out.
    """
    import pyarrow as pa

    empty: npt.NDArray[np.bool_] | None = None
    for column in columns:
        if column.null_count == 0:
            return columns, None
        missing = column.is_null().to_numpy(zero_copy_only=False)
        empty = missing if empty is None else empty & missing
        if not empty.any():
            return columns, None
    if empty is None:
        return columns, None
    kept = np.flatnonzero(~empty)
    return [column.take(pa.array(kept)) for column in columns], kept


def name_columns(header: Sequence[str] | None, width: int, options: ReadingOptions, path: Path) -> Columns:
    """Return the columns' names: those of the options, of the header, or column_1, column_2, ...

    Raises
    ------
    DataError
        Two columns of the same name (unless `options.rename_duplicates`), or another number of names than columns.
    """
    given: Sequence[str] = header or []
    if options.names:
        expected = width - (1 if options.has_index else 0)
        if len(options.names) not in (width, expected):
            raise DataError(f"{len(options.names)} column names are given, but {path} has {width} columns.")
        given = options.names
    cleaned = [" ".join(name.split()) for name in given]
    if options.has_index and len(cleaned) == width - 1:
        cleaned = ["", *cleaned]  # as R writes it: the header has no name for the rows' names
    cleaned += [""] * (width - len(cleaned))
    names = [name or f"column_{i + 1}" for i, name in enumerate(cleaned)]
    unnamed = frozenset(name for name, found in zip(names, cleaned, strict=True) if not found)
    counts = Counter(names)
    if len(counts) < len(names):
        if not options.rename_duplicates:
            raise DataError(_duplicates(names, counts, path))
        names = renamed(names)
    return Columns(names, unnamed, frozenset(names[:1]) if options.has_index else frozenset())


def _duplicates(names: list[str], counts: Counter[str], path: Path) -> str:
    name = next(name for name in names if counts[name] > 1)
    places = [str(i + 1) for i, other in enumerate(names) if other == name]
    more = sum(count > 1 for count in counts.values()) - 1
    others = f" So do {more} other names." if more > 1 else " So does one other name." if more else ""
    return (
        f"{path}: the column name {shortened(name)} occurs {len(places)} times (columns {', '.join(places[:5])}"
        f"{', ...' if len(places) > 5 else ''}).{others} Rename them in the file, or choose to have them numbered."
    )


def renamed(names: Sequence[str]) -> list[str]:
    """Number the second and later columns of the same name: x, x (2), x (3)."""
    taken = set(names)
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        new = name
        while seen[name] > 1 and (new == name or new in taken):
            new = f"{name} ({seen[name]})"
            if new in taken:
                seen[name] += 1
        taken.add(new)
        result.append(new)
    return result
