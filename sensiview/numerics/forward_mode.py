"""Attention that forward-mode derivatives can go through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def derivable_attention() -> Iterator[None]:
    """Compute attention from plain products while this lasts.

    torch's fused kernels for attention have no forward derivative; the plain formula has one and gives the same
    numbers but for rounding.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
