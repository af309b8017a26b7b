"""What training makes small, and how well a network does: for one sigmoid, for several classes, for values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from sensiview.errors import UserError
from sensiview.models.recipe import TrainingRecipe

Form = Literal["probability", "logit", "class_probability", "class_logit", "value"]


@dataclass(frozen=True)
class Objective:
    """Loss and score of one kind of output.

    Parameters
    ----------
    form : str
        ``probability``/``logit``: one output for two classes; ``class_probability``/``class_logit``: one output per
        class; ``value``: numbers.
    class_weights : Tensor or None
        One per class.
    spread : float
        Variance of the target over the training rows; for values.
    """

    form: Form
    class_weights: Tensor | None = None
    spread: float = 1.0

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss over rows, weighted by class where weights are set.

        Parameters
        ----------
        output : Tensor
            Shape (n, k), what the network gives.
        target : Tensor
            Shape (n,): class numbers (int64), or values.
        """
        if self.form == "value":
            return functional.mse_loss(output[:, 0], target)
        if self.form == "class_logit":
            return functional.cross_entropy(output, target, weight=self.class_weights)
        if self.form == "class_probability":
            return functional.nll_loss(torch.log(output.clamp_min(1e-12)), target, weight=self.class_weights)
        weight = None if self.class_weights is None else self.class_weights[target]
        function = (
            functional.binary_cross_entropy
            if self.form == "probability"
            else functional.binary_cross_entropy_with_logits
        )
        if weight is None:
            return function(output[:, 0], target.to(output.dtype))
        return function(output[:, 0], target.to(output.dtype), weight=weight, reduction="sum") / weight.sum()

    def score(self, output: Tensor, target: Tensor) -> float:
        """Return the share of rows in the right class; for values R², 1 - mean squared error / variance."""
        if self.form == "value":
            error, spread = functional.mse_loss(output[:, 0], target), target.var(correction=0)
            return 1 - float(error) / max(float(spread), 1e-30)
        if self.form in ("class_logit", "class_probability"):
            guess = output.argmax(dim=1)
        else:
            # 0.5 itself counts as the second class, as the study's script rounds.
            guess = (output[:, 0] >= (0.5 if self.form == "probability" else 0.0)).long()
        return int((guess == target).sum()) / len(target)


def objective_for(
    recipe: TrainingRecipe, emits: str, n_outputs: int, target: Tensor, n_classes: int, like: Tensor
) -> Objective:
    """Return the objective that a recipe means for a network with `n_outputs` outputs.

    Parameters
    ----------
    recipe : TrainingRecipe
    emits : str
        ``probability``, ``logit`` or ``value``.
    n_outputs : int
    target : Tensor
        The training rows' classes or values, shape (n,).
    n_classes : int
        0 for a target of numbers.
    like : Tensor
        Gives dtype and device of the class weights.

    Raises
    ------
    UserError
        The loss does not fit the network or the target.
    """
    if n_classes == 0:
        if recipe.loss not in ("auto", "mean_squared_error") or emits == "probability" or n_outputs != 1:
            raise UserError(
                "The target column holds numbers, not classes: use a network with one output and the loss 'auto' or "
                "'mean_squared_error'."
            )
        return Objective("value", spread=max(float(target.var(correction=0)), 1e-30))
    if recipe.loss == "mean_squared_error":
        raise UserError("The loss 'mean_squared_error' is for a target of numbers; this one holds classes. Use 'auto'.")
    single = n_outputs == 1
    wanted = "binary_cross_entropy" if single else "cross_entropy"
    if recipe.loss not in ("auto", wanted):
        raise UserError(
            f"The loss '{recipe.loss}' does not fit a network with {n_outputs} outputs. Use '{wanted}' or 'auto'."
        )
    if n_classes != (2 if single else n_outputs):
        raise UserError(
            f"The target has {n_classes} classes, the network {n_outputs} outputs. Build it for these classes."
        )
    form: Form = "class_logit"
    if emits == "probability":
        form = "probability" if single else "class_probability"
    elif single:
        form = "logit"
    return Objective(form, _weights(recipe, target, n_classes, like))


def _weights(recipe: TrainingRecipe, target: Tensor, n_classes: int, like: Tensor) -> Tensor | None:
    if recipe.class_weights == "none":
        return None
    if recipe.class_weights == "balanced":
        counts = torch.bincount(target, minlength=n_classes).to(torch.float64)
        values = len(target) / (n_classes * counts.clamp_min(1))
    else:
        if len(recipe.class_weights) != n_classes:
            raise UserError(f"There are {len(recipe.class_weights)} class weights for {n_classes} classes.")
        values = torch.tensor(recipe.class_weights, dtype=torch.float64)
    return values.to(device=like.device, dtype=like.dtype)
