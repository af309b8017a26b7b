"""From a project to a task and back: what the window and the command line do alike around a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.sources import ModelSource, RunSource
from sensiview.errors import UserError
from sensiview.files import fingerprint
from sensiview.jobs.checkpoints import has_checkpoint
from sensiview.jobs.events import Event, Failed, Started, StoppedByUser, Succeeded, Warned
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard
from sensiview.preparing import add_prepared
from sensiview.projects.names import name_asked_for
from sensiview.projects.records import RunRecord, now
from sensiview.starting_models import check_base, model_to_train, training_preprocessing
from sensiview.studies import choose_dataset, choose_model, study_of

if TYPE_CHECKING:
    from sensiview.projects.store import Project

# Below this many rows a run's time is opening files and loading torch, not the network's.
_ENOUGH_TO_TIME = 50_000
RESUMABLE = ("interrupted", "stopped", "failed")


def new_analysis(
    project: Project,
    catalogue: Catalogue,
    key: str,
    *,
    dataset: str | None = None,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    device: str = "auto",
    seed: int = 1,
    batch_size: int | None = None,
    name: str = "",
) -> RunRecord:
    """Check everything that can be checked before a run, then put it into the project's queue.

    `dataset` and `model` are names or identifiers; None takes the only one there is. So are the runs that the parameter
    `runs` names; their identifiers are kept.

    Raises
    ------
    UserError
        Unknown names, values that don't fit, or a reason why the analysis can't run.
    """
    analysis = catalogue[key]
    chosen = analysis.Parameters.parse(_with_identifiers(project, parameters or {}))
    data = choose_dataset(project, dataset)
    network = choose_model(project, model, required=analysis.needs_model)
    if seed < 1:
        raise UserError(f"The seed must be 1 or larger (given: {seed}).")
    study = study_of(project, data, network, device=device, seed=seed, batch_size=batch_size)
    found = analysis.against(study, chosen)
    if found:
        raise UserError(" ".join(found))
    return project.new_run(
        kind="analysis",
        analysis=key,
        revision=analysis.revision,
        parameters=chosen.to_json(),
        dataset=data.id if data else None,
        model=network.id if network else None,
        device=device,
        seed=seed,
        batch_size=batch_size,
        name=name or analysis.title,
    )


def _with_identifiers(project: Project, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters with identifiers for those finished runs that are given by a name no other has."""
    given = parameters.get("runs")
    if not given or not isinstance(given, str | list | tuple):
        return parameters
    called: dict[str, list[str]] = {}
    for record in project.runs():
        if record.state == "succeeded":
            called.setdefault(record.name, []).append(record.id)
            called[record.id] = [record.id]
    wanted = [part.strip() for part in given.split(",")] if isinstance(given, str) else list(given)
    for run in wanted:
        if len(several := called.get(run, ())) > 1:
            raise UserError(f"{len(several)} finished runs are called '{run}'. Say which: {', '.join(several)}.")
    runs = [called[run][0] if run in called else run for run in wanted]
    return {**parameters, "runs": runs}


def new_training(
    project: Project,
    architecture: str = "",
    *,
    dataset: str | None = None,
    options: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
    device: str = "auto",
    seed: int = 1,
    name: str = "",
    base: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
) -> RunRecord:
    """Queue the training of a new model; the model is added to the project when the run succeeds.

    `base` is the name or identifier of a model to start from; it gives the architecture and its options. For images.
    `preprocessing` is that of the new model, as it stands in a card; what is usual when left out.

    Raises
    ------
    UserError
        Unknown names, no target, or a model that can't be trained further.
    """
    data = choose_dataset(project, dataset)
    if data.card.target is None:
        raise UserError(f"Training needs a target column; '{data.card.name}' has none. Choose one first.")
    more: dict[str, Any] = {}
    if base:
        source = project.model(base)
        check_base(source, data.card.kind, architecture, options or {})
        architecture, options, more = source.card.architecture, source.card.options, {"base": source.id}
        name = name or f"{source.card.name}, further"
    if preprocessing:
        more["preprocessing"] = training_preprocessing(preprocessing, data.card.kind)
    return project.new_run(
        kind="training",
        analysis="training",
        revision=1,
        parameters={"architecture": architecture, "options": dict(options or {}), "recipe": dict(recipe or {}), **more},
        dataset=data.id,
        model=None,
        device=device,
        seed=seed,
        batch_size=None,
        name=name or architecture,
    )


def extend(project: Project, catalogue: Catalogue, run_id: str, changes: Mapping[str, Any]) -> RunRecord:
    """Queue a run that goes on from a finished one: same everything, larger `n`, every evaluation re-used."""
    base = project.run(run_id)
    if base.kind != "analysis" or base.state != "succeeded":
        raise UserError(f"Only a finished analysis can be extended; '{base.id}' is {base.state}.")
    analysis = catalogue[base.analysis]
    foreign = sorted(set(changes) - set(analysis.extendable))
    if foreign or not changes:
        can = ", ".join(sorted(analysis.extendable)) or "none"
        raise UserError(
            f"Extending re-uses every evaluation, so only these parameters of '{analysis.title}' may change: {can}."
        )
    if not has_checkpoint(project.run_directory(base.id)):
        raise UserError(f"The evaluations of '{base.id}' are no longer there. Run it anew with the larger values.")
    run = new_analysis(
        project,
        catalogue,
        base.analysis,
        dataset=base.dataset,
        model=base.model,
        parameters={**base.parameters, **changes},
        device=base.device,
        seed=base.seed,
        batch_size=base.batch_size,
        name=base.name,
    )
    return project.update_run(run.id, extends=base.id)


