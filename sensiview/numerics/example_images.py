"""A few small images and a small network, for examples and tests: what it looks at is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.images import ImageEntry, ImageSet
from sensiview.models.image_settings import ImageSettings
from sensiview.models.network import Network, network_from_module

SIDE = 16
# Rows and columns of the square that makes an image `bright`.
PLANTED = (slice(3, 9), slice(6, 12))
CLASSES = ("bright", "plain")
SETTINGS = ImageSettings(channels=3, size=(SIDE, SIDE), mean=(0.5,), std=(0.5,))


def example_images(count: int = 4) -> ImageSet:
    """Return colour images of 16 x 16 pixels; every second one has a bright square in it, mostly red, at `PLANTED`."""
    import pandas as pd

    rng = np.random.default_rng(7)
    entries, classes = [], []
    for number in range(count):
        pixels = rng.normal(0.3, 0.05, (3, SIDE, SIDE)).clip(0.02, 1.0).astype(np.float32)
        if number % 2:
            pixels[0, *PLANTED] = np.float32(0.8 + 0.02 * (number % 5))
            pixels[1, *PLANTED] += np.float32(0.2)
        name = f"image-{number}.png"
        entries.append(ImageEntry(name, name, (SIDE, SIDE), 3, lambda pixels=pixels: pixels))  # type: ignore[misc]
        classes.append("bright" if number % 2 else "plain")
    names = [entry.name for entry in entries]
    card = DatasetCard(
        name="example",
        kind="images",
        n_rows=count,
        target="class",
        class_counts={name: classes.count(name) for name in CLASSES},
        extra={
            "names": names,
            "groups": names,
            "channels": 3,
            "sizes": [{"size": [SIDE, SIDE], "count": count}],
            "range": [0.0, 1.0],
        },
    )
    return ImageSet(card, tuple(entries), pd.DataFrame({"class": classes}))


def example_module(seed: int = 1) -> nn.Sequential:
    """Return two blocks of convolution with in-place ReLU and one re-used pooling, logits of ``bright`` and ``plain``.

    Its weights are fixed: one path finds what is brighter than the background, mostly in red, and votes for
    ``bright``; the others are small noise.
    """
    pool = nn.MaxPool2d(2)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        pool,
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        pool,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 2),
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        values = {
            name: 0.02 * torch.randn(parameter.shape, generator=generator)
            for name, parameter in module.named_parameters()
        }
        values["0.weight"][0, 0] = 1 / 9
        values["0.weight"][0, 1] = 0.3 / 9
        values["0.bias"][0] = 0.25
        values["3.weight"][0, 0] += 0.2
        values["3.bias"][0] = 0.0
        values["8.weight"][:, 0] = torch.tensor([8.0, -8.0])
        values["8.bias"] = torch.tensor([-1.5, 1.5])
        module.load_state_dict(values)
    return module


def example_network(seed: int = 1) -> Network:
    """Return `example_module` as a network on the CPU, for `example_images`."""
    sample = np.full((2, 3, SIDE, SIDE), 0.3, dtype=np.float32)
    return network_from_module(
        example_module(seed),
        sample=sample,
        name="example",
        class_names=CLASSES,
        preprocessing=SETTINGS.to_card(),
        device="cpu",
    )
