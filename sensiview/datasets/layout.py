"""How rows of text are to be understood: header, names of rows, decimal sign, missing values, kinds of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sensiview.datasets.columns import kind_of
from sensiview.datasets.numbers import NumberStyle, guess_style
from sensiview.datasets.options import MISSING, PERHAPS_MISSING, ColumnKind, shortened

Cells = Sequence[str | None]
CHECKED_CELLS = 200_000
_INDEX_NAMES = frozenset(("", "unnamed: 0", "index", "rownames", "row.names", "row_names"))


@dataclass(frozen=True)
class Layout:
    """What was found; `kinds` names only columns that are not plain numbers, by place."""

    header: bool
    has_index: bool
    style: NumberStyle
    missing_values: tuple[str, ...]
    kinds: dict[int, ColumnKind]
    sentences: tuple[str, ...]


def understand_rows(
    rows: Sequence[Cells],
    *,
    comma_separates: bool,
    style: NumberStyle | None = None,
    header: bool | None = None,
    missing_values: Sequence[str] | None = None,
) -> Layout:
    """Look at the first rows of a table.

    Parameters
    ----------
    rows : sequence of rows of cells
        With the header, if there is one. Rows may be one longer than the header.
    comma_separates : bool
        The delimiter is a comma.
    style, header, missing_values
        What the user has fixed already; None is found out.
    """
    # The usual width: single uneven rows are reported when all is read.
    widths = Counter(len(row) for row in (rows[1:] or rows))
    width = max(widths, key=lambda w: (widths[w], w))
    missing = tuple(MISSING if missing_values is None else missing_values)
    shown = rows[: max(20, CHECKED_CELLS // max(1, width))]
    body = _columns(shown[1:] or shown, width, frozenset(missing))
    sentences: list[str] = []
    if style is None:
        guess = guess_style((cell for column in body for cell in column), comma_separates=comma_separates)
        style = guess.style
        sentences += _about_style(style, guess.unsure)
    if header is None:
        header = _has_header(shown, body, style)
        if not header:
            sentences.append("No header was found: the first line is data, the columns are numbered.")
    names = [cell or "" for cell in shown[0]] if header else []
    if not header:
        body = _columns(shown, width, frozenset(missing))
    has_index, why = _index(names, body, width)
    if has_index:
        sentences.append(f"The first column only {why} the rows; it is left out.")
    kinds: dict[int, ColumnKind] = {}
    extra: Counter[str] = Counter()
    for i, column in enumerate(body):
        if i == 0 and has_index:
            continue
        kind = kind_of((cell for cell in column if cell.lower() not in PERHAPS_MISSING), style)
        if kind == "number":
            words = [cell for cell in column if not style.is_number(cell)]
            extra.update(word for word in words if word.lower() in PERHAPS_MISSING and missing_values is None)
        else:
            kinds[i] = kind
    if extra:
        found = ", ".join(f"'{word}' ({count})" for word, count in sorted(extra.items()))
        sentences.append(f"Read as missing values in columns of numbers: {found}.")
        missing = (*missing, *extra)
    return Layout(header, has_index, style, missing, kinds, tuple(sentences))


def unreadable_cells(
    rows: Sequence[Cells], numbers: Sequence[tuple[int, str]], style: NumberStyle, missing: Sequence[str]
) -> list[str]:
    """Return a sentence for each of these number columns (place, name) in which some cells are not numbers."""
    known = frozenset(missing)
    found = []
    for place, name in numbers:
        column = [row[place] for row in rows if place < len(row)]
        bad = [c for c in column if c is not None and c.strip() not in known and not style.is_number(c)]
        if bad:
            count = "one cell" if len(bad) == 1 else f"{len(bad)} cells"
            found.append(
                f"Column '{name}' holds numbers, but {count} can't be read ({shortened(bad[0])}): choose missing, or "
                "read the column as text."
            )
    return found


def _columns(rows: Sequence[Cells], width: int, missing: frozenset[str]) -> list[list[str]]:
    """Return the cells of each column that are not missing, without blanks around them."""
    columns: list[list[str]] = [[] for _ in range(width)]
    for row in rows:
        for column, cell in zip(columns, row, strict=False):
            if cell is not None and (stripped := cell.strip()) not in missing:
                column.append(stripped)
    return columns


def _has_header(rows: Sequence[Cells], body: list[list[str]], style: NumberStyle) -> bool:
    """Whether the first row names the columns: it has text above numbers, or nothing is a number anywhere."""
    first = [(cell or "").strip() for cell in rows[0]]
    if len(rows) < 2:
        return not any(style.is_number(cell) for cell in first)
    numeric = [i for i, column in enumerate(body) if kind_of(column, style) == "number" and i < len(first)]
    if not numeric:
        # Only text: a header repeats nothing.
        return len(set(first)) == len(first) and all(first)
    above = [first[i] for i in numeric if first[i]]
    numbers = [cell for cell in above if style.is_number(cell)]
    if len(numbers) <= len(above) // 2:
        return True
    # Names that are numbers themselves, wavelengths or years: evenly rising.
    if len(numbers) >= 4 and all(cell.isdigit() for cell in numbers):
        values = [int(cell) for cell in numbers]
        steps = {later - earlier for earlier, later in pairwise(values)}
        return len(steps) == 1 and steps.pop() > 0
    return False


def _index(names: list[str], body: list[list[str]], width: int) -> tuple[bool, str]:
    """Whether the first column only numbers or names the rows, and which of the two."""
    if width < 3 and len(names) == width:
        return False, ""
    column = body[0]
    counts = [str(i) for i in range(len(column) + 1)]
    counting = column in (counts[:-1], counts[1:])
    if names and len(names) == width - 1:
        return (False, "") if not body[-1] else (True, "numbers" if counting else "names")
    if not names or names[0].strip().lower() not in _INDEX_NAMES or not column:
        return False, ""
    named = not names[0].strip() and len(set(column)) == len(column) and all(names[1:])
    return counting or named, "numbers" if counting else "names"


def _about_style(style: NumberStyle, unsure: str) -> list[str]:
    said = []
    if style.decimal == ",":
        said.append("Numbers are written with a decimal comma (1,5).")
    if style.thousands:
        written = {" ": "a blank", "'": "an apostrophe", ",": "a comma", ".": "a point"}[style.thousands]
        said.append(f"Thousands are grouped with {written}.")
    if unsure:
        said.append(f"'{unsure}' is read with a decimal comma; choose thousands if it means a whole number.")
    return said
