"""How fast a network learns when: schedules of the learning rate. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sensiview.models.recipe import TrainingRecipe

# Epochs without a better loss before 'plateau' halves the rate.
_PATIENCE = 5
# One cycle (Smith & Topin 2018), with torch's numbers: the rate rises for 30 % of the steps from 1/25 of the largest.
_RISING = 0.3
_START = 25.0
_END = 1e4


def learning_rate(recipe: TrainingRecipe, at: float, losses: Sequence[float] = ()) -> float:
    """Return the rate of the step that begins after `at` epochs.

    It follows from the recipe and the history alone, so that a training that goes on from a checkpoint has the same.

    Parameters
    ----------
    recipe : TrainingRecipe
        `learning_rate` is the largest rate.
    at : float
        Epochs that are done, with the share of the one that is on its way.
    losses : sequence of float
        The watched loss after each epoch, for ``plateau``.
    """
    rate = recipe.learning_rate
    if recipe.schedule == "one_cycle":
        return rate * _one_cycle(min(1.0, at / recipe.epochs))
    if recipe.schedule == "cosine":
        # The cosine begins where the warm-up ends.
        whole = max(1e-9, recipe.epochs - recipe.warm_up)
        rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, at - recipe.warm_up) / whole)))
    elif recipe.schedule == "step":
        rate *= recipe.step_factor ** (int(at) // recipe.step_epochs)
    elif recipe.schedule == "plateau":
        rate *= 0.5 ** _halvings(losses)
    if at < recipe.warm_up:
        # Never 0: the first step would do nothing.
        rate *= max(at, 0.01) / recipe.warm_up if recipe.warm_up > 0.01 else 1.0
    return rate


def _halvings(losses: Sequence[float]) -> int:
    best, since, count = math.inf, 0, 0
    for loss in losses:
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since == _PATIENCE:
            count, since = count + 1, 0
    return count


def _one_cycle(share: float) -> float:
    if share < _RISING:
        return _between(1 / _START, 1.0, share / _RISING)
    return _between(1.0, 1 / (_START * _END), (share - _RISING) / (1 - _RISING))


def _between(begin: float, end: float, share: float) -> float:
    """Go from one value to another along half a cosine."""
    return end + (begin - end) * 0.5 * (1 + math.cos(math.pi * share))
