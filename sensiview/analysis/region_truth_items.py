"""Maps against known regions as result items, and as sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import IndexTable, Item, Remark
from sensiview.datasets.describing import listed

if TYPE_CHECKING:
    import pandas as pd

_MOST_TOLD = 10


def ranking_of(name: str, table: pd.DataFrame, known: Collection[int]) -> pd.DataFrame:
    """Return the regions of one map, with its name before them and whether each is known to matter."""
    frame = table[table["label"] != 0].copy()
    frame.insert(0, "map", name)
    frame.insert(2, "known", ["yes" if label in known else "no" for label in frame["label"]])
    return frame[["map", "region", "known", "rank", "density", "share_of_region", "share_of_map", "label"]]


def truth_items(
    rows: Sequence[Mapping[str, Any]], tables: Sequence[pd.DataFrame], *, dilate: int, share: float
) -> dict[str, Item]:
    """Return `shares` and `ranking`.

    Parameters
    ----------
    rows : sequence of mapping
        For each map ``map``, ``run``, ``analysis`` and the fields of `sensiview.numerics.region_truth.Truth`.
    tables : sequence of DataFrame
        What `ranking_of` gave.
    dilate, share
        The parameters, for the words and the remarks.
    """
    import pandas as pd

    shares = pd.DataFrame(rows)
    ranking = pd.concat(tables, ignore_index=True)
    below = [
        Remark(
            place,
            "share_dilated",
            "below_wanted",
            f"Less than {100 * share:.0f} % of this map lies inside the known regions.",
        )
        for place, found in enumerate(shares["share_dilated"])
        if found < share
    ]
    grown = f"grown by {dilate} voxel{'' if dilate == 1 else 's'}"
    return {
        "shares": IndexTable(
            title="Maps against the known regions",
            description=f"Share of each map inside the known regions, and inside them {grown} (share_dilated); chance "
            "is what an even map would have. found is the share of the known regions among the first ranks, auc tells "
            "their voxels from the others, peak_inside is 1 when the strongest voxel lies in one.",
            frame=shares,
            keys=("map",),
            values=("share_dilated", "share_inside", "chance", "found", "auc", "peak_inside"),
            units={
                "share_dilated": "share of the map",
                "share_inside": "share of the map",
                "chance": "share of the map",
                "found": "share of the regions",
                "auc": "",
                "peak_inside": "",
                "peak_distance": "mm",
                "best_rank": "",
                "mean_rank": "",
            },
            remarks=tuple(below),
        ),
        "ranking": IndexTable(
            title="Regions of each map",
            description="Every region of the atlas by the map's mean strength in it (density); rank 1 is the highest. "
            "known says which should come first.",
            frame=ranking,
            keys=("map", "region"),
            values=("rank", "density", "share_of_map"),
            units={
                "rank": "",
                "density": "",
                "share_of_region": "share of the region's voxels",
                "share_of_map": "share of the map",
            },
            plot="matrix",
        ),
    }


def verdict(rows: Sequence[Mapping[str, Any]], names: Sequence[str], atlas: str, *, dilate: int, share: float) -> str:
    """Return in sentences which maps lie in the regions of these names; parameters as of `truth_items`."""
    grown = f", grown by {dilate} voxel{'' if dilate == 1 else 's'}" if dilate else ""
    sentences = [f"Known regions: {listed(names)}{grown}; atlas '{atlas}'."]
    told = [row for row in rows if not np.isnan(row["share_dilated"])]
    for row in sorted(told, key=lambda row: -row["share_dilated"])[:_MOST_TOLD]:
        first = "they come first" if row["found"] == 1 else f"the best of them has rank {row['best_rank']:.0f}"
        sentences.append(
            f"'{row['map']}': {100 * row['share_dilated']:.0f} % of it lies in them (an even map: "
            f"{100 * row['chance']:.0f} %), {first} of all regions."
        )
    if len(told) > _MOST_TOLD:
        sentences.append(f"{len(told) - _MOST_TOLD} more maps are in the table.")
    truthful = [row for row in told if row["share_dilated"] >= share]
    sentences.append(
        f"{len(truthful)} of {len(rows)} map{'' if len(rows) == 1 else 's'} reach the wanted share of "
        f"{100 * share:.0f} %."
    )
    return " ".join(sentences)
