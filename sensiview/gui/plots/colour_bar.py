"""A colour bar: the colours from low to high, with numbers."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPen
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.analysis.items import Array
from sensiview.gui.plots.colours import lookup_table
from sensiview.gui.plots.ticks import NumberTicks
from sensiview.gui.themes import Theme

# Height of the point at an end that values lie beyond.
_POINT = 9.0


class ColourBar(QGraphicsWidget):
    """The colours from low to high with numbers and the name (unit) of what they stand for.

    Parameters
    ----------
    beyond : (bool, bool)
        Values lie below the low end, above the high end: a point is drawn there, in the colour of the end.
    note : str
        Beside the label.
    hidden : float
        Share of the scale, from 0 on, whose colours are left out because nothing is drawn there.
    """

    def __init__(
        self,
        limits: tuple[float, float],
        label: str,
        signed: bool,
        colours: Theme,
        font: QFont,
        *,
        table: Array | None = None,
        beyond: tuple[bool, bool] = (False, False),
        note: str = "",
        hidden: float = 0.0,
    ) -> None:
        super().__init__()
        self._limits, self._label, self._note, self._colours, self._font = limits, label, note, colours, font
        self._beyond, self._hidden = beyond, hidden
        self._table = lookup_table(colours, signed=signed) if table is None else table
        self._metrics = QFontMetricsF(font)
        widest = max((self._metrics.horizontalAdvance(t.text) for t in NumberTicks().between(*limits, 6)), default=20.0)
        lines = sum(self._metrics.height() for text in (label, note) if text)
        width = math.ceil(16 + 14 + 6 + widest + (lines + 4 if lines else 0))
        self.setMinimumWidth(width)
        self.setMaximumWidth(width)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the bar."""
        height = self.size().height()
        bar = QRectF(16, 0, 14, height).adjusted(0, _POINT * self._beyond[1], 0, -_POINT * self._beyond[0])
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for k in range(0, len(self._table), 5):
            gradient.setColorAt(k / (len(self._table) - 1), QColor(*(int(c) for c in self._table[k])))
        painter.fillRect(bar, gradient)
        self._leave_out(painter, bar)
        painter.setPen(QPen(QColor(self._colours.border)))
        painter.drawRect(bar)
        self._paint_points(painter, bar)
        painter.setFont(self._font)
        painter.setPen(QColor(self._colours.text))
        low, high = self._limits
        line = self._metrics.height()
        for tick in NumberTicks().between(low, high, max(2, min(6, int(height / (2.5 * line))))):
            y = self._height_of(tick.position, bar)
            painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 3, y))
            top = min(max(y - line / 2, -line / 4), height - 0.75 * line)
            painter.drawText(QPointF(bar.right() + 6, top + self._metrics.ascent()), tick.text)
        right = self.size().width()
        for text in (self._note, self._label):
            if text:
                self._paint_upright(painter, text, right)
                right -= line

    def _height_of(self, value: float, bar: QRectF) -> float:
        low, high = self._limits
        return bar.bottom() - bar.height() * (value - low) / (high - low)

    def _leave_out(self, painter: QPainter, bar: QRectF) -> None:
        """Cover the colours of values that are not drawn."""
        if self._hidden <= 0:
            return
        low, high = self._limits
        reach = self._hidden * max(abs(low), abs(high))
        top = self._height_of(min(reach, high), bar)
        bottom = self._height_of(max(-reach, low), bar)
        if bottom > top:
            painter.fillRect(QRectF(bar.x(), top, bar.width(), bottom - top), QColor(self._colours.panel))

    def _paint_points(self, painter: QPainter, bar: QRectF) -> None:
        ends = ((self._beyond[0], bar.bottom(), _POINT, 0), (self._beyond[1], bar.top(), -_POINT, -1))
        for drawn, y, way, at in ends:
            if drawn:
                painter.setBrush(QColor(*(int(c) for c in self._table[at])))
                painter.drawPolygon([
                    QPointF(bar.left(), y), QPointF(bar.right(), y), QPointF(bar.center().x(), y + way),
                ])  # fmt: skip
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_upright(self, painter: QPainter, text: str, right: float) -> None:
        """Write along the bar, from top to bottom, left of a line."""
        height, line = self.size().height(), self._metrics.height()
        painter.save()
        painter.translate(right, height / 2)
        painter.rotate(90)
        painter.setPen(QColor(self._colours.muted))
        shown = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, height)
        painter.drawText(QRectF(-height / 2, 0, height, line), Qt.AlignmentFlag.AlignCenter, shown)
        painter.restore()
