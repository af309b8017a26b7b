"""What a mosaic of a map over a volume is made of: its layers, its peaks, and where there is something to see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import FieldMap
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.build import layer_from_map, layer_from_volume
from sensiview.gui.viewer.pane_painting import position_text
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look
from sensiview.gui.volume_maps import place_title

if TYPE_CHECKING:
    from sensiview.datasets.volume import Volume


@dataclass(frozen=True, eq=False)
class Entry:
    """One map of the item: its layers, its peak in display voxels (the middle where there is none), its title."""

    layers: tuple[Layer, ...]
    peak: tuple[int, int, int]
    peaked: bool
    title: str


def ground_of(item: FieldMap, underlay: Volume | None) -> tuple[DisplayGrid, Layer | None]:
    """Return the grid that is drawn on, and the anatomy where there is one."""
    from sensiview.datasets.volume import Volume as Plain

    if underlay is not None:
        grid, layer, _ = layer_from_volume(underlay)
        return grid, layer
    shape = np.asarray(item.values).shape[-3:]
    affine = np.asarray(item.affine, dtype=np.float64)
    return layer_from_volume(Plain(np.broadcast_to(np.uint8(0), shape[::-1]), affine, name=item.title))[0], None


def entries_of(item: FieldMap, grid: DisplayGrid, ground: Layer | None, places: list[Any]) -> list[Entry]:
    """Return one entry per place on the axes before z, y, x; all have the same range of colours."""
    layers = [
        layer_from_map(item, grid, key="map", at=dict(zip(item.axes[:-3], place, strict=True))) for place in places
    ]
    # One range for all: a colour means the same in every row.
    high, low = max(layer.look.high for layer in layers), min(layer.look.low for layer in layers)
    threshold = max(layer.look.threshold for layer in layers)
    found = []
    for place, layer in zip(places, layers, strict=True):
        look = replace(layer.look, low=low, high=high, threshold=threshold, opacity=1.0)
        size = magnitude(layer)
        a, b, c = (int(v) for v in np.unravel_index(int(np.argmax(size)), size.shape))
        below = ground or Layer("shape", "", "underlay", (size > 0).astype(np.uint8), Look("grey", 0.0, 5.0))
        value, peaked = layer.value((a, b, c)), bool(size[a, b, c] > 0)
        # Away from an anatomy there is nothing that opacity would let through.
        look = replace(look, alpha_by_magnitude=look.alpha_by_magnitude and ground is not None)
        title = place_title(item, place)
        if peaked:
            where = ", ".join(position_text(mm, axis) for axis, mm in enumerate(grid.mm((a, b, c))))
            peak = f"peak {with_unit_behind(short(value), '' if layer.role == 'mask' else layer.unit)} at {where}"
            title = f"{title}: {peak}" if title else f"P{peak[1:]}"
        else:
            a, b, c = grid.voxel(grid.centre)
            title = f"{title}: zero everywhere" if title else "Zero everywhere"
        found.append(Entry((below, replace(layer, look=look)), (a, b, c), peaked, title))
    return found


def magnitude(layer: Layer) -> npt.NDArray[np.float32]:
    """Return how far each voxel of a layer is from zero, (R, A, S); 0 where it has no value."""
    values = np.asarray(layer.array, dtype=np.float32) * np.float32(layer.slope) + np.float32(layer.intercept)
    found: npt.NDArray[np.float32] = np.nan_to_num(np.abs(values), posinf=0.0)
    return found


def content_box(layer: Layer, grid: DisplayGrid) -> tuple[tuple[int, int], ...]:
    """Return the first and last index along each axis that hold something, with a little room."""
    floor = layer.look.low + 0.05 * (layer.look.high - layer.look.low)
    filled = np.nan_to_num(np.asarray(layer.array, dtype=np.float32) * layer.slope + layer.intercept) > floor
    box = []
    for axis, size in enumerate(grid.shape):
        used = np.flatnonzero(filled.any(axis=tuple(other for other in range(3) if other != axis)))
        spare = max(1, round(0.02 * size))
        box.append((max(0, int(used[0]) - spare), min(size - 1, int(used[-1]) + spare)) if used.size else (0, size - 1))
    return tuple(box)
