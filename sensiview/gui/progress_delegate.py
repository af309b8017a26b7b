"""Draws how far a job is: a bar with its numbers, or a moving one while nobody knows."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from sensiview.gui.themes import theme

_SECONDS_PER_SWEEP = 1.6


class ProgressDelegate(QStyledItemDelegate):
    """A flat bar; the role gives 0 to 1, -1 for unknown, None for no bar."""

    def __init__(self, role: int, parent: QObject) -> None:
        super().__init__(parent)
        self._role = role

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw background, bar and text."""
        share = index.data(self._role)
        if share is None:
            super().paint(painter, option, index)
            return
        colours = theme()
        area = QRectF(option.rect).adjusted(4, 5, -4, -5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        # On a selected row the bar turns round: its ground is the colour of the selection.
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        track, bar = (colours.accent, colours.accent_text) if selected else (colours.border, colours.accent)
        on_track, on_bar = (colours.accent_text, colours.accent) if selected else (colours.text, colours.accent_text)
        if selected:
            painter.fillRect(option.rect, QColor(colours.accent))
            painter.setPen(QColor(colours.accent_text))
        painter.setBrush(QColor(track))
        painter.drawRoundedRect(area, 3, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        filled = QRectF(area)
        if share < 0:
            phase = time.monotonic() / _SECONDS_PER_SWEEP % 1.0
            filled.setLeft(area.left() + phase * area.width() * 0.75)
            filled.setWidth(area.width() * 0.25)
        else:
            filled.setWidth(area.width() * share)
        painter.setBrush(QColor(bar))
        painter.drawRoundedRect(filled, 3, 3)
        text = str(index.data() or "")
        # Each half of the text in the colour that reads on what is below it.
        for clip, colour in ((area, on_track), (filled, on_bar)):
            painter.save()
            painter.setClipRect(clip)
            painter.setPen(QColor(colour))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
            painter.restore()
        painter.restore()
