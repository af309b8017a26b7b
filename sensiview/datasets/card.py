"""What the window and the checks know of a data set without reading it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class ColumnCard(BaseModel):
    """One column of a table, over the rows in which it is not missing.

    `minimum` to `std` for numbers and truth values (0 and 1); `std` is the sample standard deviation (n - 1).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["number", "integer", "text", "boolean"]
    missing: int = 0
    distinct: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None


class DatasetCard(BaseModel):
    """A data set in words and numbers; JSON in the project.

    `reading` holds the options with which the file was understood (delimiter, decimal, encoding, sheet,
    missing values), so that it is read the same way again. `features` are the factor columns in order,
    numeric, without the target. `class_counts` by class name, empty for regression.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["table", "images", "volumes"] = "table"
    n_rows: int = 0
    columns: tuple[ColumnCard, ...] = ()
    features: tuple[str, ...] = ()
    target: str | None = None
    class_counts: dict[str, int] = {}
    reading: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    # What other kinds of data (images, volumes) need to know of themselves.
    extra: dict[str, Any] = {}

    def column(self, name: str) -> ColumnCard:
        """Return the card of a column; KeyError when there is none."""
        columns, places = self.places
        if columns is not self.columns:  # a copy with other columns
            del self.places
            places = self.places[1]
        return self.columns[places[name]]

    @cached_property
    def places(self) -> tuple[tuple[ColumnCard, ...], dict[str, int]]:
        """The columns and the place of each name, made once: tables may have ten thousand columns."""
        return self.columns, {card.name: place for place, card in enumerate(self.columns)}
