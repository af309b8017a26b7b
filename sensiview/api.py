"""SensiView without a project: one call in a notebook, and a project's contents as Python objects."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.api_data import finished_runs, given
from sensiview.api_projects import Collection, LoadedModel, LoadedProject, LoadedRun
from sensiview.console_progress import ConsoleProgress
from sensiview.errors import ModelError, UserError
from sensiview.plugin_loading import discover

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from sensiview.analysis.contract import Analysis
    from sensiview.analysis.progress import Progress
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.images import ImageSet
    from sensiview.datasets.volumes import VolumeSet

__all__ = ["Collection", "LoadedModel", "LoadedProject", "LoadedRun", "analyse", "load"]


def analyse(
    key: str,
    model: nn.Module | LoadedModel | None,
    data: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    device: str = "auto",
    seed: int = 1,
    target: str | None = None,
    class_names: tuple[str, ...] = (),
    labels: Sequence[Any] | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    runs: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Result:
    """Run one analysis and return its result.

    Parameters
    ----------
    key : str
        The analysis, ``"sobol"`` for instance; ``sensiview analyses`` lists them.
    model : torch.nn.Module
        In any mode; weights, modes, hooks and device are put back as they were. None for analyses of the data
        alone.
    data : DataFrame, array (rows, columns), tensor, nibabel images, or None
        The table. A DataFrame's last column is taken as the target when the model takes exactly one input fewer
        than there are columns. None where ``parameters["bounds"]`` says everything about the factors.
        Volumes: a nibabel image or a list of them (or of paths to NIfTI files, or of 3-D arrays), an array of shape
        (n, i, j, k), or what ``load(PROJECT).datasets[NAME]`` gives.
        Images: a list of PIL images, paths or arrays (y, x, channels), an array or tensor (n, channels, y, x) or
        (n, y, x, channels); or the path of a folder or of a file of many images, with its classes. An array of four
        axes is read as the network's first convolution takes it.
    parameters : mapping
        As ``sensiview describe KEY`` lists them.
    device : str
        ``auto``, ``cpu``, ``cuda:0``, ``mps``.
    seed : int
        At least 1; the same seed gives the same numbers.
    target : str
        Name of the target column.
    class_names : tuple of str
        Names of the model's outputs.
    labels : sequence
        The class of each volume or image, as name or number.
    preprocessing : mapping
        What happens to raw values before the model, as in a model's card; none by default.
    runs : mapping of str to Result, or to a pair (Result, model)
        Earlier results by name, for analyses that take runs as input.
    progress : bool
        Show a bar in terminals and notebooks.

    Returns
    -------
    Result
        ``result["first_total"].to_frame()`` and so on; item names are those of the method.

    Raises
    ------
    UserError
        A sentence on what does not fit.
    """
    catalogue = discover()
    analysis = catalogue[key]
    settings = dict(parameters or {})
    if runs and "runs" not in settings and "runs" in analysis.Parameters.model_fields:
        settings["runs"] = list(runs)
    batch_size = settings.get("batch_size")
    chosen = analysis.Parameters.parse(settings)
    if seed < 1:
        raise UserError(f"The seed must be 1 or larger (given: {seed}).")
    module = model.module if isinstance(model, LoadedModel) else model
    found_data = given(
        module,
        data,
        settings,
        target=target,
        class_names=class_names,
        labels=labels,
        preprocessing=preprocessing,
        ready=(lambda: model.network(device)) if isinstance(model, LoadedModel) else None,
        device=device,
        accepts=analysis.accepts,
    )
    table, volumes, images, network = found_data.table, found_data.volumes, found_data.images, found_data.network
    study = Study(
        dataset=found_data.card,
        model=network.card if network else None,
        device=device,
        seed=seed,
        batch_size=batch_size if isinstance(batch_size, int) else None,
        runs=finished_runs(runs, found_data, device, class_names=class_names, preprocessing=preprocessing),
        plugin_parts=lambda: (catalogue.partitions, catalogue.generators),
        table_loader=(lambda: table) if table is not None else None,
        volumes_loader=(lambda: volumes) if volumes is not None else None,
        images_loader=(lambda: images) if images is not None else None,
        network_loader=(lambda: network) if network is not None else None,
    )
    found = analysis.against(study, chosen)
    if found:
        raise UserError(" ".join(found))
    began = time.perf_counter()
    with ConsoleProgress(analysis.title, shown=progress) as shown:
        result = _run(analysis, study, chosen, shown)
    return Result(
        dict(result.items_by_name),
        evaluations=result.evaluations,
        warnings=(*result.warnings, *(w for w in shown.warnings if w not in result.warnings)),
        seconds=time.perf_counter() - began,
        facts={**result.facts, "analysis": key, "parameters": chosen.to_json(), "seed": seed},
    )


def _run(analysis: Analysis[Any], study: Study, chosen: Any, progress: Progress) -> Result:
    """Run; memory that ran out where nothing smaller could be tried is a sentence, as in a job."""
    try:
        return analysis.run(study, chosen, progress)
    except (RuntimeError, MemoryError) as error:
        from sensiview.models.batching import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f"Memory was not enough for '{analysis.title}'. Close other programs, choose a smaller batch_size or fewer "
            "inputs, or another device."
        ) from error


def load(project: str | Path) -> LoadedProject:
    """Return the data sets, models, runs and results of a project, read-only.

    Raises
    ------
    ProjectError, DataError
        The folder is no project, or a data file was moved or changed.
    """
    from sensiview.plugin_loading import discover_architectures
    from sensiview.projects.store import Project

    if not isinstance(project, str | os.PathLike):
        raise UserError(f"Give the path of a project's folder, not something of type {type(project).__name__}.")
    with Project.open(Path(project), read_only=True) as opened:
        datasets = {d.card.name: _opened(d) for d in opened.datasets()}
        architectures = discover_architectures()
        models = {m.card.name: LoadedModel(m, architectures) for m in opened.models()}
        runs = {r.id: LoadedRun(r, opened.run_directory(r.id)) for r in opened.runs()}
        return LoadedProject(
            title=opened.title,
            path=opened.path,
            datasets=Collection("data set", datasets, {d.id: d.card.name for d in opened.datasets()}),
            models=Collection("model", models, {m.id: m.card.name for m in opened.models()}),
            runs=Collection("run", runs, {r.record.name: r.record.id for r in runs.values()}),
        )


def _opened(source: DatasetSource) -> pd.DataFrame | VolumeSet | ImageSet:
    if source.card.kind == "images":
        from sensiview.datasets.image_opening import open_images

        return open_images(source)
    if source.card.kind == "volumes":
        from sensiview.datasets.volume_opening import open_volumes

        return open_volumes(source)
    from sensiview.datasets.opening import open_table

    return open_table(source).frame
