"""Lines with bands: convergence over the sample size, training curves, traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import Array, Curve, Item
from sensiview.gui.number_text import grouped, short, with_half_width, with_unit_behind
from sensiview.gui.plots.arrangement import title_of, with_unit
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import pen, series_pen
from sensiview.gui.plots.curve_menu import LARGEST, LinesButton, largest_first
from sensiview.gui.plots.curve_tiles import (
    ALL,
    Tile,
    column_groups,
    line_per,
    scaled,
    side_by_side,
    together,
    x_range,
    x_ticks,
)
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.legend import Entry, Legend
from sensiview.gui.plots.lines import Line, lines_of, panels, value_range
from sensiview.gui.plots.ticks import NumberTicks
from sensiview.gui.themes import Theme

_MOST_LINES = 10  # with more, only the largest are drawn until others are asked for
_MOST_IN_LINES = 16  # names above several panels
_REACH = 40.0  # pixels within which a point counts as pointed at
_ROW = 190  # pixels of height of one of several panels


class CurvePlot(ItemPlot):
    """One line per series over x, with a ribbon where there is an interval; one panel, or small ones for all."""

    hint = "Point at a line, or use the arrow keys, to read its value. Click a name to hide it; drag and wheel to zoom."
    zoomable = True
    item: Curve

    def __init__(self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None) -> None:
        self._lines: list[Line] = []
        self._tiles: list[Tile] = []
        self._drawn_wide = 1
        self._panel: Panel | None = None
        self._hidden: set[str] | None = None  # None: not chosen yet
        self._zoom: tuple[tuple[float, float], tuple[float, float]] | None = None
        super().__init__(item, colours=colours, parent=parent)
        self.bar.insertWidget(1, LinesButton(self))

    def set_item(self, item: Item) -> None:
        """Show other points; what is hidden and zoomed stays so."""
        assert isinstance(item, Curve)
        self.item = item
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer which key makes the lines, the output and the value; one alone or all beside each other."""
        offered = []
        keys = self.item.series
        if len(keys) > 1:
            offered.append(Chooser("lines", "Line per", tuple((key, title_of(key)) for key in keys), keys[-1]))
        shaped = line_per(self.item, self.chosen("lines"))
        names, groups = panels(shaped), column_groups(self.item)
        if len(names) > 1:
            label = title_of(", ".join(shaped.series[:-1])).capitalize()
            offered.append(Chooser("output", label, (*((p, p) for p in names), *together(len(names)))))
        if len(groups) > 1:
            values = tuple((",".join(g), " and ".join(map(title_of, g))) for g in groups)
            count = len(groups) * (len(names) if self.chosen("output") == ALL else 1)
            offered.append(Chooser("value", "Value", (*values, *together(count))))
        return offered

    def build(self) -> None:
        """Draw the lines that are not hidden."""
        wanted, shaped = self._wanted(), line_per(self.item, self.chosen("lines"))
        lines = [lines_of(shaped, name, columns) for name, columns in wanted]
        # Without series a line is a column; with them it is the same thing in every panel.
        known = {line.name: line for some in reversed(lines) for line in some}
        self._lines = [known[name] for name in dict.fromkeys(line.name for some in lines for line in some)]
        if self._hidden is None and len(self._lines) > _MOST_LINES:
            self._hidden = {line.name for line in largest_first(self._lines)[LARGEST:]}
        order = {line.name: place for place, line in enumerate(self._lines)}
        self._tiles, self._drawn_wide = [], self._wide()
        for place, ((name, columns), some) in enumerate(zip(wanted, lines, strict=True)):
            drawn = [(order[line.name], line) for line in some if line.name not in (self._hidden or set())]
            panel = self._add_panel(place, len(wanted), name, columns)
            self._tiles.append(Tile(panel, columns, name, drawn))
        self._panel = self._tiles[0].panel
        for tile in self._tiles:
            tile.draw(self.item, self.colours)
            # The same measure has one scale in all panels, so that they can be compared.
            low, high = value_range([line for t in self._tiles if t.columns == tile.columns for _, line in t.lines])
            if low < 0 < high:
                tile.panel.add(pg.InfiniteLine(0.0, angle=0, pen=pen(self.colours.muted)))
            zoom = self._zoom if len(self._tiles) == 1 else None
            tile.panel.show_range(*(zoom or (x_range(self.item, self._lines), (low, high))))
        if len(self._lines) > 1 or self.item.series:
            self._add_legend()

    def _wide(self) -> int:
        """Return how many panels stand in a row."""
        return side_by_side(len(self._wanted()), self.canvas.viewport().width())

    def title_columns(self) -> int:
        """Return the columns of all panels."""
        return max(4, 2 * self._wide())

    def _wanted(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the name and the columns of each panel."""
        names, groups = panels(line_per(self.item, self.chosen("lines"))), column_groups(self.item)
        output, value = self.chosen("output"), self.chosen("value")
        if output != ALL:
            names = [output if output in names else names[0]]
        if value != ALL:
            groups = [tuple(value.split(",")) if value else groups[0]]
        return [(name, columns) for name in names for columns in groups]

    def _add_panel(self, place: int, count: int, name: str, columns: tuple[str, ...]) -> Panel:
        unit = self.item.units.get(columns[0], "")
        y_label = with_unit(columns[0], unit) if self.item.series or len(columns) == 1 else unit
        row, column = divmod(place, self._drawn_wide)
        alone = count == 1
        several = self.chosen("value") == ALL
        heading = " · ".join([part for part in (name, title_of(columns[0]) if several else "") if part])
        if not alone and not several and column:
            y_label = ""
        x_label = with_unit(self.item.x, self.item.units.get(self.item.x, ""))
        made = Panel(
            self.canvas, (1 if alone else 2) + 3 * row, 2 * column, x_ticks=x_ticks(self.item), y_ticks=NumberTicks(),
            x_label=x_label if place + self._drawn_wide >= count else "", y_label=y_label, heading=heading, zoom=alone,
        )  # fmt: skip
        if column:
            self.canvas.grid.setColumnSpacing(2 * column - 1, 12)
        if row:
            self.canvas.grid.setRowSpacing(1 + 3 * row, 10)
        if alone:
            made.view.sigRangeChangedManually.connect(self._remember_zoom)
        return made

    def count(self) -> int:
        """Return the number of points of all lines that are drawn."""
        return sum(len(line.x) for tile in self._tiles for _, line in tile.lines)

    def stride(self) -> int:
        """Return the number of points of one line: up and down go from line to line."""
        return max((len(line.x) for tile in self._tiles for _, line in tile.lines), default=1)

    def nearest(self, position: QPointF) -> int | None:
        """Return the nearest point of a line within reach."""
        best, reach, start = None, _REACH, 0
        for tile in self._tiles:
            inside = tile.panel.from_scene(position) is not None
            for _, line in tile.lines:
                if inside:
                    x, y = self._on_canvas(tile, line)
                    distance = np.hypot(x - position.x(), y - position.y())
                    if np.isfinite(distance).any() and float(np.nanmin(distance)) < reach:
                        reach, best = float(np.nanmin(distance)), start + int(np.nanargmin(distance))
                start += len(line.x)
        return best

    def place(self, index: int) -> QRectF:
        """Return a small square around the point."""
        tile, line, k = self._at(index)
        x, y = self._on_canvas(tile, line)
        return QRectF(x[k] - 5, y[k] - 5, 10, 10) if np.isfinite(y[k]) else QRectF()

    def describe(self, index: int) -> list[str]:
        """Return the line's name, x, and the value with its interval."""
        tile, line, k = self._at(index)
        x = float(line.x[k])
        where = f"{title_of(self.item.x)} = {grouped(int(x)) if x.is_integer() else short(x)}"
        name = title_of(tile.columns[0]) if self.item.series else title_of(line.name)
        half = float(line.high[k] - line.low[k]) / 2
        value = f"{name} = {with_half_width(float(line.y[k]), half)}"
        value = with_unit_behind(value, self.item.units.get(tile.columns[0], ""))
        panel = [tile.name] if len(self._tiles) > 1 and tile.name else []
        return [*panel, *([line.name] if self.item.series else []), where, value]

    def content_height(self) -> int:
        """Return room for all panels."""
        rows = -(-len(self._tiles) // self._wide())
        return super().content_height() if rows <= 1 else 70 + _ROW * rows

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put more or fewer panels into a row."""
        super().resizeEvent(event)
        # Later: the canvas gets its size after this widget.
        QTimer.singleShot(0, self, self._arrange_again)

    def _arrange_again(self) -> None:
        if self._wide() != self._drawn_wide:
            self.redraw()

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw at this size: how many panels stand side by side follows from it."""
        super().resize_drawing(width, height)
        if self._wide() != self._drawn_wide:
            self.redraw()
            super().resize_drawing(width, height)

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
        if any(line.name == name for line in self._lines):
            self.hide_lines((self._hidden or set()) ^ {name})

    def hidden(self) -> list[str]:
        """Return the names of the lines that are not drawn."""
        return [line.name for line in self._lines if line.name in (self._hidden or set())]

    def lines(self) -> list[Line]:
        """Return all lines, those that are hidden too."""
        return list(self._lines)

    def hide_lines(self, names: set[str]) -> None:
        """Hide exactly these lines."""
        self._hidden = names
        self.redraw()
        self.changed.emit()

    def _choose(self) -> None:
        self._zoom = None  # another output has other numbers
        super()._choose()

    def _remember_zoom(self, *_: object) -> None:
        if self._panel is not None:
            x, y = self._panel.view.viewRange()
            self._zoom = (tuple(x), tuple(y))

    def _at(self, index: int) -> tuple[Tile, Line, int]:
        for tile in self._tiles:
            for _, line in tile.lines:
                if index < len(line.x):
                    return tile, line, index
                index -= len(line.x)
        raise IndexError(index)

    def _on_canvas(self, tile: Tile, line: Line) -> tuple[Array, Array]:
        zero, one = tile.panel.to_scene(0.0, 0.0), tile.panel.to_scene(1.0, 1.0)
        return (
            zero.x() + scaled(self.item, line.x) * (one.x() - zero.x()),
            zero.y() + line.y * (one.y() - zero.y()),
        )

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
        alone = len(self._tiles) == 1
        if not alone and len(entries) > _MOST_IN_LINES:  # beside one panel there is room for all
            entries = [entry for entry in entries if entry.shown]
            others = len(self._lines) - len(entries)
            entries.append(Entry("", f"{others} more, behind the button Lines", pen(self.colours.muted), "line", False))
        legend = Legend(entries, self.colours, self.canvas.text_font(), column=alone, clickable=True)
        # Later: the click is still inside the legend, which is thrown away with the drawing.
        legend.toggled.connect(self.toggle, Qt.ConnectionType.QueuedConnection)
        if alone:
            self.canvas.grid.setColumnSpacing(1, 14)
            self.canvas.grid.addItem(legend, 2, 2)
        else:
            self.canvas.grid.setRowSpacing(1, 6)
            self.canvas.grid.addItem(legend, 1, 0, 1, 2 * self._drawn_wide)
