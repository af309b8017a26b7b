"""Answers kept in doubling blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sensiview.numerics.evaluations import Evaluations


def _answers(points: int, rows: int, outputs: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(points * rows, outputs)).astype(np.float32)


@pytest.mark.parametrize("cuts", [[0, 300], [0, 1, 128, 129, 300], [0, 128, 256, 300], [0, 16, 299, 300]])
def test_that_answers_come_back_in_salib_s_order_however_they_were_added(cuts: list[int]) -> None:
    answers = _answers(300, 5, 2)
    kept = Evaluations(5)
    for start, stop in itertools.pairwise(cuts):
        kept.append(answers[start * 5 : stop * 5])
    assert kept.n == 300
    assert kept.dtype == np.float32
    for n, points in ((300, 64), (200, 1000), (1, 7)):
        pieces = list(kept.pieces(n, points))
        assert [start for start, _ in pieces] == [sum(p.shape[1] for _, p in pieces[:i]) for i in range(len(pieces))]
        for output in range(2):
            flat = np.concatenate([piece[output] for _, piece in pieces]).ravel()
            np.testing.assert_array_equal(flat, answers[: n * 5, output])


def test_that_more_can_be_added_to_what_a_checkpoint_gave() -> None:
    answers = _answers(1000, 4, 3)
    kept = Evaluations.from_rows(answers[: 700 * 4], 4)
    arrays = {name: array.copy() for name, array in kept.arrays().items()}
    assert sum(array.shape[1] for array in arrays.values()) == 700
    again = Evaluations.from_arrays(arrays, 4)
    again.append(answers[700 * 4 :])
    whole = Evaluations.from_rows(answers, 4)
    for one, other in zip(again.arrays().values(), whole.arrays().values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_that_nothing_kept_gives_nothing() -> None:
    assert Evaluations.from_arrays({}, 4).n == 0
    assert Evaluations(4).n_outputs == 0
    assert list(Evaluations(4).pieces(0, 10)) == []


def test_that_a_single_output_may_come_without_its_axis() -> None:
    assert Evaluations.from_rows(np.arange(12.0), 4).n == 3
