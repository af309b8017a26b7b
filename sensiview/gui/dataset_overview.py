"""What the data set's page shows, read from the file off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import IndexTable, Matrix
from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.card import DatasetCard
from sensiview.gui.plots.histograms import Histograms, classes_of, histogram

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.table import Table

_MOST_HISTOGRAMS = 600
_MOST_CORRELATED = 120
_MOST_CLASSES = 8  # more outlines in one small histogram can't be told apart


@dataclass(frozen=True)
class Overview:
    """A table that was read: its rows and the pictures of it."""

    frame: pd.DataFrame
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
    return Overview(table.frame, histograms, correlation, " ".join(notes))


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
    card = table.card
    names = list(card.features[:_MOST_HISTOGRAMS])
    if not names:
        return None
    classes, codes = _classes(table)
    values = table.features()
    columns = tuple(histogram(name, values[:, k], codes, len(classes)) for k, name in enumerate(names))
    by = f" by {card.target}" if codes is not None else ""
    return Histograms(
        title=f"Histograms of the factors{by}",
        columns=columns,
        classes=classes_of(classes if codes is not None else ()),
    )


def _classes(table: Table) -> tuple[list[str], np.ndarray | None]:
    """Return the class names and the class of each row, -1 where the target is missing; None without few classes."""
    card = table.card
    if card.target is None or not 1 < len(card.class_counts) <= _MOST_CLASSES:
        return [], None
    known = np.flatnonzero(table.frame[card.target].notna().to_numpy())
    codes = np.full(table.n_rows, -1, dtype=np.int64)
    codes[known] = table.labels(known)
    return list(card.class_counts), codes


def _correlation(table: Table) -> Matrix | None:
    import pandas as pd

    names = list(table.card.features[:_MOST_CORRELATED])
    if len(names) < 2:
        return None
    frame = pd.DataFrame(table.features()[:, : len(names)], columns=names)
    classes, codes = _classes(table)
    if codes is not None and len(classes) == 2 and table.card.target is not None:
        frame[table.card.target] = np.where(codes < 0, np.nan, codes)
    return Matrix(
        title="Correlation of the columns",
        description="Pearson correlation over the rows in which both values are known.",
        values=frame.corr().to_numpy(), rows=tuple(frame.columns), columns=tuple(frame.columns),
        value_name="Pearson correlation", signed=True,
    )  # fmt: skip


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
