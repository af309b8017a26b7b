"""What people write into fields, read as numbers and lists."""

from __future__ import annotations

import csv
import io


class FieldProblem(ValueError):
    """What stands in the editor can't be read; the sentence says what would be right."""


def read_number(text: str) -> float:
    """Return a number written with decimal point or comma; raises `FieldProblem`."""
    cleaned = text.strip().replace("−", "-").replace("\u2009", "")
    if "," in cleaned and "." not in cleaned:
        cleaned = cleaned.replace(",", ".")
    try:
        return float(cleaned)
    except ValueError:
        raise FieldProblem("Write a number, such as 0.95 or 1e-3." if cleaned else "Write a number here.") from None


def read_list(text: str) -> list[str]:
    """Return the parts between commas; a name with a comma is written in quotes."""
    if not text.strip():
        return []
    row = next(csv.reader(io.StringIO(text), skipinitialspace=True), [])
    return [part.strip() for part in row if part.strip()]


def write_list(parts: list[str]) -> str:
    """Return what `read_list` reads back."""
    return ", ".join(_quoted(part) if any(c in part for c in ',"') or part != part.strip() else part for part in parts)


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"'
