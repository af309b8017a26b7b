"""Image classifiers by torchvision's own names, with random weights: nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.errors import ModelError
from sensiview.models.architectures import Architecture, ArchitectureOptions, Shape, Sizes, option
from sensiview.models.recipe import TrainingRecipe

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
_SIZES = {"inception_v3": 299}
_IMAGENET = 1000


class ClassifierOptions(ArchitectureOptions):
    """Options of every torchvision classifier."""

    num_classes: int = option(
        0, label="Classes", help="Number of classes; 0 takes it from the weights or the data.", ge=0, le=1_000_000
    )
    size: int = option(0, label="Image size", help="Height and width in pixels; 0 for the usual size.", ge=0, le=8192)


class AuxiliaryOptions(ClassifierOptions):
    """Options of GoogLeNet and Inception, which have side outputs for training."""

    auxiliary: bool = option(
        False, label="Side outputs", help="Build the side classifiers; they take no part in evaluation."
    )
    transform_input: bool = option(
        False, label="Rescale inputs", help="As torchvision's own ImageNet weights need it: inputs are rescaled inside."
    )


class TorchvisionClassifier(Architecture):
    """One of torchvision's image classifiers."""

    input_kind = "images"
    emits = "logit"

    def __init__(self, name: str) -> None:
        self.key = self.title = name
        self.help = f"torchvision's image classifier '{name}'; weights come from a file."
        self.Options = AuxiliaryOptions if name in _WITH_AUXILIARY else ClassifierOptions

    def build(self, options: ClassifierOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network with random weights, for colour images."""
        if len(input_shape) != 3 or input_shape[0] != 3:
            raise ModelError(
                f"'{self.key}' takes colour images (3, height, width); these inputs have shape {input_shape}."
            )
        if options.num_classes not in (0, n_outputs):
            raise ModelError(
                f"The option num_classes of '{self.key}' is {options.num_classes}, but there are {n_outputs} classes. "
                "Leave it at 0 to take the number from the weights or the data."
            )
        return self._network(options, n_outputs)

    def _network(self, options: ClassifierOptions, n_outputs: int) -> nn.Module:
        from torchvision import models

        more: dict[str, Any] = {}
        if isinstance(options, AuxiliaryOptions):
            more = {
                "aux_logits": options.auxiliary,
                "transform_input": options.transform_input,
                "init_weights": True,
            }
        network: nn.Module = models.get_model(self.key, weights=None, num_classes=n_outputs, **more)
        return network

    def recipe(self) -> TrainingRecipe:
        """Return a recipe for fine-tuning."""
        return TrainingRecipe(epochs=10, learning_rate=1e-4, optimiser="adamw", batch_size=32, weight_decay=1e-4)

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read the number of classes from the last layer, whose name is found by building without memory."""
        import torch

        if isinstance(options, AuxiliaryOptions) and "auxiliary" not in options.model_fields_set:
            options = options.model_copy(update={"auxiliary": any(key.startswith(("aux", "Aux")) for key in state)})
        n_outputs = options.num_classes
        if not n_outputs:
            with torch.device("meta"):
                last = list(self._network(options, _IMAGENET).state_dict())[-1]
            n_outputs = int(state[last].shape[0]) if last in state and state[last].ndim else _IMAGENET
        size = options.size or _SIZES.get(self.key, 224)
        return options, Sizes((3, size, size), n_outputs)


def torchvision_classifiers() -> tuple[TorchvisionClassifier, ...]:
    """Return all of torchvision's image classifiers, without loading torchvision."""
    return tuple(TorchvisionClassifier(name) for name in NAMES)
