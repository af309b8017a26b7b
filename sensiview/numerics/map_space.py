"""What maps are drawn over, volumes or images: read in batches, put through a network, each on its own grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.network import Network
from sensiview.numerics.scored_inputs import ScoredInputs


class Space(Protocol):
    """The grid that some inputs share, and the way from there through a network and back."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along i, j, k, or pixels along y, x."""

    @property
    def channels(self) -> int:
        """Numbers at each place: 1 for volumes and grey images, 3 for colour."""

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbours: mm for volumes, 1 for pixels."""

    def prepared(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the network's module takes, from rows (n, channels, *shape). Differentiable."""

    def forward(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the network gives for rows (n, channels, *shape), (n, outputs). Differentiable.

        `like` are the rows before something was done to them: each input is scaled as it was then.
        """

    def own(self, maps: Tensor, rows: Tensor) -> Tensor:
        """Return maps of a layer, (n, 1, ...), on this grid, (n, 1, *shape), by linear interpolation."""


Reader: TypeAlias = "Callable[[Sequence[int]], tuple[Tensor, Space]]"


class MapInputs(ABC):
    """A network and the inputs that maps are drawn over.

    Parameters
    ----------
    scored : ScoredInputs
        The same, as what scores are read of.

    Attributes
    ----------
    what : str
        What one of them is called: ``volume``, ``image``.
    key : str
        Column and axis of their names in results: ``subject``, ``image``.
    lowest : float
        The value of nothing: air, black.
    """

    what: ClassVar[str]
    key: ClassVar[str]
    lowest: float = 0.0

    def __init__(self, scored: ScoredInputs) -> None:
        self.scored = scored

    @property
    def network(self) -> Network:
        """The network that looks at them."""
        return self.scored.network

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all of them, in order."""
        return self.scored.source.names

    @property
    @abstractmethod
    def groups(self) -> tuple[str, ...]:
        """What each of them belongs to, in order: subjects, patients, videos."""

    @abstractmethod
    def select(self, wanted: str | Sequence[int | str]) -> NDArray[np.int64]:
        """Return places, ascending; UserError for what is not there."""

    @abstractmethod
    def space(self, indices: Sequence[int]) -> Space:
        """Return the grid of inputs; UserError when they lie on different ones and that is known."""

    @abstractmethod
    def reader(self, warn: Callable[[str], None]) -> Reader:
        """Return what reads inputs as rows (n, channels, *shape) on the network's device, with their grid.

        What is odd about one (nothing in it, values that are not finite) is said once.
        """

    @abstractmethod
    def with_network(self, network: Network) -> MapInputs:
        """Return the same inputs under another network."""

    @abstractmethod
    def inside(self, row: Tensor) -> NDArray[np.bool_]:
        """Return where one input, (1, channels, *shape), has anything to look at, bool (*shape)."""


def constant(row: NDArray[Any]) -> bool:
    """Say whether an input has the same value everywhere."""
    return bool(row.min() == row.max())
