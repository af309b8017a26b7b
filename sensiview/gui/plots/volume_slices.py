"""What a mosaic of a map over a volume is made of: its layers, its peaks, and where there is something to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import INPUT_VALUE, PART, FieldMap, Mask
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.build import layer_from_map, layer_from_volume, on_display
from sensiview.gui.viewer.corner_texts import position_text
from sensiview.gui.viewer.geometry import placement, same_grid
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look
from sensiview.gui.volume_maps import place_title

if TYPE_CHECKING:
    from sensiview.datasets.volume import Volume

Below = Callable[[tuple[int, ...]], "tuple[Volume | None, str]"]
Voxel = tuple[int, int, int]
# On paper a slice has a few hundred pixels: of larger volumes every second voxel is drawn, or every third.
MOST_VOXELS = 1 << 25
_LOOKED_AT = 1 << 21
_HIGHEST_THRESHOLD = 0.5  # of the display range


@dataclass(frozen=True, eq=False)
class Entry:
    """One map of the item.

    `layers` from the bottom, `peak` in display voxels (the middle where there is none), `over` the name of the volume
    below (empty without one), `sentence` what must be said of it, or why there is none.
    """

    layers: tuple[Layer, ...]
    peak: Voxel
    peaked: bool
    title: str
    over: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Slices:
    """All maps of the item on the grid of their input, every `step`-th voxel of it.

    `threshold`: smaller magnitudes are not drawn. `is_input`: the item is no map but a volume itself, in grey.
    """

    grid: DisplayGrid
    entries: tuple[Entry, ...]
    step: int
    threshold: float
    is_input: bool


def slices_of(item: FieldMap, places: list[Any], below: Below | None) -> Slices:
    """Return one entry per place on the axes before z, y, x; all have the same range of colours.

    Raises
    ------
    DataError
        The affine is singular or not finite.
    """
    affine = np.asarray(item.affine, dtype=np.float64)
    shape = item.values.shape[-3:][::-1]
    # An oblique map is interpolated: each row of the picture then has arrays of its own in memory.
    rows = len(places) if placement(shape, affine).grid.resampled else 1
    step = _step(int(np.prod(shape)), MOST_VOXELS // max(1, rows))
    thin = replace(item, values=item.values[..., ::step, ::step, ::step], affine=affine @ np.diag([step] * 3 + [1]))
    grid = placement(thin.values.shape[-3:][::-1], np.asarray(thin.affine)).grid
    layers = [
        layer_from_map(thin, grid, key="map", at=dict(zip(item.axes[:-3], place, strict=True))) for place in places
    ]
    is_input, numbered = item.unit == INPUT_VALUE, item.unit == PART
    # One range for all: a colour means the same in every row.
    high, low = max(layer.look.high for layer in layers), min(layer.look.low for layer in layers)
    look = replace(layers[0].look, low=low, high=high, opacity=1.0)
    grounds = [(None, "", "") if is_input else _found(below, tuple(p), grid, shape, step) for p in places]
    look = replace(look, threshold=max(_threshold(la, g[0]) for la, g in zip(layers, grounds, strict=True)))
    if is_input:
        look = Look("grey", low, high)
    if numbered:
        look = layers[0].look
    entries = []
    for place, layer, (below_it, over, sentence) in zip(places, layers, grounds, strict=True):
        name = place_title(item, place)
        drawn = replace(layer, look=look)
        if is_input:
            entries.append(Entry((drawn,), _middle(grid), False, name or "Middle", "", ""))
            continue
        if below_it is None:
            below_it = _shape(layer)
            # Away from an anatomy there is nothing that opacity would let through.
            drawn = replace(layer, look=replace(look, alpha_by_magnitude=False))
        if numbered:  # no number of a part is larger than another
            entries.append(Entry((below_it, drawn), _middle(grid), False, name or "Middle", over, sentence))
            continue
        value, peak = _peak(item.values[tuple(place)], isinstance(item, Mask), affine, grid)
        title = _title(name, value, peak, "" if layer.role == "mask" else layer.unit)
        voxel = _inside(grid.voxel(peak), grid) if peak else _middle(grid)
        entries.append(Entry((below_it, drawn), voxel, peak is not None, title, over, sentence))
    return Slices(grid, tuple(entries), step, look.threshold, is_input)


def _found(
    below: Below | None, place: tuple[int, ...], grid: DisplayGrid, shape: tuple[int, ...], step: int
) -> tuple[Layer | None, str, str]:
    """Return the layer of the anatomy, its name, and what must be said of it."""
    volume, sentence = below(place) if below is not None else (None, "")
    if volume is None:
        return None, "", sentence
    layer = _ground(volume, grid, step if volume.grid.shape == shape else None)
    if layer is None:
        return None, "", f"'{volume.name}' lies elsewhere than this map, so it is not drawn below."
    return layer, volume.name, sentence


def _middle(grid: DisplayGrid) -> Voxel:
    return _inside(grid.voxel(grid.centre), grid)


def _inside(voxel: Voxel, grid: DisplayGrid) -> Voxel:
    a, b, c = (min(max(v, 0), n - 1) for v, n in zip(voxel, grid.shape, strict=True))
    return a, b, c


def _threshold(layer: Layer, ground: Layer | None) -> float:
    """Return from which magnitude on a map is drawn: so that it hides a quarter of the anatomy at most.

    A mask is drawn from where it covers, and a map that is zero in most places as it is.
    """
    if layer.role == "mask" or ground is None:
        return layer.look.threshold
    size = np.abs(_looked_at(layer))[_filled(_looked_at(ground), ground.look)]
    usual = float(np.percentile(np.nan_to_num(size, posinf=0.0), 75)) if size.size else 0.0
    return max(layer.look.threshold, min(usual, _HIGHEST_THRESHOLD * layer.look.high))


def _stride(layer: Layer) -> int:
    return max(1, int(np.ceil((layer.array.size / _LOOKED_AT) ** (1 / 3))))


def _looked_at(layer: Layer) -> npt.NDArray[np.float32]:
    """Return values of a layer from all over it, at most two million."""
    step = _stride(layer)
    part = np.asarray(layer.array[::step, ::step, ::step], dtype=np.float32)
    return part * np.float32(layer.slope) + np.float32(layer.intercept)


def _filled(values: npt.NDArray[np.float32], look: Look) -> npt.NDArray[np.bool_]:
    """Say where something is brighter than black."""
    found: npt.NDArray[np.bool_] = np.nan_to_num(values) > look.low + 0.05 * (look.high - look.low)
    return found


def _step(voxels: int, most: int) -> int:
    return max(1, int(np.ceil((voxels / most) ** (1 / 3) - 1e-9)))


def _ground(volume: Volume, grid: DisplayGrid, step: int | None) -> Layer | None:
    """Return a volume on the grid of the map; None where nothing of it lies there."""
    step = step or _step(volume.raw.size, MOST_VOXELS)
    thin = replace(volume, raw=volume.raw[::step, ::step, ::step], affine=volume.affine @ np.diag([step] * 3 + [1]))
    own, layer, _ = layer_from_volume(thin)
    if same_grid(own, grid):
        return layer
    array = on_display(thin.raw, thin.affine, grid, labels=False)
    return replace(layer, array=array, original=None) if np.isfinite(array).any() else None


def _shape(layer: Layer) -> Layer:
    """Return in grey where a map is not zero."""
    filled = np.zeros(layer.array.shape, np.uint8)
    for index in range(len(filled)):
        with np.errstate(invalid="ignore"):
            filled[index] = np.abs(layer.array[index] * np.float32(layer.slope) + np.float32(layer.intercept)) > 0
    return Layer("shape", "", "underlay", filled, Look("grey", 0.0, 5.0))


def _peak(
    values: npt.NDArray[Any], covers: bool, affine: npt.NDArray[np.float64], grid: DisplayGrid
) -> tuple[float, tuple[float, float, float] | None]:
    """Return the value farthest from zero (of a mask 1 - m) and its place in mm; None where all is zero."""
    best, found, place = 0.0, 0.0, None
    for z, plane in enumerate(values):  # one at a time: no copy of the whole
        shown = 1.0 - plane.astype(np.float32) if covers else plane.astype(np.float32)
        size = np.nan_to_num(np.abs(shown), nan=0.0, posinf=0.0)
        at = int(size.argmax())
        if size.flat[at] > best:
            y, x = np.unravel_index(at, size.shape)
            best, found, place = float(size.flat[at]), float(shown.flat[at]), (int(x), int(y), z)
    if place is None:
        return 0.0, None
    r, a, s = (float(mm) for mm in (affine @ [*place, 1.0])[:3])
    # Where the grid is as it is stored, rounding of the affine must not show.
    return found, (r, a, s) if grid.resampled else _snapped((r, a, s), grid)


def _snapped(mm: tuple[float, float, float], grid: DisplayGrid) -> tuple[float, float, float]:
    at = [(m - o) / s for m, o, s in zip(mm, grid.origin, grid.spacing, strict=True)]
    near = [round(v, 3) for v in at]
    return grid.mm((near[0], near[1], near[2]))


def _title(name: str, value: float, peak: tuple[float, float, float] | None, unit: str) -> str:
    if peak is None:
        return f"{name}: zero everywhere" if name else "Zero everywhere"
    where = ", ".join(position_text(mm, axis) for axis, mm in enumerate(peak))
    told = f"peak {with_unit_behind(short(value), unit)} at {where}"
    return f"{name}: {told}" if name else f"P{told[1:]}"


def content_box(slices: Slices) -> tuple[tuple[int, int], ...]:
    """Return the first and last index along each axis that hold something in any row, with a little room."""
    low, high = list(slices.grid.shape), [-1, -1, -1]
    for entry in slices.entries:
        layer = entry.layers[0]
        filled, step = _filled(_looked_at(layer), layer.look), _stride(layer)
        for axis in range(3):
            used = np.flatnonzero(filled.any(axis=tuple(other for other in range(3) if other != axis))) * step
            if used.size:
                low[axis], high[axis] = min(low[axis], int(used[0])), max(high[axis], int(used[-1]) + step - 1)
            if entry.peaked:
                low[axis], high[axis] = min(low[axis], entry.peak[axis]), max(high[axis], entry.peak[axis])
    box = []
    for axis, size in enumerate(slices.grid.shape):
        spare = max(1, round(0.02 * size))
        box.append((max(0, low[axis] - spare), min(size - 1, high[axis] + spare)) if high[axis] >= 0 else (0, size - 1))
    return tuple(box)


def notes_of(slices: Slices, left_out: int) -> list[str]:
    """Return what must be known of the picture: sides, the anatomy below or why there is none, what is left out."""
    told = ["The patient's right is on the left of axial and coronal slices; mm in the space of the volume."]
    over = {entry.over: entry.sentence for entry in slices.entries if entry.over}
    words = list(dict.fromkeys(entry.sentence for entry in slices.entries if entry.sentence))
    if not over and not slices.is_input:
        told.append("Grey: where the map is not zero.")
    elif len(over) > 1:
        told.append("Each over its own subject.")
    elif over and not any(over.values()):
        told.append(f"Over {next(iter(over))}.")
    told += words
    if slices.threshold > 0:
        told.append(f"What is smaller than {short(slices.threshold)} is not drawn.")
    if slices.grid.resampled:
        told.append("Oblique: resampled for display.")
    if slices.step > 1:
        told.append(
            f"Of each axis every {slices.step}th voxel is drawn."
            if slices.step > 3
            else f"Of each axis every {'second' if slices.step == 2 else 'third'} voxel is drawn."
        )
    if left_out:
        told.append(f"{left_out} more are not drawn.")
    return told
