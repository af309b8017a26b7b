"""The sample project, run live in the window: one step after the other, each result shown when it is ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sensiview.gui.session import Session
from sensiview.jobs.events import FINAL, Event, Failed, StoppedByUser

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow
    from sensiview.projects.records import RunRecord


class SampleProject(QObject):
    """Queues the next run of the demo when the one before has ended; a failure or a stop ends the series."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._steps: Iterator[RunRecord] | None = None
        self._current = ""
        self.quick = False
        session.job_event.connect(self._hear)
        session.project_changed.connect(self._forget)

    def start(self, key: str) -> None:
        """Make the project of a demo in the user's folder, open it and begin."""
        with self._session.guard():
            from sensiview.demos import demo_folder, find_demo

            demo = find_demo(key)
            if not self._session.create(demo_folder(None, key), demo.title):
                return
            project = self._session.require_project()
            self._steps = demo.steps(project, self._session.catalogue, self.quick or demo.long)
            self._session.say(f"{demo.description} Each result appears when it is ready.")
            self._next()

    def _forget(self) -> None:
        self._steps = None
        self._current = ""

    def _next(self) -> None:
        if self._steps is None:
            return
        with self._session.guard():
            run = next(self._steps, None)
            if run is None:
                self._forget()
                self._session.say("The sample project is complete.", level="good")
                return
            self._current = run.id
            self._session.jobs.add(run.id)
            for kind in ("dataset", "model", "run"):
                self._session.entries_changed(kind)
            if self._session.dataset is None and self._session.datasets():
                self._session.select_dataset(self._session.datasets()[-1].id)
            if self._window.results is not None:
                self._window.results.open_run(run.id)
                self._window.centre.show_page("results")

    def _hear(self, event: Event) -> None:
        if event.run != self._current or not isinstance(event, FINAL):
            return
        if isinstance(event, Failed | StoppedByUser):
            self._forget()
            return
        if self._session.model is None and self._session.models():
            self._session.select_model(self._session.models()[-1].id)
        # After the queue has taken note of the end.
        QTimer.singleShot(0, self, self._next)
