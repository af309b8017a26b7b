"""SensiView without a project: one call in a notebook, and a project's contents as Python objects."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sensiview.analysis.item_files import read_items
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.console_progress import ConsoleProgress
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import ModelError, UserError, suggestion
from sensiview.plugin_loading import discover

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from sensiview.models.network import Network
    from sensiview.projects.records import RunRecord

T = TypeVar("T")


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
    data : DataFrame, array (rows, columns), tensor, or None
        The table. A DataFrame's last column is taken as the target when the model takes exactly one input fewer
        than there are columns. None where ``parameters["bounds"]`` says everything about the factors.
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
    analysis = discover()[key]
    given = dict(parameters or {})
    batch_size = given.get("batch_size")
    chosen = analysis.Parameters.parse(given)
    if seed < 1:
        raise UserError(f"The seed must be 1 or larger (given: {seed}).")
    module = model.module if isinstance(model, LoadedModel) else model
    table, network = _fit(module, data, given, target=target, class_names=class_names, device=device)
    if isinstance(model, LoadedModel) and network is not None:
        network = model.network(device)
    study = Study(
        dataset=table.card,
        model=network.card if network else None,
        device=device,
        seed=seed,
        batch_size=batch_size if isinstance(batch_size, int) else None,
        table_loader=lambda: table,
        network_loader=(lambda: network) if network is not None else None,
    )
    found = analysis.obstacles(study) or analysis.problems(study, chosen)
    if found:
        raise UserError(" ".join(found))
    began = time.perf_counter()
    with ConsoleProgress(analysis.title, shown=progress) as shown:
        result = analysis.run(study, chosen, shown)
    return Result(
        dict(result.items_by_name),
        evaluations=result.evaluations,
        warnings=(*result.warnings, *(w for w in shown.warnings if w not in result.warnings)),
        seconds=time.perf_counter() - began,
        facts=result.facts,
    )


def _fit(
    module: nn.Module | None,
    data: Any,
    parameters: Mapping[str, Any],
    *,
    target: str | None,
    class_names: tuple[str, ...],
    device: str,
) -> tuple[Table, Network | None]:
    """Return table and network such that the table's factors are the network's inputs."""
    frame = _frame_from_bounds(parameters.get("bounds")) if data is None else data
    table = table_from_frame(frame, name="data", target=target)
    if module is None:
        return table, None
    from sensiview.models.network import network_from_module

    def network(of: Table) -> Network:
        rows = of.features()[:2]
        return network_from_module(
            module, sample=rows, name=type(module).__name__, class_names=class_names, device=device
        )

    try:
        return table, network(table)
    except ModelError:
        if target is not None or data is None or len(table.card.features) < 2 or not hasattr(data, "columns"):
            raise
        with_target = table_from_frame(frame, name="data", target=str(table.card.columns[-1].name))
        return with_target, network(with_target)


def _frame_from_bounds(bounds: Any) -> pd.DataFrame:
    if not bounds:
        raise UserError("Give the data, or parameters={'bounds': ...} with a low and a high value for every factor.")
    import pandas as pd

    pairs = bounds if isinstance(bounds, Mapping) else {f"x{i + 1}": pair for i, pair in enumerate(bounds)}
    return pd.DataFrame({str(name): [float(pair[0]), float(pair[1])] for name, pair in pairs.items()})


class Collection(Mapping[str, T], Generic[T]):
    """Things by name or identifier, in the project's order."""

    def __init__(self, what: str, by_name: Mapping[str, T], other_names: Mapping[str, str] | None = None) -> None:
        self._what = what
        self._by_name = dict(by_name)
        self._other_names = dict(other_names or {})

    def __getitem__(self, name: str) -> T:
        name = self._other_names.get(name, name)
        if name not in self._by_name:
            raise UserError(f"There is no {self._what} '{name}'.{suggestion(name, list(self._by_name))}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<{self._what}s: {', '.join(self._by_name) or 'none'}>"


class LoadedModel:
    """A model of a project: its card, and the network once it is asked for."""

    def __init__(self, source: Any, architectures: Any) -> None:
        self._source = source
        self._architectures = architectures
        self.card = source.card

    @property
    def module(self) -> nn.Module:
        """The torch module with its weights, in eval mode, on the CPU."""
        return self.network("cpu").module

    def network(self, device: str = "cpu") -> Network:
        """Return the network with its preprocessing on a device."""
        from sensiview.models.opening import open_network

        return open_network(self._source, device=device, architectures=self._architectures)


@dataclass(frozen=True)
class LoadedRun:
    """A run of a project: its record, and its result once it is asked for."""

    record: RunRecord
    directory: Path

    @property
    def result(self) -> Result:
        """The items of a finished run."""
        if self.record.state != "succeeded":
            raise UserError(f"'{self.record.id}' has no result: it is {self.record.state}. {self.record.message}")
        return Result(
            read_items(self.directory),
            evaluations=self.record.evaluations,
            warnings=tuple(self.record.warnings),
            seconds=self.record.seconds,
        )


@dataclass(frozen=True)
class LoadedProject:
    """A project opened for reading: `datasets` (DataFrames), `models`, `runs` by name or identifier."""

    title: str
    path: Path
    datasets: Collection[pd.DataFrame]
    models: Collection[LoadedModel]
    runs: Collection[LoadedRun]


def load(project: str | Path) -> LoadedProject:
    """Return the data sets, models, runs and results of a project, read-only.

    Raises
    ------
    ProjectError, DataError
        The folder is no project, or a data file was moved or changed.
    """
    from sensiview.datasets.opening import open_table
    from sensiview.plugin_loading import discover_architectures
    from sensiview.projects.store import Project

    with Project.open(Path(project), read_only=True) as opened:
        datasets = {d.card.name: open_table(d).frame for d in opened.datasets()}
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
