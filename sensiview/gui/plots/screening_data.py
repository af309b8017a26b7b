"""A table of a Morris screening as dots: one input and one output of it, and classes of effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import Array, IndexTable, Interval
from sensiview.gui.number_text import short, with_half_width, with_unit_behind
from sensiview.gui.plots.arrangement import remarks_by_place, title_of

if TYPE_CHECKING:
    import pandas as pd

NO_EFFECT, LINEAR, OTHER, UNKNOWN = range(4)
CLASSES = ("no effect", "linear", "non-linear or interacting", "not known")
# Share of the largest mu_star below which a factor counts as without effect, until the user moves the line.
USUAL_SHARE = 0.05
# Below this ratio of sigma to mu_star the effects of a factor have about one size. Garcia Sanchez et al. (2014) call
# effects up to 0.5 monotonic and from 1 on markedly non-linear or interacting.
LINEAR_BELOW, MARKED_FROM = 0.5, 1.0
MEASURES = ("mu_star", "sigma", "mu")


@dataclass(frozen=True, eq=False)
class Dots:
    """The factors of one input and one output, smallest mu_star first.

    Parameters
    ----------
    rows : ndarray
        int64 (factors,), rows of the table.
    names : tuple of str
        Factors.
    values, low, high, half : dict
        By measure, float64 (factors,); ends of the interval and half width, NaN without one.
    """

    rows: Array
    names: tuple[str, ...]
    values: Mapping[str, Array]
    low: Mapping[str, Array]
    high: Mapping[str, Array]
    half: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def largest(self) -> float:
        """The largest finite mu_star; 0 where there is none."""
        found = self.values["mu_star"][np.isfinite(self.values["mu_star"])]
        return float(found.max()) if found.size else 0.0

    def classes(self, line: float) -> Array:
        """Return the class of each factor, int64: places in `CLASSES`; factors left of `line` are without effect."""
        return classify(self.values["mu_star"], self.values["sigma"], line)


def classify(mu_star: Array, sigma: Array, line: Array | float) -> Array:
    """Return the class of each effect, int64 as places in `CLASSES`.

    Without effect: mu_star below `line`, or 0. Linear: sigma below half of mu_star, all elementary effects have about
    one size. Otherwise non-linear or interacting. Not known where a number is missing.
    """
    small = (mu_star < line) | (mu_star <= 0)
    found = np.where(sigma < LINEAR_BELOW * mu_star, LINEAR, OTHER)
    found = np.where(small, NO_EFFECT, found)
    unknown = ~np.isfinite(mu_star) | (~np.isfinite(sigma) & ~small)
    classes: Array = np.where(unknown, UNKNOWN, found)
    return classes


def places_of(item: IndexTable, key: str) -> tuple[str, ...]:
    """Return the values of a key column as text, in order of appearance."""
    return tuple(str(value) for value in item.frame[key].unique())


def dots_of(item: IndexTable, chosen: Mapping[str, str]) -> Dots:
    """Return the rows that have the chosen value of each key before the factor; keys that are not chosen count all."""
    keep = np.ones(len(item.frame), dtype=bool)
    for key, value in chosen.items():
        keep &= item.frame[key].astype(str).to_numpy() == value
    rows = np.flatnonzero(keep)
    mu_star = item.frame["mu_star"].to_numpy(dtype=float)[rows]
    rows = rows[np.argsort(np.where(np.isfinite(mu_star), mu_star, -np.inf), kind="stable")]
    part = item.frame.iloc[rows]
    nothing = np.full(len(rows), np.nan)
    values, low, high, half = {}, {}, {}, {}
    for measure in MEASURES:
        interval = item.intervals.get(measure, Interval())
        known = {name: part[name].to_numpy(dtype=float) for name in (measure, *_columns(interval)) if name in part}
        values[measure] = known.get(measure, nothing)
        half[measure] = known.get(interval.half, nothing)
        bounds = interval.low in known and interval.high in known
        low[measure] = known[interval.low] if bounds else values[measure] - half[measure]
        high[measure] = known[interval.high] if bounds else values[measure] + half[measure]
    return Dots(rows, tuple(part[item.keys[-1]].astype(str)), values, low, high, half)


def described(item: IndexTable, dots: Dots, at: int, kind: int) -> list[str]:
    """Return name, class and all numbers of a factor, and what was remarked about it."""
    lines = [f"{dots.names[at]}: {CLASSES[kind]}"]
    for measure in MEASURES:
        value = float(dots.values[measure][at])
        if measure not in item.frame.columns:
            continue
        text = f"{title_of(measure)} = {with_half_width(value, float(dots.half[measure][at]))}"
        lines.append(with_unit_behind(text, item.units.get(measure, "")) if measure == "mu_star" else text)
    mu_star, sigma = (float(dots.values[measure][at]) for measure in ("mu_star", "sigma"))
    if mu_star > 0 and np.isfinite(sigma):
        lines.append(f"σ / μ* = {short(sigma / mu_star, 3)}")
    remarks = remarks_by_place(item)
    found = [r.sentence for column in ("", *MEASURES) for r in remarks.get((int(dots.rows[at]), column), [])]
    return [*lines, *dict.fromkeys(found)]


def table_of_dots(item: IndexTable, dots: Dots, classes: Array) -> pd.DataFrame:
    """Return factor, class and measures of `dots`, largest mu_star first; without the keys, which are one in all."""
    order = np.arange(len(dots))[::-1]
    part = item.frame.iloc[dots.rows[order]].reset_index(drop=True)
    first = [name for measure in MEASURES for name in (measure, item.intervals.get(measure, Interval()).half)]
    first = [name for name in first if name in part]
    rest = [name for name in part if name not in (*item.keys, *first)]
    part = part[[item.keys[-1], *first, *rest]]
    part.insert(1, "class", [CLASSES[kind] for kind in classes[order]])
    return part


def classes_of_all(item: IndexTable, share: float) -> Array:
    """Return the class of every row, (rows,) of str; the line lies at `share` of the largest mu_star of its output."""
    keys = list(item.keys[:-1])
    mu_star = item.frame["mu_star"].astype(float)
    largest = item.frame.groupby(keys, sort=False)["mu_star"].transform("max") if keys else mu_star.max()
    line = share * np.asarray(largest, dtype=float)
    found = classify(mu_star.to_numpy(), item.frame["sigma"].to_numpy(dtype=float), line)
    return np.array(CLASSES, dtype=object)[found]


def counted(classes: Array) -> list[tuple[int, str]]:
    """Return each class with how many there are; what is not known only where there is some."""
    counts = [int((classes == kind).sum()) for kind in range(len(CLASSES))]
    return [(kind, f"{CLASSES[kind]} ({count:,})") for kind, count in enumerate(counts) if count or kind != UNKNOWN]


def _columns(interval: Interval) -> tuple[str, ...]:
    return tuple(name for name in (interval.half, interval.low, interval.high) if name)
