"""Layers from volumes, maps, masks and atlases, with a look that shows something at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import INPUT_VALUE, PART, FieldMap, Mask
from sensiview.datasets.volume import Volume
from sensiview.errors import DataError
from sensiview.gui.viewer.geometry import interpolated, placement, same_grid
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look, Original, Role

Array = npt.NDArray[Any]
Affine = npt.NDArray[np.float64]

# Voxels that windows and ranges are taken from; enough for percentiles to half a grey level.
_SAMPLE = 500_000


class LabelVolume(Protocol):
    """What an atlas offers: integer labels (i, j, k), their affine, and names by label."""

    @property
    def labels(self) -> Array:
        """Integers (i, j, k), 0 for no region."""

    @property
    def affine(self) -> Affine:
        """(4, 4), voxel to RAS mm."""

    @property
    def names(self) -> Mapping[int, str]:
        """Region names by label."""

    @property
    def name(self) -> str:
        """What the atlas is called."""

    @property
    def source(self) -> str:
        """Where it comes from."""


def display_volume(volume: Volume) -> tuple[DisplayGrid, Array, Affine]:
    """Return a volume along R, A, S.

    A volume that lies straight is a view of what is stored, however large; an oblique one is interpolated linearly
    onto a straight grid (float32, NaN outside) and the grid says so.

    Returns
    -------
    grid : DisplayGrid
    array : ndarray
        Raw numbers on the grid; value = array * slope + intercept as before.
    to_file_voxel : ndarray
        (4, 4), RAS mm to the file's voxel (i, j, k).

    Raises
    ------
    DataError
        The affine is singular or not finite.
    """
    placed = placement(volume.raw.shape, volume.affine)
    if placed.grid.resampled:
        array = interpolated(volume.raw, placed.to_voxel, placed.grid, labels=False)
    else:
        array = placed.view(volume.raw)
    return placed.grid, array, placed.to_voxel


def is_oblique(volume: Volume) -> bool:
    """Say whether a volume must be interpolated for display, which takes a second or two."""
    return placement(volume.raw.shape, volume.affine).grid.resampled


def on_display(values: Array, affine: Affine, grid: DisplayGrid, *, labels: bool) -> Array:
    """Return an array with a grid of its own on a scene's display grid.

    Parameters
    ----------
    values : ndarray
        (i, j, k), any real dtype.
    affine : ndarray
        (4, 4), voxel to RAS mm.
    grid : DisplayGrid
    labels : bool
        Nearest voxel, dtype kept, 0 outside; else linear, float32, NaN outside.

    Returns
    -------
    ndarray
        Along R, A, S; a view where the grids are the same but for order and direction of the axes.
    """
    return _brought(values, affine, grid, labels=labels)[0]


def _brought(values: Array, affine: Affine, grid: DisplayGrid, *, labels: bool) -> tuple[Array, Original | None]:
    if values.ndim != 3:
        raise DataError(f"An array of {values.ndim} dimensions can't be shown over a volume; it needs three.")
    placed = placement(values.shape, affine)
    if not grid.resampled and not placed.grid.resampled and same_grid(placed.grid, grid):
        return placed.view(values), None
    to_voxel = placed.to_voxel
    return interpolated(values, to_voxel, grid, labels=labels), Original(values, to_voxel)


def layer_from_volume(
    volume: Volume, *, key: str = "volume", name: str = "", role: Role = "underlay"
) -> tuple[DisplayGrid, Layer, Affine]:
    """Return a volume's own display grid, its layer in grey, and the way from mm to the file's voxel.

    The window runs from the 0.5th to the 99.5th percentile.
    """
    grid, array, to_file_voxel = display_volume(volume)
    limits, window = _ranges(array, volume.slope, volume.intercept)
    layer = Layer(
        key=key,
        name=name or volume.name or key,
        role=role,
        array=array,
        look=Look(low=window[0], high=window[1]),
        slope=volume.slope,
        intercept=volume.intercept,
        unit=volume.unit,
        value_range=limits,
        source=volume.source,
        original=Original(volume.raw, to_file_voxel) if grid.resampled else None,
    )
    return grid, layer, to_file_voxel


def overlay_from_volume(volume: Volume, grid: DisplayGrid, *, key: str, name: str = "") -> Layer:
    """Return a volume as an overlay on the display grid of another one."""
    array, original = _brought(volume.raw, volume.affine, grid, labels=False)
    limits, window = _ranges(array, volume.slope, volume.intercept)
    signed = limits[0] < 0 < limits[1]
    high = max(abs(window[0]), abs(window[1])) if signed else window[1]
    low = 0.0 if signed else window[0]
    return Layer(
        key=key,
        name=name or volume.name or key,
        role="overlay",
        array=array,
        look=Look("blue_red" if signed else "hot", low, high or 1.0, 0.7, signed=signed, threshold=0.1 * abs(high)),
        slope=volume.slope,
        intercept=volume.intercept,
        unit=volume.unit,
        value_range=limits,
        source=volume.source,
        original=original,
    )


def layer_from_map(
    item: FieldMap, grid: DisplayGrid, *, key: str, name: str = "", at: Mapping[str, int] | None = None
) -> Layer:
    """Return a map or mask of a result as a layer.

    A mask is shown where it covers, as 1 - m. A signed map gets a zero-centred range on a diverging colour map, an
    input as the network sees it is grey and hides what lies below.

    Parameters
    ----------
    item : FieldMap
        Axes (..., z, y, x).
    at : mapping
        Place on each leading axis; 0 where not named.

    Raises
    ------
    DataError
        The map is no volume.
    """
    if item.axes[-3:] != ("z", "y", "x"):
        raise DataError(f"'{item.title}' has the axes {', '.join(item.axes)}; a volume has z, y, x.")
    at = at or {}
    place = tuple(int(at.get(axis, 0)) for axis in item.axes[:-3])
    # (z, y, x) back to (i, j, k); a view.
    values = np.asarray(item.values)[place].swapaxes(0, 2)
    if item.unit == PART:
        return _layer_of_parts(item, values, grid, key, name)
    array, original = _brought(values, _affine_of(item), grid, labels=False)
    covers = isinstance(item, Mask)
    slope, intercept = (-1.0, 1.0) if covers else (1.0, 0.0)
    limits, window = _ranges(array, slope, intercept)
    labels = [item.coordinates[axis][i] for axis, i in zip(item.axes, place, strict=False) if axis in item.coordinates]
    return Layer(
        key=key,
        name=name or " · ".join([item.title, *labels]),
        role="mask" if covers else "overlay",
        array=array,
        look=_map_look(item, limits, window),
        slope=slope,
        intercept=intercept,
        unit="1 - m" if covers else item.unit,
        value_range=limits,
        source=item.over,
        original=original,
    )


def _layer_of_parts(item: FieldMap, values: Array, grid: DisplayGrid, key: str, name: str) -> Layer:
    """Return numbers of parts as a layer of labels: their size means nothing, colours tell neighbours apart."""
    labels = np.rint(values).astype(np.int32) if values.dtype.kind not in "iu" else values
    array, original = _brought(labels, _affine_of(item), grid, labels=True)
    highest = int(labels.max(initial=0))
    return Layer(
        key=key,
        name=name or item.title,
        role="atlas",
        array=array,
        look=Look("labels", 0.0, float(max(1, highest)), 0.6),
        value_range=(0.0, float(max(1, highest))),
        names={number: f"part {number}" for number in range(1, highest + 1)},
        source=item.over,
        original=original,
    )


def layer_from_atlas(atlas: LabelVolume, grid: DisplayGrid, *, key: str = "atlas", name: str = "") -> Layer:
    """Return an atlas as a layer of labels, nearest neighbour on the display grid."""
    labels = np.asarray(atlas.labels)
    highest = int(labels.max(initial=0))
    if labels.dtype.itemsize > 2 and int(labels.min(initial=0)) >= 0 and highest < 1 << 16:
        # Sixteen bits are drawn by one look-up per voxel.
        labels = labels.astype(np.uint16)
    array, original = _brought(labels, atlas.affine, grid, labels=True)
    return Layer(
        key=key,
        name=name or atlas.name,
        role="atlas",
        array=array,
        look=Look("labels", 0.0, float(max(1, highest)), 0.45, outline=False),
        value_range=(0.0, float(max(1, highest))),
        names=dict(atlas.names),
        source=atlas.source,
        original=original,
    )


def auto_window(layer: Layer) -> tuple[float, float]:
    """Return the display range from the percentiles 0.5 and 99.5; from 0 for a signed layer."""
    _, window = _ranges(layer.array, layer.slope, layer.intercept)
    if layer.look.signed:
        return 0.0, max(abs(window[0]), abs(window[1])) or 1.0
    return window


def sampled(array: Array) -> Array:
    """Return finite numbers from all over an array, at most half a million, 1-D."""
    step = max(1, int(np.ceil((array.size / _SAMPLE) ** (1 / 3))))
    # From the middle of the first block: a stride that begins at 0 sees the border twice.
    part = array[tuple(slice(min(step // 2, n - 1), None, step) for n in array.shape)]
    flat = np.asarray(part).ravel()
    if flat.dtype == np.bool_:  # percentiles need numbers
        flat = flat.view(np.uint8)
    return flat[np.isfinite(flat)] if np.issubdtype(flat.dtype, np.floating) else flat


def _ranges(array: Array, slope: float, intercept: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return (smallest, largest) value and the window, each with a width."""
    flat = sampled(array)
    if flat.size == 0:
        return (0.0, 1.0), (0.0, 1.0)
    numbers = np.array([flat.min(), *np.percentile(flat, [0.5, 99.5]), flat.max()], dtype=np.float64)
    least, low, high, most = sorted(float(v) for v in numbers * slope + intercept)
    if low == high:  # hardly any voxel differs: what little there is must be seen
        low, high = least, most
    if low == high:  # a constant volume is shown in middle grey
        low, high = low - 0.5, high + 0.5
    return (least, most) if least < most else (low, high), (low, high)


def _map_look(item: FieldMap, limits: tuple[float, float], window: tuple[float, float]) -> Look:
    if isinstance(item, Mask):
        return Look("hot", 0.0, 1.0, 0.8, threshold=0.1, alpha_by_magnitude=True)
    if item.unit == INPUT_VALUE:
        # Anatomy as the network sees it: a picture of its own, not a colour over another one.
        return Look("grey", *window)
    if item.signed:
        high = max(abs(window[0]), abs(window[1])) or 1.0
        return Look("blue_red", 0.0, high, 0.8, threshold=0.05 * high, signed=True, alpha_by_magnitude=True)
    low, high = (0.0 if limits[0] >= 0 else window[0]), window[1]
    if high <= low:
        high = low + 1.0
    return Look("hot", low, high, 0.8, threshold=0.1 * abs(high), alpha_by_magnitude=True)


def _affine_of(item: FieldMap) -> Affine:
    if item.affine is not None:
        return np.asarray(item.affine, dtype=np.float64)
    if item.spacing is not None and len(item.spacing) >= 3:
        z, y, x = item.spacing[-3:]
        return np.diag([x, y, z, 1.0]).astype(np.float64)
    return np.eye(4)