def resume(project: Project, run_id: str) -> RunRecord:
    """Queue an interrupted, stopped or failed run again; it goes on from its last checkpoint."""
    run = project.run(run_id)
    if run.state not in RESUMABLE:
        raise UserError(f"'{run.id}' is {run.state}; only an interrupted, stopped or failed run can be resumed.")
    return project.update_run(run.id, state="queued", message="", finished="")


def task_for(project: Project, run_id: str) -> Task:
    """Return the task of a queued run, with absolute paths and the checkpoint to go on from."""
    run = project.run(run_id)
    directory = project.run_directory(run.id)
    checkpoint = directory if has_checkpoint(directory) else None
    if checkpoint is None and run.extends:
        base = project.run_directory(run.extends)
        checkpoint = base if has_checkpoint(base) else None
    inputs = run.parameters.get("runs") or ()
    inputs = [inputs] if isinstance(inputs, str) else inputs
    sources = []
    for wanted in inputs:
        finished = project.run(str(wanted))
        sources.append(
            RunSource(
                id=finished.id,
                directory=project.run_directory(finished.id),
                name=finished.name,
                analysis=finished.analysis,
                dataset=project.dataset(finished.dataset) if finished.dataset else None,
                model=project.model(finished.model) if finished.model else None,
            )
        )
    model = project.model(run.model) if run.model else None
    parameters = dict(run.parameters)
    if run.kind == "training":
        model = model_to_train(project, parameters, run.name)
        parameters = parameters["recipe"]
    return Task(
        kind=run.kind,
        run=run.id,
        directory=directory,
        analysis=run.analysis,
        parameters=parameters,
        dataset=project.dataset(run.dataset) if run.dataset else None,
        model=model,
        runs=tuple(sources),
        device=run.device,
        seed=run.seed,
        batch_size=run.batch_size,
        checkpoint=checkpoint,
    )


def inspection_task(directory: Path, card: ModelCard, weights: Path | None, program: Path | None = None) -> Task:
    """Return the task that loads weights safely and describes the model, before it is added to a project.

    `directory` receives ``model_card.json`` and the table of keys.
    """
    source = ModelSource(
        id="",
        card=card,
        weights=fingerprint(weights) if weights else None,
        program=fingerprint(program) if program else None,
    )
    return Task(kind="inspection", run="inspection", directory=directory, model=source)


def inspected_card(directory: Path) -> ModelCard:
    """Return the card that an inspection or a training wrote into its folder."""
    return ModelCard.model_validate_json((directory / "model_card.json").read_text(encoding="utf-8"))


def record_event(project: Project, run_id: str, event: Event) -> None:
    """Keep what an event says of a run; a training that succeeded adds its model."""
    if isinstance(event, Started):
        # The device that "auto" turned out to be: an extension must compute on the same one.
        project.update_run(run_id, state="running", started=now(), message="", warnings=[], device=event.device)
    elif isinstance(event, Warned):
        warnings = project.run(run_id).warnings
        if event.sentence not in warnings:
            project.update_run(run_id, warnings=[*warnings, event.sentence])
    elif isinstance(event, Succeeded):
        _succeeded(project, run_id, event)
    elif isinstance(event, Failed):
        project.update_run(run_id, state="failed", message=event.sentence, details=event.details, finished=now())
    elif isinstance(event, StoppedByUser):
        project.update_run(run_id, state="stopped", message="Stopped by you.", finished=now())


def _succeeded(project: Project, run_id: str, event: Succeeded) -> None:
    directory = project.run_directory(run_id)
    facts = _facts(directory)
    run = project.update_run(
        run_id,
        state="succeeded",
        items=list(event.items),
        evaluations=event.evaluations,
        seconds=event.seconds,
        finished=now(),
        versions=facts.get("versions", {}),
        fingerprints=facts.get("fingerprints", {}),
    )
    if run.kind == "preparation":
        add_prepared(project, directory)
    elif run.kind == "training":
        card = inspected_card(directory).model_copy(update={"name": name_asked_for(run, project.runs())})
        added = project.add_model(card, weights=directory / "model.safetensors")
        project.update_run(run_id, model=added.id, model_name=added.card.name)
    elif run.model and event.evaluations >= _ENOUGH_TO_TIME and not event.facts.get("trains"):
        # The next form shows a time that was measured on this machine.
        device = str(event.facts.get("device", run.device))
        speed = float(event.facts.get("rows_per_second", event.evaluations / max(event.seconds, 1e-3)))
        card = project.model(run.model).card
        measured = {**card.rows_per_second, device: round(speed, 1)}
        project.update_model_card(run.model, card.model_copy(update={"rows_per_second": measured}))


def _facts(directory: Path) -> dict[str, Any]:
    record = directory / "record.json"
    if not record.is_file():
        return {}
    facts: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    return facts
