"""A layer's look as one table: from a number to colour and opacity.

Raw numbers of eight or sixteen bits are drawn by one look-up per voxel. All others are brought to `STEPS` levels of
the display range first; level 0 is transparent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.gui.viewer.colour_maps import MOST_LABELS, colour_table, label_table
from sensiview.gui.viewer.scene import Layer, Look

Array = npt.NDArray[Any]
Packed = npt.NDArray[np.uint32]  # R, G, B, A in memory order
STEPS = 1024
_COLOURS = 512


def coloured(layer: Layer, part: Array) -> Packed:
    """Return colour and opacity of a slice's numbers as they are stored, uint32 of the same shape."""
    if part.dtype == np.bool_:
        part = part.view(np.uint8)
    look, kind = layer.look, part.dtype
    if kind.kind in "ui" and kind.itemsize <= 2:
        table = _whole_table(look, layer.slope, layer.intercept, kind.newbyteorder("=").str, layer.role == "atlas")
        if not kind.isnative:
            part = part.astype(kind.newbyteorder("="))
        found: Packed = table[np.ascontiguousarray(part).view(f"u{kind.itemsize}")]
        return found
    if layer.role == "atlas":
        labels = np.ascontiguousarray(part).astype(np.int64)
        rgba = np.zeros((*labels.shape, 4), np.uint8)
        rgba[..., :3] = label_table(MOST_LABELS)[labels % MOST_LABELS]
        rgba[..., 3] = np.where(_shown(look, labels), round(255 * look.opacity), 0)
        return _packed(rgba)
    return coloured_values(look, np.asarray(part, dtype=np.float32), layer.slope, layer.intercept)


def coloured_values(look: Look, raw: npt.NDArray[np.float32], slope: float, intercept: float) -> Packed:
    """Return colour and opacity of numbers that may lie between those that are stored; NaN is transparent."""
    low, high = _ends(look)
    factor = (STEPS - 2) / (high - low)
    raw = np.ascontiguousarray(raw)
    level = raw * np.float32(slope * factor)
    level += np.float32((intercept - low) * factor + 1.5)
    missing = np.isnan(level)
    np.clip(level, 1, STEPS - 1, out=level)
    level[missing] = 0
    index = level.astype(np.uint16)
    if look.threshold > 0:
        centre, reach = -intercept / slope if slope else 0.0, look.threshold / abs(slope) if slope else 0.0
        below = np.abs(raw - np.float32(centre)) < np.float32(reach)
        index[below] = 0
    found: Packed = _level_table(look)[index]
    return found


def colours_of(look: Look, values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return the colour of values without threshold and opacity, uint8 (..., 3): for colour bars."""
    low, high = _ends(look)
    table = colour_table(look.colour_map, _COLOURS)
    if look.inverted:
        table = table[::-1]
    share = np.clip((values - low) / (high - low), 0, 1)
    made: npt.NDArray[np.uint8] = table[(share * (_COLOURS - 1)).round().astype(int)]
    return made


def range_of(look: Look) -> tuple[float, float]:
    """Return the values at both ends of the colour map."""
    return _ends(look)


def _ends(look: Look) -> tuple[float, float]:
    low, high = (-look.high, look.high) if look.signed else (look.low, look.high)
    if high == low:
        return low - 0.5, high + 0.5
    return (low, high) if high > low else (high, low)


def _opacity(look: Look, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    size = np.abs(values)
    if not look.alpha_by_magnitude:
        return np.full(values.shape, look.opacity)
    low, high = max(look.threshold, 0.0), max(abs(look.high), abs(look.low))
    share = np.clip((size - low) / (high - low), 0, 1) if high > low else np.ones_like(size)
    # From a visible fraction on: what passes the threshold can be seen.
    return look.opacity * (0.25 + 0.75 * share)


@lru_cache(maxsize=32)
def _level_table(look: Look) -> Packed:
    low, high = _ends(look)
    values = np.linspace(low, high, STEPS - 1)
    rgba = np.zeros((STEPS, 4), np.uint8)
    rgba[1:, :3] = colours_of(look, values)
    rgba[1:, 3] = (_opacity(look, values) * 255).round()
    return _packed(rgba)


@lru_cache(maxsize=32)
def _whole_table(look: Look, slope: float, intercept: float, kind: str, atlas: bool) -> Packed:
    """Return the table of every number of an integer type, in the order of its bits."""
    dtype = np.dtype(kind)
    numbers = np.arange(1 << (8 * dtype.itemsize), dtype=np.int64).astype(f"u{dtype.itemsize}").view(dtype)
    rgba = np.zeros((len(numbers), 4), np.uint8)
    if atlas:
        labels = numbers.astype(np.int64)
        rgba[:, :3] = label_table(len(numbers))[np.maximum(labels, 0)]
        rgba[:, 3] = np.where(_shown(look, labels), round(255 * look.opacity), 0)
        return _packed(rgba)
    values = numbers.astype(np.float64) * slope + intercept
    rgba[:, :3] = colours_of(look, values)
    rgba[:, 3] = (_opacity(look, values) * 255).round()
    if look.threshold > 0:
        rgba[np.abs(values) < look.threshold, 3] = 0
    return _packed(rgba)


def _shown(look: Look, labels: Array) -> npt.NDArray[np.bool_]:
    shown: npt.NDArray[np.bool_] = labels > 0
    return shown & np.isin(labels, look.only) if look.only else shown


def _packed(rgba: npt.NDArray[np.uint8]) -> Packed:
    return np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
