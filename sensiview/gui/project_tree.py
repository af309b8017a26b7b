"""The project at a glance: its data sets, models and runs, searchable, renamed in place, fed by drag and drop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QMenu, QTreeView, QVBoxLayout, QWidget

from sensiview.gui.entry_delegate import EntryDelegate
from sensiview.gui.icons import icon
from sensiview.gui.project_items import (
    NAME,
    dataset_item,
    entry_of,
    group_item,
    hint_item,
    model_item,
    run_item,
)  # fmt: skip
from sensiview.gui.session import EntryKind, Session
from sensiview.gui.undo import push_delete, push_rename

if TYPE_CHECKING:
    from sensiview.gui.actions import ActionSet

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".dat", ".parquet", ".xlsx", ".xls", ".ods"})
VOLUME_SUFFIXES = (".nii", ".nii.gz", ".img", ".hdr")
DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
WEIGHT_SUFFIXES = frozenset({".pth", ".pt", ".safetensors", ".ckpt", ".pt2"})

_GROUPS: tuple[tuple[EntryKind, str, str], ...] = (
    ("dataset", "Data sets", "Drop a table or a folder here, or press Ctrl+I"),
    ("model", "Models", "Train one (Ctrl+T) or add one (Ctrl+M)"),
    ("run", "Runs", "Choose an analysis on the right"),
)
_MENUS: dict[EntryKind, tuple[str, ...]] = {
    "dataset": ("show_dataset", "train", "set_target", "-", "rename", "locate", "delete"),
    "model": ("show_model", "-", "rename", "locate", "delete"),
    "run": ("show_results", "export_run", "-", "stop", "resume", "extend", "retry", "-", "rename", "delete"),
}


class _Tree(QTreeView):
    """A tree that hears the delete key and passes dropped files on."""

    files_dropped = Signal(list)
    delete_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete and, on macOS, backspace ask for the entry's removal."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files from the desktop."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Files may be dropped anywhere."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Say which local files were dropped."""
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.files_dropped.emit(files)


