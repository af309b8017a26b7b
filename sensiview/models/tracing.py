"""What one forward pass does, seen operator by operator: its final activation, its memory, its multiplications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

Activation = Literal["sigmoid", "softmax", "log_softmax"]

_aten = torch.ops.aten
_ACTIVATIONS: Mapping[Any, Activation] = {
    _aten.sigmoid: "sigmoid",
    _aten.sigmoid_: "sigmoid",
    _aten._softmax: "softmax",
    _aten._log_softmax: "log_softmax",
}
# Copies change nothing: what was final before them still is.
_COPIES = {_aten.clone, _aten._to_copy, _aten.contiguous, _aten.squeeze_copy, _aten.view_copy, _aten.alias_copy}


def _storage(tensor: Tensor) -> int:
    """Return a number that views of the same memory share."""
    return int(tensor.untyped_storage()._cdata) if tensor.layout is torch.strided else id(tensor)


def _weak(storage: torch.UntypedStorage) -> StorageWeakRef:
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call] # torch leaves it untyped


def _expired(reference: StorageWeakRef) -> bool:
    return bool(reference.expired())  # type: ignore[no-untyped-call] # torch leaves it untyped


def _tensors(tree: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


class FinalActivation(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Watches for the sigmoid or softmax that a network ends in, and keeps what went into it.

    Works for modules and for functional calls alike. Views and copies after the activation don't hide it. Only the
    latest activation's input is held, so attention layers on the way cost no memory.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        # The activation's own result is held as well: were it freed, another tensor could take its place in memory.
        self._last: tuple[Tensor, Activation, Tensor] | None = None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator; remember it when it is a sigmoid or a softmax."""
        packet = func.overloadpacket
        activation = _ACTIVATIONS.get(packet)
        # An in-place sigmoid overwrites what we want to know.
        read = args[0].clone() if packet is _aten.sigmoid_ else (args[0] if activation else None)
        result = func(*args, **(kwargs or {}))
        if activation is not None:
            self._last = (result, activation, cast("Tensor", read))
        elif self._last is not None:
            held = _storage(self._last[0])
            if packet in _COPIES and _storage(args[0]) == held:
                self._last = (result, *self._last[1:])
            elif func._schema.is_mutable and any(_storage(tensor) == held for tensor in _tensors(result)):
                self._last = None
        return result

    def behind(self, output: Tensor) -> tuple[Activation, Tensor] | None:
        """Return the activation that made `output` and what it read, None when `output` comes from elsewhere."""
        if self._last is None or _storage(self._last[0]) != _storage(output):
            return None
        return self._last[1], self._last[2]

    def forget(self) -> None:
        """Let go of the tensors of the last pass."""
        self._last = None


class Meter(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Counts what a forward pass needs: the peak of memory that lives at one time, and floating point operations.

    Attributes
    ----------
    peak_bytes : int
        Largest sum of the sizes of all tensors alive together that this pass made.
    flops : int
        Of matrix products, convolutions and attention, a multiply-add counted as two; the rest is not worth counting.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing in here is ever compiled; True would load torch's compiler (1,300 modules, seconds) to say so.
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.peak_bytes = 0
        self.flops = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator and take its measure."""
        kwargs = kwargs or {}
        known = {_storage(tensor) for tensor in _tensors((args, kwargs))}
        result = func(*args, **kwargs)
        counter = cast("Callable[..., int] | None", flop_registry.get(func.overloadpacket))
        if counter is not None:
            self.flops += int(counter(*args, **kwargs, out_val=result))
        # Storages that died make room; a number may be used again.
        self._alive = {key: entry for key, entry in self._alive.items() if not _expired(entry[0])}
        for tensor in _tensors(result):
            key = _storage(tensor)
            if key not in known and tensor.layout is torch.strided:
                storage = tensor.untyped_storage()
                self._alive[key] = (_weak(storage), storage.nbytes())
        self.peak_bytes = max(self.peak_bytes, sum(size for _, size in self._alive.values()))
        return result
