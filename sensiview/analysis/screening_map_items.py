"""Measures of a screening drawn where their parts lie, and the parts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import FieldMap, Item
from sensiview.analysis.map_items import Layout
from sensiview.analysis.screening_finished import Finished
from sensiview.analysis.screening_items import MEAN, ScreeningTables

if TYPE_CHECKING:
    from sensiview.analysis.map_regions import RegionFinder
    from sensiview.numerics.screening.partition import Division

# More of single maps is nobody's result.
MOST_MAP_BYTES = 1 << 30
_TEXTS = {
    "mu_star": ("mu_star", "The mean size of a part's elementary effects: how much the output hangs on it."),
    "sigma": ("sigma", "The spread of a part's elementary effects: how much of that is non-linear or interacts."),
}


def map_items(
    tables: ScreeningTables, layout: Layout, dataset: str, unit: str, regions: RegionFinder | None
) -> tuple[dict[str, Item], list[str]]:
    """Return ``map_mu_star``, ``map_sigma``, ``parts``, what lies below, regions; and sentences on what is missing."""
    found = tables.found
    names = [one.what.name for one in found]
    outputs = found[0].what.outputs
    divisions = [_division(one) for one in found]
    shape = layout.shape
    common = all(np.array_equal(division.labels, divisions[0].labels) for division in divisions[1:])
    items: dict[str, Item] = {}
    said: list[str] = []
    mean = tables.rows_of_mean() and common
    shown = names if not mean else [MEAN, *names]
    size = 4 * len(shown) * len(outputs) * int(np.prod(shape))
    if size > MOST_MAP_BYTES and mean:
        said.append("There are too many single maps to keep; only their mean is.")
        shown = [MEAN]
    if size <= MOST_MAP_BYTES or mean:
        for measure, (title, description) in _TEXTS.items():
            maps = []
            for name in shown:
                at = names.index(name) if name != MEAN or not mean else 0
                values = _mean(tables, measure) if name == MEAN and mean else found[at].values(measure)
                maps.append(_drawn(divisions[at], values, shape))
            items[f"map_{measure}"] = _field(
                np.stack(maps), layout, title, description, shown, outputs, dataset, f"{unit} per range"
            )
    else:
        said.append(
            "The maps would be too large to be kept; the table has every number. Choose fewer outputs or inputs."
        )
    items["parts"] = _parts(divisions[:1] if common else divisions, names, layout, dataset)
    items |= pictures(tables, layout, mean=mean)
    if regions is not None and regions.labels is not None and "map_mu_star" in items:
        items |= _regions(tables, divisions, shape, regions, bool(mean))
    return items, said


def pictures(tables: ScreeningTables, layout: Layout, *, mean: bool) -> dict[str, Item]:
    """Return what was screened as ``input``, of images; their mean before them where there are maps of it."""
    found: list[NDArray[np.float32]] = [one.what.picture for one in tables.found if one.what.picture is not None]
    names = [one.what.name for one in tables.found]
    if mean:
        found.insert(0, np.asarray(np.mean(np.stack(found), axis=0, dtype=np.float64), dtype=np.float32))
        names.insert(0, MEAN)
    for picture in found:
        layout.see(picture)
    return layout.below(names, range(len(names)), keep=True, average=False)


def centres(division: Division, layout: Layout) -> dict[str, NDArray[np.float64]]:
    """Return the centre of each part: y, x of images in pixels; x, y, z of volumes in RAS mm. Nothing for channels."""
    labels = division.labels
    if labels.shape[0] != 1 or labels.shape[1:] != tuple(layout.shape):
        return {}
    flat = labels.ravel()
    inside = flat >= 0
    counts = np.bincount(flat[inside], minlength=len(division))
    middles = []
    for axis, side in enumerate(labels.shape[1:]):
        along = np.arange(side, dtype=np.float64).reshape([-1 if a == axis else 1 for a in range(labels.ndim - 1)])
        weights = np.broadcast_to(along, labels.shape[1:]).ravel()[inside]
        middles.append(np.bincount(flat[inside], weights=weights, minlength=len(division)) / counts)
    if len(middles) == 2:
        return {"y": middles[0], "x": middles[1]}
    affine = np.asarray(layout.place()["affine"])
    mm = np.stack(middles, axis=1) @ affine[:3, :3].T + affine[:3, 3]
    return {"x": mm[:, 0], "y": mm[:, 1], "z": mm[:, 2]}


def _division(one: Finished) -> Division:
    assert one.what.division is not None
    return one.what.division


def _mean(tables: ScreeningTables, measure: str) -> NDArray[np.float64]:
    assert tables.mean is not None
    return tables.mean.mean()[measure].value


def _drawn(division: Division, values: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float32]:
    """Return values of parts, (parts, outputs), where the parts lie, (outputs, *shape); of channels, their mean."""
    padded = np.concatenate([np.nan_to_num(values), np.zeros((1, values.shape[1]))]).T.astype(np.float32)
    labels = np.where(division.labels < 0, len(division), division.labels)
    drawn = padded[:, labels]
    flat = drawn.mean(axis=1) if labels.shape[0] > 1 else drawn[:, 0]
    return np.ascontiguousarray(np.broadcast_to(flat, (len(flat), *shape)))


def _field(
    maps: NDArray[np.float32],
    layout: Layout,
    title: str,
    description: str,
    names: Sequence[str],
    outputs: Sequence[str],
    dataset: str,
    unit: str,
) -> FieldMap:
    axes: list[str] = []
    coordinates: dict[str, tuple[str, ...]] = {}
    if len(names) > 1:
        axes, coordinates[layout.key] = [layout.key], tuple(names)
    if len(outputs) > 1:
        axes, coordinates["target"] = [*axes, "target"], tuple(outputs)
    kept = [len(coordinates[axis]) for axis in axes]
    return FieldMap(
        title=title,
        description=description,
        values=layout.values(maps.reshape(*kept, *layout.shape)),
        axes=(*axes, *layout.axes),
        unit=unit,
        over=names[0] if len(names) == 1 else dataset,
        coordinates=coordinates,
        **layout.place(),
    )


def _parts(divisions: Sequence[Division], names: Sequence[str], layout: Layout, dataset: str) -> FieldMap:
    labels = np.stack([division.labels for division in divisions]) + 1
    axes: list[str] = []
    coordinates: dict[str, tuple[str, ...]] = {}
    if labels.shape[1] == 1:
        labels = np.broadcast_to(labels[:, 0], (len(labels), *layout.shape))
        values: NDArray[Any] = layout.values(labels.astype(np.int32))
        spatial = layout.axes
    else:
        values = np.ascontiguousarray(np.broadcast_to(labels, (*labels.shape[:2], *layout.shape))).astype(np.int32)
        spatial = ("channel", *layout.axes)
        coordinates["channel"] = divisions[0].names
    if len(divisions) > 1:
        axes, coordinates[layout.key] = [layout.key], tuple(names)
    else:
        values = values[0]
    return FieldMap(
        title="Parts",
        description="The number of the factor that each place belongs to, from 1; 0 belongs to none.",
        values=values,
        axes=(*axes, *spatial),
        unit="part",
        over=names[0] if len(names) == 1 else dataset,
        coordinates=coordinates,
        **layout.place(),
    )


def _regions(
    tables: ScreeningTables,
    divisions: Sequence[Division],
    shape: Sequence[int],
    regions: RegionFinder,
    mean: bool,
) -> dict[str, Item]:
    """Return mu_star by region of the atlas: of the mean, or of every input; for the viewer's table."""
    import pandas as pd

    from sensiview.analysis.map_regions import region_item

    frames = []
    found = tables.found
    sources = (
        [(MEAN, _mean(tables, "mu_star"), divisions[0])]
        if mean
        else [(one.what.name, one.values("mu_star"), division) for one, division in zip(found, divisions, strict=True)]
    )
    for name, values, division in sources:
        for output, drawn in zip(found[0].what.outputs, _drawn(division, values, shape), strict=True):
            frame = regions.table(drawn)
            if frame is None:
                return {}
            if len(found[0].what.outputs) > 1:
                frame.insert(0, "target", output)
            if len(sources) > 1:
                frame.insert(0, "subject", name)
            frames.append(frame)
    return {"regions": region_item(pd.concat(frames, ignore_index=True))}
