"""How much of a map lies where it should: shares, ranks, the pointing game and the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Figures of one map against known regions; NaN for a map that is zero everywhere.

    Parameters
    ----------
    share_inside, share_dilated : float
        Of the map's total strength, what lies inside the regions, and inside the regions dilated, 0 to 1.
    chance : float
        `share_dilated` of an even map: the dilated regions' share of the voxels of the atlas and of the dilated
        regions.
    peak_inside : float
        The pointing game (Zhang et al., IJCV 2018) without tolerance: 1 when the strongest voxel lies inside a
        region, else 0.
    peak_distance : float
        From the strongest voxel to the nearest voxel of the regions, mm.
    best_rank, mean_rank : float
        Of the known regions in the table of all regions; 1 is the highest density.
    found : float
        With k known regions, the share of them among the first k ranks: 1 when they come first.
    auc : float
        Area under the ROC curve of the strength telling the regions' voxels from the others of the atlas; 0.5 is
        chance.
    """

    share_inside: float
    share_dilated: float
    chance: float
    peak_inside: float
    peak_distance: float
    best_rank: float
    mean_rank: float
    found: float
    auc: float


def compare_with_truth(
    strength: npt.NDArray[np.float64],
    labels: npt.NDArray[Any],
    known: Collection[int],
    table: pd.DataFrame,
    affine: npt.NDArray[np.float64],
    *,
    dilate: int,
) -> Truth:
    """Return the figures of one map.

    Parameters
    ----------
    strength : ndarray
        (i, j, k), at least 0: 1 - m of a mask, the absolute value of a map; voxels that are not finite count as 0.
    labels : ndarray
        (i, j, k), integer, 0 is no region.
    known : collection of int
        Labels of the known regions.
    table : DataFrame
        What `sensiview.numerics.regions.region_table` gives for this map.
    affine : ndarray
        (4, 4), voxel to RAS mm.
    dilate : int
        By how many voxels, through faces.
    """
    values = np.nan_to_num(strength, nan=0.0, posinf=0.0, neginf=0.0)
    inside = np.isin(labels, list(known))
    wider = dilated(inside, dilate)
    domain = (labels != 0) | wider
    rows = table[table["label"].isin(list(known))]
    ranks = rows["rank"].to_numpy(dtype=np.float64)
    chance = float(wider.sum() / domain.sum())
    total = float(values.sum())
    if total <= 0:
        nan = float("nan")
        return Truth(nan, nan, chance, nan, nan, nan, nan, nan, nan)
    peak = np.unravel_index(int(np.argmax(values)), values.shape)
    return Truth(
        share_inside=float(values[inside].sum()) / total,
        share_dilated=float(values[wider].sum()) / total,
        chance=chance,
        peak_inside=float(inside[peak]),
        peak_distance=_distance(peak, inside, affine),
        best_rank=float(ranks.min()),
        mean_rank=float(ranks.mean()),
        found=float(np.mean(ranks <= ranks.size)),
        auc=area_under_roc(values[labels != 0], inside[labels != 0]),
    )


def dilated(inside: Bools, voxels: int) -> Bools:
    """Return a region grown by so many voxels through their faces; 0 gives the region itself."""
    grown = inside
    for _ in range(voxels):
        before, grown = grown, grown.copy()
        for axis in range(inside.ndim):
            there, here = np.moveaxis(before, axis, 0), np.moveaxis(grown, axis, 0)
            here[1:] |= there[:-1]
            here[:-1] |= there[1:]
    return grown


def area_under_roc(scores: npt.NDArray[np.float64], positive: Bools) -> float:
    """Return the probability that a positive scores higher than a negative, ties counting half.

    The Mann-Whitney statistic divided by the number of pairs; NaN without positives or without negatives.

    Parameters
    ----------
    scores : ndarray
        (n,), finite.
    positive : ndarray
        (n,), bool.
    """
    above, below = scores[positive], np.sort(scores[~positive])
    if not above.size or not below.size:
        return float("nan")
    # Negatives below each positive, counted once without and once with those of the same score.
    counted = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(counted.sum(dtype=np.float64)) / 2 / (above.size * below.size)


def _distance(peak: tuple[Any, ...], inside: Bools, affine: npt.NDArray[np.float64]) -> float:
    places = np.argwhere(inside) - np.array(peak)
    millimetres = places @ np.asarray(affine, dtype=np.float64)[:3, :3].T
    return float(np.sqrt((millimetres**2).sum(axis=1)).min())
