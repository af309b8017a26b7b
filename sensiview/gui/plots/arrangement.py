"""An index table as panels of categories with one value per series: what bars and heat maps are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensiview.analysis.items import Array, IndexTable, Interval, Remark
from sensiview.gui.natural_order import natural
from sensiview.gui.number_text import short, with_half_width, with_unit_behind

ORIGINAL, BY_NAME = "", "name"
_LETTERS = {"mu": "μ", "mu_star": "μ*", "sigma": "σ", "std": "standard deviation", "lambda_1": "λ₁", "lambda_2": "λ₂"}


@dataclass(frozen=True)
class Arrangement:
    """Values of a table, ``values[panel, category, series]``, NaN where the table has no row.

    `low` and `high` are the ends of the intervals (NaN without), `half` the normal half width, `rows` the
    position of the table's row (-1 without). `panels` are the combinations of all keys but the last.
    """

    panels: tuple[str, ...]
    categories: tuple[str, ...]
    series: tuple[str, ...]
    values: Array
    half: Array
    low: Array
    high: Array
    rows: Array
    panel_axis: str
    category_axis: str

    def panel(self, name: str) -> int:
        """Return the position of a panel; 0 when there is none of that name."""
        return self.panels.index(name) if name in self.panels else 0

    def heading(self, panel: int) -> str:
        """Return what stands above a panel: its name, with the key's when the name is only a number."""
        name = self.panels[panel]
        return f"{title_of(self.panel_axis).capitalize()} {name}" if name.isdigit() else name

    def order(self, by: str, panels: Sequence[int]) -> Array:
        """Return the order of the categories: as in the table, by name, or a series' largest value first."""
        if by == BY_NAME:
            return np.array(sorted(range(len(self.categories)), key=lambda k: natural(self.categories[k])), dtype=int)
        if by in self.series:
            values = self.values[list(panels), :, self.series.index(by)]
            known = np.where(np.isfinite(values), values, -np.inf)
            return np.argsort(-known.max(axis=0), kind="stable")
        return np.arange(len(self.categories))


def arrange(item: IndexTable) -> Arrangement:
    """Return the table's values by panel (all keys but the last), category (the last key) and series (value)."""
    frame = item.frame
    *panel_keys, category_key = item.keys
    if panel_keys:
        labels = [" · ".join(str(part) for part in row) for row in zip(*(frame[k] for k in panel_keys), strict=True)]
    else:
        labels = [""] * len(frame)
    panels = list(dict.fromkeys(labels)) or [""]
    names = [str(value) for value in frame[category_key]]
    categories = list(dict.fromkeys(names))
    at_panel = {name: k for k, name in enumerate(panels)}
    at_category = {name: k for k, name in enumerate(categories)}
    where = (np.array([at_panel[p] for p in labels], dtype=int), np.array([at_category[c] for c in names], dtype=int))
    shape = (len(panels), len(categories), len(item.values))
    values, half, low, high = (np.full(shape, np.nan) for _ in range(4))
    rows = np.full(shape[:2], -1)
    rows[where] = np.arange(len(frame))
    for k, value in enumerate(item.values):
        numbers = frame[value].to_numpy(dtype=float)
        values[(*where, k)] = numbers
        interval = item.intervals.get(value, Interval())
        if interval.half:
            half[(*where, k)] = frame[interval.half].to_numpy(dtype=float)
        if interval.low and interval.high:
            low[(*where, k)] = frame[interval.low].to_numpy(dtype=float)
            high[(*where, k)] = frame[interval.high].to_numpy(dtype=float)
    low = np.where(np.isnan(low), values - half, low)
    high = np.where(np.isnan(high), values + half, high)
    return Arrangement(
        tuple(panels), tuple(categories), tuple(item.values), values, half, low, high, rows,
        ", ".join(panel_keys), category_key,
    )  # fmt: skip


def remarks_by_place(item: IndexTable) -> dict[tuple[int, str], list[Remark]]:
    """Return the remarks by (row of the table, value column)."""
    found: dict[tuple[int, str], list[Remark]] = {}
    for remark in item.remarks:
        found.setdefault((remark.row, remark.column), []).append(remark)
    return found


def title_of(name: str) -> str:
    """Return a column name as people write it: ``mean_square`` as ``mean square``."""
    return _LETTERS.get(name, name.replace("_", " "))


def with_unit(name: str, unit: str) -> str:
    """Return ``name (unit)``, or the name alone."""
    return f"{title_of(name)} ({unit})" if unit and unit != "1" else title_of(name)


def describe_value(item: IndexTable, data: Arrangement, at: tuple[int, int, int]) -> list[str]:
    """Return names, value with uncertainty, percentile interval and remarks of one value of a table."""
    panel, category, series = at
    name = data.series[series]
    unit = item.units.get(name, "")
    where = [part for part in (data.panels[panel], data.categories[category]) if part]
    value = f"{title_of(name)} = {with_half_width(float(data.values[at]), float(data.half[at]))}"
    lines = [", ".join(where), with_unit_behind(value, unit)]
    interval = item.intervals.get(name)
    if interval is not None and interval.low and np.isfinite(data.low[at]) and np.isfinite(data.high[at]):
        lines.append(f"interval {short(float(data.low[at]))} to {short(float(data.high[at]))}")
    row = int(data.rows[panel, category])
    lines += [r.sentence for r in remarks_by_place(item).get((row, name), [])]
    return lines
