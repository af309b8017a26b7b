"""Images, networks and studies for the tests of maps of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from sensiview.analysis.contract import Analysis
from sensiview.analysis.items import FieldMap, ImageSeries
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.images import ImageEntry, ImageSet
from sensiview.models.image_settings import ImageSettings
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.example_images import CLASSES, SETTINGS, example_images, example_module


def image_set(arrays: Sequence[np.ndarray], classes: Sequence[str] = ()) -> ImageSet:
    """Images from arrays (channels, y, x) in [0, 1]."""

    def opener(pixels: np.ndarray) -> Callable[[], np.ndarray]:
        return lambda: pixels

    arrays = [np.asarray(one, dtype=np.float32) for one in arrays]
    names = [f"image-{number}.png" for number in range(len(arrays))]
    sizes = [tuple(one.shape[1:]) for one in arrays]
    card = DatasetCard(
        name="pictures",
        kind="images",
        n_rows=len(arrays),
        target="class" if classes else None,
        class_counts={name: list(classes).count(name) for name in dict.fromkeys(classes)},
        extra={
            "names": names,
            "groups": names,
            "channels": int(arrays[0].shape[0]),
            "sizes": [{"size": list(size), "count": sizes.count(size)} for size in dict.fromkeys(sizes)],
            "range": [0.0, 1.0],
        },
    )
    entries = tuple(
        ImageEntry(name, name, (one.shape[1], one.shape[2]), one.shape[0], opener(one))
        for name, one in zip(names, arrays, strict=True)
    )
    return ImageSet(card, entries, pd.DataFrame({"class": list(classes)}) if classes else pd.DataFrame(index=names))


def study_of(
    module: nn.Module | None = None,
    images: ImageSet | None = None,
    *,
    settings: ImageSettings | None = SETTINGS,
    class_names: Sequence[str] = CLASSES,
    **more: Any,
) -> Study:
    """A study of the example's images and network, or of others."""
    pictures = images or example_images()
    net = module if module is not None else example_module()
    channels = settings.channels if settings is not None else pictures.entries[0].channels
    size = (settings.size if settings is not None else None) or pictures.entries[0].size
    sample = np.full((2, channels, *size), 0.3, dtype=np.float32)

    def network() -> Network:
        return network_from_module(
            net,
            sample=sample,
            name="net",
            class_names=class_names,
            preprocessing=settings.to_card() if settings is not None else None,
            device="cpu",
        )

    return Study(
        dataset=pictures.card,
        model=network().card,
        device="cpu",
        images_loader=lambda: pictures,
        network_loader=network,
        **more,
    )


def run(analysis: Analysis[Any], study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    """Run after the checks, and hold the cost against what was evaluated."""
    chosen = analysis.Parameters.parse(parameters)
    assert analysis.against(study, chosen) == []
    result = analysis.run(study, chosen, progress or Silent())
    assert result.evaluations <= analysis.cost(study, chosen).evaluations
    return result


def field(result: Result, name: str = "map") -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


def pictures(result: Result, name: str = "input") -> ImageSeries:
    item = result[name]
    assert isinstance(item, ImageSeries)
    return item


def note(result: Result, name: str = "note") -> str:
    text: str = result[name].text  # type: ignore[attr-defined]
    return text


def seen_rows(study: Study) -> torch.Tensor:
    """What the module of the example gets for all images, before values are scaled."""
    return torch.from_numpy(np.stack([study.images().image(i) for i in range(len(study.images()))]))


class Scaled(nn.Module):
    """The example's preprocessing of values, and the module behind it: from seen pixels to scores."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.inside = module

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.inside((rows - 0.5) / 0.5)
        return scores


class Residual(nn.Module):
    """Two residual blocks as torchvision has them: one ReLU for all, in place, used again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.block1 = nn.Conv2d(6, 6, 3, padding=1)
        self.block2 = nn.Conv2d(6, 6, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.stem(x))
        x = self.pool(self.relu(self.block1(x) + x))
        x = self.pool(self.relu(self.block2(x) + x))
        scores: torch.Tensor = self.head(x.mean(dim=(2, 3)))
        return scores


class Tokens(nn.Module):
    """A small vision transformer: patches of 4 x 4 of 16 x 12 pixels, a token for the class in front, two blocks."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.mlp = nn.Linear(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.norm1(x)
            x = x + self.attention(y, y, y, need_weights=False)[0]
            found: torch.Tensor = x + torch.relu(self.mlp(self.norm2(x)))
            return found

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.first = nn.Parameter(torch.randn(1, 1, 8))
        self.blocks = nn.Sequential(self.Block(), self.Block())
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).mT
        tokens = self.blocks(torch.cat([self.first.expand(len(tokens), 1, 8), tokens], dim=1))
        scores: torch.Tensor = self.head(tokens[:, 0])
        return scores


def seeded(make: Callable[[], nn.Module], seed: int = 3) -> nn.Module:
    """A module whose random weights are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().eval()
