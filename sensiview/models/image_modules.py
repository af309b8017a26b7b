"""Modules of the residual networks for small images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Shortcut = Literal["projection", "padding"]


class PaddedShortcut(nn.Module):
    """Every second pixel, and zeros for the channels that are new; option A of He et al. 2016, section 3.3.

    It has no weights.
    """

    def __init__(self, stride: int, before: int, after: int) -> None:
        super().__init__()
        self.stride = stride
        missing = after - before
        self.below, self.above = missing // 2, missing - missing // 2

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows (n, after, y / stride, x / stride)."""
        kept = rows[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, self.below, self.above))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, and the input added before the last ReLU; names as torchvision's."""

    def __init__(self, before: int, after: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        # One module for both places, in place, as torchvision has it.
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample: nn.Module | None = None
        if (stride != 1 or before != after) and shortcut == "padding":
            self.downsample = PaddedShortcut(stride, before, after)
        elif stride != 1 or before != after:
            conv = nn.Conv2d(before, after, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(after))

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows (n, after, y / stride, x / stride)."""
        identity = rows if self.downsample is None else self.downsample(rows)
        out: Tensor = self.relu(self.bn1(self.conv1(rows)))
        out = self.bn2(self.conv2(out))
        out += identity
        answer: Tensor = self.relu(out)
        return answer


class SmallResnet(nn.Module):
    """A residual network whose first convolution keeps the resolution: conv1, bn1, relu, layer1, ..., avgpool, fc.

    Parameters
    ----------
    channels : int
        Of the images.
    widths : sequence of int
        Channels of each layer; every layer but the first halves the resolution.
    blocks : sequence of int
        Residual blocks of each layer.
    n_outputs : int
    shortcut : str
        Where shapes differ: a 1 x 1 convolution, or padding with zeros.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], blocks: Sequence[int], n_outputs: int, shortcut: Shortcut
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        before = widths[0]
        names = []
        for number, (width, count) in enumerate(zip(widths, blocks, strict=True), start=1):
            strides = [1 if number == 1 else 2, *([1] * (count - 1))]
            parts = [ResidualBlock(width if k else before, width, stride, shortcut) for k, stride in enumerate(strides)]
            self.add_module(f"layer{number}", nn.Sequential(*parts))
            names.append(f"layer{number}")
            before = width
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, n_outputs)
        self._layers = tuple(names)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, rows: Tensor) -> Tensor:
        """Return logits, shape (n, n_outputs), for rows (n, channels, y, x)."""
        out: Tensor = self.relu(self.bn1(self.conv1(rows)))
        for name in self._layers:
            out = self.get_submodule(name)(out)
        answer: Tensor = self.fc(torch.flatten(self.avgpool(out), 1))
        return answer


def small_vgg(channels: int, width: int, side: int, hidden: Sequence[int], dropout: float, n_outputs: int) -> nn.Module:
    """Return VGG-16 with batch norm as named blocks: block1, ..., block5, flatten, classifier.

    Parameters
    ----------
    channels : int
        Of the images.
    width : int
        Channels of the first block: 64 for the usual plan of 64, 128, 256, 512, 512.
    side : int
        Pixels along the side of the last feature map.
    hidden : sequence of int
        Units of the linear layers before the output.
    dropout : float
    n_outputs : int
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    before = channels
    for number, (factor, count) in enumerate(zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3), strict=True), start=1):
        parts: list[nn.Module] = []
        for _ in range(count):
            conv = nn.Conv2d(before, factor * width, 3, padding=1)
            parts += [conv, nn.BatchNorm2d(factor * width), nn.ReLU(inplace=True)]
            before = factor * width
        layers[f"block{number}"] = nn.Sequential(*parts, nn.MaxPool2d(2))
    layers["flatten"] = nn.Flatten()
    inputs = before * side * side
    classifier: list[nn.Module] = []
    for units in hidden:
        classifier += [nn.Linear(inputs, units), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        inputs = units
    layers["classifier"] = nn.Sequential(*classifier, nn.Linear(inputs, n_outputs))
    network = nn.Sequential(layers)
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            assert part.bias is not None
            nn.init.zeros_(part.bias)
    return network
