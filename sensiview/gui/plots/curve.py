"""Lines with bands: convergence over the sample size, training curves, traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QMenu, QToolButton, QWidget

from sensiview.analysis.items import Array, Curve, Item
from sensiview.gui.natural_order import natural
from sensiview.gui.number_text import grouped, short, with_half_width, with_unit_behind
from sensiview.gui.plots.arrangement import title_of, with_unit
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import faded, pen, series_colour, series_pen
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend
from sensiview.gui.plots.lines import Line, lines_of, panels, value_range
from sensiview.gui.plots.ticks import NumberTicks, PowerTicks, Ticks
from sensiview.gui.themes import Theme

_MOST_LINES = 10  # with more, only the largest are drawn until others are asked for
_LARGEST = 8
_DOTS_UP_TO = 40
_REACH = 40.0  # pixels within which a point counts as pointed at


class CurvePlot(ItemPlot):
    """One line per series over x, with a ribbon where there is an interval."""

    hint = "Point at a line, or use the arrow keys, to read its value. Click a name to hide it; drag and wheel to zoom."
    zoomable = True
    item: Curve

    def __init__(self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None) -> None:
        self._lines: list[Line] = []
        self._panel: Panel | None = None
        self._hidden: set[str] | None = None  # None: not chosen yet
        self._zoom: tuple[tuple[float, float], tuple[float, float]] | None = None
        self._show_menu = QMenu()
        super().__init__(item, colours=colours, parent=parent)
        self._show_button = QToolButton()
        self._show_button.setText("Lines")
        self._show_button.setObjectName("plot_lines")
        self._show_button.setAccessibleName("Choose the lines that are drawn")
        self._show_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._show_menu.setParent(self._show_button, self._show_menu.windowFlags())
        self._show_button.setMenu(self._show_menu)
        self._show_menu.aboutToShow.connect(self._fill_menu)
        self.bar.insertWidget(1, self._show_button)

    def set_item(self, item: Item) -> None:
        """Show other points; what is hidden and zoomed stays so."""
        assert isinstance(item, Curve)
        self._panel_names = panels(item)
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer the output and the value."""
        offered = []
        if len(self._panel_names) > 1:
            label = title_of(", ".join(self.item.series[:-1])).capitalize()
            offered.append(Chooser("output", label, tuple((p, p) for p in self._panel_names)))
        groups = self._groups()
        if len(groups) > 1:
            offered.append(
                Chooser("value", "Value", tuple((",".join(g), " and ".join(map(title_of, g))) for g in groups))
            )
        return offered

    def build(self) -> None:
        """Draw the lines that are not hidden."""
        columns = tuple(self.chosen("value").split(",")) if self.chosen("value") else self._groups()[0]
        self._lines = lines_of(self.item, self.chosen("output") or self._panel_names[0], columns)
        if self._hidden is None and len(self._lines) > _MOST_LINES:
            ranked = sorted(self._lines, key=lambda line: -abs(line.last()))
            self._hidden = {line.name for line in ranked[_LARGEST:]}
        unit = self.item.units.get(columns[0], "")
        y_label = with_unit(columns[0], unit) if self.item.series or len(columns) == 1 else unit
        self._panel = Panel(
            self.canvas, 1, 0, x_ticks=self._x_ticks(), y_ticks=NumberTicks(),
            x_label=with_unit(self.item.x, self.item.units.get(self.item.x, "")), y_label=y_label,
            heading=self.chosen("output"), zoom=True,
        )  # fmt: skip
        self._panel.view.sigRangeChangedManually.connect(self._remember_zoom)
        shown = self._shown()
        for index, line in enumerate(self._lines):
            if line in shown:
                self._draw(line, index)
        if len(self._lines) > 1 or self.item.series:
            self._add_legend()
        low, high = value_range(shown)
        if low < 0 < high:
            self._panel.add(pg.InfiniteLine(0.0, angle=0, pen=pen(self.colours.muted)))
        self._panel.show_range(*(self._zoom or (self._x_range(), (low, high))))

    def count(self) -> int:
        """Return the number of points of all lines that are drawn."""
        return sum(len(line.x) for line in self._shown())

    def stride(self) -> int:
        """Return the number of points of one line: up and down go from line to line."""
        return max((len(line.x) for line in self._shown()), default=1)

    def nearest(self, position: QPointF) -> int | None:
        """Return the nearest point of a line within reach."""
        if self._panel is None or self._panel.from_scene(position) is None:
            return None
        best, reach, start = None, _REACH, 0
        for line in self._shown():
            x, y = self._on_canvas(line)
            distance = np.hypot(x - position.x(), y - position.y())
            if np.isfinite(distance).any() and float(np.nanmin(distance)) < reach:
                reach, best = float(np.nanmin(distance)), start + int(np.nanargmin(distance))
            start += len(line.x)
        return best

    def place(self, index: int) -> QRectF:
        """Return a small square around the point."""
        line, k = self._at(index)
        x, y = self._on_canvas(line)
        return QRectF(x[k] - 5, y[k] - 5, 10, 10) if np.isfinite(y[k]) else QRectF()

    def describe(self, index: int) -> list[str]:
        """Return the line's name, x, and the value with its interval."""
        line, k = self._at(index)
        x = float(line.x[k])
        where = f"{title_of(self.item.x)} = {grouped(int(x)) if x.is_integer() else short(x)}"
        columns = self.chosen("value").split(",") if self.chosen("value") else self._groups()[0]
        name = title_of(columns[0]) if self.item.series else title_of(line.name)
        half = float(line.high[k] - line.low[k]) / 2
        value = f"{name} = {with_half_width(float(line.y[k]), half)}"
        value = with_unit_behind(value, self.item.units.get(columns[0], ""))
        return [*([line.name] if self.item.series else []), where, value]

    def reset_view(self) -> None:
        """Show all of x and y."""
        self._zoom = None
        self.redraw()

    def state(self) -> dict[str, Any]:
        """Return the choices, the hidden lines and the part that was zoomed into."""
        hidden = None if self._hidden is None else sorted(self._hidden)
        return {**super().state(), "hidden": hidden, "zoom": [list(ends) for ends in self._zoom or ()]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose and hide what `state` gave."""
        if isinstance(state.get("hidden"), list):
            self._hidden = {str(name) for name in state["hidden"]}
        zoom = state.get("zoom")
        if isinstance(zoom, list) and [len(ends) for ends in zoom if isinstance(ends, list)] == [2, 2]:
            (left, right), (low, high) = zoom
            self._zoom = ((float(left), float(right)), (float(low), float(high)))
        super().restore(state)

    def toggle(self, name: str) -> None:
        """Hide a line, or show it again."""
        self._hidden = (self._hidden or set()) ^ {name}
        self.redraw()
        self.changed.emit()

    def hidden(self) -> list[str]:
        """Return the names of the lines that are not drawn."""
        return [line.name for line in self._lines if line.name in (self._hidden or set())]

    def _groups(self) -> list[tuple[str, ...]]:
        """Return the columns that share one picture: each alone with series, those of one unit without."""
        if self.item.series:
            return [(column,) for column in self.item.y]
        by_unit: dict[str, list[str]] = {}
        for column in self.item.y:
            by_unit.setdefault(self.item.units.get(column, ""), []).append(column)
        return [tuple(group) for group in by_unit.values()]

    def _choose(self) -> None:
        self._zoom = None  # another output has other numbers
        super()._choose()

    def _remember_zoom(self, *_: object) -> None:
        if self._panel is not None:
            x, y = self._panel.view.viewRange()
            self._zoom = (tuple(x), tuple(y))

    def _shown(self) -> list[Line]:
        return [line for line in self._lines if line.name not in (self._hidden or set())]

    def _at(self, index: int) -> tuple[Line, int]:
        for line in self._shown():
            if index < len(line.x):
                return line, index
            index -= len(line.x)
        raise IndexError(index)

    def _scaled(self, x: Array) -> Array:
        if self.item.x_scale == "linear":
            return x
        scaled: Array = (np.log2 if self.item.x_scale == "log2" else np.log10)(np.maximum(x, 1e-300))
        return scaled

    def _x_ticks(self) -> Ticks:
        if self.item.x_scale != "linear":
            return PowerTicks(2 if self.item.x_scale == "log2" else 10)
        values = self.item.frame[self.item.x].to_numpy(dtype=float)
        return NumberTicks(whole=bool(np.all(values == np.round(values))))

    def _x_range(self) -> tuple[float, float]:
        x = self._scaled(np.concatenate([line.x for line in self._lines])) if self._lines else np.array([0.0, 1.0])
        x = x[np.isfinite(x)]
        if x.size == 0:
            return 0.0, 1.0
        low, high = float(x.min()), float(x.max())
        room = (high - low) or 1.0
        return low - 0.02 * room, high + 0.02 * room

    def _on_canvas(self, line: Line) -> tuple[Array, Array]:
        assert self._panel is not None
        zero, one = self._panel.to_scene(0.0, 0.0), self._panel.to_scene(1.0, 1.0)
        return (
            zero.x() + self._scaled(line.x) * (one.x() - zero.x()),
            zero.y() + line.y * (one.y() - zero.y()),
        )

    def _draw(self, line: Line, index: int) -> None:
        assert self._panel is not None
        colour, x = series_colour(self.colours, index), self._scaled(line.x)
        known = np.isfinite(line.low) & np.isfinite(line.high)
        if known.sum() > 1:
            ribbon = QGraphicsPathItem(_outline(x[known], line.low[known], line.high[known]))
            ribbon.setPen(QPen(Qt.PenStyle.NoPen))
            ribbon.setBrush(faded(colour, 0.18))
            ribbon.setZValue(-10)
            self._panel.add(ribbon)
        self._panel.add(pg.PlotCurveItem(x, line.y, pen=series_pen(self.colours, index), antialias=True))
        if len(x) <= _DOTS_UP_TO:
            self._panel.add(pg.ScatterPlotItem(x, line.y, size=5, pen=None, brush=colour, useCache=False))

    def _add_legend(self) -> None:
        hidden = self._hidden or set()
        entries = [
            Entry(line.name, title_of(line.name) if not self.item.series else line.name,
                  series_pen(self.colours, k), "line", line.name not in hidden)
            for k, line in enumerate(self._lines)
        ]  # fmt: skip
        if self.item.series:
            # In the order in which the lines end at the right edge, next to which the legend stands.
            last = {line.name: line.last() for line in self._lines}
            entries.sort(key=lambda entry: (not entry.shown, -last[entry.key]))
        legend = Legend(entries, self.colours, self.canvas.text_font(), column=True, clickable=True)
        # Later: the click is still inside the legend, which is thrown away with the drawing.
        legend.toggled.connect(self.toggle, Qt.ConnectionType.QueuedConnection)
        self.canvas.grid.setColumnSpacing(1, 14)
        self.canvas.grid.addItem(legend, 2, 2)

    def _fill_menu(self) -> None:
        self._show_menu.clear()
        everything = QAction("All", self._show_menu)
        everything.triggered.connect(lambda: self._hide(set()))
        largest = QAction(f"The {_LARGEST} largest", self._show_menu)
        ranked = sorted(self._lines, key=lambda line: -abs(line.last()))
        largest.triggered.connect(lambda: self._hide({line.name for line in ranked[_LARGEST:]}))
        self._show_menu.addActions([everything, largest])
        self._show_menu.addSeparator()
        for line in sorted(self._lines, key=lambda line: natural(line.name)):
            action = QAction(line.name.replace("&", "&&"), self._show_menu)
            action.setCheckable(True)
            action.setChecked(line.name not in (self._hidden or set()))
            action.triggered.connect(lambda _checked, name=line.name: self.toggle(name))
            self._show_menu.addAction(action)

    def _hide(self, names: set[str]) -> None:
        self._hidden = names
        self.redraw()
        self.changed.emit()


def _outline(x: Array, low: Array, high: Array) -> QPainterPath:
    """Return the closed outline of a ribbon."""
    path = QPainterPath(QPointF(x[0], high[0]))
    for a, b in zip(x[1:], high[1:], strict=True):
        path.lineTo(a, b)
    for a, b in zip(x[::-1], low[::-1], strict=True):
        path.lineTo(a, b)
    path.closeSubpath()
    return path
