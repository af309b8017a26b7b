"""The analyses to choose from: title and first line; what can't run is grey and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sensiview.gui.themes import theme

_MARGIN = 8
_KEY, _LINE, _BLOCKED = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True)
class Offer:
    """One line of the list; `reasons` is empty when the analysis can run, `fits` says that it is for such data."""

    key: str
    title: str
    summary: str
    reasons: tuple[str, ...] = ()
    fits: bool = True


class AnalysisList(QListWidget):
    """Two lines per analysis."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysis_list")
        self.setAccessibleName("Analyses")
        self.setItemDelegate(_TwoLines(self))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def offer(self, offers: Sequence[Offer]) -> None:
        """Show these analyses; the chosen one stays chosen as long as it is for such data."""
        kept = self.key()
        self.blockSignals(True)
        self.clear()
        for offer in offers:
            line = offer.reasons[0] if offer.reasons else offer.summary
            item = QListWidgetItem(offer.title, self)
            item.setData(_KEY, offer.key)
            item.setData(_LINE, line)
            item.setData(_BLOCKED, bool(offer.reasons))
            item.setToolTip("\n".join([offer.summary, *offer.reasons]))
            said = f"{offer.title}. {'Not now: ' if offer.reasons else ''}{line}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
        self.blockSignals(False)
        height = max(1, self.sizeHintForRow(0))
        self.setMinimumHeight(height * min(2, max(1, len(offers))) + 4)
        self.setMaximumHeight(height * max(1, len(offers)) + 4)
        if offers:
            fitting = [
                row for row, offer in enumerate(offers) if offer.key == kept and (offer.fits or not offers[0].fits)
            ]
            self.setCurrentRow(fitting[0] if fitting else 0)

    def key(self) -> str:
        """Return the key of the chosen analysis; empty without one."""
        item = self.currentItem()
        return str(item.data(_KEY)) if item is not None else ""

    def choose(self, key: str) -> bool:
        """Choose an analysis; False when it is not in the list."""
        for row in range(self.count()):
            if self.item(row).data(_KEY) == key:
                self.setCurrentRow(row)
                return True
        return False


class _TwoLines(QStyledItemDelegate):
    """Draws title and line, shortened to the width there is."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return room for two lines."""
        return QSize(80, 2 * QFontMetrics(option.font).height() + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one analysis."""
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        colours = theme()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        blocked = bool(index.data(_BLOCKED))
        title = colours.accent_text if selected else colours.muted if blocked else colours.text
        line = colours.accent_text if selected else colours.warning if blocked else colours.muted
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        box = option.rect.adjusted(_MARGIN, 6, -_MARGIN, -6)
        half = box.height() // 2
        _draw(painter, QRect(box.left(), box.top(), box.width(), half), text, bold, title)
        lower = QRect(box.left(), box.top() + half, box.width(), box.height() - half)
        _draw(painter, lower, str(index.data(_LINE)), QFont(option.font), line)


def _draw(painter: QPainter, box: QRect, text: str, font: QFont, colour: str) -> None:
    painter.save()
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    painter.restore()
