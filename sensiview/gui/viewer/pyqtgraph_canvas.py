"""A canvas without OpenGL: the same pictures at the same places, drawn by Qt."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from sensiview.gui.viewer.compositing import Picture
from sensiview.gui.viewer.pane_view import PaneView


class PyqtgraphCanvas(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """Shows one picture at a place in canvas mm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._view: PaneView | None = None  # asked for while the base class is being made
        super().__init__(parent, useOpenGL=False, background="#000000")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAntialiasing(False)
        self.enableMouse(False)
        self._item = pg.ImageItem(axisOrder="row-major")
        self.addItem(self._item)

    def show_picture(self, picture: Picture, place: tuple[float, float, float, float]) -> None:
        """Show a picture (rows, columns, 3) with its outer edges at left, top, width, height in canvas mm."""
        self._item.setImage(picture, autoLevels=False, levels=None)
        self._item.setRect(QRectF(*place))

    def show_view(self, view: PaneView) -> None:
        """Show another part, or at another size."""
        self._view = view
        right, down = view.canvas_centre
        width, height = self.width() / view.zoom, self.height() / view.zoom
        # pyqtgraph's own range; no padding and no fixed aspect, since both are ours already.
        self.setRange(QRectF(right - width / 2, down - height / 2, width, height), padding=0, disableAutoPixel=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the view at its scale."""
        super().resizeEvent(event)
        if self._view is not None:
            self.show_view(self._view)

    def dispose(self) -> None:
        """Let go of the picture."""
        self._item.clear()
