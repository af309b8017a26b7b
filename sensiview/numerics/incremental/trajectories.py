"""Trajectories: inputs that change in one region from one point to the next, many of them side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sensiview.errors import UserError
from sensiview.models import devices
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference
from sensiview.numerics.incremental.geometry import Ints
from sensiview.numerics.incremental.results import Patches

PatchesAt = Callable[[Ints, int], Patches]
_SHARE_OF_MEMORY = 4
# Trajectories side by side: more of them make no fuller batches.
_MOST = 256


def together(network: IncrementalNetwork | FullInference, device: torch.device) -> int:
    """Return how many trajectories can be walked side by side in a quarter of the free memory, at least one."""
    fits = devices.memory_free(device) // _SHARE_OF_MEMORY // max(1, network.bytes_per_base())
    return max(1, min(_MOST, int(fits)))


def walk(
    network: IncrementalNetwork | FullInference,
    starts: Tensor,
    steps: int,
    patches_at: PatchesAt,
    *,
    side_by_side: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> Tensor:
    """Return the network's outputs at every point of every trajectory.

    The first point of a trajectory is computed whole, each further one from the point before, of which it differs in
    one window. Rounding errors add up along a trajectory, to some 1e-7 of the outputs per step in float32.

    Parameters
    ----------
    network : IncrementalNetwork or FullInference
    starts : Tensor
        (trajectories, channels, height, width), first points.
    steps : int
        Points after the first.
    patches_at : callable
        Gets numbers of trajectories and a step, 0 ... steps - 1; returns what changes, one patch per trajectory, with
        no `bases`.
    side_by_side : int, optional
        Trajectories that are walked together; what fits the memory by default.
    advance, warn : callable
        As for `IncrementalNetwork.evaluate`; `advance` counts first points as well.

    Returns
    -------
    Tensor
        (trajectories, steps + 1, ...), on the device of `starts`.

    Raises
    ------
    UserError
        Another number of patches than trajectories.
    """
    if not len(starts):
        raise UserError("There is no trajectory to walk.")
    count = side_by_side or together(network, starts.device)
    found = []
    for begin in range(0, len(starts), count):
        numbers = np.arange(begin, min(begin + count, len(starts)))
        base = network.keep(starts[begin : begin + count])
        advance(len(base))
        points = [base.outputs.clone()]
        for step in range(steps):
            given = patches_at(numbers, step)
            if len(given) != len(numbers):
                raise UserError(f"There are {len(numbers)} trajectories and {len(given)} patches.")
            patches = Patches(given.windows, given.values, np.arange(len(numbers)), given.cropped)
            outputs = network.evaluate(base, patches, move=True, advance=advance, warn=warn).outputs
            assert outputs is not None  # they were asked for
            points.append(outputs)
        found.append(torch.stack(points, dim=1))
    return torch.cat(found)
