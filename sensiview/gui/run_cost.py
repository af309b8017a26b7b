"""What a run will take, said before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from sensiview.analysis.contract import Cost
from sensiview.gui.number_text import duration, grouped, memory
from sensiview.models.card import ModelCard


@dataclass(frozen=True)
class Estimate:
    """Evaluations, memory and time in words."""

    evaluations: str
    memory: str
    time: str
    note: str = ""


def estimate(cost: Cost, model: ModelCard | None, device: str) -> Estimate:
    """Return a run's cost in words; the time from the speed measured for the model on that device."""
    where, speed = _speed(model, device)
    if speed > 0:
        seconds = cost.evaluations / speed + cost.other_seconds
        time = _about(seconds) + (f" on {where}" if cost.evaluations else "")
    elif cost.evaluations:
        time = "known after the first run on this device"
    else:
        time = _about(cost.other_seconds) if cost.other_seconds else "a moment"
    return Estimate(grouped(cost.evaluations) if cost.evaluations else "none", memory(cost.peak_bytes), time, cost.note)


def _about(seconds: float) -> str:
    return "less than a second" if seconds < 1 else f"about {duration(seconds)}"


def _speed(model: ModelCard | None, device: str) -> tuple[str, float]:
    """Return the device meant and its rows per second; 0 when it was never measured."""
    measured = model.rows_per_second if model is not None else {}
    if device != "auto":
        # "cuda" is the first of them.
        name = "cuda:0" if device == "cuda" else device
        return name, measured.get(name, 0.0)
    for name in sorted(measured, key=lambda name: (name == "cpu", name)):
        return name, measured[name]
    return device, 0.0


class CostCard(QFrame):
    """Three lines: evaluations, memory, time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_cost")
        self.setAccessibleName("What this run will take")
        self.setProperty("role", "card")
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setVerticalSpacing(2)
        grid.setHorizontalSpacing(16)
        grid.setColumnStretch(1, 1)
        self.labels: dict[str, QLabel] = {}
        for row, (key, text) in enumerate((("evaluations", "Evaluations"), ("memory", "Memory"), ("time", "Time"))):
            name, value = QLabel(text), QLabel("–")
            name.setProperty("role", "muted")
            value.setObjectName(f"cost_{key}")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setWordWrap(True)
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1)
            self.labels[key] = value
        self.note = QLabel()
        self.note.setObjectName("cost_note")
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.hide()
        grid.addWidget(self.note, 3, 0, 1, 2)

    def show_estimate(self, found: Estimate | None) -> None:
        """Show an estimate; None when there is none."""
        texts = (found.evaluations, found.memory, found.time) if found is not None else ("–", "–", "–")
        for label, text in zip(self.labels.values(), texts, strict=True):
            label.setText(text)
        self.note.setText(found.note if found is not None else "")
        self.note.setVisible(bool(found is not None and found.note))
        self.setAccessibleDescription(
            f"{texts[0]} evaluations, {texts[1]} of memory, {texts[2]}" if found is not None else "Not known yet"
        )
