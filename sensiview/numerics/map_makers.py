"""Maps of volumes and images, each on its input's own grid: what a maker of maps is, and one loop for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.outputs import Target
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.map_space import Reader, Space
from sensiview.numerics.volume_scores import Scorer, predicted_target

Floats = NDArray[np.float32]
Channels = Literal["sum", "largest", "each"]


@dataclass(frozen=True, eq=False)
class FoundMaps:
    """Maps of some inputs of one grid.

    Parameters
    ----------
    indices : tuple of int
        Places in the data set.
    values : ndarray
        float32 (n, targets, *shape); with a map for each channel (n, targets, channels, *shape).
    probability : ndarray
        float64 (n, targets), of the untouched inputs; the plain value where there are no classes.
    targets : list
        Per input, one per map.
    predicted : tuple of str
        Name of the class with the highest score, per input.
    drops : ndarray or None
        Of occlusion: float64 (n, patches, targets), the fall of the score for each patch.
    sums : ndarray or None
        Of integrated gradients: float64 (n, targets, 2), the sum of the map, and the difference of the scores of input
        and baseline that it should be.
    rows : ndarray or None
        The inputs as they were read, float32 (n, channels, *shape).
    """

    indices: tuple[int, ...]
    values: Floats
    probability: NDArray[np.float64]
    targets: list[tuple[Target, ...]]
    predicted: tuple[str, ...]
    drops: NDArray[np.float64] | None = None
    sums: NDArray[np.float64] | None = None
    rows: Floats | None = None


@dataclass(frozen=True, eq=False)
class MapWork:
    """What a maker works with: scores, batches, the word after each batch."""

    scorer: Scorer
    reader: Reader
    batches: CarefulBatches
    advance: Callable[[int], None]


class MapMaker(Protocol):
    """Makes maps."""

    gradient: ClassVar[bool]

    @property
    def signed(self) -> bool:
        """Whether negative values mean something."""

    def evaluations(self, shape: Sequence[int]) -> int:
        """Forward passes for one input."""

    def together(self, size: int) -> int:
        """How many inputs are worked on at once when a batch has `size` rows."""

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, space: Space) -> FoundMaps:
        """Return the maps of inputs, (n, channels, *shape) on the network's device. Advances by the rows evaluated."""


def each_map(maker: MapMaker, work: MapWork, indices: Sequence[int]) -> Iterator[FoundMaps]:
    """Make the maps of inputs of one grid, some at a time, in order.

    Raises
    ------
    DataError
        An input can't be read, or lies on another grid than the others.
    ModelError
        The network can't compute on these inputs, or has no gradient.
    """
    network = work.scorer.inputs.network
    with network.measuring():
        if not work.batches.size:
            rows, space = work.reader(indices[:1])
            own = int(np.prod(space.shape)) * (rows.shape[1] + work.scorer.count)
            work.batches.probe(space.prepared(rows), gradient=maker.gradient, extra_bytes=8 * own)
        done = 0
        while done < len(indices):
            found: list[FoundMaps] = []

            def some(batch: Sequence[int], found: list[FoundMaps] = found) -> None:
                rows, space = work.reader(batch)
                # Kept before the maker runs: it may hand them to a network that works in place.
                before = as_floats(rows)
                found.append(replace(maker.make(work, batch, rows, space), rows=before))

            several = list(indices[done : done + maker.together(work.batches.size)])
            if maker.together(2) > 1:
                work.batches.run(several, some)
            else:
                some(several)
            for one in found:
                done += len(one.indices)
                yield one


def predictions(scorer: Scorer, output: Tensor) -> tuple[str, ...]:
    """Return the name of the class with the highest score for each row of what the network gave."""
    card = scorer.inputs.network.card
    return tuple(predicted_target(card, row).label for row in output)


def over_channels(values: Tensor, how: Channels, *, absolute: bool) -> Tensor:
    """Return (n, targets, channels, ...) without the axis of channels, or with it for ``each``.

    ``sum`` adds the channels (their sizes where the sign is taken away), ``largest`` takes the one of the largest size
    at each place, with its sign unless that is taken away (Simonyan et al. 2014 for colour images).
    """
    if absolute:
        values = values.abs()
    if how == "each":
        return values
    if how == "sum":
        return values.sum(dim=2)
    places = values.abs().argmax(dim=2, keepdim=True)
    return values.gather(2, places).squeeze(2)


def seeded(*seeds: int) -> torch.Generator:
    """Return a generator that is the same for the same numbers, whatever the device of the network."""
    words = np.random.SeedSequence(seeds).generate_state(2)
    return torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def noise_like(row: Tensor, *seeds: int) -> Tensor:
    """Return standard normal noise of the shape of `row`, float32; the same for the same numbers on any device."""
    return torch.randn(row.shape, generator=seeded(*seeds))


def as_floats(values: Tensor) -> Floats:
    """Return a tensor as an array of its own, float32."""
    return np.array(values.detach().to(device="cpu", dtype=torch.float32).numpy())
