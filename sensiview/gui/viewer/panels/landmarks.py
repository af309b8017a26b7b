"""Places worth going to: the peak of a map, its local peaks and clusters, the regions of an atlas.

Nothing here touches a widget, so that panels may ask in a background thread. Arrays of a scene are never copied
whole: a map of a thousand voxels each way is worked through in slabs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensiview.gui.viewer.scene import DisplayGrid, Layer, Millimetres

Voxel = tuple[int, int, int]
_SLAB = 1 << 22  # voxels worked on at a time
_APART_MM = 8.0  # local peaks nearer than this count once, the habit of SPM's tables
_MOST = 500


@dataclass(frozen=True)
class Landmark:
    """A named place.

    Parameters
    ----------
    name : str
        For the read-out: ``local peak 3 of 12``, a region's name.
    mm : tuple of float
        RAS mm.
    value : float
        Of the map there, in its unit; NaN for regions.
    voxels : int
        Extent of a cluster or region on the display grid; 1 for peaks.
    """

    name: str
    mm: Millimetres
    value: float = float("nan")
    voxels: int = 1


def peak(layer: Layer, grid: DisplayGrid) -> Landmark | None:
    """Return where the magnitude of a layer's value is largest; None when no voxel has a finite value."""
    best, place = -1.0, None
    for start, slab in value_slabs(layer):
        size = np.where(np.isfinite(slab), np.abs(slab), -1.0)
        at = int(size.argmax())
        if size.flat[at] > best:
            best = float(size.flat[at])
            first, second, third = (int(v) for v in np.unravel_index(at, slab.shape))
            place = (first + start, second, third)
    if place is None:
        return None
    return Landmark(f"peak of {layer.name}", grid.mm(place), layer.value(place))


def local_peaks(layer: Layer, grid: DisplayGrid, apart_mm: float = _APART_MM) -> tuple[Landmark, ...]:
    """Return the local maxima of the magnitude above the layer's threshold, largest first.

    A voxel counts when it is the largest of its 3 x 3 x 3 neighbourhood; of two nearer than `apart_mm` the larger
    counts. At most 500.
    """
    from scipy import ndimage

    threshold = max(layer.look.threshold, 0.0)
    boxed = _above(layer, threshold)
    if boxed is None:
        return ()
    offset, size = boxed
    highest = (ndimage.maximum_filter(size, size=3, mode="constant") == size) & (size > 0)
    places = np.argwhere(highest)
    order = np.argsort(-size[highest], kind="stable")
    spacing = np.asarray(grid.spacing)
    kept: list[npt.NDArray[np.int64]] = []
    for place in places[order]:
        if kept and (np.linalg.norm((np.asarray(kept) - place) * spacing, axis=1) < apart_mm).any():
            continue
        kept.append(place)
        if len(kept) == _MOST:
            break
    return tuple(
        Landmark(f"local peak {n} of {len(kept)}", grid.mm(voxel), layer.value(voxel))
        for n, voxel in enumerate((_shifted(place, offset) for place in kept), start=1)
    )


def clusters(layer: Layer, grid: DisplayGrid) -> tuple[Landmark, ...]:
    """Return the peak of every connected part (26 neighbours) above the threshold, largest part first.

    At most 500.
    """
    from scipy import ndimage

    boxed = _above(layer, max(layer.look.threshold, 0.0))
    if boxed is None:
        return ()
    offset, size = boxed
    parts, count = ndimage.label(size > 0, structure=np.ones((3, 3, 3), dtype=int))
    extents = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-extents, kind="stable")[:_MOST]
    tops = ndimage.maximum_position(size, parts, order + 1)
    found = []
    for n, (part, top) in enumerate(zip(order, tops, strict=True), start=1):
        voxel = _shifted(np.asarray(top), offset)
        found.append(Landmark(f"cluster {n} of {count}", grid.mm(voxel), layer.value(voxel), int(extents[part])))
    return tuple(found)


def regions(atlas: Layer, grid: DisplayGrid) -> tuple[tuple[int, Landmark], ...]:
    """Return (label, place) of every region that the atlas has on this grid, by label.

    The place is the region's voxel nearest to its centroid, so that it lies inside bent regions too.
    """
    from scipy import ndimage

    labels = np.ascontiguousarray(atlas.array)
    if labels.dtype.kind not in "iu":
        labels = labels.astype(np.int32)
    spacing = np.asarray(grid.spacing)
    found = []
    boxes: Sequence[tuple[slice, ...] | None] = ndimage.find_objects(labels)
    for index, box in enumerate(boxes):
        if box is None:
            continue  # a number without voxels
        label = index + 1
        inside = np.argwhere(labels[box] == label)
        off = (inside - inside.mean(axis=0)) * spacing
        nearest = inside[int((off**2).sum(axis=1).argmin())]
        voxel = _shifted(nearest, (box[0].start, box[1].start, box[2].start))
        found.append((label, Landmark(atlas.names.get(label, f"label {label}"), grid.mm(voxel), voxels=len(inside))))
    return tuple(found)


def value_slabs(layer: Layer) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield (first index across R, values as float32) a few sagittal slices at a time."""
    across = max(1, int(np.prod(layer.array.shape[1:])))
    step = max(1, _SLAB // across)
    for start in range(0, layer.array.shape[0], step):
        part = np.asarray(layer.array[start : start + step], dtype=np.float32)
        yield start, part * np.float32(layer.slope) + np.float32(layer.intercept)


def _above(layer: Layer, threshold: float) -> tuple[Voxel, npt.NDArray[np.float32]] | None:
    """Return the box of voxels whose magnitude reaches the threshold, and magnitudes in it, 0 below; None if empty."""
    low, high = [np.iinfo(np.int64).max] * 3, [-1] * 3
    kept: list[tuple[int, npt.NDArray[np.float32]]] = []
    for start, slab in value_slabs(layer):
        size = np.abs(slab)
        size[~np.isfinite(size) | (size < threshold)] = 0.0
        kept.append((start, size))
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            used = np.flatnonzero((size > 0).any(axis=others))
            if used.size:
                shift = start if axis == 0 else 0
                low[axis] = min(low[axis], int(used[0]) + shift)
                high[axis] = max(high[axis], int(used[-1]) + shift)
    if high[0] < 0:
        return None
    rows = np.concatenate([size for _, size in kept])
    box = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
    return (low[0], low[1], low[2]), rows[box]


def _shifted(place: npt.NDArray[np.int64], offset: Voxel) -> Voxel:
    first, second, third = (int(p) + o for p, o in zip(place, offset, strict=True))
    return first, second, third
