"""All visible layers of one slice in one picture, in numpy: what both canvases show, and screenshots save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.gui.viewer.look_tables import Packed, coloured, coloured_values
from sensiview.gui.viewer.scene import Axis, DisplayGrid, Layer, Options

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]  # (rows from the top, columns from the left, R G B)

# A picture with interpolated layers or outlines has more pixels than the slice has voxels, but never more than this.
_MOST_PIXELS = 700_000
_MOST_PER_VOXEL = 8


def in_plane(axis: Axis) -> tuple[int, int]:
    """Return which display axes run along the picture's columns and rows."""
    across, up = (other for other in (0, 1, 2) if other != axis)
    return across, up


def is_mirrored(axis: Axis, options: Options) -> bool:
    """Say whether the picture's left is the high end of its horizontal axis.

    Axial and coronal: the patient's right is on the left (radiological). Sagittal: the nose is on the left.
    """
    return options.nose_left if axis == 0 else options.radiological


def slice_of(array: Array, axis: Axis, index: int, *, mirrored: bool) -> Array:
    """Return a slice as it is seen: rows from the top down, columns from the left; a view."""
    chosen = (slice(None),) * axis + (index,)
    # The vertical axis runs up (anterior or superior on top), rows run down.
    return array[chosen].T[::-1, :: -1 if mirrored else 1]


def compose(
    layers: Sequence[Layer], grid: DisplayGrid, axis: Axis, index: int, *, mirrored: bool, detail: int = 4
) -> Picture:
    """Return the picture of one slice.

    Parameters
    ----------
    layers : sequence of Layer
        Bottom first; invisible ones are left out.
    index : int
        Slice along `axis`; outside the grid the picture is black.
    detail : int
        Pixels per smallest voxel edge that the screen can show; used where a layer is interpolated or outlined.

    Returns
    -------
    ndarray
        uint8 (rows, columns, 3); rows and columns are whole multiples of the slice's voxels.
    """
    across, up = in_plane(axis)
    shape = grid.shape[up], grid.shape[across]
    shown = [layer for layer in layers if layer.look.visible and layer.look.opacity > 0]
    fine = any(_is_fine(layer) for layer in shown)
    factors = _factors(shape, (grid.spacing[up], grid.spacing[across]), detail) if fine else (1, 1)
    size = shape[0] * factors[0], shape[1] * factors[1]
    picture = np.zeros((*size, 4), np.uint8)
    if not 0 <= index < grid.shape[axis]:
        return np.ascontiguousarray(picture[..., :3])
    for layer in shown:
        part = slice_of(layer.array, axis, index, mirrored=mirrored)
        _blend(picture, _drawn(layer, part, factors).view(np.uint8).reshape(*size, 4))
    return np.ascontiguousarray(picture[..., :3])


def _is_fine(layer: Layer) -> bool:
    return layer.look.outline or (layer.look.interpolate and layer.role != "atlas")


def _factors(shape: tuple[int, int], spacing: tuple[float, float], detail: int) -> tuple[int, int]:
    """Return pixels per voxel along rows and columns, so that pixels are about square."""
    least = min(spacing)
    most = min(_MOST_PER_VOXEL, max(1, detail))
    for base in range(most, 0, -1):
        factors = tuple(min(4 * _MOST_PER_VOXEL, max(1, round(base * mm / least))) for mm in spacing)
        if shape[0] * factors[0] * shape[1] * factors[1] <= _MOST_PIXELS:
            return factors[0], factors[1]
    return 1, 1


def _drawn(layer: Layer, part: Array, factors: tuple[int, int]) -> Packed:
    look = layer.look
    if look.interpolate and layer.role != "atlas":
        raw = _finer(np.asarray(part, dtype=np.float32), factors)
        packed = coloured_values(look, raw, layer.slope, layer.intercept)
        return _outlined(packed, packed) if look.outline else packed
    packed = _repeated(coloured(layer, part), factors)
    if look.outline:
        inside = _repeated(np.ascontiguousarray(part), factors) if layer.role == "atlas" else packed
        return _outlined(packed, inside, labels=layer.role == "atlas")
    return packed


def _repeated(values: Array, factors: tuple[int, int]) -> Array:
    if factors[0] > 1:
        values = np.repeat(values, factors[0], axis=0)
    if factors[1] > 1:
        values = np.repeat(values, factors[1], axis=1)
    return np.ascontiguousarray(values)


def _finer(values: npt.NDArray[np.float32], factors: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Interpolate linearly between voxel centres; beyond the outer centres the outer voxels go on."""
    for axis, factor in enumerate(factors):
        if factor == 1:
            continue
        n = values.shape[axis]
        at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        first = np.minimum(at.astype(int), max(0, n - 2))
        share = (at - first).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        low, high = values.take(first, axis), values.take(np.minimum(first + 1, n - 1), axis)
        values = low + (high - low) * share
    return values


def _outlined(packed: Packed, inside: Array, *, labels: bool = False) -> Packed:
    """Keep what lies at a border: between labels, or between drawn and not drawn; it is drawn opaque."""
    bits = packed.view(np.uint8).reshape(*packed.shape, 4)
    drawn = bits[..., 3] > 0
    marks = np.where(drawn, inside, 0) if labels else drawn
    edge = np.zeros(packed.shape, np.bool_)
    # A voxel belongs to the border where a neighbour is another region or none.
    for axis in (0, 1):
        here = [slice(None)] * 2
        there = [slice(None)] * 2
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        differs = marks[tuple(here)] != marks[tuple(there)]
        edge[tuple(here)] |= differs
        edge[tuple(there)] |= differs
    made = np.zeros_like(bits)
    keep = edge & drawn
    made[keep, :3] = bits[keep, :3]
    made[keep, 3] = 255
    return made.view(np.uint32)[..., 0]


def _blend(below: Picture, above: Picture) -> None:
    """Put a layer over the picture, in place."""
    alpha = above[..., 3]
    drawn = alpha > 0
    if not drawn.any():
        return
    if int(alpha.min()) == 255:
        below[...] = above
        return
    # Only the box that holds something: an overlay often covers little.
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    # All four channels together, which is faster than three of them; nobody reads the fourth of the picture.
    share = above[box][..., 3:].astype(np.uint16)
    mixed = below[box] * (255 - share)
    mixed += above[box] * share
    # Division by 255, rounded, without dividing.
    mixed += 128
    mixed += mixed >> 8
    below[box] = mixed >> 8
