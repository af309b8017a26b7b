"""What a masking validation says in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.masking_items import MaskedRun, value_columns

Row = Mapping[str, Any]
_TOP = {
    1: "the top hurts more than chance",
    0: "the top can't be told from chance",
    -1: "the top hurts less than chance",
}
_BOTTOM = {1: "the bottom hurts more", 0: "the bottom can't be told from chance", -1: "the bottom less"}

_MOST_NAMED = 3


def verdicts(runs: Sequence[MaskedRun], drops: Item, verb: str) -> list[str]:
    """Return one paragraph that sums up, then what each screening showed."""
    assert isinstance(drops, IndexTable)
    what = "accuracy_drop" if "accuracy" in value_columns(runs) else "score_drop"
    records = [{str(key): value for key, value in row.items()} for row in drops.frame.to_dict("records")]
    said: list[str] = []
    passed: list[bool] = []
    for run in runs:
        measures: dict[str, dict[str, Row]] = {}
        for row in records:
            if row["run"] == run.title:
                measures.setdefault(row["measure"], {})[row["side"]] = row
        text = _numbers(run, measures, what, verb)
        if all("random" in sides for sides in measures.values()):
            found = {measure: (_hurts(s["top"], what), _hurts(s["bottom"], what)) for measure, s in measures.items()}
            passed += [one == (1, -1) for one in found.values()]
            text += f" {_against_chance(found)}"
        said.append(text)
    if len(passed) > 1:
        said.insert(
            0,
            f"{sum(passed)} of {len(passed)} rankings are right at both ends: their most important parts hurt more "
            "than random ones, their least important parts less.",
        )
    return said


def _numbers(run: MaskedRun, measures: Mapping[str, Mapping[str, Row]], what: str, verb: str) -> str:
    moves = "accuracy falls" if what == "accuracy_drop" else "the output moves"
    sides = next(iter(measures.values()))
    top, bottom = (
        ", ".join(f"{_told(one[side], what)} ({by}{_names(run, by, side)})" for by, one in measures.items())
        for side in ("top", "bottom")
    )
    count = f"{run.changed:.3g}"
    text = f"{run.title}: with the top {count} of {run.parts:.3g} {run.what} {verb}, {moves} by {top}; "
    text += f"with the bottom {count} by {bottom}"
    if "random" in sides:
        text += f"; with random ones by {_told(sides['random'], what)}"
    return f"{text}."


def _names(run: MaskedRun, measure: str, side: str) -> str:
    """Return the parts that were changed, where they are few and the same for all inputs."""
    names = run.ranked.get((measure, side), ())[: round(run.changed)]
    return f": {', '.join(names)}" if 0 < len(names) <= _MOST_NAMED else ""


def _against_chance(found: Mapping[str, tuple[int, int]]) -> str:
    """Return the verdict on each measure; those with the same one together."""
    groups: dict[tuple[int, int], list[str]] = {}
    for measure, verdict in found.items():
        groups.setdefault(verdict, []).append(measure)
    said = []
    for (top, bottom), measures in groups.items():
        by = "By every measure" if len(groups) == 1 and len(measures) > 1 else f"By {' and '.join(measures)}"
        ends = f"{_TOP[top]}, {_BOTTOM[bottom]}" if top or bottom else "neither end can be told from chance"
        said.append(f"{by} {ends}.")
    return " ".join(said)


def _hurts(row: Row, what: str) -> int:
    """Return 1 where more is lost than by random parts, -1 where less, 0 where it can't be told."""
    low, high = float(row[f"{what}_beyond_random_low"]), float(row[f"{what}_beyond_random_high"])
    if not np.isfinite(low):
        return 0
    return 1 if low > 0 else -1 if high < 0 else 0


def _told(row: Row, what: str) -> str:
    low, high = float(row[f"{what}_low"]), float(row[f"{what}_high"])
    interval = f" [{low:.2g}, {high:.2g}]" if np.isfinite(low) else ""
    return f"{float(row[what]):.2g}{interval}"
