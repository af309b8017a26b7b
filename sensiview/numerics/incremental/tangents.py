"""Derivatives along a direction, carried forward with the values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

_forward: Any = torch.autograd.forward_ad  # torch leaves it untyped


@contextmanager
def carrying() -> Iterator[None]:
    """Return a context in which tensors can carry a tangent. Works without gradients as well."""
    with warnings.catch_warnings():
        # Entering it the first time loads a part of torch that warns of torch's own functions.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        level = _forward.dual_level()
        level.__enter__()
        _forward.make_dual(torch.zeros(1), torch.zeros(1))
    try:
        yield
    finally:
        level.__exit__(None, None, None)


def with_tangent(value: Tensor, tangent: Tensor) -> Tensor:
    """Return `value` carrying `tangent`; call it inside `carrying`."""
    carrier: Tensor = _forward.make_dual(value.contiguous(), tangent.contiguous())
    return carrier


def tangent_of(value: Tensor) -> Tensor:
    """Return what `value` carries, 0 where nothing has reached it."""
    tangent: Tensor | None = _forward.unpack_dual(value).tangent
    return torch.zeros_like(value) if tangent is None else tangent.clone()


def derivative(function: Callable[[Tensor], Tensor], base: Tensor, direction: Tensor) -> Tensor:
    """Return the derivative of `function` at `base` along `direction`."""
    with carrying():
        return tangent_of(function(with_tangent(base.expand_as(direction), direction)))
