"""A training recipe with changes, and how many rows it takes; from plain values, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sensiview.datasets.rows import parse_rows
from sensiview.errors import UserError, suggestion
from sensiview.models.recipe import TrainingRecipe


def changed(recipe: TrainingRecipe, changes: Mapping[str, Any]) -> TrainingRecipe:
    """Return a recipe with some settings replaced.

    Raises
    ------
    UserError
        There is no such setting, or its value is out of bounds.
    """
    known = list(TrainingRecipe.model_fields)
    for name in changes:
        if name not in known:
            raise UserError(f"There is no training setting '{name}'.{suggestion(name, known)}")
    try:
        return TrainingRecipe(**{**recipe.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(map(str, first['loc'][:1]))}: {first['msg']}.") from None


def row_counts(recipe: TrainingRecipe, n: int) -> tuple[int, int]:
    """Return how many of `n` rows train and how many test, none having a missing value.

    Raises
    ------
    UserError
        The recipe names rows that are not there.
    """
    train = len(parse_rows(recipe.train_rows, n)) if recipe.train_rows else None
    test = len(parse_rows(recipe.test_rows, n)) if recipe.test_rows else None
    if train is None and test is None:
        test = round(n * recipe.test_share)
    # Rows that only one of the two names belong to the other.
    return (n - (test or 0) if train is None else train), (n - (train or 0) if test is None else test)
