"""Looks into a file of weights in a worker process of its own: safely, and while another job goes on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.job_runner import JobRunner
from sensiview.gui.session import Session
from sensiview.jobs.events import FINAL, Event, Failed, Succeeded

if TYPE_CHECKING:
    from sensiview.jobs.task import Task
    from sensiview.models.card import ModelCard


class ModelInspector(QObject):
    """One inspection at a time; a newer one supersedes the one before.

    Signals
    -------
    inspected
        The `ModelCard` that describes the model, and the result's items by name.
    failed
        A `SensiViewError` with the table of keys in its details.
    """

    inspected = Signal(object, object)
    failed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = JobRunner(session.services.worker, self)
        self._runner.reported.connect(self._hear)
        # The worker loads while the form is filled in.
        self._runner.start()
        self._number = 0
        self._current = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._forget = _nothing

    def inspect(self, card: ModelCard, weights: Path | None, program: Path | None = None) -> None:
        """Read the file, compare its keys with the architecture, describe the model."""
        self.drop()
        self._number += 1
        name = f"inspection-{self._number}"
        self._current = name
        self._folder = tempfile.TemporaryDirectory(prefix="sensiview-")
        folder = Path(self._folder.name)

        def make() -> Task:
            from sensiview import running

            # The fingerprint reads the whole file: not in the GUI thread.
            return running.inspection_task(folder, card, weights, program).model_copy(update={"run": name})

        self._forget = run_in_background(make, self._runner.submit, self._not_readable, owner=self)

    def drop(self) -> None:
        """Forget the inspection that goes on."""
        self._forget()
        self._forget = _nothing
        if self._current:
            self._runner.cancel(self._current)
            self._current = ""

    def shut_down(self) -> None:
        """End the worker process; called when the dialog closes."""
        self.drop()
        self._runner.reported.disconnect(self._hear)
        self._runner.shut_down()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _not_readable(self, error: SensiViewError) -> None:
        self._current = ""
        self.failed.emit(error)

    def _hear(self, event: Event) -> None:
        if event.run != self._current or not isinstance(event, FINAL) or self._folder is None:
            return
        self._current = ""
        if isinstance(event, Succeeded):
            try:
                card, items = _read(Path(self._folder.name))
            except (OSError, ValueError) as error:
                self.failed.emit(SensiViewError(f"The description of the model can't be read: {error}. Try again."))
                return
            self.inspected.emit(card, items)
        elif isinstance(event, Failed):
            self.failed.emit(SensiViewError(event.sentence, details=event.details))


def _read(folder: Path) -> tuple[ModelCard, dict[str, Any]]:
    from sensiview import running
    from sensiview.analysis.item_files import read_items

    return running.inspected_card(folder), dict(read_items(folder))


def _nothing() -> None:
    """Nothing to forget."""
