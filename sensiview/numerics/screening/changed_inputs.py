"""Inputs of a network with some of their parts changed: masked, or put to another value, one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.card import ModelCard
from sensiview.models.network import Network
from sensiview.models.outputs import ResolvedKind, Target
from sensiview.models.readout import Forward, read
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.screening.designs import Floats, Ints

Bools: TypeAlias = "NDArray[np.bool_]"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network said: whether the class is right, and the score of that class; float64 of one shape each."""

    right: Floats
    score: Floats


class ChangedInputs(ABC):
    """Inputs of one network whose parts can be changed.

    Parameters
    ----------
    network : Network
    batches : CarefulBatches
    advance : callable
        Gets the rows of each batch.

    Attributes
    ----------
    draws : int
        How many ways of changing a part are tried for each input: one for masks, several where values are drawn.
    sentence : str
        How inputs were computed, for the run's note; empty where there is nothing to say.
    """

    draws: int = 1
    sentence: str = ""

    def __init__(self, network: Network, batches: CarefulBatches, advance: Callable[[int], None]) -> None:
        self.network, self.batches, self.advance = network, batches, advance

    @abstractmethod
    def own(self, index: int) -> Tensor:
        """Return what the network gives for the untouched input, (1, outputs)."""

    @abstractmethod
    def changeable(self, index: int) -> Bools:
        """Return which parts can be changed, (parts,): an empty part of an image can't be masked."""

    @abstractmethod
    def prepared(self, index: int) -> Tensor:
        """Return what the module takes for the untouched input, (1, *input_shape)."""

    @abstractmethod
    def rows_forward(self, index: int, changed: Bools, draw: Ints) -> Tensor:
        """Return what the network gives for rows with parts changed, (n, outputs).

        Parameters
        ----------
        index : int
        changed : ndarray
            (n, parts).
        draw : ndarray
            (n,): which of the `draws` ways each row takes.
        """

    def along(self, index: int, orders: Ints) -> Tensor:
        """Return what the network gives while parts are changed one after the other.

        Parameters
        ----------
        index : int
        orders : ndarray
            (orders, draws, steps), places of parts; a part occurs once in an order.

        Returns
        -------
        Tensor
            (orders, draws, steps, outputs), after each change.
        """
        count, draws, steps = orders.shape
        changed = np.zeros((count, draws, steps, len(self.changeable(index))), dtype=np.bool_)
        for step in range(steps):
            np.put_along_axis(changed[:, :, step], orders[:, :, : step + 1], True, axis=2)
        draw = np.broadcast_to(np.arange(draws)[None, :, None], (count, draws, steps))
        return self._all(index, changed, draw)

    def with_sets(self, index: int, sets: Bools) -> Tensor:
        """Return what the network gives with sets of parts changed, (sets, parts) -> (sets, draws, outputs)."""
        changed = np.repeat(sets[:, None], self.draws, axis=1)
        return self._all(index, changed, np.broadcast_to(np.arange(self.draws), changed.shape[:2]))

    def _all(self, index: int, changed: Bools, draw: Ints) -> Tensor:
        with self.network.measuring():
            self.batches.probe(self.prepared(index), gradient=False)
        shape = changed.shape[:-1]
        rows, which = changed.reshape(-1, changed.shape[-1]), np.ravel(draw)
        found: list[Tensor] = []

        def batch(numbers: Sequence[int]) -> None:
            part = slice(numbers[0], numbers[-1] + 1)
            found.append(self.rows_forward(index, rows[part], which[part]))
            self.advance(len(numbers))

        self.batches.run(range(len(rows)), batch)
        answers = torch.cat(found)
        return answers.reshape(*shape, *answers.shape[1:])


def answers_of(card: ModelCard, output: Tensor, target: Target, kind: ResolvedKind) -> Answers:
    """Return whether the network says `target`, and its score, from what it gave, (..., outputs) to (...).

    A network without classes is never wrong.
    """
    rows = output.detach().reshape(-1, output.shape[-1])
    classes = card.emits != "value" or bool(card.class_names)
    plain: ResolvedKind = kind if classes else "value"
    score = read(plain, Forward(rows), card.emits, [target])[:, 0].double().cpu().numpy()
    right = np.ones(len(rows))
    if classes and rows.shape[1] > 1:
        right = (rows.argmax(dim=1) == target.column).double().cpu().numpy()
    elif classes:
        says = rows[:, 0] > (0.5 if card.emits == "probability" else 0.0)
        right = (says != target.complement).double().cpu().numpy()
    # What is no number is no answer.
    right = np.where(np.isfinite(score), right, 0.0)
    return Answers(right.reshape(output.shape[:-1]), score.reshape(output.shape[:-1]))
