"""Activations while a network computes: of classes, channels and units, before the activation function."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sensiview.errors import ModelError
from sensiview.models.batching import compute
from sensiview.models.network import Network
from sensiview.models.readout import as_columns, first_tensor
from sensiview.models.shared_layers import layers_apart
from sensiview.numerics.activation_aims import Aim, Reduction

# Functions that flatten their input somewhere: behind them the gradient of a unit can be 0 where the unit is not done.
_FLATTENING = frozenset(
    (
        *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus"),
        *("sigmoid", "logsigmoid", "tanh", "softmax", "log_softmax", "hardtanh", "hardsigmoid", "hardswish"),
    )
)
_LEAST = 1e-6


class BeforeActivation(TorchFunctionMode):
    """Keeps what the latest activation function read, also when it wrote its result over it."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[Tensor, Tensor] | None = None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function; remember its input when it is an activation."""
        kwargs = kwargs or {}
        name = str(getattr(func, "__name__", ""))
        if name.rstrip("_") not in _FLATTENING:
            return func(*args, **kwargs)
        given = args[0] if args else kwargs.get("input")
        if not isinstance(given, Tensor):
            return func(*args, **kwargs)
        in_place = name.endswith("_") or kwargs.get("inplace") or any(part is True for part in args[1:])
        before = given.clone() if in_place else given
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            self._last = result, before
        return result

    def behind(self, output: Tensor) -> Tensor | None:
        """Return what was read to make `output`, None where it comes from something else."""
        if self._last is None or self._last[0] is not output or self._last[1].shape != output.shape:
            return None
        return self._last[1]

    def forget(self) -> None:
        """Let go of the tensors."""
        self._last = None


class AimReader:
    """Reads one activation per row.

    Of a class the logit is read; where the network ends in sigmoid or softmax, what goes into it. Of a layer whose
    result comes out of an activation function, what goes into that function is read; otherwise the layer's result.
    Of a channel the mean, maximum or sum over its positions.

    Parameters
    ----------
    network : Network
        Inside `ScoredInputs.differentiating`.
    layer : str
        Dotted name; empty for classes.
    reduction : str
        Over the positions of a channel.
    """

    def __init__(self, network: Network, layer: str, reduction: Reduction = "mean") -> None:
        self.network, self.layer, self.reduction = network, layer, reduction
        self._watch = BeforeActivation()

    def __call__(self, inputs: Tensor, aims: Sequence[Aim]) -> tuple[Tensor, Tensor]:
        """Return activations (n,), differentiable, and what the network gave, (n, outputs).

        Parameters
        ----------
        inputs : Tensor
            (n, *input_shape), as the module takes them.
        aims : sequence of Aim
            One per row.

        Raises
        ------
        ModelError
            The layer is not called, gives no tensor, or the network can't compute on these inputs.
        """
        name = self.network.card.name
        kept: list[Tensor] = []

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise ModelError(
                    f"The layer '{self.layer}' gives a {type(output).__name__}, not one tensor. Choose a layer before "
                    "or behind it."
                )
            before = self._watch.behind(output)
            # A copy, because an in-place activation behind the layer overwrites its result.
            kept[:] = [output.clone() if before is None else before]

        try:
            with ExitStack() as stack:
                if self.layer:
                    stack.enter_context(layers_apart(self.network.module))
                    part = self.network.module.get_submodule(self.layer)
                    stack.callback(part.register_forward_hook(hook).remove)
                stack.enter_context(self._watch)
                answer, _ = first_tensor(compute(self.network.module, inputs, name))
            raw = as_columns(answer, len(inputs), f"The network '{name}'")
            before = self._watch.behind(answer)
        finally:
            self._watch.forget()
        if not self.layer:
            logits = raw if before is None else as_columns(before, len(inputs), f"The network '{name}'")
            return self._classes(raw, logits if before is not None else None, aims), raw
        if not kept:
            raise ModelError(f"The layer '{self.layer}' is not called when the network computes. Choose another layer.")
        values = as_columns(kept[0], len(inputs), f"The layer '{self.layer}'")
        return self._units(values, aims), raw

    def _classes(self, raw: Tensor, before: Tensor | None, aims: Sequence[Aim]) -> Tensor:
        values = raw if before is None else before
        if before is None and self.network.card.emits == "probability":
            p = raw.clamp(_LEAST, 1 - _LEAST)
            values = torch.log(p) - torch.log1p(-p)
        flat = values.flatten(1)
        rows = []
        for row, aim in zip(flat, aims, strict=True):
            assert aim.target is not None
            value = row[aim.target.column]
            rows.append(-value if aim.target.complement else value)
        return torch.stack(rows)

    def _units(self, values: Tensor, aims: Sequence[Aim]) -> Tensor:
        rows = []
        for row, aim in zip(values, aims, strict=True):
            chosen = row[aim.channel]
            if aim.position:
                chosen = chosen[aim.position]
            elif chosen.ndim:
                chosen = chosen.amax() if self.reduction == "max" else getattr(chosen, self.reduction)()
            rows.append(chosen)
        return torch.stack(rows)
