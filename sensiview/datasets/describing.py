"""From a frame to its card: kinds, ranges, classes, and sentences on what a user should know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import ColumnCard, DatasetCard
from sensiview.datasets.columns import Findings, is_whole, truth_words
from sensiview.errors import DataError, suggestion

if TYPE_CHECKING:
    import pandas as pd

TargetAs = Literal["auto", "classes", "number"]
_MOST_CLASSES = 20  # distinct whole numbers that are taken as classes rather than as a quantity
_MOST_TEXT_CLASSES = 1000
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*|\d{4}/\d{1,2}/\d{1,2}.*")


def make_card(
    frame: pd.DataFrame,
    *,
    name: str,
    target: str | None = None,
    target_as: TargetAs = "auto",
    reading: Mapping[str, Any] | None = None,
    findings: Mapping[str, Findings] | None = None,
    notes: Sequence[str] = (),
) -> DatasetCard:
    """Describe a frame whose columns are numbers, categoricals or text.

    Raises
    ------
    DataError
        The target is not a column, has no or only one value, or is text without classes.
    """
    columns = tuple(column_card(str(label), values) for label, values in frame.items())
    said = [*notes, *_about_findings(findings or {}), *_about_columns(frame, columns)]
    card = DatasetCard(
        name=name,
        n_rows=len(frame),
        columns=columns,
        features=_features(columns, None),
        reading=dict(reading or {}),
        notes=tuple(said),
    )
    return with_target(card, frame, target, target_as)


def with_target(
    card: DatasetCard, frame: pd.DataFrame, target: str | None, target_as: TargetAs = "auto"
) -> DatasetCard:
    """Return the card with another target column (None: none), the factors and class counts that follow from it.

    Raises
    ------
    DataError
        As `make_card`.
    """
    if target is None:
        return card.model_copy(update={"target": None, "class_counts": {}, "features": _features(card.columns, None)})
    names = [column.name for column in card.columns]
    if target not in names:
        raise DataError(f"There is no column '{target}' to take as target.{suggestion(target, names)}")
    column = card.column(target)
    if column.distinct == 0:
        raise DataError(f"The target column '{target}' is empty. Choose another column, or no target.")
    counts = class_counts(frame[target], column, target_as)
    if column.distinct == 1:
        value = next(iter(counts), column.minimum)
        raise DataError(
            f"The target column '{target}' has the same value in every row ({value}): there is nothing to tell apart. "
            "Choose another column, or no target."
        )
    reading = {**card.reading, "target_as": target_as} if card.reading else {}
    return card.model_copy(
        update={
            "target": target,
            "class_counts": counts,
            "features": _features(card.columns, target),
            "reading": reading,
        }
    )


def column_card(name: str, values: pd.Series[Any]) -> ColumnCard:
    """Return kind, missing cells, distinct values and, for numbers, range, mean and sample standard deviation."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = np.asarray(values.cat.codes)
        present = codes[codes >= 0]
        distinct = int(np.count_nonzero(np.bincount(present, minlength=1)))
        if not is_truth(values):
            return ColumnCard(name=name, kind="text", missing=codes.size - present.size, distinct=distinct)
        return _number_card(name, "boolean", present.astype(np.float64), codes.size, distinct)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        missing = int(values.isna().sum())
        return ColumnCard(name=name, kind="text", missing=missing, distinct=int(values.nunique()))
    numbers = values.to_numpy()
    present = numbers
    if numbers.dtype.kind == "f" and (lacking := np.isnan(numbers)).any():
        present = numbers[~lacking]
    ordered = np.sort(present)
    distinct = int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if ordered.size else 0
    whole = numbers.dtype.kind in "iu" or (present.size > 0 and is_whole(present))
    return _number_card(name, "integer" if whole else "number", present, numbers.size, distinct)


def _number_card(
    name: str, kind: Literal["number", "integer", "boolean"], present: npt.NDArray[Any], size: int, distinct: int
) -> ColumnCard:
    if present.size == 0:
        return ColumnCard(name=name, kind=kind, missing=size)
    with np.errstate(over="ignore", invalid="ignore"):  # the squares of values near 1e308
        mean = float(present.mean(dtype=np.float64))
        off = present - mean
        std = float(np.sqrt(np.dot(off, off) / max(1, present.size - 1)))
    return ColumnCard(
        name=name,
        kind=kind,
        missing=size - present.size,
        distinct=distinct,
        minimum=float(present.min()),
        maximum=float(present.max()),
        mean=mean if np.isfinite(mean) else None,
        std=std if np.isfinite(std) else None,
    )


