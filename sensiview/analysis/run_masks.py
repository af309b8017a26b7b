"""The masks of a finished run, laid over the inputs that are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import FieldMap
from sensiview.analysis.map_run import MapRun
from sensiview.analysis.sanity_plan import SanityPlan
from sensiview.errors import UserError

Floats = NDArray[np.float64]


def run_masks(plan: SanityPlan, opened: MapRun, chosen: tuple[int, ...]) -> dict[int, Floats]:
    """Return the mask of each input of the run by its place, (*shape) as makers give maps; a group's mask serves all.

    Raises
    ------
    UserError
        The run has no mask, or its inputs are not in the data set.
    """
    assert plan.run is not None
    name = plan.run.name or plan.run.id
    axes, key = opened.layout.axes, opened.layout.key
    item = plan.run.result().get("mask")
    if not isinstance(item, FieldMap) or item.axes[-len(axes) :] != axes:
        raise UserError(f"The run '{name}' has no mask over {opened.inputs.what}s to check.")
    values = np.asarray(item.values, dtype=np.float64)
    if opened.inputs.what == "volume":
        values = np.swapaxes(values, -1, -3)
    if values.shape[-len(axes) :] != opened.space.shape:
        raise UserError(f"The mask of '{name}' lies on another grid than these {opened.inputs.what}s.")
    if item.axes == axes:
        return dict.fromkeys(chosen, values)
    if item.axes[0] != key or len(item.axes) != len(axes) + 1:
        raise UserError(f"The masks of '{name}' have axes {item.axes}: choose a single run.")
    names, groups = opened.inputs.names, opened.inputs.groups
    found: dict[int, Floats] = {}
    for label, mask in zip(item.coordinates[key], values, strict=True):
        places = [i for i, pair in enumerate(zip(names, groups, strict=True)) if label in pair]
        found |= dict.fromkeys(places[:1], mask)
    if not found:
        raise UserError(f"The {key}s of the run are not in this data set. Choose the data set that it was made on.")
    return found
