"""A table in memory: a card that describes it and a frame with its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.describing import TargetAs, make_card, with_target
from sensiview.datasets.frames import cleaned_frame
from sensiview.datasets.rows import Rows, parse_rows
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
_MANY = 500  # columns; from here on pandas gathers them faster than one by one


@dataclass(frozen=True)
class Table:
    """Rows and columns with the card that describes them.

    `frame` has the card's columns in their order: integers, float64 with NaN for missing values, categoricals
    for repeating words and truth values, text otherwise. It is not to be changed.
    """

    card: DatasetCard
    frame: pd.DataFrame

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def features(self, rows: npt.ArrayLike | None = None) -> Floats:
        """Return the factors as numbers.

        Parameters
        ----------
        rows : array of int, optional
            Which rows, in this order; all when not given.

        Returns
        -------
        ndarray, float64, shape (n, D), C order
            Columns in the order of `card.features`; missing values are NaN, truth values 0 and 1.
        """
        chosen = None if rows is None else np.asarray(rows, dtype=np.int64)
        count = self.n_rows if chosen is None else chosen.size
        if len(self.card.features) > _MANY and not any(
            self.card.column(f).kind == "boolean" for f in self.card.features
        ):
            block = (
                self.frame[list(self.card.features)]
                if chosen is None
                else self.frame[list(self.card.features)].iloc[chosen]
            )
            return np.ascontiguousarray(block.to_numpy(dtype=np.float64))
        values = np.empty((count, len(self.card.features)))
        for i, name in enumerate(self.card.features):
            column = self.numbers(name)
            values[:, i] = column if chosen is None else column[chosen]
        return values

    def numbers(self, name: str) -> Floats:
        """Return a column as float64 (n,): NaN where missing, truth values as 0 and 1.

        Raises
        ------
        DataError
            The column is text.
        """
        if self.card.column(name).kind == "text":
            raise DataError(f"Column '{name}' is text, not numbers. Choose another column.")
        values = self.frame[name]
        if hasattr(values, "cat"):
            codes = np.asarray(values.cat.codes, dtype=np.float64)
            codes[codes < 0] = np.nan
            return codes
        return np.asarray(values, dtype=np.float64)

    def labels(self, rows: npt.ArrayLike | None = None) -> npt.NDArray[np.int64]:
        """Return the class of each row as its place in `card.class_counts`.

        Returns
        -------
        ndarray, int64, shape (n,)

        Raises
        ------
        DataError
            There is no target, it is a quantity and has no classes, or it is missing in one of the rows.
        """
        codes = self.class_codes()
        chosen = self._missing_target(codes < 0, rows)
        return codes if chosen is None else codes[chosen]

    def class_codes(self) -> npt.NDArray[np.int64]:
        """Return the class of every row as `labels` does, -1 where it is missing.

        Raises
        ------
        DataError
            There is no target, or it is a quantity.
        """
        target = self._target()
        names = list(self.card.class_counts)
        if not names:
            raise DataError(f"The target '{target}' is a quantity, not a class. Choose a target with classes.")
        if self.card.column(target).kind in ("integer", "number"):
            return _places_of_numbers(self.numbers(target), [float(name) for name in names])
        places = {name: place for place, name in enumerate(names)}
        words, of_row = _words(self.frame[target])
        return np.array([places.get(word, -1) for word in words] + [-1], dtype=np.int64)[of_row]

    def target_values(self, rows: npt.ArrayLike | None = None) -> Floats:
        """Return the target as numbers, float64 (n,): the quantity itself, or class codes.

        Raises
        ------
        DataError
            There is no target, or it is missing in one of the rows.
        """
        if self.card.class_counts:
            return self.labels(rows).astype(np.float64)
        values = self.numbers(self._target())
        chosen = self._missing_target(np.isnan(values), rows)
        return values if chosen is None else values[chosen]

    def row_selection(self, selection: str | int | Iterable[int] | None) -> Rows:
        """Return row numbers (int64) for ``all``, ``0-499``, ``0-499,600,700-767`` or a list; see `parse_rows`."""
        return parse_rows(selection, self.n_rows)

    def complete_rows(self, rows: npt.ArrayLike | None = None, *, with_target: bool = False) -> Rows:
        """Return those of the given rows (default: all) in which no factor is missing, nor the target if asked."""
        chosen = np.arange(self.n_rows) if rows is None else np.asarray(rows, dtype=np.int64)
        complete = np.ones(chosen.size, dtype=bool)
        names = [*self.card.features, self._target()] if with_target else self.card.features
        for name in names:
            if self.card.column(name).missing:
                complete &= ~self.frame[name].isna().to_numpy()[chosen]
        return chosen[complete].astype(np.int64)

    def with_target(self, target: str | None, target_as: TargetAs = "auto") -> Table:
        """Return the same rows with another target column.

        Raises
        ------
        DataError
            The column is not there, empty, or the same in every row.
        """
        return Table(with_target(self.card, self.frame, target, target_as), self.frame)

    def _target(self) -> str:
        if self.card.target is None:
            raise DataError(f"'{self.card.name}' has no target column. Choose one in the data set's settings.")
        return self.card.target

    def _missing_target(self, missing: npt.NDArray[np.bool_], rows: npt.ArrayLike | None) -> Rows | None:
        """Return the chosen rows, None for all; DataError when the target is missing in one of them."""
        chosen = None if rows is None else np.asarray(rows, dtype=np.int64)
        lacking = np.flatnonzero(missing) if chosen is None else chosen[missing[chosen]]
        if lacking.size:
            count = "row" if lacking.size == 1 else "rows"
            raise DataError(
                f"The target '{self.card.target}' is missing in {lacking.size:,} {count} (the first is row "
                f"{int(lacking[0])}). Choose rows without them, or fill them in."
            )
        return chosen


def table_from_frame(frame: Any, *, name: str, target: str | int | None = None, target_as: TargetAs = "auto") -> Table:
    """Return a table of what is in memory.

    Parameters
    ----------
    frame : DataFrame, array (rows, columns), torch tensor, or mapping of columns
        Columns without names are called x1, x2, ...
    name : str
        Name of the data set.
    target : str or int, optional
        Column that holds the class or the quantity; a place counts from 0, from the end when negative.
    target_as : str
        ``classes``, ``number``, or ``auto``.

    Raises
    ------
    DataError
        No rows, no columns, names that occur twice, values that are not numbers or text, an unknown target.
    """
    clean, findings = cleaned_frame(frame, name)
    names = [str(label) for label in clean.columns]
    if isinstance(target, int) and str(target) not in names:
        if not -len(names) <= target < len(names):
            raise DataError(f"There is no column {target}: the table has {len(names)} columns.")
        target = names[target]
    card = make_card(
        clean,
        name=name,
        target=None if target is None else str(target),
        target_as=target_as,
        findings=findings,
    )
    return Table(card, clean)


def _words(values: pd.Series[Any]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the distinct words of a column and, per row, which one it is; -1 where missing."""
    import pandas as pd

    coded = values.array if isinstance(values.dtype, pd.CategoricalDtype) else pd.Categorical(values)
    assert isinstance(coded, pd.Categorical)
    return [str(word) for word in coded.categories], coded.codes.astype(np.int64)


def _places_of_numbers(numbers: Floats, known: list[float]) -> npt.NDArray[np.int64]:
    """Return the place of each number among the known ones, -1 where it is none of them."""
    order = np.argsort(known)
    place = order[np.searchsorted(np.asarray(known)[order], numbers).clip(max=len(known) - 1)]
    return np.where(np.asarray(known)[place] == numbers, place, -1).astype(np.int64)
