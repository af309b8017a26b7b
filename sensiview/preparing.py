"""Jobs that make a data set: a cohort resampled to a template, or simulated with a known answer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sensiview.jobs.prepared import VOLUMES, read_prepared

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project

Preparation = Literal["resampling", "simulation"]


def new_preparation(
    project: Project,
    what: Preparation,
    *,
    dataset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 1,
    name: str = "",
) -> RunRecord:
    """Queue a job that makes a data set; it is added to the project when the run succeeds.

    Parameters
    ----------
    what : str
        ``resampling`` (parameters template, interpolation, name; of `dataset`) or ``simulation`` (parameters as
        `sensiview.jobs.simulation_job.SimulationSettings`).
    """
    return project.new_run(
        kind="preparation",
        analysis=what,
        revision=1,
        parameters=dict(parameters or {}),
        dataset=project.dataset(dataset).id if dataset else None,
        model=None,
        device="cpu",
        seed=seed,
        batch_size=None,
        name=name or what.capitalize(),
    )


def add_prepared(project: Project, directory: Path) -> DatasetSource:
    """Add the data set that a job made; its files move from the run's folder into the project's data."""
    card, files = read_prepared(directory)
    added = project.add_dataset(card, files, copy=True)
    shutil.rmtree(directory / VOLUMES, ignore_errors=True)
    return added
