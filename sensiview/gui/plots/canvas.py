"""What plots are drawn on: one pyqtgraph view with a grid of titles, panels, axes and legends."""

from __future__ import annotations

from typing import Any, ClassVar

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFont, QFontInfo, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsGridLayout,
    QGraphicsItem,
    QGraphicsRectItem,
    QGraphicsWidget,
    QStyleOptionGraphicsItem,
    QWidget,
)

from sensiview.gui.plots.axis import Axis
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.plots.ticks import Ticks
from sensiview.gui.themes import Theme

_MARGIN = 14.0
_WIDE = 480.0
_CLICK_PIXELS = 4


class TextLine(QGraphicsWidget):
    """One line of text that is shortened when there is no room."""

    def __init__(self, text: str, colour: str, font: QFont, *, centred: bool = False) -> None:
        super().__init__()
        self._text, self._colour, self._font = text, colour, font
        self._align = Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft
        height = QFontMetricsF(font).height() + 2
        self.setMinimumHeight(height)
        self.setMaximumHeight(height)

    def set_text(self, text: str) -> None:
        """Write another line in its place."""
        self._text = text
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the text."""
        painter.setFont(self._font)
        painter.setPen(QColor(self._colour))
        box = QRectF(QPointF(0, 0), self.size())
        text = QFontMetricsF(self._font).elidedText(self._text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | self._align, text)


class Canvas(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """The drawing area of a plot.

    Signals
    -------
    moved(QPointF)
        The mouse is here, in scene coordinates.
    left()
        The mouse has gone.
    stepped(int, int)
        An arrow key: columns to the right, rows down.
    clicked(QPointF), entered()
        A click without a drag, in scene coordinates; the Enter key.
    zoomed(float)
        The plus or minus key: by how much larger.
    """

    moved = Signal(QPointF)
    left = Signal()
    clicked = Signal(QPointF)
    entered = Signal()
    stepped = Signal(int, int)
    zoomed = Signal(float)

    _STEPS: ClassVar[dict[Qt.Key, tuple[int, int]]] = {
        Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
    }  # fmt: skip

    _pressed = QPointF()

    def __init__(self, colours: Theme) -> None:
        super().__init__(background=None)
        self.colours = colours
        self.setAntialiasing(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._highlight: QGraphicsRectItem | None = None
        self._focus_shown = False
        self.grid = QGraphicsGridLayout()
        self.start(colours)

    def text_font(self) -> QFont:
        """Return the font of axes and legends: the application's, in pixels so that no printer or file rescales it."""
        font = QFont(QApplication.font())
        font.setPixelSize(QFontInfo(font).pixelSize())
        return font

    def heading_font(self) -> QFont:
        """Return the font of the plot's title."""
        font = self.text_font()
        font.setPixelSize(round(font.pixelSize() * 1.25))
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def start(self, colours: Theme) -> None:
        """Begin a new drawing: everything that was there is gone."""
        self.colours = colours
        self.setBackground(QColor(colours.panel))
        self._highlight = None
        if self.centralWidget is not None:
            # One by one: taken away with their parent, Qt takes some of them away twice and warns.
            for child in self.centralWidget.childItems():
                self.scene().removeItem(child)
        root = QGraphicsWidget()
        self.grid = QGraphicsGridLayout(root)
        self.grid.setContentsMargins(_MARGIN, _MARGIN * 0.7, _MARGIN, _MARGIN * 0.7)
        self.grid.setHorizontalSpacing(0)
        self.grid.setVerticalSpacing(0)
        self.setCentralItem(root)

    def title(self, text: str, row: int = 0, columns: int = 4) -> None:
        """Put the title across all columns."""
        self.grid.addItem(TextLine(text, self.colours.text, self.heading_font()), row, 0, 1, columns)
        self.grid.setRowSpacing(row, 6)

    def settle(self) -> None:
        """Lay everything out now, at the present size, without waiting for the event loop."""
        self.resizeEvent(None)
        # Names turn when they get too little width, which takes height, which moves the rest: three rounds settle it.
        for _ in range(3):
            self.grid.invalidate()
            self.grid.activate()
        self.scene().prepareForPaint()

    def highlight(self, place: QRectF | None) -> None:
        """Draw a frame around what the read-out speaks of; None takes it away."""
        if place is None or place.isNull():
            if self._highlight is not None:
                self._highlight.hide()
            return
        if self._highlight is None:
            # A part of the drawing, so that `start` takes it away too.
            self._highlight = QGraphicsRectItem(self.centralWidget)
            self._highlight.setZValue(1000)
        self._highlight.setPen(pen(self.colours.text, 1.5))
        self._highlight.setBrush(faded(self.colours.text, 0.08))
        self._highlight.setRect(place)
        self._highlight.show()

    def draw(self, painter: QPainter, target: QRectF) -> None:
        """Paint background and drawing, as on the screen but without highlight."""
        self.highlight(None)
        painter.fillRect(target, QColor(self.colours.panel))
        self.scene().render(painter, target, QRectF(self.viewport().rect()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where the mouse is."""
        super().mouseMoveEvent(event)
        self.moved.emit(self.mapToScene(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell where a click ended; a drag that zooms is none."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self._dragged(event):
            self.clicked.emit(self.mapToScene(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a click began."""
        self._pressed = event.position()
        super().mousePressEvent(event)

    def _dragged(self, event: QMouseEvent) -> bool:
        return (event.position() - self._pressed).manhattanLength() > _CLICK_PIXELS

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the mouse has gone."""
        super().leaveEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go from value to value, Enter picks one."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.entered.emit()
            return
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.zoomed.emit(1.25 if event.key() == Qt.Key.Key_Plus else 0.8)
            return
        step = self._STEPS.get(Qt.Key(event.key()))
        if step is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
            return
        self.stepped.emit(*step)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is, when it came by keyboard."""
        super().focusInEvent(event)
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._focus_shown = by_key
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard is elsewhere."""
        super().focusOutEvent(event)
        self._focus_shown = False
        self.viewport().update()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Frame the canvas while it has the keyboard."""
        if self._focus_shown:
            painter.setPen(pen(self.colours.accent, 2))
            painter.drawRect(QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1))


class Panel:
    """One pair of axes with its view box in the canvas's grid: rows `row` (heading), +1 (plot), +2 (bottom axis)."""

    def __init__(
        self,
        canvas: Canvas,
        row: int,
        column: int,
        *,
        x_ticks: Ticks,
        y_ticks: Ticks,
        x_label: str = "",
        y_label: str = "",
        heading: str = "",
        downwards: bool = False,
        grid: str = "y",
        zoom: bool = False,
        bottom_axis: bool = True,
    ) -> None:
        font, colours = canvas.text_font(), canvas.colours
        self.view: Any = pg.ViewBox(enableMenu=False, enableMouse=zoom, defaultPadding=0.0)
        self.view.invertY(downwards)
        self.view.setMinimumHeight(40)
        # What a legend beside it has to leave, as long as there is room.
        self.view.setPreferredWidth(_WIDE)
        self.left = Axis("left", y_ticks, colours, font, label=y_label, grid="y" in grid, downwards=downwards)
        self.bottom = Axis("bottom", x_ticks, colours, font, label=x_label, grid="x" in grid)
        if heading:
            bold = QFont(font)
            bold.setWeight(QFont.Weight.DemiBold)
            canvas.grid.addItem(TextLine(heading, colours.text, bold), row, column + 1)
        canvas.grid.addItem(self.left, row + 1, column)
        canvas.grid.addItem(self.view, row + 1, column + 1)
        canvas.grid.setRowStretchFactor(row + 1, 1)
        canvas.grid.setColumnStretchFactor(column + 1, 1)
        if bottom_axis:
            canvas.grid.addItem(self.bottom, row + 2, column + 1)
        self.view.sigRangeChanged.connect(self._follow)
        self.view.sigResized.connect(self._follow)

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show exactly these ranges."""
        self.view.setRange(xRange=x, yRange=y, padding=0.0, disableAutoRange=True)
        self._follow()

    def add(self, item: QGraphicsItem) -> None:
        """Put something into the panel, in the axes' numbers; it does not change the range."""
        self.view.addItem(item, ignoreBounds=True)

    def to_scene(self, x: float, y: float) -> QPointF:
        """Return where a point of the axes' numbers lies on the canvas."""
        place: QPointF = self.view.mapViewToScene(QPointF(x, y))
        return place

    def from_scene(self, position: QPointF) -> QPointF | None:
        """Return the axes' numbers at a place of the canvas, None outside of the panel."""
        if not self.view.sceneBoundingRect().contains(position):
            return None
        place: QPointF = self.view.mapSceneToView(position)
        return place

    def _follow(self, *_: object) -> None:
        (x_low, x_high), (y_low, y_high) = self.view.viewRange()
        self.bottom.set_range(x_low, x_high)
        self.left.set_range(y_low, y_high)
        size = self.view.size()
        self.left.set_grid_length(size.width())
        self.bottom.set_grid_length(size.height())
