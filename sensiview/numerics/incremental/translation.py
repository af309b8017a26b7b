"""From recorded calls to operations that know what to do with a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from sensiview.numerics.incremental.geometry import Reach
from sensiview.numerics.incremental.operations import (
    Joined,
    Normalised,
    Operation,
    Pointwise,
    Scaled,
    Shifted,
    Sum,
    Whole,
)
from sensiview.numerics.incremental.pools import MaxPool, MeanPool
from sensiview.numerics.incremental.recording import Call, Recording, Untraceable, Value
from sensiview.numerics.incremental.sliding import Convolution, Padding

Shape = tuple[int, ...]
_ACTIVATIONS = {
    *("relu", "hardtanh", "leaky_relu", "silu", "hardswish", "hardsigmoid", "gelu", "elu", "sigmoid", "tanh"),
    *("softplus", "mish", "celu", "selu", "log_sigmoid_forward", "clamp", "clamp_min", "clamp_max", "abs", "exp"),
    *("square", "pow", "neg", "softshrink", "hardshrink", "threshold", "_prelu_kernel", "rsub", "sqrt", "erf"),
}
_COPIES = {"clone", "contiguous", "alias", "detach", "_to_copy", "lift_fresh"}
_NORMS = {
    *("native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit"),
    *("cudnn_batch_norm", "miopen_batch_norm"),
}


def translated(recording: Recording) -> list[Operation]:
    """Return one operation per call, in order; what has no windowed form is computed whole.

    Raises
    ------
    Untraceable
        A batch norm takes its statistics from the batch.
    """
    read = {number for call in recording.calls for number in call.inputs} | set(recording.layers.values())
    read.add(recording.output)
    return [_translated(call, recording, read) for call in recording.calls]


def _translated(call: Call, recording: Recording, read: set[int]) -> Operation:
    shapes = {number: recording.shapes[number] for number in (*call.inputs, *call.outputs)}
    first = call.outputs[0]
    make = _MAKERS.get(call.name)
    if make is None or any(number in read for number in call.outputs[1:]):
        return Whole(call, call.inputs, first, shapes[first][1:])
    # Windows need maps of pixels, and rows that stay rows.
    if any(len(shapes[number]) != 4 or shapes[number][0] != recording.shapes[0][0] for number in (*call.inputs, first)):
        return Whole(call, call.inputs, first, shapes[first][1:])
    return make(call, {number: shape[1:] for number, shape in shapes.items()}) or Whole(
        call, call.inputs, first, shapes[first][1:]
    )


def _arguments(call: Call) -> dict[str, Any]:
    """Return all arguments by name, with the operator's defaults."""
    schema = call.target._schema.arguments
    found = {argument.name: argument.default_value for argument in schema if argument.has_default_value()}
    found.update(zip((argument.name for argument in schema), call.arguments, strict=False))
    return {**found, **call.keywords}


def _channelwise(constant: Any, channels: int) -> bool:
    """Whether a constant has one value for all pixels of a channel."""
    if not isinstance(constant, Tensor):
        return isinstance(constant, int | float)
    shape = (1,) * (4 - constant.ndim) + tuple(constant.shape)
    return len(shape) == 4 and shape[0] == 1 and shape[1] in (1, channels) and shape[2:] == (1, 1)


