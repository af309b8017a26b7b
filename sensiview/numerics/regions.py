"""Maps and masks told by the regions of an atlas: one pass over the voxels, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.atlas_sides import find_regions, mirror, side_of
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "OUTSIDE",
    "REGION_COLUMNS",
    "REGION_UNITS",
    "cosine",
    "density_vector",
    "find_regions",
    "mirror",
    "region_labels",
    "region_table",
    "side_of",
    "why_no_cosine",
]

Kind = Literal["mask", "map"]
Floats = npt.NDArray[np.float64]
OUTSIDE = "outside the atlas"
REGION_UNITS: Mapping[str, str] = {
    "density": "",
    "share_of_region": "share of the region's voxels",
    "share_of_map": "share of the map",
    "volume_mm3": "mm³",
    "peak": "",
    "peak_x": "mm",
    "peak_y": "mm",
    "peak_z": "mm",
    "rank": "",
}
REGION_COLUMNS = ("region", "label", *REGION_UNITS)
# Up to this span labels are looked up in a table of 32 MB; numbers of larger ontologies are searched for.
_WIDEST_TABLE = 1 << 22


def region_labels(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the labels that occur, ascending, without the background 0: the order of `density_vector`."""
    return _compact(labels)[0]


def density_vector(values: npt.NDArray[Any], labels: npt.NDArray[Any], *, kind: Kind) -> Floats:
    """Return the mean strength in each region, float64, in the order of `region_labels`.

    Parameters
    ----------
    values : ndarray
        (i, j, k), a mask in [0, 1] (1 keeps the input) or a map.
    labels : ndarray
        (i, j, k), integer, 0 is no region.
    kind : ``mask`` or ``map``
        The strength of a mask m is 1 - m, that of a map its absolute value. Voxels that are not finite don't count; a
        region of such voxels alone has NaN.
    """
    strength, _ = _strength(values, labels, kind)
    ids, codes = _compact(labels)
    return _means(strength, codes, ids.size + 1)[0][1:]


def region_table(
    values: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    names: Mapping[int, str],
    affine: npt.NDArray[Any],
    *,
    kind: Kind,
    threshold: float | None = None,
) -> pd.DataFrame:
    """Return a row for each region that has voxels, highest density first, and one for the voxels outside all.

    Parameters
    ----------
    values : ndarray
        (i, j, k): a mask in [0, 1], whose strength is 1 - m, or a map, whose strength is its absolute value. Voxels
        that are not finite count in no mean and no share, only in the volume.
    labels : ndarray
        (i, j, k), integer, on the grid of `values`; 0 is no region.
    names : mapping of int to str
        Of the labels; one without a name is called ``region 2001``.
    affine : ndarray
        (4, 4), voxel (i, j, k) to RAS mm.
    kind : ``mask`` or ``map``
    threshold : float, optional
        From which strength on a voxel counts in `share_of_region`: 0.5 for a mask, half the largest strength for a
        map, unless given.

    Returns
    -------
    DataFrame
        ``region``, ``label`` (0 outside), ``density`` (mean strength, B's 1 - m), ``share_of_region`` (voxels at or
        above the threshold, 0 to 1), ``share_of_map`` (strength inside over strength of the whole grid, 0 to 1, NaN
        for a map of zeros), ``volume_mm3``, ``peak`` (the value whose strength is largest; of a mask the strength),
        ``peak_x``, ``peak_y``, ``peak_z`` (mm, NaN where the strength is 0 everywhere), ``rank`` (1 is the highest
        density, equal densities share it; 0 outside the atlas).

    Raises
    ------
    DataError
        Values and labels have different shapes, or there is no region at all.
    """
    import pandas as pd

    strength, finite = _strength(values, labels, kind)
    ids, codes = _compact(labels)
    if ids.size == 0:
        raise DataError("The atlas has no region on this grid. Choose an atlas of the same space as the data.")
    n = ids.size + 1
    density, sums, counted = _means(strength, codes, n)
    largest = float(np.max(strength, initial=0.0, where=finite))
    at_least = threshold if threshold is not None else (0.5 if kind == "mask" else largest / 2)
    # Without this a map of zeros would lie above half its maximum everywhere.
    above = finite & (strength >= at_least) & (strength > 0)
    total = float(sums.sum())
    places, peaks = _peaks(strength, finite, codes, n)
    with np.errstate(invalid="ignore"):
        share_of_region = np.bincount(codes, above, n) / counted
    flat = np.asarray(values).ravel()
    shown = peaks if kind == "mask" else np.where(places >= 0, flat[places].astype(np.float64), np.nan)
    where = _millimetres(places, np.asarray(values).shape, affine)
    where[~(peaks > 0)] = np.nan
    voxels = np.bincount(codes, minlength=n)
    frame = pd.DataFrame(
        {
            "region": [OUTSIDE, *(names.get(int(i)) or f"region {i}" for i in ids)],
            "label": np.concatenate([[0], ids]),
            "density": density,
            "share_of_region": share_of_region,
            "share_of_map": sums / total if total > 0 else np.full(n, np.nan),
            "volume_mm3": voxels * abs(float(np.linalg.det(np.asarray(affine, dtype=np.float64)[:3, :3]))),
            "peak": shown,
            "peak_x": where[:, 0],
            "peak_y": where[:, 1],
            "peak_z": where[:, 2],
            "rank": np.concatenate([[0], _ranks(density[1:])]),
        }
    )
    inside = frame.iloc[1:].sort_values(["rank", "label"], kind="stable")
    return pd.concat([inside, frame.iloc[:1]], ignore_index=True)


