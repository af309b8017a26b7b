"""What happens to the score when the map is believed: removal in its order, and removal of its highest part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.deletion import Labels, OrderedRemoval, by_importance, within
from sensiview.numerics.random_controls import random_like, smoothness, top_share
from sensiview.numerics.replacement import Replacement
from sensiview.numerics.sanity_checks import Trial

Floats = NDArray[np.float64]
PartsOf = Callable[[tuple[int, ...]], Labels]


class RemovalScores:
    """Scores of changed inputs: the probability of each input's class, in batches.

    Parameters
    ----------
    trial : Trial
    fill : Replacement
        What takes the place of what is removed.
    """

    def __init__(self, trial: Trial, fill: Replacement) -> None:
        self.trial = trial
        self.fill = fill
        self._batches = CarefulBatches(trial.inputs.network, trial.batch_size, trial.warn, f"{trial.inputs.what}s")

    def open(self, index: int) -> tuple[Tensor, Tensor]:
        """Return an input and what replaces it, (1, channels, *shape) each."""
        base, space = self.trial.reader([index])
        with self.trial.inputs.network.measuring():
            self._batches.probe(space.prepared(base), gradient=False, extra_bytes=16 * base.numel())
        return base, self.fill.of(base, space)

    def __call__(self, index: int, base: Tensor, make: Callable[[Sequence[int]], Tensor], count: int) -> Floats:
        """Return the scores of `count` changed versions of an input; `make` gives the rows of some of them."""
        trial = self.trial
        scored, target = trial.inputs.scored, trial.targets[index][0]
        scores = np.empty(count)
        likes: dict[int, Tensor] = {}

        def batch(numbers: Sequence[int]) -> None:
            rows = make(numbers)
            like = likes.setdefault(len(rows), base.expand_as(rows))
            output = trial.space.forward(rows, like)
            found = scored.scores(output, [target] * len(rows), "probability")
            scores[list(numbers)] = found.to(device="cpu", dtype=torch.float64).numpy()
            trial.advance(len(rows))

        with scored.network.measuring():
            self._batches.run(range(count), batch)
        return scores


def removal_curves(
    scores: RemovalScores,
    fields: Mapping[str, Floats],
    parts_of: PartsOf,
    steps: int,
    repeats: int,
) -> list[dict[str, Any]]:
    """Return deletion and insertion curves of every input, in the order of maps, and in random ones.

    Parameters
    ----------
    scores : RemovalScores
    fields : mapping of str to ndarray
        Names of orders, and the map that each follows, (n, *shape); high is removed first.
    parts_of : callable
        Shape of an input to the number of the part of every voxel, -1 for none.
    steps : int
        Points of a curve after the first.
    repeats : int
        Random orders.

    Returns
    -------
    list of dict
        The input's name, ``curve`` (deletion, insertion), ``order`` (its name, or random), ``repeat``, ``share``,
        ``score``.
    """
    trial = scores.trial
    found: list[dict[str, Any]] = []
    for place, index in enumerate(trial.indices):
        base, fill = scores.open(index)
        parts, count = within(parts_of(trial.space.shape), trial.inputs.inside(base))
        removal = OrderedRemoval(base, fill, parts, count)
        gone = removal.thresholds(steps)
        rng = np.random.default_rng([trial.seed, index])
        orders: list[tuple[str, int, Labels]] = [
            (name, 0, by_importance(field[place], parts, count)) for name, field in fields.items()
        ]
        orders += [("random", repeat, rng.permutation(count)) for repeat in range(1, repeats + 1)]
        n = len(gone)

        def make(
            numbers: Sequence[int],
            removal: OrderedRemoval = removal,
            gone: Labels = gone,
            orders: list[tuple[str, int, Labels]] = orders,
            n: int = n,
        ) -> Tensor:
            # Every order gives two curves, one after the other, of n points each.
            rows = [
                removal.rows(orders[line // 2][2], [int(gone[number % n]) for number in group], insertion=line % 2 == 1)
                for line, group in groupby(numbers, key=lambda number: number // n)
            ]
            return torch.cat(rows)

        lines = scores(index, base, make, 2 * n * len(orders)).reshape(len(orders), 2, n)
        name = trial.inputs.names[index]
        for (order, repeat, _), curves in zip(orders, lines, strict=True):
            for curve, values in zip(("deletion", "insertion"), curves, strict=True):
                found += [
                    {
                        trial.inputs.key: name,
                        "curve": curve,
                        "order": order,
                        "repeat": repeat,
                        "share": float(step / count),
                        "score": float(score),
                    }
                    for step, score in zip(gone, values, strict=True)
                ]
    return found


def control_drops(
    scores: RemovalScores, fields: Floats, draws: int, *, masks: bool, share: float
) -> list[dict[str, Any]]:
    """Return the fall of the score when the map's highest part is replaced, and when as much elsewhere is.

    Parameters
    ----------
    scores : RemovalScores
    fields : ndarray
        (n, *shape): maps (high is important), or how much a mask replaces (1 - m, 0 to 1).
    draws : int
        Random fields per input, see `random_like`.
    masks : bool
        Fields are mixed in as they are; of maps, the highest `share` of the region is replaced.
    share : float

    Returns
    -------
    list of dict
        The input's name, ``draw`` (0 is the map itself), ``drop``.
    """
    trial = scores.trial
    found: list[dict[str, Any]] = []
    for place, index in enumerate(trial.indices):
        base, fill = scores.open(index)
        inside = trial.inputs.inside(base)
        field = fields[place]
        widths = smoothness(field)

        def make(
            numbers: Sequence[int],
            base: Tensor = base,
            fill: Tensor = fill,
            inside: NDArray[np.bool_] = inside,
            field: Floats = field,
            widths: tuple[float, ...] = widths,
            index: int = index,
        ) -> Tensor:
            rows = []
            for number in numbers:
                # The first two are the input as it is, and the map's own field.
                if number < 2:
                    one = field
                else:
                    rng = np.random.default_rng([trial.seed, index, number])
                    one = random_like(field, inside, rng, widths)
                weight = one if masks else top_share(one, inside, share).astype(np.float64)
                keep = torch.from_numpy(1 - weight * (number > 0)).to(base)
                rows.append(keep * base[0] + (1 - keep) * fill[0])
            return torch.stack(rows)

        all_scores = scores(index, base, make, draws + 2)
        name = trial.inputs.names[index]
        found += [
            {trial.inputs.key: name, "draw": draw, "drop": float(all_scores[0] - score)}
            for draw, score in enumerate(all_scores[1:])
        ]
    return found
