"""What the window and the checks know of a model without loading torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class LayerCard(BaseModel):
    """One named module: dotted name, class, output shape for one input (no batch axis), own parameters.

    `same_as`: where one layer has several names, the first of them, under which its parameters are counted. `done`: its
    place among the layers in the order in which they end; None where it is not called, or nobody looked.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    output_shape: tuple[int, ...] | None = None
    parameters: int = 0
    depth: int = 0
    same_as: str = ""
    done: int | None = None


class ModelCard(BaseModel):
    """A model in words and numbers; JSON in the project.

    `emits` is what the last module gives: ``probability`` (it ends in sigmoid or softmax), ``logit``
    (a classifier without), ``value`` (anything else). `preprocessing` is part of the model:
    ``{"kind": "none"}`` or ``{"kind": "standardise", "mean": [...], "std": [...]}`` for tables.
    `accuracy` by name of the split. `rows_per_second` by device, measured. `bytes_per_row` is the
    memory one row needs on its way through, `gradient_bytes_per_row` on its way there and back (0 where it can't be
    differentiated, or nobody measured), `flops_per_row` the work of the way through; measured.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    architecture: str = ""
    options: dict[str, Any] = {}
    emits: Literal["probability", "logit", "value"] = "value"
    input_shape: tuple[int, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    layers: tuple[LayerCard, ...] = ()
    n_parameters: int = 0
    preprocessing: dict[str, Any] = {"kind": "none"}
    accuracy: dict[str, float] = {}
    rows_per_second: dict[str, float] = {}
    bytes_per_row: int = 0
    gradient_bytes_per_row: int = 0
    flops_per_row: int = 0
    notes: tuple[str, ...] = ()
    # How it came to be, where it was trained here: seed, run, fold, folds, train and test subjects, data set.
    training: dict[str, Any] = {}

    @property
    def n_inputs(self) -> int | None:
        """Number of input columns for a model of tables, None for other inputs."""
        return self.input_shape[0] if len(self.input_shape) == 1 else None

    def layer(self, name: str) -> LayerCard:
        """Return the card of a layer; KeyError when there is none."""
        for card in self.layers:
            if card.name == name:
                return card
        raise KeyError(name)
