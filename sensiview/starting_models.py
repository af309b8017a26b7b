"""The model that a training makes: a new one, or a trained one that it starts from, and its preprocessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.analysis.sources import ModelSource
from sensiview.errors import UserError
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    from sensiview.projects.store import Project


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


def training_preprocessing(settings: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the preprocessing that a model is to be trained with, checked and complete.

    Raises
    ------
    UserError, ModelError
        It is for other data than these, or holds a name or value that makes no sense.
    """
    wanted = {"images": "image", "volumes": "volume"}.get(kind)
    if wanted is None:
        raise UserError(
            "Columns of a table are standardised by the training itself; set 'standardise' among its settings instead "
            "of a preprocessing."
        )
    if settings.get("kind") != wanted:
        raise UserError(f"The preprocessing is of kind '{settings.get('kind')}'; training on {kind} takes '{wanted}'.")
    if wanted == "image":
        from sensiview.models.image_settings import parse_image_settings

        return parse_image_settings(settings, "to be trained").to_card()
    from sensiview.models.volume_settings import parse_settings

    return parse_settings(settings, "to be trained").to_card()


def model_to_train(project: Project, parameters: Mapping[str, Any], name: str) -> ModelSource:
    """Return what the job of a training begins with, from the parameters of its run."""
    if "base" in parameters:
        source = started_from(project.model(parameters["base"]), name)
    else:
        card = ModelCard(name=name, architecture=parameters["architecture"], options=parameters["options"])
        source = ModelSource(id="", card=card)
    if not (settings := parameters.get("preprocessing")):
        return source
    card = source.card.model_copy(update={"preprocessing": settings})
    return ModelSource(id=source.id, card=card, weights=source.weights)
