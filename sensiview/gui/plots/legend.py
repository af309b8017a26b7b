"""The legend of a plot: clickable where a series can be hidden, drawn with the plot so that exports have it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import (
    QGraphicsSceneHoverEvent,
    QGraphicsSceneMouseEvent,
    QGraphicsWidget,
    QStyleOptionGraphicsItem,
    QWidget,
)

from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.themes import Theme

Shape = Literal["box", "line", "ring", "triangle", "diamond", "dot", "corner"]
_SWATCH = 16.0
_GAP = 6.0
_BETWEEN = 18.0
_WIDEST = 170.0  # of a column beside the panel; lines above it have more room
_WIDEST_LINE = 340.0
_NARROWEST = 96.0  # beside a narrow panel


@dataclass(frozen=True)
class Entry:
    """One line of a legend."""

    key: str
    text: str
    pen: QPen
    shape: Shape = "box"
    shown: bool = True


class Legend(QGraphicsWidget):
    """Entries side by side over several lines, or one below the other.

    Signals
    -------
    toggled(str)
        The entry with this key was clicked.
    """

    toggled = Signal(str)

    def __init__(
        self, entries: Sequence[Entry], colours: Theme, font: QFont, *, column: bool = False, clickable: bool = False
    ) -> None:
        super().__init__()
        self._entries = list(entries)
        self._colours, self._font, self._metrics = colours, font, QFontMetricsF(font)
        self._column, self._clickable = column, clickable
        self._under = -1
        self._places: list[QRectF] = []
        self.setAcceptHoverEvents(clickable)
        if clickable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        if column:
            width = math.ceil(max((self._width(entry) for entry in self._entries), default=0.0))
            self.setMinimumWidth(min(width, _NARROWEST))
            self.setPreferredWidth(width)
            self.setMaximumWidth(width)
        self._arrange(self.size())

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Write other texts in the same legend."""
        self._entries = list(entries)
        self._arrange(self.size())

    def entries(self) -> list[Entry]:
        """Return the entries in the order in which they are drawn."""
        return list(self._entries)

    def place(self, key: str) -> QRectF:
        """Return where an entry lies, in the legend's own coordinates; empty when there is no room for it."""
        for entry, place in zip(self._entries, self._places, strict=False):
            if entry.key == key:
                return place
        return QRectF()

    def resizeEvent(self, event: object) -> None:
        """Break the lines anew."""
        self._arrange(self.size())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw swatches and texts; what is hidden is faint."""
        painter.setFont(self._font)
        for index, (entry, place) in enumerate(zip(self._entries, self._places, strict=False)):
            painter.setOpacity(1.0 if entry.shown else 0.4)
            draw_swatch(painter, entry, QRectF(place.left(), place.top(), _SWATCH, place.height()))
            painter.setPen(QColor(self._colours.accent if index == self._under else self._colours.text))
            box = place.adjusted(_SWATCH + _GAP, 0, 0, 0)
            text = self._metrics.elidedText(entry.text, Qt.TextElideMode.ElideMiddle, box.width() + 0.5)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.setOpacity(1.0)
        hidden = len(self._entries) - len(self._places)
        if hidden:
            painter.setPen(QColor(self._colours.muted))
            line = self._metrics.height() + 4
            painter.drawText(QPointF(0, len(self._places) * line + self._metrics.ascent()), f"and {hidden} more")

    def hoverMoveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Light up the entry under the mouse; a shortened name shows whole."""
        under = self._at(event.pos())
        if under != self._under:
            self._under = under
            self.setToolTip(f"{self._entries[under].text}: click to hide or show" if under >= 0 else "")
            self.update()

    def hoverLeaveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """No entry is under the mouse any more."""
        self._under = -1
        self.update()

    def mousePressEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Take the click when an entry is under it."""
        event.setAccepted(self._clickable and self._at(event.pos()) >= 0)

    def mouseReleaseEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Toggle the entry that was clicked."""
        under = self._at(event.pos())
        if under >= 0:
            self.toggled.emit(self._entries[under].key)

    def _at(self, position: QPointF) -> int:
        for index, place in enumerate(self._places):
            if place.contains(position):
                return index
        return -1

    def _width(self, entry: Entry) -> float:
        widest = _WIDEST if self._column else _WIDEST_LINE
        return _SWATCH + _GAP + min(widest, math.ceil(self._metrics.horizontalAdvance(entry.text)) + 1)

    def _arrange(self, size: QSizeF) -> None:
        line = self._metrics.height() + 4
        self._places = []
        x = y = 0.0
        for index, entry in enumerate(self._entries):
            width = self._width(entry)
            if self._column:
                width = min(width, size.width() or width)
                # The last line says how many there was no room for.
                last = index == len(self._entries) - 1
                if size.height() and y + line * (1 if last else 2) > size.height() + 0.5:
                    break
                self._places.append(QRectF(0, y, width, line))
                y += line
                continue
            if x > 0 and x + width > size.width() > 0:
                x, y = 0.0, y + line
            self._places.append(QRectF(x, y, width, line))
            x += width + _BETWEEN
        if not self._column:
            needed = math.ceil(y + line) if self._entries else 0
            if needed != self.minimumHeight():
                self.setMinimumHeight(needed)
                self.setMaximumHeight(needed)
        self.update()


def draw_swatch(painter: QPainter, entry: Entry, box: QRectF) -> None:
    """Draw the small sign in front of an entry."""
    centre, colour = box.center(), entry.pen.color()
    if entry.shape == "line":
        painter.setPen(QPen(entry.pen.color(), 2.5, entry.pen.style()))
        painter.drawLine(QPointF(box.left(), centre.y()), QPointF(box.right(), centre.y()))
        return
    if entry.shape == "box":
        painter.fillRect(QRectF(centre.x() - 6, centre.y() - 6, 12, 12), colour)
        return
    if entry.shape == "corner":
        painter.fillRect(QRectF(centre.x() - 6, centre.y() - 6, 12, 12), faded(colour, 0.25))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corner = QPointF(centre.x() + 6, centre.y() - 6)
        painter.drawPolygon([corner, corner + QPointF(-7, 0), corner + QPointF(0, 7)])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        return
    painter.setPen(pen(colour, 1.5))
    painter.setBrush(faded(colour, 0.0 if entry.shape == "ring" else 1.0))
    radius = 4.5
    if entry.shape in ("ring", "dot"):
        painter.drawEllipse(centre, radius, radius)
    elif entry.shape == "triangle":
        painter.drawPolygon(
            [
                QPointF(centre.x(), centre.y() - radius),
                QPointF(centre.x() + radius, centre.y() + radius),
                QPointF(centre.x() - radius, centre.y() + radius),
            ]
        )
    else:
        painter.drawPolygon(
            [
                QPointF(centre.x(), centre.y() - radius - 1),
                QPointF(centre.x() + radius, centre.y()),
                QPointF(centre.x(), centre.y() + radius + 1),
                QPointF(centre.x() - radius, centre.y()),
            ]
        )
    painter.setBrush(Qt.BrushStyle.NoBrush)
