"""All keys and mouse gestures of the viewer on one page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.icons import icon
from sensiview.gui.key_bindings import native
from sensiview.gui.viewer.shortcut_table import MOUSE, SHORTCUTS


class ShortcutSheet(QDialog):
    """Groups of (what, keys); typing narrows the list.

    Parameters
    ----------
    more : sequence of (str, tuple of str)
        What the workbench adds: text and keys.
    """

    def __init__(self, more: Sequence[tuple[str, tuple[str, ...]]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = dialog_column(self, "viewer_shortcuts_dialog", "Keys of the viewer")
        column.addWidget(label("Keys of the viewer", "heading", self))
        self.search = QLineEdit(self)
        named(self.search, "viewer_shortcut_search", "Search keys")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        column.addWidget(self.search)
        self.tree = QTreeWidget(self)
        named(self.tree, "viewer_shortcut_list", "Keys and what they do")
        self.tree.setHeaderLabels(["Keys", "What it does"])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(8)
        self._groups: list[QTreeWidgetItem] = []
        self._add("Mouse", [(gesture, text) for gesture, text in MOUSE])
        for group in dict.fromkeys(entry.group for entry in SHORTCUTS):
            rows = [("   ".join(map(native, e.in_force)), e.text) for e in SHORTCUTS if e.group == group]
            self._add(group, rows)
        if more:
            self._add("Cases, places and pictures", [("   ".join(map(native, keys)), text) for text, keys in more])
        self.tree.expandAll()
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        column.addWidget(self.tree, 1)
        row = close_button(self)
        change = parent.window().findChild(QAction, "action_shortcuts") if parent is not None else None
        if change is not None:
            button = row.addButton("Change keys…", QDialogButtonBox.ButtonRole.ActionRole)
            named(button, "change_keys_button", "Change keys")
            button.clicked.connect(self.close)
            button.clicked.connect(change.trigger)
        column.addWidget(row)
        self.search.textChanged.connect(self._narrow)
        self.resize(620, 640)

    def _add(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        group = QTreeWidgetItem([title])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        for keys, text in rows:
            group.addChild(QTreeWidgetItem([keys, text]))
        self.tree.addTopLevelItem(group)
        group.setFirstColumnSpanned(True)
        self._groups.append(group)

    def _narrow(self, text: str) -> None:
        wanted = text.casefold().strip()
        for group in self._groups:
            rows = [row for at in range(group.childCount()) if (row := group.child(at)) is not None]
            for row in rows:
                row.setHidden(wanted not in f"{row.text(0)} {row.text(1)}".casefold())
            group.setHidden(all(row.isHidden() for row in rows))
