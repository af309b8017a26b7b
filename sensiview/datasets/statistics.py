"""Numbers about a table for the window: columns, histograms, correlations, class balance. No torch, no drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.describing import class_name
from sensiview.datasets.table import Table
from sensiview.errors import DataError, suggestion

Floats = npt.NDArray[np.float64]
_MOST_BINS = 100
_MOST_CORRELATED = 2000  # columns; 32 MB of matrix
ALL_ROWS = "all"


@dataclass(frozen=True)
class ColumnStatistics:
    """One column over the rows in which it is present; numbers are None for text and for empty columns.

    `std` is the sample standard deviation (n - 1), the quartiles are interpolated linearly, `most_frequent` holds
    up to five values with their counts.
    """

    name: str
    kind: str
    present: int
    missing: int
    distinct: int
    minimum: float | None = None
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    zeros: int = 0
    most_frequent: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Histogram:
    """Counts of one column in bins shared by all classes.

    `edges` has one entry more than there are bins; a value on an inner edge counts in the bin above, the last edge
    belongs to the last bin. `counts` has one array per class, or one named ``all``; they add up to the rows in which
    column and class are present.
    """

    column: str
    edges: Floats
    counts: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    missing: int = 0


@dataclass(frozen=True)
class Correlation:
    """Correlation of every column with every other, (n, n), in [-1, 1]; NaN where a column does not vary."""

    method: str
    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class ClassShare:
    """Rows of a class: `count` of them, `share` of the rows whose class is known."""

    name: str
    count: int
    share: float


def column_statistics(table: Table, columns: Sequence[str] | None = None) -> tuple[ColumnStatistics, ...]:
    """Return statistics of the named columns, of all when none are named.

    Raises
    ------
    DataError
        There is no such column.
    """
    names = [card.name for card in table.card.columns] if columns is None else list(columns)
    return tuple(_statistics(table, _known(table, name)) for name in names)


def _known(table: Table, name: str) -> str:
    if name not in table.card.places[1]:
        raise DataError(f"There is no column '{name}'.{suggestion(name, [c.name for c in table.card.columns])}")
    return name


def _statistics(table: Table, name: str) -> ColumnStatistics:
    card = table.card.column(name)
    present = table.n_rows - card.missing
    basis: dict[str, Any] = {
        "name": name, "kind": card.kind, "present": present, "missing": card.missing, "distinct": card.distinct,
    }  # fmt: skip
    if card.kind in ("text", "boolean"):
        counts = table.frame[name].value_counts()
        frequent = tuple((str(word), int(count)) for word, count in counts.iloc[:5].items() if count)
        if card.kind == "text" or not present:
            return ColumnStatistics(**basis, most_frequent=frequent)
        return ColumnStatistics(**basis, mean=card.mean, std=card.std, most_frequent=frequent)
    values = _present(table, name)
    if not values.size:
        return ColumnStatistics(**basis)
    low, middle, high = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    found, counted = np.unique(values, return_counts=True) if card.distinct <= _MOST_BINS else (values[:0], values[:0])
    order = np.argsort(-counted, kind="stable")[:5]
    return ColumnStatistics(
        **basis,
        minimum=card.minimum,
        lower_quartile=low,
        median=middle,
        upper_quartile=high,
        maximum=card.maximum,
        mean=card.mean,
        std=card.std,
        zeros=int(np.count_nonzero(values == 0)),
        most_frequent=tuple((class_name(float(found[i])), int(counted[i])) for i in order),
    )


def _present(table: Table, name: str) -> Floats:
    values = table.numbers(name)
    return values[~np.isnan(values)]


def histogram(table: Table, column: str, *, bins: int | None = None, by_class: bool = True) -> Histogram:
    """Count a column's values in bins of equal width, per class when the table has classes.

    Without `bins`, few whole numbers get a bin each, everything else the width of Freedman and Diaconis (1981),
    5 to 100 bins.

    Raises
    ------
    DataError
        There is no such column, or it is text or empty.
    """
    card = table.card.column(_known(table, column))
    if card.kind == "text":
        raise DataError(f"'{column}' is text; a histogram needs numbers.")
    values = table.numbers(column)
    present = ~np.isnan(values)
    if not present.any():
        raise DataError(f"'{column}' has no values to count.")
    edges = _edges(values[present], bins, whole=card.kind != "number")
    missing = int(values.size - present.sum())
    names = list(table.card.class_counts) if by_class and column != table.card.target else []
    if not names:
        return Histogram(column, edges, {ALL_ROWS: _count(values[present], edges)}, missing)
    codes = table.class_codes()
    counts = {name: _count(values[present & (codes == code)], edges) for code, name in enumerate(names)}
    return Histogram(column, edges, counts, missing)


def _count(values: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    return np.histogram(values, edges)[0].astype(np.int64)


def _edges(values: Floats, bins: int | None, *, whole: bool) -> Floats:
    low, high = float(values.min()), float(values.max())
    if low == high:
        # One bin around a single value; relative, so that it is not lost beside a large number.
        half = max(0.5, abs(low) * 1e-6)
        return np.array([low - half, high + half])
    if whole and bins is None and high - low < 40:
        return np.arange(low - 0.5, high + 1.0)
    if bins is None:
        q1, q3 = np.quantile(values, (0.25, 0.75))
        width = 2 * (q3 - q1) / values.size ** (1 / 3)
        bins = int(np.clip(np.ceil((high - low) / width) if width > 0 else 30, 5, _MOST_BINS))
    if whole and high - low < bins:
        bins = int(high - low) + 1
    return np.linspace(low, high, max(1, bins) + 1)


def correlation(
    table: Table, *, method: Literal["pearson", "spearman"] = "pearson", columns: Sequence[str] | None = None
) -> Correlation:
    """Correlate columns of numbers: the factors, and the target where it is a number.

    Each pair over the rows in which both are present. Spearman's is Pearson's of the ranks, ties at their mean rank.

    Raises
    ------
    DataError
        An unknown or text column, or more than 2000 columns.
    """
    card = table.card
    if columns is None:
        target = [card.target] if card.target and card.column(card.target).kind != "text" else []
        names = [*card.features, *target]
    else:
        names = [_known(table, name) for name in columns]
        texts = [name for name in names if card.column(name).kind == "text"]
        if texts:
            raise DataError(f"'{texts[0]}' is text; correlation needs numbers.")
    if len(names) > _MOST_CORRELATED:
        raise DataError(
            f"{len(names):,} columns are too many to correlate at once. Choose up to {_MOST_CORRELATED:,} of them."
        )
    if not names:
        return Correlation(method, (), np.empty((0, 0)))
    values = np.column_stack([table.numbers(name) for name in names])
    if np.isnan(values).any():
        return Correlation(method, tuple(names), _pairwise(values, method))
    return Correlation(method, tuple(names), _pearson(_ranks(values) if method == "spearman" else values))


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks: Floats = rankdata(values, axis=0)
    return ranks


def _pearson(values: Floats) -> Floats:
    # Scaled first, so that squares neither overflow nor vanish.
    largest = np.max(np.abs(values), axis=0)
    scaled = values / np.where(largest > 0, largest, 1.0)
    centred = scaled - scaled.mean(axis=0)
    varies = values.max(axis=0) != values.min(axis=0)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    unit = centred / np.where(varies & (norm > 0), norm, 1.0)
    result: Floats = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(result, 1.0)
    result[~varies, :] = np.nan
    result[:, ~varies] = np.nan
    return result


def _pairwise(values: Floats, method: str) -> Floats:
    present = ~np.isnan(values)
    n = values.shape[1]
    result = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i + 1):
            both = present[:, i] & present[:, j]
            if np.count_nonzero(both) < 2:
                continue
            pair = values[both][:, [i, j]]
            result[i, j] = result[j, i] = _pearson(_ranks(pair) if method == "spearman" else pair)[0, 1]
    return result


def class_balance(table: Table) -> tuple[ClassShare, ...]:
    """Return count and share of each class, in the order of the card; empty without classes."""
    counts = table.card.class_counts
    total = sum(counts.values())
    return tuple(ClassShare(name, count, count / total) for name, count in counts.items())
