"""The choice of a target column in a dialog that may look again: what the user chose stays."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QComboBox, QWidget

from sensiview.gui.dialogs.layout import named

_NONE = "(none)"


class TargetChoice(QComboBox):
    """Columns by name and "(none)"; `currentData` is the column or None."""

    def __init__(self, parent: QWidget, tip: str, name: str = "Target column") -> None:
        super().__init__(parent)
        named(self, "import_target", name, tip)
        self.setMinimumWidth(180)
        self._touched = False
        self.activated.connect(self._touch)

    def offer(self, names: Iterable[str], likely: str | None) -> None:
        """Offer other columns; `likely` is chosen unless the user has chosen before."""
        chosen = self.currentData() if self._touched else likely
        self.clear()
        self.addItem(_NONE, None)
        for name in names:
            self.addItem(name, name)
        self.setCurrentIndex(max(0, self.findData(chosen)))

    def _touch(self) -> None:
        self._touched = True
