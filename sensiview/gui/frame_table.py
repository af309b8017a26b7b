"""A table of numbers with filter, sorting and copying: results and data sets use the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QLineEdit, QTableView, QVBoxLayout, QWidget

from sensiview.analysis.items import Remark
from sensiview.gui.frame_model import FrameModel
from sensiview.gui.number_text import full, grouped
from sensiview.gui.themes import notifier

if TYPE_CHECKING:
    import pandas as pd

_MEASURED = 60  # rows that decide how wide a column is
_FITTED = 60  # columns that are measured at all
_WIDEST = 320


class FrameTable(QWidget):
    """A filter box above a sortable table; copies the selection as tab-separated text with every digit.

    Signals
    -------
    changed()
        The user sorted or filtered.
    row_chosen(int)
        The cursor is in another row: the frame's row, however it is sorted.
    """

    changed = Signal()
    row_chosen = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None, *, row_numbers: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}_area")
        self._model: FrameModel | None = None
        self.filter_box = QLineEdit()
        self.filter_box.setObjectName(f"{name}_filter")
        self.filter_box.setAccessibleName("Filter rows")
        self.filter_box.setPlaceholderText("Filter: text, or a comparison such as S1 > 0.1")
        self.filter_box.setClearButtonEnabled(True)
        self._count = QLabel()
        self._count.setProperty("role", "muted")
        self._count.setObjectName(f"{name}_count")
        self.view = QTableView()
        self.view.setObjectName(name)
        self.view.setAccessibleName("Table of values")
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setAlternatingRowColors(True)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.view.verticalHeader().setVisible(row_numbers)
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.view.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSectionsClickable(True)
        header.setResizeContentsPrecision(_MEASURED)
        header.sortIndicatorChanged.connect(self._sort)
        self._add_action("Copy", self.copy, QKeySequence.StandardKey.Copy)
        self._add_action("Copy whole table", self.copy_all, None)
        self._wait = QTimer(self, singleShot=True, interval=200)
        self._wait.timeout.connect(self._apply_filter)
        self.filter_box.textChanged.connect(lambda _: self._wait.start())
        top = QHBoxLayout()
        top.setContentsMargins(8, 6, 8, 0)
        top.addWidget(self.filter_box, 1)
        top.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        notifier.changed.connect(self._recolour)

    def show_frame(
        self,
        frame: pd.DataFrame,
        *,
        units: Mapping[str, str] | None = None,
        remarks: Sequence[Remark] = (),
        align: bool = False,
        decorate: Callable[[int], Any] | None = None,
    ) -> None:
        """Show another frame; order and filter stay when the columns are the same."""
        kept = (
            self.state() if self._model is not None and self._model.names == [str(c) for c in frame.columns] else None
        )
        fresh = self._model is None or kept is None
        self._model = FrameModel(frame, units=units, remarks=remarks, align=align, decorate=decorate)
        self._model.setParent(self)
        self.view.setModel(self._model)
        self.view.selectionModel().currentRowChanged.connect(self._tell_row)
        numbers = [name for k, name in enumerate(self._model.names[:_FITTED]) if self._model.is_numeric(k)]
        example = f", or a comparison such as {numbers[-1]} > 0.1" if numbers else ""
        self.filter_box.setPlaceholderText(f"Filter: text{example}")
        if fresh and len(frame.columns) <= _FITTED:
            self.view.resizeColumnsToContents()
            header = self.view.horizontalHeader()
            for column in range(header.count()):
                header.resizeSection(column, min(_WIDEST, header.sectionSize(column) + 12))
        if kept is not None:
            self.restore(kept)
        else:
            self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._say_count()

    def refresh_values(self, remarks: Sequence[Remark] = ()) -> None:
        """Show what the frame holds by now; order, selection and place stay."""
        if self._model is not None:
            self._model.refresh_values(remarks)

    def arrange_again(self) -> None:
        """Sort and filter by what the frame holds by now; the row with the cursor stays chosen."""
        if self._model is None or (self._model.sorted_by()[0] < 0 and not self.filter_box.text()):
            return
        chosen = self.current_source_row()
        self._model.sort(*self._model.sorted_by())
        self._say_count()
        if chosen is not None:
            self.choose_source_row(chosen)

    def refresh_source_row(self, source_row: int) -> None:
        """Draw one row of the frame again."""
        if self._model is not None:
            self._model.refresh_source_row(source_row)

    def choose_source_row(self, source_row: int) -> None:
        """Select one row of the frame, wherever it is shown; nothing when the filter hides it."""
        row = self._model.shown_row(source_row) if self._model is not None else -1
        if row >= 0:
            self.view.selectRow(row)
        else:
            self.view.clearSelection()

    def fit_column(self, name: str) -> None:
        """Make a column as wide as what it holds by now."""
        if name in self.columns():
            column = self.columns().index(name)
            self.view.resizeColumnToContents(column)
            header = self.view.horizontalHeader()
            header.resizeSection(column, min(_WIDEST, header.sectionSize(column) + 12))

    def clear(self) -> None:
        """Show nothing."""
        self._model = None
        self.view.setModel(None)
        self._count.clear()

    def state(self) -> dict[str, Any]:
        """Return order and filter as plain values; the column by name."""
        if self._model is None:
            return {}
        column, order = self._model.sorted_by()
        name = self._model.names[column] if 0 <= column < len(self._model.names) else ""
        descending = order == Qt.SortOrder.DescendingOrder
        return {"sort": name, "descending": descending, "filter": self.filter_box.text()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Sort and filter as `state` says; a column that is gone is ignored."""
        if self._model is None:
            return
        name = str(state.get("sort", ""))
        column = self._model.names.index(name) if name in self._model.names else -1
        order = Qt.SortOrder.DescendingOrder if state.get("descending") else Qt.SortOrder.AscendingOrder
        self.view.horizontalHeader().setSortIndicator(column, order)
        self._model.sort(column, order)
        self.filter_box.setText(str(state.get("filter", "")))
        self._wait.stop()
        self._apply_filter()

    def columns(self) -> list[str]:
        """Return the names of the columns."""
        return self._model.names if self._model is not None else []

    def texts(self, row: int) -> list[str]:
        """Return one row as it is shown."""
        assert self._model is not None
        return [str(self._model.data(self._model.index(row, c))) for c in range(self._model.columnCount())]

    def copy(self) -> None:
        """Copy the selected cells with their column names."""
        chosen = self.view.selectionModel().selection() if self._model is not None else None
        if chosen is not None and not chosen.isEmpty():
            area = chosen.first()
            self._copy(range(area.top(), area.bottom() + 1), range(area.left(), area.right() + 1))

    def copy_all(self) -> None:
        """Copy everything the filter lets through."""
        if self._model is not None:
            self._copy(range(self._model.rowCount()), range(self._model.columnCount()))

    def current_source_row(self) -> int | None:
        """Return the frame's row in which the cursor is."""
        index: QModelIndex = self.view.currentIndex()
        return self._model.source_row(index.row()) if self._model is not None and index.isValid() else None

    def _add_action(self, text: str, call: Any, shortcut: QKeySequence.StandardKey | None) -> None:
        action = QAction(text, self.view)
        action.setObjectName(text.lower().replace(" ", "_"))
        if shortcut is not None:
            action.setShortcut(QKeySequence(shortcut))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(call)
        self.view.addAction(action)

    def _copy(self, rows: range, columns: range) -> None:
        assert self._model is not None
        lines = ["\t".join(self._model.names[c] for c in columns)]
        lines += ["\t".join(full(self._model.value(r, c)) for c in columns) for r in rows]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")

    def _tell_row(self, index: QModelIndex) -> None:
        if self._model is not None and index.isValid():
            self.row_chosen.emit(self._model.source_row(index.row()))

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        if self._model is not None and self._model.sorted_by() != (column, order):
            self._model.sort(column, order)
            self.changed.emit()

    def _apply_filter(self) -> None:
        if self._model is not None:
            self._model.filter(self.filter_box.text())
            self._say_count()
            self.changed.emit()

    def _say_count(self) -> None:
        assert self._model is not None
        shown, total = self._model.rowCount(), self._model.total()
        text = f"{grouped(total)} rows" if shown == total else f"{grouped(shown)} of {grouped(total)} rows"
        self._count.setText("1 row" if shown == total == 1 else text)

    def _recolour(self) -> None:
        if self._model is not None:
            self._model.refresh_colours()
