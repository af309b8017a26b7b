"""A module for every name: networks that use one layer in several places give each place a module of its own."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_non_persistent_buffers_set",
)


def shared_names(module: nn.Module) -> dict[str, str]:
    """Return, for every further name of a layer that has several, the first one; containers and what is in them."""
    first: dict[int, str] = {}
    return {
        name: first[id(part)]
        for name, part in module.named_modules(remove_duplicate=False)
        if first.setdefault(id(part), name) != name
    }


@contextmanager
def layers_apart(module: nn.Module) -> Iterator[None]:
    """Let every name lead to a module of its own inside the context, so that a hook sees the calls of one name alone.

    The modules put in share the parameters and buffers of the one they stand for: what the network computes is the
    same. Afterwards the network is as it was, also after an error; hooks that were put on the stand-ins are gone.
    A layer that is called several times under one name stays one module.
    """
    replaced: list[tuple[nn.Module, str, nn.Module]] = []
    try:
        _separate(module, {id(module)}, replaced)
        yield
    finally:
        for parent, name, original in reversed(replaced):
            parent._modules[name] = original


def _separate(parent: nn.Module, seen: set[int], replaced: list[tuple[nn.Module, str, nn.Module]]) -> None:
    if isinstance(parent, torch.jit.ScriptModule):
        return  # it neither takes hooks nor other parts
    for name, child in list(parent._modules.items()):
        if child is None:
            continue
        part = child
        if id(child) in seen and not isinstance(child, torch.jit.ScriptModule):
            part = _stand_in(child)
            replaced.append((parent, name, child))
            parent._modules[name] = part
        seen.add(id(child))
        _separate(part, seen, replaced)


def _stand_in(layer: nn.Module) -> nn.Module:
    """Return a module with the same parameters, buffers and attributes, and hooks and children's places of its own."""
    twin = copy.copy(layer)
    twin.__dict__["_modules"] = dict(layer._modules)
    for name in _HOOKS:
        table = layer.__dict__.get(name)
        if isinstance(table, OrderedDict | dict | set):
            twin.__dict__[name] = copy.copy(table)
    return twin
