"""What is drawn over the 3-D pane: which way the patient's axes point, and what must be known of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from sensiview.gui.viewer.corner_texts import AMBER, EDGE, fitted_font

if TYPE_CHECKING:
    from sensiview.gui.viewer.volume_3d import Pane3D


class AxesCross(QWidget):
    """Which way the patient's right, front and top point; lets the mouse through."""

    def __init__(self, pane: Pane3D) -> None:
        super().__init__(pane)
        self._pane = pane
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cross where a volume is shown."""
        if self._pane.seen is None:
            return
        painter = QPainter(self)
        self.draw(painter)
        painter.end()

    def draw(self, painter: QPainter) -> None:
        """Draw three axes with letters at both ends in the lower left corner, and the caption in the upper left."""
        into, up = self._pane.seen.directions
        into, up = into / np.linalg.norm(into), up / np.linalg.norm(up)
        # In (S, A, R) the hand of the axes is turned round: right is up x into there.
        right = np.cross(up, into)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = fitted_font(QApplication.font(), (self.width(), self.height()))
        painter.setFont(font)
        painter.setPen(AMBER)
        painter.drawText(QPointF(EDGE, EDGE - 2 + painter.fontMetrics().ascent()), self._pane.caption)
        font.setBold(True)
        painter.setFont(font)
        middle, reach = QPointF(52, self.height() - 52), 30.0
        ends = []
        for axis, letters in ((2, "LR"), (1, "PA"), (0, "IS")):
            for sign, letter in ((-1, letters[0]), (1, letters[1])):
                ends.append((-sign * into[axis], sign * right[axis], -sign * up[axis], letter, sign))
        for nearness, x, y, letter, sign in sorted(ends):
            colour = QColor("#ffd84a") if sign > 0 else QColor("#c8ccd4")
            colour.setAlphaF(0.55 + 0.45 * (nearness + 1) / 2)
            end = middle + QPointF(x, y) * reach
            painter.setPen(QPen(colour, 1.5))
            painter.drawLine(middle, end)
            box = QRectF(0, 0, 24, 24)
            box.moveCenter(middle + QPointF(x, y) * (reach + 11))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), letter)
