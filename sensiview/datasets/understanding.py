"""How a file of unknown origin is to be read, and the sentences that say what was understood."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sensiview.datasets.csv_source import CsvSource, Head, no_rows, read_head, records
from sensiview.datasets.delimiters import NAMES, find_dialect
from sensiview.datasets.describing import listed
from sensiview.datasets.encodings import detect_encoding
from sensiview.datasets.excel_source import beginning, filled
from sensiview.datasets.layout import CHECKED_CELLS, Layout, understand_rows, unreadable_cells
from sensiview.datasets.numbers import NumberStyle
from sensiview.datasets.options import WHITESPACE, ColumnKind, ReadingOptions
from sensiview.datasets.parquet_source import ParquetSource
from sensiview.datasets.recognition import file_size, recognise
from sensiview.datasets.source import Columns, name_columns
from sensiview.datasets.text_stream import squeezed
from sensiview.errors import DataError

SAMPLE_ROWS = 2000
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows Western (cp1252)",
    "cp1250": "Windows Central European (cp1250)",
    "cp1251": "Windows Cyrillic (cp1251)",
}


def understand(path: Path, **chosen: Any) -> ReadingOptions:
    """Look at the beginning of a file and return how to read it.

    Only the first megabytes are read (64 MiB to tell whether it is UTF-8), however long the file is.

    Parameters
    ----------
    path : Path
        CSV or any delimited text, Excel or Parquet; told apart by content, not by suffix.
    chosen
        Options that the user has fixed (``delimiter=";"``); only the rest is found out.

    Returns
    -------
    ReadingOptions
        With sentences in `understood`, for the import dialog.

    Raises
    ------
    DataError
        No such file, a folder, no permission; empty, a header only, one column only; not a table; damaged.
    UserError
        An option that does not exist.
    """
    path = Path(path)
    fixed = ReadingOptions.parse(chosen).model_dump(include=set(chosen))
    size = file_size(path)
    found_format = fixed.get("format") or recognise(path)
    try:
        if found_format == "parquet":
            found, sentences = _parquet(path, fixed)
        elif found_format == "excel":
            found, sentences = _excel(path, fixed)
        else:
            found, sentences = _text(path, size, fixed)
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}). Check the drive it lies on.") from None
    kinds = {**found.get("kinds", {}), **fixed.get("kinds", {})}
    return ReadingOptions.parse({"format": found_format, **found, **fixed, "kinds": kinds, "understood": sentences})


def _text(path: Path, size: int, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    encoding = fixed.get("encoding") or detect_encoding(path)
    head = read_head(path, encoding)
    if not head.text.strip():
        raise DataError(f"{path} holds only blank lines. Export the table again.")
    quote = fixed.get("quote", '"')
    dialect = find_dialect(head, fixed.get("delimiter"), quote)
    if dialect.width < 2 and "delimiter" not in fixed:
        raise one_column(path, head.text.strip().splitlines()[0])
    skip = fixed.get("skip_lines", dialect.skip_lines)
    rows = sample_rows(head, skip, dialect.delimiter, quote)
    header = True if dialect.commented_header else fixed.get("header")
    layout = understand_rows(
        rows,
        comma_separates=dialect.delimiter == ",",
        style=_chosen_style(fixed),
        header=header,
        missing_values=fixed.get("missing_values"),
    )
    if layout.header and len(rows) < 2:
        raise no_rows(path, rows[0])
    found: dict[str, Any] = {
        "encoding": encoding,
        "delimiter": dialect.delimiter,
        "skip_lines": skip,
        **_from_layout(layout),
    }
    known = {key: value for key, value in {**found, **fixed}.items() if key not in ("kinds", "left_out")}
    columns = CsvSource(path, ReadingOptions.parse({**known, "rename_duplicates": True})).columns
    found["kinds"], about = _kinds(columns, layout, rows)
    header_names = rows[0] if layout.header else []
    sentences = [
        _how_many(head, size, len(rows) - layout.header, _n_columns(columns, found["kinds"])),
        f"Text in {_ENCODINGS.get(encoding, encoding)}; fields are separated by "
        f"{NAMES.get(dialect.delimiter, repr(dialect.delimiter))}.",
    ]
    if skip:
        sentences.append(f"{skip} line{'s' if skip > 1 else ''} above the table left out.")
    return found, [*sentences, *layout.sentences, *_about_names(header_names, fixed), *about]


def sample_rows(head: Head, skip: int, delimiter: str, quote: str, most: int = SAMPLE_ROWS) -> list[list[str]]:
    """Return the fields of the first rows below `skip` lines, the header among them."""
    stream = io.StringIO(head.text, newline="")
    for _ in range(skip):
        stream.readline()
    squeeze = delimiter == WHITESPACE
    lines = (squeezed(line) for line in stream) if squeeze else stream
    found, _ = records(lines, " " if squeeze else delimiter, quote)
    return list(islice(found, most))


def one_column(path: Path, line: str) -> DataError:
    """Return the sentence for a file that no delimiter divides."""
    shown = line if len(line) <= 60 else line[:59] + "…"
    return DataError(
        f"{path} has only one column ('{shown}'). A table has factors and rows: choose the delimiter if the line has "
        "several values, or add the missing columns."
    )


def _excel(path: Path, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    chosen = ReadingOptions.parse({key: value for key, value in fixed.items() if key != "kinds"})
    start = beginning(path, chosen, SAMPLE_ROWS)
    sheet, rows, names = start.sheet, start.rows, start.sheets
    with_cells = [(place, row) for place, row in enumerate(rows) if filled(row)]
    if not with_cells:
        raise DataError(f"{path}: the sheet '{sheet}' is empty. Choose another sheet: {listed(names)}.")
    usual = Counter(filled(row) for _, row in with_cells).most_common(1)[0][0]
    skip = fixed.get("skip_lines")
    if skip is None:
        skip = next(place for place, row in with_cells if filled(row) * 2 > usual)
    table = [row for row in rows[skip:] if filled(row)]
    layout = understand_rows(
        table,
        comma_separates=False,
        style=_chosen_style(fixed),
        header=fixed.get("header"),
        missing_values=fixed.get("missing_values"),
    )
    if layout.header and len(table) < 2:
        raise no_rows(path, [cell or "" for cell in table[0]])
    width = max(len(row) for row in table)
    if width < 2:
        raise one_column(path, str(table[0][0]))
    found = {"sheet": sheet, "skip_lines": skip, **_from_layout(layout)}
    options = ReadingOptions.parse({**found, "rename_duplicates": True})
    header = [cell or "" for cell in table[0]] if layout.header else None
    columns = name_columns(fixed.get("names") or header, width, options, path)
    found["kinds"], about = _kinds(columns, layout, table)
    sentences = [f"Sheet '{sheet}' with {width} columns."]
    if len(names) > 1:
        sentences.append(f"Other sheets: {listed(name for name in names if name != sheet)}.")
    if skip:
        sentences.append(f"{skip} row{'s' if skip > 1 else ''} above the table left out.")
    return found, [*sentences, *layout.sentences, *_about_names(header or [], fixed), *about]


def _parquet(path: Path, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    source = ParquetSource(path, ReadingOptions(format="parquet", rename_duplicates=True))
    # Parquet knows what is missing; a text NA is a text.
    found: dict[str, Any] = {"missing_values": ("",), "kinds": source.kinds()}
    names = [name for name in source.columns.names if name not in source.columns.unread]
    sentences = [f"{source.expected_rows:,} rows and {len(names)} columns."]
    if source.nested:
        sentences.append(f"Lists, records and raw bytes can't be read: {listed(source.nested)}.")
    texts = [name for name, kind in found["kinds"].items() if kind == "text"]
    return found, [*sentences, *_about_kinds(texts, [])]


def _chosen_style(fixed: Mapping[str, Any]) -> NumberStyle | None:
    if "decimal" not in fixed and "thousands" not in fixed:
        return None
    return NumberStyle(fixed.get("decimal", "."), fixed.get("thousands", ""))


def _from_layout(layout: Layout) -> dict[str, Any]:
    return {
        "header": layout.header,
        "has_index": layout.has_index,
        "decimal": layout.style.decimal,
        "thousands": layout.style.thousands,
        "missing_values": layout.missing_values,
    }


def _kinds(
    columns: Columns, layout: Layout, rows: Sequence[Sequence[str | None]]
) -> tuple[dict[str, ColumnKind], list[str]]:
    """Return the kinds by name, and what should be said of text and of cells that can't be read."""
    kinds = {columns.names[i]: kind for i, kind in layout.kinds.items() if i < len(columns.names)}
    kinds = {name: kind for name, kind in kinds.items() if name not in columns.unread}
    numbers = [
        (place, name) for place, name in enumerate(columns.names) if name not in kinds and name not in columns.unread
    ]
    body = rows[1:] if layout.header else rows
    body = body[: max(20, CHECKED_CELLS // len(columns.names))]  # the rest is found when all is read
    bad = unreadable_cells(body, numbers, layout.style, layout.missing_values)
    return kinds, _about_kinds([name for name, kind in kinds.items() if kind == "text"], bad)


def _about_kinds(texts: list[str], bad: list[str]) -> list[str]:
    said = [f"Text, not used as factors: {listed(texts)}."] if texts else []
    return [*said, *bad[:5], *([f"And {len(bad) - 5} more such columns."] if len(bad) > 5 else [])]


def _about_names(header: Sequence[str], fixed: Mapping[str, Any]) -> list[str]:
    counts = Counter(" ".join(name.split()) for name in header)
    twice = [name for name, count in counts.items() if name and count > 1]
    if not twice or fixed.get("rename_duplicates"):
        return []
    return [f"These names occur more than once: {listed(twice)}. Have them numbered, or rename them in the file."]


def _n_columns(columns: Columns, kinds: Mapping[str, ColumnKind]) -> int:
    """Number of columns without names of rows, and without the empty one behind a delimiter at each line's end."""
    nothing = [name for name in columns.unnamed if kinds.get(name) == "auto"]
    return len(columns.names) - len(columns.unread) - len(nothing)


def _how_many(head: Head, size: int, n_sampled: int, width: int) -> str:
    if head.complete and n_sampled < SAMPLE_ROWS - 1:
        return f"{n_sampled:,} row{'' if n_sampled == 1 else 's'} and {width:,} columns."
    lines = head.text.count("\n") or head.text.count("\r")
    about = lines if head.complete else round(lines * size / len(head.text.encode()))
    needed = about * width * 8
    return f"About {about:,} rows and {width:,} columns; up to {needed / 1e9:.2g} GB in memory{_too_much(needed)}."


def _too_much(needed: int) -> str:
    """Return what to do when a table will probably not fit into the memory that is free."""
    if needed < 1 << 30:
        return ""
    import psutil

    free = int(psutil.virtual_memory().available)
    return f", {free / 1e9:.2g} GB are free: leave out columns or take fewer rows" if needed > 0.7 * free else ""
