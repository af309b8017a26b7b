"""Rows that are computed together: those whose windows are alike all the way through the network.

A window near the border of the map is smaller in deep layers than one in the middle. Computing both with the larger
size would be exact as well, but slower; computing every kind by itself leaves batches of single rows. Kinds are merged
as long as that costs less than what a batch more would cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sensiview.numerics.incremental.geometry import Floats, Ints, Span
from sensiview.numerics.incremental.operations import Axis, Interval
from sensiview.numerics.incremental.placing import Place
from sensiview.numerics.incremental.program import Program
from sensiview.numerics.incremental.sliding import Sliding


class AxisIntervals:
    """Where changes lie on every feature map, along one axis.

    Parameters
    ----------
    program : Program
    axis : int
        0 down, 1 across.
    lo, hi : ndarray
        (rows,): what changes of the input, half open and not empty.
    """

    def __init__(self, program: Program, axis: Axis, lo: Ints, hi: Ints) -> None:
        pairs, self.kinds = np.unique(np.stack([lo, hi], axis=1), axis=0, return_inverse=True)
        self.kinds = self.kinds.reshape(-1)
        self.axis = axis
        self.program = program
        self.intervals: dict[int, Interval] = {0: (pairs[:, 0], pairs[:, 1])}
        for step in program.steps[: program.limit]:
            self.intervals[step.output] = step.affected(axis, [self.intervals[n] for n in step.inputs])

    def limit(self, number: int) -> int:
        """Return the size of a feature map along the axis."""
        return self.program.shapes[number][1 + self.axis]

    def spans(self, chosen: Ints) -> dict[int, Span]:
        """Return windows of one size per feature map for some kinds."""
        return {
            number: Span.over(lo[chosen], hi[chosen], self.limit(number)) for number, (lo, hi) in self.intervals.items()
        }

    def signatures(self) -> Ints:
        """Return what must be equal for rows to be computed together without loss, (kinds, ...)."""
        parts = [hi - lo for lo, hi in self.intervals.values()]
        for step in self.program.steps[: self.program.limit]:
            if isinstance(step, Sliding):
                first = step.reaches[self.axis].context(self.intervals[step.output][0])
                parts.append(self.intervals[step.inputs[0]][0] - first)
        return np.stack(parts, axis=1)

    def shares(self, sizes: Mapping[int, Ints]) -> Floats:
        """Return the part of each step's work for windows of these sizes, (kinds, steps)."""
        steps = self.program.steps[: self.program.limit]
        found = np.zeros((len(next(iter(sizes.values()))), len(steps)))
        for i, step in enumerate(steps):
            if step.work:
                found[:, i] = step.share(self.axis, sizes[step.inputs[0]], sizes[step.output])
        return found


# Windows of the largest map that live at one time: input, context, base, moved base, output.
_COPIES = 8


@dataclass(frozen=True)
class Limits:
    """What makes a good group.

    Parameters
    ----------
    overhead : float
        Multiply-adds that could be done in the time that a step costs by itself.
    work : float
        Multiply-adds of one group at most: it must be possible to stop between groups.
    numbers : float
        Numbers that fit the memory.
    worthwhile : float
        Windows end at the first step that needs more than this part of its whole work.
    """

    overhead: float
    work: float
    numbers: float
    worthwhile: float = 0.9


@dataclass(frozen=True)
class Group:
    """Rows that are computed together.

    Parameters
    ----------
    rows : ndarray
        Their numbers.
    places : dict
        Where their windows lie on each feature map.
    cut : int
        The step from which on whole maps are computed.
    work : float
        Multiply-adds per row before the cut, about.
    """

    rows: Ints
    places: Mapping[int, Place]
    cut: int
    work: float

    def halves(self) -> tuple[Group, Group]:
        """Return two groups with half the rows each."""
        middle = len(self.rows) // 2
        return self.part(slice(0, middle)), self.part(slice(middle, None))

    def part(self, rows: slice) -> Group:
        """Return a group of some of the rows."""
        places = {
            number: Place(Span(place.y.size, place.y.starts[rows]), Span(place.x.size, place.x.starts[rows]))
            for number, place in self.places.items()
        }
        return Group(self.rows[rows], places, self.cut, self.work)


def groups(program: Program, windows: Ints, limits: Limits) -> list[Group]:
    """Return groups that together hold every row once.

    Parameters
    ----------
    program : Program
    windows : ndarray
        (rows, 4): y0, y1, x0, x1, inside the map and not empty.
    limits : Limits
    """
    axes = [AxisIntervals(program, axis, windows[:, 2 * axis], windows[:, 2 * axis + 1]) for axis in (0, 1)]
    classes = _classes(axes, limits.overhead * max(1, program.limit))
    key = classes[0][axes[0].kinds] * (int(classes[1].max()) + 1) + classes[1][axes[1].kinds]
    order = np.argsort(key, kind="stable")
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        found += _cut_up(program, axes, rows, limits)
    return found


