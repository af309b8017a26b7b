"""Delimited text: its first rows for a look, all its rows in chunks."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from sensiview.datasets.options import WHITESPACE, ReadingOptions, shortened
from sensiview.datasets.source import Batch, name_columns, without_empty_rows
from sensiview.datasets.text_stream import Utf8Stream, squeezed
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

HEAD_BYTES = 4 << 20
# Bytes parsed at once; the larger ones only for files whose rows need them.
BLOCKS = (4 << 20, 32 << 20, 512 << 20)
_LONG_LINE = 16 << 10
_AHEAD = 3  # blocks read before they are used


@dataclass(frozen=True)
class Head:
    """The beginning of a text file: whole lines, all of it when `complete`."""

    text: str
    complete: bool


def read_head(path: Path, encoding: str, *, n_bytes: int = HEAD_BYTES, squeeze: bool = False) -> Head:
    """Return about the first `n_bytes` of a text file, cut after a line; more where a line is longer than that.

    Raises
    ------
    DataError
        Not text in this encoding, or one line without end.
    """
    stream = Utf8Stream(path, encoding, squeeze=squeeze)
    try:
        data = b""
        while len(data) <= 256 << 20:
            more = stream.read(n_bytes)
            data += more
            if not more:
                return Head(data.decode(), complete=True)
            cut = max(data.rfind(b"\n"), data[:-1].rfind(b"\r")) + 1
            # A header alone tells little; two lines at least.
            if len(data) >= n_bytes and data.count(b"\n", 0, cut) + data.count(b"\r", 0, cut) > 4:
                return Head(data[:cut].decode(), complete=False)
        raise DataError(f"{path} has a line of more than 256 MB: it is not a table, or its line ends were lost.")
    finally:
        stream.close()


def records(lines: Iterable[str], delimiter: str, quote: str = '"') -> tuple[Iterator[list[str]], Any]:
    """Return the fields of rows, blank lines left out, and the reader, whose `line_num` says how far it is.

    Raises
    ------
    DataError
        While iterating: a quoted field that never ends.
    """
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )

    def rows() -> Iterator[list[str]]:
        try:
            for fields in reader:
                if fields:
                    yield fields
        except csv.Error as error:
            raise DataError(
                f"A field that begins before line {reader.line_num:,} never ends ({error}). Look for a quotation mark "
                "that is opened and not closed, or choose no quotation mark."
            ) from None

    return rows(), reader


class LongRow(Exception):
    """A row does not fit into the block that is parsed at once; try again with a larger one."""


class CsvSource:
    """A delimited text file, read with pyarrow in chunks: nothing of it is held longer than a chunk.

    Parameters
    ----------
    path, options : Path, ReadingOptions
        The file and how to read it.
    block : int
        Bytes that are parsed at once; more when rows are long.
    rows : int, optional
        Take blocks of about that many rows instead, for a preview.

    Raises
    ------
    DataError
        No header, no rows, duplicate names.
    """

    def __init__(self, path: Path, options: ReadingOptions, *, block: int = BLOCKS[0], rows: int | None = None) -> None:
        self.empty_rows = 0
        self.uneven_rows = 0
        self._path = path
        self._options = options
        head = read_head(path, options.encoding, n_bytes=64 << 10, squeeze=options.delimiter == WHITESPACE)
        n_lines = head.text.count("\n") or head.text.count("\r")
        line = len(head.text) / max(1, n_lines)
        if rows is not None and block == BLOCKS[0]:
            self._block = int(min(BLOCKS[0], max(64 << 10, 1.5 * rows * line)))
        else:
            # Thousands of columns: few rows at a time would take long.
            self._block = max(block, BLOCKS[1]) if line > _LONG_LINE else block
        # A little more than the head promises: what is not needed is never touched.
        self.expected_rows = int(1.03 * n_lines * path.stat().st_size / len(head.text.encode())) if head.text else 0
        lines = io.StringIO(head.text, newline="")
        for _ in islice(lines, options.skip_lines):
            pass
        fields, reader = _records(lines, options)
        header = next(fields, None) if options.header else None
        self._lines_above = options.skip_lines + (reader.line_num if options.header else 0)
        first = next(fields, None)
        if first is None:
            raise no_rows(path, header)
        self.width = len(header) if header is not None else len(first)
        if header is not None and len(first) == len(header) + 1:
            self.width += 1  # names of rows in front (R), or a delimiter at every line's end
        names = [_uncommented(header[0]), *header[1:]] if header else None
        self.columns = name_columns(names, self.width, options, path)

    def batches(self, wanted: list[int]) -> Generator[Batch, None, None]:
        """Yield all rows of the wanted columns as text; missing cells are null, empty rows left out.

        Raises
        ------
        DataError
            Rows of another number of fields (unless they are to be left out), a quoted field that never ends,
            bytes that are not text.
        LongRow
            A row is longer than the block.
        """
        import pyarrow as pa

        size = max(1, self._path.stat().st_size)
        squeeze = self._options.delimiter == WHITESPACE
        stream = Utf8Stream(
            self._path, self._options.encoding, skip_lines=self._lines_above, squeeze=squeeze, ahead=_AHEAD
        )
        n_seen = 0
        try:
            for chunk in self._open(stream, wanted):
                stream.consumed()
                columns, kept = without_empty_rows(cast("list[pa.Array]", chunk.columns))
                n_kept = chunk.num_rows if kept is None else kept.size
                self.empty_rows += chunk.num_rows - n_kept
                place = partial(self._place, n_seen, kept)
                n_seen += chunk.num_rows
                if n_kept:
                    yield Batch(columns, place, min(1.0, stream.position / size))
        except pa.ArrowInvalid as error:
            if stream.error is not None:
                raise stream.error from None
            if "straddling" in str(error):
                raise LongRow from None
            if self.uneven_rows:
                raise self._uneven() from None
            if "Empty CSV" not in str(error):
                raise DataError(
                    f"{self._path} can't be read as a table. Check the delimiter and the quotation mark.",
                    details=str(error),
                ) from None
        finally:
            stream.close()

    def _open(self, stream: Utf8Stream, wanted: list[int]) -> Any:
        import pyarrow as pa
        from pyarrow import csv as arrow

        def on_uneven(_row: Any) -> str:
            self.uneven_rows += 1
            return "skip" if self._options.uneven_rows == "leave_out" else "error"

        # Places stand for names here: no name of the file can confuse the parser.
        places = [str(i) for i in range(self.width)]
        return arrow.open_csv(
            stream,
            read_options=arrow.ReadOptions(column_names=places, block_size=self._block),
            parse_options=arrow.ParseOptions(
                delimiter=_delimiter(self._options),
                quote_char=self._options.quote or False,
                newlines_in_values=bool(self._options.quote),
                invalid_row_handler=on_uneven,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()),
                include_columns=[places[i] for i in wanted],
                null_values=list(self._options.missing_values),
                strings_can_be_null=True,
                check_utf8=False,  # the stream made it
            ),
        )

    def _all_records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and fields of every row of data, slowly: only to say where something is."""
        squeeze = self._options.delimiter == WHITESPACE
        with self._path.open("r", encoding=self._options.encoding, newline="", errors="replace") as stream:
            lines: Iterator[str] = islice(stream, self._lines_above, None)
            rows, reader = _records((squeezed(line) for line in lines) if squeeze else lines, self._options)
            for fields in rows:
                yield self._lines_above + reader.line_num, fields

    def _place(self, first: int, kept: npt.NDArray[np.int64] | None, row: int) -> str:
        record = first + (row if kept is None else int(kept[row]))
        whole = (line for line, fields in self._all_records() if len(fields) == self.width)
        return f"line {next(islice(whole, record, None), record + self._lines_above + 1):,}"

    def _uneven(self) -> DataError:
        line, fields = next(found for found in self._all_records() if len(found[1]) != self.width)
        start = shortened(_delimiter(self._options).join(fields), 60)
        return DataError(
            f"{self._path}: line {line:,} has {_count(len(fields), 'field')}, the others have {self.width}. It begins "
            f"{start}. Look for a delimiter too many or too few, or a missing quotation mark; or choose to leave such "
            "rows out."
        )


def no_rows(path: Path, header: list[str] | None) -> DataError:
    """Return the sentence for a file without a row of data."""
    if header is None:
        return DataError(f"{path} holds no rows. Export the table again.")
    names = ", ".join(header[:5]) + (", ..." if len(header) > 5 else "")
    return DataError(f"{path} has a header ({names}) but no rows below it. Export the table again, with its rows.")


def _records(lines: Iterable[str], options: ReadingOptions) -> tuple[Iterator[list[str]], Any]:
    return records(lines, _delimiter(options), options.quote)


def _delimiter(options: ReadingOptions) -> str:
    return " " if options.delimiter == WHITESPACE else options.delimiter


def _uncommented(name: str) -> str:
    """Return the first name of a header that is written as a comment: ``# x,y,z``."""
    return name.lstrip().removeprefix("#").lstrip() if len(name) > 1 else name


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"
