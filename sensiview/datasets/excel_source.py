"""Excel workbooks: a sheet's rows as text, read cell by cell without holding the sheet."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.csv_source import no_rows
from sensiview.datasets.options import ReadingOptions
from sensiview.datasets.source import Batch, name_columns, without_empty_rows
from sensiview.errors import DataError, SensiViewError, suggestion

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

Row = list[str | None]
_LOOKED_AT = 2000  # rows from which the width of the table is taken
_CELLS_PER_BATCH = 400_000


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Silence openpyxl: it warns of styles and validations that it does not keep; values are all we want."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook]:
    """Open a workbook, read-only; whatever fails inside becomes a sentence."""
    import openpyxl

    book = None
    stream = path.open("rb")  # not the path: openpyxl refuses workbooks of another suffix
    try:
        with _no_warnings():
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        yield book
    except (SensiViewError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises almost anything on a damaged workbook
        raise DataError(
            f"{path} is damaged: its cells can't be read. Open it in Excel, save it under another name, and add that "
            "file; or export it as CSV.",
            details=f"{type(error).__name__}: {error}",
        ) from None
    finally:
        if book is not None:
            book.close()
        stream.close()


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets that hold cells, in order.

    Raises
    ------
    DataError
        The workbook is damaged.
    """
    with _workbook(path) as book:
        return [str(sheet.title) for sheet in book.worksheets]


@dataclass(frozen=True)
class Beginning:
    """The first rows of one sheet, and the names of all sheets."""

    sheet: str
    rows: list[Row]
    sheets: list[str]


def beginning(path: Path, options: ReadingOptions, most: int) -> Beginning:
    """Return the first rows of the chosen sheet, or of the first one that looks like a table.

    Raises
    ------
    DataError
        There is no such sheet, or the workbook is damaged.
    """
    with _workbook(path) as book:
        names = [str(sheet.title) for sheet in book.worksheets]
        found = None
        for sheet in [options.sheet] if options.sheet else names:
            rows = list(islice(_rows(book, path, options.model_copy(update={"sheet": sheet})), most))
            if sum(filled(row) >= 2 for row in rows) >= 2:
                return Beginning(sheet, rows, names)
            found = found or Beginning(sheet, rows, names)
        if found is None:
            raise _without_sheets(path)
        return found


def sheet_rows(path: Path, options: ReadingOptions) -> Iterator[Row]:
    """Yield a sheet's rows as text, from the first one on, empty rows included.

    Numbers are written so that they read back exactly, dates as ISO text, truth values as True and False.

    Raises
    ------
    DataError
        There is no such sheet, or the workbook is damaged.
    """
    with _workbook(path) as book:
        yield from _rows(book, path, options)


def _rows(book: Workbook, path: Path, options: ReadingOptions) -> Iterator[Row]:
    names = [str(sheet.title) for sheet in book.worksheets]
    if not names:
        raise _without_sheets(path)
    if options.sheet and options.sheet not in names:
        raise DataError(f"{path} has no sheet '{options.sheet}'.{suggestion(options.sheet, names)}")
    sheet: Any = book[options.sheet] if options.sheet else book.worksheets[0]
    sheet.reset_dimensions()  # what a file says about its size is often wrong
    empty = frozenset(options.missing_values)
    cells = sheet.iter_rows(values_only=True)
    while True:
        with _no_warnings():
            chunk = list(islice(cells, 500))
        if not chunk:
            return
        for values in chunk:
            row = [_text(value, options.decimal) for value in values]
            yield [None if cell is None or cell in empty else cell for cell in row]


def _without_sheets(path: Path) -> DataError:
    return DataError(f"{path} has no sheet with cells. Choose another file.")


def filled(row: Row) -> int:
    """Return how many cells of a row hold something."""
    return sum(cell is not None for cell in row)


def _text(cell: Any, decimal: str) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int | float):
        return repr(cell).replace(".", decimal)
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)


class ExcelSource:
    """One sheet of a workbook, in chunks.

    Raises
    ------
    DataError
        The workbook is damaged, the sheet is missing or empty, names occur twice.
    """

    def __init__(self, path: Path, options: ReadingOptions, *, rows_per_batch: int | None = None) -> None:
        self.empty_rows = 0
        self.uneven_rows = 0
        self.expected_rows = 0
        self._path = path
        self._options = options
        self._rows_per_batch = rows_per_batch
        # Opened once: looked at here, read on in `batches`.
        self._rows = sheet_rows(path, options)
        self._looked_at = list(islice(self._rows, options.skip_lines + _LOOKED_AT))
        table = [(place, row) for place, row in enumerate(self._looked_at[options.skip_lines :]) if filled(row)]
        header_place, header = table[0] if table and options.header else (-1, None)
        if len(table) < (2 if options.header else 1):
            raise no_rows(path, None if header is None else [cell or "" for cell in header])
        self.width = max(_width(row) for _, row in table)
        self._rows_above = options.skip_lines + header_place + 1
        names = None if header is None else [cell or "" for cell in header[: self.width]]
        self.columns = name_columns(names, self.width, options, path)

    def batches(self, wanted: list[int]) -> Generator[Batch, None, None]:
        """Yield all rows of the wanted columns as text, once; missing cells are null, empty rows left out.

        Raises
        ------
        DataError
            A cell stands beside the table, or the workbook is damaged.
        """
        import pyarrow as pa

        rows = chain(self._looked_at[self._rows_above :], self._rows)
        per_batch = self._rows_per_batch or max(1, _CELLS_PER_BATCH // self.width)
        n_seen = 0
        while chunk := list(islice(rows, per_batch)):
            fitted = [self._fitted(row, n_seen + i) for i, row in enumerate(chunk)]
            arrays = [pa.array([row[i] for row in fitted], pa.string()) for i in wanted]
            columns, kept = without_empty_rows(arrays)
            n_kept = len(chunk) if kept is None else kept.size
            self.empty_rows += len(chunk) - n_kept
            place = partial(self._place, n_seen, kept)
            n_seen += len(chunk)
            if n_kept:
                # A sheet does not say how long it is; this only ever grows.
                yield Batch(columns, place, n_seen / (n_seen + 10 * per_batch))

    def _fitted(self, row: Row, record: int) -> Row:
        if _width(row) > self.width:
            raise DataError(
                f"{self._path}: row {record + self._rows_above + 1:,} has a value in column {_width(row)}, beside the "
                f"table, which has {self.width} columns. Delete it, or give its column a name."
            )
        return row[: self.width] + [None] * (self.width - len(row))

    def _place(self, first: int, kept: npt.NDArray[np.int64] | None, row: int) -> str:
        record = first + (row if kept is None else int(kept[row]))
        return f"row {record + self._rows_above + 1:,} of the sheet"


def _width(row: Row) -> int:
    return next((i + 1 for i in range(len(row) - 1, -1, -1) if row[i] is not None), 0)
