"""Weights of a plain 3-D network under other names: which layers they are of, and which of ours take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["convolution", "norm", "linear", "other"]


def layers_of(state: Mapping[str, Tensor]) -> list[tuple[Kind, tuple[int, ...]]]:
    """Return the kind and the shape of the weights of each layer that has some, in the order of the file."""
    return [(_kind(layer), tuple(layer["weight"].shape)) for layer in _grouped(state).values() if "weight" in layer]


def in_order(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the weights under the names of `wanted`, layer by layer in order.

    None where a name is already one of `wanted`, or where the layers are not the same in number, kind and shapes: a
    table of the keys then says more than a guess would.
    """
    if any(key in wanted for key in state):
        return None
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


def _grouped(state: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    layers: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name, _, parameter = key.rpartition(".")
        layers.setdefault(name, {})[parameter] = value
    return layers


def _kind(layer: Mapping[str, Tensor]) -> Kind:
    if "running_mean" in layer:
        return "norm"
    return {5: "convolution", 2: "linear"}.get(layer["weight"].ndim, "other")  # type: ignore[return-value]
