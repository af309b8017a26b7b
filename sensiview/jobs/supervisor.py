"""Keeps one worker process: starts it, gives it tasks, says why it died, ends it when a job does not stop.

The worker computes, this side only listens: a crash, an out-of-memory kill or a fault of a driver ends the job with a
sentence, not the window.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from sensiview.errors import SensiViewError
from sensiview.jobs.checkpoints import has_checkpoint
from sensiview.jobs.events import FINAL, Event, Failed, StoppedByUser
from sensiview.jobs.run_folder import amend_record
from sensiview.jobs.task import Task
from sensiview.jobs.worker_process import WorkerProcess

# How often a silent worker is asked whether it still lives.
_LOOK_S = 0.1


class Worker:
    """One warm worker process, started again after it died.

    `submit`, `cancel` and `kill` return at once and may be called from any thread, `events` from one.

    Parameters
    ----------
    command : sequence of str
        Another program than SensiView's own worker, in tests.
    environment : mapping
        Added to this process's environment.
    patience : float
        Seconds between a cancel and the end of the process.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        patience: float = 5.0,
    ) -> None:
        self._command = command
        self._environment = dict(environment or {})
        self._patience = patience
        self._lock = threading.RLock()
        self._process: WorkerProcess | None = None
        self._task: Task | None = None
        self._stopping = False
        self._timer: threading.Timer | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs (it may still be loading)."""
        process = self._process
        return process is not None and process.returncode is None

    @property
    def ready(self) -> bool:
        """Whether the process has loaded what it needs and waits for tasks or works on one."""
        process = self._process
        return process is not None and process.ready and process.returncode is None

    @property
    def busy(self) -> bool:
        """Whether a task has not had its final event yet."""
        return self._task is not None

    @property
    def process_id(self) -> int | None:
        """Number of the process, None when there is none."""
        process = self._process
        return process.id if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Start the process unless it runs.

        Raises
        ------
        SensiViewError
            The system refuses to start a program.
        """
        with self._lock:
            if self.alive:
                return
            self._discard()
            try:
                self._process = WorkerProcess(self._command, self._environment)
            except OSError as error:
                raise SensiViewError(
                    f"The worker process can't be started: {error.strerror or error}. Close other programs, then try "
                    "again."
                ) from error

    def submit(self, task: Task) -> None:
        """Give the process a task; its events come from `events`.

        Raises
        ------
        SensiViewError
            Another task is running, or no process can be started.
        """
        with self._lock:
            if self._task is not None:
                raise SensiViewError(f"'{self._task.run}' is still running. Wait for it, or stop it first.")
            self.start()
            assert self._process is not None
            self._task = task
            self._stopping = False
            self._process.send({"task": task.model_dump(mode="json")})

    def cancel(self, run: str) -> None:
        """Ask a running task to stop at its next batch; if it does not, the process is ended after `patience`."""
        with self._lock:
            if self._task is None or self._task.run != run or self._stopping or self._process is None:
                return
            self._stopping = True
            self._process.send({"cancel": run})
            self._timer = threading.Timer(self._patience, self._enforce, (self._process, run))
            self._timer.daemon = True
            self._timer.start()

    def events(self, timeout: float = _LOOK_S) -> Iterator[Event]:
        """Yield the events that have come, waiting for the first one for `timeout` seconds at most.

        Ends after a final event, and when no more events wait. A process that died yields the final event that it
        could not say itself.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            process = self._process
            if process is None or self._task is None:
                time.sleep(max(left, 0.0))
                return
            message = process.receive(max(0.0, min(left, _LOOK_S)))
            if message is not None:
                event = self._accept(message)
                if event is not None:
                    deadline = 0.0  # from here on only what waits already
                    yield event
                    if isinstance(event, FINAL):
                        return
            elif process.is_over:
                yield self._died(process)
                return
            elif left <= 0:
                return

    def kill(self) -> None:
        """End the process now, whatever it does; a running task becomes stopped."""
        with self._lock:
            self._stopping = True
            process = self._process
        if process is not None:
            process.close()

    def _accept(self, event: Event) -> Event | None:
        with self._lock:
            if self._task is None or event.run != self._task.run:
                return None
            if isinstance(event, FINAL):
                self._finished()
            return event

    def _died(self, process: WorkerProcess) -> FINAL:
        with self._lock:
            assert self._task is not None
            task, stopping = self._task, self._stopping
            self._finished()
            self._discard()
        final: FINAL
        if stopping:
            final = StoppedByUser(task.run)
        else:
            further = (
                "What it had computed is kept: press Resume to go on from there."
                if has_checkpoint(task.directory)
                else "The next job starts a new one."
            )
            sentence = f"{reason(process.returncode, ready=process.ready)} {further}"
            final = Failed(task.run, sentence, details=process.last_words())
        amend_record(task.directory, final)
        return final

    def _finished(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._task, self._timer, self._stopping = None, None, False

    def _enforce(self, process: WorkerProcess, run: str) -> None:
        with self._lock:
            still = self._task is not None and self._task.run == run and self._process is process
        if still:
            process.kill()

    def _discard(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


def reason(code: int | None, *, ready: bool = True) -> str:
    """Return why a process ended, in a sentence, from its exit code (negative: a signal)."""
    if code is not None and code > 128 and code < 160:
        code = 128 - code  # as a shell reports a signal
    if code == -9:
        return (
            "The worker process was ended by the system, most often because the computer's memory ran out. Close other "
            "programs, or choose a smaller batch size, fewer outputs or fewer evaluations."
        )
    # SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV; Windows: access violation, stack overrun, illegal instruction.
    if code in (-4, -6, -7, -8, -10, -11) or (code is not None and code & 0xFFFFFFFF in _WINDOWS_CRASHES):
        return f"The worker process crashed in native code ({_name(code)}): a driver or a library is at fault."
    if code is not None and code < 0:
        return f"The worker process was ended from outside ({_name(code)})."
    if not ready:
        return f"The worker process could not start (exit code {code}): the details say why."
    return f"The worker process ended unexpectedly (exit code {code})."


_WINDOWS_CRASHES = {0xC0000005, 0xC0000409, 0xC000001D, 0xC0000374, 0xC00000FD}


def _name(code: int) -> str:
    try:
        return signal.Signals(-code).name if sys.platform != "win32" else f"0x{code & 0xFFFFFFFF:08X}"
    except ValueError:
        return f"signal {-code}"
