"""A heat map of named rows and columns with its colour bar."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.analysis.items import Array
from sensiview.gui.number_text import short
from sensiview.gui.plots.axis import Axis
from sensiview.gui.plots.canvas import Canvas
from sensiview.gui.plots.colour_bar import ColourBar
from sensiview.gui.plots.colours import colour_limits, lookup_table, text_on, to_indices
from sensiview.gui.plots.ticks import NameTicks
from sensiview.gui.themes import Theme

_MOST_CELLS = 6400


class CellGrid(QGraphicsWidget):
    """Coloured cells with their values where they fit; cells without a number are crossed out."""

    def __init__(
        self,
        values: Array,
        limits: tuple[float, float],
        signed: bool,
        colours: Theme,
        font: QFont,
        marked: Collection[tuple[int, int]] = (),
    ) -> None:
        super().__init__()
        self._values, self._colours, self._font, self._marked = values, colours, font, frozenset(marked)
        self._table = lookup_table(colours, signed=signed)
        self._indices = to_indices(values, limits)
        self.setMinimumSize(60, 40)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self._values.shape[1])

    def count(self) -> int:
        """Return the number of cells."""
        return int(self._values.size)

    def at(self, position: QPointF) -> int | None:
        """Return the cell at a place of the canvas, counted row by row."""
        here = self.mapFromScene(position)
        if not QRectF(QPointF(0, 0), self.size()).contains(here) or not self.count():
            return None
        size = self._cell()
        row = min(self._values.shape[0] - 1, int(here.y() / size.height()))
        column = min(self.columns - 1, int(here.x() / size.width()))
        return int(row * self.columns + column)

    def place(self, index: int) -> QRectF:
        """Return where a cell lies on the canvas."""
        return self.mapRectToScene(self._box(*divmod(index, self.columns)))

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw cells and, where they fit, numbers."""
        if self._values.size > _MOST_CELLS:
            self._paint_picture(painter)
            return
        size = self._cell()
        # Edges on whole pixels: no seams on the screen, and none in an SVG.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        gap = 1.0 if min(size.width(), size.height()) > 6 else 0.0
        font, decimals = self._number_font(size), self._decimals()
        rows, columns = self._values.shape
        for row in range(rows):
            for column in range(columns):
                box = self._box(row, column)
                box = QRectF(
                    QPointF(round(box.left()), round(box.top())), QPointF(round(box.right()), round(box.bottom()))
                ).adjusted(0, 0, -gap, -gap)
                index = int(self._indices[row, column])
                if index < 0:
                    painter.fillRect(box, QColor(self._colours.panel))
                    painter.setPen(QPen(QColor(self._colours.border)))
                    painter.drawLine(box.bottomLeft(), box.topRight())
                    continue
                colour = QColor(*(int(c) for c in self._table[index]))
                painter.fillRect(box, colour)
                if font is not None:
                    painter.setFont(font)
                    painter.setPen(text_on(colour))
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _cell_text(self._values[row, column], decimals))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        self._paint_marks(painter)

    def _paint_marks(self, painter: QPainter) -> None:
        """Cut a small corner off the cells that carry a remark: a sign that no number can be mistaken for."""
        size = min(7.0, 0.3 * min(self._cell().width(), self._cell().height()))
        if size < 2:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        for row, column in self._marked:
            index = int(self._indices[row, column])
            if index >= 0:
                corner = self._box(row, column).topRight() + QPointF(-1, 0)
                painter.setBrush(text_on(QColor(*(int(c) for c in self._table[index]))))
                painter.drawPolygon([corner, corner + QPointF(-size, 0), corner + QPointF(0, size)])
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_picture(self, painter: QPainter) -> None:
        """Draw very many cells as one picture, each a sharp rectangle."""
        none = QColor(self._colours.raised)
        padded = np.concatenate([self._table, [[none.red(), none.green(), none.blue()]]]).astype(np.uint8)
        pixels = np.ascontiguousarray(padded[self._indices])  # -1 is the last row: no value
        rows, columns = self._indices.shape
        image = QImage(pixels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        # Scaled without smoothing here, because viewers of SVG files blur what they scale.
        size = (self.size() * 2).toSize().expandedTo(image.size())
        painter.drawImage(QRectF(QPointF(0, 0), self.size()), image.scaled(size))

    def _cell(self) -> QSizeF:
        rows, columns = self._values.shape
        return QSizeF(self.size().width() / max(1, columns), self.size().height() / max(1, rows))

    def _box(self, row: int, column: int) -> QRectF:
        size = self._cell()
        return QRectF(column * size.width(), row * size.height(), size.width(), size.height())

    def _decimals(self) -> int | None:
        """Return the decimals with which the largest number has two digits; None when numbers are better in powers."""
        finite = np.abs(self._values[np.isfinite(self._values)])
        if finite.size == 0 or finite.max() == 0:
            return 0
        exponent = math.floor(math.log10(finite.max()))
        if bool(np.all(finite == np.round(finite))) and exponent <= 5:
            return 0  # counts
        return None if exponent < -3 or exponent > 5 else max(0, 1 - exponent + (exponent >= 0))

    def _number_font(self, size: QSizeF) -> QFont | None:
        """Return the largest font in which every number fits its cell, None when none is readable."""
        finite = self._values[np.isfinite(self._values)]
        if finite.size == 0 or finite.size > 2500:
            return None
        decimals = self._decimals()
        longest = max((_cell_text(value, decimals) for value in finite), key=len)
        for pixels in (self._font.pixelSize(), 10, 9):
            font = QFont(self._font)
            font.setPixelSize(pixels)
            metrics = QFontMetricsF(font)
            if metrics.horizontalAdvance(longest) + 6 < size.width() and metrics.height() + 1 < size.height():
                return font
        return None


def draw_heat_map(
    canvas: Canvas,
    values: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    value: str,
    signed: bool,
    row: int,
    row_axis: str = "",
    column_axis: str = "",
    marked: Collection[tuple[int, int]] = (),
) -> CellGrid:
    """Draw a matrix into the canvas's grid at `row`; returns the cells, which know what lies where."""
    font, colours = canvas.text_font(), canvas.colours
    limits = colour_limits(values, signed=signed)
    cells = CellGrid(values, limits, signed, colours, font, marked)
    left = Axis("left", NameTicks(rows), colours, font, label=row_axis, downwards=True, line=False)
    bottom = Axis("bottom", NameTicks(columns), colours, font, label=column_axis, line=False)
    left.set_range(-0.5, len(rows) - 0.5)
    bottom.set_range(-0.5, len(columns) - 0.5)
    canvas.grid.addItem(left, row, 0)
    canvas.grid.addItem(cells, row, 1)
    canvas.grid.addItem(ColourBar(limits, value, signed, colours, font), row, 2)
    canvas.grid.addItem(bottom, row + 1, 1)
    canvas.grid.setRowStretchFactor(row, 1)
    canvas.grid.setColumnStretchFactor(1, 1)
    return cells


def _cell_text(value: float, decimals: int | None) -> str:
    if decimals is None:
        return short(float(value), 2)
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text
