"""Rows of a data frame for a table view: nothing is copied, formatted or sorted before it is asked for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from sensiview.analysis.items import Array, Remark
from sensiview.gui.natural_order import natural
from sensiview.gui.number_text import aligned, decimals_for, full, short
from sensiview.gui.themes import theme

if TYPE_CHECKING:
    import pandas as pd

_Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_NATURAL_UP_TO = 20_000  # natural sorting of names is done in Python
_COMPARISON = re.compile(r"^\s*(?P<name>.+?)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<number>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_SIGNS: Mapping[str, Callable[[Array, float], Array]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip


class FrameModel(QAbstractTableModel):
    """A read-only table of a data frame with sorting and filtering by position.

    Parameters
    ----------
    units : mapping
        Unit by column, shown in the header.
    remarks : sequence of Remark
        Sentences on single cells; `Remark.row` counts the frame's rows from 0.
    align : bool
        Write the numbers of a column with the same decimals, for columns whose numbers are of one kind.
    decorate : callable, optional
        The frame's row to a picture that stands in the first column; None where there is none (yet).
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        units: Mapping[str, str] | None = None,
        remarks: Sequence[Remark] = (),
        align: bool = False,
        decorate: Callable[[int], Any] | None = None,
    ) -> None:
        super().__init__()
        self._align = align
        self._decorate = decorate
        self._frame = frame
        self._units = dict(units or {})
        self._columns: dict[int, Array] = {}
        self._decimals: dict[int, int | None] = {}
        self._names = [str(name) for name in frame.columns]
        self._remarks: dict[tuple[int, str], list[str]] = {}
        self._mark(remarks)
        self._filter = ""
        self._sorted: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)
        self._order: Array = np.arange(len(frame))

    @property
    def names(self) -> list[str]:
        """Column names."""
        return list(self._names)

    def rowCount(self, parent: _Index = _NONE) -> int:
        """Return the number of rows that the filter lets through."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = _NONE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._names)

    def total(self) -> int:
        """Return the number of rows without filter."""
        return len(self._frame)

    def shown_row(self, source_row: int) -> int:
        """Return where a row of the frame is shown; -1 when the filter hides it."""
        found = np.flatnonzero(self._order == source_row)
        return int(found[0]) if found.size else -1

    def source_row(self, row: int) -> int:
        """Return the frame's row that is shown at `row`."""
        return int(self._order[row])

    def value(self, row: int, column: int) -> Any:
        """Return the number or text shown at a place, not formatted."""
        return self.column(column)[self._order[row]]

    def column(self, column: int) -> Array:
        """Return a column's values in the frame's order."""
        if column not in self._columns:
            self._columns[column] = self._frame.iloc[:, column].to_numpy()
        return self._columns[column]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a view asks for at one cell."""
        if not index.isValid():
            return None
        row, column = self.source_row(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == 0 and self._decorate is not None:
            return self._decorate(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [full(_plain(self.column(column)[row])), *self._remarks.get((row, self._names[column]), [])]
            return "\n".join(line for line in lines if line)
        if role == Qt.ItemDataRole.TextAlignmentRole and self.is_numeric(column):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and (row, self._names[column]) in self._remarks:
            return QColor(theme().warning)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name with its unit, or a row's number."""
        if orientation == Qt.Orientation.Vertical:
            return str(self.source_row(section)) if role == Qt.ItemDataRole.DisplayRole else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            unit = self._units.get(self._names[section], "")
            return f"{self._names[section]} ({unit})" if unit and unit != "1" else self._names[section]
        return None

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers."""
        return self.column(column).dtype.kind in "iufb"

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, missing values last; -1 is the frame's own order."""
        self._sorted = (column, order)
        self._arrange()

    def sorted_by(self) -> tuple[int, Qt.SortOrder]:
        """Return column and direction of the present order."""
        return self._sorted

    def filter(self, text: str) -> None:
        """Keep rows that contain `text`, or fulfil a comparison such as ``Glucose > 120``."""
        self._filter = text.strip()
        self._arrange()

    def refresh_values(self, remarks: Sequence[Remark]) -> None:
        """Show what the frame holds by now; rows stay where they are until they are sorted or filtered again."""
        self._columns.clear()
        self._decimals.clear()
        self._remarks.clear()
        self._mark(remarks)
        self.refresh_colours()

    def refresh_source_row(self, source_row: int) -> None:
        """Ask views to draw one row of the frame again."""
        row = self.shown_row(source_row)
        if row >= 0:
            self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))

    def refresh_colours(self) -> None:
        """Ask views to draw again, in another theme's colours."""
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def _mark(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            self._remarks.setdefault((remark.row, remark.column), []).append(remark.sentence)

    def _text(self, row: int, column: int) -> str:
        values = self.column(column)
        if not self._align or values.dtype.kind != "f":
            return short(_plain(values[row]))
        if column not in self._decimals:
            self._decimals[column] = decimals_for(values)
        return aligned(float(values[row]), self._decimals[column])

    def _arrange(self) -> None:
        self.beginResetModel()
        rows = np.flatnonzero(self._kept()) if self._filter else np.arange(len(self._frame))
        column, order = self._sorted
        if 0 <= column < len(self._names):
            rows = rows[_sorting(self.column(column)[rows], descending=order == Qt.SortOrder.DescendingOrder)]
        self._order = rows
        self.endResetModel()

    def _kept(self) -> Array:
        """Return which rows pass the filter."""
        comparison = _COMPARISON.match(self._filter)
        if comparison is not None and comparison["name"] in self._names:
            column = self._names.index(comparison["name"])
            if self.is_numeric(column):
                kept: Array = _SIGNS[comparison["sign"]](self.column(column), float(comparison["number"]))
                return kept
        wanted = self._filter.casefold()
        found = np.zeros(len(self._frame), dtype=bool)
        for column in range(len(self._names)):
            values = self.column(column)
            if values.dtype.kind == "f":
                continue  # nobody looks for the text of a rounded number; comparisons find numbers
            texts = ("" if _plain(value) is None else str(value).casefold() for value in values)
            found |= np.fromiter((wanted in text for text in texts), dtype=bool, count=len(values))
        return found


def _sorting(values: Array, *, descending: bool) -> Array:
    """Return the stable order of values; missing ones come last in both directions."""
    if values.dtype.kind in "iufb":
        numbers = values.astype(np.float64)
        keys = np.where(np.isnan(numbers), np.inf, -numbers if descending else numbers)
        return np.argsort(keys, kind="stable")
    missing = np.array([value is None or value != value for value in values], dtype=bool)  # NaN differs from itself
    texts = [str(value) for value in values]
    keys_by_row: list[Any] = [natural(text) for text in texts] if len(texts) <= _NATURAL_UP_TO else texts
    present = sorted(np.flatnonzero(~missing).tolist(), key=lambda row: keys_by_row[row], reverse=descending)
    return np.array([*present, *np.flatnonzero(missing)], dtype=int)


def _plain(value: Any) -> Any:
    """Return None for every kind of missing value in a column of objects."""
    if value is None or (not isinstance(value, str) and value != value):
        return None
    return value
