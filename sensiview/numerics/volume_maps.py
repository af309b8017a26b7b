"""Maps of volumes, each in its volume's own grid: one maker per method, one loop for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.models.outputs import Target
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.gradient_maps import Weighting, cut, input_gradients, layer_cams, leaf_at
from sensiview.numerics.upsampling import to_own_grid, upsample
from sensiview.numerics.volume_scores import Scorer, VolumeReader, input_size

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FoundMaps:
    """Maps of some volumes of one grid.

    Parameters
    ----------
    indices : tuple of int
        Places in the cohort.
    values : ndarray
        float32 (n, targets, i, j, k).
    probability : ndarray
        float64 (n, targets), of the untouched volumes; the plain value where there are no classes.
    targets : list
        Per volume, one per map.
    drops : ndarray or None
        Of occlusion: float64 (n, patches, targets), the fall of the score for each patch.
    """

    indices: tuple[int, ...]
    values: Floats
    probability: NDArray[np.float64]
    targets: list[tuple[Target, ...]]
    drops: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class MapWork:
    """What a maker works with: scores, batches, the word after each batch."""

    scorer: Scorer
    reader: VolumeReader
    batches: CarefulBatches
    advance: Callable[[int], None]


class MapMaker(Protocol):
    """Makes maps of volumes."""

    gradient: ClassVar[bool]

    @property
    def signed(self) -> bool:
        """Whether negative values mean something."""

    def evaluations(self, shape: Sequence[int]) -> int:
        """Forward passes for one volume."""

    def together(self, size: int) -> int:
        """How many volumes are worked on at once when a batch has `size` rows."""

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, grid: Grid) -> FoundMaps:
        """Return the maps of volumes, (n, 1, i, j, k) on the network's device. Advances by the rows evaluated."""


@dataclass(frozen=True)
class GradCamMaker:
    """Class activation maps of a layer, brought to the volumes' grid by linear interpolation."""

    gradient: ClassVar[bool] = True

    layer: str
    weighting: Weighting = "grad_cam"
    relu: bool = True
    absolute: bool = False

    @property
    def signed(self) -> bool:
        """Only without a cut."""
        return not (self.relu or self.absolute)

    def evaluations(self, shape: Sequence[int]) -> int:
        """One."""
        return 1

    def together(self, size: int) -> int:
        """A batch."""
        return size

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, grid: Grid) -> FoundMaps:
        """Return the maps; ModelError when the layer gives no map or has no gradient."""
        inputs, scorer = work.scorer.inputs, work.scorer
        module = inputs.network.module
        with inputs.differentiating(), leaf_at(module, self.layer) as leaf:
            output = inputs.forward(rows.clone(), grid, rows)
            value = leaf.take(len(rows))
            chosen = scorer.choose(indices, output)
            cams = layer_cams(value, scorer.matrix(output, chosen), self.layer, self.weighting)
            probability = scorer.probabilities(output, chosen)
        cams = cut(cams, relu=self.relu, absolute=self.absolute)
        maps = cams.flatten(0, 1)[:, None]
        maps = to_own_grid(inputs.network, upsample(maps, input_size(inputs, rows, grid)), grid.shape, grid.affine)
        work.advance(len(rows))
        values = maps.reshape(len(rows), scorer.count, *grid.shape)
        return FoundMaps(tuple(indices), _plain(values), probability, chosen)


