"""The worker process: tasks come in on stdin, events go out, one line of JSON each; it stays warm between tasks.

Out of it goes ``{"ready": {...}}`` once, then events. Into it come ``{"task": {...}}`` and ``{"cancel": RUN}``. The end
of its input means that the window is gone: it stops what it does and ends, so that nothing computes for nobody.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import SensiViewError
from sensiview.jobs.events import Event, Failed, Previewed, to_plain
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task

if TYPE_CHECKING:
    from sensiview.jobs.execution import Architectures

# How long native code may go on after the window is gone.
_LAST_WORDS_S = 5.0


def main(
    build_catalogue: Callable[[], Catalogue],
    build_architectures: Architectures | None = None,
    *,
    warm: bool = True,
) -> int:
    """Serve tasks until the input ends; returns the exit code.

    Parameters
    ----------
    build_catalogue, build_architectures : callable
        Called once: at the start, and when the first model is opened.
    warm : bool
        Load torch at the start, while the user is still choosing.
    """
    tasks_in, events_out = _private_channels()
    faulthandler.enable(file=sys.stderr)  # a crash in native code says where it was
    inbox = _Inbox(tasks_in)
    channel = _Channel(events_out)
    _give_way()
    serving = threading.Event()
    threading.Thread(target=_leave_with_the_window, args=(inbox, serving), daemon=True).start()
    if warm:
        _warm_up()
    catalogue, complaint = _catalogue(build_catalogue)
    architectures = cache(build_architectures) if build_architectures is not None else None
    channel.say({"ready": {"process": os.getpid()}})
    while (line := inbox.tasks.get()) is not None:
        _serve(line, catalogue, complaint, inbox, channel, architectures)
    serving.set()
    return 0


def _private_channels() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for ourselves: what a library prints goes to stderr, what it reads is empty."""
    sys.stdout.flush()
    tasks_in = os.fdopen(os.dup(0), "rb")
    events_out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - os.devnull is no path on Windows
        os.dup2(nothing.fileno(), 0)
    return tasks_in, events_out


class _Inbox:
    """Reads the input in a thread of its own, so that a cancel arrives while a task is running."""

    def __init__(self, stream: BinaryIO) -> None:
        self.tasks: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.closed = threading.Event()
        self._cancelled: set[str] = set()
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def is_cancelled(self, run: str) -> bool:
        """Return whether a run is to stop; everything is once the window is gone."""
        return self.closed.is_set() or run in self._cancelled

    def _read(self) -> None:
        try:
            for line in self._stream:
                message = json.loads(line)
                if "cancel" in message:
                    self._cancelled.add(str(message["cancel"]))
                else:
                    # A cancel that came too late for an earlier try must not stop this one.
                    self._cancelled.discard(str(message["task"]["run"]))
                    self.tasks.put(message["task"])
        except (ValueError, KeyError, TypeError, OSError):
            traceback.print_exc()  # into the log; a channel that talks nonsense is as good as closed
        finally:
            self.closed.set()
            self.tasks.put(None)


class _Channel:
    """Writes events; a window that is gone is no reason to fail."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def say(self, message: Mapping[str, Any]) -> None:
        """Write one line, whole."""
        line = memoryview(json.dumps(message, allow_nan=False).encode("ascii") + b"\n")
        with contextlib.suppress(OSError):
            while line:
                line = line[self._stream.write(line) :]

    def event(self, event: Event) -> None:
        """Write an event; a preview that is no JSON is left out, as any preview may be."""
        try:
            self.say(to_plain(event))
        except (TypeError, ValueError):
            if not isinstance(event, Previewed):
                raise


def _leave_with_the_window(inbox: _Inbox, finished: threading.Event) -> None:
    """End the process when the window is gone and a task does not stop by itself."""
    inbox.closed.wait()
    if not finished.wait(_LAST_WORDS_S):
        os._exit(1)


def _give_way() -> None:
    """Let the window be smooth while all cores compute."""
    import psutil

    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(5)


def _warm_up() -> None:
    try:
        import torch
    except (ImportError, OSError):
        traceback.print_exc()  # the first task that needs it says so, with this in the details
        return
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(_threads())


def _threads() -> int:
    """Cores that this process may use; one is left to the window where there are enough."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    cores = min(allowed, psutil.cpu_count(logical=False) or allowed)
    return cores - 1 if cores >= 4 else cores


def _catalogue(build: Callable[[], Catalogue]) -> tuple[Catalogue, tuple[str, str]]:
    """Return the analyses; what goes wrong is kept for the first task, which can say it."""
    try:
        return build(), ("", "")
    except SensiViewError as error:
        return Catalogue(), (error.sentence, error.details)
    except Exception as error:  # noqa: BLE001 - a plugin's code runs here; the process must live to say so
        sentence = f"The analyses could not be loaded: {type(error).__name__}: {error}. Look at the plugins."
        return Catalogue(), (sentence, traceback.format_exc())


def _serve(
    line: Mapping[str, Any],
    catalogue: Catalogue,
    complaint: tuple[str, str],
    inbox: _Inbox,
    channel: _Channel,
    architectures: Architectures | None,
) -> None:
    run = str(line.get("run", ""))
    try:
        task = Task.model_validate(line)
    except ValueError as error:
        channel.event(Failed(run, "The worker did not understand the task. Restart SensiView.", details=str(error)))
        return
    if complaint[0] and task.kind == "analysis":
        channel.event(Failed(run, complaint[0], details=complaint[1]))
        return
    execute(task, catalogue, channel.event, lambda: inbox.is_cancelled(run), architectures=architectures)
    _tidy()


def _tidy() -> None:
    """Give back what the task held: the worker may wait for hours."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
