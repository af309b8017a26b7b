"""Networks for volumes: blocks of 3-D convolutions, and a 3-D ResNet-18. Random weights, nothing is downloaded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from sensiview.errors import ModelError
from sensiview.models.architectures import Architecture, ArchitectureOptions, Shape, Sizes, option
from sensiview.models.layer_weights import in_order, layers_of
from sensiview.models.recipe import Counts, KernelSize, TrainingRecipe

if TYPE_CHECKING:
    from torch import Tensor, nn

# A batch of eight 61 x 73 x 61 maps takes about 1 GB to train on. The falling rate lets the running statistics of batch
# norm catch up with the weights: at a constant one the test accuracy of small cohorts jumps from epoch to epoch.
_RECIPE = TrainingRecipe(
    epochs=30,
    learning_rate=1e-3,
    optimiser="adam",
    batch_size=8,
    class_weights="balanced",
    standardise=False,
    schedule="cosine",
)


class _VolumeOptions(ArchitectureOptions):
    input_size: Counts = option(
        (),
        label="Input size",
        help="Voxels along i, j and k, such as 61,73,61; empty: those of the data. Needed to load weights, which do "
        "not say it.",
    )


class ConvolutionOptions(_VolumeOptions):
    """Options of `ConvolutionalNetwork`."""

    channels: Counts = option(
        (8, 16, 32, 64),
        label="Channels",
        help="Channels of each block, from the input on; every block halves the volume.",
        min_length=1,
        max_length=12,
    )
    convolutions: int = option(1, label="Convolutions", help="Convolutions in each block.", ge=1, le=8)
    kernel: KernelSize = option(3, label="Kernel", help="Voxels along each side of a convolution's window.")
    batch_norm: bool = option(True, label="Batch norm", help="Normalise after each convolution.")
    activation: Literal["leaky_relu", "relu"] = option(
        "leaky_relu", label="Activation", help="Function after each convolution and each hidden layer."
    )
    negative_slope: float = option(
        0.01, label="Negative slope", help="Of the leaky ReLU, for values below 0.", ge=0, le=1
    )
    pool: Literal["flatten", "average"] = option(
        "flatten",
        label="Last pooling",
        help="What the linear layers take: every voxel of the last block, or one mean per channel.",
    )
    hidden: Counts = option(
        (), label="Hidden units", help="Units of linear layers between the blocks and the output.", max_length=8
    )
    dropout: float = option(
        0.5,
        label="Dropout",
        help="Share left out before the first linear layer while training. The study that this network is from found "
        "0.79 by a search on its cohort, which needs more subjects or more epochs.",
        ge=0,
        lt=1,
    )
    odd_sizes: Literal["keep", "drop"] = option(
        "keep", label="Odd sizes", help="Whether the last voxel of an odd axis is kept when the volume is halved."
    )


class _VolumeArchitecture(Architecture):
    input_kind = "volumes"
    emits = "logit"

    def recipe(self) -> TrainingRecipe:
        """Return Adam at a rate that falls along a cosine, batches of eight, 30 epochs, rare classes weighted up."""
        return _RECIPE

    def _shape(self, options: _VolumeOptions, input_shape: Shape) -> tuple[int, int, int]:
        if len(input_shape) != 4:
            raise ModelError(
                f"'{self.title}' takes volumes (channels, i, j, k); these inputs have the shape {input_shape}."
            )
        size = (input_shape[1], input_shape[2], input_shape[3])
        if options.input_size and tuple(options.input_size) != size:
            raise ModelError(
                f"The input size does not fit: the option input_size of '{self.key}' is "
                f"{_text(options.input_size)}, the volumes have {_text(size)} voxels. Leave it empty to take the "
                "size of the volumes."
            )
        return size


class ConvolutionalNetwork(_VolumeArchitecture):
    """Blocks of convolution - batch norm - leaky ReLU and max pooling, dropout, linear layers.

    The network of Thibeau-Sutre et al., "Visualization approach to assess the robustness of neural networks for
    medical image classification" (2021), with the sizes that its poster leaves open as options. Two classes get two
    logits, so that the probability of the true class is read the same way for each.
    """

    key = "cnn3d"
    title = "3-D convolutional network"
    help = (
        "Blocks of 3-D convolution, batch norm, leaky ReLU and max pooling, then dropout and linear layers, as in the "
        "study of mask robustness on grey-matter maps. One logit per class."
    )
    Options = ConvolutionOptions

    def build(self, options: ConvolutionOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network.

        Its layers are called block1.conv1, block1.norm1, block1.act1, block1.pool, ..., flatten (or average), dropout,
        linear1, act1, ..., output.

        Raises
        ------
        ModelError
            The volumes are too small for so many blocks, or no volumes.
        """
        from torch import nn

        size = self._shape(options, input_shape)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        before = input_shape[0]
        for number, channels in enumerate(options.channels, start=1):
            if min(size) < 2:
                raise ModelError(
                    f"The input size does not fit: volumes of {_text(input_shape[1:])} voxels can't be halved "
                    f"{len(options.channels)} times. Use fewer blocks (option channels), or larger volumes."
                )
            layers[f"block{number}"] = _block(options, before, channels)
            size = tuple((n + (options.odd_sizes == "keep")) // 2 for n in size)  # type: ignore[assignment]
            before = channels
        if options.pool == "average":
            layers["average"] = nn.AdaptiveAvgPool3d(1)
        layers["flatten"] = nn.Flatten()
        if options.dropout:
            layers["dropout"] = nn.Dropout(options.dropout)
        width = before * (size[0] * size[1] * size[2] if options.pool == "flatten" else 1)
        sizes = (width, *options.hidden)
        for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
            layers[f"linear{number}"] = nn.Linear(inputs, units)
            layers[f"act{number}"] = _activation(options)
        layers["output"] = nn.Linear(sizes[-1], n_outputs)
        return nn.Sequential(layers)

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read channels, kernel, hidden units and outputs from the weights; the size of the volumes is not in them.

        Whether the last pooling was an average shows in the size of the first linear layer. What has no weights can't
        be seen: the activation, dropout and `odd_sizes` are as the options say.
        """
        found = layers_of(state)
        convolutions = [shape for kind, shape in found if kind == "convolution"]
        linear = [shape for kind, shape in found if kind == "linear"]
        each = _convolutions_per_block(state) or options.convolutions
        if not convolutions or not linear or len(convolutions) % each:
            return options, None
        channels = tuple(shape[0] for shape in convolutions[each - 1 :: each])
        average = linear[0][1] == channels[-1] and "pool" not in options.model_fields_set
        changes = {
            "channels": channels,
            "convolutions": each,
            "kernel": convolutions[0][2],
            "batch_norm": any(kind == "norm" for kind, _ in found),
            "pool": "average" if average else options.pool,
            "hidden": tuple(shape[0] for shape in linear[:-1]),
        }
        new = {name: value for name, value in changes.items() if name not in options.model_fields_set}
        size = tuple(options.input_size) or (0, 0, 0)
        return options.model_copy(update=new), Sizes((convolutions[0][1], *size), linear[-1][0])

    def translated(self, state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """Give weights of the same layers under other names (``0.weight``, ``features.3.bias``) the names of ours."""
        return in_order(state, wanted)


class ResnetOptions(_VolumeOptions):
    """Options of `VolumeResnet`."""

    stem: Literal["video", "cube", "small"] = option(
        "cube",
        label="First layer",
        help="cube: 7 x 7 x 7 voxels, halves every axis. video: 3 x 7 x 7 and two axes halved, as torchvision's "
        "network for films. small: 3 x 3 x 3 at full resolution, for small volumes.",
    )


_STEMS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "cube": ((7, 7, 7), (2, 2, 2)),
    "video": ((3, 7, 7), (1, 2, 2)),
    "small": ((3, 3, 3), (1, 1, 1)),
}


class VolumeResnet(_VolumeArchitecture):
    """torchvision's r3d_18 (Tran et al. 2018) for volumes of any number of channels."""

    key = "resnet3d18"
    title = "3-D ResNet-18"
    help = (
        "torchvision's 3-D ResNet with 18 layers (r3d_18) and 33 million weights, its first layer fitted to volumes "
        "of one channel. One logit per class."
    )
    Options = ResnetOptions

    def build(self, options: ResnetOptions, input_shape: Shape, n_outputs: int) -> nn.Module:
        """Return the network with torchvision's layer names: stem, layer1 to layer4, avgpool, fc."""
        from torch import nn
        from torchvision.models.video import r3d_18

        self._shape(options, input_shape)
        network: nn.Module = r3d_18(weights=None, num_classes=n_outputs)
        kernel, stride = _STEMS[options.stem]
        if input_shape[0] != 3 or options.stem != "video":
            padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
            first = nn.Conv3d(input_shape[0], 64, kernel, stride=stride, padding=padding, bias=False)
            nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")
            stem: Any = network.get_submodule("stem")
            stem[0] = first
        return network

    def understand(self, state: Mapping[str, Tensor], options: Any) -> tuple[Any, Sizes | None]:
        """Read the first layer and the number of classes from the weights."""
        first, last = state.get("stem.0.weight"), state.get("fc.weight")
        if first is None or last is None or first.ndim != 5 or last.ndim != 2:
            return options, None
        stem = next((name for name, (kernel, _) in _STEMS.items() if kernel == tuple(first.shape[2:])), options.stem)
        if "stem" not in options.model_fields_set:
            options = options.model_copy(update={"stem": stem})
        size = tuple(options.input_size) or (0, 0, 0)
        return options, Sizes((first.shape[1], *size), last.shape[0])


def _block(options: ConvolutionOptions, before: int, channels: int) -> nn.Module:
    from torch import nn

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(1, options.convolutions + 1):
        layers[f"conv{number}"] = nn.Conv3d(before, channels, options.kernel, padding=options.kernel // 2)
        if options.batch_norm:
            layers[f"norm{number}"] = nn.BatchNorm3d(channels)
        layers[f"act{number}"] = _activation(options)
        before = channels
    layers["pool"] = nn.MaxPool3d(2, ceil_mode=options.odd_sizes == "keep")
    return nn.Sequential(layers)


def _activation(options: ConvolutionOptions) -> nn.Module:
    from torch import nn

    return nn.ReLU() if options.activation == "relu" else nn.LeakyReLU(options.negative_slope)


def _convolutions_per_block(state: Mapping[str, Tensor]) -> int:
    """Return how many convolutions the first of our blocks has; 0 under other names."""
    return sum(key.startswith("block1.conv") and key.endswith(".weight") for key in state)


def _text(size: Shape) -> str:
    return " x ".join(map(str, size))
