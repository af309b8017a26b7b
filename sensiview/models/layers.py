"""The layer tree of a network: every named module with the shape that it gives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sensiview.models.card import LayerCard
from sensiview.models.shared_layers import layers_apart, shared_names


@dataclass
class _Seen:
    """What the hook of one module saw: how often and when last it was called, the last shape, what kind it gave."""

    calls: int = 0
    done: int | None = None
    shape: tuple[int, ...] | None = None
    gives: str = ""


@dataclass(frozen=True)
class LayerTrace:
    """One forward pass, module by module.

    Parameters
    ----------
    layers : tuple of LayerCard
        In the order of ``named_modules``, without the network itself; a layer with several names has a card for each,
        with the shape that it gives under this name. `output_shape` is None where a layer was not called or gives
        something other than one tensor with a row per input.
    answer : Any
        What the network gave.
    notes : tuple of str
        Sentences about layers that can't be looked at, are called several times, or carry two names.
    """

    layers: tuple[LayerCard, ...]
    answer: Any
    notes: tuple[str, ...]


def trace_layers(module: nn.Module, rows: Tensor) -> LayerTrace:
    """Run `rows`, shape (n, *input_shape) as the module takes them, and note the shape of every layer.

    Call it inside `sensiview.models.state.kept_as_it_was`. Errors of the module itself come through unchanged.
    """
    same = shared_names(module)
    with layers_apart(module):
        named = [(name, part) for name, part in module.named_modules() if name]
        seen = {name: _Seen() for name, _ in named}
        # TorchScript takes no hooks: its parts stay without a shape.
        open_parts = [(name, part) for name, part in named if not isinstance(part, torch.jit.ScriptModule)]
        clock = itertools.count()
        handles = [part.register_forward_hook(_watch(seen[name], len(rows), clock)) for name, part in open_parts]
        try:
            answer = module(rows)
        finally:
            for handle in handles:
                handle.remove()
    layers = tuple(
        LayerCard(
            name=name,
            kind=type(part).__name__,
            output_shape=seen[name].shape,
            parameters=sum(p.numel() for p in part.parameters(recurse=False)),
            depth=name.count("."),
            same_as=same.get(name, ""),
            done=seen[name].done,
        )
        for name, part in named
    )
    return LayerTrace(layers, answer, tuple(_notes(module, seen)))


def _watch(seen: _Seen, n_rows: int, clock: Iterator[int]) -> Any:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        seen.calls += 1
        seen.done = next(clock)
        seen.gives = type(output).__name__
        seen.shape = None
        if isinstance(output, Tensor) and output.ndim > 0 and output.shape[0] == n_rows:
            seen.shape = tuple(output.shape[1:]) or (1,)

    return hook


def _notes(module: nn.Module, seen: dict[str, _Seen]) -> list[str]:
    containers: tuple[type[nn.Module], ...] = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
    parts = dict(module.named_modules(remove_duplicate=False))
    notes = []
    if any(isinstance(part, torch.jit.ScriptModule) for part in parts.values()):
        notes.append("It is TorchScript: its outputs can be analysed, its layers can't.")
        containers = (*containers, torch.jit.ScriptModule)
    same = shared_names(module)
    # A second name that nobody calls is no lost layer.
    idle = [
        name
        for name, s in seen.items()
        if s.calls == 0 and name not in same and not isinstance(parts[name], containers)
    ]
    if idle:
        notes.append(f"Never called when the network computes: {_list(idle)}.")
    often = [f"{name} ({s.calls} times)" for name, s in seen.items() if s.calls > 1]
    if often:
        notes.append(f"Called several times in one pass, the last call is what is looked at: {_list(often)}.")
    other = [f"{name} ({s.gives})" for name, s in seen.items() if s.calls and s.shape is None]
    if other:
        notes.append(f"Gives no single tensor with one row per input and can't be looked at: {_list(other)}.")
    twins = [f"{name} is {first}" for name, first in same.items()]
    if twins:
        notes.append(f"The same layer under two names: {_list(twins)}.")
    return notes


def _list(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
