"""Networks for tables: the diabetes network of the Sobol' study, and a general multilayer perceptron."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from sensiview.errors import ModelError
from sensiview.models.architectures import Architecture, ArchitectureOptions, Shape, Sizes, option
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn


def _columns(input_shape: Shape, title: str) -> int:
    if len(input_shape) != 1:
        raise ModelError(f"'{title}' takes the columns of a table; these inputs have the shape {input_shape}.")
    return input_shape[0]


class DiabetesOptions(ArchitectureOptions):
    """Options of `DiabetesNet`."""

    hidden: int = option(10, label="Hidden units", help="Units of the hidden layer.", ge=1, le=100_000)


class DiabetesNet(Architecture):
    """Linear - batch norm - ReLU - linear - batch norm - sigmoid: two classes, one probability."""

    key = "diabetes_net"
    title = "Diabetes network"
    help = (
        "The network of the Pima diabetes study: one hidden layer (10 units), batch norm, one sigmoid output. "
        "Gives the probability of the second of two classes. Its recipe trains on raw values of rows 0-499 and tests "
        "on rows 500-699."
    )
    Options = DiabetesOptions
    emits = "probability"

    def build(self, options: DiabetesOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called fn1, bn1, relu, fn2, bn2, sigmoid."""
        from torch import nn

        if n_outputs != 1:
            raise ModelError(f"'{self.title}' tells two classes apart with one output, not {n_outputs}. Use 'mlp'.")
        return nn.Sequential(
            OrderedDict(
                fn1=nn.Linear(_columns(input_shape, self.title), options.hidden),
                bn1=nn.BatchNorm1d(options.hidden),
                relu=nn.ReLU(),
                fn2=nn.Linear(options.hidden, 1),
                bn2=nn.BatchNorm1d(1),
                sigmoid=nn.Sigmoid(),
            )
        )

    def recipe(self) -> TrainingRecipe:
        """Return the recipe of the study: raw values, 2000 full-batch epochs of SGD."""
        return TrainingRecipe(
            epochs=2000,
            learning_rate=0.01,
            weight_decay=0.001,
            optimiser="sgd",
            batch_size=0,
            train_rows="0-499",
            test_rows="500-699",
            loss="binary_cross_entropy",
            standardise=False,
        )

    def n_outputs(self, n_classes: int) -> int:
        """Return 1.

        Raises
        ------
        ModelError
            Not two classes.
        """
        if n_classes != 2:
            what = f"{n_classes} classes" if n_classes else "no classes (a regression)"
            raise ModelError(f"'{self.title}' tells two classes apart; this target has {what}. Use 'mlp'.")
        return 1

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read inputs and hidden units from the shape of ``fn1.weight``."""
        first = state.get("fn1.weight")
        if first is None or first.ndim != 2:
            return options, None
        return _fill(options, hidden=first.shape[0]), Sizes((first.shape[1],), 1)


class PerceptronOptions(ArchitectureOptions):
    """Options of `MultilayerPerceptron`."""

    hidden: tuple[int, ...] = option(
        (32, 16),
        label="Hidden units",
        help="Units of each hidden layer, from the input on.",
        min_length=1,
        max_length=64,
    )
    activation: Literal["relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu"] = option(
        "relu", label="Activation", help="Function after each hidden layer."
    )
    batch_norm: bool = option(False, label="Batch norm", help="Normalise each hidden layer before its activation.")
    dropout: float = option(0.0, label="Dropout", help="Share of hidden units left out while training.", ge=0, lt=1)


class MultilayerPerceptron(Architecture):
    """Hidden layers of any number and size; logits for classes, one value for a regression."""

    key = "mlp"
    title = "Multilayer perceptron"
    help = (
        "Fully connected layers of chosen sizes for tables. Two classes get one logit, more classes one logit each, a "
        "target of numbers one value."
    )
    Options = PerceptronOptions
    emits = "logit"

    def build(self, options: PerceptronOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called linear1, norm1, act1, dropout1, linear2, ..., output."""
        from torch import nn

        kinds = {
            "relu": nn.ReLU,
            "tanh": nn.Tanh,
            "sigmoid": nn.Sigmoid,
            "gelu": nn.GELU,
            "silu": nn.SiLU,
            "leaky_relu": nn.LeakyReLU,
        }
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        sizes = (_columns(input_shape, self.title), *options.hidden)
        for i, (before, after) in enumerate(pairwise(sizes), start=1):
            layers[f"linear{i}"] = nn.Linear(before, after)
            if options.batch_norm:
                layers[f"norm{i}"] = nn.BatchNorm1d(after)
            layers[f"act{i}"] = kinds[options.activation]()
            if options.dropout:
                layers[f"dropout{i}"] = nn.Dropout(options.dropout)
        layers["output"] = nn.Linear(sizes[-1], n_outputs)
        return nn.Sequential(layers)

    def recipe(self) -> TrainingRecipe:
        """Return Adam on standardised values, a fifth of the rows for testing."""
        return TrainingRecipe(epochs=200, learning_rate=1e-3, optimiser="adam", batch_size=64, weight_decay=1e-4)

    def n_outputs(self, n_classes: int) -> int:
        """Return one logit for two classes, one each for more, one value for a regression."""
        return n_classes if n_classes > 2 else 1

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read the sizes of all layers, and whether there is batch norm, from the weights."""
        weights: list[Tensor] = []
        while (weight := state.get(f"linear{len(weights) + 1}.weight")) is not None and weight.ndim == 2:
            weights.append(weight)
        last = state.get("output.weight")
        if not weights or last is None or last.ndim != 2:
            return options, None
        found = _fill(options, hidden=tuple(w.shape[0] for w in weights), batch_norm="norm1.weight" in state)
        return found, Sizes((weights[0].shape[1],), last.shape[0])


def _fill(options: Any, **found: Any) -> Any:
    """Return the options with what was found, except where the user said something else."""
    return options.model_copy(update={k: v for k, v in found.items() if k not in options.model_fields_set})
