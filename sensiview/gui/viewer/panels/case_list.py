"""Rows of the list of cases: thumbnail, name over class and group, star; pictures come when rows are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.icons import icon

Picture = npt.NDArray[Any]
Thumbnails = Callable[[int], Picture | None]
_Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_EDGE, _STAR, _GAP = 44, 16, 8
_AT_ONCE = 2  # as many as the background has threads
_KEPT = 3000
SUBTITLE = Qt.ItemDataRole.UserRole
MARKED = Qt.ItemDataRole.UserRole + 1


class CaseModel(QAbstractListModel):
    """Names, classes and groups that pass the filter; pictures come when rows are drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names: tuple[str, ...] = ()
        self.classes: tuple[str, ...] = ()
        self.groups: tuple[str, ...] = ()
        self.marked: set[str] = set()
        self._rows: list[int] = []
        self._provider: Thumbnails | None = None
        self._pictures: dict[int, QPixmap | None] = {}
        self._wanted: list[int] = []
        self._running: dict[int, Callable[[], None]] = {}

    def set_cases(
        self, names: Sequence[str], classes: Sequence[str], groups: Sequence[str], provider: Thumbnails | None
    ) -> None:
        """Take another cohort."""
        for forget in self._running.values():
            forget()
        self.beginResetModel()
        self.names, self.classes, self.groups = tuple(names), tuple(classes), tuple(groups)
        self._provider = provider
        self._pictures, self._wanted, self._running = {}, [], {}
        self._rows = list(range(len(self.names)))
        self.endResetModel()

    def narrow(self, text: str, *, only_marked: bool) -> None:
        """Show the cases whose name, class or group holds the text."""
        wanted = text.casefold().split()
        self.beginResetModel()
        self._rows = [
            case
            for case, name in enumerate(self.names)
            if (not only_marked or name in self.marked)
            and all(word in f"{name} {self.subtitle(case)}".casefold() for word in wanted)
        ]
        self.endResetModel()

    def subtitle(self, case: int) -> str:
        """Return class and group of a case."""
        texts = [column[case] for column in (self.classes, self.groups) if case < len(column)]
        return " · ".join(text for text in texts if text)

    def rowCount(self, parent: _Index = _NONE) -> int:
        """Return the number of cases that pass."""
        return 0 if parent.isValid() else len(self._rows)

    def case(self, row: int) -> int:
        """Return the case that is shown in a row."""
        return self._rows[row]

    def row_of(self, case: int) -> int:
        """Return the row of a case; -1 when the filter hides it."""
        return self._rows.index(case) if case in self._rows else -1

    def toggle_mark(self, case: int) -> None:
        """Mark a case, or take the mark away."""
        self.marked ^= {self.names[case]}
        self._redraw(case)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what the view and screen readers ask for."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        case = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.names[case]
        if role == SUBTITLE:
            return self.subtitle(case)
        if role == MARKED:
            return self.names[case] in self.marked
        if role == Qt.ItemDataRole.DecorationRole:
            return self._picture(case)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            mark = "marked" if self.names[case] in self.marked else ""
            return ", ".join(text for text in (self.names[case], self.subtitle(case), mark) if text)
        return None

    def _picture(self, case: int) -> QPixmap | None:
        if case not in self._pictures and self._provider is not None:
            if case in self._wanted:
                self._wanted.remove(case)
            self._wanted.append(case)  # what is on the screen now comes before what was scrolled past
            QTimer.singleShot(0, self, self._work)
        return self._pictures.get(case)

    def _work(self) -> None:
        provider = self._provider
        while provider is not None and self._wanted and len(self._running) < _AT_ONCE:
            case = self._wanted.pop()
            if case in self._pictures or case in self._running:
                continue

            def make(case: int = case, provider: Thumbnails = provider) -> Picture | None:
                return provider(case)

            def done(picture: Picture | None, case: int = case) -> None:
                self._arrived(case, _pixmap(picture) if picture is not None else None)

            def failed(_: SensiViewError, case: int = case) -> None:
                self._arrived(case, None)  # opening the case will say what is wrong with it

            self._running[case] = run_in_background(make, done, failed, owner=self)

    def _arrived(self, case: int, picture: QPixmap | None) -> None:
        self._running.pop(case, None)
        if len(self._pictures) >= _KEPT:
            self._pictures.pop(next(iter(self._pictures)))
        self._pictures[case] = picture
        self._redraw(case)
        self._work()

    def _redraw(self, case: int) -> None:
        row = self.row_of(case)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))


class CaseDelegate(QStyledItemDelegate):
    """Thumbnail, name over class and group, star."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return a row as high as its thumbnail."""
        return QSize(160, max(_EDGE + _GAP, 2 * option.fontMetrics.height() + _GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one case."""
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        rect, metrics = option.rect, option.fontMetrics
        frame = QRect(QPoint(rect.left() + 4, rect.center().y() - _EDGE // 2 + 1), QSize(_EDGE, _EDGE))
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(frame, Qt.GlobalColor.black)
        if picture is not None:
            size = picture.size().scaled(_EDGE, _EDGE, Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, picture)
        palette = option.palette
        text = palette.highlightedText().color() if chosen else palette.text().color()
        marked = bool(index.data(MARKED))
        left, right = frame.right() + _GAP, rect.right() - _GAP - (_STAR + _GAP if marked else 0)
        subtitle = str(index.data(SUBTITLE) or "")
        top = rect.center().y() - (metrics.height() if subtitle else metrics.height() // 2)
        for line, content in enumerate((str(index.data()), subtitle)):
            painter.setPen(text)
            painter.setOpacity(1.0 if line == 0 else 0.72)
            box = QRect(left, top + line * metrics.height(), right - left, metrics.height())
            shown = metrics.elidedText(content, Qt.TextElideMode.ElideMiddle, box.width())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), shown)
        painter.setOpacity(1.0)
        if marked:
            star = QRect(QPoint(rect.right() - _GAP - _STAR, rect.center().y() - _STAR // 2), QSize(_STAR, _STAR))
            icon("star", "warning").paint(painter, star, mode=QIcon.Mode.Selected if chosen else QIcon.Mode.Normal)
        painter.restore()


def _pixmap(picture: Picture) -> QPixmap:
    """Return a picture for the screen; numbers other than bytes are stretched between their extremes."""
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8:
        finite = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
        low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
        pixels = ((finite - low) * (255.0 / (high - low) if high > low else 0.0)).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels)
    rows, columns = pixels.shape[:2]
    kind, channels = (QImage.Format.Format_RGB888, 3) if pixels.ndim == 3 else (QImage.Format.Format_Grayscale8, 1)
    return QPixmap.fromImage(QImage(pixels.data, columns, rows, columns * channels, kind).copy())
