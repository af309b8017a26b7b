"""Labels of a cohort: the columns of the participants' table, per volume, and which of them can be the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.participants import Matching, Participants, is_session_column, is_subject_column
from sensiview.datasets.selecting import class_name
from sensiview.datasets.volumes import count_classes
from sensiview.errors import DataError, suggestion

if TYPE_CHECKING:
    import pandas as pd

MOST_CLASSES = 20
# Whole numbers of a column that is not called diagnosis or the like: with more values it is rather a measurement.
_FEW_NUMBERS = 6
_TARGET_WORDS = ("diagnosis", "dx", "label", "class", "group", "target", "disease", "status", "outcome", "condition")
_FOLD_WORDS = ("fold", "split", "kfold", "cv", "partition")
_GROUP_WORDS = (
    "site",
    "scanner",
    "center",
    "centre",
    "family",
    "manufacturer",
    "vendor",
    "cohort",
    "study",
    "hospital",
)


def table_of_volumes(
    matched: tuple[Participants, Matching] | None, count: int
) -> tuple[pd.DataFrame, tuple[int | None, ...]]:
    """Return one row per volume, missing where the table has none, and which row of the table it is."""
    if matched is None:
        return empty_table(count), (None,) * count
    people, matching = matched
    return rows_of(people.frame, matching.rows), matching.rows


def empty_table(count: int) -> pd.DataFrame:
    """Return a table of `count` rows without columns."""
    import pandas as pd

    return pd.DataFrame(index=range(count))


def rows_of(frame: pd.DataFrame, rows: Sequence[int | None]) -> pd.DataFrame:
    """Return these rows in this order; None gives a row of missing values."""
    frame = frame.reset_index(drop=True)
    taken = frame.reindex([-1 if row is None else row for row in rows])
    return taken.reset_index(drop=True)


def with_target(card: DatasetCard, table: pd.DataFrame, column: str | None) -> DatasetCard:
    """Return the card with another target column (None: none) and its class counts.

    Up to 20 different values, or any text, are classes; more numbers are a quantity. The card's notes say how many
    volumes have no label.

    Parameters
    ----------
    card : DatasetCard
        Of volumes.
    table : DataFrame
        One row per volume, as `VolumeSet.table`.

    Raises
    ------
    DataError
        There is no such column, it is empty, has one class only, or names every volume by itself.
    """
    notes = tuple(note for note in card.notes if not note.startswith("Without a label in '"))
    if column is None:
        return card.model_copy(update={"target": None, "class_counts": {}, "notes": notes})
    names = [str(name) for name in table.columns]
    if not names:
        raise DataError(
            f"'{card.name}' has no participants' table, so there is no column '{column}'. Add the volumes together "
            "with a participants.tsv."
        )
    if column not in names:
        raise DataError(f"The participants' table has no column '{column}'.{suggestion(column, names)}")
    values = table[column].tolist()
    counts = dict(count_classes(values))
    if not counts:
        raise DataError(f"The column '{column}' is empty for all volumes. Choose another column.")
    if len(counts) == 1:
        only = next(iter(counts))
        raise DataError(
            f"All labelled volumes are of one class in '{column}' ({only}): there is nothing to tell apart. Choose "
            "another column, or add volumes of another class."
        )
    quantity = card.column(column).kind in ("number", "integer") and len(counts) > MOST_CLASSES
    if not quantity and len(counts) > max(2, 0.9 * len(values)):
        raise DataError(
            f"The column '{column}' has another value for nearly every volume: it names them rather than their "
            "classes. Choose the column that holds the diagnosis or group."
        )
    lacking = [i for i, value in enumerate(values) if not class_name(value)]
    if lacking:
        who = card.extra.get("names", [])
        some = ", ".join(str(who[i]) for i in lacking[:3] if i < len(who)) + (", ..." if len(lacking) > 3 else "")
        count = "1 volume" if len(lacking) == 1 else f"{len(lacking):,} volumes"
        notes = (*notes, f"Without a label in '{column}': {count} ({some}); not used for training and accuracy.")
    return card.model_copy(update={"target": column, "class_counts": {} if quantity else counts, "notes": notes})


def candidates(table: pd.DataFrame, subjects: Sequence[str]) -> dict[str, list[str]]:
    """Return which columns may be the target, groups that stay together, and folds; the likeliest first."""
    target: list[str] = []
    groups: list[str] = []
    folds: list[str] = []
    n_subjects = len(set(subjects))
    for column in map(str, table.columns):
        if is_session_column(column) or (is_subject_column(column) and not _word(column, _TARGET_WORDS)):
            continue
        counts = count_classes(table[column].tolist())
        if len(counts) < 2:
            continue
        if _word(column, _FOLD_WORDS) and len(counts) <= MOST_CLASSES:
            folds.append(column)
            continue
        whole = not _is_fraction(table[column])
        likely = MOST_CLASSES if _is_text(table[column]) or _word(column, _TARGET_WORDS) else _FEW_NUMBERS
        if len(counts) <= likely and len(counts) <= max(2, len(table) // 2) and whole:
            target.append(column)
        if whole and 2 <= len(counts) < n_subjects and (_word(column, _GROUP_WORDS) or len(counts) <= n_subjects // 2):
            groups.append(column)
    target.sort(key=lambda name: (not _word(name, _TARGET_WORDS), bool(_word(name, _GROUP_WORDS))))
    groups.sort(key=lambda name: (not _word(name, _GROUP_WORDS), bool(_word(name, _TARGET_WORDS))))
    return {"target": target, "groups": groups, "folds": folds}


def _word(column: str, words: Sequence[str]) -> bool:
    return any(word in column.lower() for word in words)


def _is_text(values: pd.Series[Any]) -> bool:
    return getattr(values.dtype, "kind", "O") not in "iuf"


def _is_fraction(values: pd.Series[Any]) -> bool:
    if getattr(values.dtype, "kind", "") != "f":
        return False
    present = values.dropna().to_numpy()
    return bool(np.any(present != np.round(present)))
