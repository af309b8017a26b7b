"""Whether a grid, or the picture on it, lies in MNI space: what headers leave open."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.volume import Grid

Floats = npt.NDArray[np.float64]
# Voxel centres of the templates in use (FSL, SPM, ICBM 2009, nilearn) lie within this box, in mm.
_LOW, _HIGH = np.array([-100.0, -136.0, -80.0]), np.array([100.0, 106.0, 118.0])
_SMALLEST = np.array([125.0, 155.0, 125.0])  # what a grid spans that holds the brain in MNI space
_MARGIN = 30.0  # a grid that reaches further has the neck or the conformed cube of a native head on it
_COARSE = 4.0  # mm at which pictures are compared: finer details differ between people
_OBLIQUE = np.deg2rad(0.5)


def of_mni(grid: Grid, space: str) -> bool:
    """Say whether an atlas is in MNI space: its header says so, or its grid is that of a template."""
    if space:
        return space == "mni"
    low, high = _box(grid)
    fits = bool((low >= _LOW).all() and (high <= _HIGH).all() and (high - low >= _SMALLEST).all())
    return fits and not looks_oblique(grid)


def looks_native(grid: Grid) -> bool:
    """Say whether a grid along the axes reaches so far that it is no template's."""
    low, high = _box(grid)
    return not looks_oblique(grid) and bool((low < _LOW - _MARGIN).any() or (high > _HIGH + _MARGIN).any())


def looks_oblique(grid: Grid) -> bool:
    """Say whether the voxels' axes stand at an angle to the patient's."""
    columns = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    return bool(np.abs(columns).max(axis=0).min() < np.cos(_OBLIQUE))


def likeness_to_mni(data: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> float | None:
    """Return how much a picture resembles the MNI152 template: the larger absolute correlation with T1 or grey matter.

    Compared inside the template's brain at about 4 mm, so that contrast, scale and a removed skull don't matter.

    Parameters
    ----------
    data : ndarray
        (i, j, k).
    affine : ndarray
        (4, 4), voxel to RAS mm.

    Returns
    -------
    float or None
        0 to 1; None where the picture covers less than a tenth of the template's brain or is constant there.
    """
    from scipy.ndimage import map_coordinates

    templates, to_mm = _templates()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    # No more blocks than voxels: a picture of a few slices keeps them.
    steps = [max(1, min(round(float(_COARSE / s)), n)) for s, n in zip(spacing, data.shape, strict=True)]
    coarse = _block_means(np.nan_to_num(np.asarray(data, dtype=np.float64), posinf=0.0, neginf=0.0), steps)
    block = np.diag([*steps, 1.0])
    block[:3, 3] = (np.array(steps) - 1) / 2
    matrix = np.linalg.inv(to_mm) @ affine @ block
    voxels = np.stack(np.meshgrid(*[np.arange(n) for n in coarse.shape], indexing="ij")).reshape(3, -1)
    places = matrix[:3, :3] @ voxels + matrix[:3, 3:]
    sampled = [map_coordinates(template, places, order=1, cval=0.0) for template in templates]
    brain = sampled[0] > 0.1 * templates[0].max()
    seen = coarse.ravel()[brain]
    in_template = float(np.count_nonzero(templates[0] > 0.1 * templates[0].max()) * abs(np.linalg.det(to_mm[:3, :3])))
    volume = seen.size * abs(float(np.linalg.det((affine @ block)[:3, :3])))
    if volume < 0.1 * in_template or seen.size < 3 or float(np.ptp(seen)) == 0.0:
        return None
    return float(max(abs(np.corrcoef(seen, template[brain])[0, 1]) for template in sampled))


@cache
def _templates() -> tuple[tuple[Floats, Floats], Floats]:
    """Return T1 and grey matter of MNI152 at 4 mm, and their affine; nilearn brings them."""
    from nilearn.datasets import load_mni152_gm_template, load_mni152_template

    images = [load_mni152_template(resolution=1), load_mni152_gm_template(resolution=1)]
    t1, grey = (_block_means(np.asarray(image.dataobj, dtype=np.float64), [4, 4, 4]) for image in images)
    block = np.diag([4.0, 4.0, 4.0, 1.0])
    block[:3, 3] = 1.5
    return (t1, grey), np.asarray(images[0].affine @ block, dtype=np.float64)


def _block_means(values: Floats, steps: list[int]) -> Floats:
    """Return means over blocks of `steps` voxels; what is left over at the end is dropped."""
    i, j, k = (n // s for n, s in zip(values.shape, steps, strict=True))
    cut = values[: i * steps[0], : j * steps[1], : k * steps[2]]
    return np.asarray(cut.reshape(i, steps[0], j, steps[1], k, steps[2]).mean(axis=(1, 3, 5)))


def _box(grid: Grid) -> tuple[Floats, Floats]:
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=np.float64)
    corners[:, :3] *= np.array(grid.shape) - 1
    places = (corners @ grid.affine.T)[:, :3]
    return places.min(axis=0), places.max(axis=0)