def is_truth(values: pd.Series[Any]) -> bool:
    """Whether a categorical column holds truth values: false first, both words of one pair."""
    return bool(values.cat.ordered) and truth_words(str(word) for word in values.cat.categories) is not None


def class_counts(values: pd.Series[Any], column: ColumnCard, target_as: TargetAs = "auto") -> dict[str, int]:
    """Return rows per class, classes sorted: numbers by value and without ``.0``, words by alphabet.

    Empty for a quantity: numbers that are not whole (with more than two values), or more than 20 different whole
    numbers. `target_as` decides otherwise.
    """
    if column.kind in ("text", "boolean"):
        if column.distinct > _MOST_TEXT_CLASSES or column.distinct > max(50, len(values) // 2):
            raise DataError(
                f"The target column '{column.name}' has {column.distinct:,} different texts: names or notes rather "
                "than classes. Choose another column, or no target."
            )
        counts = values.value_counts()
        return {str(word): int(counts[word]) for word in sorted(counts.index, key=str) if counts[word]}
    few = column.distinct <= 2 or (column.kind == "integer" and column.distinct <= _MOST_CLASSES)
    if target_as == "number" or (target_as == "auto" and not few):
        return {}
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    found, how_many = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    return {class_name(value): int(count) for value, count in zip(found, how_many, strict=True)}


def class_name(value: float) -> str:
    """Return a number as the name of a class: 1.0 is ``1``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _features(columns: Iterable[ColumnCard], target: str | None) -> tuple[str, ...]:
    return tuple(c.name for c in columns if c.kind != "text" and c.name != target and c.distinct > 0)


def _about_findings(findings: Mapping[str, Findings]) -> list[str]:
    said = []
    for name, found in findings.items():
        if found.unreadable:
            said.append(
                f"Column '{name}': {_cells(found.unreadable)} not a number ({', '.join(found.examples)}), read as "
                "missing."
            )
        if found.infinite:
            said.append(
                f"Column '{name}': {_cells(found.infinite)} infinite, read as missing. Correct the file if they should "
                "be large numbers."
            )
        if found.beyond_exact:
            said.append(
                f"Column '{name}' holds whole numbers above 2^53, which lose digits. If they are identifiers, leave "
                "the column out or read it as text."
            )
    return said


def _about_columns(frame: pd.DataFrame, columns: Sequence[ColumnCard]) -> list[str]:
    texts = [c for c in columns if c.kind == "text"]
    dates = [c.name for c in texts if _are_dates(frame[c.name])]
    said = []
    if texts:
        said.append(f"Text is not a factor: {listed(c.name for c in texts)}.")
    if dates:
        said.append(
            f"Dates are not factors: {listed(dates)}. Add a column with the days since a fixed date to use them."
        )
    truths = [c.name for c in columns if c.kind == "boolean"]
    if truths:
        first = frame[truths[0]].cat.categories
        said.append(f"Truth values are factors as 0 and 1 ({first[0]} = 0, {first[-1]} = 1): {listed(truths)}.")
    if empty := [c.name for c in columns if c.distinct == 0]:
        said.append(f"Without any value, so not a factor: {listed(empty)}.")
    if constant := [c.name for c in columns if c.distinct == 1 and c.kind != "text"]:
        said.append(f"The same value in every row: {listed(constant)}. Give bounds to vary them, or leave them out.")
    if missing := [c for c in columns if c.missing and c.distinct]:
        total = sum(c.missing for c in missing)
        said.append(f"{total:,} missing values in {listed(c.name for c in missing)}.")
    n_rows = len(frame)
    counting = [
        c.name
        for c in columns
        if c.kind == "integer" and n_rows >= 20 and c.distinct == n_rows and c.maximum is not None
        and c.minimum is not None and c.maximum - c.minimum == n_rows - 1
        and bool(np.all(np.diff(frame[c.name].to_numpy()) == 1))
    ]  # fmt: skip
    if counting:
        said.append(f"Only counts the rows: {listed(counting)}. Leave it out if it is a label.")
    return said


def _are_dates(values: pd.Series[Any]) -> bool:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        some = [str(word) for word in values.cat.categories[:50]]
    else:
        some = [str(word) for word in values.dropna().iloc[:50]]
    return bool(some) and all(_DATE.fullmatch(word) for word in some)


def _cells(n: int) -> str:
    return "one cell is" if n == 1 else f"{n:,} cells are"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names separated by commas, the first few of many."""
    known = list(names)
    rest = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(known[:most]) + rest
