"""From the command to a visible window within a second: Qt and light modules first, everything else behind it.

The splash comes as soon as Qt's widgets are loaded, before the window's own modules. Nothing here imports numpy,
pandas, pydantic or pyqtgraph before the first paint; a thread of its own imports them while the window is already
there.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from sensiview import __version__, locations
from sensiview.errors import SensiViewError
from sensiview.gui.error_report import UnexpectedErrors, write_log
from sensiview.gui.icons import application_icon
from sensiview.gui.platform_check import first_application
from sensiview.gui.themes import apply_font, apply_theme
from sensiview.projects.places import DATABASE, OPENER
from sensiview.settings import Settings, read_settings

if TYPE_CHECKING:
    from sensiview.analysis.catalogue import Catalogue
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import Session
    from sensiview.gui.splash import Splash
    from sensiview.jobs.supervisor import Worker

# For measurements: a file that receives the wall-clock time of the first paint, seconds since the epoch.
REPORT_SHOWN = "SENSIVIEW_REPORT_SHOWN"
# Without one, a worker is started this long after the window is complete: torch loads while the user looks around.
_WARM_UP_MS = 1500


def run_window(project: Path | None = None, screenshot: Sequence[str] = ()) -> int:
    """Open the window and return the exit code when it is closed.

    Parameters
    ----------
    project : Path, optional
        Project folder to open; the welcome page without one.
    screenshot : sequence of str
        File, size (``1280x800``) and pane: draw the window, save the picture, quit.
    """
    app = make_application()
    settings, notices = read_settings()
    apply_settings(app, settings)
    splash = None if screenshot else _splash()
    try:
        window = _make_window(settings, splash)
        starter = Starter(window, project, notices, warm_up=not screenshot)
        if splash is not None:
            splash.go_with(starter.painted)
        if screenshot:
            _expect_screenshot(window, starter, screenshot)
        else:
            _place(window)
    except BaseException:
        if splash is not None:
            splash.close()  # it must not lie over what says why
        raise
    errors = UnexpectedErrors(window)
    errors.install()
    # The desktop may change between day and night while the window is open.
    app.styleHints().colorSchemeChanged.connect(lambda: _follow_desktop(app, window.session))
    window.show()
    starter.begin()
    try:
        return app.exec()
    finally:
        errors.uninstall()


def _make_window(settings: Settings, splash: Splash | None) -> MainWindow:
    """Import and make the window, which takes most of a start."""
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import Services, Session

    if splash is not None:
        splash.say("Preparing the window")
    return MainWindow(Session(Services(settings=lambda: settings, catalogue=_catalogue, worker=_worker)))


def _expect_screenshot(window: MainWindow, starter: Starter, wanted: Sequence[str]) -> None:
    from sensiview.gui.screenshot import ScreenshotRequest, take_screenshot

    request = ScreenshotRequest.parse(*wanted)
    window.resize(request.size)
    problems: list[SensiViewError] = []
    window.session.problem.connect(problems.append)
    starter.complete.connect(lambda: take_screenshot(window, request, problems))


def _place(window: MainWindow) -> None:
    """Give the window the size and place it had, or one that fits."""
    from sensiview.gui import window_layout

    if not window_layout.restore_geometry(window):
        _fit_on_screen(window)


def _splash() -> Splash:
    from sensiview.gui.splash import Splash

    splash = Splash()
    splash.say("Loading the window")
    return splash


def make_application() -> QApplication:
    """Return the application object, named so that desktops group and label its windows."""
    present = QCoreApplication.instance()
    app = present if isinstance(present, QApplication) else first_application(_application, _give_up)
    app.setApplicationName("SensiView")
    app.setApplicationDisplayName("")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("sensiview")
    app.setWindowIcon(application_icon())
    return app


class Application(QApplication):
    """The application object; macOS tells it which project was double-clicked, in an event instead of an argument.

    Signals
    -------
    asked_for
        The path of a project that the desktop wants to be opened.
    """

    asked_for = Signal(str)

    def event(self, event: QEvent) -> bool:
        """Take what the desktop asks for."""
        if isinstance(event, QFileOpenEvent):
            self.asked_for.emit(event.file())
            return True
        return super().event(event)


def _application() -> QApplication:
    return Application(sys.argv[:1])


def _give_up(sentence: str, details: str) -> None:
    """Say why Qt can't show anything; it ends the process after that."""
    from sensiview.gui.early_errors import nobody_reads, speak

    write_log(f"{sentence}\n{details}")
    if sys.stderr is not None:
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    if nobody_reads():
        speak(sentence)


def apply_settings(app: QApplication, settings: Settings) -> None:
    """Give the application its theme and font size."""
    apply_font(app, settings.font_size)
    apply_theme(app, settings.theme)


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


def _follow_desktop(app: QApplication, session: Session) -> None:
    if session.settings.theme == "system":
        apply_theme(app, "system")


def _fit_on_screen(window: MainWindow) -> None:
    screen = window.screen().availableGeometry()
    window.resize(window.size().boundedTo(screen.size()))
    window.move(screen.center() - window.rect().center())


def _catalogue() -> Catalogue:
    from sensiview.plugin_loading import discover

    return discover()


def _worker() -> Worker:
    from sensiview.jobs.supervisor import Worker

    return Worker()
