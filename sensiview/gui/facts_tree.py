"""Sections of name and value to read: what is known of a run, a model or a data set."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QAction, QFont, QGuiApplication, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

Section = tuple[str, list[tuple[str, str]]]
_WIDEST_NAME = 260


class FactsTree(QTreeWidget):
    """Names on the left, values on the right; Ctrl+C copies the chosen line."""

    def __init__(self, name: str, spoken: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sections: list[Section] = []
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(12)
        self.setWordWrap(True)
        self.setItemDelegateForColumn(1, _Wrapped(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy = QAction("Copy", self)
        copy.setObjectName("copy_fact")
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._copy)
        self.addAction(copy)

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show these facts; nothing moves when they are the same as before."""
        if list(sections) == self._sections:
            return
        self._sections = list(sections)
        self.clear()
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        for title, pairs in sections:
            top = QTreeWidgetItem(self, [title])
            top.setFirstColumnSpanned(True)
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            top.setFont(0, font)
            for name, value in pairs:
                line = QTreeWidgetItem(top, [name, value])
                line.setToolTip(1, value)
                line.setTextAlignment(0, Qt.AlignmentFlag.AlignTop)
            top.setExpanded(True)
        self.resizeColumnToContents(0)
        self.setColumnWidth(0, min(_WIDEST_NAME, self.columnWidth(0) + 16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap long values anew: a tree remembers heights from before it had its width."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def value(self, name: str) -> str:
        """Return the value beside a name; empty when there is none."""
        return next((value for _, pairs in self._sections for key, value in pairs if key == name), "")

    def as_text(self) -> str:
        """Return everything as text to paste elsewhere."""
        lines: list[str] = []
        for title, pairs in self._sections:
            lines += [title, *(f"  {name}: {value}" for name, value in pairs), ""]
        return "\n".join(lines)

    def _copy(self) -> None:
        item = self.currentItem()
        if item is not None:
            QGuiApplication.clipboard().setText(item.text(1) or item.text(0))


class _Wrapped(QStyledItemDelegate):
    """Gives long values as many lines as they need at the width there is."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the height of the wrapped text."""
        hint = super().sizeHint(option, index)
        tree = self.parent()
        if not isinstance(tree, FactsTree):
            return hint
        room = QRect(0, 0, max(60, tree.columnWidth(1) - 10), 10_000)
        box = option.fontMetrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), str(index.data() or ""))
        return QSize(hint.width(), max(option.fontMetrics.height(), box.height()) + 6)
