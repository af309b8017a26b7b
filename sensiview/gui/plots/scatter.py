"""One value against another, a named dot per row."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from sensiview.analysis.items import IndexTable, Item
from sensiview.gui.plots.arrangement import arrange, describe_value, title_of, with_unit
from sensiview.gui.plots.canvas import Canvas, Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.label_places import label_places
from sensiview.gui.plots.ticks import NumberTicks

_REACH = 14.0
_NAMED_UP_TO = 40


class ScatterPlot(ItemPlot):
    """The first value along x, the second along y."""

    hint = "Point at a dot, or use the arrow keys, to read its value. Drag and wheel to zoom."
    zoomable = True
    item: IndexTable

    def set_item(self, item: Item) -> None:
        """Show another table."""
        assert isinstance(item, IndexTable)
        self._data = arrange(item)
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer the output."""
        if len(self._data.panels) < 2:
            return []
        label = title_of(self._data.panel_axis).capitalize()
        return [Chooser("output", label, tuple((p, p) for p in self._data.panels))]

    def build(self) -> None:
        """Draw the dots and, when there are few, their names."""
        data = self._data
        self._at_panel = data.panel(self.chosen("output"))
        labels = [with_unit(name, self.item.units.get(name, "")) for name in data.series[:2]]
        self._panel = Panel(
            self.canvas, 1, 0, x_ticks=NumberTicks(), y_ticks=NumberTicks(), x_label=labels[0], y_label=labels[-1],
            heading=data.heading(self._at_panel), grid="xy", zoom=True,
        )  # fmt: skip
        x, y = data.values[self._at_panel, :, 0], data.values[self._at_panel, :, min(1, len(data.series) - 1)]
        self._known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        self._x, self._y = x[self._known], y[self._known]
        accent = self.colours.series[0]
        self._panel.add(
            pg.ScatterPlotItem(
                x=self._x, y=self._y, size=9, pen=pen(accent, 1.2), brush=faded(accent, 0.5), useCache=False
            )
        )
        if len(self._known) <= _NAMED_UP_TO:
            names = [data.categories[k] for k in self._known]
            self._names = _Names(self.canvas, self._panel, names, self._x, self._y)
        self._panel.show_range(_padded(self._x), _padded(self._y))

    def count(self) -> int:
        """Return the number of dots."""
        return len(self._known)

    def nearest(self, position: QPointF) -> int | None:
        """Return the dot within reach."""
        best, reach = None, _REACH
        for index in range(len(self._known)):
            place = self._panel.to_scene(self._x[index], self._y[index]) - position
            distance = float(np.hypot(place.x(), place.y()))
            if distance < reach:
                best, reach = index, distance
        return best

    def place(self, index: int) -> QRectF:
        """Return a square around the dot."""
        centre = self._panel.to_scene(self._x[index], self._y[index])
        return QRectF(centre.x() - 7, centre.y() - 7, 14, 14)

    def describe(self, index: int) -> list[str]:
        """Return the name and both values."""
        lines: list[str] = []
        for series in range(min(2, len(self._data.series))):
            found = describe_value(self.item, self._data, (self._at_panel, int(self._known[index]), series))
            lines += found if not lines else found[1:]
        return lines


class _Names(QGraphicsWidget):
    """Names beside the dots, in pixels over the panel so that zooming does not stretch them."""

    def __init__(self, canvas: Canvas, panel: Panel, names: list[str], x: object, y: object) -> None:
        super().__init__(canvas.centralWidget)
        self._canvas, self._panel, self._names, self._x, self._y = canvas, panel, names, x, y
        self._font = canvas.text_font()
        self.setFlag(QGraphicsWidget.GraphicsItemFlag.ItemClipsToShape)
        panel.view.sigRangeChanged.connect(self._follow)
        panel.view.sigResized.connect(self._follow)

    def _follow(self, *_: object) -> None:
        self.setGeometry(self._panel.view.geometry())
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw each name beside its dot; one that would lie on another is left to the read-out."""
        metrics = QFontMetricsF(self._font)
        painter.setFont(self._font)
        painter.setPen(QColor(self._canvas.colours.muted))
        points = [
            self.mapFromScene(self._panel.to_scene(float(x), float(y)))
            for x, y in zip(np.asarray(self._x), np.asarray(self._y), strict=True)
        ]
        for name, box in label_places(self._names, points, metrics, QRectF(QPointF(0, 0), self.size())):
            painter.drawText(QPointF(box.left(), box.top() + metrics.ascent()), name)


def _padded(values: object) -> tuple[float, float]:
    shown = np.append(np.asarray(values, dtype=float), 0.0)
    low, high = float(shown.min()), float(shown.max())
    room = (high - low) or 1.0
    return low - 0.06 * room, high + 0.06 * room
