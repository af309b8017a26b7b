"""Fields and pictures: a slice of an array as an image, with a control for every other axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from sensiview.analysis.items import Array, FieldMap, ImageSeries, Item, Mask
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.chooser_bar import clear_layout
from sensiview.gui.plots.colour_bar import ColourBar
from sensiview.gui.plots.colours import colour_limits, lookup_table, to_indices
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.ticks import NumberTicks
from sensiview.gui.themes import Theme


class PixelsPlot(ItemPlot):
    """An image of the last two axes (or y and x of a picture); sliders go through the other axes."""

    hint = "Point at a pixel, or use the arrow keys, to read its value. Drag and wheel to zoom."
    zoomable = True
    item: FieldMap | ImageSeries

    def __init__(self, item: Item, *, colours: Theme | None = None, parent: QWidget | None = None) -> None:
        self._sliders: dict[str, QSlider] = {}
        self._names: dict[str, QLabel] = {}
        self._row = QHBoxLayout()
        self._row.setContentsMargins(8, 4, 8, 0)
        self._offered: dict[str, int] = {}
        super().__init__(item, colours=colours, parent=parent)
        layout = self.layout()
        assert layout is not None
        self.bar.insertLayout(1, self._row, 1)

    def set_item(self, item: Item) -> None:
        """Show another array, at the same place of the other axes where it has one."""
        assert isinstance(item, FieldMap | ImageSeries)
        self.item = item
        self._offer_sliders()
        super().set_item(item)

    def build(self) -> None:
        """Draw the slice that the sliders choose."""
        self._slice = self._chosen_slice()
        height, width = self._slice.shape[:2]
        y_axis, x_axis = ("y", "x") if isinstance(self.item, ImageSeries) else self.item.axes[-2:]
        self._panel = Panel(
            self.canvas, 1, 0, x_ticks=NumberTicks(whole=True, within=(0, width - 1)),
            y_ticks=NumberTicks(whole=True, within=(0, height - 1)),
            x_label=f"{x_axis} (pixel)", y_label=f"{y_axis} (pixel)", downwards=True, grid="", zoom=True,
        )  # fmt: skip
        self._panel.view.setAspectLocked(lock=True)
        # Rows first, first row on top: pixel (0, 0) has its centre at 0, 0.
        picture = pg.ImageItem(axisOrder="row-major")
        picture.setImage(self._coloured(), autoLevels=False, levels=(0, 255))
        picture.setRect(QRectF(-0.5, -0.5, width, height))
        self._panel.add(picture)
        if not self._is_colour():
            unit = "" if self.item.unit == "1" else self.item.unit
            bar = ColourBar(self._limits(), unit, self._signed(), self.colours, self.canvas.text_font())
            self.canvas.grid.addItem(bar, 2, 2)
        self._panel.show_range((-0.5, width - 0.5), (-0.5, height - 0.5))

    def count(self) -> int:
        """Return the number of pixels."""
        return int(self._slice.shape[0] * self._slice.shape[1])

    def stride(self) -> int:
        """Return the pixels of one row."""
        return int(self._slice.shape[1])

    def nearest(self, position: QPointF) -> int | None:
        """Return the pixel at a place."""
        place = self._panel.from_scene(position)
        if place is None:
            return None
        x, y = round(place.x()), round(place.y())
        inside = 0 <= x < self._slice.shape[1] and 0 <= y < self._slice.shape[0]
        return y * self.stride() + x if inside else None

    def place(self, index: int) -> QRectF:
        """Return the pixel's rectangle."""
        y, x = divmod(index, self.stride())
        return QRectF(self._panel.to_scene(x - 0.5, y - 0.5), self._panel.to_scene(x + 0.5, y + 0.5)).normalized()

    def describe(self, index: int) -> list[str]:
        """Return where the pixel is and its value."""
        y, x = divmod(index, self.stride())
        value = self._slice[y, x]
        where = [f"{title_of(a)} {self._label(a, s.value())}" for a, s in self._sliders.items()]
        text = ", ".join(short(float(v)) for v in np.atleast_1d(value))
        return [", ".join([*where, f"x {x}, y {y}"]), with_unit_behind(text, self.item.unit)]

    def content_height(self) -> int:
        """Return room for a picture."""
        return 320

    def state(self) -> dict[str, Any]:
        """Return the place on every other axis."""
        return {**super().state(), **{axis: slider.value() for axis, slider in self._sliders.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the place that `state` gave."""
        for axis, slider in self._sliders.items():
            if isinstance(state.get(axis), int):
                slider.setValue(state[axis])
        super().restore(state)

    def _other_axes(self) -> dict[str, int]:
        """Return the length of every axis that is not in the picture."""
        if isinstance(self.item, ImageSeries):
            axes = {self.item.axis: self.item.values.shape[0]}
            if self.item.values.shape[3] not in (1, 3):
                axes["channel"] = self.item.values.shape[3]
            return axes
        return dict(zip(self.item.axes[:-2], self.item.values.shape[:-2], strict=True))

    def _label(self, axis: str, index: int) -> str:
        if isinstance(self.item, ImageSeries):
            labels = self.item.labels if axis == self.item.axis else ()
        else:
            labels = self.item.coordinates.get(axis, ())
        return labels[index] if index < len(labels) else str(index)

    def _offer_sliders(self) -> None:
        axes = {axis: count for axis, count in self._other_axes().items() if count > 1}
        if axes == self._offered:
            return
        self._offered = axes
        clear_layout(self._row)
        self._sliders, self._names = {}, {}
        for axis, count in axes.items():
            slider, name = QSlider(Qt.Orientation.Horizontal), QLabel()
            slider.setObjectName(f"plot_axis_{axis}")
            slider.setAccessibleName(title_of(axis).capitalize())
            slider.setRange(0, count - 1)
            # A volume begins with empty slices: its middle is where there is something to see.
            slider.setValue(count // 2 if axis in ("z", "y", "x") else 0)
            slider.setMinimumWidth(90)
            name.setTextFormat(Qt.TextFormat.PlainText)
            slider.valueChanged.connect(self._move)
            self._row.addWidget(name)
            self._row.addWidget(slider, 1)
            self._sliders[axis], self._names[axis] = slider, name
        self._name_places()

    def _name_places(self) -> None:
        for axis, slider in self._sliders.items():
            self._names[axis].setText(f"{title_of(axis)}: {self._label(axis, slider.value())}")

    def _move(self) -> None:
        self._name_places()
        self.redraw()
        self.changed.emit()

    def _chosen_slice(self) -> Array:
        values = np.asarray(self.item.values)
        at = {axis: slider.value() for axis, slider in self._sliders.items()}
        if isinstance(self.item, ImageSeries):
            frame: Array = values[at.get(self.item.axis, 0)]
            channel: Array = frame if frame.shape[2] == 3 else frame[:, :, at.get("channel", 0)]
            return channel
        index = tuple(at.get(axis, 0) for axis in self.item.axes[:-2])
        chosen: Array = np.atleast_2d(values[index])
        return chosen

    def _is_colour(self) -> bool:
        return self._slice.ndim == 3

    def _signed(self) -> bool:
        return isinstance(self.item, FieldMap) and self.item.signed

    def _limits(self) -> tuple[float, float]:
        # One scale for all slices: colours mean the same while one moves through them.
        if isinstance(self.item, Mask):
            return 0.0, 1.0
        return colour_limits(np.asarray(self.item.values, dtype=np.float64), signed=self._signed())

    def _coloured(self) -> Array:
        """Return the slice as uint8 (y, x, 3)."""
        if self._is_colour():
            if self._slice.dtype == np.uint8:
                whole: Array = self._slice
                return whole
            low, high = self._limits()
            scaled = (self._slice - low) / (high - low) if low < 0 or high > 1 else self._slice
            rgb: Array = np.clip(np.nan_to_num(scaled) * 255, 0, 255).astype(np.uint8)
            return rgb
        table = lookup_table(self.colours, signed=self._signed())
        indices = to_indices(self._slice.astype(np.float64), self._limits())
        coloured: Array = np.where(indices[..., None] < 0, np.uint8(128), table[indices])
        return np.ascontiguousarray(coloured.astype(np.uint8))
