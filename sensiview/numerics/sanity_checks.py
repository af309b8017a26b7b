"""The checks of a map, as numbers: random weights, noise, other subjects' maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.outputs import Target
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.gradient_makers import SaliencyMaker
from sensiview.numerics.map_makers import FoundMaps, MapMaker, MapWork, each_map, noise_like
from sensiview.numerics.map_similarity import cosine, rank_correlation, structural_similarity, top_overlap
from sensiview.numerics.map_space import MapInputs, Reader, Space
from sensiview.numerics.occlusion_maps import OcclusionMaker, OcclusionMemory
from sensiview.numerics.randomisation import RandomisedCopy, stages, weighted_layers
from sensiview.numerics.scored_inputs import Score
from sensiview.numerics.volume_scores import Scorer

Floats = NDArray[np.float64]
Mode = Literal["cascading", "independent"]
_TOP = 0.1


@dataclass(frozen=True, eq=False)
class Trial:
    """A map under test.

    Parameters
    ----------
    inputs : MapInputs
    indices : tuple of int
        Places of the inputs.
    space : Space
        Of all of them.
    kind : str
        Score that the map explains.
    maps : ndarray
        float64 (n, *shape).
    targets : dict
        The class of each input, by place.
    reader : callable
        Reads inputs.
    batch_size : int or None
    advance, warn : callable
        As `MapWork` has them.
    seed : int
    """

    inputs: MapInputs
    indices: tuple[int, ...]
    space: Space
    kind: Score
    maps: Floats
    targets: dict[int, tuple[Target, ...]]
    reader: Reader
    batch_size: int | None
    advance: Callable[[int], None]
    warn: Callable[[str], None]
    seed: int

    def inside(self, index: int) -> NDArray[np.bool_]:
        """Return where an input has anything to look at, (*shape)."""
        return self.inputs.inside(self.reader([index])[0])

    def again(self, maker: MapMaker, inputs: MapInputs | None = None, reader: Reader | None = None) -> Floats:
        """Return the maps made anew, (n, *shape), by another network or of other readings of the inputs."""
        inputs = inputs or self.inputs
        scorer = Scorer(inputs.scored, "predicted", self.kind, self.targets)
        batches = CarefulBatches(inputs.network, self.batch_size, self.warn, f"{inputs.what}s")
        work = MapWork(scorer, reader or self.reader, batches, self.advance)
        return first_maps(list(each_map(fresh(maker), work, self.indices)))


def first_maps(found: Sequence[FoundMaps]) -> Floats:
    """Return the first map of every input, float64 (n, *shape)."""
    return np.concatenate([one.values[:, 0] for one in found]).astype(np.float64)


def fresh(maker: MapMaker) -> MapMaker:
    """Return a maker that remembers nothing."""
    return replace(maker, memory=OcclusionMemory()) if isinstance(maker, OcclusionMaker) else maker


def likeness(one: Floats, other: Floats, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return how alike two maps are: ranks (with and without sign) and angle inside a region, structure everywhere."""
    return {
        "rank_correlation": rank_correlation(one[inside], other[inside]),
        "rank_correlation_absolute": rank_correlation(np.abs(one[inside]), np.abs(other[inside])),
        "structural_similarity": structural_similarity(one, other),
        "cosine": cosine(one[inside], other[inside]),
    }


def randomised(trial: Trial, maker: MapMaker, modes: Sequence[Mode], most: int) -> list[dict[str, Any]]:
    """Return likeness to the map itself with ever more (or one group of) layers randomised.

    Returns
    -------
    list of dict
        ``mode``, ``step`` (0 is the network as it is), ``layer``, the input's name and the measures of `likeness`;
        empty for a network without layers that have weights of their own (a traced program).
    """
    network = trial.inputs.network
    first, _ = trial.reader(trial.indices[:1])
    with network.measuring():
        layers = weighted_layers(network.module, trial.space.prepared(first))
    trial.advance(1)
    if not layers:
        return []
    regions = {index: trial.inside(index) for index in trial.indices}
    found: list[dict[str, Any]] = []
    for mode in modes:
        other = RandomisedCopy(network, trial.seed)
        inputs = trial.inputs.with_network(other.network)
        reader = inputs.reader(lambda _: None)
        found += _compared(trial, trial.maps, regions, mode, 0, "none")
        for step, group in enumerate(stages(layers, most), start=1):
            if mode == "independent":
                other.restore()
            for layer in group:
                other.randomise(layer)
            maps = trial.again(maker, inputs, reader)
            name = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
            found += _compared(trial, maps, regions, mode, step, name)
    return found


def _compared(
    trial: Trial, maps: Floats, regions: dict[int, NDArray[np.bool_]], mode: str, step: int, layer: str
) -> list[dict[str, Any]]:
    names, key = trial.inputs.names, trial.inputs.key
    return [
        {"mode": mode, "step": step, "layer": layer, key: names[index]}
        | likeness(trial.maps[place], maps[place], regions[index])
        for place, index in enumerate(trial.indices)
    ]


def noisy(trial: Trial, share: float, *seeds: int) -> Reader:
    """Return what reads inputs with noise on them: a share of each one's range of values, where it has any."""

    def rows_of(indices: Sequence[int]) -> tuple[Tensor, Space]:
        rows, space = trial.reader(indices)
        for row, index in zip(rows, indices, strict=True):
            spread = share * float(row.max() - row.min())
            noise = spread * noise_like(row, *seeds, index).to(row)
            inside = torch.from_numpy(trial.inputs.inside(row[None])).to(row.device)
            row += torch.where(inside, noise, torch.zeros_like(noise))
        return rows, space

    return rows_of


def repeated(trial: Trial, maker: MapMaker, repeats: int, noise: float) -> list[dict[str, Any]]:
    """Return likeness of the map to itself with other seeds and a little noise on the input.

    Returns
    -------
    list of dict
        The input's name, ``repeat`` and the measures of `likeness`.
    """
    found = []
    for repeat in range(1, repeats + 1):
        reader = noisy(trial, noise, trial.seed, repeat)
        again = replace(maker, seed=trial.seed + repeat) if isinstance(maker, SaliencyMaker) else maker
        maps = trial.again(again, reader=reader)
        for place, index in enumerate(trial.indices):
            inside = trial.inside(index)
            row = {trial.inputs.key: trial.inputs.names[index], "repeat": repeat}
            found.append(row | likeness(trial.maps[place], maps[place], inside))
    return found


def mean_of_others(maps: Floats) -> Floats:
    """Return for every map the mean of all others, same shape; NaN when there are none."""
    n = len(maps)
    return (maps.sum(axis=0) - maps) / (n - 1) if n > 1 else np.full_like(maps, np.nan)


def against_the_average(trial: Trial) -> list[dict[str, Any]]:
    """Return how alike each map and the mean of the others are: name, ranks, overlap of the top tenth."""
    found = []
    others = mean_of_others(trial.maps)
    for place, index in enumerate(trial.indices):
        inside = trial.inside(index)
        own, mean = trial.maps[place][inside], others[place][inside]
        found.append(
            {
                trial.inputs.key: trial.inputs.names[index],
                "rank_correlation": rank_correlation(own, mean),
                "top_overlap": top_overlap(own, mean, _TOP),
            }
        )
    return found