@dataclass(frozen=True)
class SaliencyMaker:
    """The gradient of a score with respect to every voxel, on demand averaged over noise (SmoothGrad)."""

    gradient: ClassVar[bool] = True

    absolute: bool = True
    times_input: bool = False
    samples: int = 0
    sigma: float = 0.15
    seed: int = 1

    @property
    def signed(self) -> bool:
        """Unless the sign is taken away."""
        return not self.absolute

    def evaluations(self, shape: Sequence[int]) -> int:
        """One, and one per noisy copy."""
        return 1 + self.samples

    def together(self, size: int) -> int:
        """A batch of volumes, or one with a batch of its noisy copies."""
        return 1 if self.samples else size

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, grid: Grid) -> FoundMaps:
        """Return the maps; ModelError when the network has no gradient."""
        inputs, scorer = work.scorer.inputs, work.scorer
        with inputs.differentiating():
            if self.samples:
                with torch.no_grad():
                    output = inputs.forward(rows.clone(), grid, rows)
                chosen = scorer.choose(indices, output)
                work.advance(len(rows))
                found = self._smooth(work, indices[0], rows, grid, chosen[0])
            else:
                kept: list[Tensor] = []
                picked: list[tuple[Target, ...]] = []

                def score(some: Tensor) -> Tensor:
                    kept.append(inputs.forward(some, grid, rows))
                    picked[:] = scorer.choose(indices, kept[0])
                    return scorer.matrix(kept[0], picked)

                found, _ = input_gradients(score, rows)
                output, chosen = kept[0].detach(), list(picked)
                work.advance(len(rows))
            probability = scorer.probabilities(output, chosen)
        if self.times_input:
            found = found * rows[:, None]
        values = cut(found.sum(dim=2), relu=False, absolute=self.absolute)
        return FoundMaps(tuple(indices), _plain(values), probability, chosen)

    def _smooth(self, work: MapWork, index: int, row: Tensor, grid: Grid, chosen: tuple[Target, ...]) -> Tensor:
        """Return the mean gradient over noisy copies of one volume, (1, targets, 1, i, j, k)."""
        inputs, scorer = work.scorer.inputs, work.scorer
        spread = self.sigma * float(row.max() - row.min())
        total = torch.zeros((scorer.count, 1, *grid.shape), dtype=torch.float64)

        def batch(samples: Sequence[int]) -> None:
            noise = torch.stack([noise_like(row[0], self.seed, index, sample) for sample in samples])
            noisy = row + spread * noise.to(row)
            like = row.expand_as(noisy)

            def score(some: Tensor) -> Tensor:
                return scorer.matrix(inputs.forward(some, grid, like), [chosen] * len(samples))

            found, _ = input_gradients(score, noisy)
            for one in found:
                total.add_(one.cpu())
            work.advance(len(samples))

        work.batches.run(range(self.samples), batch)
        return (total / self.samples).to(dtype=row.dtype, device=row.device)[None]


def noise_like(row: Tensor, *seeds: int) -> Tensor:
    """Return standard normal noise of the shape of `row`, float32; the same for the same numbers on any device."""
    words = np.random.SeedSequence(seeds).generate_state(2)
    generator = torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)
    return torch.randn(row.shape, generator=generator)


def each_map(maker: MapMaker, work: MapWork, indices: Sequence[int]) -> Iterator[FoundMaps]:
    """Make the maps of volumes of one grid, some at a time, in order.

    Raises
    ------
    DataError
        A volume can't be read, or lies on another grid than the others.
    ModelError
        The network can't compute on these volumes, or has no gradient.
    """
    inputs = work.scorer.inputs
    with inputs.network.measuring():
        if not work.batches.size:
            rows, grid = work.reader(indices[:1])
            prepared = inputs.network.preprocess(rows, None, grid.affine)
            voxels = int(np.prod(grid.shape))
            work.batches.probe(prepared, gradient=maker.gradient, extra_bytes=8 * voxels * (1 + work.scorer.count))
        done = 0
        while done < len(indices):
            found: list[FoundMaps] = []

            def some(batch: Sequence[int], found: list[FoundMaps] = found) -> None:
                rows, grid = work.reader(batch)
                found.append(maker.make(work, batch, rows, grid))

            several = list(indices[done : done + maker.together(work.batches.size)])
            if maker.together(2) > 1:
                work.batches.run(several, some)
            else:
                some(several)
            for one in found:
                done += len(one.indices)
                yield one


def _plain(values: Tensor) -> Floats:
    return values.detach().to(device="cpu", dtype=torch.float32).numpy()
