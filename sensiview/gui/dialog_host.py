"""The dialogs that are open: one of each kind, none of them blocking."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

# These are not about a project, so they outlive it.
_LASTING = ("error", "about", "shortcuts", "preferences")


class DialogHost:
    """Keeps references while dialogs are open, and forgets them when they close."""

    def __init__(self) -> None:
        self._dialogs: dict[str, QDialog] = {}

    def show(self, key: str, dialog: QDialog, *, sheet: bool = False) -> None:
        """Show a dialog; a second one of the same kind takes the place of the first.

        A `sheet` belongs to the window below it, which waits for an answer without blocking the program.
        """
        old = self._dialogs.pop(key, None)
        if old is not None:
            old.close()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialogs[key] = dialog
        dialog.finished.connect(lambda: self._forget(key, dialog))
        if sheet:
            dialog.open()
        else:
            dialog.show()
            dialog.raise_()
            dialog.activateWindow()

    def get(self, key: str) -> QDialog | None:
        """Return the dialog of a kind that is open."""
        return self._dialogs.get(key)

    def close_all(self, *, lasting: bool = True) -> None:
        """Close the dialogs; with ``lasting=False`` only those that are about the project."""
        for key in [key for key in self._dialogs if lasting or key not in _LASTING]:
            self._dialogs.pop(key).close()

    def _forget(self, key: str, dialog: QDialog) -> None:
        if self._dialogs.get(key) is dialog:
            del self._dialogs[key]
