"""Result items of the comparison of masks: matrices, means, regions, words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.analysis.items import Array, IndexTable, Interval, Mask, Matrix
from sensiview.analysis.mask_contexts import MaskContext
from sensiview.analysis.study import Study
from sensiview.numerics.mask_similarity import RELATIONS, PairMean

_MOST_TOLD = 5


def similarity_item(similarity: Array, names: tuple[str, ...], over: str) -> Matrix:
    """Return `roi_similarity`: cosines of the contexts, drawn as a matrix."""
    return Matrix(
        title="Similarity of the masks",
        description=f"Cosine of the mask densities over the {over}: 1 is the same pattern, 0 none in common.",
        values=similarity,
        rows=names,
        columns=names,
        row_axis="context",
        column_axis="other context",
        value_name="cosine",
    )


def transfer_item(transfer: Array, names: tuple[str, ...]) -> Matrix:
    """Return `prob_cnn`: networks in rows, masks in columns."""
    return Matrix(
        title="Probability left by the masks of others",
        description="Mean probability of the true class that the network of the row gives to inputs masked by the mask "
        "of the column: near 0 the mask works for that network too.",
        values=transfer,
        rows=names,
        columns=names,
        row_axis="network of",
        column_axis="mask of",
        value_name="prob_cnn",
        unit="probability",
    )


def means_item(means: Sequence[PairMean]) -> IndexTable:
    """Return `means`: a row per relation and measure."""
    import pandas as pd

    columns = ("relation", "measure", "mean", "std", "lowest", "highest", "pairs")
    data = {name: [getattr(one, name) for one in means] for name in columns}
    types: dict[str, Any] = {"pairs": np.int64, **dict.fromkeys(("mean", "std", "lowest", "highest"), np.float64)}
    frame = pd.DataFrame(data, columns=list(columns)).astype(types)
    return IndexTable(
        title="Means over pairs of contexts",
        description="; ".join(f"{name}: {words}" for name, words in RELATIONS.items())
        + ". ± is the standard deviation "
        "over pairs.",
        frame=frame,
        keys=("relation", "measure"),
        values=("mean",),
        units={"mean": "", "std": "", "lowest": "", "highest": "", "pairs": "pairs"},
        intervals={"mean": Interval(half="std", low="lowest", high="highest")},
    )


def regions_item(
    contexts: Sequence[MaskContext], vectors: Sequence[Array], names: Mapping[int, str], labels: Array
) -> IndexTable:
    """Return `top_regions`: mean density and ranks; `vectors` are densities in the order of `region_labels`."""
    import pandas as pd

    from sensiview.numerics.regions import region_labels

    ids = [int(i) for i in region_labels(labels)]
    density = np.stack(vectors)
    # Equal densities share the best rank.
    ranks = np.array([[int((row > value).sum()) + 1 for value in row] for row in density])
    table: dict[str, Any] = {
        "region": [names.get(i) or f"region {i}" for i in ids],
        "density": density.mean(axis=0),
        "lowest_density": density.min(axis=0),
        "highest_density": density.max(axis=0),
        "mean_rank": ranks.mean(axis=0),
        "best_rank": ranks.min(axis=0),
        "worst_rank": ranks.max(axis=0),
    }
    table |= {f"rank: {one.context.label}": ranks[i] for i, one in enumerate(contexts)}
    frame = pd.DataFrame(table).sort_values("density", ascending=False, kind="stable", ignore_index=True)
    return IndexTable(
        title="Regions over all contexts",
        description="density: mean of 1 - m in the region, mean over contexts; rank 1 is the densest region of a mask.",
        frame=frame,
        keys=("region",),
        values=("density", "mean_rank"),
        units=dict.fromkeys((name for name in table if name != "region"), ""),
        intervals={"density": Interval(low="lowest_density", high="highest_density")},
    )


def masks_item(contexts: Sequence[MaskContext], affine: Array, study: Study) -> Mask:
    """Return the masks of all contexts on their common grid."""
    values = np.stack([np.asarray(one.mask, dtype=np.float32) for one in contexts])
    return Mask(
        title="Masks of all contexts",
        description="1 keeps the input, 0 replaces it by the fill; means where every subject has its own mask.",
        values=np.ascontiguousarray(values.swapaxes(-1, -3)),
        axes=("context", "z", "y", "x"),
        unit="share kept",
        over=study.dataset.name if study.dataset else "",
        affine=affine,
        coordinates={"context": tuple(one.context.label for one in contexts)},
    )


def comparison_words(
    contexts: Sequence[MaskContext], similarity: Array, transfer: Array | None, means: Sequence[PairMean], over: str
) -> list[str]:
    """Return the figures in words, and what to be careful about."""
    n = len(contexts)
    words = [f"{n} masks are compared over the {over}."]
    if n == 1:
        return [*words, "One mask alone says nothing about stability; choose more runs."]
    if over == "voxels":
        words.append("There is no atlas on this grid, so the cosine is taken voxel by voxel, which is stricter.")
    for one in means:
        spread = "" if math.isnan(one.std) else f" ± {one.std:.2f}"
        words.append(f"{one.relation} {one.measure}: {one.mean:.2f}{spread} over {one.pairs} pairs.")
    if not means:
        words.append("No two contexts differ in one thing only, so there are no means.")
    empty = [one.context.label for i, one in enumerate(contexts) if np.isnan(similarity[i, i])]
    if empty:
        words.append(f"These masks are empty and have no similarity: {', '.join(empty[:_MOST_TOLD])}.")
    if transfer is not None:
        weak = [one.context.label for i, one in enumerate(contexts) if transfer[i, i] > 0.5]
        if weak:
            words.append(f"These masks don't work for their own network: {', '.join(weak[:_MOST_TOLD])}.")
    return words
