"""An axis drawn with plain text: sized before it is shown, and text stays text in an SVG.

pyqtgraph's own axis learns the width of its labels only while it paints, so that a picture drawn without a
window comes out clipped, and it can't turn or shorten long names.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.gui.plots.colours import pen
from sensiview.gui.plots.ticks import NameTicks, Tick, Ticks
from sensiview.gui.themes import Theme

_TICK = 4.0
_GAP = 4.0
_LONGEST_NAME = 180.0  # pixels; longer names are shortened, the read-out has the whole
_TURN = 35.0  # degrees; upright when the names are closer than that allows


class Axis(QGraphicsWidget):
    """The left or bottom axis of one panel.

    `low` and `high` are the numbers at the bottom (or left) end and the other end; with `downwards` a left axis
    counts from the top, as tables and images do.
    """

    def __init__(
        self,
        side: Literal["left", "bottom"],
        ticks: Ticks,
        colours: Theme,
        font: QFont,
        *,
        label: str = "",
        grid: bool = False,
        downwards: bool = False,
        line: bool = True,
    ) -> None:
        super().__init__()
        self._side, self._ticks, self._colours, self._label = side, ticks, colours, label
        self._font, self._metrics = font, QFontMetricsF(font)
        self._grid, self._downwards, self._line = grid, downwards, line
        self._low, self._high = 0.0, 1.0
        self._grid_length = 0.0
        self._turn = 0.0
        # Behind the panel's contents (a view box lies at -100): the grid lines reach into it.
        self.setZValue(-200)
        self._fit()

    @property
    def turn(self) -> float:
        """Degrees by which names are turned because they don't fit side by side; 0 when they do."""
        return self._turn

    def set_range(self, low: float, high: float) -> None:
        """Say which numbers lie at the two ends."""
        if (low, high) != (self._low, self._high):
            self._low, self._high = low, high
            self._fit()
            self.update()

    def set_grid_length(self, pixels: float) -> None:
        """Say how far grid lines reach into the panel."""
        if self._grid and pixels != self._grid_length:
            self.prepareGeometryChange()
            self._grid_length = pixels
            self.update()

    def texts(self) -> list[str]:
        """Return what is written at the ticks now, shortened where it is."""
        return [self._shortened(tick.text) for tick in self._shown() if tick.text]

    def boundingRect(self) -> QRectF:
        """Own rectangle, and the grid lines'."""
        own = QRectF(QPointF(0, 0), self.size())
        if self._side == "left":
            return own.adjusted(0, -10, self._grid_length, 10)
        return own.adjusted(-_LONGEST_NAME if self._turn else -20, -self._grid_length, 20, 0)

    def resizeEvent(self, event: object) -> None:
        """Turn or un-turn names when the width has changed."""
        self._fit()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw grid, ticks, texts and label."""
        painter.setFont(self._font)
        if self._side == "left":
            self._paint_left(painter)
        else:
            self._paint_bottom(painter)

    def _length(self) -> float:
        return self.size().height() if self._side == "left" else self.size().width()

    def _shown(self) -> list[Tick]:
        if not isinstance(self._ticks, NameTicks):
            return self._numbers()
        ticks = self._ticks.between(self._low, self._high, 0)
        if not self._length():
            return ticks
        # Where there are more names than lines of text fit, every second, third, ... is written.
        every = max(1, math.ceil(len(ticks) * self._metrics.height() * 0.95 / self._length()))
        return ticks[::every]

    def _numbers(self) -> list[Tick]:
        """Return as many ticks as there is room for: how wide their texts are depends on how many there are."""
        line = self._metrics.height()
        # A low panel gets its ticks closer together than a high one needs them.
        spacing = 4.0 if self._side == "bottom" else 2.0 if self._length() < 200 else 3.0
        room = max(2, int(self._length() / (spacing * line)))
        while True:
            ticks = self._ticks.between(self._low, self._high, room)
            written = [tick for tick in ticks if tick.text]
            if self._side == "left" or room <= 2 or len(written) < 2:
                return ticks
            widest = max(self._metrics.horizontalAdvance(tick.text) for tick in written)
            apart = min(b.position - a.position for a, b in pairwise(written)) / (self._high - self._low)
            if apart * self._length() > widest + 12:
                return ticks
            room -= 1

    def _pixel(self, position: float) -> float:
        share = (position - self._low) / ((self._high - self._low) or 1.0)
        if self._side == "left" and not self._downwards:
            share = 1.0 - share
        return share * self._length()

    def _shortened(self, text: str) -> str:
        return self._metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, _LONGEST_NAME)

    def _widest(self) -> float:
        return max((self._metrics.horizontalAdvance(text) for text in self.texts()), default=0.0)

    def _label_for(self, room: float) -> str:
        return self._metrics.elidedText(self._label, Qt.TextElideMode.ElideRight, room)

    def _label_room(self) -> float:
        return self._metrics.height() + _GAP if self._label else 0.0

    def _fit(self) -> None:
        """Reserve the room across the axis that the texts need."""
        widest = self._widest()
        if self._side == "left":
            needed = math.ceil(widest + _TICK + _GAP + self._label_room())
            # A little slack, so that the panel does not jump while a live plot's numbers change.
            if not self.minimumWidth() or needed > self.minimumWidth() or needed < self.minimumWidth() - 12:
                self.setMinimumWidth(needed)
                self.setMaximumWidth(needed)
            return
        self._turn = self._turn_for(widest)
        turn = math.radians(self._turn)
        across = widest * math.sin(turn) + self._metrics.height() * math.cos(turn)
        needed = math.ceil(across + _TICK + _GAP + self._label_room())
        if needed != self.minimumHeight():
            self.setMinimumHeight(needed)
            self.setMaximumHeight(needed)

    def _turn_for(self, widest: float) -> float:
        names = len(self._shown()) if isinstance(self._ticks, NameTicks) else 0
        if not names or not self._length() or widest + 8 <= self._length() / names:
            return 0.0
        apart = self._length() / names * math.sin(math.radians(_TURN))
        return _TURN if apart >= self._metrics.height() else 90.0

    def _paint_left(self, painter: QPainter) -> None:
        edge, height = self.size().width(), self.size().height()
        for tick in self._shown():
            y = self._pixel(tick.position)
            if self._grid and 0.5 < y < height - 0.5:
                painter.setPen(pen(self._colours.grid))
                painter.drawLine(QPointF(edge, y), QPointF(edge + self._grid_length, y))
            painter.setPen(QColor(self._colours.text))
            box = QRectF(0, y - self._metrics.height(), edge - _TICK - _GAP, 2 * self._metrics.height())
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, self._shortened(tick.text))
        if self._line:
            painter.setPen(pen(self._colours.border))
            painter.drawLine(QPointF(edge, 0), QPointF(edge, height))
        if self._label:
            painter.save()
            painter.translate(0, height / 2)
            painter.rotate(-90)
            painter.setPen(QColor(self._colours.muted))
            box = QRectF(-height / 2, 0, height, self._metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._label_for(height))
            painter.restore()

    def _paint_bottom(self, painter: QPainter) -> None:
        width, height = self.size().width(), self.size().height()
        line = self._metrics.height()
        for tick in self._shown():
            x = self._pixel(tick.position)
            if self._grid and 0.5 < x < width - 0.5:
                painter.setPen(pen(self._colours.grid))
                painter.drawLine(QPointF(x, 0), QPointF(x, -self._grid_length))
            painter.setPen(QColor(self._colours.text))
            text = self._shortened(tick.text)
            if self._turn:
                painter.save()
                upright = self._turn > 80
                painter.translate(x if upright else x + line / 4, _TICK + _GAP)
                painter.rotate(-self._turn)
                advance = self._metrics.horizontalAdvance(text)
                painter.drawText(QPointF(-advance, self._metrics.ascent() * (0.4 if upright else 0.8)), text)
                painter.restore()
            elif text:
                if not isinstance(self._ticks, NameTicks):
                    painter.setPen(pen(self._colours.border))
                    painter.drawLine(QPointF(x, 0), QPointF(x, _TICK))
                    painter.setPen(QColor(self._colours.text))
                half = self._metrics.horizontalAdvance(text) / 2 + 2
                painter.drawText(QRectF(x - half, _TICK + _GAP / 2, 2 * half, line), Qt.AlignmentFlag.AlignCenter, text)
        if self._line:
            painter.setPen(pen(self._colours.border))
            painter.drawLine(QPointF(0, 0), QPointF(width, 0))
        if self._label:
            painter.setPen(QColor(self._colours.muted))
            box = QRectF(0, height - line, width, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._label_for(width))
