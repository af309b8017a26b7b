"""Looking at a module without changing it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
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
)


def device_of(module: nn.Module) -> torch.device:
    """Return where the module's first parameter or buffer lies; the CPU when it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")


def dtype_of(module: nn.Module) -> torch.dtype:
    """Return the dtype of the module's first floating parameter or buffer; float32 when it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.float32


@contextmanager
def kept_as_it_was(module: nn.Module) -> Iterator[None]:
    """Put a module into eval mode, without gradients and without TF32; put everything back at the end.

    Put back, also after an error: train/eval flag of every module by itself, hooks, ``requires_grad`` and ``grad`` of
    every parameter, the device, the grad mode, the random state of torch (CPU and GPU), numpy and Python, and the
    precision of matrix products. Weights are not copied: who changes them works on a deep copy.

    The flags are set directly: ``module.eval()`` may be overridden to do more, and exported programs refuse it.
    Gradients may be switched on inside with ``torch.enable_grad()``.
    """
    modules = list(module.modules())
    flags = [part.training for part in modules]
    hooks = [(table, dict(table)) for part in modules for table in _hook_tables(part)]
    parameters = [(p, p.requires_grad, p.grad) for p in module.parameters()]
    device = device_of(module)
    with _random_state(device), full_precision(device), torch.no_grad():
        try:
            for part in modules:
                part.training = False
            yield
        finally:
            for part, flag in zip(modules, flags, strict=True):
                part.training = flag
            for table, before in hooks:
                if table != before:
                    table.clear()
                    table.update(before)
            if device_of(module) != device:
                module.to(device)
            for parameter, needs, grad in parameters:
                parameter.requires_grad_(needs)
                parameter.grad = grad


def _hook_tables(module: nn.Module) -> Iterator[dict[int, Any]]:
    for name in _HOOKS:
        table = module.__dict__.get(name)
        if table is not None:
            yield table


@contextmanager
def _random_state(device: torch.device) -> Iterator[None]:
    cpu, python, legacy = torch.get_rng_state(), random.getstate(), np.random.get_state()
    gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    mps = torch.mps.get_rng_state() if device.type == "mps" else None
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        random.setstate(python)
        np.random.set_state(legacy)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu, device)
        if mps is not None:
            torch.mps.set_rng_state(mps)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch TF32 off: cuDNN uses it for convolutions unless told otherwise, with three digits less."""
    if device.type != "cuda":
        yield
        return
    backends: Any = torch.backends  # its parts are made while it runs, unseen by type checkers
    kinds = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    before = [kind.fp32_precision for kind in kinds]
    try:
        for kind in kinds:
            kind.fp32_precision = "ieee"
        yield
    finally:
        for kind, precision in zip(kinds, before, strict=True):
            kind.fp32_precision = precision
