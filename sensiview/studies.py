"""What a run is about: data set, model and finished runs of a project, chosen by name and put into a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sensiview.analysis.item_files import read_items
from sensiview.analysis.result import Result
from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.analysis.study import Finished, Study
from sensiview.errors import ProjectError, UserError

if TYPE_CHECKING:
    from sensiview.datasets.generators import Generator
    from sensiview.models.architectures import Architecture
    from sensiview.numerics.screening.partition import Partition
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


def study_of(
    project: Project,
    dataset: DatasetSource | None,
    model: ModelSource | None,
    *,
    device: str = "auto",
    seed: int = 1,
    batch_size: int | None = None,
) -> Study:
    """Return the cards of a choice: enough for obstacles, problems and cost, not for running."""
    finished = {run.id: _finished(project, run) for run in project.runs() if run.items}
    return Study(
        architectures=_architectures_for(model),
        dataset=dataset.card if dataset else None,
        model=model.card if model else None,
        device=device,
        seed=seed,
        batch_size=batch_size,
        runs=finished,
        plugin_parts=_plugin_parts,
    )


def _finished(project: Project, run: RunRecord) -> Finished:
    """Return what another analysis may know of a finished run without opening its model."""
    return Finished(
        id=run.id,
        result=partial(read_result, project, run.id),
        name=run.name,
        analysis=run.analysis,
        parameters=run.parameters,
        seed=run.seed,
        dataset=_card(project.dataset, run.dataset),
        model=_card(project.model, run.model),
    )


def _card(find: Callable[[str], Any], wanted: str | None) -> Any:
    """Return a card; None for a data set or model that was deleted since."""
    try:
        return find(wanted).card if wanted else None
    except UserError:
        return None


def read_result(project: Project, run_id: str) -> Result:
    """Return the items of a finished run, read from its folder.

    Raises
    ------
    UserError
        The run has no result.
    """
    run = project.run(run_id)
    if run.state != "succeeded":
        raise UserError(f"'{run.id}' has no result: it is {run.state}. {run.message}".strip())
    items = read_items(project.run_directory(run.id))
    return Result(items, evaluations=run.evaluations, warnings=tuple(run.warnings), seconds=run.seconds)


def choose_dataset(project: Project, wanted: str | None) -> DatasetSource:
    """Return the data set of that name or identifier; the only one there is when none is named."""
    if wanted:
        return project.dataset(wanted)
    known = project.datasets()
    if len(known) == 1:
        return known[0]
    if not known:
        raise ProjectError("The project has no data set yet. Add one first (add-dataset).")
    names = ", ".join(f"'{source.card.name}'" for source in known)
    raise UserError(f"The project has several data sets; say which: {names}.")


def choose_model(project: Project, wanted: str | None, *, required: bool) -> ModelSource | None:
    """Return the model of that name or identifier; the only one when none is named but one is `required`."""
    if wanted:
        return project.model(wanted)
    if not required:
        return None
    known = project.models()
    if len(known) == 1:
        return known[0]
    if not known:
        raise ProjectError("The project has no model yet. Add one (add-model) or train one (train).")
    names = ", ".join(f"'{source.card.name}'" for source in known)
    raise UserError(f"The project has several models; say which: {names}.")


def _plugin_parts() -> tuple[Mapping[str, Partition], Mapping[str, Generator]]:
    from sensiview.plugin_loading import discover_parts

    return discover_parts()


def _architectures_for(model: ModelSource | None) -> Mapping[str, Architecture] | None:
    """Return the architectures with those of plugins, where the model's own is one of theirs."""
    from sensiview.models.architectures import architectures
    from sensiview.plugin_loading import discover_architectures

    if model is None or not model.card.architecture or model.card.architecture in architectures():
        return None
    return discover_architectures()
