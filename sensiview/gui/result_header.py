"""The head of a result page: what was run on what, and what can be done with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.item_view import Mode
from sensiview.gui.number_text import duration, grouped

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord

_COMMANDS = (
    ("export_run", "Export…", "Write tables and plots of this run to a folder"),
    ("write_report", "Report…", "Write a report of the finished runs"),
    ("compare_screenings", "Compare", "Show the maps of this screening beside those of other networks"),
    ("extend", "Extend…", "Go on with larger values, re-using every evaluation"),
    ("retry", "Run again", "Queue a new run with everything as in this one"),
    ("edit", "Edit…", "Put the parameters of this run into the form, to change some and run it"),
)
_MODES: tuple[tuple[Mode, str], ...] = (("plot", "Plot"), ("both", "Both"), ("table", "Table"))


class ResultHeader(QWidget):
    """Name, one line of facts, and buttons.

    Signals
    -------
    wanted(str)
        A command about this run.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading, self.line = ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "subheading")
        self.line.setProperty("role", "muted")
        self.line.setObjectName("result_summary")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 4)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.heading, 1)
        column.addLayout(row)
        column.addWidget(self.line)
        self.buttons: dict[str, QToolButton] = {}
        for key, text, tip in _COMMANDS:
            button = QToolButton()
            button.setText(text)
            button.setObjectName(f"result_{key}")
            button.setAccessibleName(text.rstrip("…"))
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, key=key: self.wanted.emit(key))
            row.addWidget(button)
            self.buttons[key] = button

    def show_run(self, record: RunRecord, possible: Collection[str]) -> None:
        """Show a run, and the commands that are possible with it."""
        self.heading.setText(record.name)
        self.line.setText(summary(record))
        for key, button in self.buttons.items():
            button.setVisible(key in possible)


class ModeSwitch(QWidget):
    """Plot, table or both.

    Signals
    -------
    chosen(str)
        One of the modes.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        for mode, text in _MODES:
            button = QToolButton()
            button.setText(text)
            button.setObjectName(f"show_{mode}")
            button.setAccessibleName(f"Show {text.lower()}")
            button.setCheckable(True)
            button.setProperty("mode", mode)
            self._group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self._group.buttonClicked.connect(lambda button: self.chosen.emit(cast("str", button.property("mode"))))

    def offer(self, modes: Collection[Mode], chosen: Mode) -> None:
        """Show which mode is on; hidden when there is no choice."""
        self.setVisible(len(modes) > 1)
        for button in self._group.buttons():
            button.setChecked(button.property("mode") == chosen)


def summary(record: RunRecord) -> str:
    """Return one line on what was computed on what, and what it took."""
    parts = [record.id, record.dataset_name, record.model_name]
    if record.evaluations:
        parts.append(f"{grouped(record.evaluations)} evaluations")
    if record.seconds:
        parts.append(duration(record.seconds))
    if record.warnings:
        parts.append("1 warning" if len(record.warnings) == 1 else f"{len(record.warnings)} warnings")
    return "  ·  ".join(part for part in parts if part)
