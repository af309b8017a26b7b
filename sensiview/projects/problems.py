"""The ways in which a project refuses, each an error of its own so that the window can offer the way out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.errors import ProjectError

if TYPE_CHECKING:
    from sensiview.projects.locking import Holder


class DamagedProject(ProjectError):
    """The database can't be read; `folder` is the project's, in which backups may lie."""

    def __init__(self, sentence: str, *, folder: Path, details: str = "") -> None:
        super().__init__(sentence, details=details)
        self.folder = folder


class CannotWrite(ProjectError):
    """The project can be read but not written.

    `reason` is the sentence without the advice, for a notice when it is opened for reading instead.
    """

    def __init__(self, reason: str, advice: str, *, details: str = "") -> None:
        super().__init__(f"{reason} {advice}", details=details)
        self.reason = reason


class ProjectLocked(CannotWrite):
    """Another window or command writes to the project; `holder` says who, if it left a note."""

    def __init__(self, reason: str, holder: Holder | None) -> None:
        super().__init__(reason, "Close it there first, or open it here for reading only.")
        self.holder = holder


class DiskFull(CannotWrite):
    """There is no space left; what was stored before is kept."""


class UnreadableEntry(ProjectError):
    """One row of the database does not say what it should; the others can be used."""

    def __init__(self, identifier: str, *, details: str = "") -> None:
        super().__init__(
            f"The entry '{identifier}' of the project can't be read. Restore a backup, or delete the entry.",
            details=details,
        )
        self.identifier = identifier
