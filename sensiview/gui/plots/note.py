"""Sentences, set to be read."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.analysis.items import Item, Note
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.themes import Theme

_MEASURE = 620.0  # pixels: some 85 characters, the most that is pleasant to read in one line
_WRAP = Qt.TextFlag.TextWordWrap


class NotePlot(ItemPlot):
    """The text of a note, in a column narrow enough to read."""

    hint = ""
    item: Note

    def set_item(self, item: Item) -> None:
        """Show another note."""
        assert isinstance(item, Note)
        super().set_item(item)
        # The whole text, for those who hear the window instead of seeing it.
        self.canvas.setAccessibleDescription(item.text)

    def build(self) -> None:
        """Set the text."""
        self._block = TextBlock(self.item.text, self.colours, self.canvas.text_font())
        self.canvas.grid.addItem(self._block, 1, 0)
        self.canvas.grid.setRowStretchFactor(1, 1)

    def content_height(self) -> int:
        """Return the height of the text."""
        return int(self._block.needed(min(_MEASURE, max(200.0, self.canvas.width() - 40)))) + 80

    def copy(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self.item.text)


class TextBlock(QGraphicsWidget):
    """Paragraphs of plain text."""

    def __init__(self, text: str, colours: Theme, font: QFont) -> None:
        super().__init__()
        self._text, self._colours, self._font = text, colours, font

    def needed(self, width: float) -> float:
        """Return the height that the text takes at a width."""
        box = QRectF(0, 0, width, 1e6)
        return QFontMetricsF(self._font).boundingRect(box, _WRAP, self._text).height()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the text."""
        painter.setFont(self._font)
        painter.setPen(QColor(self._colours.text))
        box = QRectF(0, 4, min(_MEASURE, self.size().width()), self.size().height())
        painter.drawText(box, _WRAP | Qt.AlignmentFlag.AlignTop, self._text)
