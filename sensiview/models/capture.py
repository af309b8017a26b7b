"""What hidden layers give during a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.readout import as_columns
from sensiview.models.shared_layers import layers_apart


class LayerCapture:
    """A forward hook that keeps a copy of what one layer gave last, and counts its calls.

    A copy, because an in-place ReLU behind the layer overwrites the original.

    Parameters
    ----------
    name : str
        Dotted name of the layer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: Any = None
        self.calls = 0

    def __call__(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        """Keep `output`; what torch calls after the layer."""
        self.value = output.clone() if isinstance(output, Tensor) else output
        self.calls += 1

    def take(self, n_rows: int) -> Tensor:
        """Return the layer's output as (n, ...) and forget it."""
        value, self.value = self.value, None
        calls, self.calls = self.calls, 0
        if calls == 0:
            raise ModelError(f"The layer '{self.name}' is not called when the network computes. Choose another layer.")
        if not isinstance(value, Tensor):
            raise ModelError(
                f"The layer '{self.name}' gives a {type(value).__name__}, not one tensor. "
                "Choose a layer before or behind it."
            )
        return as_columns(value, n_rows, f"The layer '{self.name}'")

    def forget(self) -> None:
        """Let go of what was kept."""
        self.value, self.calls = None, 0


@contextmanager
def capturing(module: nn.Module, captures: Iterable[LayerCapture]) -> Iterator[None]:
    """Hook the layers of `module`; the hooks come off at the end, also after an error.

    A layer that the network uses under several names gives what it gives under the name that was asked for.
    """
    captures = list(captures)
    with ExitStack() as stack:
        stack.enter_context(layers_apart(module))
        for capture in captures:
            handle = module.get_submodule(capture.name).register_forward_hook(capture)
            stack.callback(handle.remove)
        try:
            yield
        finally:
            for capture in captures:
                capture.forget()
