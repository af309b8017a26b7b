"""Second-order indices and other matrices as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from sensiview.analysis.items import Array, IndexTable, Interval, Item, Matrix
from sensiview.gui.natural_order import natural
from sensiview.gui.number_text import short, with_half_width, with_unit_behind
from sensiview.gui.plots.arrangement import remarks_by_place, title_of, with_unit
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import pen
from sensiview.gui.plots.heat_map import draw_heat_map
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend

_LARGEST = "largest"
_MARKS = {"includes_zero": "interval includes 0", "n_too_small": "N too small"}


@dataclass(frozen=True)
class _Cells:
    """What is drawn: `values` (rows, columns), the table's row behind each cell (-1 without) and its names."""

    values: Array
    source: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    value: str
    unit: str
    signed: bool
    row_axis: str = ""
    column_axis: str = ""
    symmetric: bool = False
    marked: dict[tuple[int, int], str] = field(default_factory=dict)


class MatrixPlot(ItemPlot):
    """Heat map of a matrix, or of a table whose last two keys span one."""

    hint = "Point at a cell, or use the arrow keys, to read its value."

    def names_of(self, index: int) -> tuple[str, str]:
        """Return the names of the row and the column of a cell."""
        row, column = divmod(index, len(self._cells.columns))
        return self._cells.rows[row], self._cells.columns[column]

    def set_item(self, item: Item) -> None:
        """Show another matrix of the same kind."""
        assert isinstance(item, IndexTable | Matrix)
        self._panel_names = _panels(item) if isinstance(item, IndexTable) else [""]
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer the output, the value and the order."""
        offered = []
        if isinstance(self.item, IndexTable):
            if len(self._panel_names) > 1:
                label = title_of(", ".join(self.item.keys[:-2])).capitalize()
                offered.append(Chooser("output", label, tuple((p, p) for p in self._panel_names)))
            if len(self.item.values) > 1:
                offered.append(Chooser("value", "Value", tuple((v, title_of(v)) for v in self.item.values)))
        options = (("", "As in the data"), ("name", "By name"), (_LARGEST, "Largest first"))
        return [*offered, Chooser("sort", "Order", options)]

    def build(self) -> None:
        """Draw the cells of the chosen output."""
        if isinstance(self.item, IndexTable):
            value = self.chosen("value") or self.item.values[0]
            cells = _from_table(self.item, self.chosen("output") or self._panel_names[0], value)
        else:
            assert isinstance(self.item, Matrix)
            cells = _from_matrix(self.item)
        self._cells = cells = _ordered(cells, self.chosen("sort"))
        self._heat = draw_heat_map(
            self.canvas, cells.values, cells.rows, cells.columns, value=with_unit(cells.value, cells.unit),
            signed=cells.signed, row=1, row_axis=cells.row_axis, column_axis=cells.column_axis,
            marked=set(cells.marked),
        )  # fmt: skip
        kinds = dict.fromkeys(cells.marked.values())
        if kinds:
            text = ", ".join(_MARKS.get(kind, title_of(kind)) for kind in kinds)
            entries = [Entry("marks", text, pen(self.colours.text), "corner")]
            legend = Legend(entries, self.colours, self.canvas.text_font())
            self.canvas.grid.setRowSpacing(2, 6)
            self.canvas.grid.addItem(legend, 3, 0, 1, 3)

    def count(self) -> int:
        """Return the number of cells."""
        return self._heat.count()

    def stride(self) -> int:
        """Return the number of columns."""
        return self._heat.columns

    def nearest(self, position: QPointF) -> int | None:
        """Return the cell at a place."""
        return self._heat.at(position)

    def place(self, index: int) -> QRectF:
        """Return the cell's rectangle."""
        return self._heat.place(index)

    def describe(self, index: int) -> list[str]:
        """Return the two names, the value with its uncertainty, and remarks."""
        cells = self._cells
        row, column = divmod(index, len(cells.columns))
        names = f"{cells.rows[row]} × {cells.columns[column]}"
        source = int(cells.source[row, column])
        if not np.isfinite(cells.values[row, column]):
            return [names, "no value"]
        if not isinstance(self.item, IndexTable) or source < 0:
            value = f"{title_of(cells.value)} = {short(float(cells.values[row, column]))}"
            return [names, with_unit_behind(value, cells.unit)]
        interval = self.item.intervals.get(cells.value, Interval())
        frame = self.item.frame
        half = float(frame[interval.half].iloc[source]) if interval.half else None
        text = with_half_width(float(cells.values[row, column]), half)
        lines = [names, with_unit_behind(f"{title_of(cells.value)} = {text}", cells.unit)]
        if interval.low and interval.high:
            low, high = (float(frame[name].iloc[source]) for name in (interval.low, interval.high))
            lines.append(f"interval {short(low)} to {short(high)}")
        return lines + [r.sentence for r in remarks_by_place(self.item).get((source, cells.value), [])]

    def content_height(self) -> int:
        """Return room for every row's name, as long as there are not very many."""
        return 150 + 16 * min(120, len(self._cells.rows))


