"""The parts of an input that are the factors of a screening: where each lies, and its outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sensiview.analysis.items import Array, FieldMap, ImageSeries, IndexTable, Item
from sensiview.gui.plots.image_colouring import as_picture, picture_limits

_PARTS, _FACTORS, _INPUT = "parts", "factors", "input"


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of one image.

    Parameters
    ----------
    labels : ndarray
        int64 (y, x), number of the part of each pixel from 1; 0 belongs to none.
    picture : ndarray or None
        uint8 (y, x, 3), the image; None where the result does not hold it.
    numbers : dict
        Number by name of the factor.
    """

    labels: Array
    picture: Array | None
    numbers: Mapping[str, int]


def parts_of(items: Mapping[str, Item], key: str, place: str) -> Parts | None:
    """Return the parts of the input `place` of the key `key` (``image``); None where a result has none in a plane.

    Rows that average over inputs (``mean``) are shown over the first one.
    """
    item = items.get(_PARTS)
    if not isinstance(item, FieldMap) or item.axes[-2:] != ("y", "x") or len(item.axes) > 3:
        return None
    if len(item.axes) == 3 and item.axes[0] not in (key, "image"):
        return None  # whole channels: nothing to outline
    at = 0
    if len(item.axes) == 3:
        labels = item.coordinates.get(item.axes[0], ())
        at = labels.index(place) if place in labels else 0
    plane = np.asarray(item.values[at] if len(item.axes) == 3 else item.values)
    return Parts(plane.astype(np.int64), _picture(items, place, plane.shape), numbers_of(items, key, place))


def numbers_of(items: Mapping[str, Item], key: str, place: str) -> dict[str, int]:
    """Return the number in `parts` by name of the factor, of one input."""
    item = items.get(_FACTORS)
    if not isinstance(item, IndexTable) or "number" not in item.frame:
        return {}
    frame = item.frame
    if key in frame:
        mine = frame[frame[key].astype(str) == place]
        # Averages over inputs have the parts that all inputs share.
        frame = mine if len(mine) else frame[frame[key].astype(str) == str(frame[key].iloc[0])] if len(frame) else frame
    return {str(name): int(number) for name, number in zip(frame["factor"], frame["number"], strict=True)}


def outline(labels: Array) -> Array:
    """Return the lines between pixels of different parts, float64 (lines, 4): x and y of both ends, in pixels.

    Edges that go on are one line, so that a grid of cells has a line per side and not one per pixel.
    """
    framed = np.pad(labels, 1)
    across = framed[1:-1, 1:] != framed[1:-1, :-1]  # (y, x + 1): left of pixel x
    down = framed[1:, 1:-1] != framed[:-1, 1:-1]  # (y + 1, x): above pixel y
    upright = _runs(across.T)
    flat = _runs(down)
    return np.concatenate([upright[:, [0, 1, 0, 2]], flat[:, [1, 0, 2, 0]]]).astype(np.float64)


def _runs(edges: Array) -> Array:
    """Return runs of True along the rows, int64 (runs, 3): row, first, one after the last."""
    padded = np.pad(edges.astype(np.int8), ((0, 0), (1, 1)))
    change = np.diff(padded, axis=1)
    rows, first = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    return np.stack([rows, first, last], axis=1)


def _picture(items: Mapping[str, Item], place: str, shape: tuple[int, ...]) -> Array | None:
    series = items.get(_INPUT)
    if not isinstance(series, ImageSeries) or not series.labels or series.values.shape[1:3] != shape:
        return None
    frame = series.labels.index(place) if place in series.labels else 0
    return as_picture(np.asarray(series.values[frame]), picture_limits(np.asarray(series.values)))
