"""Makers of maps from one backward pass: class activation maps of a layer, and the gradient of the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sensiview.models.outputs import Target
from sensiview.numerics.gradient_maps import Weighting, cut, input_gradients, layer_cams, leaf_at
from sensiview.numerics.map_layers import map_form
from sensiview.numerics.map_makers import (
    Channels,
    FoundMaps,
    MapWork,
    as_floats,
    noise_like,
    over_channels,
    predictions,
)
from sensiview.numerics.map_space import Space


@dataclass(frozen=True)
class GradCamMaker:
    """Class activation maps of a layer, brought to the inputs' grid by linear interpolation."""

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

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, space: Space) -> FoundMaps:
        """Return the maps; ModelError when the layer gives no map or has no gradient."""
        scorer = work.scorer
        with scorer.inputs.differentiating(), leaf_at(scorer.inputs.network.module, self.layer) as leaf:
            output = space.forward(rows.clone(), rows)
            value = leaf.take(len(rows))
            chosen = scorer.choose(indices, output)
            form = map_form(scorer.inputs.network.card, self.layer)
            cams = layer_cams(value, scorer.matrix(output, chosen), self.layer, self.weighting, form)
            output = output.detach()
        cams = cut(cams, relu=self.relu, absolute=self.absolute)
        maps = space.own(cams.flatten(0, 1)[:, None], rows)
        work.advance(len(rows))
        values = maps.reshape(len(rows), scorer.count, *space.shape)
        probability = scorer.probabilities(output, chosen)
        return FoundMaps(tuple(indices), as_floats(values), probability, chosen, predictions(scorer, output))


@dataclass(frozen=True)
class SaliencyMaker:
    """The gradient of a score with respect to every number of the input, on demand averaged over noise (SmoothGrad)."""

    gradient: ClassVar[bool] = True

    absolute: bool = True
    times_input: bool = False
    samples: int = 0
    sigma: float = 0.15
    seed: int = 1
    channels: Channels = "sum"

    @property
    def signed(self) -> bool:
        """Unless the sign is taken away."""
        return not self.absolute

    def evaluations(self, shape: Sequence[int]) -> int:
        """One, and one per noisy copy."""
        return 1 + self.samples

    def together(self, size: int) -> int:
        """A batch of inputs, or one with a batch of its noisy copies."""
        return 1 if self.samples else size

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, space: Space) -> FoundMaps:
        """Return the maps; ModelError when the network has no gradient."""
        scorer = work.scorer
        with scorer.inputs.differentiating():
            if self.samples:
                with torch.no_grad():
                    output = space.forward(rows.clone(), rows)
                chosen = scorer.choose(indices, output)
                work.advance(len(rows))
                found = self._smooth(work, indices[0], rows, space, chosen[0])
            else:
                kept: list[Tensor] = []
                picked: list[tuple[Target, ...]] = []

                def score(some: Tensor) -> Tensor:
                    kept.append(space.forward(some, rows))
                    picked[:] = scorer.choose(indices, kept[0])
                    return scorer.matrix(kept[0], picked)

                found, _ = input_gradients(score, rows)
                output, chosen = kept[0].detach(), list(picked)
                work.advance(len(rows))
        if self.times_input:
            found = found * rows[:, None]
        values = over_channels(found, self.channels, absolute=self.absolute)
        probability = scorer.probabilities(output, chosen)
        return FoundMaps(tuple(indices), as_floats(values), probability, chosen, predictions(scorer, output))

    def _smooth(self, work: MapWork, index: int, row: Tensor, space: Space, chosen: tuple[Target, ...]) -> Tensor:
        """Return the mean gradient over noisy copies of one input, (1, targets, channels, *shape)."""
        scorer = work.scorer
        spread = self.sigma * float(row.max() - row.min())
        total = torch.zeros((scorer.count, *row.shape[1:]), dtype=torch.float64)

        def batch(samples: Sequence[int]) -> None:
            noise = torch.stack([noise_like(row[0], self.seed, index, sample) for sample in samples])
            noisy = row + spread * noise.to(row)
            like = row.expand_as(noisy)

            def score(some: Tensor) -> Tensor:
                return scorer.matrix(space.forward(some, like), [chosen] * len(samples))

            found, _ = input_gradients(score, noisy)
            for one in found:
                total.add_(one.cpu())
            work.advance(len(samples))

        work.batches.run(range(self.samples), batch)
        return (total / self.samples).to(dtype=row.dtype, device=row.device)[None]
