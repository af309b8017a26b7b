"""What a job leaves in its run's folder besides items: ``record.json`` and ``log.txt``.

The record is enough to run the same thing elsewhere and to write the methods paragraph of a paper. It names files
by content, not by where they lay on this machine, so that it can be handed on.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import sensiview
from sensiview.errors import SensiViewError
from sensiview.files import FileReference, write_atomically
from sensiview.jobs.events import (
    Advanced,
    Checkpointed,
    Event,
    Failed,
    Previewed,
    StageBegan,
    Started,
    StoppedByUser,
    Succeeded,
    Warned,
)
from sensiview.jobs.task import Task

RECORD = "record.json"
LOG = "log.txt"
_FORMAT = 1
# What can change a number.
_PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pandas")


def now() -> str:
    """Return the time as ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class RunFolder:
    """The record and the log of one run; a disk that is full or read-only never hides why the job ended."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._began = time.perf_counter()
        self.values: dict[str, Any] = {**_of_task(task), "versions": versions(), "host": _host(), "started": now()}

    @property
    def seconds(self) -> float:
        """Wall time since the job began."""
        return time.perf_counter() - self._began

    def begin(self) -> None:
        """Make the folder and write the record of a run that is going on; OSError when that can't be done."""
        self._task.directory.mkdir(parents=True, exist_ok=True)
        self._write()

    def end(self, final: Event) -> None:
        """Complete the record with how the job ended; a disk that refuses it is left alone."""
        self.values |= {**_ending(final), "finished": now(), "seconds": round(self.seconds, 3)}
        with contextlib.suppress(OSError):
            self._write()

    def log(self, event: Event) -> None:
        """Add a line to the log; the live events that only a window needs are left out."""
        line = _line(event)
        if line:
            _append(self._task.directory / LOG, line)

    def _write(self) -> None:
        text = json.dumps(self.values, indent=1, ensure_ascii=False, default=str)
        data = text.encode("utf-8", errors="backslashreplace")
        write_atomically(self._task.directory / RECORD, lambda stream: stream.write(data))


def read_record(directory: Path) -> dict[str, Any]:
    """Return the record of a run's folder.

    Raises
    ------
    SensiViewError
        There is none, or it is damaged.
    """
    path = directory / RECORD
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise SensiViewError(f"The run's record '{path}' is missing. Run the analysis again.") from None
    except (OSError, ValueError) as error:
        raise SensiViewError(f"The run's record '{path}' can't be read: it is damaged.", details=repr(error)) from error
    if not isinstance(record, dict):
        raise SensiViewError(f"The run's record '{path}' can't be read: it is damaged.")
    return record


def amend_record(directory: Path, final: Event) -> None:
    """Complete the record of a job whose process died before it could; what can't be written is left alone."""
    with contextlib.suppress(OSError, SensiViewError):
        record = read_record(directory) | {**_ending(final), "finished": now()}
        data = json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8", errors="backslashreplace")
        write_atomically(directory / RECORD, lambda stream: stream.write(data))
        _append(directory / LOG, _line(final))


def fingerprints(task: Task) -> dict[str, list[str]]:
    """Return the SHA-256 of every file of data and model."""
    found: dict[str, list[str]] = {}
    if task.dataset is not None:
        found["dataset"] = [file.sha256 for file in task.dataset.files]
    if task.model is not None:
        found["model"] = [file.sha256 for file in (task.model.weights, task.model.program) if file is not None]
    return {name: hashes for name, hashes in found.items() if hashes}


def versions() -> dict[str, str]:
    """Return the versions of what computes; nothing is imported for it."""
    found = {"sensiview": sensiview.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = str(torch.__version__)  # with the build, "+cu132"
    return found


def _append(path: Path, line: str) -> None:
    with contextlib.suppress(OSError), path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(f"{now()} {line}\n")


def _host() -> dict[str, Any]:
    import psutil

    return {
        "system": platform.system(),
        "release": platform.release(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 1,
        "memory": psutil.virtual_memory().total,
    }


def _of_task(task: Task) -> dict[str, Any]:
    values: dict[str, Any] = {
        "format": _FORMAT,
        "run": task.run,
        "kind": task.kind,
        "state": "running",
        "analysis": task.analysis,
        "revision": 1,
        "parameters": task.parameters,
        "seed": task.seed,
        "device": task.device,
        "batch_size": task.batch_size,
        "inputs": [run.id for run in task.runs],
        "fingerprints": fingerprints(task),
    }
    if task.dataset is not None:
        card = task.dataset.card
        values["dataset"] = {
            "id": task.dataset.id,
            "name": card.name,
            "kind": card.kind,
            "rows": card.n_rows,
            "features": list(card.features),
            "target": card.target,
            "reading": card.reading,
            "files": _files(task.dataset.files),
        }
    if task.model is not None:
        model = task.model.card
        values["model"] = {
            "id": task.model.id,
            "name": model.name,
            "architecture": model.architecture,
            "options": model.options,
            "emits": model.emits,
            "class_names": list(model.class_names),
            "preprocessing": model.preprocessing,
            "files": _files([file for file in (task.model.weights, task.model.program) if file is not None]),
        }
    return values


def _files(files: Sequence[FileReference]) -> list[Mapping[str, Any]]:
    return [{"name": file.path.name, "size": file.size, "sha256": file.sha256} for file in files]


def _ending(final: Event) -> dict[str, Any]:
    if isinstance(final, Succeeded):
        return {"state": "succeeded", "message": "", "items": list(final.items), "evaluations": final.evaluations}
    if isinstance(final, Failed):
        return {"state": "failed", "message": final.sentence}
    return {"state": "stopped", "message": "Stopped by the user."}


def _line(event: Event) -> str:
    match event:
        case Started():
            return f"started on {event.device}, process {event.process}"
        case StageBegan():
            return f"stage: {event.name}" + (f" ({event.total:,})" if event.total is not None else "")
        case Warned():
            return f"warning: {event.sentence}"
        case Succeeded():
            return f"succeeded: {event.evaluations:,} evaluations in {event.seconds:.1f} s, {', '.join(event.items)}"
        case Failed():
            return f"failed: {event.sentence}\n{event.details}".rstrip()
        case StoppedByUser():
            return "stopped"
        case Checkpointed():
            return "checkpoint"
        case Advanced() | Previewed():
            return ""
        case _:
            return event.tag
