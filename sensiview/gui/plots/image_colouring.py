"""Maps as colours, alone or over the image that they explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg

from sensiview.analysis.items import Array, ImageSeries
from sensiview.gui.plots.colours import lookup_table, to_indices
from sensiview.gui.themes import Theme

# Names of colour maps for values without sign; the first is the theme's own.
SEQUENTIAL = ("theme", "viridis", "inferno", "magma", "grey", "turbo")
DIVERGING = ("theme", "blue to red", "purple to green")
_KNOWN = {"blue to red": "CET-D1A", "purple to green": "CET-D2", "turbo": "CET-R4", "grey": "CET-L1"}


@dataclass(frozen=True)
class Look:
    """How a map is drawn.

    Parameters
    ----------
    colours : str
        One of `SEQUENTIAL` or `DIVERGING`.
    opacity : float
        Of the map over its image, 0 to 1.
    threshold : float
        Share of the scale below which nothing is drawn, 0 to 1.
    fading : bool
        Weak values let more of the image through.
    """

    colours: str = "theme"
    opacity: float = 0.6
    threshold: float = 0.0
    fading: bool = True


def table_of(name: str, theme: Theme, *, signed: bool) -> Array:
    """Return a colour map as uint8 (256, 3)."""
    if name in ("", "theme"):
        return lookup_table(theme, signed=signed)
    found: Array = pg.colormap.get(_KNOWN.get(name, name)).getLookupTable(nPts=256, alpha=False)
    return found.astype(np.uint8)


def coloured(
    values: Array,
    limits: tuple[float, float],
    table: Array,
    look: Look,
    *,
    signed: bool,
    below: Array | None,
    none: Array,
) -> Array:
    """Return a map as uint8 (y, x, 3).

    Parameters
    ----------
    values : ndarray
        (y, x).
    limits : (float, float)
        Ends of the colour map.
    table : ndarray
        uint8 (256, 3).
    look : Look
    signed : bool
    below : ndarray or None
        uint8 (y, x, 3), the image; None draws the map alone.
    none : ndarray
        uint8 (3,): colour of what has no value.
    """
    indices = to_indices(values.astype(np.float64), limits)
    colour = table[np.clip(indices, 0, 255)].astype(np.float32)
    reach = max(abs(limits[0]), abs(limits[1])) or 1.0
    strength = np.clip(np.abs(np.nan_to_num(values)) / reach, 0, 1)
    known = (indices >= 0) & (strength >= look.threshold)
    if below is None:
        alone: Array = np.where(known[..., None], colour, none.astype(np.float32)).astype(np.uint8)
        return alone
    # Half of the scale is drawn in full: most maps have a few peaks and would be pale otherwise.
    weight = np.clip(2 * strength, 0, 1) if look.fading else np.ones_like(strength)
    alpha = np.where(known, look.opacity * weight, 0.0)[..., None]
    over: Array = (alpha * colour + (1 - alpha) * below).round().astype(np.uint8)
    return over


def as_picture(values: Array, limits: tuple[float, float]) -> Array:
    """Return an image (y, x, channel) as uint8 (y, x, 3): one channel is grey, of more than three the first ones."""
    pixels = np.asarray(values)
    if pixels.dtype != np.uint8:
        low, high = limits
        pixels = (np.clip((np.nan_to_num(pixels) - low) / ((high - low) or 1.0), 0, 1) * 255).round().astype(np.uint8)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    if pixels.shape[2] == 2:
        return np.repeat(pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return pixels[:, :, :3]


def picture_limits(values: Array) -> tuple[float, float]:
    """Return black and white of pictures: [0, 1] where they stay in it, else what they reach."""
    if values.dtype == np.uint8 or not values.size:
        return 0.0, 1.0
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low, low + 1.0)


def frame_for(series: ImageSeries, labels: tuple[str, ...], at: int) -> int | None:
    """Return the frame of a series that a place on an axis belongs to; None where they don't go together."""
    if len(series.labels) == 1:
        return 0
    if at < len(labels) and labels[at] in series.labels and len(set(series.labels)) == len(series.labels):
        return series.labels.index(labels[at])
    return at if len(labels) == len(series.labels) else None
