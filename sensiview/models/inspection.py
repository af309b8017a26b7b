"""Describing a network: layer tree, what it emits, what a row costs. Everything is measured, nothing guessed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.batching import Footprint, compute
from sensiview.models.card import ModelCard
from sensiview.models.layers import trace_layers
from sensiview.models.readout import as_columns, first_tensor
from sensiview.models.state import kept_as_it_was
from sensiview.models.tracing import Activation, FinalActivation, Meter

# Rows, channels and three axes.
_VOLUMES = 5
_TRIAL_SECONDS = 0.2
_TRIAL_BYTES = 256 * 2**20
_TRIAL_ROWS = 65_536


def describe(
    module: nn.Module,
    rows: Tensor,
    *,
    name: str,
    class_names: Sequence[str] = (),
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
    emits: Literal["probability", "logit", "value"] | None = None,
    time_it: bool = True,
    **known: Any,
) -> ModelCard:
    """Return the card of a network, which is left as it was.

    Parameters
    ----------
    module : nn.Module
        In any mode, on any device.
    rows : Tensor
        Two or more inputs as the module takes them (after preprocessing), on its device and in its dtype, shape
        (n, *input_shape).
    name : str
        Name of the network.
    class_names, input_names, output_names : sequence of str
        Names, where known. A network with one sigmoid and two class names stands for the second class.
    emits : str, optional
        What it emits, where known; else found: a final sigmoid or softmax gives probabilities, anything else with
        class names is a logit, and a plain value without.
    time_it : bool
        Measure `rows_per_second`; takes a fifth of a second.
    known
        Further fields of the card: architecture, options, preprocessing, accuracy, notes.

    Raises
    ------
    ModelError
        The network can't compute on these rows, gives no tensor, or a value for each voxel of a volume.
    """
    with kept_as_it_was(module):
        # One pass sees it all: shapes by hooks, cost and final activation operator by operator.
        with Meter() as meter, FinalActivation() as watch:
            try:
                trace = trace_layers(module, rows)
            except Exception:
                compute(module, rows, name)  # says the same as a sentence
                raise
            output, note = first_tensor(trace.answer)
            found = watch.behind(output)
            watch.forget()
        activation = found[0] if found else None
        _refuse_labels_of_voxels(output, rows, name)
        columns = as_columns(output, len(rows), f"The network '{name}'").flatten(1)
        cost = Footprint.of(meter, rows)
        there_and_back = _gradient_bytes(module, rows) if rows.ndim > 2 else 0
        speed = {str(rows.device): _rows_per_second(module, rows, cost)} if time_it else {}
    n_outputs = columns.shape[1]
    _check_names(name, tuple(rows.shape[1:]), n_outputs, input_names, output_names, class_names)
    notes = [*known.pop("notes", ()), *([note] if note else []), *trace.notes]
    if not output.is_floating_point():
        notes.append(
            "It gives whole numbers, such as that of a class, and no scores: there is no gradient, and changes are "
            "seen only where the number jumps. Let it return the scores themselves."
        )
    if emits is None:
        emits = _emits(activation, len(class_names))
        if activation == "log_softmax":
            notes.append(
                "It ends in log-softmax. Log-probabilities are read as logits: the probabilities are the same."
            )
    if not output_names and class_names:
        output_names = class_names[-n_outputs:]
    return ModelCard(
        name=name,
        emits=emits,
        input_shape=tuple(rows.shape[1:]),
        input_names=tuple(input_names),
        output_names=tuple(output_names) or _plain_names(n_outputs),
        class_names=tuple(class_names),
        layers=trace.layers,
        n_parameters=sum(p.numel() for p in module.parameters()),
        rows_per_second=speed,
        bytes_per_row=cost.bytes_per_row,
        gradient_bytes_per_row=there_and_back,
        flops_per_row=cost.flops_per_row,
        notes=tuple(notes),
        **known,
    )


def _refuse_labels_of_voxels(output: Tensor, rows: Tensor, name: str) -> None:
    """A network that segments volumes has millions of outputs, none of which is an answer about the volume."""
    if rows.ndim != _VOLUMES or output.ndim != _VOLUMES or output.shape[2:].numel() == 1:
        return
    grid = " x ".join(map(str, output.shape[2:]))
    raise ModelError(
        f"The network '{name}' gives {output.shape[1]:,} value{'s' if output.shape[1] > 1 else ''} for each voxel "
        f"({grid}), as networks that label voxels (segmentation) do. The analyses explain networks that give one "
        "answer for a volume. Wrap it in a module that pools its answer, for example the mean probability of one label "
        "over all voxels, and add that as an exported program (.pt2)."
    )


def _check_names(
    name: str,
    input_shape: tuple[int, ...],
    n_outputs: int,
    input_names: Sequence[str],
    output_names: Sequence[str],
    class_names: Sequence[str],
) -> None:
    if class_names and len(class_names) != n_outputs and (n_outputs, len(class_names)) != (1, 2):
        raise ModelError(
            f"The network '{name}' has {n_outputs} outputs; {len(class_names)} class names don't fit them."
        )
    if output_names and len(output_names) != n_outputs:
        raise ModelError(
            f"The network '{name}' has {n_outputs} outputs; {len(output_names)} output names don't fit them."
        )
    if input_names and len(input_shape) == 1 and len(input_names) != input_shape[0]:
        raise ModelError(
            f"The network '{name}' takes {input_shape[0]} inputs; {len(input_names)} input names don't fit."
        )


def _emits(activation: Activation | None, n_classes: int) -> Literal["probability", "logit", "value"]:
    if activation in ("sigmoid", "softmax"):
        return "probability"
    return "logit" if activation == "log_softmax" or n_classes else "value"


def _plain_names(count: int) -> tuple[str, ...]:
    return ("output",) if count == 1 else tuple(f"output[{i}]" for i in range(count))


def _gradient_bytes(module: nn.Module, rows: Tensor) -> int:
    """Return the peak of a forward and backward pass with respect to one row; 0 where there is none."""
    part = rows[: getattr(module, "fixed_rows", None) or 1].detach().clone().requires_grad_()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    try:
        with torch.enable_grad(), Meter() as meter:
            output, _ = first_tensor(module(part.clone()))  # some networks work in place
            torch.autograd.grad(output.sum(), part)
    except (RuntimeError, NotImplementedError, MemoryError):
        return 0  # whoever needs the gradient says why there is none, or that memory ran out
    return Footprint.of(meter, part).bytes_per_row


def _rows_per_second(module: nn.Module, rows: Tensor, cost: Footprint) -> float:
    """Return the throughput at a batch of at most 256 MB, the first pass not counted."""
    fixed: int | None = getattr(module, "fixed_rows", None)
    size = fixed or max(
        1, min(_TRIAL_ROWS, _TRIAL_BYTES // max(1, cost.bytes_per_row), 10**10 // max(1, cost.flops_per_row))
    )
    batch = rows.repeat(-(-size // len(rows)), *([1] * (rows.ndim - 1)))[:size]
    _run(module, batch)
    done, begun = 0, time.perf_counter()
    while True:
        _run(module, batch)
        done += size
        spent = time.perf_counter() - begun
        if spent >= _TRIAL_SECONDS:
            return round(done / spent, 1)


def _run(module: nn.Module, batch: Tensor) -> None:
    module(batch)
    if batch.device.type == "cuda":
        torch.cuda.synchronize(batch.device)
    elif batch.device.type == "mps":
        torch.mps.synchronize()
