"""Trained models that the training of another one starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensiview.analysis.sources import ModelSource
from sensiview.errors import UserError


def check_base(source: ModelSource, kind: str, architecture: str, options: Mapping[str, Any]) -> None:
    """Refuse a model that can't be trained further on data of this kind.

    Raises
    ------
    UserError
        It is a program, the data are no images, or another architecture or options were asked for.
    """
    own = source.card.architecture
    if source.weights is None or not own:
        raise UserError(
            f"'{source.card.name}' is a program, which can't be trained. Choose a model that has an architecture and "
            "weights."
        )
    if kind != "images":
        raise UserError("Only trainings on images can start from a trained model. Leave it out to train a new one.")
    if architecture not in ("", own):
        raise UserError(f"'{source.card.name}' is a '{own}', not a '{architecture}'. Leave the architecture out.")
    if options:
        raise UserError(f"The options are those of '{source.card.name}'. Leave '{next(iter(options))}' out.")


def started_from(base: ModelSource, name: str) -> ModelSource:
    """Return a trained model under the name of the one that is trained from it, for any number of classes."""
    options = {key: value for key, value in base.card.options.items() if key != "num_classes"}
    changes = {"name": name, "options": options, "training": {"starts_from": base.card.name}}
    return ModelSource(id=base.id, card=base.card.model_copy(update=changes), weights=base.weights)
