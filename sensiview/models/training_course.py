"""The epochs of a training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError, UserError
from sensiview.models.batching import compute
from sensiview.models.losses import Objective, objective_for
from sensiview.models.readout import as_columns, first_tensor
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import Split

_NAN = float("nan")
_EVALUATION_ROWS = 4096


@dataclass(frozen=True)
class EpochReport:
    """One epoch.

    `train_loss` and `train_accuracy` are taken on the way, in train mode, before the step; `test_loss` and
    `test_accuracy` after the epoch, in eval mode; NaN without test rows and in epochs that are not looked at. For a
    target of numbers the accuracies are R², and the losses of a network that ends in a linear layer are in units of
    the target's variance.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


class Course:
    """One training on its way: data on the device, a module, and what it should make small.

    Parameters
    ----------
    module : nn.Module
    recipe : TrainingRecipe
    inputs : Tensor
        All rows, preprocessed, shape (n, *input_shape), on the module's device and in its dtype.
    targets : Tensor
        Shape (n,): class numbers (int64) or values.
    split : Split
        Rows to train and to test on.
    emits : str
    n_classes : int

    Attributes
    ----------
    final : dict
        Score by ``train`` and ``test`` of the final weights, in eval mode.
    """

    def __init__(
        self,
        module: nn.Module,
        recipe: TrainingRecipe,
        inputs: Tensor,
        targets: Tensor,
        split: Split,
        emits: str,
        n_classes: int,
    ) -> None:
        self.module, self.recipe = module, recipe
        rows = [torch.as_tensor(r, device=inputs.device) for r in (split.train, split.test)]
        self.x, self.test_x = inputs[rows[0]], inputs[rows[1]]
        self.y, self.test_y = targets[rows[0]], targets[rows[1]]
        self.final: dict[str, float] = {}
        # Listed once: thousands of epochs of a small network are quicker than walking through its modules.
        self._parts = list(module.modules())
        self._mode(training=False)
        with torch.no_grad():
            width = self._output(self.x[:2]).shape[1]
        self.objective: Objective = objective_for(recipe, emits, width, self.y, n_classes, inputs)
        self.size = min(recipe.batch_size or len(self.x), len(self.x))

    def run(
        self, generator: np.random.Generator, on_epoch: Callable[[EpochReport], None] | None, test_every: int = 1
    ) -> tuple[list[EpochReport], list[str]]:
        """Go through the epochs; return their reports and sentences. Early stopping looks at every test loss."""
        optimiser = optimiser_for(self.module, self.recipe)
        history: list[EpochReport] = []
        notes: list[str] = []
        best, best_epoch, kept = math.inf, 0, None
        with _final_layer_scaled(self):
            for epoch in range(1, self.recipe.epochs + 1):
                loss, score = self._epoch(optimiser, generator)
                if not math.isfinite(loss):
                    raise ModelError(
                        f"The training diverged: the loss is not a number after epoch {epoch}. Lower the learning rate "
                        f"(now {self.recipe.learning_rate:g})"
                        + ("." if self.recipe.standardise else ", or standardise the columns.")
                    )
                looks = self.recipe.early_stopping or epoch % test_every == 0 or epoch == self.recipe.epochs
                test = self._measure(self.test_x, self.test_y) if looks else (_NAN, _NAN)
                report = EpochReport(epoch, loss, score, *test)
                history.append(report)
                if on_epoch is not None:
                    on_epoch(report)
                if self.recipe.early_stopping and len(self.test_x):
                    if report.test_loss < best:
                        best, best_epoch, kept = report.test_loss, epoch, copy.deepcopy(self.module.state_dict())
                    elif epoch - best_epoch >= self.recipe.early_stopping:
                        notes.append(
                            f"Stopped early after epoch {epoch}: the test loss was smallest in epoch {best_epoch}."
                        )
                        break
            if kept is not None:
                self.module.load_state_dict(kept)
        for name, x, y in (("train", self.x, self.y), ("test", self.test_x, self.test_y)):
            if len(x):
                self.final[name] = self._measure(x, y)[1]
        return history, notes

    def _epoch(self, optimiser: torch.optim.Optimizer, generator: np.random.Generator) -> tuple[float, float]:
        """Take one step per batch; return loss and score, means over rows, as they were before each step."""
        self._mode(training=True)
        total_loss, total_score = 0.0, 0.0
        for rows in self._batches(generator):
            x, y = (self.x, self.y) if rows is None else (self.x[rows], self.y[rows])
            output = self._output(x)
            loss = self.objective.loss(output, y)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            share = len(x) / len(self.x)
            total_loss += float(loss.detach()) * share
            if self.objective.form != "value":
                total_score += self.objective.score(output.detach(), y) * share
        if self.objective.form == "value":
            # R² of few rows at a time would have no meaning.
            total_score = 1 - total_loss / self.objective.spread
        return total_loss, total_score

    def _batches(self, generator: np.random.Generator) -> Iterator[Tensor | None]:
        """Yield row numbers in a new order each epoch; None for all rows at once."""
        count = len(self.x)
        if self.size >= count:
            yield None
            return
        order = torch.as_tensor(generator.permutation(count), device=self.x.device)
        ends = [*range(self.size, count, self.size), count]
        if count - (ends[-2] if len(ends) > 1 else 0) == 1:
            # Batch norm can't train on a single row: it joins the batch before.
            ends.pop(-2)
        for start, end in zip([0, *ends], ends, strict=False):
            yield order[start:end]

    def _measure(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Return loss and score in eval mode."""
        if not len(x):
            return _NAN, _NAN
        self._mode(training=False)
        with torch.no_grad():
            step = max(self.size, _EVALUATION_ROWS)
            output = (
                torch.cat([self._output(part) for part in torch.split(x, step)]) if len(x) > step else self._output(x)
            )
            return float(self.objective.loss(output, y)), self.objective.score(output, y)

    def _mode(self, *, training: bool) -> None:
        for part in self._parts:
            part.training = training

    def _output(self, x: Tensor) -> Tensor:
        answer = compute(self.module, x, "being trained")
        return as_columns(first_tensor(answer)[0], len(x), "The network").flatten(1)


@contextmanager
def _final_layer_scaled(course: Course) -> Iterator[None]:
    """Let a network of values learn in units of the target's spread, then put the scale into its last layer.

    Without it a target of house prices would need weights of a hundred thousand, which small steps never reach.
    """
    last = list(course.module.modules())[-1]
    if course.objective.form != "value" or not isinstance(last, nn.Linear) or last.bias is None:
        yield
        return
    mean, scale = float(course.y.mean()), math.sqrt(course.objective.spread)
    before = course.y, course.test_y, course.objective
    course.y, course.test_y = (course.y - mean) / scale, (course.test_y - mean) / scale
    course.objective = Objective("value")
    try:
        yield
    finally:
        course.y, course.test_y, course.objective = before
        with torch.no_grad():
            last.weight.mul_(scale)
            last.bias.mul_(scale).add_(mean)


def optimiser_for(module: nn.Module, recipe: TrainingRecipe) -> torch.optim.Optimizer:
    """Return the optimiser of a recipe for the weights that need gradients; UserError when there are none."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    if not parameters:
        raise UserError("This network has no weights to train.")
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=recipe.momentum)
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(parameters, lr=rate, weight_decay=decay)
