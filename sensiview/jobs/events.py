"""What a job says while it runs: small frozen records, the same for window, terminal and log.

A job emits any number of the first seven and exactly one of `Succeeded`, `Failed`, `StoppedByUser`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from sensiview.errors import SensiViewError


@dataclass(frozen=True)
class Event:
    """Base: `run` is the run's identifier."""

    tag: ClassVar[str] = ""
    run: str


@dataclass(frozen=True)
class Started(Event):
    """The worker has begun. `device` is the one really used; `process` its process number."""

    tag: ClassVar[str] = "started"
    device: str
    process: int


@dataclass(frozen=True)
class StageBegan(Event):
    """A named part of the work, with its number of evaluations or steps if known."""

    tag: ClassVar[str] = "stage"
    name: str
    total: int | None = None


@dataclass(frozen=True)
class Advanced(Event):
    """How far the stage is. `memory` is the worker's memory in bytes, `device_memory` that of the GPU."""

    tag: ClassVar[str] = "advanced"
    done: int
    total: int | None
    evaluations: int
    per_second: float
    seconds_left: float | None
    memory: int
    device_memory: int = 0


@dataclass(frozen=True)
class Warned(Event):
    """A sentence kept with the run."""

    tag: ClassVar[str] = "warned"
    sentence: str


@dataclass(frozen=True)
class Previewed(Event):
    """A provisional item, in the form `sensiview.analysis.item_files.to_plain` gives it."""

    tag: ClassVar[str] = "preview"
    name: str
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpointed(Event):
    """A checkpoint lies in the run's folder: from here an interrupted run goes on."""

    tag: ClassVar[str] = "checkpoint"


@dataclass(frozen=True)
class Succeeded(Event):
    """The items lie in the run's folder."""

    tag: ClassVar[str] = "succeeded"
    items: tuple[str, ...]
    evaluations: int
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed(Event):
    """No result.

    `sentence` is for the user, `details` (a traceback) behind a button; `user_error` when the input is at fault.
    """

    tag: ClassVar[str] = "failed"
    sentence: str
    details: str = ""
    user_error: bool = False


@dataclass(frozen=True)
class StoppedByUser(Event):
    """Cancelled; what was checkpointed can be resumed."""

    tag: ClassVar[str] = "stopped"


FINAL: TypeAlias = Succeeded | Failed | StoppedByUser
_BY_TAG: Mapping[str, type[Event]] = {
    cls.tag: cls
    for cls in (
        Started, StageBegan, Advanced, Warned, Previewed, Checkpointed, Succeeded, Failed, StoppedByUser,
    )
}  # fmt: skip


def to_plain(event: Event) -> dict[str, Any]:
    """Return the event as JSON values with its tag under ``event``."""
    plain = {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}
    return {"event": event.tag, **plain}


def from_plain(plain: Mapping[str, Any]) -> Event:
    """Return the event that `to_plain` wrote."""
    values = dict(plain)
    tag = values.pop("event", None)
    if tag not in _BY_TAG:
        raise SensiViewError(f"The worker said something unknown: {tag!r}.")
    if tag == Succeeded.tag:
        values["items"] = tuple(values["items"])
    return _BY_TAG[tag](**values)
