"""Weights under other names: which layers they are of, and which of ours take them. Loads no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["convolution", "norm", "linear", "other"]
# What people call the attribute of a wrapper that holds the network.
_WRAPPERS = ("module", "_orig_mod", "model", "net", "network", "backbone")


def plain_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights without what wrappers put before every key, and without ``module`` inside keys.

    ``module.`` is of DataParallel (also around a part: ``features.module.0.weight``), ``_orig_mod.`` of a compiled
    network, ``model.`` and ``net.`` of a training script.
    """
    plain = dict(state)
    while plain and (first := {key.partition(".")[0] for key in plain}) and len(first) == 1 and first <= set(_WRAPPERS):
        plain = {key.partition(".")[2]: value for key, value in plain.items()}
    inside = {re.sub(r"(?<=\.)module\.", "", key): value for key, value in plain.items()}
    return inside if len(inside) == len(plain) else plain


def layers_of(state: Mapping[str, Tensor]) -> list[tuple[Kind, tuple[int, ...]]]:
    """Return the kind and the shape of the weights of each layer that has some, in the order of the file."""
    return [(_kind(layer), tuple(layer["weight"].shape)) for layer in _grouped(state).values() if "weight" in layer]


def in_order(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *, partly: bool = False
) -> dict[str, Tensor] | None:
    """Return the weights under the names of `wanted`, layer by layer in order.

    None where a name is already one of `wanted` (with `partly`: where all are), or where the layers are not the same
    in number, kind and shapes: a table of the keys then says more than a guess would.
    """
    known = [key in wanted for key in state]
    if all(known) or (any(known) and not partly):
        return None
    if list(state) == sorted(state):
        # A file that sorts its keys has 10 before 2.
        state = dict(sorted(state.items(), key=lambda entry: _natural(entry[0])))
    theirs, ours = _grouped(state), _grouped(wanted)
    if len(theirs) != len(ours):
        return None
    renamed: dict[str, Tensor] = {}
    for (_, layer), (name, mine) in zip(theirs.items(), ours.items(), strict=True):
        # Counters of batch norm may be missing in older files.
        if {key for key, value in layer.items() if value.ndim} != {key for key, value in mine.items() if value.ndim}:
            return None
        if any(layer[key].shape != mine[key].shape for key in layer if key in mine):
            return None
        renamed |= {f"{name}.{key}": value for key, value in layer.items()}
    return renamed


def _natural(key: str) -> list[tuple[int, str]]:
    """Return what sorts a key with its numbers as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", key)]


def _grouped(state: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    layers: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name, _, parameter = key.rpartition(".")
        layers.setdefault(name, {})[parameter] = value
    return layers


def _kind(layer: Mapping[str, Tensor]) -> Kind:
    if "running_mean" in layer:
        return "norm"
    return {5: "convolution", 4: "convolution", 2: "linear"}.get(layer["weight"].ndim, "other")  # type: ignore[return-value]
