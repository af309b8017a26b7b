"""How many cases each class has, in a strip: one glance tells whether a cohort is balanced."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sensiview.gui.number_text import grouped
from sensiview.gui.plots.colours import series_colour
from sensiview.gui.themes import notifier, theme

_BAR, _GAP, _SIGN = 8, 6, 9
_MARGIN = 8


class ClassStrip(QWidget):
    """A bar divided by the classes' shares, and their names with counts below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("class_strip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._parts: list[tuple[str, int, int]] = []  # name, count, number of its colour; -1 is muted
        self._otherwise = ""
        notifier.changed.connect(self.update)

    def show_counts(self, counts: Mapping[str, int], missing: int = 0, *, otherwise: str = "") -> None:
        """Show classes in order; `missing` cases have none. Without classes the sentence `otherwise`."""
        self._parts = [(name, count, number) for number, (name, count) in enumerate(counts.items())]
        if self._parts and missing:
            self._parts.append(("no class", missing, -1))
        self._otherwise = otherwise
        text = "; ".join(self.texts()) or otherwise
        self.setAccessibleName(f"Classes: {text}")
        self.setToolTip(text)
        self.update()

    def texts(self) -> list[str]:
        """Return what stands below the bar."""
        total = sum(count for _, count, _ in self._parts)
        return [f"{name} {grouped(count)} ({100 * count / total:.0f} %)" for name, count, _ in self._parts]

    def sizeHint(self) -> QSize:
        """Return bar and one line."""
        return QSize(200, _BAR + _GAP + self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the same height."""
        return QSize(40, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bar and names; names that find no room become an ellipsis."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme()
        metrics = QFontMetricsF(self.font())
        line = QRectF(_MARGIN, _BAR + _GAP, self.width() - 2 * _MARGIN, metrics.height())
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        if not self._parts:
            painter.setPen(QColor(colours.muted))
            painter.drawText(line.translated(0, -_BAR / 2), flags, self._otherwise)
            return
        total = sum(count for _, count, _ in self._parts)
        x, left = line.left(), line.left()
        for (_, count, number), text in zip(self._parts, self.texts(), strict=True):
            colour = QColor(colours.muted) if number < 0 else series_colour(colours, number)
            width = line.width() * count / total
            painter.fillRect(QRectF(x, 0, max(1.0, width - 1), _BAR), colour)
            x += width
            room = line.right() - left
            if room <= 0:
                continue
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - _SIGN - 5)
            painter.fillRect(QRectF(left, line.center().y() - _SIGN / 2, _SIGN, _SIGN), colour)
            painter.setPen(QColor(colours.text))
            painter.drawText(QRectF(left + _SIGN + 5, line.top(), room, line.height()), flags, shown)
            left += _SIGN + 5 + metrics.horizontalAdvance(shown) + 18
