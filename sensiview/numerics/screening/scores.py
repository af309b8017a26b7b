"""Scores of whole batches of rows, all outputs at once: a screening costs the same for one output as for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.outputs import Target, parse_target
from sensiview.models.readout import Forward, read
from sensiview.numerics.scored_inputs import Score, ScoredInputs
from sensiview.numerics.screening.screened import MOST_OUTPUTS
from sensiview.numerics.volume_scores import predicted_target

# Beyond this a probability in float32 is 0 or 1.
_LEAST = 1e-6


class ScoreReader:
    """Reads the chosen scores of many rows of one input.

    Parameters
    ----------
    inputs : ScoredInputs
    target : str, int or list
        ``auto``: all outputs of a network of up to 20, else the predicted and, where it is known, the true class.
        ``true``, ``predicted``, a class, a list of classes, or ``all``.
    kind : str
        ``logit``, ``probability`` or ``log_odds``.
    outputs : int
        How many outputs the network has.
    """

    def __init__(
        self, inputs: ScoredInputs, target: str | int | Sequence[int | str], kind: Score, outputs: int
    ) -> None:
        self._inputs, self.kind = inputs, kind
        card = inputs.network.card
        wanted = target
        if target == "auto":
            wanted = "all" if outputs <= MOST_OUTPUTS else "predicted"
        self._words: tuple[str, ...] = (str(wanted),) if wanted in ("true", "predicted") else ()
        if target == "auto" and self._words and self._knows_classes():
            self._words = ("predicted", "true")
        self._named = () if self._words else tuple(parse_target(wanted, card))

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each score."""
        return tuple(target.label for target in self._named) or tuple(f"{word} class" for word in self._words)

    def targets(self, index: int, output: Tensor) -> tuple[Target, ...]:
        """Return the targets of one input from what the network gave for it untouched, (outputs,).

        Raises
        ------
        UserError
            Its true class is asked for and not known.
        """
        if self._named:
            return self._named
        predicted = predicted_target(self._inputs.network.card, output)
        true = self._inputs.targets("true", [index])[0] if "true" in self._words else predicted
        return tuple(true if word == "true" else predicted for word in self._words)

    def matrix(self, outputs: Tensor, targets: Sequence[Target]) -> NDArray[np.floating]:
        """Return the scores, (n, targets), from what the network gave, (n, outputs), in its own precision."""
        emits = self._inputs.network.card.emits
        if emits == "value" and not self._inputs.network.card.class_names:
            found = read("value", Forward(outputs), emits, targets)
        elif self.kind != "log_odds":
            found = read(self.kind, Forward(outputs), emits, targets)
        elif emits == "probability":
            p = read("probability", Forward(outputs), emits, targets).clamp(_LEAST, 1 - _LEAST)
            found = torch.log(p) - torch.log1p(-p)
        else:
            rows = len(outputs)
            found = torch.stack([self._inputs.scores(outputs, [t] * rows, "log_odds") for t in targets], dim=1)
        plain = found.detach().cpu()
        return np.asarray(plain.numpy() if plain.dtype in (torch.float32, torch.float64) else plain.float().numpy())

    def _knows_classes(self) -> bool:
        return bool(self._inputs.source.card.class_counts)