def cosine(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Return the cosine of two vectors: 1 points the same way; NaN where there is none (see `why_no_cosine`).

    `roi_similarity` of two masks is the cosine of their `density_vector` over the same regions.

    Raises
    ------
    ValueError
        The vectors have different lengths.
    """
    first, second = (np.asarray(v, dtype=np.float64).ravel() for v in (one, other))
    if first.size != second.size:
        raise ValueError(f"vectors of {first.size} and {second.size} numbers have no cosine")
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    # Divided by the largest entry: squares of very small densities stay in range.
    scales = [float(np.abs(v).max(initial=0.0)) for v in (first, second)]
    if min(scales) == 0.0:
        return float("nan")
    first, second = first / scales[0], second / scales[1]
    value = float(first @ second / np.sqrt((first @ first) * (second @ second)))
    return min(1.0, max(-1.0, value))


def why_no_cosine(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> str | None:
    """Return why `cosine` is NaN, as a sentence; None where it is a number."""
    if not np.isnan(cosine(one, other)):
        return None
    empty = [name for name, vector in (("first", one), ("second", other)) if not np.any(np.nan_to_num(vector))]
    if len(empty) == 2:
        return "Both masks leave every region as it is, so their similarity is not defined."
    if empty:
        return f"The {empty[0]} mask leaves every region as it is, so the similarity is not defined."
    return "The masks have no region in which both are known, so their similarity is not defined."


def _strength(values: npt.NDArray[Any], labels: npt.NDArray[Any], kind: Kind) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the strength of every voxel, flat, NaN where it is not finite, and which are finite."""
    if values.shape != labels.shape:
        raise DataError(
            f"The map has {' x '.join(map(str, values.shape))} voxels, the atlas {' x '.join(map(str, labels.shape))}. "
            "Bring the atlas onto the map's grid first."
        )
    flat = np.asarray(values, dtype=np.float64).ravel()
    strength = 1.0 - flat if kind == "mask" else np.abs(flat)
    finite = np.isfinite(strength)
    return strength if finite.all() else np.where(finite, strength, np.nan), finite


def _compact(labels: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Return the labels that occur, ascending, and for each voxel the place of its label among them from 1; 0 none."""
    flat = np.asarray(labels).ravel()
    if flat.size == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.intp)
    low, high = min(0, int(flat.min())), max(0, int(flat.max()))
    if high - low < _WIDEST_TABLE:
        # Counted as they are: with bytes numpy would shift in bytes.
        shifted = flat.astype(np.intp)
        shifted -= low
        present = np.bincount(shifted, minlength=high - low + 1) > 0
        present[-low] = False
        table = np.cumsum(present)
        table[~present] = 0
        return np.flatnonzero(present).astype(np.int64) + low, np.asarray(table[shifted], dtype=np.intp)
    ids, codes = np.unique(flat, return_inverse=True)
    codes = codes.reshape(-1).astype(np.intp)
    keep = ids != 0
    places = np.cumsum(keep)
    places[~keep] = 0
    return ids[keep].astype(np.int64), places[codes]


def _means(strength: Floats, codes: npt.NDArray[np.intp], n: int) -> tuple[Floats, Floats, Floats]:
    """Return mean, sum and number of finite strengths of each code."""
    known = np.isfinite(strength)
    if not known.all():
        strength, codes = strength[known], codes[known]
    sums = np.bincount(codes, strength, n)
    counted = np.asarray(np.bincount(codes, minlength=n), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / counted, dtype=np.float64), np.asarray(sums, dtype=np.float64), counted


def _peaks(
    strength: Floats, finite: npt.NDArray[np.bool_], codes: npt.NDArray[np.intp], n: int
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each code the first flat place of its largest strength (-1 for none) and that strength."""
    best = np.full(n, -np.inf)
    comparable = strength if finite.all() else np.where(finite, strength, -np.inf)
    np.maximum.at(best, codes, comparable)
    candidates = np.flatnonzero((comparable == best[codes]) & finite)
    places = np.full(n, -1, dtype=np.intp)
    # Written backwards, so that the first one stays.
    places[codes[candidates[::-1]]] = candidates[::-1]
    return places, np.where(places >= 0, best, np.nan)


def _millimetres(places: npt.NDArray[np.intp], shape: tuple[int, ...], affine: npt.NDArray[Any]) -> Floats:
    voxels = np.stack(np.unravel_index(np.maximum(places, 0), shape), axis=1).astype(np.float64)
    matrix = np.asarray(affine, dtype=np.float64)
    return np.asarray(voxels @ matrix[:3, :3].T + matrix[:3, 3])


def _ranks(density: Floats) -> npt.NDArray[np.int64]:
    """Return 1 for the highest density; equal ones share the best rank; regions without a number come last."""
    ordered = np.where(np.isnan(density), -np.inf, density)
    ascending = np.sort(ordered)
    return np.asarray(ordered.size - np.searchsorted(ascending, ordered, side="right") + 1, dtype=np.int64)
