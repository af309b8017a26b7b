"""What optimising masks takes, from the cards alone. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sensiview.models.card import ModelCard
from sensiview.numerics.pass_memory import gradient_row_bytes, scratch_bytes

# Inputs up to this many bytes stay in memory; more are read again at every step.
KEPT_BYTES = 2 * 2**30
# Activations of one batch; the batch size follows from it, so it is the same on every machine.
_BATCH_BYTES = 2**30
MOST_ROWS = 16


def pass_bytes(model: ModelCard, voxels: int) -> int:
    """Return the peak memory of a forward and backward pass with respect to one input of so many voxels.

    On top of the pass lie four copies of the input (masked, prepared, and their gradients).
    """
    prepared = 4 * math.prod(model.input_shape) if model.input_shape else 4 * voxels
    return gradient_row_bytes(model) + 2 * 4 * voxels + 2 * prepared


def batch_rows(model: ModelCard, voxels: int, n: int) -> int:
    """Return how many inputs go through the network at once, from what the network is and not from the machine."""
    return max(1, min(n, MOST_ROWS, _BATCH_BYTES // max(1, pass_bytes(model, voxels))))


def peak_bytes(
    model: ModelCard,
    shape: Sequence[int],
    *,
    subjects: int,
    shared: bool,
    batch: int | None,
    fill_per_input: bool,
    masks: int = 1,
) -> int:
    """Return the peak memory of a run.

    Within 20 % of the resident memory of fresh processes for six networks (three of convolutions, one with GELU, group
    norm and skip connections, a 3-D ResNet-18) on 48 x 64 x 48 to 80 x 80 x 80 voxels, one and four subjects at once.

    Parameters
    ----------
    model : ModelCard
    shape : sequence of int
        Of one input.
    subjects : int
        How many inputs.
    shared : bool
        One mask for all of them.
    batch : int or None
        Inputs at once; None for the automatic number.
    fill_per_input : bool
        Every input has its own fill.
    masks : int
        Masks in the result.
    """
    voxels = math.prod(shape)
    rows = min(batch or batch_rows(model, voxels, subjects), subjects)
    all_inputs = 4 * voxels * subjects * (2 if fill_per_input else 1)
    inputs = all_inputs if all_inputs <= KEPT_BYTES else 4 * voxels * rows * (2 if fill_per_input else 1)
    # Cover, gradient and one axis's differences of each mask at work; its region and pairs of neighbours, a byte each.
    per_mask = (4 * 4 + 1 + len(shape)) * voxels
    at_once = 1 if shared else rows
    # Several rows are put side by side; the difference to the fill is formed for all of them.
    stacked = 2 * 4 * voxels * rows
    working = rows * pass_bytes(model, voxels) + stacked + per_mask * at_once
    results = 2 * 4 * voxels * masks
    return int(scratch_bytes(model, rows) + inputs + max(working, 2 * results) + (0 if shared else voxels * subjects))
