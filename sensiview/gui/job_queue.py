"""The runs of the open project that wait or go on: what the job table shows and the runner works off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sensiview.errors import SensiViewError
from sensiview.gui.job_runner import JobRunner
from sensiview.jobs.events import (
    FINAL,
    Advanced,
    Event,
    Failed,
    Previewed,
    StageBegan,
    Started,
    StoppedByUser,
    Succeeded,
    Warned,
)  # fmt: skip

if TYPE_CHECKING:
    from sensiview.gui.session import Session


@dataclass
class LiveJob:
    """What is known of the run that goes on, from its latest events."""

    run: str
    device: str = ""
    stage: str = "Starting the worker"
    done: int = 0
    total: int | None = None
    evaluations: int = 0
    per_second: float = 0.0
    seconds_left: float | None = None
    memory: int = 0
    device_memory: int = 0
    stopping: bool = False

    @property
    def share(self) -> float | None:
        """How much of the stage is done, 0 to 1; None when nobody knows."""
        return min(1.0, self.done / self.total) if self.total else None


class JobQueue(QObject):
    """Starts queued runs one after the other and keeps the project informed.

    Signals
    -------
    changed
        Another run is going on, or the queue is another one.
    progressed
        The live values of the run that goes on are newer.
    idle
        Nothing goes on any more.
    """

    changed = Signal()
    progressed = Signal()
    idle = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._runner: JobRunner | None = None
        self._waiting: list[str] = []
        self._after_stop: Callable[[], None] | None = None
        self.live: LiveJob | None = None
        self.paused = False

    @property
    def waiting(self) -> tuple[str, ...]:
        """Identifiers of the runs that wait, the next one first."""
        return tuple(self._waiting)

    def is_busy_with(self, run_id: str) -> bool:
        """Return whether a run goes on right now."""
        return self.live is not None and self.live.run == run_id

    def warm_up(self) -> None:
        """Start the worker process now, so that the first run need not wait for it."""
        self._the_runner()

    def restart_worker(self) -> None:
        """Let the next run start a fresh worker, which then knows newly trusted plugins. A run that goes on is left."""
        if self._runner is not None and self.live is None:
            self._runner.restart_worker()

    def project_opened(self) -> None:
        """Take over what the project has queued; runs left from last time wait until the user goes on."""
        project = self._session.project
        self._waiting = []
        if project is not None and not project.read_only:
            self._waiting = project.queue()
        self.paused = bool(self._waiting)
        if self.paused:
            count = len(self._waiting)
            runs = "1 run waits" if count == 1 else f"{count} runs wait"
            self._session.say(f"{runs} in the queue from last time. Press 'Start queue' to go on.")
        self.changed.emit()

    def add(self, run_id: str) -> None:
        """Put a queued run at the end; starts it when nothing else goes on."""
        if run_id not in self._waiting:
            self._waiting.append(run_id)
        self.paused = False
        self.changed.emit()
        self._next()

    def start_waiting(self) -> None:
        """Go on with the queue."""
        self.paused = False
        self.changed.emit()
        self._next()

    def move(self, run_id: str, places: int) -> None:
        """Move a waiting run towards the front (negative) or the end."""
        if run_id in self._waiting:
            at = self._waiting.index(run_id)
            self._waiting.insert(max(0, min(len(self._waiting) - 1, at + places)), self._waiting.pop(at))
            if self._session.project is not None:
                with self._session.guard():
                    self._session.project.reorder_queue(self._waiting)
            self.changed.emit()

    def drop(self, run_id: str) -> None:
        """Forget a waiting run that was deleted."""
        if run_id in self._waiting:
            self._waiting.remove(run_id)
            self.changed.emit()

    def take_back(self, run_id: str) -> None:
        """Let a run wait again that came back from the trash; it starts when the queue goes on."""
        project = self._session.project
        if project is not None and run_id in project.queue() and run_id not in self._waiting:
            self._waiting.append(run_id)
            self.changed.emit()

    def cancel(self, run_id: str) -> None:
        """Stop the run that goes on, or take a waiting one out of the queue."""
        if self.live is not None and self.live.run == run_id:
            self.live.stopping = True
            self.live.stage = "Stopping"
            if self._runner is not None:
                self._runner.cancel(run_id)
            self.progressed.emit()
        elif run_id in self._waiting:
            self._waiting.remove(run_id)
            self._record(StoppedByUser(run=run_id))
            self._session.entries_changed("run")
        self.changed.emit()

    def stop_all(self, then: Callable[[], None]) -> None:
        """Stop what goes on, leave the rest queued, and call `then` when nothing goes on any more."""
        self.paused = True
        if self.live is None:
            then()
            return
        self._after_stop = then
        self.cancel(self.live.run)

    def shut_down(self) -> None:
        """End worker and thread. What still goes on becomes 'interrupted' and can be resumed."""
        if self._runner is not None:
            self._runner.reported.disconnect(self._on_event)
            self._runner.shut_down()
            self._runner = None
        if self.live is not None:
            self._mark_interrupted(self.live.run)
            self.live = None

    def _mark_interrupted(self, run_id: str) -> None:
        project = self._session.project
        if project is not None and not project.read_only:
            project.update_run(run_id, state="interrupted", message="The window was closed while this was running.")

    def _the_runner(self) -> JobRunner:
        if self._runner is None:
            self._runner = JobRunner(self._session.services.worker, self)
            self._runner.reported.connect(self._on_event)
            self._runner.start()
        return self._runner

    def _next(self) -> None:
        if self.live is not None or self.paused or not self._waiting or self._session.project is None:
            return
        from sensiview import running

        run_id = self._waiting.pop(0)
        self.live = LiveJob(run_id)
        self.changed.emit()
        try:
            task = running.task_for(self._session.project, run_id)
        except (SensiViewError, OSError) as error:
            sentence = error.sentence if isinstance(error, SensiViewError) else f"The run can't start: {error}."
            self._on_event(Failed(run=run_id, sentence=sentence, user_error=True))
            return
        self._the_runner().submit(task)

    def _on_event(self, event: Event) -> None:
        live = self.live
        if live is None or event.run != live.run:
            return
        if isinstance(event, Started):
            live.device = event.device
        elif isinstance(event, StageBegan):
            live.done, live.total, live.seconds_left = 0, event.total, None
            live.stage = live.stage if live.stopping else event.name
        elif isinstance(event, Advanced):
            live.done, live.total, live.evaluations = event.done, event.total, event.evaluations
            live.per_second, live.seconds_left = event.per_second, event.seconds_left
            live.memory, live.device_memory = event.memory, event.device_memory
        elif isinstance(event, Warned):
            self._session.say(event.sentence, level="warning")
        if not isinstance(event, Advanced | Previewed | StageBegan):
            self._record(event)
        if isinstance(event, FINAL):
            self.live = None
        self._session.job_event.emit(event)
        if isinstance(event, FINAL):
            self._finished(event)
        elif isinstance(event, Started):
            self._session.runs_changed.emit()
        else:
            self.progressed.emit()

    def _record(self, event: Event) -> None:
        from sensiview import running

        if self._session.project is None:
            return
        with self._session.guard():
            running.record_event(self._session.project, event.run, event)
        self._session.forget_entries("run")

    def _finished(self, event: FINAL) -> None:
        session = self._session
        session.forget_result(event.run)
        run = session.run_record(event.run)
        name = f"'{run.name}' ({event.run})" if run else event.run
        if isinstance(event, Succeeded):
            session.say(f"{name} is ready.", level="good")
            if run is not None and run.kind == "training":
                session.entries_changed("model")
            if run is not None and run.kind == "preparation":
                session.entries_changed("dataset")
        elif isinstance(event, Failed):
            session.say(f"{name} failed: {event.sentence}", level="error", details=event.details)
        else:
            session.say(f"{name} was stopped.")
        session.entries_changed("run")
        self.changed.emit()
        if self._after_stop is not None:
            then, self._after_stop = self._after_stop, None
            then()
        self._next()
        if self.live is None:
            self.idle.emit()
