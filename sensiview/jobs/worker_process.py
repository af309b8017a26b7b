"""One worker process with its pipes: threads read and write them, so that nobody else ever waits."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from sensiview import locations
from sensiview.errors import SensiViewError
from sensiview.jobs.events import Event, from_plain

_LAST_LINES = 60
# A process that has ended but whose pipe a child of it keeps open is waited for no longer than this.
_PIPE_S = 0.5


def program() -> list[str]:
    """Return how SensiView itself is started, from a checkout, an installation or a frozen program."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    # -P: a file torch.py in the user's folder must not be taken for the library.
    return [sys.executable, "-P", "-m", "sensiview"]


def command() -> list[str]:
    """Return how SensiView's own worker is started."""
    return [*program(), "--worker"]


class WorkerProcess:
    """A process from its start to its end; never started again.

    Parameters
    ----------
    arguments : sequence of str
        The program; None for `command`.
    environment : mapping
        Added to this process's environment.

    Attributes
    ----------
    ready : bool
        It has said so.

    Raises
    ------
    OSError
        The system refuses to start it.
    """

    def __init__(self, arguments: Sequence[str] | None, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            list(arguments) if arguments is not None else command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **own_environment(), **environment},
            # A group of its own: Ctrl+C in the terminal is the window's to handle, and its children die with it.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.ready = False
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._to_say: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._pipe_ended = False
        self._dead_since: float | None = None
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        pipes = (self._read_events, self._process.stdout), (self._read_errors, self._process.stderr)
        self._threads = [threading.Thread(target=read, args=(pipe,), daemon=True) for read, pipe in pipes]
        self._threads.append(threading.Thread(target=self._write, args=(self._process.stdin,), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def id(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def is_over(self) -> bool:
        """Whether it has ended and everything it said was received."""
        if self.returncode is None:
            return False
        if self._dead_since is None:
            self._dead_since = time.monotonic()
        return self._said.empty() and (self._pipe_ended or time.monotonic() - self._dead_since > _PIPE_S)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one line; to a process that has ended nothing is sent."""
        self._to_say.put(json.dumps(message).encode("ascii") + b"\n")

    def receive(self, timeout: float) -> Event | None:
        """Return the next event, None when there is none within `timeout` seconds."""
        with contextlib.suppress(queue.Empty):
            return self._said.get(timeout=timeout) if timeout > 0 else self._said.get_nowait()
        return None

    def last_words(self) -> str:
        """Return the last lines it wrote to stderr."""
        self._threads[1].join(timeout=_PIPE_S)
        return "\n".join(self._last_lines)

    def kill(self) -> None:
        """End it and its children at once, and wait for that."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            elif self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)

    def close(self) -> None:
        """End it if it still runs, and let go of pipes and threads."""
        self.kill()
        self._to_say.put(None)
        for thread in self._threads:
            thread.join(timeout=_PIPE_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _write(self, pipe: IO[bytes]) -> None:
        # A process that has ended is noticed by whoever listens; what was meant for it is dropped.
        with contextlib.suppress(OSError, ValueError):
            while (line := self._to_say.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _read_events(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in pipe:
                self._read_event(line)
        self._pipe_ended = True
        self._said.put(None)  # wakes up whoever waits

    def _read_event(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            if "ready" in message:
                self.ready = True
            else:
                self._said.put(from_plain(message))
        except (ValueError, TypeError, SensiViewError):
            # Something that is no event, from a program that was not told about the channel; the log keeps it.
            self._last_lines.append(line.decode("utf-8", errors="replace").rstrip())

    def _read_errors(self, pipe: IO[bytes]) -> None:
        log = _Log(locations.log_file())
        with contextlib.suppress(OSError, ValueError):
            for line in pipe:
                text = line.decode("utf-8", errors="replace").rstrip()
                self._last_lines.append(text)
                log.add(f"worker {self.id}: {text}")
        log.close()


def own_environment() -> dict[str, str]:
    """Return what a process of our own needs beside this one's environment."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8:backslashreplace"}


class _Log(logging.handlers.RotatingFileHandler):
    """Lines in a file of bounded size; a log that can't be written is no reason for anything to fail."""

    def __init__(self, path: Path) -> None:
        self._usable = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            self._usable = False
        super().__init__(path, maxBytes=1 << 20, backupCount=3, encoding="utf-8", errors="backslashreplace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def add(self, line: str) -> None:
        """Add one line."""
        if self._usable:
            self.handle(logging.LogRecord("sensiview", logging.INFO, "", 0, line, None, None))

    def handleError(self, record: logging.LogRecord) -> None:
        """Give the log up: the disk is full or the folder read-only."""
        self._usable = False
