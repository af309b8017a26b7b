"""From what a user wrote about factors (bounds, distributions, groups, fixed values) to an input space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.errors import suggestion
from sensiview.numerics.distributions import KINDS, Factor, Kind
from sensiview.numerics.input_space import ColumnSummary, InputSpace

_SETTINGS = ("kind", "low", "high", "mean", "std")
_NEEDS: Mapping[Kind, tuple[str, ...]] = {
    "uniform": ("low", "high"),
    "normal": ("mean", "std"),
    "truncated_normal": ("low", "high", "mean", "std"),
    "empirical": (),
}


class SpaceBuilder:
    """Reads what a user wrote; collects a sentence for everything that does not fit.

    Parameters
    ----------
    columns : sequence of ColumnSummary
        In the model's order. From the card while a form is filled in, from the chosen rows in a run.
    bounds : mapping, sequence or None
        Factor -> (low, high); or one pair per sampled factor, in order.
    distributions : mapping or None
        Factor -> name of a distribution, or a mapping with ``kind``, ``mean``, ``std``, ``low``, ``high``.
    groups : mapping or None
        Factor -> group, or group -> list of factors.
    fixed : mapping or None
        Factor -> value at which it is held.
    """

    def __init__(
        self,
        columns: Sequence[ColumnSummary],
        *,
        bounds: Mapping[str, Any] | Sequence[Any] | None = None,
        distributions: Mapping[str, Any] | None = None,
        groups: Mapping[str, Any] | None = None,
        fixed: Mapping[str, float] | None = None,
    ) -> None:
        self.problems: list[str] = []
        self._columns = {column.name: column for column in columns}
        self._names = list(self._columns)
        self._fixed = {name: float(value) for name, value in (fixed or {}).items() if self._known(name, "fixed")}
        for name, value in self._fixed.items():
            if not math.isfinite(value):
                self.problems.append(f"The value of '{name}' in 'fixed' is {value}; it must be a finite number.")
        self._sampled = [name for name in self._names if name not in self._fixed]
        self._bounds = self._read_bounds(bounds)
        self._factors = self._read_factors(distributions or {})
        self._group_of = self._read_groups(groups or {})
        if not self._sampled:
            self.problems.append("Every factor is held fixed: nothing is left to vary. Release at least one.")

    def space(self) -> InputSpace | None:
        """Return the space, or None while there are problems."""
        if self.problems:
            return None
        groups = tuple(self._group_of[name] for name in self._sampled)
        return InputSpace(tuple(self._names), tuple(self._factors), self._fixed, groups)

    def _known(self, name: str, where: str) -> bool:
        if name in self._columns:
            return True
        self.problems.append(f"There is no factor '{name}' (in '{where}').{suggestion(name, self._names)}")
        return False

    def _read_bounds(self, bounds: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, tuple[float, float]]:
        if not bounds:
            return {}
        if isinstance(bounds, Mapping):
            given = {name: pair for name, pair in bounds.items() if self._known(name, "bounds")}
            for name in given:
                if name in self._fixed:
                    self.problems.append(f"'{name}' has bounds and is held fixed at once. Remove one of the two.")
        elif len(bounds) == len(self._sampled):
            given = dict(zip(self._sampled, bounds, strict=True))
        else:
            self.problems.append(
                f"'bounds' has {len(bounds)} pairs for {len(self._sampled)} sampled factors. Give one [low, high] "
                'for each factor in order, or name the factors: {"factor": [low, high]}.'
            )
            return {}
        found = {}
        for name, pair in given.items():
            if pair is None:  # a list has a place for every factor, also for those without bounds
                continue
            numbers = _two_numbers(pair)
            if numbers is None:
                self.problems.append(f"The bounds of '{name}' must be two finite numbers, [low, high]; given: {pair}.")
            elif self._ordered(name, *numbers):
                found[name] = numbers
        return found

    def _ordered(self, name: str, low: float, high: float) -> bool:
        if low < high:
            return True
        if low == high:
            self.problems.append(
                f"The bounds of '{name}' are equal ({low:g}), so it can't vary. Widen them, or hold the factor with "
                f'fixed={{"{name}": {low:g}}}.'
            )
        else:
            self.problems.append(f"The bounds of '{name}' are reversed: {low:g} is above {high:g}. Swap them.")
        return False

    def _read_factors(self, distributions: Mapping[str, Any]) -> list[Factor]:
        for name in distributions:
            if self._known(name, "distributions") and name in self._fixed:
                self.problems.append(f"'{name}' has a distribution and is held fixed at once. Remove one of the two.")
        found = [self._factor(name, distributions.get(name, "uniform")) for name in self._sampled]
        return [factor for factor in found if factor is not None]

    def _factor(self, name: str, given: Any) -> Factor | None:
        wanted: dict[str, Any] = {"kind": given} if isinstance(given, str) else dict(given)
        for key in wanted:
            if key not in _SETTINGS:
                self.problems.append(
                    f"The distribution of '{name}' has no setting '{key}'.{suggestion(key, list(_SETTINGS))}"
                )
                return None
        kind = wanted.get("kind", "uniform")
        if kind not in KINDS:
            self.problems.append(f"'{name}': there is no distribution '{kind}'.{suggestion(str(kind), list(KINDS))}")
            return None
        numbers = {key: value for key, value in wanted.items() if key != "kind" and value is not None}
        for key, value in numbers.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                self.problems.append(f"The {key} of '{name}' must be a finite number; given: {value}.")
                return None
        if name in self._bounds:
            for key, value in zip(("low", "high"), self._bounds[name], strict=True):
                numbers.setdefault(key, value)
        return self._filled(self._columns[name], kind, numbers)

    def _filled(self, column: ColumnSummary, kind: Kind, numbers: dict[str, float]) -> Factor | None:
        """Take from the data what the user left open."""
        name = column.name
        if kind in ("normal", "truncated_normal"):
            if ("mean" in numbers) != ("std" in numbers):
                missing = "std" if "mean" in numbers else "mean"
                self.problems.append(
                    f"The {kind.replace('_', ' ')} distribution of '{name}' needs its {missing} too. Give both mean "
                    "and std, or neither to take them from the data."
                )
                return None
            if "std" in numbers and numbers["std"] <= 0:
                self.problems.append(f"The std of '{name}' is {numbers['std']:g}; it must be above 0.")
                return None
        needs = _NEEDS[kind]
        if unused := [key for key in numbers if key not in needs]:
            way_out = " Choose truncated_normal." if kind == "normal" else ""
            self.problems.append(
                f"'{name}': the distribution '{kind}' takes no {' and no '.join(unused)} (also not from 'bounds')."
                f"{way_out or ' Remove it, or choose another distribution.'}"
            )
            return None
        from_data = {"low": column.minimum, "high": column.maximum, "mean": column.mean, "std": column.std}
        if kind == "empirical" or any(key not in numbers for key in needs):
            if column.minimum is None or column.maximum is None:
                self.problems.append(
                    f"The column '{name}' has no values in these rows, so its range is unknown. Give bounds for it, "
                    "or hold it fixed."
                )
                return None
            if column.minimum == column.maximum:
                self.problems.append(
                    f"The factor '{name}' is constant in these rows ({column.minimum:g}), so it can't vary. Give "
                    f'bounds for it, or hold it with fixed={{"{name}": {column.minimum:g}}}.'
                )
                return None
        filled = {key: numbers.get(key, from_data[key]) for key in needs}
        values = {key: float(value) for key, value in filled.items() if value is not None}
        if "low" in values and not self._ordered(name, values["low"], values["high"]):
            return None
        if kind == "truncated_normal" and not _has_mass(**values):
            self.problems.append(
                f"'{name}': a normal distribution with mean {values['mean']:g} and std {values['std']:g} has "
                f"practically nothing between {values['low']:g} and {values['high']:g}. Change the bounds or the mean."
            )
            return None
        data = column.values if kind == "empirical" and column.values is not None else np.empty(0)
        return Factor(name, kind, **values, values=data)

    def _read_groups(self, groups: Mapping[str, Any]) -> dict[str, str]:
        group_of = {name: name for name in self._sampled}
        given: dict[str, str] = {}
        for key, value in groups.items():
            pairs = [(key, value)] if isinstance(value, str) else [(str(member), key) for member in value]
            for factor, group in pairs:
                if not self._known(factor, "groups"):
                    continue
                if factor in self._fixed:
                    self.problems.append(f"'{factor}' is in the group '{group}' and held fixed. Remove one of the two.")
                elif given.get(factor, group) != group:
                    self.problems.append(f"'{factor}' is in two groups, '{given[factor]}' and '{group}'. Choose one.")
                given[factor] = group
        for group in dict.fromkeys(given.values()):
            if group in group_of and given.get(group) != group:
                self.problems.append(
                    f"The group '{group}' has the name of a factor that is not in it. Give the group another name."
                )
        return group_of | {name: group for name, group in given.items() if name in group_of}


def _two_numbers(pair: Any) -> tuple[float, float] | None:
    try:
        low, high = (float(value) for value in pair)
    except (TypeError, ValueError):
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _has_mass(low: float, high: float, mean: float, std: float) -> bool:
    """Say whether a normal distribution has any probability in an interval that double precision can resolve."""
    left, right = (low - mean) / std, (high - mean) / std
    if left > 0:  # the upper tail keeps its digits when mirrored
        left, right = -right, -left
    return 0.5 * (math.erfc(-right / math.sqrt(2)) - math.erfc(-left / math.sqrt(2))) > 1e-280
