"""The maps of finished runs, by name and by input: what a comparison begins with. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.comparison_plan import MOST_MAPS, run_target
from sensiview.analysis.finished_maps import unique_titles
from sensiview.analysis.items import FieldMap, ImageSeries, IndexTable, Item, Mask
from sensiview.analysis.map_items import some
from sensiview.analysis.map_parameters import Targets
from sensiview.analysis.study import Finished
from sensiview.errors import UserError

Floats = NDArray[np.float64]
# Where a run has several, the first is its map.
_NAMES = ("mask", "map", "change", "difference")
_WORDS = ("true class", "predicted class")


@dataclass(frozen=True, eq=False)
class ComparedMap:
    """One map of several inputs.

    Parameters
    ----------
    name : str
        Unique among those compared: the run's title, with the class or the block where the run has several maps.
    target : str, int or list
        Whose score it explains.
    values : mapping of str to ndarray
        By name of the input, float64 (*shape) in the order of rows of inputs: (y, x), or (i, j, k) for volumes. High
        is important: of a mask m it is 1 - m.
    """

    name: str
    target: Targets
    values: Mapping[str, Floats]


def compared_maps(runs: Sequence[Finished], axes: tuple[str, ...], key: str, known: Sequence[str]) -> list[ComparedMap]:
    """Return every map of the runs.

    Parameters
    ----------
    runs : sequence of Finished
    axes : tuple of str
        Spatial axes of the items: y, x or z, y, x.
    key : str
        Axis of the inputs' names: ``image`` or ``subject``.
    known : sequence of str
        Names of the data set's inputs.

    Raises
    ------
    UserError
        A run has no map of single inputs, or there are fewer than two maps or too many.
    """
    titles = unique_titles(runs)
    found = [one for run in runs for one in _maps_of(run, titles[run.id], axes, key, known)]
    if len(found) < 2:
        raise UserError(f"There is one map only, '{found[0].name}'. Choose another run beside it.")
    if len(found) > MOST_MAPS:
        raise UserError(
            f"The runs have {len(found)} maps; at most {MOST_MAPS} can be compared side by side. Choose fewer runs, or "
            "runs of fewer classes."
        )
    return found


def _maps_of(run: Finished, title: str, axes: tuple[str, ...], key: str, known: Sequence[str]) -> Iterator[ComparedMap]:
    items = run.result()
    item = next((one for name in _NAMES if (one := items.get(name)) is not None and _fits(one, axes)), None)
    kind = "images" if len(axes) == 2 else "volumes"
    if not isinstance(item, FieldMap):
        raise UserError(
            f"'{title}' has no map of single {kind}. Choose runs of Grad-CAM, saliency, integrated gradients, "
            "occlusion, masks or maximised activations, with their single maps kept."
        )
    values = np.asarray(item.values, dtype=np.float64)
    values = 1 - values if isinstance(item, Mask) else values
    front = list(item.axes[: -len(axes)])
    if "channel" in front:
        # Colours that are changed in opposite directions must not cancel.
        values = np.abs(values).sum(axis=front.index("channel"))
        front.remove("channel")
    if len(axes) == 3:
        values = np.swapaxes(values, -1, -3)
    names = item.coordinates.get(key, ()) if key in front else _names_without_axis(item, items, known)
    wanted = run_target(run)
    if not names and front == ["target"] and run.parameters.get("start") == "own_class":
        # Every target began with an image of its own class: a map for each of these images.
        names, front, wanted = _names_of_starts(items, len(values), known), [key], "true"
    if not names:
        raise UserError(
            f"The map of '{title}' is not of an {key} of this data set, so there is nothing to compare it on."
            if key == "image"
            else f"The map of '{title}' is not of a subject of this data set, so there is nothing to compare it on."
        )
    if key in front:
        values = np.moveaxis(values, front.index(key), 0)
        front.remove(key)
    else:
        # One input, or a mask that serves all.
        values = np.broadcast_to(values, (len(names), *values.shape))
    sizes = values.shape[1 : 1 + len(front)]
    for cell in np.ndindex(sizes):
        words = [_word(item, axis, at) for axis, at in zip(front, cell, strict=True)]
        target: Targets = wanted
        if "target" in front:
            label = _label(item, "target", cell[front.index("target")])
            target = target if label in _WORDS else label
        elif isinstance(target, list) and len(target) == 1:
            target = target[0]
        own = {name: values[(place, *cell)] for place, name in enumerate(names)}
        yield ComparedMap(", ".join([title, *words]), target, own)


def _fits(item: Item, axes: tuple[str, ...]) -> bool:
    return isinstance(item, FieldMap) and item.axes[-len(axes) :] == axes and item.values.dtype.kind in "fiub"


def _names_without_axis(item: FieldMap, items: Mapping[str, Item], known: Sequence[str]) -> tuple[str, ...]:
    """Return the input that a single map is of; all of them for a mask of a group."""
    if item.over in known:
        return (item.over,)
    below = items.get("input")
    if isinstance(below, ImageSeries) and len(below.labels) == 1 and below.labels[0] in known:
        return below.labels
    return tuple(known) if isinstance(item, Mask) else ()


def _names_of_starts(items: Mapping[str, Item], count: int, known: Sequence[str]) -> tuple[str, ...]:
    table = items.get("summary")
    starts = list(map(str, table.frame["image"])) if isinstance(table, IndexTable) and "image" in table.frame else []
    return tuple(starts) if len(set(starts)) == count and set(starts) <= set(known) else ()


def _label(item: FieldMap, axis: str, at: int) -> str:
    return item.coordinates[axis][at] if axis in item.coordinates else str(at)


def _word(item: FieldMap, axis: str, at: int) -> str:
    label = _label(item, axis, at)
    return label if axis == "target" else f"{axis} {label}"


def common_inputs(maps: Sequence[ComparedMap], chosen: Sequence[str], most: int, what: str) -> list[str]:
    """Return the chosen inputs that all maps have, at most so many, evenly taken.

    Raises
    ------
    UserError
        There is none.
    """
    common = [name for name in chosen if all(name in one.values for one in maps)]
    if not common:
        first, second = maps[0], next((m for m in maps[1:] if not set(m.values) & set(maps[0].values)), maps[1])
        raise UserError(
            f"No chosen {what} has all of the maps: '{first.name}' is of {some(list(first.values))}, '{second.name}' "
            f"of {some(list(second.values))}. Run the methods on the same {what}s."
        )
    places = np.linspace(0, len(common) - 1, min(most, len(common))).round().astype(int)
    return [common[place] for place in places]
