"""Small controls beside the choosers of plots of images."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from sensiview.gui.plots.chooser_bar import ChooserBar


class PercentSlider(QWidget):
    """A labelled slider from 0 to 100 %.

    Signals
    -------
    moved()
        The user moved it.
    """

    moved = Signal()

    def __init__(self, name: str, label: str, value: int, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._text = QLabel(), label
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName(name)
        self._slider.setAccessibleName(label)
        self._slider.setAccessibleDescription(tip)
        self._slider.setToolTip(tip)
        self._slider.setRange(0, 100)
        self._slider.setPageStep(10)
        self._slider.setMinimumWidth(84)
        self._label.setMinimumWidth(self.label_width())
        self._label.setBuddy(self._slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._label)
        row.addWidget(self._slider, 1)
        self.set_value(value)
        self._slider.valueChanged.connect(self._say)

    @property
    def share(self) -> float:
        """The value between 0 and 1."""
        return self._slider.value() / 100

    def label_width(self) -> int:
        """Return the width that the label needs at its longest."""
        return self._label.fontMetrics().horizontalAdvance(f"{self._text} 100 %") + 8

    def widen_label(self, width: int) -> None:
        """Make the label as wide as another one, so that sliders begin below each other."""
        self._label.setMinimumWidth(width)

    def value(self) -> int:
        """Return the value in per cent."""
        return self._slider.value()

    def set_value(self, value: int) -> None:
        """Set the value without saying so."""
        self._slider.blockSignals(True)
        self._slider.setValue(value)
        self._slider.blockSignals(False)
        self._name()

    def _say(self) -> None:
        self._name()
        self.moved.emit()

    def _name(self) -> None:
        self._label.setText(f"{self._text} {self._slider.value()} %")


class LookButton(QToolButton):
    """A button with a small form: how maps are coloured and how much they cover.

    Signals
    -------
    changed()
        The user chose something else, or moved a slider.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("Look")
        self.setObjectName("plot_look")
        self.setAccessibleName("Colours, scale and opacity of the maps")
        self.setToolTip("Colours, scale, cells, opacity and threshold")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.opacity = PercentSlider("plot_opacity", "Opacity", 60, "How much the map covers the image")
        self.threshold = PercentSlider("plot_threshold", "Threshold", 0, "Values below this share of the scale vanish")
        self.choices = ChooserBar()
        self.choices.changed.connect(self.changed)
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(12, 10, 12, 10)
        column.addWidget(self.choices)
        widest = max(slider.label_width() for slider in (self.opacity, self.threshold))
        for slider in (self.opacity, self.threshold):
            slider.widen_label(widest)
            slider.moved.connect(self.changed)
            column.addWidget(slider)
        form.setMinimumWidth(250)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(form)
        menu.addAction(action)
        self.setMenu(menu)


class StepSlider(QWidget):
    """A labelled slider over named places.

    Signals
    -------
    moved(int)
        The user went to another place.
    """

    moved = Signal(int)

    def __init__(self, name: str, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._text, self._label = label, QLabel()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName(name)
        self._slider.setAccessibleName(label)
        self._slider.setMinimumWidth(160)
        self._slider.setPageStep(1)
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance(f"{label} 00000"))
        self._label.setBuddy(self._slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._label)
        row.addWidget(self._slider, 1)
        self._slider.valueChanged.connect(self._say)

    def offer(self, names: tuple[str, ...]) -> None:
        """Offer these places; the last one is chosen unless the present one is still there."""
        if names == self._names:
            return
        self._names = names
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, len(names) - 1))
        self._slider.setValue(len(names) - 1)
        self._slider.blockSignals(False)
        self._name()

    def value(self) -> int:
        """Return the place."""
        return self._slider.value()

    def set_value(self, value: int) -> None:
        """Go to a place without saying so."""
        self._slider.blockSignals(True)
        self._slider.setValue(value)
        self._slider.blockSignals(False)
        self._name()

    def _say(self) -> None:
        self._name()
        self.moved.emit(self._slider.value())

    def _name(self) -> None:
        at = self._slider.value()
        self._label.setText(f"{self._text} {self._names[at] if at < len(self._names) else ''}")
