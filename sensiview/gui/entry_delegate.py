"""Draws an entry with a muted second line below its name."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sensiview.gui.themes import theme

SUBTITLE = Qt.ItemDataRole.UserRole + 10
_ICON = 18
_GAP = 8
_PADDING = 5


class EntryDelegate(QStyledItemDelegate):
    """Two lines for an index that has a `SUBTITLE`, the usual one line for all others."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return room for the name, and for the second line where there is one."""
        height = option.fontMetrics.height() + 2 * _PADDING
        if index.data(SUBTITLE) is not None:
            height += QFontMetrics(_small(option.font)).height() + 1
        return QSize(120, height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw background and focus as the style does, then icon, name and second line."""
        subtitle = index.data(SUBTITLE)
        if subtitle is None:
            super().paint(painter, option, index)
            return
        filled = QStyleOptionViewItem(option)
        self.initStyleOption(filled, index)
        filled.text = ""
        filled.icon = QIcon()
        widget: QWidget | None = filled.widget
        style = widget.style() if widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, filled, painter, widget)
        selected = bool(filled.state & QStyle.StateFlag.State_Selected)
        inside = filled.rect.adjusted(_GAP // 2, _PADDING, -_GAP // 2, -_PADDING)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(picture, QIcon):
            mode = QIcon.Mode.Selected if selected else QIcon.Mode.Normal
            picture.paint(painter, QRect(inside.left(), inside.center().y() - _ICON // 2, _ICON, _ICON), mode=mode)
        inside.setLeft(inside.left() + _ICON + _GAP)
        painter.save()
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(filled.palette.color(role))
        painter.setFont(filled.font)
        metrics = painter.fontMetrics()
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, name)
        colours = theme()
        painter.setPen(QColor(colours.accent_text if selected else colours.muted))
        painter.setFont(_small(filled.font))
        line = painter.fontMetrics().elidedText(str(subtitle), Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, line)
        painter.restore()

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Put the editor over the name."""
        rect = QRect(option.rect)
        if index.data(SUBTITLE) is not None:
            rect.setLeft(rect.left() + _ICON + _GAP)
            rect.setHeight(min(rect.height(), editor.sizeHint().height()))
        editor.setGeometry(rect)


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(max(7.0, font.pointSizeF() * 0.86))
    return small
