"""The items of a run to choose from, with Parameters and help below them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from sensiview.gui.icons import icon

_ICONS = {
    "index_table": "results", "curve": "results", "matrix": "results", "field_map": "results", "mask": "results",
    "image_series": "results", "note": "info", "parameters": "preferences", "help": "about",
}  # fmt: skip


PARAMETERS, HELP = "\x00parameters", "\x00help"
_PAGES = (PARAMETERS, HELP)


class ItemList(QListWidget):
    """Titles of items by name.

    Signals
    -------
    chosen(str)
        The name of the item that is to be shown.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("item_list")
        self.setAccessibleName("Items of this result")
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(110)
        self._wanted = ""
        self.currentItemChanged.connect(self._chosen)

    def offer(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """Show (name, title, kind); the chosen one stays chosen, without saying so."""
        names = [self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count())]
        if names == [name for name, _, _ in entries]:
            for row, (_, title, _) in enumerate(entries):
                self.item(row).setText(title)  # titles of live items count what they are made of
                self.item(row).setToolTip(title)
            return
        # Until something was chosen, the first item that comes is shown instead of the parameters.
        kept = self._wanted or ("" if self.current() in _PAGES else self.current())
        self.blockSignals(True)
        self.clear()
        for name, title, kind in entries:
            item = QListWidgetItem(icon(_ICONS.get(kind, "results")), title, self)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(title)
        known = [name for name, _, _ in entries]
        if known:
            self.setCurrentRow(known.index(kept) if kept in known else 0)
        self.blockSignals(False)

    def current(self) -> str:
        """Return the name of the chosen item; empty without one."""
        item = self.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def choose(self, name: str) -> None:
        """Choose an item; one that is not there yet is chosen when it comes."""
        self._wanted = name
        for row in range(self.count()):
            if self.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.setCurrentRow(row)

    def _chosen(self) -> None:
        self._wanted = self.current()
        self.chosen.emit(self.current())
