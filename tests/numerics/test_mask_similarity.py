"""How alike masks are: cosines and means over pairs against plain numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensiview.numerics.mask_similarity import (
    Context,
    cosine_matrix,
    mean_mask,
    on_grid,
    pair_means,
    relation,
    unique_labels,
)

BASE = Context("a", "r1", "net f0 r0", "cnn3d", fold=0, training_run=0, lambda_1=100.0, lambda_2=10.0)


def test_that_the_cosine_is_that_of_numpy_to_1e_12() -> None:
    vectors = np.random.default_rng(1).random((6, 120))
    norms = np.linalg.norm(vectors, axis=1)
    assert np.abs(cosine_matrix(list(vectors)) - vectors @ vectors.T / np.outer(norms, norms)).max() < 1e-12


def test_that_an_empty_mask_has_no_similarity() -> None:
    found = cosine_matrix([np.zeros(3), np.ones(3)])
    assert np.isnan(found[0]).all()
    assert found[1, 1] == 1


def test_that_a_relation_is_the_one_thing_that_differs() -> None:
    assert relation(BASE, replace(BASE, lambda_1=1.0)) == "inter-lambda"
    assert relation(BASE, replace(BASE, network="x", training_run=1)) == "inter-run"
    assert relation(BASE, replace(BASE, network="x", fold=1)) == "inter-fold"
    assert relation(BASE, replace(BASE, network="x", architecture="resnet3d18")) == "inter-model"
    assert relation(BASE, replace(BASE, seed=2)) == "inter-seed"
    assert relation(BASE, replace(BASE, network="x", fold=1, training_run=1)) is None
    assert relation(BASE, replace(BASE, network="x", fold=1, lambda_1=1.0)) is None
    assert relation(BASE, replace(BASE, lambda_1=1.0, settings="fill blur")) is None
    assert relation(BASE, replace(BASE, network="x", fold=None, training_run=None)) is None


def test_that_means_over_pairs_are_those_of_numpy() -> None:
    contexts = [replace(BASE, network=f"{f}{r}", fold=f, training_run=r) for f in range(3) for r in range(2)]
    matrix = np.random.default_rng(2).random((6, 6))
    found = {(m.relation, m.measure): m for m in pair_means(contexts, matrix, "x", symmetric=False)}
    same_fold = [matrix[i, j] for i in range(6) for j in range(6) if i != j and i // 2 == j // 2]
    same_run = [matrix[i, j] for i in range(6) for j in range(6) if i != j and i % 2 == j % 2]
    assert found["inter-run", "x"].mean == pytest.approx(np.mean(same_fold), abs=1e-12)
    assert found["inter-run", "x"].pairs == 6
    assert found["inter-fold", "x"].mean == pytest.approx(np.mean(same_run), abs=1e-12)
    assert found["inter-fold", "x"].std == pytest.approx(np.std(same_run, ddof=1), abs=1e-12)
    half = pair_means(contexts, (matrix + matrix.T) / 2, "x", symmetric=True)
    assert [m.pairs for m in half] == [3, 6]


def test_that_labels_become_unique() -> None:
    assert unique_labels(["a", "a", "b"], ["r1", "r2", "r3"]) == ["a [r1]", "a [r2]", "b"]
    assert unique_labels(["a", "a"], ["r1", "r1"]) == ["a [r1]", "a [r1] #2"]


def test_that_a_mean_mask_and_another_grid_keep_their_values() -> None:
    masks = np.random.default_rng(3).random((4, 5, 6, 7))
    assert np.allclose(mean_mask(masks), masks.mean(axis=0))
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    moved = affine.copy()
    moved[:3, 3] = [2.0, 0, 0]
    found = on_grid(masks[0], affine, (5, 6, 7), moved)
    assert np.allclose(found[:4], masks[0][1:])
    assert np.allclose(found[4], 1.0)
