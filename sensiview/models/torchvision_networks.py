"""Image classifiers by torchvision's own names, with random weights: nothing is ever downloaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.models.architectures import Shape, Sizes, option
from sensiview.models.image_architecture import ImageArchitecture, ImageOptions
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.torchvision_files import published, published_as, settings_for

if TYPE_CHECKING:
    from torch import Tensor, nn

# torchvision.models.list_models(module=torchvision.models), written out because torchvision takes seconds to load and
# menus show the names; a test compares it with the installed version.
NAMES = (
    "alexnet", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny", "densenet121", "densenet161",
    "densenet169", "densenet201", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
    "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_l",
    "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet0_75",
    "mnasnet1_0", "mnasnet1_3", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_16gf",
    "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf", "regnet_x_800mf", "regnet_x_8gf",
    "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf", "regnet_y_32gf", "regnet_y_3_2gf", "regnet_y_400mf",
    "regnet_y_800mf", "regnet_y_8gf", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50",
    "resnext101_32x8d", "resnext101_64x4d", "resnext50_32x4d", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0", "squeezenet1_1", "swin_b", "swin_s", "swin_t",
    "swin_v2_b", "swin_v2_s", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
    "vgg19_bn", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2", "wide_resnet50_2",
)  # fmt: skip
_WITH_AUXILIARY = ("googlenet", "inception_v3")
_IMAGENET = 1000


class AuxiliaryOptions(ImageOptions):
    """Options of GoogLeNet and Inception, which have side outputs for training."""

    auxiliary: bool = option(
        False,
        label="Side outputs",
        help="Build the side classifiers; they take no part in evaluation. Those of inception_v3 are trained on images "
        "of 299 pixels or more.",
    )
    transform_input: bool = option(
        False, label="Rescale inputs", help="As torchvision's own ImageNet weights need it: inputs are rescaled inside."
    )


class TorchvisionClassifier(ImageArchitecture):
    """One of torchvision's image classifiers, for colour images or with a first layer for grey ones."""

    def __init__(self, name: str) -> None:
        self.key = self.title = name
        self.help = f"torchvision's image classifier '{name}'; weights come from a file."
        self.Options = AuxiliaryOptions if name in _WITH_AUXILIARY else ImageOptions
        self.usual_size = published(name)[0].size

    def build(self, options: ImageOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network with random weights."""
        channels, height, width = self.checked(options, input_shape, n_outputs)
        return self._network(options, n_outputs, channels, (height, width))

    def _network(self, options: ImageOptions, n_outputs: int, channels: int, size: tuple[int, int]) -> nn.Module:
        from torchvision import models

        more: dict[str, Any] = {}
        if isinstance(options, AuxiliaryOptions):
            more = {
                "aux_logits": options.auxiliary,
                "transform_input": options.transform_input and channels == 3,
                "init_weights": True,
            }
        # Transformers have places for so many patches; the others take any size.
        if self.key.startswith("vit_"):
            more["image_size"] = size[0]
        if self.key.startswith("maxvit"):
            more["input_size"] = size
        network: nn.Module = models.get_model(self.key, weights=None, num_classes=n_outputs, **more)
        if channels != 3:
            _take_channels(network, channels)
        return network

    def recipe(self) -> TrainingRecipe:
        """Return a recipe for fine-tuning."""
        return TrainingRecipe(
            epochs=10, learning_rate=1e-4, optimiser="adamw", batch_size=32, weight_decay=1e-4, standardise=False,
            schedule="cosine",
        )  # fmt: skip

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return what the first and the last layer say; their names are found by building without memory."""
        import torch

        found: dict[str, Any] = {}
        with torch.device("meta"):
            usual = self._network(options, _IMAGENET, 3, (self.usual_size,) * 2).state_dict()
        first = next(name for name, value in usual.items() if value.ndim == 4)
        last = list(usual)[-1]
        found["outputs"] = options.num_classes or _IMAGENET
        if not options.num_classes and last in state and state[last].ndim:
            found["outputs"] = int(state[last].shape[0])
        if first in state and state[first].ndim == 4:
            found["inputs"] = int(state[first].shape[1])
        places = state.get("encoder.pos_embedding")
        if places is not None and places.ndim == 3 and first in state:
            found["side"] = math.isqrt(max(0, places.shape[1] - 1)) * int(state[first].shape[-1])
        if isinstance(options, AuxiliaryOptions):
            found["auxiliary"] = any(key.startswith(("aux", "Aux")) for key in state)
            # ImageNet weights with side outputs are torchvision's own, made from networks that want other values.
            found["transform_input"] = found["auxiliary"] and found["outputs"] == _IMAGENET
        return found

    def preprocessing(self, options: Any, sizes: Sizes | None = None, file: str = "") -> dict[str, Any]:
        """Return what torchvision's own weights want, at the network's size."""
        channels = (sizes.input_shape[0] if sizes else options.n_channels) or 3
        size = options.size or (sizes.input_shape[1] if sizes else 0)
        if not options.size and size == self.usual_size and published_as(self.key, file):
            size = 0
        return settings_for(self.key, size=size, channels=channels, file=file).to_card()

    def class_names(self, n_outputs: int) -> tuple[str, ...]:
        """Return the names of ImageNet's classes for 1000 outputs, as torchvision's weights carry them."""
        if n_outputs != _IMAGENET:
            return ()
        from torchvision.models import AlexNet_Weights

        return tuple(AlexNet_Weights.IMAGENET1K_V1.meta["categories"])


def _take_channels(network: nn.Module, channels: int) -> None:
    """Put a fresh first convolution for so many channels into a network for colour images."""
    from torch import nn

    name, old = next((name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d))
    new = nn.Conv2d(
        channels, old.out_channels, old.kernel_size, old.stride, old.padding, old.dilation,  # type: ignore[arg-type]
        bias=old.bias is not None, padding_mode=old.padding_mode,
    )  # fmt: skip
    parent, _, child = name.rpartition(".")
    network.get_submodule(parent).register_module(child, new)


def torchvision_classifiers() -> tuple[TorchvisionClassifier, ...]:
    """Return all of torchvision's image classifiers, without loading torchvision."""
    return tuple(TorchvisionClassifier(name) for name in NAMES)
