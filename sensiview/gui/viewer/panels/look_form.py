"""The controls of one layer: colours, opacity, display range, threshold and switches."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QLocale, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QSizePolicy,
    QSlider,
    QWidget,
)

from sensiview.gui.dialogs.layout import named
from sensiview.gui.number_text import short
from sensiview.gui.viewer import colour_maps
from sensiview.gui.viewer.panels.colour_bars import map_pixmap
from sensiview.gui.viewer.scene import Layer, Scene

_STRIP = QSize(56, 12)
_SLIDER_STEPS = 200
# What a role has use for; the others are hidden, so that nobody turns a knob without effect.
_SWITCHES = (
    ("signed", "Zero-centred", "Signed values: the same range on both sides of zero", ("overlay",)),
    ("alpha_by_magnitude", "Opacity by magnitude", "Larger values are less transparent", ("overlay", "mask")),
    ("interpolate", "Smooth", "Interpolate between voxels", ("underlay", "overlay", "mask")),
    ("outline", "Outline only", "Draw the borders only", ("mask", "atlas")),
    ("inverted", "Invert colours", "Turn the colour map round", ("underlay", "overlay", "mask")),
)


class ValueBox(QDoubleSpinBox):
    """A number in a layer's unit: as many decimals as its range needs, steps of a hundredth of the range."""

    def __init__(self, name: str, spoken: str, tip: str, parent: QWidget) -> None:
        super().__init__(parent)
        named(self, name, spoken, tip)
        self.setLocale(QLocale.c())
        self.setKeyboardTracking(False)
        self.setRange(-1e12, 1e12)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        # Four digits, a sign, and the buttons beside them.
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("-000.0") + 24)

    def fit(self, layer: Layer) -> None:
        """Take decimals, step and unit from a layer."""
        low, high = layer.value_range
        span = max(high - low, abs(high), 1e-9)
        decimals = min(10, max(0, 3 - math.floor(math.log10(span))))
        self.setDecimals(decimals)
        self.setSingleStep(10.0 ** math.floor(math.log10(span / 20)))
        self.setSuffix(f" {layer.unit}" if layer.unit and len(layer.unit) <= 6 else "")

    def show_value(self, value: float) -> None:
        """Show a value without saying that it changed; what the user is typing stays."""
        if self.hasFocus() and self.lineEdit().isModified():
            return
        self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(False)

    def textFromValue(self, value: float) -> str:
        """Return no more zeros than needed."""
        text = f"{value:.{self.decimals()}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class LookForm(QWidget):
    """Shows and changes the look of one layer of a scene.

    Signals
    -------
    wanted(dict)
        The user changed these fields of the look; the panel hands them to the scene.
    """

    wanted = Signal(dict)

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("look_form")
        self._layer: Layer | None = None
        self.colours = QComboBox(self)
        named(self.colours, "layer_colour_map", "Colour map")
        self.colours.setIconSize(_STRIP)
        self.colours.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        named(self.opacity, "layer_opacity", "Opacity")
        self.opacity.setRange(0, 100)
        self._percent = QLabel(self)
        self._percent.setObjectName("layer_opacity_text")
        self._percent.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self.low = ValueBox("layer_low", "Lower end of the display range", "The first colour", self)
        self.high = ValueBox("layer_high", "Upper end of the display range", "The last colour", self)
        self.threshold = ValueBox("layer_threshold", "Threshold", "Smaller magnitudes are not drawn", self)
        self.threshold.setMinimum(0.0)
        self.cut = QSlider(Qt.Orientation.Horizontal, self)
        named(self.cut, "layer_threshold_slider", "Threshold, from nothing hidden to all hidden")
        self.cut.setRange(0, _SLIDER_STEPS)
        self._window = QLabel(self)
        self._window.setObjectName("layer_window_text")
        self._window.setProperty("role", "muted")
        self.switches = {field: QCheckBox(text, self) for field, text, _, _ in _SWITCHES}
        for field, text, tip, _ in _SWITCHES:
            named(self.switches[field], f"layer_{field}", text, tip)
            self.switches[field].toggled.connect(lambda on, field=field: self._want(**{field: on}))
        self._rows: dict[str, list[QWidget]] = {}
        self._lines: list[tuple[QLabel, QLayout | QWidget]] = []
        self._stacked = False
        self._arrange()
        self.colours.activated.connect(lambda: self._want(colour_map=self.colours.currentData()))
        self.opacity.valueChanged.connect(lambda value: self._want(opacity=value / 100))
        self.low.valueChanged.connect(self._want_range)
        self.high.valueChanged.connect(self._want_range)
        self.threshold.valueChanged.connect(lambda value: self._want(threshold=value))
        self.cut.valueChanged.connect(lambda place: self._want(threshold=place / _SLIDER_STEPS * self._largest()))
        self.show_layer(None)

    def show_layer(self, layer: Layer | None) -> None:
        """Show a layer's look, or nothing."""
        fresh = layer is not None and (self._layer is None or layer.array is not self._layer.array)
        self._layer = layer
        self.setEnabled(layer is not None)
        if layer is None:
            return
        look = layer.look
        if fresh:
            for box in (self.low, self.high, self.threshold):
                box.blockSignals(True)
                box.fit(layer)
                box.blockSignals(False)
        self._offer_maps(layer)
        self._quietly(self.opacity, round(look.opacity * 100))
        self._percent.setText(f"{round(look.opacity * 100)} %")
        self.low.show_value(-look.high if look.signed else look.low)
        self.low.setEnabled(not look.signed)
        self.high.show_value(look.high)
        self.threshold.show_value(look.threshold)
        self._quietly(self.cut, round(look.threshold / self._largest() * _SLIDER_STEPS))
        for field, switch in self.switches.items():
            switch.blockSignals(True)
            switch.setChecked(bool(getattr(look, field)))
            switch.blockSignals(False)
        low = -look.high if look.signed else look.low
        self._window.setText(f"Window {short(look.high - low)}, level {short((look.high + low) / 2)}")
        self._fit_role(layer)

    def _offer_maps(self, layer: Layer) -> None:
        names = colour_maps.names(signed=layer.look.signed)
        if layer.look.colour_map not in names:
            names = (*names, layer.look.colour_map)
        if [self.colours.itemData(n) for n in range(self.colours.count())] != list(names):
            self.colours.clear()
            for name in names:
                self.colours.addItem(QIcon(map_pixmap(name, _STRIP)), colour_maps.title(name), name)
        self.colours.setCurrentIndex(self.colours.findData(layer.look.colour_map))

    def _fit_role(self, layer: Layer) -> None:
        ranged = layer.role != "atlas"
        for row, shown in (
            ("colours", ranged), ("range", ranged), ("window", layer.role == "underlay"),
            ("threshold", layer.role in ("overlay", "mask")),
        ):  # fmt: skip
            for widget in self._rows[row]:
                widget.setVisible(shown)
        for field, _, _, roles in _SWITCHES:
            self.switches[field].setVisible(layer.role in roles)

    def _want_range(self) -> None:
        low, high = self.low.value(), self.high.value()
        if self._layer is not None and self._layer.look.signed:
            high = abs(high)
            if high > 0:
                self._want(low=0.0, high=high)
            return
        if high <= low:  # the end that was moved pushes the other one
            step = self.high.singleStep()
            if self.sender() is self.low:
                high = low + step
            else:
                low = high - step
        self._want(low=low, high=high)

    def _want(self, **changes: Any) -> None:
        if self._layer is not None:
            self.wanted.emit(changes)

    def _largest(self) -> float:
        assert self._layer is not None
        return max(abs(v) for v in self._layer.value_range) or 1.0

    @staticmethod
    def _quietly(slider: QSlider, value: int) -> None:
        if not slider.isSliderDown():
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the names above their fields where beside each other there is no room."""
        super().resizeEvent(event)
        stacked = self.width() < self._beside
        if stacked != self._stacked:
            self._place(stacked=stacked)

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of the widest field: the names can go above."""
        hint = super().minimumSizeHint()
        margins = 2 * self.low.minimumWidth() + self.fontMetrics().horizontalAdvance("to") + 12
        return QSize(min(hint.width(), margins), hint.height())

    def _arrange(self) -> None:
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        opacity, limits = QHBoxLayout(), QHBoxLayout()
        opacity.addWidget(self.opacity, 1)
        opacity.addWidget(self._percent)
        limits.addWidget(self.low, 1)
        to = QLabel("to", self)
        limits.addWidget(to)
        limits.addWidget(self.high, 1)
        cut = QHBoxLayout()
        cut.addWidget(self.threshold, 1)
        cut.addWidget(self.cut, 1)
        rows: tuple[tuple[str, str, QLayout | QWidget, list[QWidget]], ...] = (
            ("colours", "Colours", self.colours, [self.colours]),
            ("opacity", "Opacity", opacity, [self.opacity, self._percent]),
            ("range", "Range", limits, [self.low, to, self.high]),
            ("window", "", self._window, [self._window]),
            ("threshold", "Threshold", cut, [self.threshold, self.cut]),
        )
        for name, text, content, widgets in rows:
            label = QLabel(text, self)
            label.setBuddy(widgets[0])
            if isinstance(content, QLayout):
                content.setSpacing(6)
            self._lines.append((label, content))
            self._rows[name] = [label, *widgets]
        names = max(label.sizeHint().width() for label, _ in self._lines)
        self._beside = names + 8 + 2 * self.low.minimumWidth() + to.sizeHint().width() + 12
        self._place(stacked=False)

    def _place(self, *, stacked: bool) -> None:
        grid, self._stacked = self._grid, stacked
        while grid.count():
            grid.takeAt(0)
        grid.setColumnStretch(0, int(stacked))
        grid.setColumnStretch(1, int(not stacked))
        place = 0
        for label, content in self._lines:
            if stacked and label.text():
                grid.addWidget(label, place, 0)
                place += 1
            elif not stacked:
                grid.addWidget(label, place, 0)
            column = int(not stacked)
            if isinstance(content, QWidget):
                grid.addWidget(content, place, column)
            else:
                content.setParent(None)
                grid.addLayout(content, place, column)
            place += 1
        for box in self.switches.values():
            grid.addWidget(box, place, int(not stacked))
            place += 1
