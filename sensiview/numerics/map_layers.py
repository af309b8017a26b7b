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

    The last is the one that is done last: of a residual network the block, not the last layer inside it, whose map is
    not what the block gives. Adaptive pooling is passed over: it may blow one cell up to several.

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
        return last_map_layer(card)
    if name in fitting:
        return name
    known = {layer.name: layer for layer in card.layers}
    if name not in known:
        raise UserError(f"The network '{card.name}' has no layer '{name}'.{suggestion(name, fitting)}")
    shape = known[name].output_shape
    gives = f"gives {' x '.join(map(str, shape))}" if shape else "gives no single tensor, or is not called"
    instead = f" The last that gives one is '{last_map_layer(card)}'." if fitting else ""
    raise UserError(f"The layer '{name}' {gives}: not a map of more than one cell.{instead}")


def last_map_layer(card: ModelCard) -> str:
    """Return the map layer that is done last; those that hold others are done after them."""
    fitting = map_layers(card)
    order = _as_done([layer.name for layer in card.layers])
    kinds = {layer.name: layer.kind for layer in card.layers}
    proper = [name for name in fitting if not kinds[name].startswith("Adaptive")] or fitting
    return max(proper, key=order.index)


def _as_done(names: list[str]) -> list[str]:
    """Return dotted names, parents before their children, with parents behind them."""
    found: list[str] = []
    open_parts: list[str] = []
    for name in names:
        while open_parts and not name.startswith(f"{open_parts[-1]}."):
            found.append(open_parts.pop())
        open_parts.append(name)
    return found + open_parts[::-1]
