"""Choosing some of many: ``all``, numbers, ranges, names, or ``column=value``. One grammar for volumes and images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import UserError, suggestion

if TYPE_CHECKING:
    import pandas as pd


def select_places(
    wanted: str | Sequence[int | str],
    *,
    names: Sequence[str],
    groups: Sequence[str],
    table: pd.DataFrame,
    owner: str,
    what: str,
) -> npt.NDArray[np.int64]:
    """Return places, ascending, without repeats.

    Parameters
    ----------
    wanted : str or sequence
        ``all``; numbers from 0 and ranges, ``0-4,9``; names or groups (subjects); ``column=value`` for all whose row
        says so (``diagnosis=AD``); parts separated by commas. Names and values may hold commas themselves.
    names, groups : sequence of str
        Of each place.
    table : DataFrame
        One row per place.
    owner : str
        Name of the data set, for messages.
    what : str
        ``volume`` or ``image``, for messages.

    Raises
    ------
    UserError
        Nothing of that name, out of range, or nothing left.
    """
    written = wanted if isinstance(wanted, str) else ",".join(str(part) for part in wanted)
    cells = (
        f"{column}={class_name(cell)}"
        for column in table.columns
        if "," in written and f"{column}=" in written
        for cell in table[column].unique()
    )
    chooser = _Chooser(names, groups, table, owner, what)
    places: set[int] = set()
    for part in selection_parts(wanted, chain(names, groups, cells)):
        places.update(chooser.places(part))
    if not places:
        raise UserError(f"No {what} is chosen. Write 'all', numbers such as 0-4, or names.")
    return np.array(sorted(places), dtype=np.int64)


def selection_parts(wanted: str | Sequence[int | str], known: Iterable[str]) -> list[int | str]:
    """Return the parts of a selection that commas separate; those that make up a name with commas in it stay together.

    Parameters
    ----------
    wanted : str or sequence
        As `select_places` takes it; a list may be a text that was cut at its commas.
    known : iterable of str
        Names, and ``column=value`` with the values that occur.
    """
    pieces: list[int | str] = []
    pieces.extend((part.strip() for part in wanted.split(",")) if isinstance(wanted, str) else wanted)
    if len(pieces) < 2:
        return pieces
    whole = {",".join(part.strip() for part in name.split(",")): name for name in known if "," in name}
    if not whole:
        return pieces
    longest = max(name.count(",") + 1 for name in whole)
    parts: list[int | str] = []
    at = 0
    while at < len(pieces):
        runs = (pieces[at : at + length] for length in range(longest, 1, -1))
        run = next((run for run in runs if len(run) > 1 and ",".join(map(str, run)) in whole), pieces[at : at + 1])
        parts.append(run[0] if len(run) == 1 else whole[",".join(map(str, run))])
        at += len(run)
    return parts


class _Chooser:
    def __init__(self, names: Sequence[str], groups: Sequence[str], table: pd.DataFrame, owner: str, what: str) -> None:
        self._names, self._groups, self._table, self._owner, self._what = names, groups, table, owner, what

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """Places by name and by group: thousands of names are looked up at once."""
        found: dict[str, list[int]] = {}
        for place, pair in enumerate(zip(self._names, self._groups, strict=True)):
            for name in set(pair):
                found.setdefault(name, []).append(place)
        return found

    def places(self, part: int | str) -> Sequence[int]:
        if isinstance(part, int):
            return [self._checked(part)]
        if not part or part.lower() == "all":
            return range(len(self._names)) if part else []
        if part in self._named:
            return self._named[part]
        column, equals, value = part.partition("=")
        if equals:
            if column not in self._table.columns:
                raise UserError(f"There is no column '{column}'.{suggestion(column, list(self._table.columns))}")
            return [i for i, cell in enumerate(self._table[column]) if class_name(cell) == value]
        first, dash, last = part.partition("-")
        if first.isdecimal() and (not dash or last.isdecimal()):
            low, high = int(first), int(last or first)
            if low > high:
                raise UserError(f"The range {part} runs backwards. Write {high}-{low}.")
            return range(self._checked(low), self._checked(high) + 1)
        kinds = "volume or subject" if self._what == "volume" else self._what
        raise UserError(f"There is no {kinds} '{part}'.{suggestion(part, list(self._names))}")

    def _checked(self, place: int) -> int:
        count = len(self._names)
        if not 0 <= place < count:
            raise UserError(f"There is no {self._what} {place}: '{self._owner}' has {count}, 0 to {count - 1}.")
        return place


def class_name(value: Any) -> str:
    """Return a cell of the target column as the name of its class; empty where missing. 1.0 is the class "1"."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
