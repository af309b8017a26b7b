"""Excel workbooks: a sheet's rows as text, read cell by cell without holding the sheet."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
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


def sheet_rows(path: Path, options: ReadingOptions) -> Iterator[Row]:
    """Yield a sheet's rows as text, from the first one on, empty rows included.

    Numbers are written so that they read back exactly, dates as ISO text, truth values as True and False.

    Raises
    ------
    DataError
        There is no such sheet, or the workbook is damaged.
    """
    with _workbook(path) as book:
        names = [str(sheet.title) for sheet in book.worksheets]
        if not names:
            raise DataError(f"{path} has no sheet with cells. Choose another file.")
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
        looked_at = list(islice(sheet_rows(path, options), options.skip_lines, options.skip_lines + _LOOKED_AT))
        filled = [(number, row) for number, row in enumerate(looked_at) if any(cell is not None for cell in row)]
        header_place, header = (filled[0][0], filled[0][1]) if filled and options.header else (-1, None)
        data = filled[1:] if options.header else filled
        if not data:
            raise no_rows(path, None if header is None else [cell or "" for cell in header])
        self.width = max(_width(row) for _, row in filled)
        self._rows_above = options.skip_lines + header_place + 1
        names = None if header is None else [cell or "" for cell in header[: self.width]]
        self.columns = name_columns(names, self.width, options, path)

    def batches(self, wanted: list[int]) -> Generator[Batch, None, None]:
        """Yield all rows of the wanted columns as text; missing cells are null, empty rows left out.

        Raises
        ------
        DataError
            A cell stands beside the table, or the workbook is damaged.
        """
        import pyarrow as pa

        rows = islice(sheet_rows(self._path, self._options), self._rows_above, None)
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
