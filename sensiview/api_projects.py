"""A project's contents as Python objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sensiview.analysis.item_files import read_items
from sensiview.analysis.result import Result
from sensiview.errors import UserError, suggestion

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from sensiview.datasets.images import ImageSet
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.network import Network
    from sensiview.projects.records import RunRecord

T = TypeVar("T")


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
    """A project opened for reading, everything by name or identifier.

    `datasets`: tables as DataFrames, cohorts as `VolumeSet`, images as `ImageSet`; `models`; `runs`.
    """

    title: str
    path: Path
    datasets: Collection[pd.DataFrame | VolumeSet | ImageSet]
    models: Collection[LoadedModel]
    runs: Collection[LoadedRun]