def _cut_up(program: Program, axes: Sequence[AxisIntervals], rows: Ints, limits: Limits) -> list[Group]:
    """Return one group, or several of bounded work."""
    spans = []
    for along in axes:
        chosen, members = np.unique(along.kinds[rows], return_inverse=True)
        spans.append({number: span.of(members.reshape(-1)) for number, span in along.spans(chosen).items()})
    sizes = [{number: np.array([span.size]) for number, span in side.items()} for side in spans]
    share = axes[0].shares(sizes[0])[0] * axes[1].shares(sizes[1])[0]
    work = np.array(program.work[: program.limit])
    full = np.flatnonzero((share > limits.worthwhile) & (work > 0))
    cut = max(position for position in program.cuts if position <= (int(full[0]) if full.size else program.limit))
    per_row = float((share * work)[:cut].sum())
    pixels = (
        max(
            program.shapes[n][0] * sizes[0][n][0] * sizes[1][n][0] for step in program.steps[:cut] for n in step.outputs
        )
        if cut
        else 1
    )
    count = max(1, int(min(limits.work / max(per_row, 1.0), limits.numbers / (_COPIES * pixels))))
    places = {number: Place(y, x) for (number, y), x in zip(spans[0].items(), spans[1].values(), strict=True)}
    whole = Group(rows, places, cut, per_row)
    if len(rows) <= count:
        return [whole]
    return [whole.part(slice(begin, begin + count)) for begin in range(0, len(rows), count)]


def _classes(axes: Sequence[AxisIntervals], overhead: float) -> list[Ints]:
    """Return a class for each kind of interval, down and across."""
    work = np.array(axes[0].program.work[: axes[0].program.limit])
    own = [_Classes(along) for along in axes]
    mean = [np.average(each.shares, axis=0, weights=each.counts) for each in own]
    n_rows = len(axes[0].kinds)
    own[0].merge(work * mean[1], overhead, len(own[1].counts), n_rows)
    own[1].merge(work * mean[0], overhead, len(own[0].counts), n_rows)
    own[0].merge(work * mean[1], overhead, len(own[1].counts), n_rows)
    return [each.labels for each in own]


class _Classes:
    """Kinds of intervals along one axis, merged where that pays."""

    def __init__(self, along: AxisIntervals) -> None:
        self._along = along
        signatures, labels = np.unique(along.signatures(), axis=0, return_inverse=True)
        labels = labels.reshape(-1)
        kinds: Floats = np.bincount(along.kinds, minlength=len(labels)).astype(np.float64)
        lo = along.intervals[0][0].astype(np.float64)
        middle: Floats = np.bincount(labels, weights=lo) / np.bincount(labels)
        order = np.argsort(middle, kind="stable")
        self.labels: Ints = np.argsort(order, kind="stable")[labels]
        self.counts: Floats = np.bincount(self.labels, weights=kinds).astype(np.float64)
        numbers = list(along.intervals)
        self._sizes = {number: signatures[order][:, i] for i, number in enumerate(numbers)}
        self.shares: Floats = along.shares(self._sizes)

    def merge(self, weights: Floats, overhead: float, others: int, rows: int) -> None:
        """Merge neighbours as long as it saves more than it costs.

        Parameters
        ----------
        weights : ndarray
            (steps,) multiply-adds per row for whole maps along this axis.
        overhead : float
        others : int
            Classes along the other axis.
        rows : int
            Rows in all.
        """
        while len(self.counts) > 1:
            sizes = {n: np.maximum(one[:-1], one[1:]) for n, one in self._sizes.items()}
            shares = self._along.shares(sizes)
            now = self.counts * (self.shares @ weights)
            cost = (self.counts[:-1] + self.counts[1:]) * (shares @ weights) - now[:-1] - now[1:]
            best = int(cost.argmin())
            saved = overhead * min(others, rows / len(self.counts))
            if cost[best] > saved:
                return
            for number, merged in sizes.items():
                kept = np.delete(self._sizes[number], best + 1)
                kept[best] = merged[best]
                self._sizes[number] = kept
            counts = np.delete(self.counts, best + 1)
            counts[best] += self.counts[best + 1]
            self.counts = counts
            joined = np.delete(self.shares, best + 1, axis=0)
            joined[best] = shares[best]
            self.shares = joined
            self.labels = np.where(self.labels > best, self.labels - 1, self.labels)
