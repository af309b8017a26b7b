"""Masks and maps of volumes in finished runs, one at a time, each in the voxel order of the volume it lies over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import FieldMap, Mask
from sensiview.analysis.study import Finished
from sensiview.datasets.volume import Grid

SPACE = ("z", "y", "x")
# Volumes in results that show anatomy or uncertainty, not what a network looks at.
_NOT_MAPS = frozenset({"masked_input", "masked_inputs", "input", "mean_input", "fill", "spread", "std"})
_MEAN_FIRST = ("mean_map", "mean_mask")
_PEOPLE = "subject"


@dataclass(frozen=True)
class OneMap:
    """A mask or a map.

    `name` is unique among those of several runs (the run's title, the item where there are several, the cell of a
    grid); `values` (i, j, k) are as in the item, with the mean over subjects where that was asked for.
    """

    name: str
    run: str
    analysis: str
    values: npt.NDArray[Any]
    kind: Literal["mask", "map"]
    grid: Grid


def unique_titles(runs: Sequence[Finished]) -> dict[str, str]:
    """Return what each run is called; the identifier behind names that several have."""
    names = [run.name or run.id for run in runs]
    return {
        run.id: f"{name} ({run.id})" if names.count(name) > 1 else name for run, name in zip(runs, names, strict=True)
    }


def maps_of(run: Finished, title: str, subjects: Literal["mean", "each"]) -> Iterator[OneMap]:
    """Yield every map of a run: masks where it has any, else maps; the cells of a grid of parameters one by one.

    What shows anatomy (the masked input) or a spread is no map. Nothing is yielded for a run without maps of volumes.

    Parameters
    ----------
    run : Finished
    title : str
        What the run is called in the names of its maps; see `unique_titles`.
    subjects : ``mean`` or ``each``
        With ``mean`` the result's own mean map is taken where it has one, else the mean over the axis ``subject``: of
        masks, or of the absolute values of maps.
    """
    found: dict[str, FieldMap] = {}
    for name, item in run.result().items():
        if isinstance(item, FieldMap) and _is_map(name, item):
            found[name] = item
    if any(isinstance(item, Mask) for item in found.values()):
        found = {name: item for name, item in found.items() if isinstance(item, Mask)}
    means = {name: item for name, item in found.items() if name in _MEAN_FIRST}
    singles = {name: item for name, item in found.items() if name not in _MEAN_FIRST}
    found = means or singles if subjects == "mean" else singles or means
    for name, item in found.items():
        kind: Literal["mask", "map"] = "mask" if isinstance(item, Mask) else "map"
        values, axes = np.asarray(item.values), list(item.axes[:-3])
        if subjects == "mean" and _PEOPLE in axes:
            place = axes.index(_PEOPLE)
            # Signs of people must not cancel: what is looked at in one and avoided in another is looked at in both.
            values = (values if kind == "mask" else np.abs(values)).mean(axis=place, dtype=np.float64)
            axes.pop(place)
        affine = np.asarray(item.affine, dtype=np.float64)
        for cell in np.ndindex(values.shape[: len(axes)]):
            words = [_cell_word(item, axis, at) for axis, at in zip(axes, cell, strict=True)]
            parts = [title, *([name] if len(found) > 1 else []), *words]
            voxels = np.swapaxes(values[cell], 0, 2)
            i, j, k = voxels.shape
            yield OneMap(", ".join(parts), run.id, run.analysis, voxels, kind, Grid((i, j, k), affine))


def _is_map(name: str, item: FieldMap) -> bool:
    return (
        name not in _NOT_MAPS
        and tuple(item.axes[-3:]) == SPACE
        and item.affine is not None
        and item.values.dtype.kind in "fiub"
    )


def _cell_word(item: FieldMap, axis: str, at: int) -> str:
    label = item.coordinates[axis][at] if axis in item.coordinates else str(at)
    return label if axis in (_PEOPLE, "target", "context") else f"{axis} = {label}"