def _pointwise(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    number, out = call.inputs[0], call.outputs[0]
    others = [item for item in (*call.arguments, *call.keywords.values()) if isinstance(item, Tensor)]
    if len(call.inputs) != 1 or not all(_channelwise(item, shapes[out][0]) for item in others):
        return None
    return Pointwise(call, (number,), out, shapes[out])


def _copied(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    if _arguments(call).get("dtype") is not None:
        return None
    return Shifted(call, call.inputs, call.outputs[0], shapes[call.outputs[0]])


def _added(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, out = _arguments(call), call.outputs[0]
    factor = given.get("alpha", 1) * (-1 if call.name == "sub" else 1)
    one, other = given["self"], given["other"]
    if isinstance(one, Value) and isinstance(other, Value):
        if shapes[one.number] != shapes[other.number]:
            return None
        return Sum(call, call.inputs, out, shapes[out], float(factor))
    if shapes[call.inputs[0]] != shapes[out]:
        return None
    if isinstance(one, Value):
        # An added image does no harm to changes, but windows of the base can't be added to it.
        made = Shifted if _channelwise(other, shapes[out][0]) else None
        return made(call, call.inputs, out, shapes[out]) if made else None
    return _pointwise(call, shapes) if call.name == "sub" else _swapped(call, shapes)


def _swapped(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, out = _arguments(call), call.outputs[0]
    if given.get("alpha", 1) != 1 or not _channelwise(given["self"], shapes[out][0]):
        return None
    return Shifted(call, call.inputs, out, shapes[out])


def _multiplied(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, out = _arguments(call), call.outputs[0]
    constants = [item for item in (given["self"], given["other"]) if not isinstance(item, Value)]
    if len(constants) != 1 or shapes[call.inputs[0]] != shapes[out] or given.get("rounding_mode"):
        return None
    if not _channelwise(constants[0], shapes[out][0]):
        return None
    if call.name == "div" and not isinstance(given["self"], Value):
        return _pointwise(call, shapes)
    return Scaled(call, call.inputs, out, shapes[out])


def _normalised(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, out = _arguments(call), call.outputs[0]
    mean, variance = given.get("running_mean"), given.get("running_var")
    if given.get("training") or mean is None or variance is None:
        where = f" '{call.layer}'" if call.layer else ""
        raise Untraceable(f"the batch norm{where} keeps no running statistics, so rows depend on each other")
    epsilon = given.get("eps", given.get("epsilon"))
    scale = (variance.double() + epsilon).rsqrt()
    if given["weight"] is not None:
        scale = scale * given["weight"].double()
    shift = -mean.double() * scale
    if given["bias"] is not None:
        shift = shift + given["bias"].double()
    return Normalised(call, call.inputs[:1], out, shapes[out], scale.to(variance), shift.to(variance))


def _reaches(
    shapes: tuple[Shape, Shape], kernel: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[Reach, Reach]:
    def along(axis: int) -> Reach:
        def of(value: Any) -> int:
            return int(value) if isinstance(value, int) else int(value[axis if len(value) > 1 else 0])

        sizes = shapes[0][1 + axis], shapes[1][1 + axis]
        return Reach(of(kernel), of(stride or kernel), of(padding), of(dilation), *sizes)

    return along(0), along(1)


def _convolution(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, out = _arguments(call), call.outputs[0]
    weight = given["weight"]
    if given["transposed"] or len(call.inputs) != 1 or not isinstance(weight, Tensor):
        return None
    number = call.inputs[0]
    reaches = _reaches(
        (shapes[number], shapes[out]), weight.shape[2:], given["stride"], given["padding"], given["dilation"]
    )
    weight = weight.detach().contiguous(memory_format=torch.channels_last)
    bias = None if given["bias"] is None else given["bias"].detach()
    return Convolution(call, (number,), out, shapes[out], reaches, weight, bias, given["groups"])


def _max_pool(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, number, out = _arguments(call), call.inputs[0], call.outputs[0]
    reaches = _reaches(
        (shapes[number], shapes[out]), given["kernel_size"], given["stride"], given["padding"], given["dilation"]
    )
    return MaxPool(call, (number,), out, shapes[out], reaches)


def _mean_pool(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    given, number, out = _arguments(call), call.inputs[0], call.outputs[0]
    reaches = _reaches((shapes[number], shapes[out]), given["kernel_size"], given["stride"], given["padding"])
    if given["divisor_override"]:
        one = torch.ones(reaches[1].size_out, dtype=torch.float64)
        parts = torch.full((reaches[0].size_out,), 1.0 / given["divisor_override"], dtype=torch.float64), one
    else:
        down, across = (1.0 / _counted(reach, given["count_include_pad"]) for reach in reaches)
        parts = down, across
    return MeanPool(call, (number,), out, shapes[out], reaches, parts)


def _counted(reach: Reach, with_padding: bool) -> Tensor:
    """Return the number of pixels that each output of a mean pool counts, as torch does it."""
    begin = torch.arange(reach.size_out, dtype=torch.float64) * reach.stride - reach.padding
    end = torch.clamp(begin + reach.kernel, max=reach.size_in + reach.padding)
    if with_padding:
        return end - begin
    return end.clamp(max=reach.size_in) - begin.clamp(min=0)


def _adaptive(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    """An adaptive pool whose outputs divide the map evenly is an ordinary one."""
    number, out = call.inputs[0], call.outputs[0]
    (_, *before), (_, *after) = shapes[number], shapes[out]
    if any(a % b for a, b in zip(before, after, strict=True)):
        return None
    kernel = [a // b for a, b in zip(before, after, strict=True)]
    reaches = _reaches((shapes[number], shapes[out]), kernel, kernel, 0)
    if call.name == "adaptive_max_pool2d":
        return MaxPool(call, (number,), out, shapes[out], reaches)
    down, across = (torch.full((reach.size_out,), 1.0 / reach.kernel, dtype=torch.float64) for reach in reaches)
    return MeanPool(call, (number,), out, shapes[out], reaches, (down, across))


def _mean(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    """The mean over all pixels is an adaptive pool to one."""
    given = _arguments(call)
    axes = sorted(axis % 4 for axis in given["dim"] or ())
    return _adaptive(call, shapes) if axes == [2, 3] and given["keepdim"] and not given["dtype"] else None


def _joined(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    parts = _arguments(call)
    if parts["dim"] not in (1, -3) or not all(isinstance(part, Value) for part in parts["tensors"]):
        return None
    return Joined(call, call.inputs, call.outputs[0], shapes[call.outputs[0]])


def _padded(call: Call, shapes: Mapping[int, Shape]) -> Operation | None:
    number, out = call.inputs[0], call.outputs[0]
    sides = _arguments(call)["pad"]
    if len(sides) not in (2, 4):
        return None
    left, top = sides[0], sides[2] if len(sides) == 4 else 0
    return Padding(call, (number,), out, shapes[out], _reaches((shapes[number], shapes[out]), 1, 1, (top, left)))


_Maker = Callable[[Call, Mapping[int, Shape]], "Operation | None"]
_MAKERS: dict[str, _Maker] = {
    **dict.fromkeys(_ACTIVATIONS, _pointwise),
    **dict.fromkeys(_COPIES, _copied),
    **dict.fromkeys(_NORMS, _normalised),
    **dict.fromkeys(("add", "sub"), _added),
    **dict.fromkeys(("mul", "div"), _multiplied),
    **dict.fromkeys(("_adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive),
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool2d": _mean_pool,
    "mean": _mean,
    "cat": _joined,
    "constant_pad_nd": _padded,
}
