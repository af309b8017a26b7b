"""What passes through a network take, from its card alone. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sensiview.models.card import LayerCard, ModelCard

# What many passes through volumes hold besides, whatever the batch; measured on two cores as resident memory above that
# of a process that had given back what it no longer used.
_SCRATCH = 82 * 10**6
# Kernels of convolutions work on copies whose channels come in blocks of this many.
_BLOCK = 16
# Layers that give back what they were given when nothing is trained.
_NOTHING_NEW = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Identity", "Flatten", "Unflatten")


def scratch_bytes(model: ModelCard, rows: int) -> int:
    """Return what passes of some rows at once hold besides what lives for each row.

    Buffers, and for several rows the largest layer's weights twice, ordered as kernels want them there and back.
    """
    weights = 4 * max((layer.parameters for layer in model.layers), default=0)
    return _SCRATCH + (2 * weights if rows > 1 else 0)


def forward_row_bytes(model: ModelCard) -> int:
    """Return the peak memory of a forward pass of one row."""
    return max(1, model.bytes_per_row) + _padding(model)


def gradient_row_bytes(model: ModelCard) -> int:
    """Return the peak memory of a forward and backward pass with respect to one row.

    Measured when the network was looked at; of older cards the sum over the layers' outputs.
    """
    # A network of plain functions shows no layers: the forward peak is then the best that is known.
    found = model.gradient_bytes_per_row or max(_kept(model), 2 * model.bytes_per_row)
    return max(1, found) + _padding(model)


def row_bytes_after(model: ModelCard, layer: str) -> int:
    """Return the peak for one row of a pass whose gradients end at a layer: before it nothing is kept."""
    names = [card.name for card in model.layers]
    if layer not in names:
        return gradient_row_bytes(model)
    own = 4 * math.prod(model.layer(layer).output_shape or ())
    after = model.model_copy(update={"layers": model.layers[names.index(layer) + 1 :]})
    return max(forward_row_bytes(model), min(own + _kept(after), gradient_row_bytes(model)))


def _padding(model: ModelCard) -> int:
    """Return what the blocks of channels add to the largest copy of one row that a convolution works on."""
    found = 0
    for layer in model.layers:
        if layer.kind in ("Conv2d", "Conv3d") and layer.output_shape:
            channels = layer.output_shape[0]
            found = max(found, 4 * (-channels % _BLOCK) * math.prod(layer.output_shape[1:]))
    return found


def _kept(model: ModelCard) -> int:
    """Return what a backward pass needs of one row at once, from the layers.

    Every innermost layer's output, and the places of the maxima (8 bytes each) of max pooling. Gradients take the room
    of the outputs that they were formed from.
    """
    kept = 0
    for layer in _innermost(model.layers):
        size = 4 * math.prod(layer.output_shape or ())
        if layer.kind in _NOTHING_NEW or not layer.output_shape:
            continue
        kept += 3 * size if layer.kind.startswith(("MaxPool", "AdaptiveMaxPool")) else size
    return kept


def _innermost(layers: Sequence[LayerCard]) -> Iterator[LayerCard]:
    """Yield the layers that hold no others."""
    holders = {layer.name.rpartition(".")[0] for layer in layers}
    holders |= {part for name in holders for part in _above(name)}
    return (layer for layer in layers if layer.name not in holders)


def _above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
