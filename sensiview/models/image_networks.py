"""Networks for small images: VGG-16 and ResNet-18 for 32 x 32, and the residual networks of CIFAR-10."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from sensiview.errors import ModelError
from sensiview.models.architectures import Shape, option
from sensiview.models.image_architecture import ImageArchitecture, ImageOptions
from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD
from sensiview.models.layer_weights import in_order, layers_of, plain_names
from sensiview.models.recipe import Counts, TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn


class VggOptions(ImageOptions):
    """Options of `SmallVgg`."""

    width: int = option(
        64, label="Width", help="Channels of the first block; later ones have 2, 4 and 8 times as many.", ge=1, le=512
    )
    hidden: Counts = option(
        (4096, 4096), label="Hidden units", help="Units of the linear layers before the output.", max_length=8
    )
    dropout: float = option(0.5, label="Dropout", help="Share left out behind each linear layer while training.",
                            ge=0, lt=1)  # fmt: skip


class SmallVgg(ImageArchitecture):
    """VGG-16 (Simonyan & Zisserman 2015) with batch norm, for images of 32 x 32 pixels and more."""

    key = "vgg16_cifar"
    title = "VGG-16 for small images"
    help = (
        "VGG-16 with batch norm for 32 x 32 pixels, as in the study of local sensitivity on CIFAR-10: five blocks, "
        "each ending in a max pooling, the last map one pixel, then three linear layers. Larger images give a larger "
        "last map. One logit per class."
    )
    Options = VggOptions

    def build(self, options: VggOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called block1.0 to block5.9, flatten, classifier.0, ...

        Raises
        ------
        ModelError
            The images are smaller than 32 pixels, not square, or no images.
        """
        from sensiview.models.image_modules import small_vgg

        channels, height, width = self.checked(options, input_shape, n_outputs)
        if min(height, width) < 32 or height != width:
            raise ModelError(
                f"'{self.key}' halves its images five times, so it takes squares of 32 pixels or more, not "
                f"{height} x {width}. Set 'resize' and 'size' in the preprocessing, or the option size."
            )
        return small_vgg(channels, options.width, height // 32, options.hidden, options.dropout, n_outputs)

    def recipe(self) -> TrainingRecipe:
        """Return that of the study: Adam with a rate of 0.001, batches of 64, 15 epochs."""
        return TrainingRecipe(epochs=15, learning_rate=1e-3, optimiser="adam", batch_size=64, standardise=False)

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return what the shapes of the convolutions and of the linear layers say."""
        found = layers_of(state)
        convolutions = [shape for kind, shape in found if kind == "convolution"]
        linear = [shape for kind, shape in found if kind == "linear"]
        if len(convolutions) != 13 or not linear:
            return {}
        side = math.isqrt(max(1, linear[0][1] // convolutions[-1][0]))
        return {
            "width": convolutions[0][0],
            "hidden": tuple(shape[0] for shape in linear[:-1]),
            "inputs": convolutions[0][1],
            "outputs": linear[-1][0],
            "side": 32 * side,
        }


class ResnetOptions(ImageOptions):
    """Options of `SmallResnet18`."""

    width: int = option(
        64, label="Width", help="Channels of the first layer; later ones have 2, 4 and 8 times as many.", ge=1, le=1024
    )


class _Residual(ImageArchitecture):
    def translated(self, state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """Give weights with other names for the shortcuts and the last layer (``shortcut``, ``linear``) ours."""
        plain = plain_names(state)
        renamed = {
            ("fc." + key.removeprefix("linear.") if key.startswith("linear.") else key).replace(
                ".shortcut.", ".downsample."
            ): value
            for key, value in plain.items()
        }
        if renamed.keys() != plain.keys():
            return renamed
        return in_order(plain, wanted)


class SmallResnet18(_Residual):
    """ResNet-18 (He et al. 2016) whose first layer keeps the resolution, for images of 32 x 32 pixels and more."""

    key = "resnet18_cifar"
    title = "ResNet-18 for small images"
    help = (
        "ResNet-18 for 32 x 32 pixels, as in the study of local sensitivity on CIFAR-10: torchvision's layers, but the "
        "first convolution has 3 x 3 pixels and keeps the resolution, and nothing is pooled behind it. One logit per "
        "class."
    )
    Options = ResnetOptions

    def build(self, options: ResnetOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network with torchvision's layer names: conv1, bn1, relu, layer1 to layer4, avgpool, fc."""
        from sensiview.models.image_modules import SmallResnet

        channels, _, _ = self.checked(options, input_shape, n_outputs)
        widths = tuple(factor * options.width for factor in (1, 2, 4, 8))
        return SmallResnet(channels, widths, (2, 2, 2, 2), n_outputs, "projection")

    def recipe(self) -> TrainingRecipe:
        """Return that of the study: Adam with a rate of 0.001, batches of 64, 15 epochs."""
        return TrainingRecipe(epochs=15, learning_rate=1e-3, optimiser="adam", batch_size=64, standardise=False)

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return what the first and the last layer say."""
        return _ends(state, {})


class CifarResnetOptions(ImageOptions):
    """Options of `CifarResnet`."""

    depth: int = option(
        20, label="Depth", help="Layers with weights: 6 n + 2, such as 20, 32, 44, 56, 110.", ge=8, le=1202
    )
    shortcut: Literal["padding", "projection"] = option(
        "padding",
        label="Shortcuts",
        help="Where the number of channels changes: zeros are added (as in the study), or a 1 x 1 convolution is.",
    )


class CifarResnet(_Residual):
    """The residual networks for CIFAR-10 of He et al. 2016, section 4.2: three layers of 16, 32 and 64 channels."""

    key = "resnet_cifar"
    title = "Thin ResNet for small images"
    help = (
        "The thin residual networks of He et al. (2016) for CIFAR-10: three layers of 16, 32 and 64 channels, with 20, "
        "32, 44, 56 or more layers of weights; the depth is read from the weights. One logit per class."
    )
    Options = CifarResnetOptions
    mean, std = IMAGENET_MEAN, IMAGENET_STD

    def build(self, options: CifarResnetOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called conv1, bn1, relu, layer1 to layer3, avgpool, fc.

        Raises
        ------
        ModelError
            The depth is not 6 n + 2.
        """
        from sensiview.models.image_modules import SmallResnet

        channels, _, _ = self.checked(options, input_shape, n_outputs)
        blocks, rest = divmod(options.depth - 2, 6)
        if rest:
            near = 6 * max(1, round((options.depth - 2) / 6)) + 2
            raise ModelError(
                f"The option depth of '{self.key}' must be 6 n + 2; {options.depth} is not. The nearest is {near}."
            )
        return SmallResnet(channels, (16, 32, 64), (blocks,) * 3, n_outputs, options.shortcut)

    def recipe(self) -> TrainingRecipe:
        """Return SGD with momentum and a rate that falls by steps, as the study has it, in fewer epochs."""
        return TrainingRecipe(
            epochs=100, learning_rate=0.1, momentum=0.9, optimiser="sgd", batch_size=128, weight_decay=1e-4,
            standardise=False, schedule="cosine", warm_up=1, flip=True, crop_padding=4,
        )  # fmt: skip

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return the depth, the kind of shortcuts, and what the first and the last layer say."""
        blocks = len({key.split(".")[1] for key in state if key.startswith("layer1.")})
        if not blocks:
            return {}
        projected = any(".shortcut." in key or ".downsample." in key for key in state)
        return _ends(state, {"depth": 6 * blocks + 2, "shortcut": "projection" if projected else "padding"})


def _ends(state: Mapping[str, Tensor], found: dict[str, Any]) -> dict[str, Any]:
    """Add the width and the colours of the first convolution, and the outputs of the last linear layer."""
    layers = layers_of(state)
    convolutions = [shape for kind, shape in layers if kind == "convolution"]
    linear = [shape for kind, shape in layers if kind == "linear"]
    if not convolutions or not linear:
        return found
    return found | {"width": convolutions[0][0], "inputs": convolutions[0][1], "outputs": linear[-1][0]}
