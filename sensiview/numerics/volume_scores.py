"""Volumes as tensors, and the scores of theirs that a map is drawn for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.errors import UserError
from sensiview.models.card import ModelCard
from sensiview.models.outputs import Target, TargetName, parse_target
from sensiview.numerics.scored_inputs import Score, ScoredInputs
from sensiview.numerics.volume_inputs import VolumeInputs

ScoreChoice = Literal["auto", "logit", "probability", "log_odds"]


def resolved(choice: ScoreChoice, card: ModelCard, *, gradient: bool) -> Score:
    """Return what ``auto`` means.

    Gradients are taken of the logit, which has one also where the network is sure of itself; for a network that gives
    probabilities it is computed back from them. Differences are taken of the probability, which people can read.
    """
    if choice != "auto":
        return choice
    if not gradient:
        return "probability"
    return "log_odds" if card.emits == "probability" else "logit"


class Scorer:
    """Reads the chosen scores of each input from what the network gave.

    Parameters
    ----------
    inputs : ScoredInputs
    target : str, int or list
        ``true``, ``predicted``, a class, a list of classes or ``all``.
    kind : str
        ``logit``, ``probability`` or ``log_odds``.
    fixed : mapping, optional
        Targets by place of the volume, chosen before: of another network the same scores are read.

    Attributes
    ----------
    count : int
        Scores per volume.

    Raises
    ------
    UserError
        There is no such class.
    """

    def __init__(
        self,
        inputs: ScoredInputs,
        target: TargetName,
        kind: Score,
        fixed: Mapping[int, tuple[Target, ...]] | None = None,
    ) -> None:
        self.inputs = inputs
        self.kind = kind
        self._fixed = fixed
        self._word = target if target in ("true", "predicted") else ""
        self._named = () if self._word else parse_target(target, inputs.network.card)
        self.count = 1 if self._word else len(self._named)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each score: the classes, or ``true class``, ``predicted class``."""
        return tuple(t.label for t in self._named) or (f"{self._word} class",)

    def choose(self, indices: Sequence[int], output: Tensor) -> list[tuple[Target, ...]]:
        """Return the targets of volumes from what the network gave for them, (n, outputs).

        Raises
        ------
        UserError
            The true class of a volume is asked for and is not known.
        """
        if self._fixed is not None:
            return [self._fixed[index] for index in indices]
        if self._word == "true":
            labels = self.inputs.source.labels(indices)
            for index, label in zip(indices, labels, strict=True):
                if label < 0:
                    raise UserError(
                        f"The class of '{self.inputs.source.names[index]}' is not known. Leave it out, or choose "
                        "the predicted class or a class by name."
                    )
            return [(target,) for target in self.inputs.targets("true", indices)]
        if self._word == "predicted":
            return [(predicted_target(self.inputs.network.card, row),) for row in output]
        return [self._named] * len(indices)

    def matrix(self, output: Tensor, chosen: Sequence[tuple[Target, ...]], kind: Score | None = None) -> Tensor:
        """Return the scores, (n, count), differentiable; `kind` other than the one chosen on demand."""
        columns = [
            self.inputs.scores(output, [targets[place] for targets in chosen], kind or self.kind)
            for place in range(self.count)
        ]
        return torch.stack(columns, dim=1)

    def probabilities(self, output: Tensor, chosen: Sequence[tuple[Target, ...]]) -> NDArray[np.float64]:
        """Return the probabilities of the targets, (n, count); the plain value of a network without classes."""
        found = self.matrix(output.detach(), chosen, "probability")
        return found.to(device="cpu", dtype=torch.float64).numpy()


def predicted_target(card: ModelCard, row: Tensor) -> Target:
    """Return the class with the highest score in one row of the network's output."""
    flat = row.detach().flatten()
    if flat.numel() > 1:
        return parse_target(int(flat.argmax()), card)[0]
    if card.emits == "value" and not card.class_names:
        return parse_target(0, card)[0]
    return parse_target(int(float(flat[0]) > (0.5 if card.emits == "probability" else 0.0)), card)[0]


class VolumeReader:
    """Reads volumes for a network and says what is odd about them, once each.

    Voxels that are not finite count as 0.
    """

    def __init__(self, inputs: VolumeInputs, warn: Callable[[str], None]) -> None:
        self.inputs = inputs
        self._warn = warn
        self._said: set[int] = set()

    def __call__(self, indices: Sequence[int]) -> tuple[Tensor, Grid]:
        """Return raw values on the network's device, float32 (n, 1, i, j, k), and their grid.

        Raises
        ------
        DataError
            The volumes lie on different grids, or a file is gone or damaged.
        """
        volumes = self.inputs.volumes
        grid = volumes.grid(indices)
        batch = np.empty((len(indices), 1, *grid.shape), dtype=np.float32)
        for place, index in enumerate(indices):
            values = volumes.volume(index).values()
            finite = np.isfinite(values)
            if not finite.all():
                self._say(index, f"has {int((~finite).sum()):,} voxels that are not finite numbers; they count as 0.")
            batch[place, 0] = np.where(finite, values, np.float32(0))
            if batch[place, 0].min() == batch[place, 0].max():
                self._say(index, "has the same value in every voxel; there is nothing in it to look at.")
        return torch.from_numpy(batch).to(self.inputs.network.device), grid

    def _say(self, index: int, what: str) -> None:
        if index not in self._said:
            self._said.add(index)
            self._warn(f"'{self.inputs.volumes.names[index]}' {what}")


def input_size(inputs: VolumeInputs, rows: Tensor, grid: Grid) -> tuple[int, ...]:
    """Return the spatial shape of what the network's module gets for these rows."""
    with torch.no_grad():
        return tuple(inputs.network.preprocess(rows[:1], None, grid.affine).shape[2:])
