"""The dots of a screening in pixels over a panel: classes, intervals, names, the line that is dragged, frames."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QGraphicsSceneHoverEvent,
    QGraphicsSceneMouseEvent,
    QGraphicsWidget,
    QStyleOptionGraphicsItem,
    QWidget,
)

from sensiview.analysis.items import Array
from sensiview.gui.plots.canvas import Canvas, Panel
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.plots.label_places import label_places
from sensiview.gui.plots.screening_choice import adds
from sensiview.gui.plots.screening_data import LINEAR, NO_EFFECT, OTHER, UNKNOWN
from sensiview.gui.plots.screening_looks import Drawn, Guide, class_colour

_REACH, _GRIP, _LEAST_FRAME = 14.0, 5.0, 4.0
_SIZE = 8.0
# Dots beyond this many are drawn smaller, and only so many names are looked for a place.
_MANY, _SMALL = 1500, 5.0
# All are named where there are few; of many the strongest.
_ALL_NAMES, _SOME_NAMES = 30, 12
_WIDEST = 160.0


class ScreeningDots(QGraphicsWidget):
    """Draws and reads dots; the line is dragged, a frame around dots chooses them.

    Signals
    -------
    line_moved(float)
        The line was dragged to this mu_star.
    line_dropped()
        The drag ended.
    framed(object, bool)
        int64 indices of the dots in a frame; whether they are added to those that were chosen.
    """

    line_moved = Signal(float)
    line_dropped = Signal()
    framed = Signal(object, bool)

    def __init__(self, canvas: Canvas, panel: Panel, drawn: Drawn, classes: Array, line: float) -> None:
        super().__init__(canvas.centralWidget)
        self._panel, self._drawn, self._colours = panel, drawn, canvas.colours
        self._font, self._metrics = canvas.text_font(), QFontMetricsF(canvas.text_font())
        self._classes, self._line = classes, line
        self._chosen: tuple[int, ...] = ()
        self._at = np.full((len(drawn.names), 2), np.nan)
        self._labels: list[tuple[str, QRectF]] = []
        self._guides: list[Guide] = []
        self._dragging = False
        self._frame: QRectF | None = None
        self.setFlag(QGraphicsWidget.GraphicsItemFlag.ItemClipsToShape)
        # Only what must be drawn anew is: a highlight that moves over 10,000 dots touches a few.
        self.setFlag(QGraphicsWidget.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.LeftButton)
        self.setAcceptHoverEvents(True)
        panel.view.sigRangeChanged.connect(self._follow)
        panel.view.sigResized.connect(self._follow)

    def show_classes(self, classes: Array, line: float) -> None:
        """Draw the line elsewhere, and dots in other classes."""
        self._classes, self._line = classes, line
        self.update()

    def choose(self, indices: Collection[int]) -> None:
        """Ring these dots, and name them."""
        self._chosen = tuple(indices)
        self._name()
        self.update()

    def near(self, position: QPointF) -> int | None:
        """Return the dot within reach of a place of the canvas; of several the nearest."""
        if not self.geometry().contains(self.parentItem().mapFromScene(position)):
            return None
        here = self.mapFromScene(position)
        distance = np.hypot(self._at[:, 0] - here.x(), self._at[:, 1] - here.y())
        if not np.isfinite(distance).any():
            return None
        best = int(np.nanargmin(distance))
        return best if distance[best] < _REACH else None

    def place(self, index: int) -> QRectF:
        """Return a square around a dot; empty where it is not seen."""
        x, y = self._at[index]
        if not np.isfinite(x + y) or not self.rect().contains(QPointF(x, y)):
            return QRectF()
        return self.mapRectToScene(QRectF(x - 7, y - 7, 14, 14))

    def labels(self) -> list[str]:
        """Return the names that are written."""
        return [name for name, _ in self._labels]

    # Where things lie.

    def _follow(self, *_: object) -> None:
        self.setGeometry(self._panel.view.geometry())
        zero, one = (self.mapFromScene(self._panel.to_scene(k, k)) for k in (0.0, 1.0))
        self._at = np.stack(
            [self._across(self._drawn.x, zero.x(), one.x()), self._across(self._drawn.y, zero.y(), one.y())], axis=1
        )
        self._ends = (
            self._across(self._drawn.x_ends, zero.x(), one.x()), self._across(self._drawn.y_ends, zero.y(), one.y())
        )  # fmt: skip
        self._zero, self._one = zero, one
        self._guides = [
            Guide.of(slope, text, zero, one, self.rect(), self._metrics)
            for slope, text in self._drawn.guides
            if one.x() != zero.x()  # before it has a size
        ]
        self._name()
        self.update()

    @staticmethod
    def _across(values: Array, zero: float, one: float) -> Array:
        placed: Array = zero + values * (one - zero)
        return placed

    def _name(self) -> None:
        """Find places for the names: dots that are chosen first, then the largest mu_star."""
        self._labels = self._named([*self._chosen], None)
        if self._drawn.named:
            drawn = np.flatnonzero(np.isfinite(self._at).all(axis=1))[::-1]
            strongest = drawn if len(self._drawn.names) <= _ALL_NAMES else drawn[:_SOME_NAMES]
            self._labels += self._named([k for k in strongest.tolist() if k not in self._chosen], self._at)

    def _named(self, dots: list[int], uncovered: Array | None) -> list[tuple[str, QRectF]]:
        shown = [k for k in dots if self.rect().contains(QPointF(*self._at[k]))]
        names = [self._metrics.elidedText(self._drawn.names[k], Qt.TextElideMode.ElideMiddle, _WIDEST) for k in shown]
        points = [QPointF(*self._at[k]) for k in shown]
        taken = [guide.box for guide in self._guides]
        taken += [box for _, box in self._labels] if uncovered is not None else []
        return label_places(names, points, self._metrics, self.rect(), uncovered, taken, diagonal=self._drawn.intervals)

    def _line_x(self) -> float:
        return self._zero.x() + self._line * (self._one.x() - self._zero.x())

    # Painting.

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw guides, line, intervals, dots, names and the frame."""
        painter.setFont(self._font)
        # Nothing outside of the panel, not even where a file would cut nothing off.
        seen = option.exposedRect.adjusted(-_SIZE, -_SIZE, _SIZE, _SIZE).intersected(self.rect())
        for guide in self._guides:
            guide.paint(painter, self._colours, self._metrics)
        self._paint_line(painter)
        exposed = (
            (self._at[:, 0] >= seen.left()) & (self._at[:, 0] <= seen.right())
            & (self._at[:, 1] >= seen.top()) & (self._at[:, 1] <= seen.bottom())
        )  # fmt: skip
        if self._drawn.intervals:
            self._paint_intervals(painter)
        size = _SIZE if len(self._at) <= _MANY else _SMALL
        for kind in (UNKNOWN, NO_EFFECT, LINEAR, OTHER):
            self._paint_dots(painter, np.flatnonzero(exposed & (self._classes == kind)), kind, size)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(self._colours.text, 1.8))
        for index in self._chosen:
            if self.rect().contains(QPointF(*self._at[index])):
                painter.drawEllipse(QPointF(*self._at[index]), size / 2 + 3, size / 2 + 3)
        for name, box in self._labels:
            painter.setPen(QColor(self._colours.text))
            painter.drawText(QPointF(box.left(), box.top() + self._metrics.ascent()), name)
        if self._frame is not None:
            painter.setPen(pen(self._colours.accent, 1.2, Qt.PenStyle.DashLine))
            painter.setBrush(faded(self._colours.accent, 0.12))
            painter.drawRect(self._frame.normalized())

    def _paint_line(self, painter: QPainter) -> None:
        x, whole = self._line_x(), self.rect()
        if not whole.left() <= x <= whole.right():
            return
        painter.fillRect(QRectF(whole.left(), whole.top(), x - whole.left(), whole.height()), self._shade())
        painter.setPen(pen(self._colours.accent, 2.0 if self._dragging else 1.4))
        painter.drawLine(QPointF(x, whole.top()), QPointF(x, whole.bottom()))
        # A grip shows that the line can be taken.
        painter.fillRect(QRectF(x - 2.5, whole.center().y() - 12, 5, 24), QColor(self._colours.accent))

    def _shade(self) -> QColor:
        return faded(self._colours.muted, 0.08)

    def _paint_intervals(self, painter: QPainter) -> None:
        painter.setPen(pen(faded(self._colours.muted, 0.7), 1.0))
        whole, (x, y) = self.rect(), self._at.T
        left, right = np.clip(self._ends[0].T, whole.left(), whole.right())
        low, high = np.clip(self._ends[1].T, whole.top(), whole.bottom())
        inside_x, inside_y = (x >= whole.left()) & (x <= whole.right()), (y >= whole.top()) & (y <= whole.bottom())
        flat = np.flatnonzero(np.isfinite(left + right) & inside_y)
        painter.drawLines([QLineF(left[k], y[k], right[k], y[k]) for k in flat])
        upright = np.flatnonzero(np.isfinite(low + high) & inside_x)
        painter.drawLines([QLineF(x[k], low[k], x[k], high[k]) for k in upright])

    def _paint_dots(self, painter: QPainter, which: Array, kind: int, size: float) -> None:
        """Draw all dots of a class at once: as points of a thick pen, a thousand times faster than as shapes."""
        if not which.size:
            return
        colour, panel = class_colour(self._colours, kind), QColor(self._colours.panel)
        at = self._at[which]
        painter.save()
        if kind == OTHER:  # a square that stands on its corner
            painter.rotate(45.0)
            at = np.stack([at[:, 0] + at[:, 1], at[:, 1] - at[:, 0]], axis=1) / np.sqrt(2.0)
        cap = Qt.PenCapStyle.RoundCap if kind in (NO_EFFECT, LINEAR) else Qt.PenCapStyle.SquareCap
        if kind == NO_EFFECT and size > _SMALL:
            painter.setPen(pen(colour, 1.3))
            painter.setBrush(panel)
            for x, y in at.tolist():
                painter.drawEllipse(QPointF(x, y), size / 2 - 0.5, size / 2 - 0.5)
            painter.restore()
            return
        spots: QPolygonF = pg.functions.arrayToQPolygonF(np.ascontiguousarray(at[:, 0]), np.ascontiguousarray(at[:, 1]))
        rim = 1.5 if size > _SMALL else 0.8
        # A rim in the colour of the ground parts dots that lie on each other.
        for brush, width in ((panel, size + rim), (colour, size - rim)):
            made = QPen(brush, width, Qt.PenStyle.SolidLine, cap)
            painter.setPen(made)
            painter.drawPoints(spots)
        painter.restore()

    # Mouse.

    def _on_line(self, at: QPointF) -> bool:
        return abs(at.x() - self._line_x()) <= _GRIP

    def hoverMoveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Show where the line can be taken."""
        self.setCursor(Qt.CursorShape.SplitHCursor if self._on_line(event.pos()) else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Take the line, or begin a frame."""
        self._dragging = self._on_line(event.pos())
        self._frame = None if self._dragging else QRectF(event.pos(), event.pos())
        event.accept()

    def mouseMoveEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Move the line, or open the frame."""
        at = event.pos()
        if self._dragging:
            room = self._one.x() - self._zero.x()
            self.line_moved.emit(max(0.0, (at.x() - self._zero.x()) / room))
        elif self._frame is not None:
            self._frame.setBottomRight(QPointF(
                min(max(at.x(), self.rect().left()), self.rect().right()),
                min(max(at.y(), self.rect().top()), self.rect().bottom()),
            ))  # fmt: skip
            self.update()

    def mouseReleaseEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Leave the line, or choose what the frame holds."""
        frame, self._frame = self._frame, None
        if self._dragging:
            self._dragging = False
            self.line_dropped.emit()
        elif frame is not None and max(abs(frame.width()), abs(frame.height())) > _LEAST_FRAME:
            box = frame.normalized()
            inside = (
                (self._at[:, 0] >= box.left()) & (self._at[:, 0] <= box.right())
                & (self._at[:, 1] >= box.top()) & (self._at[:, 1] <= box.bottom())
            )  # fmt: skip
            self.framed.emit(np.flatnonzero(inside), adds(event.modifiers()))
        self.update()
