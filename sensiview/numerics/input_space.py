"""The space a Sobol' study samples: which columns vary and how, which are held, which move together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.distributions import Array, Factor


@dataclass(frozen=True)
class ColumnSummary:
    """What is known of an input column: its range and moments, and its values once the data is open.

    `minimum` and the others are None when the column has no values at all.
    """

    name: str
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    values: Array | None = None

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> ColumnSummary:
        """Summarise the finite values of a column; shape (n,)."""
        finite = np.sort(np.asarray(values, dtype=np.float64)[np.isfinite(values)])
        if finite.size == 0:
            return cls(name, values=finite)
        std = float(finite.std(ddof=1)) if finite.size > 1 else 0.0
        return cls(name, float(finite[0]), float(finite[-1]), float(finite.mean()), std, finite)


@dataclass(frozen=True)
class InputSpace:
    """All input columns of a model: which are sampled and how, which are held, which move together.

    Parameters
    ----------
    columns : tuple of str
        Every column the model takes, in order.
    factors : tuple of Factor
        The sampled ones, in the order of `columns`.
    fixed : mapping
        The others and the value each is held at.
    group_of : tuple of str
        For each factor the name of its group; its own name where it is alone.
    """

    columns: tuple[str, ...]
    factors: tuple[Factor, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    group_of: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the groups in the order of their first factor: what the indices belong to."""
        return tuple(dict.fromkeys(self.group_of or [factor.name for factor in self.factors]))

    @property
    def group_numbers(self) -> tuple[int, ...]:
        """For each factor the position of its group in `labels`."""
        order = {label: number for number, label in enumerate(self.labels)}
        return tuple(order[name] for name in self.group_of or [factor.name for factor in self.factors])

    def values(self, u: Array) -> Array:
        """Map points of the unit cube, shape (n, sampled factors), to values of the factors."""
        found = np.empty_like(u)
        for j, factor in enumerate(self.factors):
            found[:, j] = factor.quantiles(u[:, j])
        return found

    def model_rows(self, sampled: Array) -> Array:
        """Return rows as the model takes them, shape (n, columns): the sampled values with the fixed ones between."""
        if not self.fixed:
            return sampled
        rows = np.empty((len(sampled), len(self.columns)))
        place = {factor.name: j for j, factor in enumerate(self.factors)}
        for column, name in enumerate(self.columns):
            rows[:, column] = sampled[:, place[name]] if name in place else self.fixed[name]
        return rows

    def describe(self) -> dict[str, Any]:
        """Return the space as JSON values: enough to see whether two runs sampled the same."""
        return {
            "columns": list(self.columns),
            "factors": [factor.describe() for factor in self.factors],
            "fixed": {name: float(value) for name, value in self.fixed.items()},
            "groups": list(self.group_of or [factor.name for factor in self.factors]),
        }
