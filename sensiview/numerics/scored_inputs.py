"""Inputs of a network with classes of their own: scores of what the network gives, and whose score is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.datasets.card import DatasetCard
from sensiview.errors import UserError
from sensiview.models.network import Network
from sensiview.models.outputs import Target, TargetName, parse_target
from sensiview.models.readout import Forward, read

Score = Literal["probability", "logit", "log_odds"]
# Beyond this a probability in float32 is 0 or 1.
_LEAST = 1e-6


class Labelled(Protocol):
    """Volumes or images: in order, with names and classes."""

    @property
    def card(self) -> DatasetCard:
        """The description of all of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""

    def labels(self, indices: Sequence[int] | npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Return class numbers in the order of ``card.class_counts``, -1 where missing."""


class ScoredInputs(ABC):
    """A network and what it looks at.

    Parameters
    ----------
    network : Network
    source : Labelled
        The volumes or images.
    """

    def __init__(self, network: Network, source: Labelled) -> None:
        self.network = network
        self.source = source

    @abstractmethod
    def output(self, index: int) -> Tensor:
        """Return what the network gives for one untouched input, (outputs,)."""

    def scores(self, output: Tensor, targets: Sequence[Target], kind: Score) -> Tensor:
        """Return one score per row, shape (n,), from what `forward` gave; row i is read at ``targets[i]``.

        ``log_odds`` is log p/(1-p) of the target's probability p: unlike p it keeps a gradient when the network is
        sure of itself. Differentiable.
        """
        emits = self.network.card.emits
        rows = []
        for row, target in zip(output, targets, strict=True):
            forward = Forward(row[None])
            if kind != "log_odds":
                known = "value" if emits == "value" and not self.network.card.class_names else kind
                rows.append(read(known, forward, emits, [target])[0, 0])
                continue
            if emits == "probability":
                p = read("probability", forward, emits, [target])[0, 0].clamp(_LEAST, 1 - _LEAST)
                rows.append(torch.log(p) - torch.log1p(-p))
            elif row.numel() == 1:
                rows.append(-row.reshape(()) if target.complement else row.reshape(()))
            else:
                others = torch.ones_like(row, dtype=torch.bool)
                others[target.column] = False
                rows.append(row[target.column] - torch.logsumexp(row[others], dim=0))
        return torch.stack(rows)

    def targets(self, target: TargetName, indices: Sequence[int] | npt.NDArray[np.int64]) -> list[Target]:
        """Return the target of each input: the named class for all, or with ``true`` each one's own.

        ``predicted`` takes the class with the highest score.

        Raises
        ------
        UserError
            There is no such class, or an input's own class is not one of the network's.
        """
        card = self.network.card
        if target == "true":
            names = list(self.source.card.class_counts)
            codes = self.source.labels(indices)
            unknown = [self.source.names[int(i)] for i, code in zip(indices, codes, strict=True) if code < 0]
            if unknown:
                raise UserError(
                    f"The class of {', '.join(unknown[:3])} is missing. Leave such inputs out, or choose 'predicted' "
                    "or a class as the target."
                )
            return [parse_target(names[code], card)[0] for code in codes]
        if target == "predicted":
            return [self._predicted(int(index)) for index in indices]
        return [parse_target(target, card)[0]] * len(indices)

    def _predicted(self, index: int) -> Target:
        with self.network.measuring():
            row = self.output(index).flatten()
        if row.numel() > 1:
            return parse_target(int(row.argmax()), self.network.card)[0]
        threshold = 0.5 if self.network.card.emits == "probability" else 0.0
        return parse_target(int(float(row) > threshold), self.network.card)[0]

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """Eval mode as `Network.measuring`, weights frozen, gradients with respect to inputs on."""
        with self.network.measuring():
            for parameter in self.network.module.parameters():
                parameter.requires_grad_(False)
            with torch.enable_grad():
                yield
