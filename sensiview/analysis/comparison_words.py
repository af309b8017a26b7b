"""What a comparison of maps says in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.comparison_items import RANDOM, summary
from sensiview.analysis.items import IndexTable, Item

Rows = Sequence[Mapping[str, Any]]


def comparison_sentences(items: Mapping[str, Item], areas: Rows, key: str) -> list[str]:
    """Return the pairs that are most and least alike, the broadest and the sharpest map, and which curve is best."""
    said = [_alike(_frame(items, "similarity")), _areas(areas, key)]
    if "auc" in items:
        said += [_curve(_frame(items, "auc"), curve) for curve in ("deletion", "insertion")]
    return [sentence for sentence in said if sentence]


def _frame(items: Mapping[str, Item], name: str) -> list[dict[str, Any]]:
    item = items[name]
    assert isinstance(item, IndexTable)
    return [{str(column): value for column, value in row.items()} for row in item.frame.to_dict("records")]


def _alike(rows: Rows) -> str:
    usable = sorted(
        (row for row in rows if np.isfinite(row["rank_correlation"])), key=lambda row: float(row["rank_correlation"])
    )
    if not usable:
        return "No pair of maps can be compared by rank: they are the same everywhere."
    least, most = usable[0], usable[-1]
    if least is most:
        return (
            f"The rank correlation of '{most['map_1']}' and '{most['map_2']}' is {_number(most, 'rank_correlation')}; "
            f"their tops overlap by {100 * most['top_overlap']:.0f} %."
        )
    return (
        f"Most alike are '{most['map_1']}' and '{most['map_2']}' (rank correlation "
        f"{_number(most, 'rank_correlation')}), least alike '{least['map_1']}' and '{least['map_2']}' "
        f"({_number(least, 'rank_correlation')})."
    )


def _areas(rows: Rows, key: str) -> str:
    by_map: dict[str, dict[str, float]] = {}
    for row in rows:
        by_map.setdefault(row["map"], {})[row[key]] = row["area"]
    means = {name: float(np.mean(v)) for name, found in by_map.items() if (v := _finite(list(found.values()))).size}
    if len(means) < 2:
        return ""
    sharp, broad = min(means, key=lambda name: means[name]), max(means, key=lambda name: means[name])
    text = (
        f"The sensitive area at half maximum is broadest for '{broad}' ({_percent(means[broad])} % of the places), "
        f"sharpest for '{sharp}' ({_percent(means[sharp])} %)"
    )
    paired = np.array([by_map[broad][name] - by_map[sharp].get(name, np.nan) for name in by_map[broad]])
    found = summary(paired)
    if np.isfinite(found["low"]):
        text += (
            f"; {key} by {key} the difference is {_percent(found['mean'])} "
            f"({_percent(found['low'])} to {_percent(found['high'])}) points"
        )
    return text + "."


def _curve(rows: Rows, curve: str) -> str:
    own = [row for row in rows if row["curve"] == curve and row["map"] != RANDOM and np.isfinite(row["area"])]
    if not own:
        return ""
    best = (min if curve == "deletion" else max)(own, key=lambda row: float(row["area"]))
    random = [row for row in rows if row["curve"] == curve and row["map"] == RANDOM]
    against = f", random orders {_number(random[0], 'area')}" if random else ""
    return f"{curve.capitalize()} is best in the order of '{best['map']}' (area {_number(best, 'area')}{against})."


def _number(row: Mapping[str, Any], name: str) -> str:
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    interval = f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""
    return f"{float(row[name]):.2f}{interval}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if abs(share) < 0.1 else f"{100 * share:.0f}"


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    found = np.asarray(values, dtype=np.float64)
    return found[np.isfinite(found)]
