"""The numbers of the table of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sensiview.gui.viewer.panels.readout import shortened
from sensiview.gui.viewer.scene import DisplayGrid, Layer

if TYPE_CHECKING:
    import pandas as pd


def measure(layer: Layer, atlas: Layer, grid: DisplayGrid) -> pd.DataFrame:
    """Return the table of regions of a layer on the display grid; see `sensiview.numerics.regions.region_table`.

    The strength of a map is its magnitude, of a mask its coverage 1 - m, which is what its layer's values are.
    """
    from sensiview.numerics.regions import region_table

    values = np.asarray(layer.array, dtype=np.float32) * np.float32(layer.slope) + np.float32(layer.intercept)
    threshold = 0.5 if layer.role == "mask" else (layer.look.threshold or None)
    return region_table(values, np.asarray(atlas.array), atlas.names, grid.affine, kind="map", threshold=threshold)


def explained(layer: Layer) -> str:
    """Return what density and share mean for a layer."""
    what = "coverage 1 - m" if layer.role == "mask" else "magnitude"
    return f"Density is the mean {what}; the share of the region counts voxels above the threshold."


def sources(layers: Sequence[Layer]) -> list[tuple[str, str]]:
    """Return (text, ``layer key TAB atlas key``) of every table that can be counted, maps before the anatomy."""
    atlases = [layer for layer in layers if layer.role == "atlas"]
    maps = [layer for layer in reversed(layers) if layer.role in ("overlay", "mask")]
    anatomy = [layer for layer in layers if layer.role == "underlay"]
    return [
        (f"{shortened(layer.name)} in {shortened(atlas.name)}", f"{layer.key}\t{atlas.key}")
        for layer in (*maps, *anatomy)
        for atlas in atlases
    ]
