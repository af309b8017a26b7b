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
    """Resampled means of columns: row 0 is the original sample, the others are resamples."""

    columns: Array  # (resamples + 1, 3 + 2 G): A and B, their squares, A B, numerators of S1 and of ST
    pairs: list[Array]  # per stretch of groups (see `stretches_of`): (resamples + 1, pairs) of BA_i AB_j
    batches: BatchSums


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
    n_columns = 3 + 2 * n_groups
    stretches = stretches_of(n_groups) if second_order else []
    widths = [_pair_count(stretch, n_groups) for stretch in stretches]
    sums = {
        output: Sums(
            np.zeros((resamples + 1, n_columns)),
            [np.zeros((resamples + 1, width)) for width in widths],
            BatchSums(n, n_columns),
        )
        for output in outputs
    }
    step = _STEP_BYTES // (8 * max(resamples + 1, n_columns, *widths))
    step = min(max(1 << (step.bit_length() - 1), 16), 4096)
    position = 0
    for start, piece in evaluations.pieces(n, step):
        rows = slice(None) if used is None else np.flatnonzero(used[start : start + piece.shape[1]])
        numbers = np.arange(start, start + piece.shape[1])[rows]
        cut = BatchCut.of(numbers, n)
        weights = weights_of(counts, position, position + len(numbers))
        for output in outputs:
            y = scales[output].standardised(piece[output][rows])
            columns = _columns(y, n_groups)
            add_product(sums[output].columns, weights, columns)
            sums[output].batches.add(cut, columns)
            for stretch, width, pairs in zip(stretches, widths, sums[output].pairs, strict=True):
                add_product(pairs, weights, _pairs(y, n_groups, stretch, width))
        position += len(numbers)
        if tick is not None:
            tick()
    for output in outputs:
        found = sums.pop(output)
        for means in (found.columns, *found.pairs):
            means /= n_used
        yield output, found


def add_product(total: Array, weights: Array, columns: Array) -> None:
    """Add the products of `weights` (resamples, n) and `columns` (width, n) to `total` (resamples, width) in place.

    By torch: its products of such flat matrices take half the time of numpy's, and keep to the number of threads that
    the caller allows. All are C-contiguous float64.
    """
    import torch

    there = torch.from_numpy(total)
    torch.addmm(there, torch.from_numpy(weights), torch.from_numpy(columns).T, out=there)


def _columns(y: Array, n_groups: int) -> Array:
    """Return what is averaged: (A+B)/2, (A^2+B^2)/2, A B, B (AB_i - A), (A - AB_i)^2 / 2; shape (3 + 2 G, n)."""
    a, b = y[0], y[-1]
    columns = np.empty((3 + 2 * n_groups, y.shape[1]))
    columns[0] = (a + b) / 2
    columns[1] = (a * a + b * b) / 2
    columns[2] = a * b
    change = y[1 : n_groups + 1] - a
    np.multiply(b, change, out=columns[3 : 3 + n_groups])
    np.multiply(change, change / 2, out=columns[3 + n_groups :])
    return columns


def _pairs(y: Array, n_groups: int, stretch: range, width: int) -> Array:
    """Return BA_i AB_j for i in `stretch` and j > i, shape (width, n)."""
    ab, ba = y[1 : n_groups + 1], y[n_groups + 1 : -1]
    products = np.empty((width, y.shape[1]))
    at = 0
    for i in stretch:
        count = n_groups - 1 - i
        np.multiply(ba[i], ab[i + 1 :], out=products[at : at + count])
        at += count
    return products
