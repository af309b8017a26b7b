"""One image, large: wheel to zoom, drag to move, and the value of the pixel under the cursor."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sensiview.gui.image_grid import to_image

_CLOSEST = 64.0  # screen pixels per image pixel
_STEP = 1.25


class PictureView(QWidget):
    """An image fitted into the widget, unless the user zooms.

    Signals
    -------
    pointed(str)
        Place and value of the pixel under the cursor; empty when it is on none.
    opened()
        The image was double-clicked.
    """

    pointed = Signal(str)
    opened = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Image")
        self.setAccessibleDescription("Point at a pixel to read its value; wheel to zoom, drag to move, 0 to fit")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self._picture = QImage()
        self._pixels: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._sentence = ""
        self._scale = 0.0  # 0: fitted
        self._centre = QPointF()
        self._dragged_from: QPointF | None = None

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(420, 420)

    def show_pixels(
        self, pixels: np.ndarray[Any, np.dtype[np.float32]], picture: np.ndarray[Any, np.dtype[np.uint8]]
    ) -> None:
        """Show an image: its values (channels, y, x), and the picture of them, uint8."""
        same = self._pixels is not None and self._pixels.shape[1:] == pixels.shape[1:]
        self._pixels, self._picture, self._sentence = pixels, to_image(picture), ""
        if not same:
            self._scale = 0.0
        self.update()

    def say(self, sentence: str) -> None:
        """Show a sentence in the image's place."""
        self._pixels, self._picture, self._sentence = None, QImage(), sentence
        self.update()
        self.pointed.emit("")

    def is_empty(self) -> bool:
        """Return whether no image is shown."""
        return self._pixels is None

    def pixel_at(self, position: QPointF) -> tuple[int, int] | None:
        """Return x and y of the image's pixel at a place of the widget; None beside the image."""
        if self._picture.isNull():
            return None
        area = self._area()
        x = int(np.floor((position.x() - area.left()) / area.width() * self._picture.width()))
        y = int(np.floor((position.y() - area.top()) / area.height() * self._picture.height()))
        inside = 0 <= x < self._picture.width() and 0 <= y < self._picture.height()
        return (x, y) if inside else None

    def describe(self, x: int, y: int) -> str:
        """Return place and value of a pixel."""
        assert self._pixels is not None
        values = self._pixels[:, y, x]
        if float(self._pixels.min()) >= 0 and float(self._pixels.max()) <= 1:
            whole = ", ".join(str(round(float(v) * 255)) for v in values)
            exact = ", ".join(f"{float(v):.4f}" for v in values)
            return f"x {x}, y {y}:  {whole}  ({exact})"
        return f"x {x}, y {y}:  " + ", ".join(f"{float(v):.5g}" for v in values)

    # Events.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image on black, with sharp pixels where it is enlarged."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if self._picture.isNull():
            painter.setPen(QColor("#b4bac4"))
            inner = self.rect().adjusted(16, 16, -16, -16)
            painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._sentence)
            return
        area = self._area()
        enlarged = area.width() >= self._picture.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not enlarged)
        painter.drawImage(area, self._picture)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say the pixel under the cursor, or move the image."""
        if self._dragged_from is not None and not self._picture.isNull():
            moved = event.position() - self._dragged_from
            self._dragged_from = event.position()
            self._centre -= moved / self._factor()
            self.update()
        place = self.pixel_at(event.position())
        self.pointed.emit(self.describe(*place) if place is not None else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the image."""
        if event.button() == Qt.MouseButton.LeftButton and self._scale:
            self._dragged_from = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._dragged_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for more room, or for less."""
        self.opened.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        self.pointed.emit("")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the cursor."""
        turns = event.angleDelta().y() / 120
        if not self._picture.isNull() and turns:
            self._zoom(_STEP**turns, event.position())
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plus, minus and 0 zoom."""
        middle = QPointF(self.rect().center())
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(_STEP, middle)
        elif event.key() == Qt.Key.Key_Minus:
            self._zoom(1 / _STEP, middle)
        elif event.key() == Qt.Key.Key_0:
            self._scale = 0.0
            self.update()
        else:
            super().keyPressEvent(event)

    # Inside.

    def _fitted(self) -> float:
        return min(self.width() / self._picture.width(), self.height() / self._picture.height())

    def _factor(self) -> float:
        return self._scale or self._fitted()

    def _area(self) -> QRectF:
        """Return where the image lies in the widget."""
        factor = self._factor()
        size = QPointF(self._picture.width() * factor, self._picture.height() * factor)
        middle = QPointF(self.width() / 2, self.height() / 2)
        corner = middle - size / 2 if not self._scale else middle - self._centre * factor
        return QRectF(corner.x(), corner.y(), size.x(), size.y())

    def _zoom(self, by: float, around: QPointF) -> None:
        if self._picture.isNull():
            return
        area, old = self._area(), self._factor()
        new = min(max(old * by, self._fitted()), _CLOSEST)
        fixed = (around - area.topLeft()) / old
        if new <= self._fitted():
            self._scale = 0.0
        else:
            self._scale = new
            middle = QPointF(self.width() / 2, self.height() / 2)
            self._centre = fixed - (around - middle) / new
        self.update()
