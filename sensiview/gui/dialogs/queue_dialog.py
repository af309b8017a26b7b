"""A dialog that puts one run into the queue; what can't be queued is a sentence in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import buttons, dialog_column, label
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord


class QueueDialog(QDialog):
    """A heading, what it is about, room for fields in `column`, a place for a problem, and buttons.

    Signals
    -------
    started
        The `RunRecord` that was queued.
    """

    started = Signal(object)

    def __init__(
        self, session: Session, name: str, heading: str, about: str, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._name = session, name
        self.column: QVBoxLayout = dialog_column(self, f"{name}_dialog", title)
        self.column.addWidget(label(heading, "heading", self))
        self.column.addWidget(label(about, "muted", self))
        self.problem = label("", "error", self, name=f"{name}_problem")
        self.problem.hide()

    def finish_layout(self, accept: str, button: str, queue: Callable[[], RunRecord]) -> None:
        """Put problem and buttons at the end; the main one queues and closes."""
        self.column.addWidget(self.problem)
        self.column.addStretch(1)
        box, _main = buttons(self, accept, button)
        box.accepted.connect(lambda: self._queue(queue))
        self.column.addWidget(box)
        self.setMinimumWidth(520)

    def _queue(self, queue: Callable[[], RunRecord]) -> None:
        try:
            run = queue()
        except SensiViewError as error:
            self.problem.setText(error.sentence)
            self.problem.show()
            return
        self.accept()
        self.started.emit(run)
