"""A dialog that looks at files in the background, says how far it is, and can be left at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QVBoxLayout, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import dialog_column, label, named
from sensiview.gui.session import Session


class BackgroundDialog(QDialog):
    """A heading, a sentence, room for content, a place for a problem, and a bar while something is read."""

    _progressed = Signal(float)

    def __init__(self, session: Session, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._stopped = False
        self._forget: Callable[[], None] = _nothing
        self.column: QVBoxLayout = dialog_column(self, name, title)
        self.column.setSpacing(8)
        self.column.addWidget(label(title, "heading", self))
        self.sentence: QLabel = label("", "muted", self, name=f"{name}_sentence")
        self.column.addWidget(self.sentence)
        self.problem = label("", "error", self, name=f"{name}_problem")
        self.problem.hide()
        self.bar = QProgressBar(self, minimum=0, maximum=1000)
        named(self.bar, f"{name}_progress", "How much has been read")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.hide()
        self._progressed.connect(lambda share: self.bar.setValue(round(1000 * share)))

    def finish_layout(self, box: QWidget) -> None:
        """Put problem, bar and buttons at the end."""
        self.column.addWidget(self.problem)
        self.column.addWidget(self.bar)
        self.column.addWidget(box)

    def done(self, result: int) -> None:
        """Let a reading that goes on end at its next word."""
        self._stopped = True
        self._forget()
        super().done(result)

    def work(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run `function` off the GUI thread; the bar shows until it ends."""
        self._forget()
        self.problem.hide()
        self.bar.setValue(0)
        self.bar.show()

        def finish(value: Any) -> None:
            self.bar.hide()
            done(value)

        self._forget = run_in_background(function, finish, self.say, owner=self)

    def tell(self, share: float) -> None:
        """Say how far it is, from the background thread; ends it there when the dialog was left."""
        if self._stopped:
            raise SensiViewError("The import was given up.")
        self._progressed.emit(share)

    def say(self, error: SensiViewError) -> None:
        """Show what went wrong."""
        self.bar.hide()
        self.problem.setText(error.sentence)
        self.problem.show()


def _nothing() -> None:
    """Nothing to forget."""
