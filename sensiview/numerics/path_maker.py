"""Integrated gradients: the gradient summed along the way from a baseline to the input.

Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, ICML 2017, eq. 1:
``(x - x') * integral of df/dx (x' + a (x - x')) over a from 0 to 1``; its sum is f(x) - f(x').
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.outputs import Target
from sensiview.numerics.gradient_maps import input_gradients
from sensiview.numerics.map_makers import Channels, FoundMaps, MapWork, as_floats, over_channels, predictions
from sensiview.numerics.map_space import Space

Rule = Literal["gauss_legendre", "middle", "trapezoid", "left", "right"]
# Rows (1, channels, ...) of one input and its place to the starts of its ways, (baselines, channels, ...).
BaselinesOf = Callable[[Tensor, int, Space], Tensor]


def path_points(rule: Rule, steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where on the way from 0 to 1 the gradient is taken, and how much each counts; weights sum to 1.

    ``gauss_legendre`` (exact for polynomials up to degree 2 steps - 1), ``middle``, ``left``, ``right`` and
    ``trapezoid`` (points at 0 and 1 included, with half the weight of the others).
    """
    if rule == "gauss_legendre":
        points, weights = np.polynomial.legendre.leggauss(steps)
        return (points + 1) / 2, weights / 2
    even = np.full(steps, 1 / steps)
    numbers = np.arange(steps)
    if rule == "middle":
        return (numbers + 0.5) / steps, even
    if rule == "left":
        return numbers / steps, even
    if rule == "right":
        return (numbers + 1) / steps, even
    if steps < 2:
        return np.array([0.5]), np.ones(1)
    weights = np.full(steps, 1 / (steps - 1))
    weights[[0, -1]] /= 2
    return np.linspace(0, 1, steps), weights


@dataclass(frozen=True, eq=False)
class IntegratedGradientsMaker:
    """Integrated gradients, the mean over the baselines where there are several (expected gradients).

    Parameters
    ----------
    baselines : callable
        Gives the baselines of an input.
    count : int
        How many it gives.
    steps : int
        Gradients on each way.
    rule : str
        See `path_points`.
    channels : str
        What is done with the channels; see `over_channels`.
    absolute : bool
    """

    gradient: ClassVar[bool] = True

    baselines: BaselinesOf
    count: int = 1
    steps: int = 50
    rule: Rule = "gauss_legendre"
    channels: Channels = "sum"
    absolute: bool = False

    @property
    def signed(self) -> bool:
        """Unless the sign is taken away."""
        return not self.absolute

    def evaluations(self, shape: Sequence[int]) -> int:
        """The gradients, the input itself, and the baselines."""
        return self.count * (self.steps + 1) + 1

    def together(self, size: int) -> int:
        """One input with a batch of points on its ways."""
        return 1

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, space: Space) -> FoundMaps:
        """Return the map of one input; each batch advances."""
        scorer, (index,) = work.scorer, indices
        starts = self.baselines(rows, index, space)
        with scorer.inputs.differentiating():
            with torch.no_grad():
                output = space.forward(rows.clone(), rows)
            chosen = scorer.choose(indices, output)
            whole = scorer.matrix(output, chosen).to(device="cpu", dtype=torch.float64)
            work.advance(1)
            away = self._of_baselines(work, rows, starts, space, chosen[0])
            found = self._integral(work, rows, starts, space, chosen[0])
        sums = found.flatten(2).sum(dim=2).cpu().numpy()
        values = over_channels(found, self.channels, absolute=self.absolute)
        probability = scorer.probabilities(output, chosen)
        return FoundMaps(
            tuple(indices),
            as_floats(values),
            probability,
            chosen,
            predictions(scorer, output),
            sums=np.stack([sums, (whole - away).numpy()], axis=-1),
        )

    def _of_baselines(
        self, work: MapWork, row: Tensor, starts: Tensor, space: Space, chosen: tuple[Target, ...]
    ) -> Tensor:
        """Return the mean scores of the baselines, float64 (1, targets)."""
        scores: list[Tensor] = []

        def batch(numbers: Sequence[int]) -> None:
            some = starts[list(numbers)]
            with torch.no_grad():
                output = space.forward(some.clone(), row.expand_as(some))
            scores.append(work.scorer.matrix(output, [chosen] * len(numbers)).to(device="cpu", dtype=torch.float64))
            work.advance(len(numbers))

        work.batches.run(range(len(starts)), batch)
        return torch.cat(scores).mean(dim=0, keepdim=True)

    def _integral(self, work: MapWork, row: Tensor, starts: Tensor, space: Space, chosen: tuple[Target, ...]) -> Tensor:
        """Return the attributions, float64 (1, targets, channels, *shape)."""
        scorer = work.scorer
        points, weights = path_points(self.rule, self.steps)
        ways = row - starts
        total = torch.zeros((scorer.count, *row.shape[1:]), dtype=torch.float64, device=_exact_device(row))

        def batch(numbers: Sequence[int]) -> None:
            way, step = np.divmod(np.asarray(numbers), self.steps)
            along = torch.from_numpy(points[step]).to(row).reshape(-1, *[1] * (row.ndim - 1))
            some = starts[way] + along * ways[way]
            like = row.expand_as(some)

            def score(rows: Tensor) -> Tensor:
                return scorer.matrix(space.forward(rows, like), [chosen] * len(numbers))

            found, _ = input_gradients(score, some)
            # In order, one after the other: the sum does not depend on how the points fall into batches.
            for one, number, start in zip(found, step, way, strict=True):
                total.add_((one * ways[start]).to(total), alpha=float(weights[number]) / len(starts))
            work.advance(len(numbers))

        work.batches.run(range(self.steps * len(starts)), batch)
        return total[None]


def _exact_device(row: Tensor) -> torch.device:
    """Return where float64 can be summed: Apple GPUs have none."""
    return torch.device("cpu") if row.device.type == "mps" else row.device
