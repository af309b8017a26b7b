"""Pictures in rows and columns with names, captions and colour bars, one zoom and one cursor for all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import (
    QGraphicsSceneMouseEvent,
    QGraphicsSceneResizeEvent,
    QGraphicsSceneWheelEvent,
    QGraphicsWidget,
    QStyleOptionGraphicsItem,
    QWidget,
)

from sensiview.gui.plots.colours import pen
from sensiview.gui.plots.image_tile import Bar, Tile, bar_of, shortened, to_image
from sensiview.gui.themes import Theme

_GAP = 8.0
_MOST_NAME, _MOST_UPRIGHT = 120.0, 140.0
_NAME_SHARE = 0.22  # of the width, for names of rows
_LEAST_TILE = 56.0
# A bar for all rows is no longer than this, or than a tile: its label is seen without scrolling.
_LONGEST_BAR, _USUAL_BAR = 420.0, 200.0
# Wheel steps of 120 zoom by this factor; at least so many pixels stay in sight.
_ZOOM, _LEAST_PIXELS = 1.25, 4.0


class TileGrid(QGraphicsWidget):
    """Draws tiles; all show the same part of their pictures.

    Parameters
    ----------
    rows : sequence of sequence of Tile
        From the top; rows may be shorter than others.
    row_names, column_names : sequence of str
        Beside and above; empty for none.
    bars : sequence of Bar
        One per row, one for all, or none.
    """

    def __init__(
        self,
        rows: Sequence[Sequence[Tile]],
        colours: Theme,
        font: QFont,
        *,
        row_names: Sequence[str] = (),
        column_names: Sequence[str] = (),
        bars: Sequence[Bar] = (),
        view: QRectF | None = None,
        zoomed: Callable[[QRectF | None], None] = lambda view: None,
    ) -> None:
        super().__init__()
        self._rows = [list(row) for row in rows]
        self._colours, self._font, self._metrics = colours, font, QFontMetricsF(font)
        self.row_names, self.column_names = tuple(row_names), tuple(column_names)
        self._images = [[to_image(tile.picture) for tile in row] for row in self._rows]
        self.tiles = [tile for row in self._rows for tile in row]
        shape = self.tiles[0].picture.shape if self.tiles else (1, 1, 3)
        self.height, self.width = int(shape[0]), int(shape[1])
        self._zoomed = zoomed
        self.view = view or QRectF(0, 0, self.width, self.height)
        self._cursor: tuple[int, int, int] | None = None
        self._bars = [bar_of(bar, colours, font) for bar in bars]
        for bar in self._bars:
            bar.setParentItem(self)
        self._boxes: list[QRectF] = []
        self._shift = self._above = 0.0
        self.setAcceptedMouseButtons(Qt.MouseButton.LeftButton)
        self.setMinimumSize(80, 60)

    # Where things lie.

    @property
    def columns(self) -> int:
        """Number of tiles of the longest row."""
        return max((len(row) for row in self._rows), default=1)

    def least_height(self, width: float) -> float:
        """Return the height that rows of readable tiles need at this width."""
        tile = max(_LEAST_TILE, min(self._tile_width(width), 72.0))
        return self._top(tile) + len(self._rows) * (tile * self._aspect() + self._caption() + _GAP)

    def full_height(self, width: float) -> float:
        """Return the height at which the tiles fill this width; more would stay empty."""
        wide = self._tile_width(width)
        return self._top(wide) + len(self._rows) * (wide * self._aspect() + self._caption() + _GAP)

    def resizeEvent(self, event: QGraphicsSceneResizeEvent) -> None:
        """Lay tiles and bars out."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        size = self.size()
        count = max(1, len(self._rows))
        scale = self._tile_width(size.width())
        for _ in range(2):  # names that stand upright leave less height, narrower tiles turn names upright
            self._above = self._top(scale)
            high = (size.height() - self._above) / count - self._caption() - _GAP
            scale = max(1e-6, min(scale, high / self._aspect()))
        tile = QSizeF(scale, scale * self._aspect())
        step = QSizeF(tile.width() + _GAP, tile.height() + self._caption() + _GAP)
        self._boxes = []
        bars = max((bar.minimumWidth() for bar in self._bars), default=0.0)
        spare = size.width() - self._left() - self.columns * step.width() - bars
        # In the middle, names beside them; a little to the left reads better than the exact middle.
        self._shift = max(0.0, 0.4 * spare)
        for row, tiles in enumerate(self._rows):
            for column in range(len(tiles)):
                corner = QPointF(self._shift + self._left() + column * step.width(), self._above + row * step.height())
                self._boxes.append(QRectF(corner, tile))
        right = self._shift + self._left() + self.columns * step.width() - _GAP
        for number, bar in enumerate(self._bars):
            whole = len(self._bars) == 1
            height = count * step.height() - self._caption() - _GAP if whole else tile.height()
            height = min(height, max(_USUAL_BAR, tile.height()), _LONGEST_BAR)
            # A bar for all begins beside upright names, so that it is seen without scrolling.
            top = 0.0 if whole and self._above > 2 * self._metrics.height() else self._above + number * step.height()
            bar.setGeometry(QRectF(right, top, bar.minimumWidth(), height))

    def _tile_width(self, width: float) -> float:
        bar = max((bar.minimumWidth() for bar in self._bars), default=0.0)
        return (width - self._left() - bar) / self.columns - _GAP

    def _aspect(self) -> float:
        return self.height / max(1, self.width)

    def _left(self) -> float:
        widest = max((self._metrics.horizontalAdvance(name) for name in self.row_names), default=0.0)
        return min(widest, max(_MOST_NAME, _NAME_SHARE * self.size().width())) + 8 if widest else 0.0

    def _top(self, tile: float) -> float:
        """Return the height of the column names: they stand upright where one is wider than a tile."""
        if not any(self.column_names):
            return 0.0
        return (self._longest_name() if self._longest_name() > tile + _GAP / 2 else self._metrics.height()) + 4

    def _longest_name(self) -> float:
        return min(_MOST_UPRIGHT, max(self._metrics.horizontalAdvance(name) for name in self.column_names))

    def _caption(self) -> float:
        return self._metrics.height() + 2 if any(tile.caption for tile in self.tiles) else 0.0

    # Reading.

    def at(self, position: QPointF) -> tuple[int, int, int] | None:
        """Return tile, y and x at a place of the canvas."""
        here = self.mapFromScene(position)
        for number, box in enumerate(self._boxes):
            if box.contains(here):
                x = self.view.x() + (here.x() - box.x()) / box.width() * self.view.width()
                y = self.view.y() + (here.y() - box.y()) / box.height() * self.view.height()
                return number, min(self.height - 1, max(0, int(y))), min(self.width - 1, max(0, int(x)))
        return None

    def place(self, tile: int, y: int, x: int) -> QRectF:
        """Return where a pixel of a tile lies on the canvas; empty outside of what is shown."""
        return self.mapRectToScene(self._pixel(tile, y, x))

    def _pixel(self, tile: int, y: int, x: int) -> QRectF:
        box, view = self._boxes[tile], self.view
        across, down = box.width() / view.width(), box.height() / view.height()
        place = QRectF(box.x() + (x - view.x()) * across, box.y() + (y - view.y()) * down, across, down)
        return place.intersected(box)

    def mark(self, cursor: tuple[int, int, int] | None) -> None:
        """Show a pixel, (tile, y, x), in all other tiles too."""
        self._cursor = cursor
        self.update()

    # Painting.

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw names, pictures and captions."""
        painter.setFont(self._font)
        number = 0
        for row, images in enumerate(self._images):
            for column, image in enumerate(images):
                tile, box = self.tiles[number], self._boxes[number]
                self._paint_tile(painter, tile, image, box)
                if row == 0 and column < len(self.column_names):
                    self._paint_column_name(painter, self.column_names[column], box)
                if column == 0 and row < len(self.row_names):
                    side = QRectF(self._shift, box.y(), self._left() - 8, box.height())
                    self._text(painter, self.row_names[row], side, Qt.AlignmentFlag.AlignRight, strong=True)
                number += 1
        self._paint_cursor(painter)

    def _paint_tile(self, painter: QPainter, tile: Tile, image: QImage, box: QRectF) -> None:
        view = self.view
        whole = view.toAlignedRect().intersected(image.rect())
        part = image.copy(whole)
        # Scaled without smoothing here, because viewers of SVG files blur what they scale.
        target = QRectF(
            box.x() + (whole.x() - view.x()) / view.width() * box.width(),
            box.y() + (whole.y() - view.y()) / view.height() * box.height(),
            whole.width() / view.width() * box.width(),
            whole.height() / view.height() * box.height(),
        )
        factor = max(1, math.ceil(2 * target.width() / max(1, part.width())))
        if factor > 1:
            part = part.scaled(part.width() * factor, part.height() * factor)
        painter.save()
        painter.setClipRect(box)
        painter.drawImage(target, part)
        painter.restore()
        painter.setPen(pen(self._colours.accent, 3) if tile.chosen else pen(self._colours.border))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        if tile.caption:
            below = QRectF(box.x() - _GAP / 2, box.bottom() + 2, box.width() + _GAP, self._metrics.height())
            self._text(painter, tile.caption, below, Qt.AlignmentFlag.AlignHCenter)

    def _paint_column_name(self, painter: QPainter, name: str, box: QRectF) -> None:
        line = self._metrics.height()
        if self._above <= line + 4:
            above = QRectF(box.x() - _GAP / 2, 0, box.width() + _GAP, line)
            self._text(painter, name, above, Qt.AlignmentFlag.AlignHCenter, strong=True)
            return
        painter.save()
        painter.translate(box.center().x(), box.y() - 4)
        painter.rotate(-90)
        self._text(painter, name, QRectF(0, -line / 2, _MOST_UPRIGHT, line), Qt.AlignmentFlag.AlignLeft, strong=True)
        painter.restore()

    def _text(
        self, painter: QPainter, text: str, box: QRectF, align: Qt.AlignmentFlag, *, strong: bool = False
    ) -> None:
        painter.setPen(QColor(self._colours.text if strong else self._colours.muted))
        shown = shortened(text, self._metrics, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | align, shown)

    def _paint_cursor(self, painter: QPainter) -> None:
        if self._cursor is None:
            return
        tile, y, x = self._cursor
        for other in range(len(self.tiles)):
            if other == tile:
                continue
            place = self._pixel(other, y, x)
            if place.isEmpty():
                continue
            if place.width() < 7:
                place = QRectF(place.center() - QPointF(3.5, 3.5), QSizeF(7, 7))
            painter.setPen(pen("#000000", 3))
            painter.drawRect(place)
            painter.setPen(pen("#ffffff", 1.2))
            painter.drawRect(place)

    # Zooming: the wheel about the pixel below it, a drag moves what is shown.

    def wheelEvent(self, event: QGraphicsSceneWheelEvent) -> None:
        """Zoom all tiles with Ctrl, so that the wheel alone goes on scrolling a long page."""
        found = self.at(event.scenePos())
        if found is None or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        self.zoom(_ZOOM ** (event.delta() / 120), QPointF(found[2] + 0.5, found[1] + 0.5))
        event.accept()

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Enlarge by `factor`, keeping a pixel where it is; the middle where none is named."""
        view = self.view
        about = about or view.center()
        wide = min(float(self.width), max(min(_LEAST_PIXELS, self.width), view.width() / factor))
        high = wide / view.width() * view.height()
        left = about.x() - (about.x() - view.x()) * wide / view.width()
        top = about.y() - (about.y() - view.y()) * high / view.height()
        self._look(QRectF(left, top, wide, high))

    def mousePressEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Begin a drag where there is something to move."""
        if self.view.width() < self.width and self.at(event.scenePos()) is not None:
            event.accept()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Move what is shown."""
        if not self._boxes:
            return
        moved = event.scenePos() - event.lastScenePos()
        scale = self.view.width() / self._boxes[0].width()
        self._look(self.view.translated(-moved.x() * scale, -moved.y() * scale))

    def _look(self, view: QRectF) -> None:
        view.moveLeft(min(max(0.0, view.x()), self.width - view.width()))
        view.moveTop(min(max(0.0, view.y()), self.height - view.height()))
        self.view = view
        self._zoomed(view if view.width() < self.width else None)
        self.update()
