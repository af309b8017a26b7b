"""From what a network gives to what was asked: probability, logit or loss of the chosen classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sensiview.errors import ModelError
from sensiview.models.outputs import ResolvedKind, Target
from sensiview.models.tracing import Activation

_KEYS = ("logits", "out", "output", "prediction", "probabilities")
# How sentences begin that say which of several answers of a network is looked at.
SEVERAL_ANSWERS = "The network gives"


@dataclass(frozen=True)
class Forward:
    """What one forward pass gave.

    Parameters
    ----------
    raw : Tensor
        The network's output, shape (n, k) or (n, k, ...).
    before : Tensor or None
        What entered the final activation, same number of elements; None when there is none or it was not watched.
    activation : str or None
        The final activation.
    """

    raw: Tensor
    before: Tensor | None = None
    activation: Activation | None = None


def first_tensor(answer: Any) -> tuple[Tensor, str]:
    """Return the tensor that a network's answer stands for, and a sentence when there was a choice.

    Raises
    ------
    ModelError
        There is none.
    """
    if isinstance(answer, Tensor):
        return answer, ""
    if isinstance(answer, Mapping):
        for key in (*_KEYS, *answer):
            if isinstance(answer.get(key), Tensor):
                return answer[key], f"{SEVERAL_ANSWERS} a dictionary; its entry '{key}' is taken as the output."
    elif isinstance(answer, Sequence) and not isinstance(answer, str | bytes):
        for position, item in enumerate(answer):
            if isinstance(item, Tensor):
                note = f"{SEVERAL_ANSWERS} {len(answer)} results; number {position + 1} is taken as the output."
                return item, note if len(answer) > 1 else ""
    logits = getattr(answer, "logits", None)
    if isinstance(logits, Tensor):
        return logits, f"{SEVERAL_ANSWERS} an object; its 'logits' are taken as the output."
    raise ModelError(
        f"The network gives a {type(answer).__name__} in which there is no tensor, so there is nothing to measure. "
        "Let its forward() return a tensor, a tuple or a dictionary of tensors."
    )


def as_columns(tensor: Tensor, n_rows: int, what: str) -> Tensor:
    """Return `tensor` as (n, k) or (n, k, ...).

    Raises
    ------
    ModelError
        It does not hold one answer per row, or not numbers with a fractional part.
    """
    if tensor.ndim == 0 or tensor.shape[0] != n_rows:
        raise ModelError(
            f"{what} does not give one answer per row: for {n_rows} rows its shape is {tuple(tensor.shape)}, and the "
            "first number should be the rows. Choose another layer, or let the network keep the rows first."
        )
    if tensor.is_complex():
        raise ModelError(f"{what} gives complex numbers, which can't be measured. Choose another layer.")
    return tensor.unsqueeze(1) if tensor.ndim == 1 else tensor


def read(kind: ResolvedKind, forward: Forward, emits: str, targets: Sequence[Target]) -> Tensor:
    """Return the asked columns, shape (n, len(targets)).

    `emits` is the card's word for what the network gives. Log-probabilities (a final log-softmax) count as logits.
    """
    raw = forward.raw
    from_probability = emits == "probability"
    single = raw.shape[1:].numel() == 1
    if kind == "value":
        values = raw
    elif kind == "probability":
        values = raw if from_probability else (torch.sigmoid(raw) if single else torch.softmax(raw, dim=1))
    elif kind == "logit":
        values = _logits(forward) if from_probability else raw
    else:
        return _loss(forward, from_probability, single, targets)
    columns = values.flatten(1)
    order = [target.column for target in targets]
    if order != list(range(columns.shape[1])):
        columns = columns[:, order]
    flipped = torch.tensor([target.complement for target in targets], device=columns.device)
    if not flipped.any():
        return columns
    return torch.where(flipped, 1 - columns if kind == "probability" else -columns, columns)


def _logits(forward: Forward) -> Tensor:
    """Return the input of the final activation; log p/(1-p) where that can't be seen."""
    if forward.before is not None:
        return forward.before
    return torch.log(forward.raw) - torch.log1p(-forward.raw)


def _loss(forward: Forward, from_probability: bool, single: bool, targets: Sequence[Target]) -> Tensor:
    """Return -log p of each target class; computed from logits wherever they are known, which can't overflow."""
    if from_probability and forward.before is None:
        p = forward.raw.flatten(1)
        return torch.stack([-torch.log(1 - p[:, t.column] if t.complement else p[:, t.column]) for t in targets], dim=1)
    logits = forward.before if from_probability and forward.before is not None else forward.raw
    if single or forward.activation == "sigmoid":
        z = logits.flatten(1)
        signed = torch.stack([z[:, t.column] if t.complement else -z[:, t.column] for t in targets], dim=1)
        return functional.softplus(signed)
    log_p = torch.log_softmax(logits, dim=1).flatten(1)
    return -log_p[:, [t.column for t in targets]]
