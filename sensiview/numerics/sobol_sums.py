"""The sums behind Sobol' indices: columns made of the answers, averaged over every resample by matrix products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.batch_intervals import BatchCut, BatchSums
from sensiview.numerics.bootstrap import Counts, weights_of
from sensiview.numerics.evaluations import Evaluations
from sensiview.numerics.output_scale import Scale

Array = NDArray[np.float64]

# Columns of the matrix products of one pass, and rows of one step: they bound memory, not the result.
_COLUMNS = 16_384
_PAIRS = 192
_STEP_BYTES = 16 << 20


@dataclass
class Sums:
    """Resampled means of columns: row 0 is the original sample, the others are resamples.

    `blocks` are the results of one matrix product each: the columns of `_base` with the pairs of the first stretch of
    groups, then the pairs of each further stretch, see `stretches_of`.
    """

    n_groups: int
    blocks: list[Array]
    batches: BatchSums

    @property
    def base(self) -> Array:
        """Means of A and B, their squares, A B, numerators of S1 and of ST: (resamples + 1, 3 + 2 G)."""
        return self.blocks[0][:, : 3 + 2 * self.n_groups]

    @property
    def pairs(self) -> list[Array]:
        """Means of BA_i AB_j, i < j, per stretch: (resamples + 1, pairs)."""
        first = self.blocks[0][:, 3 + 2 * self.n_groups :]
        return [first, *self.blocks[1:]] if first.shape[1] else []


def stretches_of(n_groups: int) -> list[range]:
    """Split the first groups i of the pairs i < j into stretches of some hundred pairs: one matrix product each."""
    found, start, pairs = [], 0, 0
    for i in range(n_groups - 1):
        pairs += n_groups - 1 - i
        if pairs >= _PAIRS or i == n_groups - 2:
            found.append(range(start, i + 1))
            start, pairs = i + 1, 0
    return found


def _pair_count(stretch: range, n_groups: int) -> int:
    return sum(n_groups - 1 - i for i in stretch)


def parts_of(outputs: list[int], n_groups: int, second_order: bool) -> Iterator[list[int]]:
    """Split outputs so that the accumulators of one pass stay small."""
    per_output = 3 + 2 * n_groups + (n_groups * (n_groups - 1) // 2 if second_order else 0)
    at_once = max(_COLUMNS // per_output, 1)
    for start in range(0, len(outputs), at_once):
        yield outputs[start : start + at_once]


def weighted_sums(
    evaluations: Evaluations,
    n: int,
    scales: list[Scale],
    outputs: list[int],
    counts: Counts,
    n_groups: int,
    second_order: bool,
    tick: Callable[[], None] | None,
) -> Iterator[tuple[int, Sums]]:
    """Go once through the answers; all `outputs` have the same used rows, and so the same weights."""
    resamples, n_used = counts.shape
    used = scales[outputs[0]].used
    n_base = 3 + 2 * n_groups
    stretches = stretches_of(n_groups) if second_order else []
    widths = [_pair_count(stretch, n_groups) for stretch in stretches] or [0]
    widths[0] += n_base
    sums = {
        output: Sums(n_groups, [np.zeros((resamples + 1, width)) for width in widths], BatchSums(n, n_base))
        for output in outputs
    }
    step = _STEP_BYTES // (8 * max(resamples + 1, *widths, 1))
    step = min(max(1 << (step.bit_length() - 1), 16), 4096)
    position = 0
    for start, piece in evaluations.pieces(n, step):
        rows = slice(None) if used is None else np.flatnonzero(used[start : start + piece.shape[1]])
        numbers = np.arange(start, start + piece.shape[1])[rows]
        cut = BatchCut.of(numbers, n)
        weights = weights_of(counts, position, position + len(numbers))
        for output in outputs:
            y = scales[output].standardised(piece[output][rows])
            for number, total in enumerate(sums[output].blocks):
                columns = np.empty((total.shape[1], y.shape[1]))
                if number == 0:
                    _base(y, n_groups, columns[:n_base])
                    sums[output].batches.add(cut, columns[:n_base])
                if stretches:
                    _pairs(y, n_groups, stretches[number], columns[0 if number else n_base :])
                add_product(total, weights, columns)
        position += len(numbers)
        if tick is not None:
            tick()
    for output in outputs:
        found = sums.pop(output)
        for total in found.blocks:
            total /= n_used
        yield output, found


def add_product(total: Array, weights: Array, columns: Array) -> None:
    """Add the products of `weights` (resamples, n) and `columns` (width, n) to `total` (resamples, width) in place.

    By torch: its products of such flat matrices take half the time of numpy's, and keep to the number of threads that
    the caller allows. All are C-contiguous float64.
    """
    import torch

    there = torch.from_numpy(total)
    torch.addmm(there, torch.from_numpy(weights), torch.from_numpy(columns).T, out=there)


def _base(y: Array, n_groups: int, columns: Array) -> None:
    """Fill in what is averaged: (A+B)/2, (A^2+B^2)/2, A B, B (AB_i - A), (A - AB_i)^2 / 2; shape (3 + 2 G, n)."""
    a, b = y[0], y[-1]
    columns[0] = (a + b) / 2
    columns[1] = (a * a + b * b) / 2
    columns[2] = a * b
    change = y[1 : n_groups + 1] - a
    np.multiply(b, change, out=columns[3 : 3 + n_groups])
    np.multiply(change, change / 2, out=columns[3 + n_groups :])


def _pairs(y: Array, n_groups: int, stretch: range, columns: Array) -> None:
    """Fill in BA_i AB_j for i in `stretch` and j > i, shape (pairs, n)."""
    ab, ba = y[1 : n_groups + 1], y[n_groups + 1 : -1]
    at = 0
    for i in stretch:
        count = n_groups - 1 - i
        np.multiply(ba[i], ab[i + 1 :], out=columns[at : at + count])
        at += count
