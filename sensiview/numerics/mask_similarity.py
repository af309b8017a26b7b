"""How alike masks are, and over which kind of change: other weights, another training run, another fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.numerics.regions import cosine

Floats = npt.NDArray[np.float64]
Relation = Literal["inter-lambda", "inter-run", "inter-fold", "inter-model", "inter-seed"]
RELATIONS: Mapping[Relation, str] = {
    "inter-lambda": "the same network, other weights λ",
    "inter-run": "the same fold, trained again",
    "inter-fold": "the same training run, another fold",
    "inter-model": "another architecture",
    "inter-seed": "the same network and weights, another seed",
}


@dataclass(frozen=True)
class Context:
    """Where a mask comes from.

    Parameters
    ----------
    label : str
        For people, unique.
    source : str
        Identifier of the run it was found in.
    network : str
        What tells networks apart: two contexts of the same one have the same.
    architecture : str
    fold, training_run : int, str or None
        Of the network's training, where known.
    lambda_1, lambda_2 : float
        Weights of the mask's terms.
    settings : str
        Everything else that the mask was sought with, as text.
    seed : int
        Of the run in which the mask was found.
    """

    label: str
    source: str
    network: str
    architecture: str = ""
    fold: int | str | None = None
    training_run: int | str | None = None
    lambda_1: float = 0.0
    lambda_2: float = 0.0
    settings: str = ""
    seed: int = 1


def relation(one: Context, other: Context) -> Relation | None:
    """Return the one thing in which two contexts differ; None where it is several, or nothing.

    Masks that were sought with other settings (fill, score, ...) are not compared under any of these names. The number
    of a fold means something only within a training run's own folds, and the other way round; a network without both is
    only itself.
    """
    if one.settings != other.settings:
        return None
    same_weights = (one.lambda_1, one.lambda_2) == (other.lambda_1, other.lambda_2)
    if one.network == other.network:
        if not same_weights:
            return "inter-lambda" if one.seed == other.seed else None
        return "inter-seed" if one.seed != other.seed else None
    if not same_weights:
        return None
    if one.architecture != other.architecture:
        return "inter-model" if (one.fold, one.training_run) == (other.fold, other.training_run) else None
    known = None not in (one.fold, other.fold, one.training_run, other.training_run)
    same_fold, same_run = one.fold == other.fold, one.training_run == other.training_run
    if known and same_fold and not same_run:
        return "inter-run"
    if known and same_run and not same_fold:
        return "inter-fold"
    return None


def cosine_matrix(vectors: Sequence[npt.NDArray[Any]]) -> Floats:
    """Return the cosine of every pair of vectors, (n, n), float64; NaN where one of them is zero."""
    n = len(vectors)
    matrix = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i, n):
            matrix[i, j] = matrix[j, i] = cosine(vectors[i], vectors[j])
    return matrix


@dataclass(frozen=True)
class PairMean:
    """Mean and spread (standard deviation, ddof 1; NaN for one pair) of a measure over the pairs of one relation."""

    relation: Relation
    measure: str
    mean: float
    std: float
    lowest: float
    highest: float
    pairs: int


def pair_means(contexts: Sequence[Context], matrix: Floats, measure: str, *, symmetric: bool) -> list[PairMean]:
    """Return the mean of a matrix over the pairs of contexts of each relation that occurs.

    Every pair counts once when `symmetric`, else in both directions; pairs without a number don't count.
    """
    found = []
    for name in RELATIONS:
        values = np.array(
            [matrix[i, j] for i, j in _pairs(len(contexts), symmetric) if relation(contexts[i], contexts[j]) == name]
        )
        values = values[np.isfinite(values)]
        if len(values):
            spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
            found.append(
                PairMean(
                    name, measure, float(values.mean()), spread, float(values.min()), float(values.max()), len(values)
                )
            )
    return found


def _pairs(n: int, symmetric: bool) -> Iterator[tuple[int, int]]:
    return combinations(range(n), 2) if symmetric else permutations(range(n), 2)


def unique_labels(labels: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Return labels of which no two are alike: the run's identifier, then a number, is added where needed."""
    counts = {label: list(labels).count(label) for label in labels}
    named = [
        label if counts[label] == 1 else f"{label} [{source}]" for label, source in zip(labels, sources, strict=True)
    ]
    seen: dict[str, int] = {}
    unique = []
    for label in named:
        seen[label] = seen.get(label, 0) + 1
        unique.append(label if seen[label] == 1 else f"{label} #{seen[label]}")
    return unique


def mean_mask(values: npt.NDArray[Any]) -> Floats:
    """Return the mean of masks (n, i, j, k) over the first axis, or the mask (i, j, k) itself, float64."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 3 else np.asarray(array.reshape(-1, *array.shape[-3:]).mean(axis=0))


def on_grid(mask: npt.NDArray[Any], affine: npt.NDArray[Any], shape: Sequence[int], target: npt.NDArray[Any]) -> Floats:
    """Return a mask (i, j, k) at the voxels of another grid, linear in between; outside its own it is 1."""
    from scipy import ndimage

    way = np.linalg.inv(np.asarray(affine, dtype=np.float64)) @ np.asarray(target, dtype=np.float64)
    moved: Any = ndimage.affine_transform(
        np.asarray(mask, dtype=np.float64), way[:3, :3], way[:3, 3], output_shape=tuple(shape), order=1, cval=1.0
    )
    return np.asarray(np.clip(moved, 0.0, 1.0), dtype=np.float64)
