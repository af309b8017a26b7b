"""``--screenshot``: the real window, drawn once it is idle, saved, closed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QSize, QTimer
from PySide6.QtWidgets import QApplication, QDockWidget, QWidget

from sensiview.errors import SensiViewError, UserError, suggestion
from sensiview.gui import background

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow

# Idle means: nothing read in the background, no job, no viewer that still gets its canvases, an event loop that is
# never held up for long, and all this for a while.
_QUIET_S = 0.6
_HELD_UP_S = 0.3
_LIMIT_S = 60.0
_STEP_MS = 50
_NAMES = ("welcome", "dataset", "model", "analysis", "jobs", "results")


@dataclass(frozen=True)
class ScreenshotRequest:
    """What to draw, how large, and where to save it."""

    path: Path
    size: QSize
    show: str = ""

    @classmethod
    def parse(cls, path: str, size: str = "1280x800", show: str = "") -> ScreenshotRequest:
        """Check what the command line gave.

        Raises
        ------
        UserError
            The size is no size, the folder does not exist, or the picture is no PNG.
        """
        match = re.fullmatch(r"(\d{3,5})\s*[xX×]\s*(\d{3,5})", size.strip())
        if not match:
            raise UserError(f"--size takes width x height in pixels, such as 1280x800 (given: {size!r}).")
        target = Path(path)
        if target.suffix.lower() != ".png":
            raise UserError(f"The picture is written as PNG; give a name that ends in .png (given: {target.name}).")
        if not target.absolute().parent.is_dir():
            raise UserError(f"The folder {target.absolute().parent} does not exist. Make it first.")
        return cls(target, QSize(int(match[1]), int(match[2])), show.strip())


def take_screenshot(window: MainWindow, request: ScreenshotRequest, problems: Sequence[SensiViewError] = ()) -> None:
    """Show the wanted pane, wait until the window is idle, save the picture and quit.

    What failed before, a project that can't be opened, is said instead of taking a picture; the exit code is then 1.
    """
    _Photographer(window, request).begin(problems)


class _Photographer(QObject):
    def __init__(self, window: MainWindow, request: ScreenshotRequest) -> None:
        super().__init__(window)
        self._window = window
        self._request = request
        self._began = time.monotonic()
        self._quiet_since = self._looked = self._began
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._look)

    def begin(self, problems: Sequence[SensiViewError]) -> None:
        """Show the pane and start waiting."""
        if problems:
            self._give_up(problems[0].sentence)
            return
        try:
            if self._request.show:
                _show(self._window, self._request.show)
        except SensiViewError as error:
            self._give_up(error.sentence)
            return
        self._timer.start()

    def _look(self) -> None:
        now = time.monotonic()
        held_up = now - self._looked > _HELD_UP_S
        self._looked = now
        if held_up or background.busy() or self._window.session.jobs.live is not None or _is_loading(self._window):
            self._quiet_since = now
        if now - self._quiet_since >= _QUIET_S:
            self._save()
        elif now - self._began > _LIMIT_S:
            self._give_up(f"The window was still busy after {_LIMIT_S:.0f} s; no picture was taken.")

    def _save(self) -> None:
        self._timer.stop()
        # Deferred deletes and layouts first, so that nothing half-made is in the picture.
        QApplication.sendPostedEvents()
        picture = self._window.grab()
        if not picture.save(str(self._request.path), "PNG"):
            self._give_up(f"The picture can't be written to {self._request.path}. Check the folder.")
            return
        self._window.close()
        QCoreApplication.exit(0)

    def _give_up(self, sentence: str) -> None:
        import sys

        self._timer.stop()
        sys.stderr.write(f"{sentence}\n")
        self._window.close()
        QCoreApplication.exit(1)


def _is_loading(window: MainWindow) -> bool:
    """Say whether a viewer that is seen has not got the canvases yet that it will be drawn with."""
    viewers = window.findChildren(QWidget, "volume_viewer")
    return any(
        viewer.isVisible() and viewer.choice.kind != viewer.drawn_by  # type: ignore[attr-defined]
        for viewer in viewers
    )


def _show(window: MainWindow, name: str) -> None:
    pages = {"dataset": "dataset", "model": "model", "results": "results"}
    if name == "welcome":
        window.centre.show_welcome()
    elif name in pages:
        window.action_set[f"show_{name}"].trigger()
    elif name in ("analysis", "jobs", "messages", "project"):
        window.docks[name].show()
        window.docks[name].raise_()
    elif window.session.run_record(name) is not None:
        window.commands.open_entry("run", name)
    else:
        _show_widget(window, name)


def _show_widget(window: MainWindow, name: str) -> None:
    widget = window.findChild(QWidget, name)
    if widget is None:
        known = [*_NAMES, *(run.id for run in window.session.runs())]
        raise UserError(f"There is no pane or run '{name}' to show.{suggestion(name, known)}")
    parent: QWidget | None = widget
    while parent is not None:
        if isinstance(parent, QDockWidget):
            parent.show()
            parent.raise_()
        for page in ("dataset", "model", "results"):
            if parent is window.centre.widget(page):
                window.centre.show_page(page)
        parent = parent.parentWidget()
