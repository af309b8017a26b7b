"""Jobs that make a data set: a cohort resampled to a template, or a simulated one with a known answer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sensiview.errors import UserError
from sensiview.jobs.prepared import VOLUMES, read_prepared

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project

Preparation = Literal["resampling", "simulation", "biased_digits"]


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
        ``resampling`` (of `dataset`; parameters as `sensiview.jobs.resampling_job.ResamplingSettings`),
        ``simulation`` (parameters as `sensiview.jobs.simulation_job.SimulationSettings`) or ``biased_digits``
        (parameters as `sensiview.jobs.digits_job.DigitSettings`).

    Raises
    ------
    UserError
        Settings of a resampling that can't be used, or a data set that is none of volumes.
    """
    source = project.dataset(dataset) if dataset else None
    if what == "resampling":
        from sensiview.jobs.resampling_job import settings_of

        settings_of(parameters or {})
        if source is not None and source.card.kind != "volumes":
            raise UserError(f"'{source.card.name}' is a {source.card.kind}; only volumes can be resampled.")
    return project.new_run(
        kind="preparation",
        analysis=what,
        revision=1,
        parameters=dict(parameters or {}),
        dataset=source.id if source else None,
        model=None,
        device="cpu",
        seed=seed,
        batch_size=None,
        name=name or what.capitalize(),
    )


def grid_like(source: DatasetSource) -> dict[str, Any]:
    """Return the settings ``template`` and ``grid`` of a resampling onto the grid of another data set.

    Raises
    ------
    UserError
        It holds no volumes, or they lie on different grids.
    """
    card = source.card
    if card.kind != "volumes":
        raise UserError(f"'{card.name}' is a {card.kind} and has no grid. Choose a data set of volumes.")
    grids = card.extra.get("grids", ())
    if len(grids) != 1:
        raise UserError(f"The volumes of '{card.name}' lie on {len(grids)} different grids. Choose one with one grid.")
    grid = {"shape": grids[0]["shape"], "affine": grids[0]["affine"], "space": card.extra.get("space", "unknown")}
    return {"template": f"the grid of {card.name}", "grid": grid}


def add_prepared(project: Project, directory: Path) -> DatasetSource:
    """Add the data set that a job made; its files move from the run's folder into the project's data."""
    card, files = read_prepared(directory)
    added = project.add_dataset(card, files, move=True)
    shutil.rmtree(directory / VOLUMES, ignore_errors=True)
    return added
