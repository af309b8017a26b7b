"""What a window needs beyond Qt, brought in behind its first paint: project, panes, analyses, a warm worker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal

from sensiview import locations
from sensiview.gui.application import Application
from sensiview.projects.places import DATABASE, OPENER

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow

# For measurements: a file that receives the wall-clock time of the first paint, seconds since the epoch.
REPORT_SHOWN = "SENSIVIEW_REPORT_SHOWN"
# Without one, a worker is started this long after the window is complete: torch loads while the user looks around.
_WARM_UP_MS = 1500


class Starter(QObject):
    """Does after the first paint, piece by piece, what the window needs beyond Qt.

    Signals
    -------
    painted
        The window is visible.
    complete
        Panes are there, the project is open.
    """

    painted = Signal()
    complete = Signal()
    _imported = Signal(str)
    _unkept = Signal(str)

    def __init__(self, window: MainWindow, project: Path | None, notices: Sequence[str], *, warm_up: bool) -> None:
        super().__init__(window)
        self._window = window
        self._project = project
        self._notices = notices
        self._warm_up = warm_up
        self._imported.connect(self._go_on)
        self._unkept.connect(self._warn_of_loss)

    def begin(self) -> None:
        """Wait for the first paint, then import in a thread."""
        self._window.installEventFilter(self)
        app = QCoreApplication.instance()
        if isinstance(app, Application):
            app.asked_for.connect(self._asked_for)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The first paint of the window starts everything else."""
        if watched is self._window and event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self, self._painted)
        return False

    def _asked_for(self, path: str) -> None:
        """Open the project that the desktop names, once all panes are there."""
        if self._window.is_complete:
            self._window.commands.open_path(Path(path))
        else:
            self.complete.connect(lambda: self._window.commands.open_path(Path(path)))

    def _painted(self) -> None:
        self.painted.emit()
        report = os.environ.get(REPORT_SHOWN)
        if report:
            Path(report).write_text(repr(time.time()), encoding="ascii")
        for notice in self._notices:
            self._window.session.say(notice, level="warning")
        self._tell(f"Opening {_title(self._project)}" if self._project is not None else "Loading the analyses")
        threading.Thread(target=self._import, name="imports", daemon=True).start()

    def _tell(self, words: str) -> None:
        """Say in the status bar what is being loaded while the window can be used already."""
        self._window.statusBar().showMessage(f"{words} …" if words else "")

    def _import(self) -> None:
        # In a thread: the window stays responsive while Python reads a thousand files.
        locations.lend_temporary_folder()
        for name in ("sensiview.projects.store", "sensiview.running"):
            import_module(name)
        self._imported.emit("project")
        for name in ("pandas", "pyqtgraph"):
            import_module(name)
        from sensiview.plugin_loading import discover

        # Reads every analysis once; when the window asks for them they are imported already.
        discover()
        self._imported.emit("panes")
        if problem := locations.home_problem():
            self._unkept.emit(problem)
        # Looked up once per process; the first lookup searches the whole environment.
        from sensiview.projects.records import program_versions

        program_versions()

    def _warn_of_loss(self, sentence: str) -> None:
        """Say that nothing is kept: in the messages, and where it is seen on the welcome page as well."""
        from sensiview.gui.status_bar import StatusBar

        self._window.session.say(sentence, level="warning")
        status = self._window.statusBar()
        if isinstance(status, StatusBar):
            status.unkept.say("Preferences are not kept", sentence)

    def _go_on(self, part: str) -> None:
        window = self._window
        if part == "project":
            if self._project is not None and not window.session.open(self._project):
                self._project = None
            self._tell("Loading the analyses")
            return
        window.complete()
        self._tell("")
        self.complete.emit()
        if self._warm_up:
            QTimer.singleShot(_WARM_UP_MS, window.session.jobs, window.session.jobs.warm_up)


def _title(path: Path) -> str:
    """Return the name of a project that was given by its folder or by a file in it."""
    folder = path.parent if path.name in (DATABASE, OPENER) else path
    return folder.name.removesuffix(".sensiview")
