"""Selections of rows as people write them: ``all``, ``0-499``, ``0-499,600,700-767``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import UserError

Rows = npt.NDArray[np.int64]
_PART = re.compile(r"(\d+)(?:\s*[-–]\s*(\d*))?")  # an en dash comes from word processors


def parse_rows(selection: str | int | Iterable[int] | None, n_rows: int) -> Rows:
    """Return the chosen rows of a table, counted from 0, each once, in the order in which they are named.

    Parameters
    ----------
    selection : str, int, iterable of int, or None
        ``"all"`` (also empty or None), numbers and ranges separated by commas with both ends included
        (``"0-499,600,700-"``; an open end is the last row), a list of numbers, or an array of True and False
        with one entry per row.
    n_rows : int
        Rows of the table.

    Returns
    -------
    ndarray, int64, shape (n,)
        Never empty.

    Raises
    ------
    UserError
        The selection can't be read, names a row that is not there, or is empty.
    """
    if n_rows < 1:
        raise UserError("The table has no rows to choose from.")
    if selection is None:
        return np.arange(n_rows, dtype=np.int64)
    if isinstance(selection, str):
        return _from_text(selection, n_rows)
    return _from_numbers(selection, n_rows)


def rows_problem(selection: str | int | Iterable[int] | None, n_rows: int) -> str:
    """Return the sentence that `parse_rows` would raise, or an empty text: for checks while a form is filled in."""
    try:
        parse_rows(selection, n_rows)
    except UserError as error:
        return error.sentence
    return ""


def rows_text(rows: Iterable[int]) -> str:
    """Return rows as a short text that `parse_rows` reads back: ``0-499,600``."""
    numbers = np.asarray(list(rows) if not isinstance(rows, np.ndarray) else rows, dtype=np.int64)
    if numbers.size == 0:
        return ""
    ends = np.flatnonzero(np.diff(numbers) != 1)
    firsts = numbers[np.concatenate(([0], ends + 1))].tolist()
    lasts = numbers[np.concatenate((ends, [numbers.size - 1]))].tolist()
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in zip(firsts, lasts, strict=True)
    )


def _from_text(text: str, n_rows: int) -> Rows:
    stripped = text.strip()
    if stripped.lower() in ("", "all", "*"):
        return np.arange(n_rows, dtype=np.int64)
    parts = []
    for part in re.split("[,;]", stripped):
        if not part.strip():
            continue
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise UserError(
                f"'{part.strip()}' is not a selection of rows. Write all, or numbers and ranges such as "
                "0-499,600,700-767, counted from 0 with both ends included."
            )
        first = int(found[1])
        last = first if found[2] is None else n_rows - 1 if found[2] == "" else int(found[2])
        if last < first and found[2] != "":
            raise UserError(f"The rows {first}-{last} run backwards. Write {last}-{first}.")
        _check(max(first, last), n_rows)
        parts.append(np.arange(first, last + 1, dtype=np.int64))
    if not parts:
        raise UserError("The selection names no rows. Write all, or for instance 0-499.")
    return _each_once(np.concatenate(parts))


def _from_numbers(selection: int | Iterable[int], n_rows: int) -> Rows:
    given: list[Any] | npt.NDArray[Any]
    if isinstance(selection, np.ndarray):
        given = selection
    else:
        given = list(selection) if isinstance(selection, Iterable) else [selection]
    if isinstance(given, list) and any(isinstance(value, str) for value in given):
        # What a command line makes of rows=0-499,600: a list with texts in it.
        return _from_text(",".join(str(value) for value in given), n_rows)
    try:
        values = np.asarray(given)
    except ValueError:  # a ragged list of lists
        values = np.array([None])
    if values.dtype.kind == "b" and values.shape == (n_rows,):
        values = np.flatnonzero(values)
    if values.size == 0:
        raise UserError("The selection of rows is empty. Choose at least one row, or all.")
    if (
        values.ndim != 1
        or values.dtype.kind not in "iuf"
        or not np.all(np.isfinite(values) & (values == np.trunc(values)))
    ):
        raise UserError("Rows are chosen by whole numbers, counted from 0, by ranges such as 0-499, or by all.")
    _check(int(values.max()), n_rows)
    if values.min() < 0:
        raise UserError(f"There is no row {int(values.min())}: the rows are numbered 0-{n_rows - 1}.")
    return _each_once(values.astype(np.int64))


def _check(row: int, n_rows: int) -> None:
    if row >= n_rows:
        raise UserError(f"There is no row {row}: the table has {n_rows:,} rows, numbered 0-{n_rows - 1}.")


def _each_once(numbers: Rows) -> Rows:
    _, first_places = np.unique(numbers, return_index=True)
    return numbers if first_places.size == numbers.size else numbers[np.sort(first_places)]
