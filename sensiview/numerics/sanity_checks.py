"""The checks of a map, as numbers: random weights, noise, other subjects' maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.models.outputs import Target
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.map_similarity import cosine, rank_correlation, structural_similarity, top_overlap
from sensiview.numerics.occlusion_maps import OcclusionMaker, OcclusionMemory
from sensiview.numerics.randomisation import RandomisedCopy, stages, weighted_layers
from sensiview.numerics.volume_inputs import Score, VolumeInputs
from sensiview.numerics.volume_maps import FoundMaps, MapMaker, MapWork, SaliencyMaker, each_map, noise_like
from sensiview.numerics.volume_scores import Scorer, VolumeReader

Floats = NDArray[np.float64]
Mode = Literal["cascading", "independent"]
# Fewer voxels than this share are no region to compare maps in.
_LEAST_SHARE = 0.05
_TOP = 0.1


@dataclass(frozen=True, eq=False)
class Trial:
    """A map under test.

    Parameters
    ----------
    inputs : VolumeInputs
    indices : tuple of int
        Places of the volumes.
    grid : Grid
        Of all of them.
    kind : str
        Score that the map explains.
    maps : ndarray
        float64 (n, i, j, k).
    targets : dict
        The class of each volume, by place.
    reader : VolumeReader
    batch_size : int or None
    advance, warn : callable
        As `MapWork` has them.
    seed : int
    """

    inputs: VolumeInputs
    indices: tuple[int, ...]
    grid: Grid
    kind: Score
    maps: Floats
    targets: dict[int, tuple[Target, ...]]
    reader: VolumeReader
    batch_size: int | None
    advance: Callable[[int], None]
    warn: Callable[[str], None]
    seed: int

    def inside(self, row: Tensor) -> NDArray[np.bool_]:
        """Return where a volume, (1, 1, i, j, k), is not 0; everywhere when that is hardly anywhere.

        Zeros around a head are equal in every map and would make any two of them alike.
        """
        found = (row[0, 0] != 0).cpu().numpy()
        return np.asarray(found if found.mean() >= _LEAST_SHARE else np.ones_like(found))

    def again(self, maker: MapMaker, inputs: VolumeInputs | None = None, reader: VolumeReader | None = None) -> Floats:
        """Return the maps made anew, (n, i, j, k), by another network or of other readings of the volumes."""
        inputs = inputs or self.inputs
        scorer = Scorer(inputs, "predicted", self.kind, self.targets)
        batches = CarefulBatches(inputs.network, self.batch_size, self.warn)
        work = MapWork(scorer, reader or self.reader, batches, self.advance)
        return first_maps(list(each_map(fresh(maker), work, self.indices)))


def first_maps(found: Sequence[FoundMaps]) -> Floats:
    """Return the first map of every volume, float64 (n, i, j, k)."""
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
        ``mode``, ``step`` (0 is the network as it is), ``layer``, ``subject`` and the measures of `likeness`; empty
        for a network without layers that have weights of their own (a traced program).
    """
    network = trial.inputs.network
    first, _ = trial.reader(trial.indices[:1])
    with network.measuring():
        layers = weighted_layers(network.module, network.preprocess(first, None, trial.grid.affine))
    trial.advance(1)
    if not layers:
        return []
    regions = {index: trial.inside(trial.reader([index])[0]) for index in trial.indices}
    found: list[dict[str, Any]] = []
    for mode in modes:
        other = RandomisedCopy(network, trial.seed)
        inputs = VolumeInputs(other.network, trial.inputs.volumes)
        found += _compared(trial, trial.maps, regions, mode, 0, "none")
        for step, group in enumerate(stages(layers, most), start=1):
            if mode == "independent":
                other.restore()
            for layer in group:
                other.randomise(layer)
            reader = VolumeReader(inputs, lambda _: None)
            maps = trial.again(maker, inputs, reader)
            name = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
            found += _compared(trial, maps, regions, mode, step, name)
    return found


def _compared(
    trial: Trial, maps: Floats, regions: dict[int, NDArray[np.bool_]], mode: str, step: int, layer: str
) -> list[dict[str, Any]]:
    names = trial.inputs.volumes.names
    return [
        {"mode": mode, "step": step, "layer": layer, "subject": names[index]}
        | likeness(trial.maps[place], maps[place], regions[index])
        for place, index in enumerate(trial.indices)
    ]


class NoisyReader(VolumeReader):
    """Reads volumes with noise on them: a share of each volume's range of values, where it is not 0."""

    def __init__(self, inputs: VolumeInputs, share: float, *seeds: int) -> None:
        super().__init__(inputs, lambda _: None)
        self._share = share
        self._seeds = seeds

    def __call__(self, indices: Sequence[int]) -> tuple[Tensor, Grid]:
        """Return the rows as `VolumeReader` does, with noise."""
        rows, grid = super().__call__(indices)
        for row, index in zip(rows, indices, strict=True):
            spread = self._share * float(row.max() - row.min())
            noise = spread * noise_like(row, *self._seeds, index).to(row)
            row += torch.where(row != 0, noise, torch.zeros_like(noise))
        return rows, grid


def repeated(trial: Trial, maker: MapMaker, repeats: int, noise: float) -> list[dict[str, Any]]:
    """Return likeness of the map to itself with other seeds and a little noise on the volume.

    Returns
    -------
    list of dict
        ``subject``, ``repeat`` and the measures of `likeness`.
    """
    found = []
    for repeat in range(1, repeats + 1):
        reader = NoisyReader(trial.inputs, noise, trial.seed, repeat)
        again = replace(maker, seed=trial.seed + repeat) if isinstance(maker, SaliencyMaker) else maker
        maps = trial.again(again, reader=reader)
        for place, index in enumerate(trial.indices):
            inside = trial.inside(trial.reader([index])[0])
            row = {"subject": trial.inputs.volumes.names[index], "repeat": repeat}
            found.append(row | likeness(trial.maps[place], maps[place], inside))
    return found


def mean_of_others(maps: Floats) -> Floats:
    """Return for every map the mean of all others, same shape; NaN when there are none."""
    n = len(maps)
    return (maps.sum(axis=0) - maps) / (n - 1) if n > 1 else np.full_like(maps, np.nan)


def against_the_average(trial: Trial) -> list[dict[str, Any]]:
    """Return how alike each map and the mean of the others are: ``subject``, ranks, overlap of the top tenth."""
    found = []
    others = mean_of_others(trial.maps)
    for place, index in enumerate(trial.indices):
        inside = trial.inside(trial.reader([index])[0])
        own, mean = trial.maps[place][inside], others[place][inside]
        found.append(
            {
                "subject": trial.inputs.volumes.names[index],
                "rank_correlation": rank_correlation(own, mean),
                "top_overlap": top_overlap(own, mean, _TOP),
            }
        )
    return found
