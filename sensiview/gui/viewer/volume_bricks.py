"""Volumes made small enough to be drawn from any side: bytes along superior, anterior, right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.gui.viewer.look_tables import colours_of, range_of
from sensiview.gui.viewer.scene import DisplayGrid, Layer

Rendering = Literal["mip", "attenuated_mip", "translucent", "iso"]
_OVERLAYS = 2  # at most so many above the underlay: each one costs as much time


@dataclass(frozen=True, eq=False)
class Look3D:
    """How a brick is drawn: colours (n, 4) in [0, 1] from byte 0 to 255, and the way rays add them up."""

    name: str
    colours: npt.NDArray[np.float64]
    rendering: Rendering
    opacity: float = 1.0
    threshold: float = 0.3  # of a surface, in bytes


@dataclass(frozen=True, eq=False)
class Brick:
    """One volume for the 3-D pane.

    Parameters
    ----------
    values : ndarray
        uint8 (S, A, R); 0 is empty.
    scale, corner : tuple
        Spacing and centre of the first voxel, in mm along S, A, R.
    is_ground : bool
        The underlay, which is cut at the crosshair.
    """

    key: str
    values: npt.NDArray[np.uint8]
    scale: tuple[float, float, float]
    corner: tuple[float, float, float]
    look: Look3D
    is_ground: bool


def make_bricks(layers: Sequence[Layer], grid: DisplayGrid, rendering: Rendering, most: int) -> list[Brick]:
    """Return the lowest visible underlay and the topmost overlays, no edge longer than `most` voxels."""
    shown = [layer for layer in layers if layer.look.visible and layer.role != "atlas"]
    ground = [layer for layer in shown if layer.role == "underlay"][:1]
    above = [layer for layer in shown if layer.role != "underlay"][-_OVERLAYS:]
    return [_brick(layer, grid, rendering, most, ground=layer in ground) for layer in (*ground, *above)]


def _brick(layer: Layer, grid: DisplayGrid, rendering: Rendering, most: int, *, ground: bool) -> Brick:
    # About the same step in mm along all axes, so that thick slices keep all of theirs.
    longest = max(n * mm for n, mm in zip(grid.shape, grid.spacing, strict=True))
    sizes = zip(grid.shape, grid.spacing, strict=True)
    steps = tuple(max(1, round(longest / most / mm), -(-n // most)) for n, mm in sizes)
    # An overlay keeps its peaks: the largest of every block; the anatomy its mean.
    values = _scaled(layer, _reduced(layer.array, steps, mean=ground))
    scale = tuple(step * mm for step, mm in zip(steps, grid.spacing, strict=True))
    corner = tuple(o + (step - 1) / 2 * mm for o, step, mm in zip(grid.origin, steps, grid.spacing, strict=True))
    return Brick(
        key=layer.key,
        values=np.ascontiguousarray(values.transpose(2, 1, 0)),
        scale=(scale[2], scale[1], scale[0]),
        corner=(corner[2], corner[1], corner[0]),
        look=_look(layer, rendering, ground=ground),
        is_ground=ground,
    )


def _reduced(array: npt.NDArray[Any], steps: tuple[int, ...], *, mean: bool) -> npt.NDArray[np.float32]:
    """Return one number per block of voxels, float32; only slabs of the array are in memory at a time."""
    if all(step == 1 for step in steps):
        return np.asarray(array, dtype=np.float32)
    shape = tuple(-(-n // step) for n, step in zip(array.shape, steps, strict=True))
    made = np.empty(shape, np.float32)
    for place in range(shape[0]):
        slab = np.asarray(array[place * steps[0] : (place + 1) * steps[0]], dtype=np.float32)
        for axis in (2, 1, 0):
            starts = np.arange(0, slab.shape[axis], steps[axis])
            if mean:
                counts = np.diff([*starts, slab.shape[axis]]).astype(np.float32)
                form = [1, 1, 1]
                form[axis] = -1
                slab = (np.add.reduceat(slab, starts, axis=axis) / counts.reshape(form)).astype(np.float32)
            else:
                slab = _largest(slab, starts, axis)
        made[place] = slab[0]
    return made


def _largest(slab: npt.NDArray[np.float32], starts: npt.NDArray[np.int_], axis: int) -> npt.NDArray[np.float32]:
    high: npt.NDArray[np.float32] = np.fmax.reduceat(slab, starts, axis=axis)
    low = np.fmin.reduceat(slab, starts, axis=axis)
    return np.where(np.abs(low) > np.abs(high), low, high)


def _scaled(layer: Layer, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return bytes over the display range; what is below the threshold or missing is 0."""
    value = raw * np.float32(layer.slope) + np.float32(layer.intercept)
    low, high = range_of(layer.look)
    if layer.look.signed:  # the size is what can be seen through a volume
        value, low = np.abs(value), 0.0
    share = np.clip((value - low) / (high - low), 0, 1)
    share[~np.isfinite(share) | (np.abs(value) < layer.look.threshold)] = 0
    scaled: npt.NDArray[np.uint8] = (share * 255).astype(np.uint8)
    return scaled


def _look(layer: Layer, rendering: Rendering, *, ground: bool) -> Look3D:
    look = layer.look
    low, high = range_of(look)
    share = np.linspace(0, 1, 64)
    colours = np.ones((64, 4))
    if ground:
        colours[:, :3] = share[:, None]
        colours[:, 3] = share**1.5 * 0.35 if rendering == "translucent" else np.minimum(1, share * 4)
    else:
        values = share * high if look.signed else low + share * (high - low)
        colours[:, :3] = colours_of(look, values) / 255
        # Dark ends of colour maps would be lost on the black ground.
        colours[:, :3] = np.maximum(colours[:, :3], 0.25 * colours_of(look, values[-1:]) / 255)
        colours[:, 3] = np.where(share > 0, 0.4 + 0.6 * share, 0)
    colours[0] = 0
    kind = rendering if ground else "mip"
    name = f"{layer.key}-{hash((look, rendering)) & 0xFFFFFFFF:x}"
    return Look3D(name, colours, kind, 1.0 if ground else max(0.05, look.opacity), 255 * 0.25)
