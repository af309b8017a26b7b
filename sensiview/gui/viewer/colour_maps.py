"""Colour maps of layers as look-up tables, and the colours of atlas labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.uint8]

# Stops from low to high. The order is that of menus.
_STOPS: Mapping[str, tuple[str, ...]] = {
    "grey": ("#000000", "#ffffff"),
    "hot": ("#6a0000", "#d81e00", "#ff7a00", "#ffc02e", "#ffef8a"),
    "red": ("#3a0000", "#ff3b30", "#ffd5d1"),
    "orange": ("#3a1a00", "#ff9500", "#ffe8c7"),
    "green": ("#00300f", "#2ed158", "#d6ffe0"),
    "cyan": ("#002a38", "#22c7e8", "#dcf9ff"),
    "blue": ("#00143f", "#2f7bff", "#d8e6ff"),
    "violet": ("#23003f", "#b15cff", "#f1e2ff"),
    "bone": ("#000000", "#545474", "#a9c8c8", "#ffffff"),
}
_NAMED: Mapping[str, str] = {
    "viridis": "viridis", "plasma": "plasma", "inferno": "inferno", "magma": "magma", "cividis": "cividis",
    "turbo": "turbo", "rainbow": "CET-R1",
}  # fmt: skip
# Negative values to the left; the middle is dark, so that it does not glare on an anatomy of greys.
_DIVERGING: Mapping[str, tuple[str, ...]] = {
    "blue_red": ("#d4f1ff", "#3aa0ff", "#0a3fb8", "#101018", "#b81a0a", "#ff7a1a", "#fff0b8"),
    "green_violet": ("#e0ffd9", "#3fcf5a", "#0a6a2a", "#101018", "#6a1a9a", "#c96cff", "#f6e3ff"),
    "cool_warm": ("#3b4cc0", "#8db0fe", "#dddddd", "#f49a7b", "#b40426"),
}
SEQUENTIAL = (*_STOPS, *(name for name in _NAMED))
DIVERGING = tuple(_DIVERGING)
LABELS = "labels"
MOST_LABELS = 1 << 16  # beyond them colours come again
_TITLES = {"blue_red": "Blue – red", "green_violet": "Green – violet", "cool_warm": "Blue – white – red"}


def names(*, signed: bool) -> tuple[str, ...]:
    """Return the colour maps to choose from."""
    return DIVERGING if signed else SEQUENTIAL


def title(name: str) -> str:
    """Return the name that people read."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


@cache
def colour_table(name: str, steps: int = 256) -> Table:
    """Return a colour map from low to high, uint8 (steps, 3); an unknown name gives grey."""
    stops = _STOPS.get(name) or _DIVERGING.get(name)
    if stops is None and name in _NAMED:
        import pyqtgraph as pg

        found: npt.NDArray[Any] = pg.colormap.get(_NAMED[name]).getLookupTable(nPts=steps, alpha=False)
        table = found.astype(np.uint8)
    else:
        table = _between(stops or _STOPS["grey"], steps)
    table.setflags(write=False)
    return table


@cache
def label_table(count: int) -> Table:
    """Return colours for labels 0 ... count - 1, uint8 (count, 3): neighbouring numbers are far apart."""
    # The golden angle never comes back to a hue it had; three levels of lightness tell close hues apart.
    numbers = np.arange(count)
    hue = (numbers * 0.61803398875) % 1.0
    value = np.array([1.0, 0.8, 0.9])[numbers % 3]
    saturation = np.array([0.75, 0.9, 0.55])[(numbers // 3) % 3]
    sector = (hue[:, None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    channel = np.clip(np.abs(sector - 3) - 1, 0, 1)
    table: Table = (value[:, None] * (1 - saturation[:, None] * (1 - channel)) * 255).round().astype(np.uint8)
    table[:1] = 0
    table.setflags(write=False)
    return table


def label_colour(label: int) -> tuple[int, int, int]:
    """Return the colour of one label, as in `label_table`."""
    r, g, b = label_table(MOST_LABELS)[label % MOST_LABELS]
    return int(r), int(g), int(b)


def _between(stops: tuple[str, ...], steps: int) -> Table:
    colours = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], dtype=np.float64)
    at = np.linspace(0, len(stops) - 1, steps)
    channels = [np.interp(at, np.arange(len(stops)), colours[:, k]) for k in range(3)]
    table: Table = np.stack(channels, axis=1).round().astype(np.uint8)
    return table
