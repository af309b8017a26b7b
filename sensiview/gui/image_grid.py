"""Thousands of images as a grid of thumbnails: only what is on the screen is made, in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.themes import theme

Thumbnails = Callable[[int], "np.ndarray[Any, np.dtype[np.uint8]] | None"]
_Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_EDGE, _GAP = 112, 6
_AT_ONCE = 2  # as many as the background has threads
_TOGETHER = 4
_KEPT = 4000
_QUEUED = 400
SUBTITLE = Qt.ItemDataRole.UserRole
MARK = Qt.ItemDataRole.UserRole + 1
PLACE = Qt.ItemDataRole.UserRole + 2


class ImageModel(QAbstractListModel):
    """The images that pass the filters, in the order that was asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: Sequence[str] = ()
        self._subtitles: Sequence[str] = ()
        self._marks: Sequence[str] = ()
        self.lines = 1  # of the subtitles
        self._places: list[int] = []
        self._rows: dict[int, int] = {}
        self._provider: Thumbnails | None = None
        self._pictures: dict[int, QPixmap | None] = {}
        self._wanted: list[int] = []
        self._running: dict[int, Callable[[], None]] = {}
        self._begun = 0

    def take(self, names: Sequence[str], provider: Thumbnails | None) -> None:
        """Take another set of images; none is shown before `show_places`."""
        for forget in self._running.values():
            forget()
        self.beginResetModel()
        self._names, self._provider = names, provider
        self._subtitles = self._marks = ()
        self._pictures, self._wanted, self._running = {}, [], {}
        self._places, self._rows = [], {}
        self.endResetModel()

    def show_places(self, places: Sequence[int]) -> None:
        """Show these images in this order."""
        self.beginResetModel()
        self._places = list(places)
        self._rows = {place: row for row, place in enumerate(self._places)}
        self._wanted = []
        self.endResetModel()

    def describe(self, subtitles: Sequence[str], marks: Sequence[str] = ()) -> None:
        """Set the line or two under every name; the last is in the colour of its mark (``good``, ``error`` or none)."""
        self._subtitles, self._marks = subtitles, marks
        self.lines = 2 if marks else 1
        self.layoutChanged.emit()

    def place(self, row: int) -> int:
        """Return the place in the set of the image in a row."""
        return self._places[row]

    def row_of(self, place: int) -> int:
        """Return the row of an image; -1 when a filter hides it."""
        return self._rows.get(place, -1)

    def rowCount(self, parent: _Index = _NONE) -> int:
        """Return the number of images that pass."""
        return 0 if parent.isValid() else len(self._places)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what the view and screen readers ask for."""
        if not index.isValid() or index.row() >= len(self._places):
            return None
        place = self._places[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._names[place]
        if role == SUBTITLE:
            return self._subtitles[place] if place < len(self._subtitles) else ""
        if role == MARK:
            return self._marks[place] if place < len(self._marks) else ""
        if role == PLACE:
            return place
        if role == Qt.ItemDataRole.DecorationRole:
            return self._picture(place)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            lines = self._subtitles[place].split("\n") if place < len(self._subtitles) else []
            return ", ".join(text for text in (self._names[place], *lines) if text)
        return None

    def is_made(self, place: int) -> bool:
        """Return whether the thumbnail has come, also as one that can't be made."""
        return place in self._pictures

    def is_broken(self, place: int) -> bool:
        """Return whether the image can't be read."""
        return place in self._pictures and self._pictures[place] is None

    def _picture(self, place: int) -> QPixmap | None:
        if place not in self._pictures and self._provider is not None:
            self._wanted.append(place)  # what is on the screen now comes before what was scrolled past
            QTimer.singleShot(0, self, self._work)
        return self._pictures.get(place)

    def _work(self) -> None:
        provider = self._provider
        self._wanted = self._wanted[-_QUEUED:]
        while provider is not None and self._wanted and len(self._running) < _AT_ONCE:
            batch: list[int] = []
            while self._wanted and len(batch) < _TOGETHER:
                place = self._wanted.pop()
                if place not in self._pictures and place not in batch:
                    batch.append(place)
            if not batch:
                return
            self._begin(batch, provider)

    def _begin(self, batch: list[int], provider: Thumbnails) -> None:
        self._begun += 1
        number = self._begun

        def make() -> list[Any]:
            return [provider(place) for place in batch]

        def done(pictures: list[Any]) -> None:
            self._arrived(number, batch, pictures)

        def failed(_: SensiViewError) -> None:
            self._arrived(number, batch, [None] * len(batch))

        self._running[number] = run_in_background(make, done, failed, owner=self)

    def _arrived(self, number: int, batch: list[int], pictures: list[Any]) -> None:
        self._running.pop(number, None)
        for place, picture in zip(batch, pictures, strict=True):
            if len(self._pictures) >= _KEPT:
                self._pictures.pop(next(iter(self._pictures)))
            self._pictures[place] = None if picture is None else to_pixmap(picture)
            row = self.row_of(place)
            if row >= 0:
                self.dataChanged.emit(self.index(row), self.index(row))
        self._work()


