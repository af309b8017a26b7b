"""Result tables as a report shows them: few digits, value and uncertainty in one cell, the largest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import IndexTable, Interval, Item, Matrix
from sensiview.reporting.wording import number, uncertain

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 40
_MOST_COLUMNS = 12


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


def _of_table(item: IndexTable) -> ReportTable:
    frame = _ordered(item)
    # A key that never changes is said once, above the table.
    constant = {
        key: str(item.frame[key].iloc[0])
        for key in item.keys
        if len(item.keys) > 1 and key in item.frame and item.frame[key].nunique(dropna=False) == 1
    }
    note = ""
    if len(frame) > _MOST_ROWS:
        note = f"The first {_MOST_ROWS} of {len(frame):,} rows; all of them are in the CSV export."
    columns = [column for column in _columns(item) if column.heading not in constant]
    if len(columns) > _MOST_COLUMNS:
        note = f"{note} Not all columns are shown.".strip()
        columns = columns[:_MOST_COLUMNS]
    records = [{str(k): v for k, v in row.items()} for row in frame.head(_MOST_ROWS).to_dict("records")]
    return ReportTable(
        caption=", ".join(f"{key}: {value}" for key, value in constant.items()),
        header=tuple(column.heading for column in columns),
        left=tuple(column.words for column in columns),
        rows=tuple(tuple(column.text(record) for column in columns) for record in records),
        note=note,
        remarks=tuple(dict.fromkeys(remark.sentence for remark in item.remarks))[:_MOST_COLUMNS],
    )


def _ordered(item: IndexTable) -> pd.DataFrame:
    """Return the rows, for bars the largest last value first within each group; other tables keep their order."""
    if item.plot != "bars" or not item.values or not item.keys:
        return item.frame
    groups, value = list(item.keys[:-1]), item.values[-1]
    frame = item.frame.reset_index(drop=True)
    if not groups:
        return frame.sort_values(value, ascending=False, kind="stable")
    place = frame.groupby(groups, sort=False, dropna=False).ngroup()
    order = frame.assign(**{"\0place": place}).sort_values(
        ["\0place", value], ascending=[True, False], kind="stable", na_position="last"
    )
    return order.drop(columns="\0place")


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
            columns += _with_uncertainty(name, item.units.get(name, ""), item.intervals.get(name), present)
    shown |= {*item.keys, *item.values}
    for name in present:
        if name not in shown:
            columns.append(_number(name) if item.frame[name].dtype.kind in "iuf" else _words(name))
    return columns


def _with_uncertainty(name: str, unit: str, interval: Interval | None, present: list[str]) -> list[_Column]:
    heading = f"{name} ({unit})" if unit else name
    if interval is None or interval.half not in present:
        columns = [_number(name, heading)]
    else:
        half = interval.half
        columns = [_Column(heading, lambda record: uncertain(record[name], record[half]))]
    if interval is not None and interval.low in present and interval.high in present:
        low, high = interval.low, interval.high
        between = _Column(f"{name} interval", lambda record: f"{number(record[low], 3)} to {number(record[high], 3)}")
        columns.append(between)
    return columns


def _words(name: str) -> _Column:
    return _Column(name, lambda record: str(record[name]), words=True)


def _number(name: str, heading: str = "") -> _Column:
    return _Column(heading or name, lambda record: number(record[name], 3))
