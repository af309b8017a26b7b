"""Named architectures: from a name, options and the data's shape to a network. Torch is loaded when one is built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensiview.errors import ModelError, UserError, complaints, suggestion
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn

# How alike a wrong name and a known one must be: "resnt50" means "resnet50", "meshnet" does not.
_NEAR = 0.75
Emits = Literal["probability", "logit", "value"]
Shape = tuple[int, ...]


class ArchitectureOptions(BaseModel):
    """Base of every architecture's options; fields are declared with `option`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class NoOptions(ArchitectureOptions):
    """For an architecture that has nothing to choose."""


def option(default: Any, *, label: str, help: str, zero: str = "", **bounds: Any) -> Any:  # noqa: A002 - the word users see
    """Declare one option: a label and a sentence for the form, bounds as pydantic takes them; what 0 is called."""
    if zero:
        bounds["json_schema_extra"] = {"zero": zero}
    return Field(default, title=label, description=help, **bounds)


@dataclass(frozen=True)
class Sizes:
    """What a network is built for: the shape of one input, and the number of its outputs."""

    input_shape: Shape
    n_outputs: int


class Architecture(ABC):
    """One named architecture; a plugin derives from it.

    Attributes
    ----------
    key : str
        Name in commands and files.
    title, help : str
        Name in menus; a sentence about it.
    input_kind : str
        ``table``, ``images`` or ``volumes``.
    Options : type
        What can be chosen.
    emits : str
        What a classifier of this kind gives: ``probability`` or ``logit``.
    """

    key: str
    title: str
    help: str
    input_kind: Literal["table", "images", "volumes"] = "table"
    Options: type[ArchitectureOptions] = NoOptions
    emits: Emits = "logit"

    @abstractmethod
    def build(self, options: Any, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return a fresh network in train mode; its weights come from torch's random state, nothing is downloaded.

        Parameters
        ----------
        options : Options
        input_shape : tuple of int
            Of one input: ``(columns,)``, ``(channels, height, width)``, ``(channels, i, j, k)``.
        n_outputs : int
            As `n_outputs` of this class gives it.
        """

    def recipe(self) -> TrainingRecipe:
        """Return how it is trained unless told otherwise."""
        return TrainingRecipe()

    def n_outputs(self, n_classes: int) -> int:
        """Return the outputs for this number of classes; 0 classes are a regression."""
        return max(1, n_classes)

    def emits_for(self, n_classes: int) -> Emits:
        """Return what it gives: `emits` for classes, a value for a regression."""
        return self.emits if n_classes else "value"

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Return the options and sizes that trained weights were made with, as far as their shapes tell.

        `options` are those the user gave; what the weights say wins only where the user said nothing. None where the
        sizes can't be read from the weights, zeros where only the number of voxels can't.
        """
        return options, None

    def preprocessing(self, options: Any, sizes: Sizes | None = None, file: str = "") -> dict[str, Any]:
        """Return what is done to inputs before, unless the user says something else; part of the model.

        `sizes` are those of the network where they are known, `file` is the name of the file of weights, from which
        torchvision's own can be told.
        """
        return {"kind": "none"}

    def class_names(self, n_outputs: int) -> tuple[str, ...]:
        """Return the names of the classes that weights with so many outputs were made for; () where nobody knows."""
        return ()

    def translated(self, state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """Return trained weights under the names of this network's layers (`wanted`); None where none are to change.

        For weights of the same network that someone else wrote with other names.
        """
        return None

    def parse(self, values: Mapping[str, Any]) -> Any:
        """Return the options, checked.

        Raises
        ------
        UserError
            Unknown option, or a value out of bounds.
        """
        known = list(self.Options.model_fields)
        for name in values:
            if name not in known:
                near = suggestion(name, known) if known else " It has no options."
                raise UserError(f"The architecture '{self.key}' has no option '{name}'.{near}")
        try:
            return self.Options(**values)
        except ValidationError as error:
            told = [f"{name or 'options'}: {what} (given: {value!r})." for name, what, value in complaints(error)]
            raise UserError(" ".join(told)) from None

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the options: label, help, bounds and default of each, for forms and help pages."""
        return self.Options.model_json_schema()


def architectures() -> dict[str, Architecture]:
    """Return the architectures that come with SensiView, by key, in the order of menus. A new dictionary each time."""
    from sensiview.models.digit_networks import BiasedDigitsCnn
    from sensiview.models.image_networks import CifarResnet, SmallResnet18, SmallVgg
    from sensiview.models.lenet import Lenet
    from sensiview.models.small_networks import DiabetesNet, MultilayerPerceptron
    from sensiview.models.torchvision_networks import torchvision_classifiers
    from sensiview.models.volume_networks import ConvolutionalNetwork, VolumeResnet

    tables, volumes = (DiabetesNet(), MultilayerPerceptron()), (ConvolutionalNetwork(), VolumeResnet())
    images = (SmallVgg(), SmallResnet18(), CifarResnet(), Lenet(), BiasedDigitsCnn())
    return {a.key: a for a in (*tables, *volumes, *images, *torchvision_classifiers())}


def all_architectures(extra: Iterable[Architecture] = ()) -> dict[str, Architecture]:
    """Return ours and `extra`, those of plugins.

    Raises
    ------
    ModelError
        Two have the same key.
    """
    found = architectures()
    for architecture in extra:
        if architecture.key in found:
            raise ModelError(f"There are two architectures called '{architecture.key}'. Rename or remove one of them.")
        found[architecture.key] = architecture
    return found


def choose(key: str, known: Mapping[str, Architecture]) -> Architecture:
    """Return the architecture called `key`.

    Raises
    ------
    UserError
        There is none; the sentence has the nearest name, or says what there is.
    """
    if key in known:
        return known[key]
    # In a short name, letters that changed places are a large part of it.
    swapped = [name for name in known if sorted(name) == sorted(key.lower())]
    near = f" Did you mean '{swapped[0]}'?" if swapped else suggestion(key, list(known), likeness=_NEAR)
    raise UserError(f"There is no architecture '{key}'.{near or _others(known)}")


def _others(known: Mapping[str, Architecture]) -> str:
    from sensiview.models.torchvision_networks import NAMES

    own = ", ".join(key for key in known if key not in NAMES)
    return (
        f" Known: {own}, and torchvision's classifiers of images by their names. Add any other network as a plugin or "
        "as an exported program (.pt2)."
    )
