"""Small controls beside the choosers of plots of images."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget


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
        self._slider.setFixedWidth(84)
        self._label.setBuddy(self._slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._label)
        row.addWidget(self._slider)
        self.set_value(value)
        self._slider.valueChanged.connect(self._say)

    @property
    def share(self) -> float:
        """The value between 0 and 1."""
        return self._slider.value() / 100

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
