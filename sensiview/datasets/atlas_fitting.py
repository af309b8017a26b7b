"""An atlas on another grid: whether it belongs there, and its labels by nearest neighbour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.atlas_files import Atlas, present_labels
from sensiview.datasets.atlas_nearest import Labels, nearest
from sensiview.datasets.atlas_space import likeness_to_mni, looks_native, looks_oblique, of_mni
from sensiview.datasets.volume import Grid
from sensiview.errors import DataError

_LEAST_INSIDE = 0.5
_MOSTLY_INSIDE = 0.98
_LEAST_ON_DATA = 0.5
_MOSTLY_ON_DATA = 0.9
_SAMPLED = 200_000  # labelled voxels looked at to tell which share lies inside
_UNLIKE, _ALIKE = 0.35, 0.55
_MNI_ADVICE = "Register the data to MNI152 first, or choose an atlas made for them (a segmentation on their own grid)."


@dataclass(frozen=True)
class Fit:
    """Whether an atlas belongs on a grid.

    Parameters
    ----------
    ok : bool
        False: `reasons` say why it is refused.
    share_inside : float
        Of the atlas's labelled voxels, those inside the grid, 0 to 1.
    share_on_data : float or None
        Of the labels on the grid, those where the data are finite and not 0; None when no data were given.
    likeness : float or None
        Correlation of the data with the MNI152 template inside the brain, at 4 mm, the larger of T1 and grey matter
        in size; None where it was not needed.
    reasons, warnings : tuple of str
        Sentences.
    lost : tuple of str
        Names of regions without a voxel on the grid.
    """

    ok: bool
    share_inside: float
    share_on_data: float | None = None
    likeness: float | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def atlas_fit(atlas: Atlas, grid: Grid, data: npt.NDArray[Any] | None = None, *, space: str = "") -> Fit:
    """Say whether an atlas belongs on a grid, and why not.

    Refused are atlases without overlap, with less than half of their labelled voxels inside the grid, whose regions
    lie where the data are 0, and atlases in MNI space for data that are not: the grid reaches far beyond any template,
    or the header says scanner and the grid is no template's, unless the data look like the template. (The word scanner
    alone says little: registration programs built on ITK write it for MNI too.) On the same grid, where a
    segmentation of the data itself lies, nothing of this is asked.

    Parameters
    ----------
    atlas : Atlas
    grid : Grid
    data : ndarray, optional
        (i, j, k) on `grid`: values of one volume or a mean.
    space : str
        What the data's header says of its space, ``mni`` or ``scanner``; empty or another word says nothing.
    """
    return place_atlas(atlas, grid, data, space=space)[1]


def atlas_on(
    atlas: Atlas,
    grid: Grid,
    data: npt.NDArray[Any] | None = None,
    *,
    space: str = "",
    warn: Callable[[str], object] | None = None,
) -> Labels:
    """Return the atlas's labels on a grid, int32 (i, j, k): each voxel takes the label at its centre, 0 outside.

    The same grid gives the atlas's own array. `warn` is called with each sentence that the user should read (regions
    lost, atlas partly outside); the other parameters are those of `atlas_fit`.

    Raises
    ------
    DataError
        It does not fit; the sentence says why.
    """
    labels, fit = place_atlas(atlas, grid, data, space=space)
    if not fit.ok:
        raise DataError(f"The atlas '{atlas.name}' does not fit these data. {' '.join(fit.reasons)}")
    for sentence in fit.warnings:
        if warn is not None:
            warn(sentence)
    return labels


def place_atlas(
    atlas: Atlas, grid: Grid, data: npt.NDArray[Any] | None = None, *, space: str = ""
) -> tuple[Labels, Fit]:
    """Return the labels on the grid, and the fit, whether it is refused or not; parameters as of `atlas_fit`."""
    if data is not None and data.shape != grid.shape:
        raise DataError(f"The data have {data.shape} voxels, the grid {grid.shape}. Give data of this grid.")
    same = atlas.grid.same_as(grid)
    labels = atlas.labels if same else nearest(atlas.labels, np.linalg.inv(atlas.affine) @ grid.affine, grid.shape)
    share_inside = 1.0 if same else _share_inside(atlas, grid)
    labelled = labels != 0
    on_data = None
    if data is not None and labelled.any():
        known = data[labelled]
        on_data = float(np.mean(np.isfinite(known) & (known != 0)))
    if same:
        return labels, _of_same_grid(on_data)
    reasons: list[str] = []
    warnings: list[str] = []
    _judge_overlap(atlas, grid, share_inside, bool(labelled.any()), reasons, warnings)
    if not reasons and on_data is not None:
        _judge_data(on_data, _LEAST_ON_DATA, reasons, warnings)
    likeness = None if reasons else _judge_space(atlas, grid, data, space, reasons, warnings)
    present = set(present_labels(labels).tolist())
    lost = tuple(name for label, name in atlas.names.items() if label not in present)
    if lost and not reasons:
        spacing = " x ".join(f"{s:.3g}" for s in grid.spacing)
        many = "regions have" if len(lost) > 1 else "region has"
        warnings.append(f"{len(lost)} {many} no voxel on this grid of {spacing} mm: {_some(lost)}.")
    return labels, Fit(not reasons, share_inside, on_data, likeness, tuple(reasons), tuple(warnings), lost)


def _share_inside(atlas: Atlas, grid: Grid) -> float:
    flat = np.flatnonzero(atlas.labels)
    flat = flat[:: max(1, flat.size // _SAMPLED)]
    voxels = np.stack(np.unravel_index(flat, atlas.labels.shape), axis=1)
    matrix = np.linalg.inv(grid.affine) @ atlas.affine
    places = voxels @ matrix[:3, :3].T + matrix[:3, 3]
    return float(np.mean(((places > -0.5) & (places < np.array(grid.shape) - 0.5)).all(axis=1)))


def _of_same_grid(on_data: float | None) -> Fit:
    reasons: list[str] = []
    warnings: list[str] = []
    if on_data is not None:
        _judge_data(on_data, 0.02, reasons, warnings)
    return Fit(not reasons, 1.0, on_data, None, tuple(reasons), tuple(warnings))


def _judge_overlap(
    atlas: Atlas, grid: Grid, share: float, any_label: bool, reasons: list[str], warnings: list[str]
) -> None:
    if share == 0 and not any_label:
        away = float(np.linalg.norm(_centre(atlas.grid) - _centre(grid)))
        reasons.append(f"The two don't overlap; their centres lie {away:.0f} mm apart. {_MNI_ADVICE}")
    elif share < _LEAST_INSIDE or not any_label:
        reasons.append(
            f"Only {100 * share:.0f} % of its regions lie inside the data's grid (half is the least). {_MNI_ADVICE}"
        )
    elif share < _MOSTLY_INSIDE:
        warnings.append(f"{100 * (1 - share):.0f} % of the atlas '{atlas.name}' lie outside the data's grid.")


def _judge_data(share: float, least: float, reasons: list[str], warnings: list[str]) -> None:
    if share < least:
        reasons.append(f"Only {100 * share:.0f} % of its regions lie where the data are not 0. {_MNI_ADVICE}")
    elif share < _MOSTLY_ON_DATA:
        warnings.append(
            f"Only {100 * share:.0f} % of the atlas lie where the data are not 0; look at it over the anatomy."
        )


def _judge_space(
    atlas: Atlas,
    grid: Grid,
    data: npt.NDArray[Any] | None,
    space: str,
    reasons: list[str],
    warnings: list[str],
) -> float | None:
    """Compare the spaces of an atlas in MNI and of data on another grid; return the likeness where it was asked."""
    if not of_mni(atlas.grid, atlas.space) or space == "mni":
        return None
    if looks_native(grid):
        doubt = "their grid reaches far beyond the MNI template"
    elif space == "scanner" and not of_mni(grid, ""):
        doubt = "their header says that they are in the scanner's own space"
    elif looks_oblique(grid):
        doubt = ""
    else:
        return None
    likeness = likeness_to_mni(data, grid.affine) if data is not None else None
    if likeness is None and doubt:
        reasons.append(f"The atlas is in MNI space, the data are not: {doubt}. {_MNI_ADVICE}")
    elif likeness is None:
        warnings.append(
            f"The atlas '{atlas.name}' is in MNI space; are the data? Their grid is oblique, as of a head that was not "
            "registered. Look at it over the anatomy."
        )
    elif likeness < _UNLIKE:
        doubt = doubt or "their grid is oblique"
        reasons.append(
            f"The atlas is in MNI space, the data are not: {doubt}, and their correlation with the MNI template is "
            f"{likeness:.2f}. {_MNI_ADVICE}"
        )
    elif likeness < _ALIKE:
        warnings.append(
            f"The data resemble the MNI template only roughly (correlation {likeness:.2f}); the regions of "
            f"'{atlas.name}' may be shifted. Look at it over the anatomy."
        )
    return likeness


def _centre(grid: Grid) -> npt.NDArray[np.float64]:
    return np.asarray(grid.affine @ np.append((np.array(grid.shape) - 1) / 2, 1.0))[:3]


def _some(things: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"
