"""Two viewers that look at the same place: cursor, zoom, enlarged pane and options go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sensiview.gui.viewer.compositing import in_plane
from sensiview.gui.viewer.pane import Pane

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

_OPTIONS = ("radiological", "nose_left", "crosshair")


class ViewerLink(QObject):
    """Keeps two viewers at the same millimetres; their volumes may have different grids."""

    def __init__(self, one: VolumeViewer, other: VolumeViewer) -> None:
        super().__init__(one)
        self._pair = (one, other)
        self._busy = False
        self._ended = False
        self._connections = []
        for here, there in ((one, other), (other, one)):
            scene = here.scene
            self._connections += [
                scene.cursor_changed.connect(lambda h=here, t=there: self._cursor(h, t)),
                scene.options_changed.connect(lambda h=here, t=there: self._options(h, t)),
                here.enlarged_changed.connect(lambda h=here, t=there: self._enlarged(h, t)),
            ]
            for name, pane in here.panes.items():
                twin = there.panes[name]
                self._connections.append(pane.view_changed.connect(lambda p=pane, q=twin: self._view(p, q)))
        # Whichever goes first takes the link with it.
        other.destroyed.connect(self._forget)
        self._options(one, other)
        self._cursor(one, other)
        for name, pane in one.panes.items():
            self._view(pane, other.panes[name])

    def end(self) -> None:
        """Let each go its own way."""
        if self._ended:
            return
        self._ended = True
        for connection in self._connections:
            QObject.disconnect(connection)
        self._connections = []
        self.deleteLater()

    def _forget(self) -> None:
        self._ended = True
        self._connections = []

    def _cursor(self, here: VolumeViewer, there: VolumeViewer) -> None:
        if not self._busy and not self._ended:
            self._busy = True
            there.scene.set_cursor(here.scene.cursor)
            self._busy = False

    def _options(self, here: VolumeViewer, there: VolumeViewer) -> None:
        if not self._busy and not self._ended:
            self._busy = True
            there.scene.set_options(**{name: getattr(here.scene.options, name) for name in _OPTIONS})
            self._busy = False

    def _enlarged(self, here: VolumeViewer, there: VolumeViewer) -> None:
        if not self._busy and not self._ended:
            self._busy = True
            there.set_enlarged(here.enlarged)
            self._busy = False

    def _view(self, pane: Pane, twin: Pane) -> None:
        if self._busy or self._ended or pane.view is None or twin.view is None:
            return
        self._busy = True
        if pane.fits:
            twin.fit()
        else:
            # The same share of the pane's height shows the same length, also where the panes differ in size.
            scale = min(twin.height(), twin.width()) / max(1, min(pane.height(), pane.width()))
            across, up = in_plane(pane.axis)
            grid = twin.scene.grid
            low = [grid.origin[a] for a in (across, up)]
            high = [grid.mm((grid.shape[0], grid.shape[1], grid.shape[2]))[a] for a in (across, up)]
            first, second = (min(max(c, a), b) for c, a, b in zip(pane.view.centre, low, high, strict=True))
            twin.look_at((first, second), pane.view.zoom * scale)
        self._busy = False
