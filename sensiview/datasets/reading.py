"""Reading a table from a file: what is understood of it, a preview, and all of it with progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.columns import ColumnReader
from sensiview.datasets.csv_source import BLOCKS, CsvSource, LongRow
from sensiview.datasets.describing import listed, make_card
from sensiview.datasets.excel_source import ExcelSource
from sensiview.datasets.options import CellError, ColumnKind, ReadingOptions
from sensiview.datasets.parquet_source import ParquetSource
from sensiview.datasets.recognition import file_size, unreadable
from sensiview.datasets.source import Batch, Source
from sensiview.datasets.table import Table
from sensiview.datasets.understanding import one_column, understand
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CellError", "ReadingOptions", "preview", "read_table", "understand"]

_NAMED = 10  # columns named in a note
_COPIED = 64 << 20


def read_table(
    path: Path,
    options: ReadingOptions | None = None,
    *,
    name: str = "",
    target: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Table:
    """Read a whole file.

    Numbers are read exactly, in chunks, and kept as the smallest integers that hold them or float64; repeating
    texts as codes. A file of N bytes of text takes about as much memory as its numbers need and 100 MB more.

    Parameters
    ----------
    path : Path
        CSV or other delimited text, Excel, or Parquet.
    options : ReadingOptions, optional
        From `understand` or from a card; found out when not given. They are kept in the card's `reading`.
    name : str
        Name of the data set; the file's name without suffix when empty.
    target : str, optional
        Column with the class or the quantity to predict.
    on_progress : callable, optional
        Called with the share of the file that has been read, 0 to 1; what it raises ends the reading.

    Raises
    ------
    CellError
        Text in a number column, with column, place and value.
    DataError
        Everything else that is wrong with the file, in a sentence with what to do.
    """
    path = Path(path)
    if options is None:
        options = understand(path)
    file_size(path)
    try:
        for block in BLOCKS:
            try:
                frame, findings, notes = _read(path, options, block, on_progress or (lambda fraction: None))
                break
            except LongRow:
                continue
        else:
            raise DataError(
                f"{path} has a row of more than {BLOCKS[-1] >> 20} MB: probably a quotation mark is opened and never "
                "closed. Choose no quotation mark, or correct the file."
            )
        card = make_card(
            frame,
            name=name or path.stem,
            target=_known_target(target, frame, options),
            target_as=options.target_as,
            reading=options.to_json(),
            findings=findings,
            notes=notes,
        )
    except MemoryError:
        raise DataError(
            f"{path} does not fit into this machine's memory ({path.stat().st_size / 1e9:.1f} GB on disk). Leave out "
            "columns, take a sample of the rows, or use a machine with more memory."
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None
    return Table(card, frame)


def _read(
    path: Path, options: ReadingOptions, block: int, on_progress: Callable[[float], None]
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    import pandas as pd

    source = _source(path, options, block)
    wanted = source.columns.wanted(options)
    readers = _readers(source, options, wanted)
    if len(readers) == 1 and len(source.columns.names) == 1:
        raise one_column(path, readers[0].name)
    n_rows = 0
    with closing(source.batches(wanted)) as batches:
        for batch in batches:
            n_rows += batch.n_rows
            for reader, cells in zip(readers, batch.columns, strict=True):
                reader.add(cells, batch.place)
            on_progress(batch.fraction)
    if not n_rows:
        raise DataError(f"{path} holds no rows with values. Export the table again.")
    columns = {}
    for reader in readers:
        nameless = reader.name in source.columns.unnamed and reader.kind == "auto"
        array = reader.finish()
        if not nameless:  # only a delimiter at the end of every line
            columns[reader.name] = array
    on_progress(1.0)
    # pandas copies to keep columns of a type together; a large table would then be held twice for a moment.
    small = sum(array.nbytes for array in columns.values()) < _COPIED
    frame = pd.DataFrame(columns, copy=small)
    return frame, {reader.name: reader.findings for reader in readers}, _notes(source, options)


def _source(path: Path, options: ReadingOptions, block: int, *, rows: int | None = None) -> Source:
    if options.format == "parquet":
        return ParquetSource(path, options)
    if options.format == "excel":
        return ExcelSource(path, options, rows_per_batch=rows)
    return CsvSource(path, options, block=block, rows=rows)


def _readers(source: Source, options: ReadingOptions, wanted: list[int]) -> list[ColumnReader]:
    import pyarrow as pa

    words = pa.array(options.missing_values, pa.string())
    names = [source.columns.names[i] for i in wanted]
    usual: dict[str, ColumnKind] = {name: "auto" if name in source.columns.unnamed else "number" for name in names}
    kinds = {**usual, **options.kinds}
    return [ColumnReader(name, kinds[name], options, words, source.expected_rows) for name in names]


def _notes(source: Source, options: ReadingOptions) -> list[str]:
    notes = []
    if source.uneven_rows:
        notes.append(f"{_rows(source.uneven_rows)} with another number of fields left out.")
    if source.empty_rows:
        notes.append(f"{_rows(source.empty_rows)} without any value left out.")
    if options.left_out:
        notes.append(f"Columns left out: {listed(options.left_out, _NAMED)}.")
    if isinstance(source, ParquetSource) and source.nested:
        notes.append(f"Lists, records and raw bytes are not read: {listed(source.nested, _NAMED)}.")
    return notes


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _known_target(target: str | None, frame: pd.DataFrame, options: ReadingOptions) -> str | None:
    if target is not None and target in options.left_out and target not in frame.columns:
        raise DataError(f"The target column '{target}' is among the columns that are left out. Keep it.")
    return target


def preview(path: Path, options: ReadingOptions, rows: int = 50) -> pd.DataFrame:
    """Return the first rows as they would be read, without reading the whole file.

    Nothing is refused here: a column that holds a cell that can't be read is shown as text, names that occur twice are
    numbered, rows with another number of fields are left out.

    Parameters
    ----------
    path, options : Path, ReadingOptions
        The file and how to read it.
    rows : int
        How many rows at most.

    Raises
    ------
    DataError
        Not even the beginning can be read this way.
    """
    import pandas as pd

    path = Path(path)
    file_size(path)
    lenient = options.model_copy(update={"rename_duplicates": True, "uneven_rows": "leave_out"})
    columns: dict[str, Any] = {}
    try:
        source, batch = _first_batch(path, lenient, rows)
    except OSError as error:
        raise unreadable(path, error) from None
    readers = _readers(source, lenient, source.columns.wanted(lenient))
    if batch is None:
        return pd.DataFrame({reader.name: [] for reader in readers})
    for reader, cells in zip(readers, batch.columns, strict=True):
        shown = cells.slice(0, rows)
        try:
            reader.add(shown, batch.place)
            columns[reader.name] = reader.finish()
        except CellError:
            columns[reader.name] = shown.to_pandas().array
    return pd.DataFrame(columns, copy=False)


def _first_batch(path: Path, options: ReadingOptions, rows: int) -> tuple[Source, Batch | None]:
    for block in BLOCKS:
        source = _source(path, options, block, rows=rows)
        try:
            with closing(source.batches(source.columns.wanted(options))) as batches:
                return source, next(batches, None)
        except LongRow:
            continue
    return source, None
