"""The columns of a file that is imported: name, how it is read, first values; several can be changed at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview.gui.dialogs.layout import named

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "number": "number",
    "text": "text, no factor",
    "boolean": "truth value",
    "auto": "found out",
    "out": "left out",
}
_BUTTONS = (("number", "Number"), ("text", "Text"), ("boolean", "Truth value"), ("out", "Leave out"))
_VALUES_SHOWN = 5
# A list longer than this would take seconds to fill; the rest is read as it was found.
_COLUMNS_SHOWN = 2000


class ColumnList(QWidget):
    """Chosen columns are read in another way by the buttons below.

    Signals
    -------
    kind_wanted
        Names of columns, and one of ``number``, ``text``, ``boolean``, ``out``.
    """

    kind_wanted = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = QTreeWidget(self)
        named(self.tree, "import_columns", "Columns and how they are read")
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setHeaderLabels(["Column", "Read as", "First values"])
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.tree.header().resizeSection(0, 220)
        self.tree.header().resizeSection(1, 120)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._buttons: list[QPushButton] = []
        for kind, text in _BUTTONS:
            button = QPushButton(text, self)
            named(button, f"read_as_{kind}_button", f"Read the chosen columns as: {text}")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, wanted=kind: self.kind_wanted.emit(self.chosen(), wanted))
            row.addWidget(button)
            self._buttons.append(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.tree, 1)
        column.addLayout(row)
        self.tree.itemSelectionChanged.connect(self._enable)
        self._enable()

    def show_columns(self, frame: pd.DataFrame, kinds: Mapping[str, str], left_out: Sequence[str]) -> None:
        """Show the columns that are read, then those that are left out."""
        chosen = set(self.chosen())
        self.tree.clear()
        for name in [str(column) for column in frame.columns][:_COLUMNS_SHOWN]:
            values = [str(value) for value in frame[name].head(_VALUES_SHOWN)]
            self._add(name, kinds.get(name, "number"), ", ".join(values), name in chosen)
        for name in left_out:
            self._add(name, "out", "", name in chosen)

    def chosen(self) -> list[str]:
        """Return the names of the chosen columns."""
        return [item.text(0) for item in self.tree.selectedItems()]

    def _add(self, name: str, kind: str, values: str, selected: bool) -> None:
        item = QTreeWidgetItem([name, KINDS.get(kind, kind), values])
        item.setToolTip(0, name)
        item.setToolTip(2, values)
        if kind == "out":
            for column in range(3):
                item.setForeground(column, self.palette().brush(self.palette().ColorRole.PlaceholderText))
        self.tree.addTopLevelItem(item)
        item.setSelected(selected)

    def _enable(self) -> None:
        some = bool(self.tree.selectedItems())
        for button in self._buttons:
            button.setEnabled(some)
            button.setToolTip("" if some else "Choose one or more columns first")
