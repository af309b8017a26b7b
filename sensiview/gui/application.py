"""The application object: its name, its icon, theme and font, and what happens where Qt can't make one."""

from __future__ import annotations

import sys

from PySide6.QtCore import QCoreApplication, QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from sensiview import __version__
from sensiview.gui.error_report import write_log
from sensiview.gui.icons import application_icon
from sensiview.gui.platform_check import first_application
from sensiview.gui.themes import apply_font, apply_theme
from sensiview.settings import Settings


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
