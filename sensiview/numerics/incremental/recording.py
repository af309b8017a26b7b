"""What a network computes, written down operator by operator while it runs.

Recorded below autograd, so it does not matter how the network is written: as modules or functions, in place or not,
with modules used twice or loops over layers. Two passes with different values and different numbers of rows tell
which whole numbers stand for the number of rows, and that nothing else depends on the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from sensiview.models.readout import first_tensor
from sensiview.models.shared_layers import layers_apart

_aten = torch.ops.aten
# What asks a tensor for a number in Python: the network may go another way for another input.
_DATA_DEPENDENT = {_aten._local_scalar_dense, _aten.equal, _aten.nonzero, _aten.unique_dim, _aten._unique2}
_RANDOM = {_aten.bernoulli, _aten.bernoulli_, _aten.native_dropout, _aten.rand_like, _aten.randn_like}
_FIRST, _SECOND = 2, 3


class Untraceable(Exception):
    """The network can't be written down as a fixed list of operators; the message is the end of a sentence."""


@dataclass(frozen=True)
class Value:
    """Stands for a tensor that depends on the input."""

    number: int


@dataclass(frozen=True)
class PerRow:
    """Stands for a whole number that is `times` the number of rows."""

    times: int


@dataclass(frozen=True)
class Call:
    """One operator applied.

    Parameters
    ----------
    target : OpOverload
        The functional form, also of what ran in place.
    arguments, keywords
        As torch takes them, with `Value` and `PerRow` in place of tensors and numbers that depend on the input.
    outputs : tuple of int
        Numbers of the values that it gives, one per tensor.
    layer : str
        Dotted name of the innermost module that it ran in.
    """

    target: Any
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    outputs: tuple[int, ...]
    layer: str

    @property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the values that it reads, in the order of the arguments."""
        leaves = tree_leaves((self.arguments, dict(self.keywords)))
        return tuple(leaf.number for leaf in leaves if isinstance(leaf, Value))

    @property
    def name(self) -> str:
        """Name of the operator, ``convolution``."""
        return str(self.target.overloadpacket.__name__)


@dataclass
class Recording:
    """All calls of one pass. Value 0 is the input.

    Parameters
    ----------
    calls : list of Call
    shapes : dict
        Shape of each value, rows first.
    layers : dict
        What each named module gave last: the number of a value.
    output : int
        The network's output; of several, the first tensor.
    """

    calls: list[Call] = field(default_factory=list)
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    output: int = -1


def record(module: nn.Module, example: Tensor) -> Recording:
    """Return what `module` computes on inputs of one row's shape.

    Call it inside `sensiview.models.state.kept_as_it_was`. Hooks are set and removed; nothing else is touched.

    Parameters
    ----------
    module : nn.Module
        In eval mode.
    example : Tensor
        (1, *input_shape), as the module takes it.

    Raises
    ------
    Untraceable
        What is computed depends on the values of the input, or on the rows beside, or changes tensors in a way that
        has no functional form.
    """
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand((_SECOND, *example.shape[1:]), generator=generator).to(example)
    return _reconciled(_run(module, example.expand(_FIRST, *example.shape[1:]).clone()), _run(module, noise))


def _run(module: nn.Module, rows: Tensor) -> Recording:
    recorder = _Recorder(rows)
    with _names(module, recorder), recorder:
        answer = module(rows)
    tensor, _ = first_tensor(answer)
    number = recorder.number_of(tensor)
    if number is None:
        raise Untraceable("its output does not depend on its input")
    recorder.recording.output = number
    return recorder.recording


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Runs and writes down every operator that reads something that depends on the input."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would load torch's compiler to say so

    def __init__(self, rows: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.recording = Recording()
        self.stack: list[str] = []
        self._numbers: dict[int, int] = {}
        self._stale: set[int] = set()
        self._sharing: dict[int, list[Tensor]] = {}  # also holds every tensor, so that no id is used twice
        self._new(rows)

    def _new(self, tensor: Tensor) -> int:
        number = len(self.recording.shapes)
        self.recording.shapes[number] = tuple(tensor.shape)
        self._numbers[id(tensor)] = number
        self._sharing.setdefault(_storage(tensor), []).append(tensor)
        return number

    def number_of(self, tensor: Tensor) -> int | None:
        """Return the number of the value that `tensor` holds now, None for a constant."""
        if id(tensor) in self._stale:
            raise Untraceable("it goes on with a view of a tensor that was changed in place meanwhile")
        return self._numbers.get(id(tensor))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator; write it down when it reads a value."""
        kwargs = kwargs or {}
        read = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if all(self.number_of(tensor) is None for tensor in read):
            return func(*args, **kwargs)
        packet = func.overloadpacket
        where = f" in '{self.stack[-1]}'" if self.stack else ""
        if packet in _DATA_DEPENDENT:
            raise Untraceable(f"what it computes depends on the values of its input{where}")
        if packet in _RANDOM:
            raise Untraceable(f"it draws random numbers{where}")

        if func._schema.is_mutable and self.number_of(args[0]) is None:
            raise Untraceable(f"it writes into a tensor of its own{where}")

        def marked(leaf: Any) -> Any:
            number = self.number_of(leaf) if isinstance(leaf, Tensor) else None
            return leaf if number is None else Value(number)

        arguments, keywords = tree_map(marked, (args, kwargs))
        result = func(*args, **kwargs)
        target = func
        if func._schema.is_mutable:
            target = _functional(func, where)
            for tensor in self._sharing.pop(_storage(args[0]), []):
                if tensor is not args[0]:
                    self._stale.add(id(tensor))
                    self._sharing.setdefault(-1, []).append(tensor)
        outputs = tuple(self._new(leaf) for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        self.recording.calls.append(Call(target, arguments, keywords, outputs, self.stack[-1] if self.stack else ""))
        return result


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata) if tensor.layout is torch.strided else id(tensor)


