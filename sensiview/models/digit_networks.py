"""The network of the biased digits: a batch norm on the pixels, four convolutions, an average over the image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.errors import ModelError
from sensiview.models.architectures import Shape, option
from sensiview.models.image_architecture import ImageArchitecture, ImageOptions
from sensiview.models.layer_weights import layers_of
from sensiview.models.recipe import Numbers, TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn

# Pixels along the window of the first convolution and of the others.
_FIRST_KERNEL, _KERNEL = 5, 3


class BiasedDigitsOptions(ImageOptions):
    """Options of `BiasedDigitsCnn`."""

    filters: Numbers = option(
        (32, 32, 64, 64), label="Filters",
        help="Channels of each convolution: the first two keep the resolution, with a max pooling between them; each "
        "further one halves it.",
        min_length=2, max_length=8,
    )  # fmt: skip


class BiasedDigitsCnn(ImageArchitecture):
    """The CNN of Biased-MNIST (Shrestha et al. 2021; MoSIP, appendix B), layers named as in their code."""

    key = "biased_digits_cnn"
    title = "CNN of the biased digits"
    help = (
        "The network of the study of Morris screening on Biased-MNIST: batch norm on the pixels, convolutions with "
        "ReLU, the average over the image, one linear layer. Made for 48 x 48 pixels here; images of any size with the "
        "option size. One logit per class."
    )
    Options = BiasedDigitsOptions
    usual_size = 48
    # The batch norm in front learns mean and spread of the colours.
    mean, std = (0.0,), (1.0,)

    def build(self, options: BiasedDigitsOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called bn0, conv1, relu1, maxpool, conv2, relu2, ..., avgpool, fc."""
        from torch import nn

        before, height, width = self.checked(options, input_shape, n_outputs)
        smallest = 1 << len(options.filters)
        if min(height, width) < smallest:
            raise ModelError(
                f"Images of {height} x {width} pixels are too small for {len(options.filters)} convolutions; at least "
                f"{smallest} x {smallest} are needed. Use fewer filters, or larger images."
            )
        layers: OrderedDict[str, nn.Module] = OrderedDict(bn0=nn.BatchNorm2d(before))
        for number, filters in enumerate(options.filters, start=1):
            kernel = _FIRST_KERNEL if number == 1 else _KERNEL
            stride = 2 if number > 2 else 1
            layers[f"conv{number}"] = nn.Conv2d(before, filters, kernel, stride=stride, padding=kernel // 2)
            layers[f"relu{number}"] = nn.ReLU()
            if number == 1:
                layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
            before = filters
        layers |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(before, n_outputs)}
        return nn.Sequential(layers)

    def recipe(self) -> TrainingRecipe:
        """Return Adam with a rate that rises and falls in one cycle, batches of 64, twenty epochs."""
        return TrainingRecipe(
            epochs=20, learning_rate=5e-3, optimiser="adam", batch_size=64, standardise=False, schedule="one_cycle"
        )

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return filters, colours and classes; the size of the images leaves no trace in the weights."""
        layers = layers_of(state)
        convolutions = [shape for kind, shape in layers if kind == "convolution"]
        linear = [shape for kind, shape in layers if kind == "linear"]
        if len(convolutions) < 2 or len(linear) != 1:
            return {}
        return {
            "filters": tuple(shape[0] for shape in convolutions),
            "inputs": convolutions[0][1],
            "outputs": linear[0][0],
        }
