"""What changing parts one after the other does to accuracy and score, with intervals and random orders beside (C 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sensiview.models.outputs import ResolvedKind, Target
from sensiview.numerics.bootstrap import percentile_bounds
from sensiview.numerics.screening.changed_inputs import Answers, Bools, ChangedInputs, answers_of
from sensiview.numerics.screening.crossed_bootstrap import CONFIDENCE, Estimate, estimate, resampled_means
from sensiview.numerics.screening.designs import Floats, Ints
from sensiview.numerics.screening.ranking import By, descending, top_count

TOP, BOTTOM, RANDOM = "top", "bottom", "random"
# Orders of top, bottom and random parts of one input must be drawn apart.
_TOP_SEED, _BOTTOM_SEED, _RANDOM_SEED = 11, 12, 13


@dataclass(frozen=True, eq=False)
class Traces:
    """What became of inputs while their parts were changed.

    Parameters
    ----------
    right, score : ndarray
        (inputs, repeats, points), float64: whether the class was still right, and its score. Point 0 is the untouched
        input.
    """

    right: Floats
    score: Floats

    def curves(self, resamples: int, seed: int) -> dict[str, Estimate]:
        """Return mean and interval at each point: ``accuracy``, ``score_change``, ``relative_change``."""
        # Sums of many shares end a rounding error above 1.
        accuracy = estimate(self.right, np.clip(resampled_means(self.right, resamples, seed), 0.0, 1.0))
        return {"accuracy": accuracy} | {
            name: change_estimate(self, name, resamples, seed) for name in ("score_change", "relative_change")
        }

    def steps(self, name: str, resamples: int, seed: int) -> Estimate:
        """Return the change from the point before to each, (points,), of ``accuracy`` or ``score_change``."""
        mean, drawn = self.change(name, resamples, seed)
        several = self.right.shape[0] * self.right.shape[1] > 1
        return _bounded(np.diff(mean, prepend=0.0), np.diff(drawn, axis=1, prepend=0.0), several)

    def change(self, name: str, resamples: int, seed: int) -> tuple[Floats, Floats]:
        """Return the mean change from the first point to each, (points,), and of every resample, (resamples, points).

        The changes of ``accuracy`` and ``score_change`` are those of the curves; ``relative_change`` is the change of
        the mean score divided by the mean size of the untouched scores.
        """
        values = self.right if name == "accuracy" else self.score
        changes = values - values[:, :, :1]
        mean, drawn = changes.mean(axis=(0, 1)), resampled_means(changes, resamples, seed)
        if name != "relative_change":
            return mean, drawn
        sizes = np.abs(self.score[:, :, :1])
        return _shares(mean, np.asarray(sizes.mean())), _shares(drawn, resampled_means(sizes, resamples, seed))


def _shares(changes: Floats, sizes: Floats) -> Floats:
    """Return changes divided by sizes; NaN where a size is 0."""
    wide = np.broadcast_to(sizes, changes.shape)
    found: Floats = np.divide(changes, wide, out=np.full(changes.shape, np.nan), where=wide > 0)
    return found


def change_estimate(traces: Traces, name: str, resamples: int, seed: int) -> Estimate:
    """Return the change of a quantity from the first point to each, with its interval; see `Traces.change`."""
    mean, drawn = traces.change(name, resamples, seed)
    return _bounded(mean, drawn, traces.right.shape[0] * traces.right.shape[1] > 1)


def _bounded(mean: Floats, drawn: Floats, several: bool) -> Estimate:
    if not several:
        return Estimate(mean, np.full(mean.shape, np.nan), np.full(mean.shape, np.nan))
    low, high = percentile_bounds(drawn, CONFIDENCE)
    return Estimate(mean, low, high)


def beyond(one: Traces, other: Traces, name: str, resamples: int, seed: int) -> Estimate:
    """Return how much further `one` changes than `other` at each point: the difference, paired input by input.

    Accuracy and score fall, so that a negative difference means that `one` hurts more.
    """
    mean, drawn = one.change(name, resamples, seed)
    its_mean, its_drawn = other.change(name, resamples, seed)
    several = one.right.shape[0] > 1 or other.right.shape[1] > 1
    return _bounded(mean - its_mean, drawn - its_drawn, several)


@dataclass(frozen=True)
class Plan:
    """In which orders the parts of one input are changed.

    Parameters
    ----------
    importances : mapping of By to ndarray
        (parts,).
    steps : int
        How many parts are changed.
    random : int
        Random orders; of inputs with draws, each draw has one.
    seed : tuple of int
        Of ties and random orders.
    """

    importances: Mapping[By, Floats]
    steps: int
    random: int
    seed: tuple[int, ...]

    def orders(self, changeable: Bools, draws: int) -> Ints:
        """Return the orders, (2 x measures + random orders, draws, steps): top and bottom of each, then random ones.

        Parts that can't be changed come last in all of them.
        """
        rows = []
        for values in self.importances.values():
            top = descending(values, [*self.seed, _TOP_SEED])
            bottom = descending(-values, [*self.seed, _BOTTOM_SEED])
            rows += [np.tile(self._first(one, changeable), (draws, 1)) for one in (top, bottom)]
        random = np.random.default_rng([*self.seed, _RANDOM_SEED])
        count = len(changeable)
        for _ in range(self.random):
            rows.append(np.stack([self._first(random.permutation(count), changeable) for _ in range(draws)]))
        return np.stack(rows)

    def _first(self, order: Ints, changeable: Bools) -> Ints:
        return np.concatenate([order[changeable[order]], order[~changeable[order]]])[: self.steps]


def steps_for(share: float, parts: int, least: int) -> int:
    """Return how many of the parts that can be changed are, `least` or more where there are so many."""
    return min(parts, max(least, top_count(share, parts)))


def trace(
    changed: ChangedInputs, index: int, before: Answers, target: Target, kind: ResolvedKind, orders: Ints
) -> Answers:
    """Change the parts of one input and return what the network says, each (orders, draws, steps + 1).

    `before` is what it said of the untouched input. Of a network without classes the score is minus the size of the
    change: it falls when anything happens.
    """
    card = changed.network.card
    after = answers_of(card, changed.along(index, orders), target, kind)
    score = after.score
    first = before.score
    if kind == "value":
        score, first = -np.abs(score - first), np.zeros_like(first)

    def joined(start: Floats, rest: Floats) -> Floats:
        return np.concatenate([np.broadcast_to(start.reshape(1, 1, 1), (*rest.shape[:2], 1)), rest], axis=2)

    return Answers(joined(before.right, after.right), joined(first, score))


def split(found: Sequence[Floats], points: int, measures: Sequence[By]) -> dict[tuple[str, str], Traces]:
    """Return the traces of all inputs by measure and side.

    Random orders, the same for every measure, have the measure ``""``; each of them is a repeat.

    Parameters
    ----------
    found : sequence of ndarray
        (2, orders, draws, steps + 1) of each input: right and score, in the order of `Plan.orders`. Inputs with fewer
        steps reach every point with the nearest number of them.
    points : int
        After the first.
    measures : sequence of By
    """
    taken = [np.round(np.linspace(0, one.shape[-1] - 1, points + 1)).astype(np.int64) for one in found]
    right, score = np.stack([one[..., at] for one, at in zip(found, taken, strict=True)], axis=1)
    traces = {}
    for place, (measure, side) in enumerate((m, s) for m in measures for s in (TOP, BOTTOM)):
        traces[str(measure), side] = Traces(right[:, place], score[:, place])
    rest = 2 * len(measures)
    if right.shape[1] > rest:
        flat = [values[:, rest:].reshape(len(values), -1, values.shape[-1]) for values in (right, score)]
        traces["", RANDOM] = Traces(*flat)
    return traces
