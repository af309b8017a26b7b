"""What every group of commands knows: the window and its session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow
    from sensiview.projects.records import RunRecord


class WindowPart:
    """Base of the groups of commands.

    Every command is a method that takes nothing; whatever it raises becomes a sentence in the window. Each is short:
    dialogs and panes do the work.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session

    def show_run(self, run: RunRecord) -> None:
        """Show a run's tab."""
        if self._window.results is not None:
            self._window.results.open_run(run.id)
            self._window.centre.show_page("results")

    def show_in_file_manager(self, folder: Path) -> None:
        """Open a folder in the system's file manager, or say where it is."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._session.say(f"No file manager was found. The folder is {folder}", level="warning")
