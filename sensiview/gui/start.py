"""From the command to a visible window within a second: Qt and light modules first, everything else behind it.

The splash comes as soon as Qt's widgets are loaded, before the window's own modules. Nothing here imports numpy,
pandas, pydantic or pyqtgraph before the first paint; a thread of its own imports them while the window is already
there (`sensiview.gui.starter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from sensiview.errors import SensiViewError
from sensiview.gui.application import apply_settings, make_application
from sensiview.gui.error_report import UnexpectedErrors
from sensiview.gui.starter import Starter
from sensiview.gui.themes import apply_theme
from sensiview.settings import Settings, read_settings

if TYPE_CHECKING:
    from sensiview.analysis.catalogue import Catalogue
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import Session
    from sensiview.gui.splash import Splash
    from sensiview.jobs.supervisor import Worker


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