def _panels(item: IndexTable) -> list[str]:
    keys = list(item.keys[:-2])
    if not keys:
        return [""]
    labels = (" · ".join(str(v) for v in row) for row in zip(*(item.frame[k] for k in keys), strict=True))
    return list(dict.fromkeys(labels)) or [""]


def _from_table(item: IndexTable, panel: str, value: str) -> _Cells:
    """Return one output's values; both halves of a symmetric matrix that the table holds only once."""
    frame = item.frame
    *panel_keys, row_key, column_key = item.keys
    rows = list(dict.fromkeys(str(v) for v in frame[row_key]))
    columns = list(dict.fromkeys(str(v) for v in frame[column_key]))
    # factor_1 and factor_2: pairs without order, each once.
    symmetric = row_key[:-1] == column_key[:-1] and row_key.endswith("1") and column_key.endswith("2")
    if symmetric:
        rows = columns = list(dict.fromkeys([*rows, *columns]))
    values = np.full((len(rows), len(columns)), np.nan)
    source = np.full(values.shape, -1)
    at_row, at_column = ({name: k for k, name in enumerate(names)} for names in (rows, columns))
    remarks = remarks_by_place(item)
    marked: dict[tuple[int, int], str] = {}
    labels = [[str(v) for v in frame[k]] for k in panel_keys]
    numbers = frame[value].to_numpy(dtype=float)
    for k, (first, second) in enumerate(zip(frame[row_key].astype(str), frame[column_key].astype(str), strict=True)):
        if panel_keys and " · ".join(column[k] for column in labels) != panel:
            continue
        places = [(at_row[first], at_column[second])]
        if symmetric:
            places.append((at_row[second], at_column[first]))
        for place in places:
            values[place], source[place] = numbers[k], k
            for remark in remarks.get((k, value), []):
                marked[place] = remark.kind
    finite = values[np.isfinite(values)]
    signed = bool(finite.size and finite.min() < 0)
    return _Cells(
        values, source, tuple(rows), tuple(columns), value, item.units.get(value, ""), signed,
        row_axis="" if symmetric else title_of(row_key), column_axis="" if symmetric else title_of(column_key),
        symmetric=symmetric, marked=marked,
    )  # fmt: skip


def _from_matrix(item: Matrix) -> _Cells:
    values = np.asarray(item.values, dtype=np.float64)
    names = ("row", "column")  # the defaults say nothing
    return _Cells(
        values, np.full(values.shape, -1), tuple(item.rows), tuple(item.columns), item.value_name, item.unit,
        item.signed, row_axis="" if item.row_axis in names else title_of(item.row_axis),
        column_axis="" if item.column_axis in names else title_of(item.column_axis),
        symmetric=item.rows == item.columns,
    )  # fmt: skip


def _ordered(cells: _Cells, by: str) -> _Cells:
    """Return the cells with rows and columns in the chosen order; the same for both when symmetric."""
    if not by:
        return cells
    rows, columns = _order(cells.rows, cells.values, by), _order(cells.columns, cells.values.T, by)
    if cells.symmetric:
        columns = rows
    to_row, to_column = ({old: new for new, old in enumerate(order)} for order in (rows, columns))
    return _Cells(
        cells.values[np.ix_(rows, columns)], cells.source[np.ix_(rows, columns)],
        tuple(cells.rows[k] for k in rows), tuple(cells.columns[k] for k in columns),
        cells.value, cells.unit, cells.signed, cells.row_axis, cells.column_axis, cells.symmetric,
        {(to_row[r], to_column[c]): kind for (r, c), kind in cells.marked.items()},
    )  # fmt: skip


def _order(names: Sequence[str], values: Array, by: str) -> list[int]:
    if by == _LARGEST:
        strength = np.where(np.isfinite(values), np.abs(values), 0.0).sum(axis=1)
        return [int(k) for k in np.argsort(-strength, kind="stable")]
    return sorted(range(len(names)), key=lambda k: natural(names[k]))
