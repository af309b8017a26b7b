"""Result tables as a report shows them: few digits, value and uncertainty in one cell, the largest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import IndexTable, Item, Matrix
from sensiview.reporting.wording import fixed, number, places_for, places_of_uncertainty, uncertain

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 40
_MOST_COLUMNS = 12
_MOST_OF_MATRIX = 12
_MOST_REMARKS = 12
_MOST_BARS = 30
_LONGEST_UNIT = 8
_PLACE, _ORDER = "\0place", "\0order"
_RANK = "rank"


@dataclass(frozen=True)
class ReportTable:
    """Texts in rows.

    `left` says which columns are words, `caption` what holds for all rows, `note` what is not shown, and
    `remarks` are sentences to stand below.
    """

    header: tuple[str, ...]
    left: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    note: str = ""
    remarks: tuple[str, ...] = ()


def report_table(item: Item) -> ReportTable | None:
    """Return an item's table, or None for one that is better seen than read (curves, maps, large matrices)."""
    if isinstance(item, IndexTable):
        return _of_table(item)
    if isinstance(item, Matrix) and max(item.values.shape, default=0) <= _MOST_COLUMNS:
        header = (f"{item.row_axis} \\ {item.column_axis}", *item.columns)
        rows = [
            (label, *(number(value, 3) for value in row)) for label, row in zip(item.rows, item.values, strict=True)
        ]
        return ReportTable(header, (True, *[False] * len(item.columns)), tuple(rows))
    return None


def for_figure(item: Item) -> tuple[Item, str]:
    """Return an item as it fits on a page: of bars over many names the largest, and the sentence that says so."""
    if not isinstance(item, IndexTable) or item.plot != "bars" or not item.keys or not item.values:
        return item, ""
    names = item.frame[item.keys[-1]]
    total = names.nunique()
    if total <= _MOST_BARS:
        return item, ""
    largest = item.frame[item.values[0]].abs().groupby(names, sort=False).max().nlargest(_MOST_BARS).index
    rows = [int(row) for row in names.isin(largest).to_numpy().nonzero()[0]]
    place = {row: number for number, row in enumerate(rows)}
    kept = tuple(replace(remark, row=place[remark.row]) for remark in item.remarks if remark.row in place)
    note = f"The figure shows the {_MOST_BARS} largest of {total:,} by {item.values[0]}."
    return replace(item, frame=item.frame.iloc[rows].reset_index(drop=True), remarks=kept), note


def _of_table(item: IndexTable) -> ReportTable:
    frame, note = _ordered(item)
    # A key that never changes is said once, above the table.
    constant = {
        key: str(item.frame[key].iloc[0])
        for key in item.keys
        if len(item.keys) > 1 and key in item.frame and item.frame[key].nunique(dropna=False) == 1
    }
    caption = [f"{key}: {value}" for key, value in constant.items()]
    long_units: dict[str, list[str]] = {}
    for name, unit in item.units.items():
        if len(unit) > _LONGEST_UNIT and name in item.values:
            long_units.setdefault(unit, []).append(name)
    caption += [f"{', '.join(names)} in {unit}" for unit, names in long_units.items()]
    columns = [column for column in _columns(item) if column.heading not in constant]
    if len(columns) > _MOST_COLUMNS:
        note = f"{note} Not all columns are shown.".strip()
        columns = columns[:_MOST_COLUMNS]
    remarks = list(dict.fromkeys(remark.sentence for remark in item.remarks))
    more = [f"{len(remarks) - _MOST_REMARKS} more remarks."] if len(remarks) > _MOST_REMARKS + 1 else []
    return ReportTable(
        caption=". ".join(caption),
        header=tuple(column.heading for column in columns),
        left=tuple(column.words for column in columns),
        rows=tuple(
            tuple(column.text({str(k): v for k, v in record.items()}) for column in columns)
            for record in frame.to_dict("records")
        ),
        note=note,
        remarks=(*remarks[: _MOST_REMARKS + (not more)], *more),
    )


