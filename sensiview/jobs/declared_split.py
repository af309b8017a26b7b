"""Which images a column of their table names for training, for validation and for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensiview.datasets.selecting import class_name

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.card import DatasetCard
    from sensiview.models.recipe import TrainingRecipe

Places = npt.NDArray[np.int64]
_WORDS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "holdout"),
}


@dataclass(frozen=True)
class DeclaredSplit:
    """Places by what they are for; None where there is no such column, or it is not used. `said` tells of it."""

    train: Places | None = None
    validation: Places | None = None
    test: Places | None = None
    said: str = ""


def declared_split(card: DatasetCard, table: pd.DataFrame, recipe: TrainingRecipe) -> DeclaredSplit:
    """Return the parts that a data set's column of splits names (train, val, test), unless the recipe says otherwise.

    What goes before the column: chosen rows, folds, and another share for testing than the usual one. A column of
    numbers is one of folds and is left alone.
    """
    column = card.extra.get("split")
    if column not in table.columns or recipe.train_rows.strip() or recipe.test_rows.strip() or recipe.folds:
        return DeclaredSplit()
    words = [class_name(value).strip().lower() for value in table[column]]
    if all(word.isdecimal() or not word for word in words):
        return DeclaredSplit()
    known = {word: part for part, several in _WORDS.items() for word in several}
    unknown = sorted({word for word in words if word and word not in known})
    if unknown or not any(known.get(word) == "train" for word in words):
        why = f"it holds '{unknown[0]}'" if unknown else "it names none to train on"
        return DeclaredSplit(
            said=f"The column '{column}' was not used to divide the images: {why}. Its words are train, val and test."
        )
    if recipe.test_share != type(recipe).model_fields["test_share"].default:
        return DeclaredSplit(
            said=f"The images to test on were drawn, as the share for testing asks; the column '{column}' was not used."
        )
    places = {part: np.flatnonzero([known.get(word) == part for word in words]) for part in _WORDS}
    counts = ", ".join(f"{len(some):,} {part}" for part, some in places.items() if len(some))
    left_out = sum(not word for word in words)
    rest = f" {left_out:,} without a word in it were left out." if left_out else ""
    return DeclaredSplit(
        places["train"],
        places["validation"] if len(places["validation"]) else None,
        places["test"],
        f"The column '{column}' divides the images: {counts}.{rest}",
    )
