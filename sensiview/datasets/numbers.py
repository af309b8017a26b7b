"""Numbers as people write them in tables: decimal comma, thousands, Unicode minus; cell by cell or a column at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_MINUS = "\u2212"  # what word processors make of a minus
_BLANKS = " \u00a0\u2009\u202f"  # that group digits: space, no-break, thin, narrow no-break
_SIGN = f"[+{_MINUS}-]?"
_EXPONENT = rf"(?:[eE]{_SIGN}\d+)?"
_POINT = re.compile(
    rf"\s*(?:{_SIGN}(?:\d+\.?\d*|\.\d+){_EXPONENT}|{_SIGN}(?:inf|infinity|nan))\s*", re.IGNORECASE | re.ASCII
)
_COMMA = re.compile(rf"\s*{_SIGN}(?:\d+,\d*|,\d+){_EXPONENT}\s*")
_CLEARLY_POINT = re.compile(r"-?(?:0\.\d+|\d+\.(?:\d{1,2}|\d{4,}))")
# Digits in groups of three: group 1 the groups, group 2 the fraction. Also given to pyarrow: no Python-only syntax.
_GROUPED = {
    ",": _SIGN + r"\d{1,3}((?:,\d{3})+)(\.\d+)?",
    ".": _SIGN + r"\d{1,3}((?:\.\d{3})+)(,\d+)?",
    " ": _SIGN + rf"\d{{1,3}}((?:[{_BLANKS}]\d{{3}})+)([.,]\d+)?",
    "'": _SIGN + r"\d{1,3}((?:['’]\d{3})+)([.,]\d+)?",
}
_GROUPED_CELL = {sign: re.compile(rf"\s*{pattern}\s*") for sign, pattern in _GROUPED.items()}
_GROUP_SIGNS = {",": ",", ".": r"\.", " ": f"[{_BLANKS}]", "'": "['’]"}
# What pyarrow reads as a number once a cell is cleaned; everything else is text.
_ARROW_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$"


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: `decimal` is ``.`` or ``,``; `thousands` is empty or ``,`` ``.`` blank ``'``."""

    decimal: str = "."
    thousands: str = ""

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number in this style."""
        if self.decimal == "." and _POINT.fullmatch(cell):
            return True
        cell = cell.strip()
        if self.decimal == "." and _POINT.fullmatch(cell):
            return True
        if self.thousands in _GROUPED_CELL and (grouped := _GROUPED_CELL[self.thousands].fullmatch(cell)):
            return not grouped[2] or bool(grouped[2][0] == self.decimal)
        if self.decimal == ",":
            return _COMMA.fullmatch(cell) is not None or ("." not in cell and _POINT.fullmatch(cell) is not None)
        return False


@dataclass(frozen=True)
class StyleGuess:
    """The style that fits most cells; `unsure` is a cell such as ``1,234`` when only such cells decided."""

    style: NumberStyle
    unsure: str = ""


def guess_style(cells: Iterable[str], *, comma_separates: bool) -> StyleGuess:
    """Return how the numbers among these cells are written.

    Parameters
    ----------
    cells : iterable of str
        Cells of all columns; those that are no numbers do not matter.
    comma_separates : bool
        The file's delimiter is a comma: a comma inside a cell then rather groups thousands.
    """
    points = commas = 0  # cells in which it can only be the decimal separator
    grouped = dict.fromkeys(_GROUPED, 0)  # cells in which the sign can only group thousands
    either = {",": "", ".": ""}  # a cell such as 1,234
    for cell in cells:
        if _CLEARLY_POINT.fullmatch(cell):
            points += 1
            continue
        sign, found = _grouping(cell)
        if found is None:
            points += "." in cell and _POINT.fullmatch(cell) is not None
            commas += "," in cell and _COMMA.fullmatch(cell) is not None
        elif sign in either and not found[2] and found[1].count(sign) == 1:
            either[sign] = either[sign] or cell
        else:
            grouped[sign] += 1
            points += (found[2] or "").startswith(".")
            commas += (found[2] or "").startswith(",")
    unsure = ""
    if commas > points or (grouped["."] and not points):
        decimal = ","
    elif either[","] and not (points or grouped[","] or either["."] or comma_separates):
        decimal, unsure = ",", either[","]
    else:
        decimal = "."
    other = "," if decimal == "." else "."
    thousands = other if grouped[other] or either[other] else " " if grouped[" "] else "'" if grouped["'"] else ""
    return StyleGuess(NumberStyle(decimal, thousands), unsure)


def _grouping(cell: str) -> tuple[str, re.Match[str] | None]:
    """Return the sign that may group the digits of a cell, and how; 0,123 is a fraction and no group."""
    if cell.lstrip(f" +-{_MINUS}").startswith("0"):
        return "", None
    for sign, pattern in _GROUPED_CELL.items():
        if found := pattern.fullmatch(cell):
            return sign, found
    return "", None


def to_numbers(cells: pa.Array, style: NumberStyle, missing: pa.Array) -> tuple[Floats, Places]:
    """Turn a column of text into numbers.

    Parameters
    ----------
    cells : pyarrow string array (n,)
        Missing cells are null.
    style : NumberStyle
        How they are written.
    missing : pyarrow string array
        Words for missing values, looked for again once blanks around a cell are taken off.

    Returns
    -------
    values : ndarray, float64, (n,)
        Correctly rounded; NaN where missing or unreadable; infinite values stay.
    unreadable : ndarray, int64
        Places of the cells that are neither a number nor missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not style.thousands:
        try:
            plain = cells if style.decimal == "." else _with_points(cells)
            return _floats(pc.cast(plain, pa.float64())), np.empty(0, dtype=np.int64)
        except pa.ArrowInvalid:
            pass  # at least one cell needs cleaning, or is text
    cleaned = pc.utf8_trim_whitespace(cells)
    cleaned = pc.if_else(pc.is_in(cleaned, value_set=missing), pa.scalar(None, pa.string()), cleaned)
    if style.thousands in _GROUPED:
        grouped = pc.match_substring_regex(cleaned, f"^(?:{_GROUPED[style.thousands]})$")
        without = pc.replace_substring_regex(cleaned, _GROUP_SIGNS[style.thousands], "")
        cleaned = pc.if_else(grouped, without, cleaned)
    if style.decimal == ",":
        # A point that does not group digits is a mistake here: one decimal separator per file.
        cleaned = pc.if_else(pc.match_substring(cleaned, "."), "not a number", cleaned)
        cleaned = pc.replace_substring(cleaned, ",", ".")
    cleaned = pc.replace_substring(cleaned, _MINUS, "-")
    number = pc.match_substring_regex(cleaned, _ARROW_NUMBER)
    unreadable = np.flatnonzero(~np.asarray(pc.fill_null(number, True)))
    readable = pc.if_else(number, cleaned, pa.scalar(None, pa.string()))
    return _floats(pc.cast(readable, pa.float64())), unreadable.astype(np.int64)


def _with_points(cells: pa.Array) -> pa.Array:
    """Return numbers with a decimal comma as pyarrow reads them; what has a point already becomes no number."""
    import pyarrow.compute as pc

    pointed = pc.any(pc.match_substring(cells, ".")).as_py()
    return pc.replace_substring(cells, "." if pointed else ",", "x" if pointed else ".")


def _floats(numbers: Any) -> Floats:
    values: Floats = numbers.to_numpy(zero_copy_only=False)
    return values
