"""From a model's card and files to a network that computes."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models import devices
from sensiview.models.architectures import Architecture, Emits, Sizes, choose
from sensiview.models.architectures import architectures as our_architectures
from sensiview.models.card import ModelCard
from sensiview.models.image_settings import ImageSettings, parse_image_settings
from sensiview.models.inspection import describe
from sensiview.models.key_report import KeyReport
from sensiview.models.network import Network
from sensiview.models.programs import load_program
from sensiview.models.volume_settings import parse_settings
from sensiview.models.weights import fill, read_state, unwrapped


class _File(Protocol):
    @property
    def path(self) -> Path: ...


class ModelFiles(Protocol):
    """A card with the file of its weights or its program; what a project hands to a job."""

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""

    @property
    def weights(self) -> _File | None:
        """Weights of a named architecture."""

    @property
    def program(self) -> _File | None:
        """An exported program."""


@dataclass(frozen=True)
class Inspected:
    """What was found in a model's files: its complete card, and how the keys fit (none for a program)."""

    card: ModelCard
    keys: KeyReport | None


# What code of a plugin raises by mistake; memory that runs out is no mistake of its.
_MISTAKES = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError, ValueError)


def open_network(
    source: ModelFiles, *, device: str | torch.device = "auto", architectures: Mapping[str, Architecture] | None = None
) -> Network:
    """Return a model of a project with its weights, ready to compute.

    Parameters
    ----------
    source : ModelFiles
        With a complete card, as `inspect_model` or a training gives it.
    device : str or torch.device
    architectures : mapping, optional
        By key; those that come with SensiView by default.

    Raises
    ------
    UserError
        No such device or architecture.
    ModelError
        The files can't be used, or don't fit the card.
    """
    place = devices.resolve(device)
    card = source.card
    if source.program is not None:
        return Network(load_program(source.program.path, place), card, place)
    if source.weights is None:
        raise ModelError(f"The model '{card.name}' has neither weights nor a program. Add it again.")
    state, notes = read_state(source.weights.path)
    architecture = choose(card.architecture, our_architectures() if architectures is None else architectures)
    options = architecture.parse(card.options)
    if not card.input_shape or not card.output_names:
        raise ModelError(f"The card of the model '{card.name}' is not complete. Add the model again.")
    module = build(architecture, options, Sizes(card.input_shape, len(card.output_names)))
    state, renamed = _translated(architecture, module, state)
    fill(module, state, source.weights.path.name, (*notes, *renamed))
    return Network(module, card, place)


def build(architecture: Architecture, options: Any, sizes: Sizes, *, seed: int = 0) -> nn.Module:
    """Return a fresh network whose random weights follow from `seed`; the global random state is left alone.

    Raises
    ------
    ModelError
        The architecture, which may be a plugin's, stumbles or gives something else.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            made: object = architecture.build(options, sizes.input_shape, sizes.n_outputs)
        except _MISTAKES as error:
            raise ModelError(
                f"The architecture '{architecture.key}' can't build a network for inputs of shape {sizes.input_shape} "
                f"and {sizes.n_outputs} outputs: {type(error).__name__}: {error}.",
                details=traceback.format_exc(),
            ) from error
    if not isinstance(made, nn.Module):
        raise ModelError(
            f"The architecture '{architecture.key}' gives a {type(made).__name__} where a torch.nn.Module belongs. "
            "Its build() must return the network."
        )
    return made


def inspect_model(
    source: ModelFiles, *, architectures: Mapping[str, Architecture] | None = None, device: str | torch.device = "cpu"
) -> Inspected:
    """Open a model that is being added, and complete its card.

    What the card need not say is read from the weights where they tell: sizes of hidden layers, inputs, classes. Speed
    and memory are measured.

    Parameters
    ----------
    source : ModelFiles
        The card says at least the name and, for weights, the architecture; options, class names, input and output
        names and preprocessing are kept where given.

    Raises
    ------
    UserError, ModelError
        As `open_network`; also when names and outputs differ in number.
    """
    place = devices.resolve(device)
    if source.program is not None:
        module = load_program(source.program.path, place)
        card, said = _of_program(source.card, module.input_shape)
        return Inspected(_complete(card, module, module.input_shape, place, (*module.notes, *said)), None)
    if source.weights is None:
        raise ModelError(f"Choose a file with the weights of the model '{source.card.name}'.")
    card = _with_fitted_shape(source.card)
    architecture = choose(card.architecture, our_architectures() if architectures is None else architectures)
    state, notes = read_state(source.weights.path)
    options, sizes = architecture.understand(unwrapped(state), architecture.parse(card.options))
    file = source.weights.path.name
    if not card.preprocessing:
        # A size that the options name is the network's; one that nobody names is that of its published weights.
        card = _with_fitted_shape(
            card.model_copy(update={"preprocessing": architecture.preprocessing(options, sizes, file)})
        )
    sizes = _sizes(card, architecture, sizes)
    if not card.class_names:
        card = card.model_copy(update={"class_names": architecture.class_names(sizes.n_outputs)})
    network = build(architecture, options, sizes)
    state, renamed = _translated(architecture, network, state)
    keys = fill(network, state, source.weights.path.name, (*notes, *renamed))
    card = card.model_copy(update={"options": options.model_dump(mode="json")})
    emits, said = _emits(card, architecture, sizes.n_outputs)
    return Inspected(_complete(card, network, sizes.input_shape, place, (*keys.notes, *said), emits), keys)


def _of_program(card: ModelCard, input_shape: tuple[int, ...]) -> tuple[ModelCard, tuple[str, ...]]:
    """Give a program for images whose preprocessing nobody named the one that brings images to its size."""
    if card.preprocessing:
        return card, ()
    if len(input_shape) != 3 or input_shape[0] not in (1, 3):
        return card.model_copy(update={"preprocessing": {"kind": "none"}}), ()
    size = (input_shape[1], input_shape[2])
    settings = ImageSettings(channels=3 if input_shape[0] == 3 else 1, resize=size, size=size)
    said = (
        f"Its preprocessing was not given: images are resized to {size[0]} x {size[1]}, with values from 0 to 1. Set "
        "mean and standard deviation where it was trained with others."
    )
    return card.model_copy(update={"preprocessing": settings.to_card()}), (said,)


def _translated(
    architecture: Architecture, module: nn.Module, state: dict[str, Tensor]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return weights under the names of the module's layers, and a sentence where other names were found."""
    plain = unwrapped(state)
    found = architecture.translated(plain, module.state_dict())
    if found is None:
        return state, ()
    theirs = {id(value): key for key, value in plain.items()}
    others = [(theirs.get(id(value), ""), key) for key, value in found.items() if key not in plain]
    first = others[0] if others else ("", "")
    return found, (f"Layers have other names in the file and were taken in order ('{first[0]}' as '{first[1]}').",)


