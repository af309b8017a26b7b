"""What a project remembers of a run, of the trash and of a check: plain values, JSON in the database."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Kind: TypeAlias = Literal["dataset", "model", "run"]
RunKind: TypeAlias = Literal["analysis", "training", "inspection", "preparation"]
RunState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "stopped", "interrupted"]
Severity: TypeAlias = Literal["error", "warning", "note"]

# Packages whose version can change a number.
_COMPUTING = ("numpy", "scipy", "torch", "torchvision", "pandas")


class RunRecord(BaseModel):
    """One run: what was asked, on what, what became of it.

    Names of data set and model are kept beside their identifiers, so that a run can be read after they
    are gone. Times are ISO 8601 in UTC, empty while they have not come. Unknown fields of a file are
    ignored: a field that an older program must not lose needs a new schema number.

    Attributes
    ----------
    id : str
        ``sobol-0001``; also the folder's name under ``runs``. Never used twice in a project.
    name : str
        The user's name for it, unique among the runs.
    kind : str
        ``analysis``, ``training``, ``preparation`` (makes a data set) or ``inspection``.
    analysis, revision : str, int
        Key of the analysis, and the revision of its numbers.
    parameters : dict
        JSON values as `Parameters.to_json` gives them.
    dataset, model : str or None
        Identifiers in the project.
    state : str
        ``queued``, ``running``, ``succeeded``, ``failed``, ``stopped`` or ``interrupted`` (the program
        ended while it ran).
    seconds, evaluations : float, int
        Wall time of the computation; rows through the network.
    message, details : str
        Why it failed or stopped, in a sentence; the traceback behind the button.
    items : list of str
        Names of the result items, in order.
    versions, fingerprints : dict
        Programs that computed it; SHA-256 of data and weights.
    extends : str or None
        The run whose evaluations were re-used.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    kind: RunKind = "analysis"
    analysis: str = ""
    revision: int = 1
    parameters: dict[str, Any] = {}
    dataset: str | None = None
    dataset_name: str = ""
    model: str | None = None
    model_name: str = ""
    device: str = "auto"
    seed: int = 1
    batch_size: int | None = None
    state: RunState = "queued"
    created: str = ""
    started: str = ""
    finished: str = ""
    seconds: float = 0.0
    evaluations: int = 0
    warnings: list[str] = []
    message: str = ""
    details: str = ""
    items: list[str] = []
    versions: dict[str, str] = {}
    fingerprints: dict[str, Any] = {}
    extends: str | None = None


@dataclass(frozen=True)
class Trashed:
    """Something in the trash: what it is, its name, when it was deleted (ISO 8601, UTC)."""

    kind: Kind
    id: str
    name: str
    deleted: str


class Finding(BaseModel):
    """One thing that a check of the project has to say.

    `severity`: ``error`` (a result can't be reproduced or read), ``warning`` (something to look at) or
    ``note``. `subject` is the identifier it is about, empty for the project itself.
    """

    model_config = ConfigDict(frozen=True)

    severity: Severity
    sentence: str
    subject: str = ""


def now() -> str:
    """Return the time as ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def clock(moment: str) -> str:
    """Return an ISO time for a sentence, in local time: ``14:02`` today, with the date otherwise."""
    try:
        local = datetime.fromisoformat(moment).astimezone()
    except ValueError:
        return moment or "an unknown time"
    if local.date() == datetime.now().astimezone().date():
        return local.strftime("%H:%M")
    return local.strftime("%Y-%m-%d %H:%M")


@cache
def program_versions() -> dict[str, str]:
    """Return the versions of SensiView, Python and the packages that compute; nothing is imported for it."""
    from sensiview import __version__

    versions = {"sensiview": __version__, "python": platform.python_version()}
    for package in _COMPUTING:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
