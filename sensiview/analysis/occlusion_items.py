"""Occlusion by region: the falls of the score in the table of regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import IndexTable
from sensiview.analysis.map_run import MapRun


def with_drops(table: IndexTable, labels: Sequence[int], drops: NDArray[np.float64], opened: MapRun) -> IndexTable:
    """Return the regions with the fall of the score for each, highest first; NaN outside the atlas."""
    frame = table.to_frame()
    single = "subject" in frame.columns
    place = {label: i for i, label in enumerate(labels)}
    subjects = {opened.inputs.names[index]: i for i, index in enumerate(opened.indices)}
    targets = list(dict.fromkeys(frame["target"])) if "target" in frame.columns else [""]
    means, spreads = [], []
    for _, row in frame.iterrows():
        number = place.get(int(row["label"]))
        column = targets.index(row["target"]) if len(targets) > 1 else 0
        if number is None:
            values = np.array([np.nan])
        else:
            chosen = [subjects[row["subject"]]] if single else slice(None)
            values = drops[chosen, number, column]
        means.append(float(np.mean(values)))
        spreads.append(float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)
    after = list(frame.columns).index("label") + 1
    frame.insert(after, "drop", means)
    frame.insert(after + 1, "drop_std", spreads)
    keys = table.keys
    blocks = frame.groupby(list(keys[:-1]), sort=False).ngroup() if len(keys) > 1 else 0
    frame = frame.assign(block=blocks).sort_values(["block", "drop"], ascending=[True, False], kind="stable")
    frame = frame.drop(columns="block").reset_index(drop=True)
    return IndexTable(
        title="Regions by the fall of the score",
        description="By how much the score falls when the whole region is replaced, mean and spread over the subjects.",
        frame=frame,
        keys=keys,
        values=("drop",),
        units={**table.units, "drop": "score", "drop_std": "score"},
    )
