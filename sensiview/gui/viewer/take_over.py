"""napari takes the panes over from the plain canvases, without a moment in which the window stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.viewer import napari_canvas
from sensiview.gui.viewer.canvas_choice import CanvasChoice

if TYPE_CHECKING:
    from sensiview.gui.viewer.pane import Pane
    from sensiview.gui.viewer.viewer import VolumeViewer

# The first slices are painted before.
_WAIT_MS = 50


class NapariTakeOver(QObject):
    """Imports napari in a thread, then gives one pane after the other its canvas."""

    def __init__(self, viewer: VolumeViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._begun = False
        self._ended = False
        self._left: list[Pane] = []

    def begin(self) -> None:
        """Start once; called when the viewer is shown."""
        if not self._begun:
            self._begun = True
            QTimer.singleShot(_WAIT_MS, self, self._import)

    def end(self) -> None:
        """Do nothing any more."""
        self._ended = True

    def _import(self) -> None:
        if not self._ended:
            run_in_background(napari_canvas.prepare, lambda _: self._imported(), self._failed, owner=self)

    def _imported(self) -> None:
        self._left = list(self._viewer.panes.values())
        self._next()

    def _next(self) -> None:
        """Each canvas takes about a quarter of a second, so each gets a turn of its own."""
        if self._ended:
            return
        if self._left:
            self._left.pop(0).set_canvas("napari")
            QTimer.singleShot(0, self, self._next)
        else:
            self._viewer.drawn_by = "napari"
            self._viewer.pane_3d.set_kind("napari")

    def _failed(self, error: SensiViewError) -> None:
        sentence = f"napari can't be used here ({error.sentence}) Panes are drawn without it; there is no 3-D view."
        self._viewer.choice = CanvasChoice("pyqtgraph", sentence)
        self._viewer.pane_3d.set_kind("pyqtgraph", sentence)
        self._viewer.tell("")
