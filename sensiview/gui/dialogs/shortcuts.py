"""Every shortcut on one page, from the declared commands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from sensiview.gui.action_list import MENUS
from sensiview.gui.actions import ActionSet
from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.icons import icon
from sensiview.gui.viewer.shortcut_table import MOUSE, SHORTCUTS


def viewer_shortcuts() -> list[tuple[str, str, str]]:
    """Return keys, what they do and their group, for every key and mouse action of the panes."""
    mouse = [(keys, text, "Mouse") for keys, text in MOUSE]
    return [*mouse, *(("   ".join(s.keys), s.text, s.group) for s in SHORTCUTS)]


class ShortcutsDialog(QDialog):
    """The commands by menu with their keys; typing narrows the list."""

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = dialog_column(self, "shortcuts_dialog", "Keyboard shortcuts")
        column.addWidget(label("Keyboard shortcuts", "heading", self))
        self.search = QLineEdit(self, placeholderText="Search commands", clearButtonEnabled=True)
        named(self.search, "shortcut_search", "Search commands")
        self.search.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        column.addWidget(self.search)
        self.tree = QTreeWidget(self)
        named(self.tree, "shortcut_list", "Commands and their shortcuts")
        self.tree.setHeaderLabels(["Command", "Keys", "What it does"])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(8)
        self._groups: list[QTreeWidgetItem] = []
        for menu in MENUS:
            group = self._add_group(menu.replace("&", ""))
            for info in actions.infos.values():
                if info.menu == menu:
                    keys = [k.toString(QKeySequence.SequenceFormat.NativeText) for k in actions[info.key].shortcuts()]
                    row = QTreeWidgetItem([info.title, "   ".join(keys), info.tip])
                    row.setIcon(0, actions[info.key].icon())
                    group.addChild(row)
        viewer = self._add_group("In the viewer of volumes")
        for typed, text, tip in viewer_shortcuts():
            viewer.addChild(QTreeWidgetItem([text, typed, tip]))
        self.tree.expandAll()
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        column.addWidget(self.tree, 1)
        hint = "In the tree: F2 renames, Delete moves to the trash, Enter opens. F6 goes from pane to pane."
        column.addWidget(label(hint, "muted", self))
        column.addWidget(close_button(self))
        self.search.textChanged.connect(self._filter)
        self.resize(760, 620)
        self.search.setFocus()

    def _add_group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem([title])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.addTopLevelItem(group)
        self._groups.append(group)
        return group

    def _filter(self, text: str) -> None:
        wanted = text.casefold().strip()
        for group in self._groups:
            rows = [row for at in range(group.childCount()) if (row := group.child(at)) is not None]
            for row in rows:
                words = " ".join(row.text(i) for i in range(3)).casefold()
                row.setHidden(wanted not in words)
            group.setHidden(all(row.isHidden() for row in rows))
