"""Which layers of a network are its blocks, from the layer tree of its card. Loads no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sensiview.models.card import LayerCard, ModelCard

_BLOCK = re.compile(r"(layer|block|stage)_?\d+")
_PLAIN = re.compile(r"(Conv|BatchNorm|MaxPool|AvgPool|AdaptiveAvgPool|AdaptiveMaxPool|Dropout|Linear|Flatten)\w*")
_ACTIVATIONS = {"ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Tanh", "Sigmoid", "Identity", "PReLU", "ReLU6"}


def blocks_of(card: ModelCard) -> list[str]:
    """Return the dotted names of a network's blocks, from the input on.

    Named layers or blocks (``layer1`` to ``layer4`` of a ResNet, ``block1`` to ``block5``, ``stage2`` ...) where there
    are some; the max poolings of a plain chain of layers (VGG-16, AlexNet); otherwise the last module of each spatial
    resolution along the trunk. For a transformer its encoder blocks. Nothing where no such thing is found (networks for
    tables).
    """
    layers = [layer for layer in card.layers if layer.output_shape is not None]
    maps = [layer for layer in layers if _is_map(layer, card)]
    named = _named(maps)
    if named:
        return named
    plain = _plain(card, maps)
    if plain:
        return plain
    trunk = _trunk(card, maps)
    if trunk:
        return trunk
    return _repeated(card)


def _is_map(layer: LayerCard, card: ModelCard) -> bool:
    """Say whether it gives channels over as many axes as the input has, with more than one place or as the last map."""
    shape = layer.output_shape
    return shape is not None and len(shape) >= 3 and len(shape) == max(3, len(card.input_shape))


def _named(maps: Sequence[LayerCard]) -> list[str]:
    groups: dict[str, list[LayerCard]] = {}
    for layer in maps:
        parent, _, last = layer.name.rpartition(".")
        if _BLOCK.fullmatch(last):
            groups.setdefault(parent, []).append(layer)
    # A dense block's own layers are called like that too: the outermost group counts.
    found = sorted((name.count(".") + bool(name), name) for name, group in groups.items() if len(group) > 1)
    if not found:
        return []
    group = groups[found[0][1]]
    return [layer.name for layer in group] if len(_resolutions(group)) > 1 else []


def _plain(card: ModelCard, maps: Sequence[LayerCard]) -> list[str]:
    """Return the poolings of a chain of simple layers, and the last map where convolutions follow the last of them."""
    parents = {layer.name.rpartition(".")[0] for layer in card.layers}
    for layer in card.layers:
        simple = layer.kind == "Sequential" if layer.name in parents else _is_simple(layer.kind)
        if not simple:
            return []
    leaves = [layer for layer in maps if layer.name not in parents]
    pools = [i for i, layer in enumerate(leaves) if re.match(r"(Max|Avg)Pool", layer.kind)]
    if len(pools) < 2:
        return []
    names = [leaves[i].name for i in pools]
    behind = [layer for layer in leaves[pools[-1] + 1 :] if not layer.kind.startswith("Adaptive")]
    if any(layer.kind.startswith("Conv") for layer in behind):
        names.append([layer for layer in behind if not layer.kind.startswith("Dropout")][-1].name)
    return names


def _is_simple(kind: str) -> bool:
    return kind in _ACTIVATIONS or _PLAIN.fullmatch(kind) is not None


def _trunk(card: ModelCard, maps: Sequence[LayerCard]) -> list[str]:
    """Return the last part of each resolution, among the parts of the module in which it changes most often."""
    known = {layer.name: layer for layer in maps}
    parents = dict.fromkeys(["", *(layer.name.rpartition(".")[0] for layer in card.layers)])
    best: list[str] = []
    for place in sorted(parents, key=lambda name: name.count(".") + bool(name)):
        last = {_size(layer): layer.name for layer in _parts(card, place, known) if max(_size(layer)) > 1}
        if len(last) > max(1, len(best)):
            best = list(last.values())
    return best


def _parts(card: ModelCard, place: str, known: dict[str, LayerCard]) -> Iterable[LayerCard]:
    """Yield the children of a module that give maps; lists of modules give nothing themselves and stand for theirs."""
    prefix = f"{place}." if place else ""
    for layer in card.layers:
        if layer.name.startswith(prefix) and layer.name != place and "." not in layer.name[len(prefix) :]:
            if layer.name in known:
                yield known[layer.name]
            elif layer.kind in ("ModuleList", "ModuleDict"):
                yield from _parts(card, layer.name, known)


def _repeated(card: ModelCard) -> list[str]:
    """Return the longest row of siblings of one kind that have parts of their own: the blocks of a transformer."""
    parents = {layer.name.rpartition(".")[0] for layer in card.layers}
    rows: dict[tuple[str, str], list[str]] = {}
    for layer in card.layers:
        if layer.name in parents and layer.output_shape is not None and len(layer.output_shape) > 1:
            rows.setdefault((layer.name.rpartition(".")[0], layer.kind), []).append(layer.name)
    longest = max(rows.values(), key=len, default=[])
    return longest if len(longest) > 1 else []


def _size(layer: LayerCard) -> tuple[int, ...]:
    return (layer.output_shape or ())[1:]


def _resolutions(layers: Iterable[LayerCard]) -> set[tuple[int, ...]]:
    return {_size(layer) for layer in layers}
