"""From voxels as they are stored to the display grid: canonical RAS by a view, or by interpolation where oblique."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import DataError
from sensiview.gui.viewer.scene import DisplayGrid

Array = npt.NDArray[Any]
Affine = npt.NDArray[np.float64]

# Axes that are off by less than this part of a voxel, at the volume's corners, are shown as they are stored.
_STRAIGHT_VOXELS = 0.5
# Two grids whose voxel centres differ by less than this are the same.
_SAME_MM = 1e-3
# An oblique volume is interpolated onto at most so many bytes; a finer one gets larger display voxels.
_MOST_BYTES = 1 << 30
_THREADS = 2


@dataclass(frozen=True, eq=False)
class Placement:
    """How a stored array becomes one along R, A, S: the grid it gives, and the way back to its own voxels.

    Parameters
    ----------
    grid : DisplayGrid
    order : tuple of three int
        Stored axis of each display axis.
    flipped : tuple of three bool
        Whether that axis runs the other way.
    to_voxel : ndarray
        (4, 4), RAS mm to the stored (i, j, k).
    """

    grid: DisplayGrid
    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    to_voxel: Affine

    def view(self, stored: Array) -> Array:
        """Return the stored array with its axes along R, A, S; no voxel is copied."""
        steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flipped)
        return stored.transpose(self.order)[steps]


def placement(shape: tuple[int, ...], affine: Affine) -> Placement:
    """Return where a stored volume lies on a display grid.

    Raises
    ------
    DataError
        The affine is singular or not finite.
    """
    affine = np.asarray(affine, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DataError(
            "The volume says nothing usable about where its voxels lie (its affine is singular or not finite); "
            "it can't be shown. Correct the affine in the file."
        )
    order, flipped = _orientation(affine)
    # The affine of the view: columns in display order, flipped axes start at their other end.
    turn = np.zeros((4, 4))
    turn[3, 3] = 1.0
    for display, (stored, flip) in enumerate(zip(order, flipped, strict=True)):
        turn[stored, display] = -1.0 if flip else 1.0
        turn[stored, 3] = shape[stored] - 1 if flip else 0.0
    seen = affine @ turn
    size = tuple(int(shape[stored]) for stored in order)
    spacing = np.sqrt((seen[:3, :3] ** 2).sum(axis=0))
    middle = (np.array(size) - 1) / 2
    straight = np.diag([*spacing, 1.0])
    # The middle stays where it is; an exactly straight affine keeps its own origin, free of rounding.
    exact = np.allclose(seen[:3, :3], np.diag(spacing), atol=1e-6)
    straight[:3, 3] = seen[:3, 3] if exact else (seen @ [*middle, 1.0])[:3] - spacing * middle
    corners = _corners(size)
    off = np.abs((corners @ (seen - straight).T)[:, :3]) / spacing
    if off.max() <= _STRAIGHT_VOXELS:
        grid = _grid(size, spacing, straight[:3, 3], resampled=False)
        return Placement(grid, order, flipped, _inverse(turn, straight))
    return Placement(_bounding_grid(seen, size, spacing), order, flipped, _inverse(np.eye(4), affine))


def same_grid(one: DisplayGrid, other: DisplayGrid) -> bool:
    """Say whether all voxels of two grids lie at the same places, to a thousandth of a millimetre."""
    if one.shape != other.shape:
        return False
    corners = _corners(one.shape)
    return bool(np.abs(corners @ (one.affine - other.affine).T).max() < _SAME_MM)


def interpolated(stored: Array, to_voxel: Affine, grid: DisplayGrid, *, labels: bool) -> Array:
    """Return a stored array on a display grid.

    Parameters
    ----------
    stored : ndarray
        (i, j, k), any real dtype.
    to_voxel : ndarray
        (4, 4), RAS mm to (i, j, k).
    labels : bool
        Take the nearest voxel and keep the dtype, 0 outside; else linear, float32, NaN outside.

    Returns
    -------
    ndarray
        Shape of `grid`, along R, A, S.
    """
    from scipy import ndimage

    transform: Any = ndimage.affine_transform  # its stubs know no array as output
    matrix = to_voxel @ grid.affine
    values = stored.view(np.uint8) if stored.dtype == np.bool_ else stored
    if values.dtype.byteorder == ">" or values.dtype == np.float16:
        values = values.astype(values.dtype.newbyteorder("=") if values.dtype != np.float16 else np.float32)
    made = np.empty(grid.shape, values.dtype if labels else np.float32)
    order, outside = (0, 0) if labels else (1, np.nan)
    if not labels and not np.issubdtype(values.dtype, np.floating) and values.size < 1 << 26:
        values = values.astype(np.float32)

    def slab(start: int, stop: int) -> None:
        offset = matrix[:3, 3] + matrix[:3, 0] * start
        transform(
            values, matrix[:3, :3], offset=offset, output_shape=(stop - start, *grid.shape[1:]),
            output=made[start:stop], order=order, mode="constant", cval=outside, prefilter=False,
        )  # fmt: skip

    edges = np.linspace(0, grid.shape[0], _THREADS * 2 + 1).astype(int)
    # scipy lets other threads run meanwhile.
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(slab, edges[:-1], edges[1:]))
    return made


def _inverse(after: Affine, affine: Affine) -> Affine:
    return np.asarray(after @ np.linalg.inv(affine), dtype=np.float64)


def _orientation(affine: Affine) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    import nibabel.orientations

    find: Any = nibabel.orientations.io_orientation  # untyped
    towards = find(affine)
    order = np.argsort(towards[:, 0])
    first, second, third = (int(stored) for stored in order)
    a, b, c = (bool(towards[stored, 1] < 0) for stored in order)
    return (first, second, third), (a, b, c)


def _corners(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return the voxel coordinates of the eight corners, (8, 4)."""
    unit = np.array([[i, j, k, 1.0] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    unit[:, :3] *= np.array(shape) - 1
    return unit


def _bounding_grid(seen: Affine, size: tuple[int, ...], spacing: npt.NDArray[np.float64]) -> DisplayGrid:
    """Return a straight grid around an oblique volume, as fine as the volume, coarser where memory says so."""
    corners = (_corners(size) @ seen.T)[:, :3]
    low, high = corners.min(axis=0), corners.max(axis=0)
    while True:
        shape = np.ceil((high - low) / spacing - 1e-6).astype(int) + 1
        if int(np.prod(shape.astype(np.int64))) * 4 <= _MOST_BYTES:
            break
        spacing = spacing * 1.26
    return _grid(tuple(int(n) for n in shape), spacing, low, resampled=True)


def _grid(shape: tuple[int, ...], spacing: Array, origin: Array, *, resampled: bool) -> DisplayGrid:
    r, a, s = (float(v) for v in spacing)
    x, y, z = (float(v) for v in origin)
    return DisplayGrid((shape[0], shape[1], shape[2]), (r, a, s), (x, y, z), resampled)
