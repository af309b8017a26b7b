"""What a masking validation says in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.masking_items import MaskedRun, value_columns

Row = Mapping[str, Any]


def verdicts(runs: Sequence[MaskedRun], drops: Item, verb: str) -> list[str]:
    """Return one sentence that sums up, then what each screening and measure showed."""
    assert isinstance(drops, IndexTable)
    what = "accuracy_drop" if "accuracy" in value_columns(runs) else "score_drop"
    records = [{str(key): value for key, value in row.items()} for row in drops.frame.to_dict("records")]
    said: list[str] = []
    passed: list[bool] = []
    for run in runs:
        own = [row for row in records if row["run"] == run.title]
        for measure in dict.fromkeys(row["measure"] for row in own):
            sides = {row["side"]: row for row in own if row["measure"] == measure}
            text = _numbers(run, str(measure), sides, what, verb)
            if "random" in sides:
                passed.append(_hurts(sides["top"], what) > 0 and _hurts(sides["bottom"], what) < 0)
                text += f" {_against_chance(sides, what)}"
            said.append(text)
    if len(passed) > 1:
        said.insert(
            0,
            f"{sum(passed)} of {len(passed)} rankings are right at both ends: their most important parts hurt more "
            "than random ones, their least important parts less.",
        )
    return said


def _numbers(run: MaskedRun, measure: str, sides: Mapping[str, Row], what: str, verb: str) -> str:
    moves = "accuracy falls" if what == "accuracy_drop" else "the output moves"
    parts = f"{run.changed:.3g} of {run.parts:.3g} parts"
    text = (
        f"{run.title}: with the {parts} {verb} that {measure} ranks highest, {moves} by {_told(sides['top'], what)}, "
        f"with the lowest by {_told(sides['bottom'], what)}"
    )
    if "random" in sides:
        text += f", with random ones by {_told(sides['random'], what)}"
    return f"{text}."


def _against_chance(sides: Mapping[str, Row], what: str) -> str:
    top, bottom = _hurts(sides["top"], what), _hurts(sides["bottom"], what)
    first = {1: "The top hurts more than chance", 0: "The top can't be told from chance", -1: "The top hurts less"}
    second = {-1: "the bottom less", 0: "the bottom can't be told from chance", 1: "the bottom more"}
    if top == bottom == 0:
        return "Neither can be told from chance."
    return f"{first[top]}, {second[bottom]}."


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