def _functional(func: Any, where: str) -> Any:
    """Return the operator that computes what `func` computes in place."""
    name = func.overloadpacket.__name__
    packet = getattr(_aten, name[:-1], None) if name.endswith("_") else None
    overload = getattr(packet, func._overloadname, None)
    if overload is None:
        raise Untraceable(f"it changes a tensor by '{name}'{where}, which has no form that leaves it alone")
    return overload


@contextmanager
def _names(module: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Tell the recorder which module runs, and what each gave; every name of a layer that has several by itself."""

    def enter(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any) -> None:
            recorder.stack.append(name)

        return hook

    def leave(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            recorder.stack.pop()
            recorder.recording.layers.pop(name, None)
            if isinstance(output, Tensor) and (number := recorder.number_of(output)) is not None:
                recorder.recording.layers[name] = number

        return hook

    with layers_apart(module), ExitStack() as stack:
        for name, part in module.named_modules():
            if name and not isinstance(part, torch.jit.ScriptModule):  # TorchScript takes no hooks
                stack.callback(part.register_forward_pre_hook(enter(name)).remove)
                stack.callback(part.register_forward_hook(leave(name)).remove)
        yield


def _reconciled(first: Recording, second: Recording) -> Recording:
    """Return the first recording with every number that grows with the rows marked as such."""
    alike = len(first.calls) == len(second.calls) and first.layers == second.layers and first.output == second.output
    if not alike or any(
        one.target is not other.target or one.outputs != other.outputs
        for one, other in zip(first.calls, second.calls, strict=True)
    ):
        raise Untraceable("what it computes depends on the values of its input or on the number of rows")
    used = {number for call in first.calls for number in call.inputs} | {first.output, *first.layers.values()}
    for number in used:
        shape = first.shapes[number]
        if not shape or shape[0] * _SECOND != second.shapes[number][0] * _FIRST:
            raise Untraceable("on the way to its output it mixes the rows of a batch")
    calls = [
        replace(
            one,
            arguments=_matched(one.arguments, other.arguments, one),
            keywords=_matched(dict(one.keywords), dict(other.keywords), one),
        )
        for one, other in zip(first.calls, second.calls, strict=True)
    ]
    return replace(first, calls=calls)


def _matched(one: Any, other: Any, call: Call) -> Any:
    if isinstance(one, dict):
        return {key: _matched(one[key], other[key], call) for key in one}
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return type(one)(_matched(a, b, call) for a, b in zip(one, other, strict=True))
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one is other or (one.shape == other.shape and torch.equal(one, other)):
            return one
    elif type(one) is int and type(other) is int and one != other:
        if one % _FIRST == 0 and one * _SECOND == other * _FIRST:
            return PerRow(one // _FIRST)
    elif one == other:
        return one
    raise Untraceable(f"'{call.name}' in '{call.layer}' depends on the values of the input or on the number of rows")


def filled(call: Call, values: Mapping[int, Tensor], rows: int) -> Any:
    """Run a call on other values, with another number of rows."""

    def fill(leaf: Any) -> Any:
        if isinstance(leaf, Value):
            return values[leaf.number]
        return leaf.times * rows if isinstance(leaf, PerRow) else leaf

    arguments, keywords = tree_map(fill, (call.arguments, dict(call.keywords)))
    if call.target.overloadpacket in (_aten.view, _aten._unsafe_view):
        return arguments[0].reshape(arguments[1])  # other strides than recorded
    return call.target(*arguments, **keywords)


def tensors_of(result: Any) -> Iterable[Tensor]:
    """Return the tensors that a call gave, in the order of its outputs."""
    return [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
