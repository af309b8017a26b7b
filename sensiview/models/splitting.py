"""Which rows train a network and which test it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError
from sensiview.models.recipe import TrainingRecipe

Rows = NDArray[np.int64]
_PART = re.compile(r"(\d+)\s*(?:([-–])\s*(\d*))?")


@dataclass(frozen=True)
class Split:
    """Row numbers for training and testing, and sentences about rows that were left out or serve twice."""

    train: Rows
    test: Rows
    notes: tuple[str, ...] = ()


def split_rows(recipe: TrainingRecipe, x: NDArray[Any], y: NDArray[Any], *, classes: bool, seed: int) -> Split:
    """Return the rows of a recipe without those that have missing values.

    Rows that the recipe does not name are drawn at random by `seed`, each class in the same share.

    Parameters
    ----------
    recipe : TrainingRecipe
    x : ndarray
        Shape (n, ...), may hold NaN.
    y : ndarray
        Shape (n,): class numbers (negative is missing) or values (NaN is missing).
    classes : bool
        Whether `y` holds class numbers.
    seed : int

    Raises
    ------
    UserError
        A row that is not there, or fewer than two rows to train on.
    """
    count = len(x)
    complete = np.isfinite(x.reshape(count, -1)).all(axis=1) & (y >= 0 if classes else np.isfinite(y))
    train = _parse(recipe.train_rows, count, "training")
    test = _parse(recipe.test_rows, count, "test")
    if train is None and test is None:
        test = _draw(y, np.flatnonzero(complete), recipe.test_share, classes=classes, seed=seed)
    everything = np.arange(count)
    if train is None:
        train = np.setdiff1d(everything, everything[:0] if test is None else test)
    if test is None:
        test = np.setdiff1d(everything, train)
    notes = []
    both = np.intersect1d(train, test).size
    if both:
        notes.append(
            f"{both:,} rows are trained on and tested on: the test accuracy is better than it would be on new data."
        )
    left_out = int((~complete[train]).sum()), int((~complete[test]).sum())
    if any(left_out):
        notes.append(
            f"Rows with missing values were left out: {left_out[0]:,} of {train.size:,} for training, "
            f"{left_out[1]:,} of {test.size:,} for testing. Fill them in the data where that is wrong."
        )
    train, test = train[complete[train]], test[complete[test]]
    if train.size < 2:
        raise UserError(f"There are {train.size} complete rows to train on; at least 2 are needed.")
    if not test.size:
        notes.append("There are no rows to test on, so there is no test accuracy.")
    return Split(train, test, tuple(notes))


def _draw(y: NDArray[Any], rows: Rows, share: float, *, classes: bool, seed: int) -> Rows:
    generator = np.random.default_rng(seed)
    groups = [rows[y[rows] == label] for label in np.unique(y[rows])] if classes else [rows]
    chosen = [generator.permutation(group)[: round(share * group.size)] for group in groups]
    return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *chosen]))


def _parse(text: str, count: int, what: str) -> Rows | None:
    """Return the rows of ``0-499,600,700-``, both ends included, an open end being the last row; None for no text."""
    if not text.strip():
        return None
    if text.strip().lower() == "all":
        return np.arange(count)
    chosen = []
    for part in filter(str.strip, re.split("[,;]", text)):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise UserError(f"The {what} rows can't be read at '{part.strip()[:40]}'. Write them as '0-499,600'.")
        first = int(found[1])
        last = first if found[2] is None else int(found[3] or count - 1)
        if last < first or last >= count:
            raise UserError(
                f"The {what} rows {part.strip()} are not in this table: it has {count:,} rows, 0 to {count - 1}. "
                "Change the rows, or leave them empty to draw them at random."
            )
        chosen.append(np.arange(first, last + 1))
    return np.unique(np.concatenate(chosen))
