"""What networks for images have in common: colours, size and classes, and what is done to images before."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from sensiview.errors import ModelError
from sensiview.models.architectures import Architecture, ArchitectureOptions, Shape, Sizes, option
from sensiview.models.image_settings import ImageSettings
from sensiview.models.layer_weights import in_order, plain_names

if TYPE_CHECKING:
    from torch import Tensor


def _colours(value: Any) -> Any:
    """Take numbers of channels for their names."""
    return {"0": "auto", "1": "grey", "3": "colour"}.get(str(value), value)


class ImageOptions(ArchitectureOptions):
    """What every network for images has to choose."""

    num_classes: int = option(
        0,
        label="Classes",
        help="Number of classes; 0 takes it from the weights or the data.",
        zero="from the weights",
        ge=0,
        le=1_000_000,
    )
    channels: Annotated[Literal["auto", "grey", "colour"], BeforeValidator(_colours)] = option(
        "auto",
        label="Colours",
        help="Grey images (1 channel) or colour (3); 'auto' takes it from the weights or the data.",
    )
    size: int = option(
        0,
        label="Image size",
        help="Height and width in pixels; 0 for the usual size.",
        zero="usual size",
        ge=0,
        le=8192,
    )

    @property
    def n_channels(self) -> int:
        """Return 1 or 3; 0 where it is to be found."""
        return {"auto": 0, "grey": 1, "colour": 3}[self.channels]


class ImageArchitecture(Architecture):
    """Base of the networks for images: colours, size and classes are read from weights where they tell."""

    input_kind = "images"
    emits = "logit"
    usual_size = 32
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    def checked(self, options: ImageOptions, input_shape: Shape, n_outputs: int) -> tuple[int, int, int]:
        """Return channels, height and width.

        Raises
        ------
        ModelError
            No images, or an option says something else.
        """
        if len(input_shape) != 3:
            raise ModelError(
                f"'{self.key}' takes images (channels, height, width); these inputs have the shape {input_shape}."
            )
        channels, height, width = input_shape
        if channels not in (1, 3):
            raise ModelError(f"'{self.key}' takes grey or colour images (1 or 3 channels), not {channels} channels.")
        if options.n_channels not in (0, channels):
            kind = {1: "grey", 3: "colour"}
            raise ModelError(
                f"The option channels of '{self.key}' says {options.channels} images, but these are {kind[channels]}. "
                "Leave it at 'auto', or set 'channels' in the preprocessing to the same."
            )
        if options.num_classes not in (0, n_outputs):
            raise ModelError(
                f"The option num_classes of '{self.key}' is {options.num_classes}, but there are {n_outputs} classes. "
                "Leave it at 0 to take the number from the weights or the data."
            )
        return channels, height, width

    def preprocessing(self, options: Any, sizes: Sizes | None = None, file: str = "") -> dict[str, Any]:
        """Return what the network was published with: images squeezed to its size, its mean and deviation."""
        channels = (sizes.input_shape[0] if sizes else options.n_channels) or 3
        side = (sizes.input_shape[1] if sizes else options.size) or self.usual_size
        mean, std = self.mean, self.std
        if channels == 1 and len(mean) > 1:
            mean, std = (round(sum(mean) / 3, 3),), (round(sum(std) / 3, 3),)
        return ImageSettings(
            channels=1 if channels == 1 else 3, resize=(side, side), size=(side, side), mean=mean, std=std
        ).to_card()

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read colours, sizes and classes from the weights.

        Where they are of another network the sizes are the usual ones: the table of keys then says what differs.
        """
        found = self.read(plain_names(state), options)
        changes = {name: value for name, value in found.items() if name in type(options).model_fields}
        new = {name: value for name, value in changes.items() if name not in options.model_fields_set}
        size = options.size or found.get("side", self.usual_size)
        sizes = Sizes((found.get("inputs", options.n_channels or 3), size, size), found.get("outputs", 10))
        return options.model_copy(update=new), sizes

    @abstractmethod
    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return options by name, and ``inputs``, ``outputs`` and ``side``, as far as the weights tell."""

    def translated(self, state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """Give weights of the same layers under other names the names of ours."""
        return in_order(plain_names(state), wanted, partly=True)
