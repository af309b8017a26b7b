"""Whether integrated gradients add up to what they should: as a table and as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.map_run import MapRun

if TYPE_CHECKING:
    from sensiview.numerics.map_makers import FoundMaps

# A hundredth of the difference is less than anybody reads off a map.
_CLOSE = 0.01


def completeness(
    items: dict[str, Item], found: Sequence[FoundMaps], opened: MapRun, baseline: str, count: int, steps: int
) -> list[str]:
    """Add ``completeness`` to the items; return sentences for the note.

    The error of a map is the distance of its sum from the difference of the scores, as a share of that difference;
    where input and baseline have the same score there is nothing to be a share of.
    """
    import pandas as pd

    key, names = opened.layout.key, opened.inputs.names
    by_place = {index: (one, place) for one in found for place, index in enumerate(one.indices)}
    rows = []
    for index in opened.indices:
        one, place = by_place[index]
        assert one.sums is not None
        for target, (total, wanted) in zip(one.targets[place], one.sums[place], strict=True):
            error = abs(total - wanted) / abs(wanted) if wanted else float("nan") if total else 0.0
            rows.append({key: names[index], "target": target.label, "sum": total, "difference": wanted, "error": error})
    frame = pd.DataFrame(rows)
    items["completeness"] = IndexTable(
        title="Does the map add up?",
        description="Sum of each map, and the difference of the scores of input and baseline, which it should be. "
        "Error: their distance as a share of the difference.",
        frame=frame,
        keys=(key, "target"),
        values=("sum", "difference"),
        units={"sum": "score", "difference": "score", "error": "share"},
        plot="points",
    )
    begins = f"{count} random baselines" if count > 1 else f"the baseline '{baseline}'"
    said = [f"The way from {begins} to each {opened.inputs.what} was walked in {steps} steps."]
    errors = frame["error"].to_numpy(dtype=np.float64)
    usable = errors[np.isfinite(errors)]
    if not usable.size:
        return [*said, "No score differs from that of the baseline, so that there is nothing to add up to."]
    worst = frame[key].iloc[int(np.nanargmax(errors))]
    if usable.size == 1:
        said.append(f"The map adds up to the difference of the scores within {_percent(float(usable[0]))}.")
    else:
        said.append(
            f"The maps add up to the difference of the scores within {_percent(float(np.median(usable)))} (median), "
            f"{_percent(float(usable.max()))} at worst ('{worst}')."
        )
    if float(np.median(usable)) > _CLOSE:
        said.append("That is too much to call them complete: take more steps.")
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 1 else f"{100 * share:,.0f} %"
