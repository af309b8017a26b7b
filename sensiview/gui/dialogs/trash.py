"""What was deleted, and the way back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QWidget

from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.entry_texts import when
from sensiview.gui.icons import icon
from sensiview.gui.session import Session
from sensiview.gui.undo import push_restore

_KINDS = {"dataset": "Data set", "model": "Model", "run": "Run"}
_ENTRY = Qt.ItemDataRole.UserRole + 1


class TrashDialog(QDialog):
    """The project's trash; restoring is undoable like deleting."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        column = dialog_column(self, "trash_dialog", "Trash")
        column.addWidget(label("Trash", "heading", self))
        self.note = label("", "muted", self)
        column.addWidget(self.note)
        self.tree = QTreeWidget(self)
        named(self.tree, "trash_list", "Deleted entries")
        self.tree.setHeaderLabels(["Name", "Kind", "Deleted"])
        self.tree.setRootIsDecorated(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        column.addWidget(self.tree, 1)
        box = close_button(self)
        self.restore_button = QPushButton(icon("restore"), "Restore", self)
        named(self.restore_button, "restore_button", "Restore the chosen entry")
        self.restore_button.clicked.connect(self._restore)
        box.addButton(self.restore_button, box.ButtonRole.ActionRole)
        column.addWidget(box)
        self.tree.itemActivated.connect(self._restore)
        self.tree.currentItemChanged.connect(
            lambda: self.restore_button.setEnabled(self.tree.currentItem() is not None)
        )
        for signal in (session.datasets_changed, session.models_changed, session.runs_changed):
            signal.connect(self.refresh)
        self.resize(560, 380)
        self.refresh()

    def refresh(self) -> None:
        """Read the trash anew."""
        self.tree.clear()
        project = self._session.project
        entries = project.trash() if project is not None else []
        for entry in entries:
            item = QTreeWidgetItem([entry.name, _KINDS.get(entry.kind, entry.kind), when(entry.deleted)])
            item.setIcon(0, icon("results" if entry.kind == "run" else entry.kind))
            item.setData(0, _ENTRY, (entry.kind, entry.id, entry.name))
            self.tree.addTopLevelItem(item)
        self.note.setText(
            "Nothing was deleted."
            if not entries
            else "Deleted entries stay in the project's folder until it is deleted."
        )
        first = self.tree.topLevelItem(0)
        if first is not None:
            self.tree.setCurrentItem(first)
        self.restore_button.setEnabled(bool(entries))

    def _restore(self) -> None:
        item = self.tree.currentItem()
        if item is not None:
            kind, identifier, name = item.data(0, _ENTRY)
            push_restore(self._session, kind, identifier, name)
            self.refresh()