def _ordered(item: IndexTable) -> tuple[pd.DataFrame, str]:
    """Return the rows to show, and a sentence when some are left out.

    Bars: by rank where there is one, else the largest last value first, within each group; what has no rank (0: outside
    all regions) comes last. A screening: the largest mu_star first, within each group. A matrix: the largest numbers
    only, since its heat map shows all. Other tables keep their order.
    """
    frame = item.frame.reset_index(drop=True)
    total = len(frame)
    if item.plot == "matrix" and item.values:
        strongest = frame[item.values[0]].abs().sort_values(ascending=False, kind="stable").index[:_MOST_OF_MATRIX]
        note = (
            f"The {_MOST_OF_MATRIX} largest of {total:,}; all are in the CSV export." if total > len(strongest) else ""
        )
        return frame.loc[strongest], note
    if item.plot in ("bars", "screening") and item.values and item.keys:
        leading = item.values[0] if item.plot == "screening" else item.values[-1]
        place = frame.groupby(list(item.keys[:-1]), sort=False, dropna=False).ngroup() if item.keys[:-1] else 0
        ranked = _RANK in frame and frame[_RANK].dtype.kind in "iuf"
        order = frame[_RANK].where(frame[_RANK] > 0) if ranked else -frame[leading]
        frame = frame.assign(**{_PLACE: place, _ORDER: order})
        frame = frame.sort_values([_PLACE, _ORDER], kind="stable", na_position="last").drop(columns=[_PLACE, _ORDER])
    note = f"The first {_MOST_ROWS} of {total:,} rows; all of them are in the CSV export." if total > _MOST_ROWS else ""
    return frame.head(_MOST_ROWS), note


@dataclass(frozen=True)
class _Column:
    heading: str
    text: Callable[[Mapping[str, Any]], str]
    words: bool = False


def _columns(item: IndexTable) -> list[_Column]:
    """Return keys, values with their uncertainty, then what is left; columns that are shown within others go."""
    present = [str(name) for name in item.frame.columns]
    shown = {name for interval in item.intervals.values() for name in (interval.half, interval.low, interval.high)}
    columns = [_words(key) for key in item.keys if key in present]
    for name in item.values:
        if name in present:
            columns += _with_uncertainty(item, name, present)
    shown |= {*item.keys, *item.values}
    for name in present:
        if name not in shown:
            numeric = item.frame[name].dtype.kind in "iuf"
            columns.append(_plain(name, name, item.frame[name]) if numeric else _words(name))
    return columns


def _with_uncertainty(item: IndexTable, name: str, present: list[str]) -> list[_Column]:
    unit, interval, values = item.units.get(name, ""), item.intervals.get(name), item.frame[name]
    heading = f"{name} ({unit})" if unit and len(unit) <= _LONGEST_UNIT else name
    if interval is None or values.dtype.kind not in "iuf":
        return [_plain(name, heading, values)]
    # One decimal more than the largest value needs: what is smaller still does not count beside it.
    most = places_for(_largest(values), 4)
    half, low, high = interval.half, interval.low, interval.high
    columns = [_plain(name, heading, values)]
    if half in present:
        columns = [_Column(heading, lambda record: uncertain(record[name], record[half], most))]
    if low in present and high in present:
        columns.append(_Column(f"{name} interval", lambda record: _between(record[low], record[high], most)))
    return columns


def _between(low: Any, high: Any, most: int | None) -> str:
    places = places_of_uncertainty((high - low) / 2, most)
    return f"{fixed(low, places)} to {fixed(high, places)}"


def _words(name: str) -> _Column:
    return _Column(name, lambda record: str(record[name]), words=True)


def _plain(name: str, heading: str, values: pd.Series[Any]) -> _Column:
    if values.dtype.kind != "f":
        return _Column(heading, lambda record: number(record[name]))
    places = places_for(_largest(values))
    return _Column(heading, lambda record: fixed(record[name], places))


def _largest(values: pd.Series[Any]) -> float:
    found = float(values.abs().max())
    return 0.0 if math.isnan(found) else found
