"""Which plot an item on the pixels of images gets: found by its kind and axes."""

from __future__ import annotations

from typing import TypeAlias

from sensiview.analysis.items import INPUT_VALUE, FieldMap, ImageSeries, IndexTable, Item, Mask
from sensiview.gui.plots.image_film import FilmPlot
from sensiview.gui.plots.image_maps import ImageMapPlot
from sensiview.gui.plots.image_pictures import PicturesPlot
from sensiview.gui.plots.screening_parts_plot import PartsPlot, shows_parts
from sensiview.gui.plots.screening_plot import ScreeningPlot
from sensiview.gui.volume_maps import is_volume_map

# Plots that look at other items of the same result: take `beside`.
WithOthers: TypeAlias = "type[ImageMapPlot | PicturesPlot | FilmPlot | ScreeningPlot | PartsPlot]"
_SERIES = ("image", "target", "cell")
_MOST_CHANNELS = 4


def plot_with_others(item: Item) -> WithOthers | None:
    """Return the plot of an item that is drawn with the help of others (the image below it); None for all others."""
    if isinstance(item, IndexTable):
        complete = {"mu_star", "sigma"} <= set(item.frame.columns)
        return ScreeningPlot if item.plot == "screening" and complete else None
    if isinstance(item, ImageSeries):
        return PicturesPlot if item.axis in _SERIES and item.values.shape[3] <= _MOST_CHANNELS else None
    if not isinstance(item, FieldMap) or isinstance(item, Mask) or is_volume_map(item):
        return None
    if item.axes[-2:] != ("y", "x") or "z" in item.axes:
        return None
    if shows_parts(item):
        return PartsPlot
    if item.unit == INPUT_VALUE and item.axes[-3:-2] == ("channel",) and item.values.shape[-3] <= _MOST_CHANNELS:
        return FilmPlot if item.axes[-4:-3] == ("step",) else PicturesPlot
    return ImageMapPlot


def is_depth_profile(item: Item) -> bool:
    """Whether a table tells how a value goes with the blocks of a network."""
    return isinstance(item, IndexTable) and item.keys == ("block",) and {"mean", "max"} <= set(item.frame.columns)