def _with_fitted_shape(card: ModelCard) -> ModelCard:
    """Volumes and images that are brought to a size have this size when they enter the network."""
    if card.input_shape:
        return card
    if card.preprocessing.get("kind") == "image":
        images = parse_image_settings(card.preprocessing, card.name)
        return card if images.size is None else card.model_copy(update={"input_shape": (images.channels, *images.size)})
    if card.preprocessing.get("kind") != "volume":
        return card
    settings = parse_settings(card.preprocessing, card.name)
    if settings.fit is None:
        return card
    return card.model_copy(update={"input_shape": (settings.channels, *settings.fit)})


def _sizes(card: ModelCard, architecture: Architecture, found: Sizes | None) -> Sizes:
    """Return the sizes read from the weights; those of the card where the weights say nothing."""
    if found is not None:
        # An image size is a choice; the number of columns is not, and a difference shows when weights are filled in.
        keeps_channels = len(card.input_shape) > 1 and card.input_shape[:1] == found.input_shape[:1]
        if keeps_channels:
            return Sizes(card.input_shape, found.n_outputs)
        known = found.input_shape[0] in (1, 3)
        if known and card.preprocessing.get("kind") == "image" and len(card.input_shape) == len(found.input_shape):
            kinds = {1: "grey", 3: "colour"}
            raise ModelError(
                f"The weights of '{card.name}' are for images of {found.input_shape[0]} channel"
                f"{'s' if found.input_shape[0] != 1 else ''}, its preprocessing gives "
                f"{kinds.get(card.input_shape[0], 'other')} images. Set 'channels' in the preprocessing to "
                f"{found.input_shape[0]}."
            )
        if 0 in found.input_shape:
            raise ModelError(
                f"The size of the volumes that '{card.name}' takes can't be read from its weights. Give it as 'fit' "
                "in its preprocessing, or as an option: input_size=61,73,61."
            )
        return found
    n_outputs = len(card.output_names) or (architecture.n_outputs(len(card.class_names)) if card.class_names else 0)
    if not card.input_shape or not n_outputs:
        raise ModelError(
            f"The shape of the inputs and the number of outputs of '{card.name}' can't be read from these weights. Are "
            f"they weights of '{architecture.key}'? If so, give the class names and the shape of the inputs."
        )
    return Sizes(card.input_shape, n_outputs)


def _emits(card: ModelCard, architecture: Architecture, n_outputs: int) -> tuple[Emits | None, tuple[str, ...]]:
    """Return what it emits, None to find out, and a sentence where it can't be known."""
    if card.class_names or architecture.emits != "logit":
        return architecture.emits, ()
    if n_outputs > 1:
        return "logit", ()
    return None, ("Its single output is read as a plain value. Name its two classes to read it as a logit.",)


def _complete(
    card: ModelCard,
    module: nn.Module,
    input_shape: tuple[int, ...],
    device: torch.device,
    notes: tuple[str, ...],
    emits: Emits | None = None,
) -> ModelCard:
    network = Network(module, card.model_copy(update={"input_shape": input_shape}), device)
    rows = getattr(module, "fixed_rows", None) or 2
    sample = torch.rand(rows, *input_shape, generator=torch.Generator().manual_seed(0))
    return describe(
        network.module,
        network.preprocess(sample),
        name=card.name,
        class_names=card.class_names,
        input_names=card.input_names,
        output_names=card.output_names,
        emits=emits,
        architecture=card.architecture,
        options=card.options,
        preprocessing=card.preprocessing,
        accuracy=card.accuracy,
        notes=(*card.notes, *notes, *network.notices),
    )
