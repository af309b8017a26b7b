"""The image of a screening with its parts: outlined, in the colours of their classes, lit up and pinned."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QTransform
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.analysis.items import Array
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.plots.image_tile import to_image
from sensiview.gui.plots.screening_parts import Parts, outline
from sensiview.gui.themes import Theme


class PartsPicture(QGraphicsWidget):
    """Draws one image and its parts.

    Parameters
    ----------
    parts : Parts
    caption : str
        Below the image.
    outlined : bool
        Whether the borders of all parts are drawn.
    """

    def __init__(self, parts: Parts, colours: Theme, font: QFont, *, caption: str = "", outlined: bool = True) -> None:
        super().__init__()
        self._parts, self._colours, self._outlined = parts, colours, outlined
        self._font, self._metrics, self._caption = font, QFontMetricsF(font), caption
        self._borders = _path(outline(parts.labels)) if outlined else QPainterPath()
        self._own: dict[int, QPainterPath] = {}
        self._lit = 0
        self._pinned: tuple[int, ...] = ()
        ground = QColor(colours.raised)
        plain = np.array([ground.red(), ground.green(), ground.blue()], dtype=np.uint8)
        self._ground = np.broadcast_to(plain, (*parts.labels.shape, 3)) if parts.picture is None else parts.picture
        self._image = to_image(self._ground)
        self.setMinimumSize(110, 110)
        self.setPreferredSize(340, 260)

    def tint(self, by_number: Mapping[int, QColor]) -> None:
        """Colour parts, by number, as far as their colours cover; the others show the image as it is."""
        table = np.zeros((int(self._parts.labels.max(initial=0)) + 1, 4), dtype=np.float32)
        for number, colour in by_number.items():
            if 0 < number < len(table):
                table[number] = (colour.red(), colour.green(), colour.blue(), colour.alphaF())
        found = table[self._parts.labels]
        alpha = found[..., 3:]
        mixed = alpha * found[..., :3] + (1.0 - alpha) * self._ground
        self._image = to_image(mixed.round().astype(np.uint8))
        self.update()

    def light(self, number: int) -> None:
        """Show one part as the one that is pointed at; 0 for none."""
        if number != self._lit:
            self._lit = number
            self.update()

    def pin(self, numbers: Collection[int]) -> None:
        """Show parts as chosen."""
        self._pinned = tuple(numbers)
        self.update()

    def lit(self) -> int:
        """Return the part that is shown as pointed at."""
        return self._lit

    def pinned(self) -> tuple[int, ...]:
        """Return the parts that are shown as chosen."""
        return self._pinned

    def part_at(self, position: QPointF) -> int:
        """Return the number of the part at a place of the canvas; 0 outside of all."""
        here, box = self.mapFromScene(position), self._box()
        if not box.contains(here):
            return 0
        height, width = self._parts.labels.shape
        x = int((here.x() - box.x()) / box.width() * width)
        y = int((here.y() - box.y()) / box.height() * height)
        return int(self._parts.labels[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])

    def place(self, number: int) -> QRectF:
        """Return the rectangle around a part on the canvas; empty when there is no such part."""
        shape = self._outline_of(number).boundingRect()
        return self.mapRectToScene(self._to_widget().mapRect(shape)) if not shape.isEmpty() else QRectF()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the image, borders, and the parts that are chosen or pointed at."""
        box = self._box()
        factor = max(1, int(np.ceil(2 * box.width() / max(1, self._image.width()))))
        # Scaled without smoothing here, because viewers of SVG files blur what they scale.
        painter.drawImage(box, self._image.scaled(self._image.width() * factor, self._image.height() * factor))
        to_widget = self._to_widget()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._outlined:
            borders = to_widget.map(self._borders)
            for colour, width in ((faded("#000000", 0.45), 1.6), (faded("#ffffff", 0.75), 0.7)):
                painter.setPen(pen(colour, width))
                painter.drawPath(borders)
        painter.setPen(pen(self._colours.border))
        painter.drawRect(box)
        for number in self._pinned:
            self._strong(painter, to_widget.map(self._outline_of(number)), QColor("#ffffff"))
        if self._lit:
            self._strong(painter, to_widget.map(self._outline_of(self._lit)), QColor("#ffe14d"))
        painter.setFont(self._font)
        painter.setPen(QColor(self._colours.muted))
        below = QRectF(0, box.bottom() + 2, self.size().width(), self._metrics.height())
        text = self._metrics.elidedText(self._caption, Qt.TextElideMode.ElideMiddle, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignHCenter, text)

    @staticmethod
    def _strong(painter: QPainter, path: QPainterPath, colour: QColor) -> None:
        # Dark around bright: seen on every picture.
        for shade, width in ((QColor("#000000"), 4.5), (colour, 2.2)):
            painter.setPen(pen(shade, width))
            painter.drawPath(path)

    def _box(self) -> QRectF:
        height, width = self._parts.labels.shape
        room = self.size()
        caption = self._metrics.height() + 4 if self._caption else 0.0
        scale = max(1e-6, min((room.width() - 2) / width, (room.height() - caption - 2) / height))
        return QRectF((room.width() - scale * width) / 2, 1.0, scale * width, scale * height)

    def _to_widget(self) -> QTransform:
        box = self._box()
        height, width = self._parts.labels.shape
        return QTransform(box.width() / width, 0, 0, box.height() / height, box.x(), box.y())

    def _outline_of(self, number: int) -> QPainterPath:
        if number not in self._own:
            self._own[number] = _path(outline((self._parts.labels == number).astype(np.int8)))
        return self._own[number]


def _path(lines: Array) -> QPainterPath:
    path = QPainterPath()
    for x1, y1, x2, y2 in lines.tolist():
        path.moveTo(x1, y1)
        path.lineTo(x2, y2)
    return path
