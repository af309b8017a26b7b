"""A dialog that looks at files in the background, says how far it is, and can be left at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLabel, QLayout, QProgressBar, QVBoxLayout, QWidget
from shiboken6 import Shiboken

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import dialog_column, label, named
from sensiview.gui.session import Session

Tell = Callable[[float], None]


class _Reading:
    """One piece of work; it ends at its next word once nobody waits for it."""

    def __init__(self, emit: Callable[[float], None]) -> None:
        self._emit = emit
        self.stopped = False

    def tell(self, share: float) -> None:
        """Say how far it is, from the background thread."""
        if self.stopped:
            raise SensiViewError("This was given up.")
        self._emit(share)


class BackgroundDialog(QDialog):
    """A heading, a sentence, room for content, a place for a problem, and a bar while something is read."""

    _progressed = Signal(float)

    def __init__(self, session: Session, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reading: _Reading | None = None
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
        self._progressed.connect(self._show_progress)

    def finish_layout(self, box: QWidget, remedies: QLayout | None = None) -> None:
        """Put problem, what can be done about it, bar and buttons at the end."""
        self.column.addWidget(self.problem)
        if remedies is not None:
            self.column.addLayout(remedies)
        self.column.addWidget(self.bar)
        self.column.addWidget(box)

    def done(self, result: int) -> None:
        """Let a reading that goes on end at its next word."""
        self._give_up()
        super().done(result)

    def work(
        self,
        function: Callable[[Tell], Any],
        done: Callable[[Any], None],
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Run `function` off the GUI thread; it gets what tells the bar how far it is. A newer call supersedes it.

        After an error its sentence is shown, then `failed` is called.
        """
        self._give_up()
        self.problem.hide()
        self.bar.setRange(0, 0)  # busy, until it is known how far
        self.bar.show()
        reading = self._reading = _Reading(self._progressed.emit)

        def finish(value: Any) -> None:
            self.bar.hide()
            done(value)

        def say(error: SensiViewError) -> None:
            self.say(error)
            if failed is not None:
                failed()

        self._forget = run_in_background(lambda: function(reading.tell), finish, say, owner=self)

    def add(self, function: Callable[[], Any], added: Callable[[Any], None], failed: Callable[[], None]) -> None:
        """Change the project off the GUI thread. It is finished also when the dialog is left meanwhile.

        `added` and `failed` are only called while the dialog is there.
        """
        self._give_up()
        self.problem.hide()
        self.bar.setRange(0, 0)
        self.bar.show()
        session, project = self._session, self._session.project

        def here() -> bool:
            return Shiboken.isValid(self) and self.isVisible()

        def finish(value: Any) -> None:
            if session.project is project:
                session.entries_changed("dataset")
            if here():
                self.bar.hide()
                added(value)

        def say(error: SensiViewError) -> None:
            if here():
                self.say(error)
                failed()
            else:
                session.problem.emit(error)

        run_in_background(function, finish, say, owner=session)

    def say(self, error: SensiViewError) -> None:
        """Show what went wrong in the place of how far it is."""
        self.bar.hide()
        self.sentence.setText("")
        self.problem.setText(error.sentence)
        self.problem.show()

    def _give_up(self) -> None:
        self._forget()
        self._forget = _nothing
        if self._reading is not None:
            self._reading.stopped = True

    def _show_progress(self, share: float) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * share))


def _nothing() -> None:
    """Nothing to forget."""
