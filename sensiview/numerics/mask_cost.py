"""What optimising masks takes, from the cards alone. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sensiview.models.card import LayerCard, ModelCard

# Inputs up to this many bytes stay in memory; more are read again at every step.
KEPT_BYTES = 2 * 2**30
# What kernels of convolutions and the allocator hold besides, measured on two cores, whatever the batch.
_SCRATCH_BYTES = 64 * 10**6
# Activations of one batch; the batch size follows from it, so it is the same on every machine.
_BATCH_BYTES = 2**30
MOST_ROWS = 16
# Layers that give back what they were given when nothing is trained.
_NOTHING_NEW = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Identity", "Flatten", "Unflatten")


def pass_bytes(model: ModelCard, voxels: int) -> int:
    """Return the peak memory of a forward and backward pass with respect to one input of so many voxels.

    The backward pass needs every layer's output at once: the sum over the card's innermost layers, and the places of
    the maxima (8 bytes each) of max pooling. Gradients take the room of the outputs that they were formed from. On top
    lie four copies of the input (masked, prepared, and their gradients).
    """
    kept = 0
    for layer in _innermost(model.layers):
        size = 4 * math.prod(layer.output_shape or ())
        if layer.kind in _NOTHING_NEW or not layer.output_shape:
            continue
        kept += 3 * size if layer.kind.startswith(("MaxPool", "AdaptiveMaxPool")) else size
    prepared = 4 * math.prod(model.input_shape) if model.input_shape else 4 * voxels
    # A network of plain functions shows no layers: the forward peak is then the best that is known.
    return max(kept, 2 * model.bytes_per_row) + 2 * 4 * voxels + 2 * prepared


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

    Measured on the study's network at 61 x 73 x 61, as resident memory of fresh processes on a busy machine: 107 to 136
    MB for one subject and 240 to 293 MB for four; announced are 115 and 253 MB.

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
    kept = 4 * voxels * subjects * (2 if fill_per_input else 1)
    inputs = kept if kept <= KEPT_BYTES else 4 * voxels * rows * (2 if fill_per_input else 1)
    # Cover, gradient and one axis's differences of each mask at work; its region and pairs of neighbours, a byte each.
    per_mask = (4 * 4 + 1 + len(shape)) * voxels
    at_once = 1 if shared else rows
    # Several rows are put side by side; the difference to the fill is formed for all of them.
    stacked = 2 * 4 * voxels * rows
    working = rows * pass_bytes(model, voxels) + stacked + per_mask * at_once
    results = 2 * 4 * voxels * masks
    return int(_SCRATCH_BYTES + inputs + max(working, 2 * results) + (0 if shared else voxels * subjects))


def _innermost(layers: Sequence[LayerCard]) -> Iterator[LayerCard]:
    """Yield the layers that hold no others."""
    holders = {layer.name.rpartition(".")[0] for layer in layers}
    holders |= {part for name in holders for part in _above(name)}
    return (layer for layer in layers if layer.name not in holders)


def _above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
