"""The cases of a cohort: thumbnails, class and group, a mark, and the way to the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from sensiview.gui.dialogs.layout import named
from sensiview.gui.key_bindings import notifier
from sensiview.gui.number_text import grouped
from sensiview.gui.viewer.panels.buttons import arrow_button, tool_button
from sensiview.gui.viewer.panels.case_list import CaseDelegate, CaseModel, Thumbnails
from sensiview.gui.viewer.panels.commands import tip


class _CaseList(QListView):
    """M marks the chosen case; Enter opens it."""

    mark_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Mark by a key."""
        if event.key() == Qt.Key.Key_M and not event.modifiers():
            self.mark_wanted.emit()
        else:
            super().keyPressEvent(event)


class CasesPanel(QWidget):
    """The list with a filter; choosing a row asks for that case.

    Signals
    -------
    case_wanted(int)
        Open the case of this index.
    """

    case_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cases_panel")
        self._current = -1
        self.model = CaseModel(self)
        self.filter = QLineEdit(self)
        named(self.filter, "cases_filter", "Filter cases", "Name, class or group")
        self.filter.setPlaceholderText("Filter: name, class or group")
        self.filter.setClearButtonEnabled(True)
        self.only_marked = tool_button(self, "cases_only_marked", "", "Show marked cases only", picture="star")
        self.only_marked.setCheckable(True)
        self.list = _CaseList(self)
        self.list.setObjectName("case_list")
        self.list.setAccessibleName("Cases")
        self.list.setModel(self.model)
        self.list.setItemDelegate(CaseDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.previous = arrow_button(
            self, "previous_case", Qt.ArrowType.LeftArrow, "Previous case", lambda: self.step(-1)
        )
        self.next = arrow_button(self, "next_case", Qt.ArrowType.RightArrow, "Next case", lambda: self.step(1))
        self.mark = tool_button(
            self, "mark_case", "Mark", "Mark this case, or take the mark away (M)", self.toggle_mark
        )
        self._count = QLabel(self)
        self._count.setObjectName("cases_count")
        self._count.setProperty("role", "muted")
        self._arrange()
        self.filter.textChanged.connect(lambda _: self._narrow())
        self.only_marked.toggled.connect(lambda _: self._narrow())
        self.list.selectionModel().currentChanged.connect(self._chosen)
        self.list.mark_wanted.connect(self.toggle_mark)
        notifier.changed.connect(self._show_keys)
        self._show_keys()
        self._say()

    def set_cases(
        self,
        names: Sequence[str],
        classes: Sequence[str] = (),
        groups: Sequence[str] = (),
        thumbnails: Thumbnails | None = None,
    ) -> None:
        """Show a cohort; no case is chosen.

        Parameters
        ----------
        names, classes, groups : sequence of str
            One per case; classes and groups (fold, diagnosis) may be empty.
        thumbnails : callable, optional
            Index to a picture: (rows, columns) of any numbers, or (rows, columns, 3) uint8; called in a background
            thread when the row is on the screen.
        """
        self._current = -1
        self.model.set_cases(names, classes, groups, thumbnails)
        self._narrow()

    def _show_keys(self) -> None:
        self.previous.setToolTip(tip("previous_case"))
        self.next.setToolTip(tip("next_case"))

    def set_classes(self, classes: Sequence[str]) -> None:
        """Name the classes of the cases anew; the chosen case stays."""
        self.model.classes = tuple(classes)
        self._narrow()

    def current(self) -> int:
        """Return the chosen case; -1 before the first one."""
        return self._current

    def choose(self, case: int) -> None:
        """Choose a case and ask for it, also one that the filter hides."""
        if 0 <= case < len(self.model.names) and case != self._current:
            self._current = case
            self._select()
            self._say()
            self.case_wanted.emit(case)

    def step(self, direction: int) -> None:
        """Choose the next or previous case of those shown; stays at the ends, so that nobody reads a case twice."""
        count = self.model.rowCount()
        row = self.model.row_of(self._current)
        wanted = row + direction if row >= 0 else (0 if direction > 0 else count - 1)
        if 0 <= wanted < count:
            self.choose(self.model.case(wanted))

    def toggle_mark(self) -> None:
        """Mark the chosen case, or take its mark away."""
        if self._current >= 0:
            self.model.toggle_mark(self._current)
            if self.only_marked.isChecked():
                self._narrow()

    def state(self) -> dict[str, Any]:
        """Return marks and the chosen case as JSON values."""
        name = self.model.names[self._current] if self._current >= 0 else ""
        return {"marked": sorted(self.model.marked), "case": name, "filter": self.filter.text()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; a case that is gone is ignored."""
        self.model.marked = {str(name) for name in state.get("marked", ())}
        self.filter.setText(str(state.get("filter", "")))
        self._narrow()
        name = str(state.get("case", ""))
        if name in self.model.names:
            self.choose(self.model.names.index(name))

    def _narrow(self) -> None:
        self.model.narrow(self.filter.text(), only_marked=self.only_marked.isChecked())
        self._select()
        self._say()

    def _select(self) -> None:
        row = self.model.row_of(self._current)
        index = self.model.index(row) if row >= 0 else QModelIndex()
        selection = self.list.selectionModel()
        selection.blockSignals(True)
        self.list.setCurrentIndex(index)
        selection.blockSignals(False)
        if row >= 0:
            self.list.scrollTo(index)
        self.list.viewport().update()

    def _chosen(self, index: QModelIndex, _: QModelIndex) -> None:
        if index.isValid():
            self.choose(self.model.case(index.row()))

    def _say(self) -> None:
        shown, total = self.model.rowCount(), len(self.model.names)
        row = self.model.row_of(self._current)
        place = f"{row + 1} of {grouped(shown)}" if row >= 0 else f"{grouped(shown)} case{'s' if shown != 1 else ''}"
        self._count.setText(place if shown == total else f"{place} ({grouped(total)} in all)")
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(row < shown - 1)
        self.mark.setEnabled(self._current >= 0)

    def _arrange(self) -> None:
        top, below = QHBoxLayout(), QHBoxLayout()
        top.setContentsMargins(8, 6, 8, 0)
        top.addWidget(self.filter, 1)
        top.addWidget(self.only_marked)
        below.setContentsMargins(8, 0, 8, 6)
        below.addWidget(self.previous)
        below.addWidget(self.next)
        below.addWidget(self._count, 1)
        below.addWidget(self.mark)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addLayout(below)
