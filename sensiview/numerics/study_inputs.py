"""What a study knows of its inputs and outputs from the cards alone, and how it counts evaluated rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.models.outputs import OutputChoice, TargetName, parse_target
from sensiview.numerics.input_space import ColumnSummary

# Operations per row below which threads wait for each other longer than they compute.
_SMALL = 20_000


def model_order(dataset: DatasetCard, model: ModelCard | None) -> list[str]:
    """Return the feature columns in the order in which the model takes them.

    That of the model where it knows the table's columns by name, else that of the table.
    """
    known = list(model.input_names) if model else []
    return known if sorted(known) == sorted(dataset.features) else list(dataset.features)


def summaries(dataset: DatasetCard, model: ModelCard | None) -> list[ColumnSummary]:
    """Return what the card says of the feature columns, over all rows, in the model's order."""
    cards = {card.name: card for card in dataset.columns}
    return [
        ColumnSummary(name, cards[name].minimum, cards[name].maximum, cards[name].mean, cards[name].std)
        for name in model_order(dataset, model)
    ]


def is_layer(card: ModelCard, output: str) -> bool:
    """Say whether this choice of output is a layer; UserError when it is nothing."""
    return OutputChoice.parse(output, card).kind == "layer"


def output_widths(card: ModelCard, outputs: Sequence[str], target: TargetName) -> dict[str, int]:
    """Return how many numbers each chosen output has.

    Raises
    ------
    UserError
        An output, layer or class does not exist; with the nearest name.
    """
    classes = len(parse_target(target, card))
    found = {}
    for name in outputs:
        choice = OutputChoice.parse(name, card)
        shape = card.layer(choice.layer).output_shape if choice.kind == "layer" else None
        found[name] = classes if shape is None else math.prod(shape)
    return found


@contextmanager
def fitting_threads(flops_per_row: int) -> Iterator[None]:
    """Evaluate a tiny network on one core: on a busy machine several are many times slower, else hardly faster."""
    import torch

    before = torch.get_num_threads()
    if flops_per_row < _SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class RowCounter:
    """Turns "rows of this call done so far", as an evaluator says it, into "rows done since the last word"."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._said = 0

    def __call__(self, done: int) -> None:
        """Take the rows of the running call that are done."""
        new, self._said = done - self._said, done
        self._advance(new)

    def counting(self, evaluate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return `evaluate` with the count beginning anew at every call."""

        def call(rows: Any) -> Any:
            self._said = 0
            return evaluate(rows)

        return call
