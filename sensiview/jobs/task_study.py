"""From a task to the study that its analysis runs on: files are opened when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sensiview.analysis.contract import Analysis
from sensiview.analysis.item_files import read_items
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import SensiViewError
from sensiview.jobs.run_folder import read_record
from sensiview.jobs.task import RunSource, Task

if TYPE_CHECKING:
    from sensiview.models.architectures import Architecture

    Architectures = Callable[[], Mapping[str, Architecture]]


def study_of(
    task: Task, analysis: Analysis[Any], device: str, progress: Progress, architectures: Architectures
) -> Study:
    """Return the study of a task; `progress` hears while a large table is read, and may end that."""
    dataset, model = task.dataset, task.model
    study = Study(
        dataset=dataset.card if dataset else None,
        model=model.card if model else None,
        device=device,
        seed=task.seed,
        batch_size=task.batch_size,
        runs={run.id: _finished(run, device, architectures) for run in task.runs},
    )
    if dataset is not None and dataset.card.kind == "table":
        from sensiview.datasets.opening import open_table

        # A large file is read for a while: a cancel is obeyed meanwhile.
        loader = partial(open_table, dataset, on_progress=lambda share: progress.advance(0))
        study = replace(study, table_loader=cache(loader))
    elif dataset is not None and dataset.card.kind == "volumes":
        from sensiview.datasets.volume_opening import open_volumes

        study = replace(study, volumes_loader=cache(partial(open_volumes, dataset)))
    elif dataset is not None and dataset.card.kind == "images":
        from sensiview.datasets.image_opening import open_images

        study = replace(study, images_loader=cache(partial(open_images, dataset)))
    if model is not None and analysis.needs_model:
        from sensiview.models.opening import open_network

        opener = partial(open_network, model, device=device, architectures=architectures())
        study = replace(study, network_loader=cache(opener), architectures=architectures())
    return study


def _finished(run: RunSource, device: str, architectures: Architectures) -> Finished:
    """Return a run that the analysis takes as input; its network is opened only when it is asked for."""
    try:
        record = read_record(run.directory)
    except SensiViewError:
        record = {}  # the items are what counts; they say themselves when they are damaged
    opener = None
    if run.model is not None:
        from sensiview.models.opening import open_network

        opener = cache(partial(open_network, run.model, device=device, architectures=architectures()))
    return Finished(
        id=run.id,
        result=cache(partial(_result_of, run, record)),
        name=run.name or run.id,
        analysis=run.analysis,
        parameters=record.get("parameters", {}),
        seed=int(record.get("seed", 1)),
        dataset=run.dataset.card if run.dataset else None,
        model=run.model.card if run.model else None,
        network=opener,
    )


def _result_of(run: RunSource, record: Mapping[str, Any]) -> Result:
    return Result(
        read_items(run.directory),
        evaluations=int(record.get("evaluations", 0)),
        warnings=tuple(record.get("warnings", ())),
        seconds=float(record.get("seconds", 0.0)),
    )
