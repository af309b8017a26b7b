"""The histogram of the active layer; its range and threshold are lines to drag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import named
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.number_text import grouped
from sensiview.gui.plots.colours import faded, pen
from sensiview.gui.themes import notifier, theme
from sensiview.gui.viewer.panels.windows import sampled
from sensiview.gui.viewer.scene import Layer, Scene

_BINS = 256
_SAMPLE = 4_000_000
# More zeros than this are background and would press everything else flat.
_MOSTLY_ZERO = 0.2

Counts = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]


def count(layer: Layer) -> Counts:
    """Return voxels per bin (256,), the bins' edges (257,) in the layer's unit, and how many zeros were left out.

    Volumes above four million voxels are sampled evenly; values that are not finite are left out.
    """
    values = sampled(layer, _SAMPLE)
    zeros = int((values == 0).sum())
    if zeros > _MOSTLY_ZERO * values.size:
        values = values[values != 0]
    else:
        zeros = 0
    if values.size == 0:
        return np.zeros(_BINS, dtype=np.int64), np.linspace(0.0, 1.0, _BINS + 1), zeros
    low, high = float(values.min()), float(values.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    found, edges = np.histogram(values, bins=_BINS, range=(low, high))
    return found.astype(np.int64), edges, zeros


class HistogramPanel(QWidget):
    """Counts as an area; dragging a line changes the look of the active layer."""

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("histogram_panel")
        self._scene = scene
        self._layer: Layer | None = None
        self._known: dict[int, tuple[Any, Counts]] = {}
        self._counts: Counts | None = None
        self._forget: Callable[[], None] | None = None
        self._title = ElidedLabel(parent=self)
        self._title.setObjectName("histogram_title")
        self._title.setProperty("role", "subheading")
        self.logarithmic = QCheckBox("Log counts", self)
        named(self.logarithmic, "histogram_log", "Logarithmic counts")
        self.logarithmic.setChecked(True)
        self.logarithmic.toggled.connect(lambda _: self._draw())
        self.plot = pg.PlotWidget(self)
        named(self.plot, "histogram_plot", "Histogram of the active layer")
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.hideButtons()
        self.plot.getAxis("left").setStyle(showValues=False)
        self.plot.getAxis("left").setWidth(6)
        self._area = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        self.plot.addItem(self._area)
        self.low, self.high = self._line("low"), self._line("high")
        self.threshold, self.negative = self._line("threshold"), self._line("negative")
        self._note = QLabel(self)
        self._note.setObjectName("histogram_note")
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self.logarithmic)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.addLayout(top)
        column.addWidget(self.plot, 1)
        column.addWidget(self._note)
        for signal in (scene.layers_changed, scene.active_changed):
            signal.connect(self._take_layer)
        scene.look_changed.connect(lambda key: self._look_changed(key))
        notifier.changed.connect(self._recolour)
        self._recolour()
        self._take_layer()

    def showEvent(self, event: Any) -> None:
        """Count when somebody looks."""
        super().showEvent(event)
        self._take_layer()

    def _take_layer(self) -> None:
        active = self._scene.active
        layer = active if active is not None and active.role != "atlas" else None
        if layer is None:
            layer = next((la for la in reversed(self._scene.layers) if la.role != "atlas"), None)
        self._layer = layer
        self._title.setText(layer.name if layer is not None else "No layer")
        if self._forget is not None:
            self._forget()
        if layer is None:
            self._show(None)
            return
        if not self.isVisible():
            return
        known = self._known.get(id(layer.array))
        if known is not None and known[0] is layer.array:
            self._show(known[1])
            return

        def done(counts: Counts) -> None:
            # One volume at a time: the array is kept so that its id is not given to another one.
            self._known = {id(layer.array): (layer.array, counts)}
            self._show(counts)

        self._note.setText("Counting …")
        self._forget = run_in_background(lambda: count(layer), done, self._failed, owner=self)

    def _failed(self, error: SensiViewError) -> None:
        self._note.setText(error.sentence)

    def _show(self, counts: Counts | None) -> None:
        self._counts = counts
        zeros = counts[2] if counts is not None else 0
        self._note.setText(f"{grouped(zeros)} zeros are left out." if zeros else "")
        self._note.setVisible(bool(zeros))
        self._draw()
        self.plot.enableAutoRange()

    def _draw(self) -> None:
        if self._counts is None or self._layer is None:
            self._area.setData([0, 1], [0])
        else:
            found, edges, _ = self._counts
            heights = np.log10(found + 1.0) if self.logarithmic.isChecked() else found.astype(np.float64)
            self._area.setData(edges, heights)
            unit = self._layer.unit
            self.plot.getAxis("bottom").setLabel(unit if unit else None)
        self._place_lines()

    def _look_changed(self, key: str) -> None:
        if self._layer is not None and key == self._layer.key:
            self._layer = self._scene.layer(key)
            self._place_lines()

    def _place_lines(self) -> None:
        layer = self._layer
        for line in (self.low, self.high, self.threshold, self.negative):
            line.setVisible(layer is not None)
        if layer is None:
            return
        look = layer.look
        cuts = layer.role != "underlay"
        self.threshold.setVisible(cuts)
        self.negative.setVisible(cuts and look.signed)
        for line, value in (
            (self.low, -look.high if look.signed else look.low), (self.high, look.high),
            (self.threshold, look.threshold), (self.negative, -look.threshold),
        ):  # fmt: skip
            line.blockSignals(True)
            line.setValue(value)
            line.blockSignals(False)

    def _dragged(self, name: str, value: float) -> None:
        layer = self._layer
        if layer is None:
            return
        look = layer.look
        if name in ("threshold", "negative"):
            self._scene.set_look(layer.key, threshold=max(0.0, value if name == "threshold" else -value))
        elif look.signed:
            reach = value if name == "high" else -value
            if reach > 0:
                self._scene.set_look(layer.key, high=reach)
        elif name == "low" and value < look.high:
            self._scene.set_look(layer.key, low=value)
        elif name == "high" and value > look.low:
            self._scene.set_look(layer.key, high=value)
        self._place_lines()

    def _line(self, name: str) -> Any:
        line = pg.InfiniteLine(angle=90, movable=True)
        line.setZValue(10)
        line.setCursor(Qt.CursorShape.SizeHorCursor)
        line.sigPositionChanged.connect(lambda moved: self._dragged(name, float(moved.value())))
        self.plot.addItem(line)
        return line

    def _recolour(self) -> None:
        colours = theme()
        self.plot.setBackground(colours.panel)
        self._area.setPen(pen(colours.muted))
        self._area.setBrush(faded(colours.accent, 0.35))
        for line, colour in (
            (self.low, colours.text), (self.high, colours.text), (self.threshold, colours.series[1]),
            (self.negative, colours.series[1]),
        ):  # fmt: skip
            line.setPen(pen(colour, 2))
            line.setHoverPen(pen(colours.accent, 3))
        for side in ("bottom", "left"):
            self.plot.getAxis(side).setPen(colours.border)
            self.plot.getAxis(side).setTextPen(colours.muted)
