"""Folds: even, by subject, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sensiview.datasets.folds import assign_folds, fold_counts, folds_from_column
from sensiview.errors import UserError


@pytest.mark.parametrize("k", [2, 3, 5, 10])
@pytest.mark.parametrize("sizes", [(50, 50), (37, 13, 4), (10, 1), (11,)])
def test_that_folds_are_even_in_each_class_and_in_all(k: int, sizes: tuple[int, ...]) -> None:
    labels = [f"class {n}" for n, size in enumerate(sizes) for _ in range(size)]
    subjects = [f"sub-{n:03}" for n in range(len(labels))]
    if k > len(subjects):
        return
    folds = assign_folds(subjects, labels, k, seed=1)
    assert set(folds) == set(subjects)
    for wanted in (set(labels), *({name} for name in set(labels))):
        held = Counter(dict.fromkeys(range(k), 0))
        held.update(folds[s] for s, label in zip(subjects, labels, strict=True) if label in wanted)
        assert max(held.values()) - min(held.values()) <= 1


def test_that_a_subject_with_several_volumes_is_in_one_fold() -> None:
    subjects = [f"s{n // 3}" for n in range(60)]
    folds = assign_folds(subjects, ["a", "b", "a"] * 20, 4, seed=0)
    assert len(folds) == 20
    assert sorted(Counter(folds.values()).values()) == [5, 5, 5, 5]


def test_that_the_seed_and_not_the_order_decides() -> None:
    subjects = [f"s{n}" for n in range(40)]
    labels = np.array([n % 2 for n in range(40)])
    first = assign_folds(subjects, labels, 5, seed=7)
    assert first == assign_folds(subjects, labels, 5, seed=7)
    assert first == assign_folds(subjects[::-1], labels[::-1], 5, seed=7)
    assert first != assign_folds(subjects, labels, 5, seed=8)


def test_that_missing_labels_are_spread_too() -> None:
    labels = [None, float("nan"), -1, ""] * 5 + ["a"] * 10
    folds = assign_folds([f"s{n}" for n in range(30)], labels, 5, seed=0)
    assert set(Counter(folds[f"s{n}"] for n in range(20)).values()) == {4}
    assert assign_folds(["x", "x", "y"], [None, "a", "b"], 2, 0).keys() == {"x", "y"}


def test_that_groups_stay_together_and_folds_stay_fairly_even() -> None:
    rng = np.random.default_rng(0)
    subjects = [f"s{n}" for n in range(100)]
    groups = [f"family {g}" for g in rng.integers(0, 30, 100)]
    labels = ["ill" if rng.random() < 0.4 else "well" for _ in subjects]
    folds = assign_folds(subjects, labels, 5, seed=3, groups=groups)
    for group in set(groups):
        assert len({folds[s] for s, g in zip(subjects, groups, strict=True) if g == group}) == 1
    counts = Counter(folds.values())
    assert set(counts) == set(range(5))
    assert max(counts.values()) - min(counts.values()) <= 6
    assert folds == assign_folds(subjects, labels, 5, 3, dict(zip(subjects, groups, strict=True)))


def test_that_every_fold_gets_a_group_even_when_one_is_huge() -> None:
    subjects = [f"s{n}" for n in range(20)]
    groups = ["big"] * 18 + ["b", "c"]
    folds = assign_folds(subjects, ["a", "b"] * 10, 3, 0, groups)
    assert set(folds.values()) == {0, 1, 2}


def test_that_impossible_folds_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 folds"):
        assign_folds(["a", "b"], [0, 1], 1, 0)
    with pytest.raises(UserError, match="3 folds need at least as many subjects; there are 2"):
        assign_folds(["a", "b", "a"], [0, 1, 0], 3, 0)
    with pytest.raises(UserError, match="as many groups; there are 1"):
        assign_folds(["a", "b"], [0, 1], 2, 0, ["x", "x"])
    with pytest.raises(UserError, match="'a' is in several groups"):
        assign_folds(["a", "a", "b"], [0, 0, 1], 2, 0, ["x", "y", "z"])


def test_that_counts_per_fold_add_up() -> None:
    subjects, labels = [f"s{n}" for n in range(10)], ["a"] * 6 + ["b"] * 4
    counts = fold_counts(assign_folds(subjects, labels, 2, 0), subjects, labels)
    assert counts == {0: {"a": 3, "b": 2}, 1: {"a": 3, "b": 2}}


def test_that_a_column_gives_folds_in_natural_order() -> None:
    assert folds_from_column(["a", "b", "c"], [10.0, 2.0, 1.0]) == {"a": 2, "b": 1, "c": 0}
    assert folds_from_column(["a", "b"], ["train", "test"]) == {"a": 1, "b": 0}
    with pytest.raises(UserError, match="'b' has no fold"):
        folds_from_column(["a", "b"], [1, float("nan")])
    with pytest.raises(UserError, match="only one fold"):
        folds_from_column(["a", "b"], [1, 1])
    with pytest.raises(UserError, match="several folds"):
        folds_from_column(["a", "a"], [1, 2])
