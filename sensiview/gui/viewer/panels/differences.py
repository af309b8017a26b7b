"""What a comparison of two maps is made of: their difference, a ground without anatomy, places of regions."""

from __future__ import annotations

import numpy as np

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.gui.viewer.panels import landmarks
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look, Millimetres

DIFFERENCE = "difference"  # key of the layer


def difference_layer(first: Layer, second: Layer, grid: DisplayGrid) -> Layer:
    """Return A - B of two layers on one grid, signed about zero, float32; NaN where one of them has no value."""
    assert first.array.shape == second.array.shape == grid.shape
    values = np.asarray(first.array, dtype=np.float32) * np.float32(first.slope) + np.float32(first.intercept)
    values -= np.asarray(second.array, dtype=np.float32) * np.float32(second.slope) + np.float32(second.intercept)
    finite = values[np.isfinite(values)]
    reach = float(np.abs(finite).max(initial=0.0))
    sizes = np.abs(finite[finite != 0])
    high = float(np.percentile(sizes, 99.5)) if sizes.size else 1.0
    unit = first.unit if first.unit == second.unit else ""
    return Layer(
        key=DIFFERENCE,
        name=f"{first.name} - {second.name}",
        role="overlay",
        array=values,
        look=Look("blue_red", 0.0, high or 1.0, 0.8, threshold=0.05 * high, signed=True, visible=False),
        unit=unit,
        value_range=(-reach, reach) if reach else (-1.0, 1.0),
    )


def empty_volume(item: FieldMap) -> Volume:
    """Return a black volume on a map's grid: two maps can be compared without an anatomy."""
    shape = np.asarray(item.values).shape[-3:]
    affine = np.eye(4) if item.affine is None else np.asarray(item.affine, dtype=np.float64)
    return Volume(np.broadcast_to(np.uint8(0), shape[::-1]), affine, name="No anatomy")


def region_places(layers: tuple[Layer, ...], grid: DisplayGrid) -> dict[str, Millimetres]:
    """Return a place in each region of the first atlas among layers, by name."""
    atlas = next((layer for layer in layers if layer.role == "atlas"), None)
    return {place.name: place.mm for _, place in landmarks.regions(atlas, grid)} if atlas is not None else {}
