"""Layers of a network that give maps, and how what they give is read as one. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sensiview.errors import UserError, suggestion
from sensiview.models.card import LayerCard, ModelCard

# Tokens before those of the patches: none, one for the class, one more of distillation, four more as registers.
_BEFORE_PATCHES = (0, 1, 2, 5)


@dataclass(frozen=True)
class MapForm:
    """How what a layer gives for one input is read as a map.

    Parameters
    ----------
    kind : str
        ``map``: (channels, ...). ``channels_last``: (..., channels), as in Swin and ConvNeXt. ``tokens``:
        (tokens, channels), as in vision transformers, the patches row by row behind `skipped` other tokens.
    space : tuple of int
        Cells along each spatial axis.
    skipped : int
    """

    kind: Literal["map", "channels_last", "tokens"]
    space: tuple[int, ...]
    skipped: int = 0


def map_form(card: ModelCard, name: str) -> MapForm | None:
    """Return how a layer's output is read as a map with the input's spatial axes; None where it is none.

    Axes are told by their lengths: those of a map keep the proportions of the input.
    """
    return _form_of(card.layer(name), card.input_shape[1:])


def _form_of(layer: LayerCard, seen: tuple[int, ...]) -> MapForm | None:
    shape, rank = layer.output_shape, len(seen) or 3
    if shape is None:
        return None
    if len(shape) == rank + 1:
        if seen and not _proportional(shape[1:], seen) and _proportional(shape[:-1], seen):
            return MapForm("channels_last", shape[:-1])
        return MapForm("map", shape[1:])
    if len(shape) == 2 and rank > 1:
        for skipped in _BEFORE_PATCHES:
            if (space := _patches(shape[0] - skipped, seen)) is not None:
                return MapForm("tokens", space, skipped)
    return None


def map_layers(card: ModelCard) -> list[str]:
    """Return the layers that give a map with as many spatial axes as the input, larger than one cell, in order."""
    forms = [(layer.name, _form_of(layer, card.input_shape[1:])) for layer in card.layers]
    return [name for name, form in forms if form is not None and max(form.space) > 1]


def chosen_layer(card: ModelCard, wanted: str) -> str:
    """Return the layer of that name; with ``auto`` or nothing the last one that gives a map.

    The last is the one that is done last: of a residual network the block, not the last layer inside it, whose map is
    not what the block gives. Adaptive pooling is passed over: it may blow one cell up to several. Of a transformer
    over tokens it is the last one before the last attention: behind that, the class is read from a token of its own,
    and what the patches' tokens hold changes no score.

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
    done = _as_done(card.layers)
    kinds = {layer.name: layer.kind for layer in card.layers}
    proper = [name for name in fitting if not kinds[name].startswith("Adaptive")] or fitting
    last = max(proper, key=done.__getitem__)
    form = map_form(card, last)
    if form is None or form.kind != "tokens":
        return last
    attending = [name for name, kind in kinds.items() if "attention" in kind.lower()]
    if not attending:
        return last
    attention = max(attending, key=done.__getitem__)
    before = [n for n in proper if done[n] < done[attention] and not n.startswith(f"{attention}.")]
    return max(before, key=done.__getitem__, default=last)


def is_behind(card: ModelCard, layer: str, other: str) -> bool:
    """Say whether a layer ends after another one in a pass."""
    done = _as_done(card.layers)
    return done[layer] > done[other]


def _proportional(space: Sequence[int], seen: Sequence[int]) -> bool:
    """Say whether a grid has the proportions of the input's, but for what strides and borders take away."""
    scale = seen[0] / space[0]
    return all(abs(whole / scale - cells) <= 1 for whole, cells in zip(seen, space, strict=True))


def _patches(count: int, seen: Sequence[int]) -> tuple[int, ...] | None:
    """Return the grid of so many square patches that covers the input; None where there is none."""
    for side in range(1, min(seen, default=0) + 1):
        grid = tuple(whole // side for whole in seen)
        if math.prod(grid) == count:
            return grid
    return None


def _as_done(layers: Sequence[LayerCard]) -> dict[str, int]:
    """Return the place of every layer in the order in which they end.

    As it was seen; else parents stand behind their children, in the order in which they were written.
    """
    if any(layer.done is not None for layer in layers):
        return {layer.name: -1 if layer.done is None else layer.done for layer in layers}
    found: list[str] = []
    open_parts: list[str] = []
    for name in (layer.name for layer in layers):
        while open_parts and not name.startswith(f"{open_parts[-1]}."):
            found.append(open_parts.pop())
        open_parts.append(name)
    return {name: place for place, name in enumerate(found + open_parts[::-1])}
