"""How the keys of a file fit a network, as a table: what is wrong comes first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from sensiview.gui.icons import icon

_HEADERS = ("Key", "State", "File", "Network")


class KeyTable(QTreeWidget):
    """Key, state, shape in the file, shape in the network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("key_table")
        self.setAccessibleName("Keys of the file and of the network")
        self.setRootIsDecorated(False)
        self.setHeaderLabels(list(_HEADERS))
        self.setAlternatingRowColors(True)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show rows of key, state and both shapes."""
        self.clear()
        for row in rows:
            item = QTreeWidgetItem([str(cell) for cell in row])
            item.setIcon(1, icon("succeeded" if len(row) > 1 and row[1] == "fits" else "failed"))
            item.setToolTip(0, item.text(0))
            self.addTopLevelItem(item)

    def show_items(self, items: Mapping[str, Any]) -> None:
        """Show the table of keys among the items of an inspection."""
        for item in items.values():
            frame = item.to_frame() if hasattr(item, "to_frame") else None
            if frame is not None and "key" in frame.columns:
                self.show_rows([[str(cell) for cell in row[: len(_HEADERS)]] for row in frame.itertuples(index=False)])
                return
        self.clear()

    def show_text(self, text: str) -> None:
        """Show the table of a report in aligned text; other text as it is, line by line."""
        lines = [line for line in text.splitlines() if line.strip()]
        if lines and lines[0].split()[:1] == ["key"]:
            starts = [lines[0].index(word) for word in ("key", "file", "network")]
            self.show_rows([_cells(line, starts) for line in lines[1:] if not re.fullmatch(r"\d+ keys? fit\.", line)])
            return
        self.clear()
        for line in lines:
            item = QTreeWidgetItem([line])
            item.setFirstColumnSpanned(True)
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsSelectable)
            self.addTopLevelItem(item)


def _cells(line: str, starts: Sequence[int]) -> list[str]:
    """Key and state share the first columns of the text; two blanks divide them."""
    key, file, network = starts
    front = line[key:file].rstrip()
    name, _, state = front.partition("  ")
    return [name.strip(), state.strip(), line[file:network].strip(), line[network:].strip()]
