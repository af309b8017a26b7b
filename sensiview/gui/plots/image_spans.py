"""Which maps of an item with several axes stand where: two axes span a grid, the others have one place each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sensiview.analysis.items import FieldMap
from sensiview.gui.plots.image_tile import best_columns

_MOST_TILES = 120
ALL = "all"
# Axes that span a grid, the most telling ones first.
_ROWS = ("image", "block", "layer", "map", "pair", "target")
_COLUMNS = ("channel", "target", "map", "pair", "block", "layer", "image")


@dataclass(frozen=True)
class Arranged:
    """Places of maps, row by row: on every axis before y and x.

    `wrapped` is the axis that goes on in the next row, where only one axis is spanned.
    """

    rows: list[list[dict[str, int]]]
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    wrapped: str = ""


def several(item: FieldMap) -> list[str]:
    """Return the axes before y and x that have more than one place."""
    return [axis for axis in item.axes[:-2] if length(item, axis) > 1]


def length(item: FieldMap, axis: str) -> int:
    """Return the number of places on an axis."""
    return int(item.values.shape[item.axes.index(axis)])


def label(item: FieldMap, axis: str, at: int) -> str:
    """Return the name of a place on an axis; its number where it has none."""
    labels = item.coordinates.get(axis, ())
    return labels[at] if at < len(labels) else str(at)


def spanning(item: FieldMap) -> tuple[str, str]:
    """Return the axes that span the grid, rows and columns; empty where there is none, or too many maps."""
    axes = several(item)
    columns = next((axis for axis in _COLUMNS if axis in axes), axes[-1] if axes else "")
    rows = next((axis for axis in _ROWS if axis in axes and axis != columns), "")
    if "block" in axes and "channel" in axes:
        rows, columns = "block", "channel"
    if rows and columns and length(item, rows) * length(item, columns) > _MOST_TILES:
        rows = ""
    if columns and length(item, columns) > _MOST_TILES:
        columns = ""
    return rows, columns


def arranged(item: FieldMap, chosen: Callable[[str], str], *, wrapping: bool = True) -> Arranged:
    """Return where the maps stand.

    Parameters
    ----------
    item : FieldMap
    chosen : callable
        The choice on an axis: a number, ``all``, or empty where nothing is chosen.
    wrapping : bool
        Whether one axis alone may go over several rows.
    """
    fixed = dict.fromkeys(item.axes[:-2], 0)
    free = []
    for axis in several(item):
        choice = chosen(axis)
        if choice == ALL or (not choice and axis in spanning(item)):
            free.append(axis)
        else:
            fixed[axis] = min(int(choice or 0), length(item, axis) - 1)
    rows, columns = spanning(item)
    across, down = (columns if columns in free else ""), (rows if rows in free else "")
    alone = across or down
    if alone and not (across and down):
        across, down = alone, ""
        wide = best_columns(length(item, alone), item.values.shape[-2] / item.values.shape[-1])
        if wide < length(item, alone) and wrapping:
            places = [{**fixed, alone: k} for k in range(length(item, alone))]
            return Arranged([places[k : k + wide] for k in range(0, len(places), wide)], wrapped=alone)
    ys = [{down: y} for y in range(length(item, down))] if down else [{}]
    xs = [{across: x} for x in range(length(item, across))] if across else [{}]
    return Arranged(
        [[{**fixed, **y, **x} for x in xs] for y in ys],
        tuple(label(item, down, y[down]) for y in ys if y),
        tuple(label(item, across, x[across]) for x in xs if x),
    )
