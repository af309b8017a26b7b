"""What the data set's page shows, read from the file off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensiview.analysis.items import IndexTable, Matrix
from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError
from sensiview.gui.plots.histograms import Histograms

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.table import Table

_MOST_HISTOGRAMS = 600
_MOST_CORRELATED = 120
_MOST_DESCRIBED = 2000
_MOST_CLASSES = 8  # more outlines in one small histogram can't be told apart


@dataclass(frozen=True)
class Overview:
    """A table that was read: its rows and the pictures of it."""

    frame: pd.DataFrame
    columns: pd.DataFrame
    histograms: Histograms | None
    correlation: Matrix | None
    note: str = ""


def read_overview(source: DatasetSource) -> Overview:
    """Read a data set's file and count; takes as long as reading the file takes.

    Raises
    ------
    DataError
        The file was moved, changed or can't be read.
    """
    from sensiview.datasets.opening import open_table

    table = open_table(source)
    histograms, correlation = _histograms(table), _correlation(table)
    notes = []
    if len(table.card.features) > _MOST_HISTOGRAMS:
        notes.append(f"Histograms are of the first {_MOST_HISTOGRAMS} factors.")
    if len(table.card.features) > _MOST_CORRELATED:
        notes.append(f"Correlations are of the first {_MOST_CORRELATED} factors.")
    return Overview(table.frame, _columns(table), histograms, correlation, " ".join(notes))


def column_frame(card: DatasetCard) -> pd.DataFrame:
    """Return the statistics of the columns as a table, from the card alone."""
    import pandas as pd

    roles = dict.fromkeys(card.features, "factor") | ({card.target: "target"} if card.target is not None else {})
    rows = [
        {
            "column": column.name,
            "role": roles.get(column.name, "not used"),
            "kind": column.kind,
            "missing": column.missing,
            "distinct": column.distinct,
            "minimum": _number(column.minimum),
            "mean": _number(column.mean),
            "maximum": _number(column.maximum),
            "std": _number(column.std),
        }
        for column in card.columns
    ]
    names = ["column", "role", "kind", "missing", "distinct", "minimum", "mean", "maximum", "std"]
    return pd.DataFrame(rows, columns=names)


def _columns(table: Table) -> pd.DataFrame:
    """Return the statistics of the columns with what only the values tell: quartiles, zeros, frequent words."""
    from sensiview.datasets.statistics import column_statistics

    frame = column_frame(table.card)
    names = [column.name for column in table.card.columns[:_MOST_DESCRIBED]]
    found = column_statistics(table, names)
    rest = len(frame) - len(found)
    for at, (name, values) in enumerate(
        (
            ("lower quartile", [_number(s.lower_quartile) for s in found]),
            ("median", [_number(s.median) for s in found]),
            ("upper quartile", [_number(s.upper_quartile) for s in found]),
        ),
        start=6,
    ):
        frame.insert(at, name, [*values, *[float("nan")] * rest])
    frame["zeros"] = [*(s.zeros for s in found), *[0] * rest]
    frequent = [", ".join(f"{word} ({count})" for word, count in s.most_frequent) for s in found]
    frame["most frequent"] = [*frequent, *[""] * rest]
    return frame


def class_balance(card: DatasetCard) -> IndexTable | None:
    """Return the rows per class, from the card alone; None without classes."""
    if not card.class_counts:
        return None
    import pandas as pd

    total = sum(card.class_counts.values()) or 1
    frame = pd.DataFrame(
        {
            "class": list(card.class_counts),
            "rows": list(card.class_counts.values()),
            "share": [count / total for count in card.class_counts.values()],
        }
    )
    return IndexTable(
        title=f"Class balance of {card.target}",
        description="How many rows each class has; a model that always answers the largest class is right that often.",
        frame=frame, keys=("class",), values=("rows",),
    )  # fmt: skip


def _histograms(table: Table) -> Histograms | None:
    from sensiview.datasets.statistics import ALL_ROWS, histogram

    card = table.card
    by_class = 1 < len(card.class_counts) <= _MOST_CLASSES
    columns = []
    for name in card.features[:_MOST_HISTOGRAMS]:
        try:
            columns.append(histogram(table, name, by_class=by_class))
        except DataError:
            continue  # a column without values has nothing to draw; the table of columns says so
    if not columns:
        return None
    return Histograms(
        title=f"Histograms of the factors{f' by {card.target}' if by_class else ''}",
        columns=tuple(columns), classes=tuple(card.class_counts) if by_class else (ALL_ROWS,),
    )  # fmt: skip


def _correlation(table: Table) -> Matrix | None:
    from sensiview.datasets.statistics import correlation

    card = table.card
    names = list(card.features[:_MOST_CORRELATED])
    if card.target is not None and card.column(card.target).kind != "text":
        names.append(card.target)
    if len(names) < 2:
        return None
    found = correlation(table, columns=names)
    return Matrix(
        title="Correlation of the columns",
        description="Pearson correlation over the rows in which both values are known.",
        values=found.values, rows=found.names, columns=found.names, value_name="Pearson correlation", signed=True,
    )  # fmt: skip


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
