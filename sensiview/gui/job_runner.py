"""The thread that supervises the worker process and hands its events to the GUI thread as signals.

It never computes and is never terminated: it ends by itself when asked, and whoever owns it waits for that.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from sensiview.errors import SensiViewError
from sensiview.jobs.events import FINAL, Failed, StoppedByUser

if TYPE_CHECKING:
    from sensiview.jobs.supervisor import Worker
    from sensiview.jobs.task import Task

# How long the thread listens before it looks whether it should end.
_PATIENCE_S = 0.1


class JobRunner(QThread):
    """Runs one task after the other in one warm worker process.

    Signals
    -------
    reported
        Every `sensiview.jobs.events.Event`, exactly one of them final per task.
    worker_ready
        The worker process has been started.
    """

    reported = Signal(object)
    worker_ready = Signal()

    def __init__(self, make_worker: Callable[[], Worker], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_worker = make_worker
        self._worker: Worker | None = None
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._closing = threading.Event()

    def submit(self, task: Task) -> None:
        """Give the worker a task; its events follow. Starts the thread when it does not run yet."""
        self._cancelled.discard(task.run)
        self._tasks.put(task)
        if not self.isRunning():
            self.start()

    def cancel(self, run: str) -> None:
        """Ask the worker to stop a run at its next batch; the supervisor ends the process if it does not."""
        self._cancelled.add(run)
        worker = self._worker
        if worker is not None and worker.alive:
            worker.cancel(run)

    def restart_worker(self) -> None:
        """End the idle worker process; the next task starts a fresh one."""
        worker = self._worker
        if worker is not None:
            worker.kill()

    def shut_down(self) -> None:
        """End the worker process and this thread, and wait for both."""
        self._closing.set()
        worker = self._worker
        if worker is not None:
            worker.kill()
        if self.isRunning():
            self.wait()

    def run(self) -> None:
        """Supervise until `shut_down`."""
        worker = self._start_worker()
        while not self._closing.is_set():
            try:
                task = self._tasks.get(timeout=_PATIENCE_S)
            except queue.Empty:
                continue
            worker = worker or self._start_worker()
            self._follow(worker, task)
        if worker is not None:
            worker.kill()

    def _start_worker(self) -> Worker | None:
        try:
            worker = self._make_worker()
            worker.start()
        except (SensiViewError, OSError):
            # Said with the first task: a worker that can't start matters only then.
            return None
        self._worker = worker
        self.worker_ready.emit()
        return worker

    def _follow(self, worker: Worker | None, task: Task) -> None:
        if worker is None:
            sentence = "The worker process can't be started. Close other programs and try again."
            self.reported.emit(Failed(run=task.run, sentence=sentence))
            return
        if task.run in self._cancelled:
            self.reported.emit(StoppedByUser(run=task.run))
            return
        try:
            if not worker.alive:
                worker.start()
            worker.submit(task)
            while not self._closing.is_set():
                if task.run in self._cancelled:
                    # Also when cancel came between the look above and `submit`; asking twice does no harm.
                    worker.cancel(task.run)
                for event in worker.events(timeout=_PATIENCE_S):
                    self.reported.emit(event)
                    if isinstance(event, FINAL):
                        return
        except SensiViewError as error:
            self.reported.emit(Failed(run=task.run, sentence=error.sentence, details=error.details))
        except Exception as error:  # noqa: BLE001 - whatever happens here must end the job, not the window
            sentence = f"The job could not be supervised: {error}. Run it again; if it happens again, send the report."
            self.reported.emit(Failed(run=task.run, sentence=sentence, details=traceback.format_exc()))
