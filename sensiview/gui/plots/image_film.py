"""The way of maximised inputs from start to end: a film with a slider over its steps, and the trace below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import Array, Curve, FieldMap, Item
from sensiview.gui.number_text import short
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.colours import pen, series_pen
from sensiview.gui.plots.image_colouring import as_picture, picture_limits
from sensiview.gui.plots.image_controls import StepSlider
from sensiview.gui.plots.image_tile import Tile, best_columns
from sensiview.gui.plots.image_tiles import TileGrid
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.ticks import NumberTicks
from sensiview.gui.themes import Theme

Beside = Callable[[], Mapping[str, Item]]
_ALL = "all"
_MOST_PICTURES = 60
# Pictures of the strip below the large one, and of each target where the film is drawn as a still.
_STRIP = 13
_STILLS = 7
_MOST_ROWS = 20
_LEAST_ROW = 100
_TRACE_HEIGHT = 150


class FilmPlot(ItemPlot):
    """Inputs of an item with axes (..., step, channel, y, x).

    For one target its picture at the chosen step, the strip of all steps and the trace; for all targets their pictures
    at the chosen step.

    Parameters
    ----------
    beside : callable, optional
        The other items of the result; ``trace`` is drawn below.
    """

    hint = "Move the slider, or use the left and right keys, to go through the steps. Click a picture of the strip."
    item: FieldMap

    def __init__(
        self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None, beside: Beside | None = None
    ) -> None:
        self._beside = beside or dict
        self._slider = StepSlider("plot_step", "Step")
        self._still = False
        super().__init__(item, colours=colours, parent=parent)
        self._slider.moved.connect(self._slid)
        self.bar.insertWidget(1, self._slider, 1)
        self.picked.connect(self._go_to)

    def set_item(self, item: Item) -> None:
        """Show another film, at the same step where it has it."""
        assert isinstance(item, FieldMap)
        self.item = item
        self._slider.offer(self._labels("step"))
        super().set_item(item)

    def choosers(self) -> list[Chooser]:
        """Offer every axis before the steps."""
        offered = []
        for axis in self._axes():
            labels = self._labels(axis)
            options = tuple((str(k), label) for k, label in enumerate(labels))
            if axis == "target" and len(labels) <= _MOST_PICTURES:
                options = ((_ALL, "all"), *options)
            offered.append(Chooser(f"axis_{axis}", title_of(axis).capitalize(), options))
        return offered

    def build(self) -> None:
        """Draw picture, strip and trace of one target, or the pictures of all."""
        limits = picture_limits(np.asarray(self.item.values))
        at = self._at()
        step = self._slider.value()
        font = self.canvas.text_font()
        self._here = ""
        self._strip: TileGrid | None = None
        if "target" in at:
            film = self._film(at)
            self._large = TileGrid([[Tile(as_picture(film[step], limits))]], self.colours, font)
            shown = self._shown_steps(len(film))
            labels = self._labels("step")
            strip = [Tile(as_picture(film[k], limits), labels[k], chosen=k == step) for k in shown]
            self._strip = TileGrid([strip], self.colours, font)
            self.canvas.grid.addItem(self._large, 1, 0, 1, 4)
            self.canvas.grid.addItem(self._strip, 2, 0, 1, 4)
            self.canvas.grid.setRowStretchFactor(1, 5)
            self.canvas.grid.setRowStretchFactor(2, 2)
            self._draw_trace(at, step)
            self._read(None)
            return
        names = self._labels("target")
        tiles = [Tile(as_picture(self._film({**at, "target": k})[step], limits), name) for k, name in enumerate(names)]
        if self._still and len(names) <= _MOST_ROWS:
            self._draw_stills(at, names, limits)
            return
        wide = best_columns(len(tiles), tiles[0].picture.shape[0] / tiles[0].picture.shape[1])
        self._large = TileGrid([tiles[k : k + wide] for k in range(0, len(tiles), wide)], self.colours, font)
        self.canvas.grid.addItem(self._large, 1, 0, 1, 4)
        self.canvas.grid.setRowStretchFactor(1, 5)

    def _draw_stills(self, at: Mapping[str, int], names: Sequence[str], limits: tuple[float, float]) -> None:
        """Draw the way of each target as a row: paper has no slider."""
        shown = sorted({round(float(k)) for k in np.linspace(0, self.count() - 1, min(self.count(), _STILLS))})
        films = [self._film({**at, "target": k}) for k in range(len(names))]
        self._large = TileGrid(
            [[Tile(as_picture(film[k], limits)) for k in shown] for film in films],
            self.colours,
            self.canvas.text_font(),
            row_names=names,
            column_names=[f"step {self._labels('step')[k]}" for k in shown],
        )
        self.canvas.grid.addItem(self._large, 1, 0, 1, 4)
        self.canvas.grid.setRowStretchFactor(1, 5)

    def resize_drawing(self, width: int, height: int) -> None:
        """Draw as a still, no higher than its rows need."""
        self._still = True
        self.redraw()
        rows = len(self._labels("target")) if self._strip is None else 0
        super().resize_drawing(width, max(height, rows * _LEAST_ROW))
        if self._strip is None:
            self._trim(self._large)

    def _draw_trace(self, at: Mapping[str, int], step: int) -> None:
        """Draw activation over steps with a line where the slider is."""
        trace = self._beside().get("trace")
        if not isinstance(trace, Curve) or "activation" not in trace.frame:
            return
        frame = trace.frame
        for axis in trace.series:
            if axis in at:
                frame = frame[frame[axis] == self._labels(axis)[at[axis]]]
        x, y = frame["step"].to_numpy(dtype=float), frame["activation"].to_numpy(dtype=float)
        if not len(x) or not np.isfinite(y).any():
            return
        self._panel = Panel(
            self.canvas, 3, 0, x_ticks=NumberTicks(whole=True), y_ticks=NumberTicks(), x_label="step",
            y_label="activation",
        )  # fmt: skip
        self._panel.view.setMaximumHeight(_TRACE_HEIGHT)
        self._panel.view.setMinimumHeight(80)
        self.canvas.grid.setRowStretchFactor(4, 1)
        curve = pg.PlotCurveItem(x, y, pen=series_pen(self.colours, 0))
        self._panel.add(curve)
        here = float(self._labels("step")[step])
        self._panel.add(pg.InfiniteLine(here, angle=90, pen=pen(self.colours.accent, 2)))
        low, high = float(np.nanmin(y)), float(np.nanmax(y))
        room = 0.06 * ((high - low) or 1.0)
        self._panel.show_range((0.0, max(1.0, float(x.max()))), (low - room, high + room))
        found = y[np.argmin(np.abs(x - here))]
        self._here = f"step {here:g}  ·  activation {short(float(found))}"

    def describe(self, index: int) -> list[str]:
        """Return the step."""
        return [f"step {self._labels('step')[index]}"]

    def count(self) -> int:
        """Return the number of steps that are kept."""
        return len(self._labels("step"))

    def nearest(self, position: QPointF) -> int | None:
        """Return the step of a picture of the strip."""
        found = self._strip.at(position) if self._strip is not None else None
        return None if found is None else self._shown_steps(self.count())[found[0]]

    def place(self, index: int) -> QRectF:
        """Nothing is framed: the chosen picture has a frame of its own."""
        return QRectF()

    def content_height(self) -> int:
        """Return room for picture, strip and trace."""
        return 460

    def state(self) -> dict[str, Any]:
        """Return the choices and the step."""
        return {**super().state(), "step": self._slider.value()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        if isinstance(state.get("step"), int):
            self._slider.set_value(state["step"])
        super().restore(state)

    def _read(self, index: int | None) -> None:
        super()._read(index)
        if index is None and self._here:
            # Away from the strip: where the slider is.
            self.readout.setText(self._here)

    def _step(self, columns: int, rows: int) -> None:
        wanted = self._slider.value() + columns
        if 0 <= wanted < self.count():
            self._go_to(wanted)

    def _go_to(self, step: int) -> None:
        self._slider.set_value(step)
        self._slid()

    def _slid(self) -> None:
        self.redraw()
        self.changed.emit()

    def _axes(self) -> list[str]:
        return [axis for axis in self.item.axes[:-4] if len(self._labels(axis)) > 1]

    def _labels(self, axis: str) -> tuple[str, ...]:
        place = self.item.axes.index(axis)
        return self.item.coordinates.get(axis) or tuple(str(k) for k in range(self.item.values.shape[place]))

    def _at(self) -> dict[str, int]:
        """Return the place on every axis before the steps; the target is left out when all are shown."""
        found = {}
        for axis in self.item.axes[:-4]:
            chosen = self.chosen(f"axis_{axis}")
            if chosen == _ALL or (axis == "target" and not chosen and axis in self._axes()):
                continue
            found[axis] = min(int(chosen or 0), len(self._labels(axis)) - 1)
        return found

    def _film(self, at: Mapping[str, int]) -> Array:
        """Return the pictures of one target, (step, y, x, channel)."""
        values = np.asarray(self.item.values[tuple(at.get(axis, 0) for axis in self.item.axes[:-4])])
        moved: Array = np.moveaxis(values, 1, -1)
        return moved

    def _shown_steps(self, count: int) -> list[int]:
        if count <= _STRIP:
            return list(range(count))
        return sorted({round(float(k)) for k in np.linspace(0, count - 1, _STRIP)} | {self._slider.value()})
