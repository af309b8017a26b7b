"""Layers of a network that give maps. Loads no torch."""

from __future__ import annotations

from sensiview.errors import UserError, suggestion
from sensiview.models.card import ModelCard


def map_layers(card: ModelCard) -> list[str]:
    """Return the layers that give a map with as many spatial axes as the input, larger than one cell, in order."""
    rank = len(card.input_shape) or 4
    return [
        layer.name
        for layer in card.layers
        if layer.output_shape is not None and len(layer.output_shape) == rank and max(layer.output_shape[1:]) > 1
    ]


def chosen_layer(card: ModelCard, wanted: str) -> str:
    """Return the layer of that name; with ``auto`` or nothing the last one that gives a map.

    Raises
    ------
    UserError
        There is none of that name (with the nearest one), or it gives no map.
    """
    fitting = map_layers(card)
    name = wanted.strip()
    if name.lower() in ("", "auto"):
        if not fitting:
            raise UserError(f"No layer of '{card.name}' gives a map of more than one cell. Use saliency or occlusion.")
        return fitting[-1]
    if name in fitting:
        return name
    known = {layer.name: layer for layer in card.layers}
    if name not in known:
        raise UserError(f"The network '{card.name}' has no layer '{name}'.{suggestion(name, fitting)}")
    shape = known[name].output_shape
    gives = f"gives {' x '.join(map(str, shape))}" if shape else "gives no single tensor, or is not called"
    instead = f" The last that gives one is '{fitting[-1]}'." if fitting else ""
    raise UserError(f"The layer '{name}' {gives}: not a map of more than one cell.{instead}")
