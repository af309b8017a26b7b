"""The images below maps: found among the other items of the same result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from sensiview.analysis.items import Array, FieldMap, ImageSeries, Item
from sensiview.gui.number_text import short
from sensiview.gui.plots.image_colouring import as_picture, frame_for, picture_limits

Beside: TypeAlias = Callable[[], Mapping[str, Item]]
_MEANS = ("mean", "spread")


class Ground:
    """Finds what lies below a map.

    Parameters
    ----------
    beside : callable
        The items of the result as they are now; ``input`` holds the images, ``mean_input`` their mean.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    def series(self, item: FieldMap) -> ImageSeries | None:
        """Return the images of the same pixels; of a mean map the mean of the images."""
        items = self._beside()
        mean = item.over.startswith("mean") or item.title.lower().startswith(_MEANS)
        names = ("mean_input", "input") if mean and "image" not in item.axes else ("input", "mean_input")
        for name in names:
            found = items.get(name)
            if isinstance(found, ImageSeries) and _fits(item, found):
                return found
        return None

    def picture(self, item: FieldMap, at: Mapping[str, int]) -> Array | None:
        """Return the image below one map, uint8 (y, x, 3); None where there is none."""
        series, frame = self._frame(item, at)
        if series is None or frame is None:
            return None
        return as_picture(np.asarray(series.values[frame]), picture_limits(np.asarray(series.values)))

    def pixel(self, item: FieldMap, at: Mapping[str, int], y: int, x: int) -> str:
        """Return the values of one pixel of the image below as text; empty where there is none."""
        series, frame = self._frame(item, at)
        if series is None or frame is None or y >= series.values.shape[1] or x >= series.values.shape[2]:
            return ""
        return " ".join(short(float(value)) for value in np.atleast_1d(series.values[frame, y, x]))

    def shape(self, item: FieldMap) -> tuple[int, int]:
        """Return height and width in pixels of what a map of cells lies on."""
        series = self.series(item)
        if series is not None:
            return int(series.values.shape[1]), int(series.values.shape[2])
        height, width = item.values.shape[-2:]
        spacing = item.spacing or (1.0, 1.0)
        return height * round(spacing[0]), width * round(spacing[1])

    def _frame(self, item: FieldMap, at: Mapping[str, int]) -> tuple[ImageSeries | None, int | None]:
        series = self.series(item)
        if series is None:
            return None, None
        for axis in (series.axis, *(name for name in ("image", "target") if name != series.axis)):
            if axis in at and (found := frame_for(series, item.coordinates.get(axis, ()), at[axis])) is not None:
                return series, found
        return series, 0 if len(series.labels) == 1 else None


def _fits(item: FieldMap, series: ImageSeries) -> bool:
    height, width = item.values.shape[-2:]
    cell = round(item.spacing[0]) if item.spacing is not None else 1
    seen = series.values.shape[1:3]
    return (-(-seen[0] // cell), -(-seen[1] // cell)) == (height, width)
