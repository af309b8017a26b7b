"""Which character separates the fields of a text file, and how many lines stand above its table."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice

from sensiview.datasets.csv_source import Head, records
from sensiview.datasets.numbers import NumberStyle
from sensiview.datasets.options import WHITESPACE
from sensiview.datasets.text_stream import squeezed

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", WHITESPACE: "blanks"}
_LOOKED_AT = 300  # rows
_MOST_TITLES = 50  # lines above the table
_STYLES = (NumberStyle("."), NumberStyle(","))
_COMMENT = re.compile(r"\s*[#%]")


@dataclass(frozen=True)
class Dialect:
    """Delimiter, lines above the header, and whether the header is a comment (``# x,y``) above numbers."""

    delimiter: str
    skip_lines: int
    width: int
    commented_header: bool = False


@dataclass(frozen=True)
class _Try:
    delimiter: str
    rows: list[list[str]]
    line_after: list[int]  # physical lines up to the end of each row
    width: int
    share: float  # of the rows that have this width

    @property
    def score(self) -> float:
        """Even rows, numbers in the cells, no other delimiter left inside them."""
        cells = [cell for cell in islice(chain.from_iterable(self.rows), 5000) if cell.strip()]
        if self.width < 2 or not cells:
            return -1.0
        numbers = sum(_is_number(cell) for cell in cells)
        mixed = sum(any(other in cell for other in NAMES if other not in (self.delimiter, ",")) for cell in cells)
        return self.share + (numbers - mixed) / len(cells)


def find_dialect(head: Head, delimiter: str | None = None, quote: str = '"') -> Dialect:
    """Return how a text is divided; `width` is 1 when no delimiter divides it.

    Raises
    ------
    DataError
        A quoted field that never ends.
    """
    text = head.text
    lines = [line.strip("\r\n") for line in _first_lines(text)]
    above = 0
    if lines and re.fullmatch(r"sep=.", lines[0].strip()):
        # Excel's own hint, which only Excel hides.
        delimiter = delimiter or lines[0].strip()[-1]
        above = 1
    comments = 0
    while above + comments < len(lines) and _COMMENT.match(lines[above + comments]):
        comments += 1
    body = _after_lines(text, above + comments)
    tries = [_attempt(body, candidate, quote) for candidate in ([delimiter] if delimiter else [*NAMES])]
    best = max(tries[:4], key=lambda t: t.score)
    if delimiter is None and (best.width < 2 or best.share < 0.6) and tries[-1].score > best.score:
        best = tries[-1]
    titles = _titles(best)
    skip = above + comments + (best.line_after[titles - 1] if titles else 0)
    if comments and not titles and best.width > 1:
        # numpy and gnuplot write the header as the last comment.
        last = _attempt(lines[above + comments - 1].lstrip(" #%\t") + "\n", best.delimiter, quote).rows
        first = best.rows[0] if best.rows else []
        if last and len(last[0]) == best.width and all(_is_number(cell) for cell in first):
            return Dialect(best.delimiter, skip - 1, best.width, commented_header=True)
    return Dialect(best.delimiter, skip, best.width)


def _first_lines(text: str) -> list[str]:
    stream = io.StringIO(text, newline="")
    return [line for _, line in zip(range(_MOST_TITLES + 2), stream, strict=False)]


def _after_lines(text: str, count: int) -> str:
    stream = io.StringIO(text, newline="")
    for _ in range(count):
        stream.readline()
    return stream.read()


def _attempt(text: str, delimiter: str, quote: str) -> _Try:
    stream = io.StringIO(text, newline="")
    lines = (squeezed(line) for line in stream) if delimiter == WHITESPACE else stream
    found, reader = records(lines, " " if delimiter == WHITESPACE else delimiter, quote)
    rows: list[list[str]] = []
    ends: list[int] = []
    for row in found:
        rows.append(row)
        ends.append(int(reader.line_num))
        if len(rows) == _LOOKED_AT:
            break
    widths = Counter(len(row) for row in rows)
    # Of equally frequent widths the larger: a short file of titles above a table.
    width, count = max(widths.items(), key=lambda item: (item[1], item[0])) if widths else (0, 0)
    return _Try(delimiter, rows, ends, width, count / len(rows) if rows else 0.0)


def _titles(table: _Try) -> int:
    """Number of rows at the top that are narrower than the table: titles, units of a device's export."""
    if table.width < 2:
        return 0
    for place, row in enumerate(table.rows[:_MOST_TITLES]):
        if len(row) >= table.width or _is_short_header(row, table.rows[place + 1 : place + 3], table.width):
            return place
    return 0


def _is_short_header(row: list[str], below: list[list[str]], width: int) -> bool:
    """Whether a row has a name for every column but the first, as R writes it: names directly above data."""
    if len(row) != width - 1 or len(row) < 2 or not below or any(len(other) != width for other in below):
        return False
    return not any(_is_number(cell) for cell in row) and any(_is_number(cell) for cell in below[0])


def _is_number(cell: str) -> bool:
    return any(style.is_number(cell) for style in _STYLES)
