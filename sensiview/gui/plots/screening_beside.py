"""Maps of several screenings as one picture: images and measures below each other, networks beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.analysis.items import Array, FieldMap, ImageSeries, Item
from sensiview.errors import UserError
from sensiview.gui.plots.image_maps import ImageMapPlot

MAPS = (("map_mu_star", "μ*"), ("map_sigma", "σ"))
# The same scale in a row: one measure of one image, over all networks.
_SCALE = {"scale": "row"}
_ROW = 190.0  # pixels of a row


class ScreeningMapsPlot(ImageMapPlot):
    """Maps of `side_by_side`; each row has one scale unless the user asks for others."""

    def __init__(self, item: Item, *, beside: Callable[[], Mapping[str, Item]]) -> None:
        super().__init__(item, beside=beside)
        self.restore(_SCALE)

    def content_height(self) -> int:
        """Return room for maps in which single parts can be told apart: the page is scrolled."""
        rows = max(1, -(-len(self._grid.tiles) // self._grid.columns))
        wide = max(300.0, float(self.canvas.width() - 40))
        return max(super().content_height(), round(84 + min(self._grid.full_height(wide), rows * _ROW)))


def places_on(item: FieldMap, axis: str) -> tuple[str, ...]:
    """Return the names on an axis of a map; what it lies over where it is a map of one image alone."""
    named = tuple(item.coordinates.get(axis, ()))
    return named or ((item.over,) if axis in ("image", "subject") and axis not in item.axes else ())


def shared(items: Sequence[FieldMap], axis: str) -> tuple[str, ...]:
    """Return the names on an axis that all maps have, in the order of the first."""
    first, *others = (places_on(item, axis) for item in items)
    return tuple(name for name in first if all(name in other for other in others))


def side_by_side(
    runs: Sequence[tuple[str, Mapping[str, Item]]], output: str = ""
) -> tuple[FieldMap, ImageSeries | None]:
    """Return mu_star and sigma of the images that all runs have, axes (image, map, y, x), and what lies below.

    Maps of inputs of other sizes are brought to the largest; every pixel keeps the value of its part.

    Parameters
    ----------
    runs : sequence of (str, mapping)
        Title and items of finished screenings.
    output : str
        Of maps that have several; the first where it is empty.

    Raises
    ------
    UserError
        A run has no maps of images, or they have no image in common.
    """
    found = [{name: _map_of(title, items, name) for name, _ in MAPS} for title, items in runs]
    names = shared([maps[MAPS[0][0]] for maps in found], "image")
    if not names:
        raise UserError("These screenings have no image in common. Choose runs on the same images.")
    sizes = [maps[MAPS[0][0]].values.shape[-2:] for maps in found]
    shape = max(sizes, key=lambda size: size[0] * size[1])
    values = np.empty((len(names), len(MAPS), len(runs), *shape), dtype=np.float32)
    for column, maps in enumerate(found):
        for measure, (key, _) in enumerate(MAPS):
            for row, name in enumerate(names):
                values[row, measure, column] = _nearest(_plane(maps[key], name, output), shape)
    first = found[0][MAPS[0][0]]
    item = FieldMap(
        title="Screenings side by side",
        description="mu_star: how much a part matters; sigma: how much of that is non-linear or interacts.",
        values=values.reshape(-1, len(runs), *shape),
        axes=("image", "map", "y", "x"),
        unit=first.unit,
        over=output or next(iter(places_on(first, "target")), ""),
        coordinates={
            "image": tuple(f"{name} {sign}" for name in names for _, sign in MAPS),
            "map": tuple(title for title, _ in runs),
        },
    )  # fmt: skip
    return item, _below(runs, names, shape, item.coordinates["image"])


def _map_of(title: str, items: Mapping[str, Item], name: str) -> FieldMap:
    found = items.get(name)
    if not isinstance(found, FieldMap) or found.axes[-2:] != ("y", "x") or "z" in found.axes:
        raise UserError(f"'{title}' holds no maps of images. Choose screenings of images that keep their maps.")
    return found


def _plane(item: FieldMap, image: str, output: str) -> Array:
    """Return one map (y, x)."""
    wanted = {"image": image, "target": output}
    index = tuple(
        max(0, places_on(item, axis).index(wanted[axis]) if wanted.get(axis) in places_on(item, axis) else 0)
        for axis in item.axes[:-2]
    )
    plane: Array = np.asarray(item.values[index])
    return plane


def _nearest(values: Array, shape: tuple[int, ...]) -> Array:
    """Return values (y, x, ...) on another grid: each pixel has the value of the nearest one."""
    if values.shape[:2] == tuple(shape):
        return values
    y, x = (np.arange(n) * old // n for n, old in zip(shape, values.shape[:2], strict=True))
    taken: Array = values[y[:, None], x[None, :]]
    return taken


def _below(
    runs: Sequence[tuple[str, Mapping[str, Item]]],
    names: Sequence[str],
    shape: tuple[int, ...],
    labels: tuple[str, ...],
) -> ImageSeries | None:
    """Return the images below the maps, one per row, of the first run that holds them all."""
    for _, items in runs:
        series: Any = items.get("input")
        if not isinstance(series, ImageSeries) or not set(names) <= set(series.labels):
            continue
        frames = [_nearest(np.asarray(series.values[series.labels.index(name)]), shape) for name in names]
        values = np.repeat(np.stack(frames), len(MAPS), axis=0)
        return ImageSeries(title=series.title, values=values, labels=labels, axis="image", unit=series.unit)
    return None