class ProjectTree(QWidget):
    """Search field and tree.

    Signals
    -------
    entry_chosen
        Kind and identifier of the entry that was clicked or reached with the keyboard.
    entry_opened
        Kind and identifier of the entry that was double-clicked or entered.
    files_dropped
        Paths that were dropped from the desktop.
    """

    entry_chosen = Signal(str, str)
    entry_opened = Signal(str, str)
    files_dropped = Signal(list)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._actions: ActionSet | None = None
        self._filling = False
        self.search = QLineEdit(self, placeholderText="Search the project", clearButtonEnabled=True)
        self.search.setObjectName("project_search")
        self.search.setAccessibleName("Search the project")
        self.search.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self._model = QStandardItemModel(self)
        self._proxy = QSortFilterProxyModel(self, recursiveFilteringEnabled=True)
        self._proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._proxy.setSourceModel(self._model)
        self.tree = self._make_tree()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self.search.textChanged.connect(self._filter)
        self._model.itemChanged.connect(self._edited)
        session.project_changed.connect(self.refresh)
        session.datasets_changed.connect(self.refresh)
        session.models_changed.connect(self.refresh)
        session.runs_changed.connect(self.refresh)
        self.refresh()

    def _make_tree(self) -> _Tree:
        tree = _Tree(self)
        tree.setObjectName("project_tree")
        tree.setAccessibleName("Project: data sets, models and runs")
        tree.setModel(self._proxy)
        tree.setItemDelegate(EntryDelegate(tree))
        tree.setHeaderHidden(True)
        tree.setIndentation(12)
        tree.setUniformRowHeights(False)
        tree.setMouseTracking(True)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        tree.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        tree.setAcceptDrops(True)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.setExpandsOnDoubleClick(False)
        tree.selectionModel().currentChanged.connect(self._chosen)
        tree.activated.connect(self._opened)
        tree.customContextMenuRequested.connect(self._show_menu)
        tree.files_dropped.connect(self.files_dropped)
        tree.delete_pressed.connect(self.delete_current)
        return tree

    def use_actions(self, actions: ActionSet) -> None:
        """Build context menus from these commands."""
        self._actions = actions

    # Contents

    def refresh(self) -> None:
        """Show the project's entries anew; what was selected and folded stays so."""
        current = self.current()
        folded = {row for row in range(self._model.rowCount()) if not self._is_expanded(row)}
        first_time = self._model.rowCount() == 0
        self._filling = True
        self._model.clear()
        entries = {
            "dataset": [dataset_item(source.id, source.card) for source in self._session.datasets()],
            "model": [model_item(source.id, source.card) for source in self._session.models()],
            # The latest run is the one people look for.
            "run": [run_item(run) for run in reversed(self._session.runs())],
        }
        editable = self._session.project is not None and not self._session.project.read_only
        for kind, title, hint in _GROUPS:
            group = group_item(kind, title, len(entries[kind]))
            self._model.appendRow(group)
            for item in entries[kind]:
                item.setEditable(editable)
                group.appendRow(item)
            if not entries[kind]:
                group.appendRow(hint_item(hint))
        self._filling = False
        for row in range(self._model.rowCount()):
            self.tree.setExpanded(self._proxy.index(row, 0), first_time or row not in folded)
        if current is not None:
            self.select(*current, quiet=True)

    def _is_expanded(self, row: int) -> bool:
        return self.tree.isExpanded(self._proxy.mapFromSource(self._model.index(row, 0)))

    def _filter(self, text: str) -> None:
        self._proxy.setFilterFixedString(text)
        self.tree.expandAll()

    # Choosing

    def current(self) -> tuple[EntryKind, str] | None:
        """Return kind and identifier of the current entry; None on a group."""
        return entry_of(self.tree.currentIndex())

    def select(self, kind: EntryKind, identifier: str, *, quiet: bool = False) -> bool:
        """Make an entry the current one; `quiet` tells nobody. False when it is not there."""
        for row in range(self._proxy.rowCount()):
            group = self._proxy.index(row, 0)
            for child in range(self._proxy.rowCount(group)):
                index = self._proxy.index(child, 0, group)
                if entry_of(index) == (kind, identifier):
                    selection = self.tree.selectionModel()
                    selection.blockSignals(quiet)
                    self.tree.setCurrentIndex(index)
                    selection.blockSignals(False)
                    self.tree.viewport().update()
                    return True
        return False

    def rename_current(self) -> None:
        """Edit the name of the current entry in place."""
        if self.current() is not None:
            self.tree.setFocus()
            self.tree.edit(self.tree.currentIndex())

    def delete_current(self) -> None:
        """Move the current entry to the trash, undoable."""
        entry = self.current()
        if entry is None:
            return
        with self._session.guard():
            self._session.writable_project()
            name = str(self.tree.currentIndex().data(Qt.ItemDataRole.EditRole))
            push_delete(self._session, *entry, name)
            self._session.say(f"'{name}' is in the trash. Ctrl+Z brings it back.")

    def _chosen(self, index: QModelIndex) -> None:
        entry = entry_of(index)
        if entry is not None:
            self.entry_chosen.emit(*entry)

    def _opened(self, index: QModelIndex) -> None:
        entry = entry_of(index)
        if entry is not None:
            self.entry_opened.emit(*entry)
        elif self._proxy.hasChildren(index):
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _edited(self, item: QStandardItem) -> None:
        entry = entry_of(item.index())
        if self._filling or entry is None:
            return
        new, old = item.text().strip(), str(item.data(NAME))
        # Not now: the editor still holds on to this item, and a refresh makes new ones.
        QTimer.singleShot(0, self, lambda: self._rename(*entry, old, new))

    def _rename(self, kind: EntryKind, identifier: str, old: str, new: str) -> None:
        if new and new != old:
            push_rename(self._session, kind, identifier, old, new)
        # Refused, empty or taken: the tree shows what the project says.
        self.refresh()

    def _show_menu(self, position: QPoint) -> None:
        entry = entry_of(self.tree.indexAt(position))
        if self._actions is None:
            return
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        keys = _MENUS[entry[0]] if entry else ("import_table", "add_model", "train")
        for key in keys:
            if key == "-":
                menu.addSeparator()
            else:
                menu.addAction(self._actions[key])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.tree.viewport().mapToGlobal(position))
