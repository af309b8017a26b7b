"""A small network of convolutions and poolings for digits."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from sensiview.errors import ModelError
from sensiview.models.architectures import Shape, option
from sensiview.models.image_architecture import ImageArchitecture, ImageOptions
from sensiview.models.layer_weights import layers_of
from sensiview.models.recipe import Counts, KernelSize, Numbers, TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn


class LenetOptions(ImageOptions):
    """Options of `Lenet`."""

    filters: Counts = option(
        (8, 16), label="Filters", help="Channels of each convolution; every one is followed by a max pooling.",
        min_length=1, max_length=8,
    )  # fmt: skip
    kernel: KernelSize = option(5, label="Kernel", help="Pixels along each side of a convolution's window.")
    padding: Numbers = option(
        (2, 0), label="Padding", help="Pixels added around the input of each convolution.", max_length=8
    )
    hidden: Counts = option((64,), label="Hidden units", help="Units of the linear layers before the output.",
                             max_length=8)  # fmt: skip
    activation: Literal["relu", "tanh"] = option("relu", label="Activation", help="Function after each layer.")


class Lenet(ImageArchitecture):
    """A small network of convolutions and poolings after LeCun et al. 1998, for digits."""

    key = "lenet"
    title = "LeNet"
    help = (
        "Convolutions of 5 x 5 pixels, each with a max pooling, then linear layers: for handwritten digits of 28 x 28 "
        "pixels. Sizes are read from the weights. One logit per class."
    )
    Options = LenetOptions
    usual_size = 28
    mean, std = (0.0,), (1.0,)

    def build(self, options: LenetOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network; its layers are called conv1, act1, pool1, ..., flatten, linear1, act3, ..., output."""
        from torch import nn

        before, height, width = self.checked(options, input_shape, n_outputs)
        rows, columns = (_after(n, options.filters, options.kernel, options.padding) for n in (height, width))
        if min(rows, columns) < 1:
            raise ModelError(
                f"Images of {height} x {width} pixels are too small for {len(options.filters)} convolutions of "
                f"{options.kernel} x {options.kernel} with a pooling each. Use fewer filters, or larger images."
            )
        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[options.activation]
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, filters in enumerate(options.filters, start=1):
            padding = _padding(options.padding, number - 1)
            layers[f"conv{number}"] = nn.Conv2d(before, filters, options.kernel, padding=padding)
            layers[f"act{number}"], layers[f"pool{number}"] = act(), nn.MaxPool2d(2)
            before = filters
        layers["flatten"] = nn.Flatten()
        sizes = (before * rows * columns, *options.hidden)
        for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
            layers[f"linear{number}"] = nn.Linear(inputs, units)
            layers[f"act{len(options.filters) + number}"] = act()
        layers["output"] = nn.Linear(sizes[-1], n_outputs)
        return nn.Sequential(layers)

    def recipe(self) -> TrainingRecipe:
        """Return Adam with a falling rate, batches of 64, ten epochs."""
        return TrainingRecipe(
            epochs=10, learning_rate=1e-3, optimiser="adam", batch_size=64, standardise=False, schedule="cosine"
        )

    def read(self, state: Mapping[str, Tensor], options: Any) -> dict[str, Any]:
        """Return filters, kernel and hidden units; size and padding are the usual ones that fit the linear layer."""
        layers = layers_of(state)
        convolutions = [shape for kind, shape in layers if kind == "convolution"]
        linear = [shape for kind, shape in layers if kind == "linear"]
        if not convolutions or not linear:
            return {}
        filters, kernel = tuple(shape[0] for shape in convolutions), convolutions[0][2]
        found = {
            "filters": filters,
            "kernel": kernel,
            "hidden": tuple(shape[0] for shape in linear[:-1]),
            "inputs": convolutions[0][1],
            "outputs": linear[-1][0],
        }
        side = math.isqrt(max(1, linear[0][1] // filters[-1]))
        given = "padding" in options.model_fields_set
        paddings = [options.padding] if given else [(2, 0), (0,) * len(filters), (kernel // 2,) * len(filters)]
        for size in [options.size] if options.size else [28, 32, 64]:
            for padding in paddings:
                if _after(size, filters, kernel, padding) == side:
                    return found | {"padding": padding, "side": size}
        return found


def _padding(padding: tuple[int, ...], place: int) -> int:
    return padding[place] if place < len(padding) else 0


def _after(size: int, filters: tuple[int, ...], kernel: int, padding: tuple[int, ...]) -> int:
    """Return the side of the last map."""
    for place in range(len(filters)):
        size = (size + 2 * _padding(padding, place) - kernel + 1) // 2
    return size
