"""What the import dialog of volumes asks for: looking at files, and adding them; both off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.gui.data_import import likely_target

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.cohort import Cohort
    from sensiview.projects.store import Project


@dataclass(frozen=True, eq=False)
class Found:
    """A cohort that could be added, its table, the likely column of the diagnosis, and what was noticed."""

    cohort: Cohort
    frame: pd.DataFrame
    likely_target: str | None
    findings: tuple[str, ...]


def look_at_volumes(
    paths: Sequence[Path], participants: Path | None, frame: int | None, on_progress: Callable[[float], None]
) -> Found:
    """Find out what lies in files and folders.

    Raises
    ------
    DataError
        No volume can be read.
    """
    from sensiview.datasets.cohort import understand_cohort

    cohort = understand_cohort(
        list(paths), name="volumes", participants=participants, frame=frame, on_progress=on_progress
    )
    table = cohort.table
    findings = tuple(dict.fromkeys([*cohort.card.notes, *cohort.findings]))
    return Found(cohort, _frame(cohort), likely_target(table), findings)


def _frame(cohort: Cohort) -> pd.DataFrame:
    """Return one row per volume: name, subject, and the participants' columns."""
    import pandas as pd

    volumes = cohort.card.reading["volumes"]
    frame = pd.DataFrame({"volume": [v["name"] for v in volumes], "subject": [v["subject"] for v in volumes]})
    for column in cohort.table.columns:
        if column not in frame.columns:
            frame[column] = cohort.table[column].to_numpy()
    return frame


def add_found(project: Project, found: Found, *, name: str, target: str | None, copy: bool) -> DatasetSource:
    """Add a cohort to the project, under a name and with a target."""
    from sensiview.datasets.cohort import with_target

    card = found.cohort.card
    if name:
        card = card.model_copy(update={"name": name})
    if target is not None:
        card = with_target(card, found.cohort.table, target)
    return project.add_dataset(card, found.cohort.files, copy=copy)
