"""What an analysis is run on: cards that describe, and loaders that open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sensiview.datasets.card import DatasetCard
from sensiview.errors import UserError
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    from sensiview.analysis.result import Result
    from sensiview.datasets.generators import Generator
    from sensiview.datasets.images import ImageSet
    from sensiview.datasets.table import Table
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.architectures import Architecture
    from sensiview.models.network import Network
    from sensiview.numerics.screening.partition import Partition


@dataclass(frozen=True)
class Finished:
    """A finished run that another analysis takes as input.

    Parameters
    ----------
    id, name, analysis : str
        Identifier, the user's name for it, and the analysis's key.
    parameters : mapping
        As they were recorded.
    seed : int
    dataset, model : card or None
        What it was run on.
    result : callable
        Returns its items.
    network : callable or None
        Opens the model it was run on, on the study's device.
    """

    id: str
    result: Callable[[], Result]
    name: str = ""
    analysis: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    dataset: DatasetCard | None = None
    model: ModelCard | None = None
    network: Callable[[], Network] | None = None


@dataclass(frozen=True)
class Study:
    """A data set, a model and where to compute.

    The cards are enough for `obstacles`, `problems` and `cost`, which run in the window without torch; `table`
    and `network` open the real thing and are called only inside `run`.

    Parameters
    ----------
    dataset, model : card or None
        None where nothing is chosen.
    device : str
        ``cpu``, ``cuda:0``, ``mps`` or ``auto``.
    seed : int
        At least 1. Everything random in the run is derived from it.
    batch_size : int or None
        None probes what fits.
    runs : mapping of str to Finished, or None
        Finished runs of the same project by identifier.
    architectures : mapping of str to Architecture, or None
        By key, those of plugins included; None where only our own are known.
    plugin_parts : callable or None
        Returns the partitions and the generators of plugins, each by key.
    """

    dataset: DatasetCard | None = None
    model: ModelCard | None = None
    device: str = "auto"
    seed: int = 1
    batch_size: int | None = None
    runs: Mapping[str, Finished] | None = None
    architectures: Mapping[str, Architecture] | None = None
    plugin_parts: Callable[[], tuple[Mapping[str, Partition], Mapping[str, Generator]]] | None = None
    table_loader: Callable[[], Table] | None = None
    volumes_loader: Callable[[], VolumeSet] | None = None
    images_loader: Callable[[], ImageSet] | None = None
    network_loader: Callable[[], Network] | None = None

    def table(self) -> Table:
        """Return the table with its rows; reads the file when it lies in a project."""
        if self.table_loader is None:
            raise UserError("This analysis needs a table. Choose a data set first.")
        return self.table_loader()

    def volumes(self) -> VolumeSet:
        """Return the cohort; each volume is read when it is used."""
        if self.volumes_loader is None:
            raise UserError("This analysis needs volumes. Choose a data set of volumes first.")
        return self.volumes_loader()

    def images(self) -> ImageSet:
        """Return the images; each is read when it is used."""
        if self.images_loader is None:
            raise UserError("This analysis needs images. Choose a data set of images first.")
        return self.images_loader()

    def network(self) -> Network:
        """Return the network with its weights, in eval mode, on the study's device."""
        if self.network_loader is None:
            raise UserError("This analysis needs a model. Choose a model first.")
        return self.network_loader()

    def partitions(self) -> dict[str, Partition]:
        """Return every partition by key, those of plugins included."""
        from sensiview.numerics.screening.partitions import partitions

        return partitions() | (dict(self.plugin_parts()[0]) if self.plugin_parts else {})

    def generators(self) -> dict[str, Generator]:
        """Return every generator by key, those of plugins included."""
        from sensiview.datasets.generators import generators

        return generators() | (dict(self.plugin_parts()[1]) if self.plugin_parts else {})

    def finished(self, run: str) -> Finished:
        """Return a finished run of the same project.

        Raises
        ------
        UserError
            There is none of that identifier.
        """
        if not self.runs or run not in self.runs:
            known = ", ".join(self.runs or ()) or "none"
            raise UserError(f"There is no finished run '{run}' to take as input. Finished runs: {known}.")
        return self.runs[run]
