"""What is shown of a run that has no result (yet): how far it is, or what happened and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sensiview.gui.number_text import duration, grouped, memory

if TYPE_CHECKING:
    from sensiview.gui.job_queue import LiveJob
    from sensiview.projects.records import RunRecord

_ROLES = {"failed": "error", "interrupted": "warning", "stopped": "muted", "queued": "muted", "running": ""}
_HEADINGS = {
    "queued": "Waiting in the queue", "running": "Running", "failed": "This run failed",
    "stopped": "This run was stopped", "interrupted": "This run was interrupted",
}  # fmt: skip
_NEXT = {
    "failed": "Run it again once the reason is gone. What was already evaluated is kept where the analysis can go on.",
    "stopped": "Resume it to go on where it stopped, or run it again from the start.",
    "interrupted": "The program ended while it was computing. Resume it: it goes on from its last checkpoint and ends "
    "with the same numbers.",
}


class RunStatePanel(QFrame):
    """A card above (or instead of) the items of a run.

    Signals
    -------
    wanted(str)
        A command for this run: ``stop``, ``retry`` or ``resume``.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_state")
        self.setProperty("role", "card")
        self.heading, self.sentence, self.advice, self.numbers = QLabel(), QLabel(), QLabel(), QLabel()
        self.heading.setProperty("role", "subheading")
        self.sentence.setObjectName("run_message")
        self.advice.setProperty("role", "muted")
        self.numbers.setProperty("role", "muted")
        self.numbers.setObjectName("run_numbers")
        for label in (self.heading, self.sentence, self.advice, self.numbers):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar()
        self.progress.setObjectName("run_progress")
        self.progress.setAccessibleName("Progress of this run")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.details = QPlainTextEdit()
        self.details.setObjectName("run_details")
        self.details.setAccessibleName("Details of the failure")
        self.details.setReadOnly(True)
        self.details.hide()
        self.details_button = QToolButton()
        self.details_button.setText("Details")
        self.details_button.setObjectName("run_details_button")
        self.details_button.setAccessibleName("Show details")
        self.details_button.setCheckable(True)
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button = QToolButton()
        self.copy_button.setText("Copy report")
        self.copy_button.setObjectName("run_copy_report")
        self.copy_button.setAccessibleName("Copy report")
        self.copy_button.clicked.connect(self._copy)
        self.buttons = {key: self._button(key, text) for key, text in
                        (("resume", "Resume"), ("retry", "Run again"), ("stop", "Stop"))}  # fmt: skip
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        for button in (self.details_button, self.copy_button, *self.buttons.values()):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 12, 10)
        column.setSpacing(6)
        column.addLayout(head)
        for widget in (self.sentence, self.progress, self.numbers, self.advice):
            column.addWidget(widget)
        column.addWidget(self.details)

    def show_run(self, record: RunRecord, live: LiveJob | None, *, writable: bool) -> None:
        """Show the run's state; hidden for a run that has succeeded."""
        state = "running" if live is not None else record.state
        self.setVisible(state != "succeeded")
        if state == "succeeded":
            return
        heading = _HEADINGS.get(state, state.capitalize())
        self.heading.setText("Stopping …" if live is not None and live.stopping else heading)
        self.sentence.setText(record.message)
        self.sentence.setVisible(bool(record.message) and live is None)
        self._set_role(self.heading, _ROLES.get(state, ""))
        self.advice.setText(_NEXT.get(state, ""))
        self.advice.setVisible(bool(self.advice.text()))
        self.details.setPlainText(record.details)
        has_details = bool(record.details) and live is None
        self.details_button.setVisible(has_details)
        self.copy_button.setVisible(has_details)
        self.details.setVisible(has_details and self.details_button.isChecked())
        ended = state in ("failed", "stopped", "interrupted")
        self.buttons["resume"].setVisible(ended and writable)
        self.buttons["retry"].setVisible(ended and writable)
        self.buttons["stop"].setVisible(state in ("running", "queued"))
        self.buttons["stop"].setEnabled(live is None or not live.stopping)
        self.show_progress(live)

    def show_progress(self, live: LiveJob | None) -> None:
        """Show how far a running job is."""
        self.progress.setVisible(live is not None)
        self.numbers.setVisible(live is not None)
        if live is None:
            return
        share = live.share
        self.progress.setRange(0, 1000 if share is not None else 0)
        if share is not None:
            self.progress.setValue(round(1000 * share))
        parts = [live.stage]
        if live.total:
            parts.append(f"{grouped(live.done)} of {grouped(live.total)}")
        if live.per_second:
            parts.append(f"{grouped(round(live.per_second))} per second")
        if live.seconds_left is not None:
            parts.append(f"{duration(live.seconds_left)} left")
        if live.memory:
            parts.append(memory(live.memory) + (f" + {memory(live.device_memory)} GPU" if live.device_memory else ""))
        if live.device:
            parts.append(live.device)
        self.numbers.setText("  ·  ".join(parts))
        if live.stopping:
            self.heading.setText("Stopping …")
            self.buttons["stop"].setEnabled(False)

    def _button(self, key: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"run_{key}_button")
        button.setAccessibleName(f"{text} this run")
        if key == "resume":
            button.setProperty("role", "primary")
        button.clicked.connect(lambda: self.wanted.emit(key))
        return button

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.sentence.text()}\n\n{self.details.toPlainText()}\n")

    def _set_role(self, label: QLabel, role: str) -> None:
        if label.property("state_role") == role:
            return
        label.setProperty("state_role", role)
        label.setProperty("role", role if role in ("error", "warning") else "subheading")
        label.style().unpolish(label)
        label.style().polish(label)
