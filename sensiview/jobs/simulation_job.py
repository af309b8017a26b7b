"""The job that makes a cohort with a known answer: simulated grey-matter maps with a loss in chosen regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.result import Result
from sensiview.errors import UserError
from sensiview.jobs.prepared import VOLUMES, write_prepared
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task

if TYPE_CHECKING:
    from sensiview.models.architectures import Architecture


class SimulationSettings(BaseModel):
    """What to simulate, as `sensiview.datasets.simulated_brains.Simulation`, and the new data set's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "simulated cohort"
    subjects: int = Field(120, ge=4, le=10_000)
    spacing: float = Field(3.0, ge=1, le=10)
    regions: tuple[str, ...] = ("Hippocampus L", "Hippocampus R", "Amygdala L", "Amygdala R")
    loss: tuple[float, float] = (0.25, 0.6)
    atlas: str = "desikan_killiany"


def simulate(
    task: Task, device: str, progress: JobProgress, architectures: Mapping[str, Architecture]
) -> tuple[Result, dict[str, Any]]:
    """Write the cohort into the run's folder, as a data set that is ready to be added to the project.

    Raises
    ------
    UserError
        Settings that don't fit.
    DataError
        A region that the atlas does not have.
    """
    from sensiview.datasets.atlas import atlas_on, find_atlas
    from sensiview.datasets.cohort import understand_cohort
    from sensiview.datasets.simulated_brains import SIMULATED, Simulation, simulate_cohort
    from sensiview.datasets.volume import Grid

    try:
        settings = SimulationSettings(**task.parameters)
    except ValidationError as error:
        raise UserError(" ".join(f"{e['loc'][0]}: {e['msg']}." for e in error.errors())) from None
    simulation = Simulation(settings.subjects, settings.spacing, settings.regions, settings.loss, task.seed)
    progress.stage("Simulating grey-matter maps", settings.subjects)
    atlas = find_atlas(settings.atlas)
    made = simulate_cohort(
        task.directory / VOLUMES,
        simulation,
        lambda shape, affine: (atlas_on(atlas, Grid(shape, affine)), atlas.names),
        on_subject=lambda number: progress.advance(1),
    )
    progress.stage("Describing the cohort")
    cohort = understand_cohort(
        list(made.volumes), name=settings.name, participants=made.participants, target="diagnosis"
    )
    extra = {
        **cohort.card.extra,
        "atlas": {"file": f"bundled:{settings.atlas}"},
        "simulated": {"regions": list(settings.regions), "loss": list(settings.loss), "seed": task.seed},
    }
    card = cohort.card.model_copy(update={"extra": extra, "notes": (SIMULATED, *cohort.card.notes)})
    write_prepared(task.directory, card, cohort.files)
    items: dict[str, Item] = {
        "cohort": _summary(card.n_rows, dict(card.class_counts), settings),
        "note": _note(settings),
    }
    return Result(items, evaluations=0), {"parameters": settings.model_dump(mode="json")}


def _summary(n_rows: int, classes: Mapping[str, int], settings: SimulationSettings) -> IndexTable:
    import pandas as pd

    low, high = settings.loss
    loss = [(0.0, 0.0) if name == "control" else (low, high) for name in classes]
    return IndexTable(
        title=f"{n_rows} simulated grey-matter maps",
        description="Simulated from the MNI152 grey-matter template that nilearn ships. No patient.",
        frame=pd.DataFrame(
            {
                "diagnosis": list(classes),
                "volumes": list(classes.values()),
                "loss_from": [pair[0] for pair in loss],
                "loss_to": [pair[1] for pair in loss],
            }
        ),
        keys=("diagnosis",),
        values=("volumes", "loss_from", "loss_to"),
        units={"volumes": "", "loss_from": "share of the grey matter", "loss_to": "share of the grey matter"},
        plot="none",
    )


def _note(settings: SimulationSettings) -> Note:
    low, high = settings.loss
    return Note(
        title="Simulated data with a known answer",
        text=(
            "These maps are simulated from the MNI152 grey-matter template: every subject is the template moved by a "
            "smooth random deformation, with smooth and voxel-wise variation of the density. Patients have lost "
            f"{100 * low:.0f} to {100 * high:.0f} % of the grey matter in {', '.join(settings.regions)}. A map that "
            "explains a network trained on them should lie there, and nowhere else."
        ),
    )