class _Delegate(QStyledItemDelegate):
    """Thumbnail on black, name, and what is known of the image below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return a cell that is the same for all."""
        model = index.model()
        lines = 1 + (model.lines if isinstance(model, ImageModel) else 1)
        return QSize(_EDGE + 2 * _GAP, _EDGE + lines * option.fontMetrics.height() + 3 * _GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one image."""
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        rect, metrics, colours = option.rect, option.fontMetrics, theme()
        frame = QRect(QPoint(rect.left() + _GAP, rect.top() + _GAP), QSize(_EDGE, _EDGE))
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        model = index.model()
        painter.save()
        painter.fillRect(frame, QColor("#000000"))
        if isinstance(picture, QPixmap):
            size = picture.size().scaled(_EDGE, _EDGE, Qt.AspectRatioMode.KeepAspectRatio)
            # Small images are seen as the pixels that they are.
            smooth = picture.width() > size.width() or picture.height() > size.height()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, picture)
        elif isinstance(model, ImageModel) and model.is_broken(int(index.data(PLACE))):
            painter.setPen(QColor("#ffffff"))
            painter.drawText(frame, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), "can't be read")
        text = option.palette.highlightedText().color() if chosen else option.palette.text().color()
        mark = str(index.data(MARK) or "")
        marked = QColor(str(getattr(colours, mark))) if mark and not chosen else text
        lines = [str(index.data()), *str(index.data(SUBTITLE) or "").split("\n")]
        for line, content in enumerate(lines):
            last = line == len(lines) - 1
            painter.setPen(marked if last and line else text)
            painter.setOpacity(1.0 if line == 0 or (mark and last) else 0.72)
            top = frame.bottom() + _GAP + line * metrics.height()
            box = QRect(frame.left(), top, _EDGE, metrics.height())
            how = Qt.TextElideMode.ElideLeft if line == 0 else Qt.TextElideMode.ElideRight
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), metrics.elidedText(content, how, _EDGE))
        painter.restore()


class ImageGrid(QListView):
    """The grid.

    Signals
    -------
    image_chosen(int)
        The place in the set of the image that was clicked or reached with the keyboard.
    image_opened(int)
        Of the one that was double-clicked or entered.
    """

    image_chosen = Signal(int)
    image_opened = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Images")
        self.images = ImageModel(self)
        self.setModel(self.images)
        self.setItemDelegate(_Delegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(2)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.verticalScrollBar().setSingleStep(40)
        self.setMinimumWidth(2 * (_EDGE + 3 * _GAP) + 24)
        self.activated.connect(lambda index: self.image_opened.emit(self.images.place(index.row())))

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Say which image the cursor is on."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.image_chosen.emit(self.images.place(current.row()))

    def choose(self, place: int) -> None:
        """Move the cursor to an image that passes the filters."""
        row = self.images.row_of(place)
        if row >= 0:
            self.setCurrentIndex(self.images.index(row))
            self.scrollTo(self.images.index(row))


def to_pixmap(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> QPixmap:
    """Return uint8 (y, x) or (y, x, 3) for the screen."""
    return QPixmap.fromImage(to_image(picture))


def to_image(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> QImage:
    """Return uint8 (y, x) or (y, x, 3) as Qt's image, with its own memory."""
    pixels = np.ascontiguousarray(picture)
    rows, columns = pixels.shape[:2]
    colour = pixels.ndim == 3
    kind = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
    return QImage(pixels.data, columns, rows, columns * (3 if colour else 1), kind).copy()
