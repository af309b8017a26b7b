"""Images, networks whose use of parts is known, and finished screenings for the tests of the studies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sensiview.analysis.items import Curve, IndexTable
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import finished_screening
from sensiview.analysis.study import Finished, Study
from sensiview.datasets.images import ImageSet
from sensiview.models.image_settings import ImageSettings
from sensiview.numerics.screening.cells import grid_labels
from tests.methods.image_studies import image_set, study_of

PLAIN = ImageSettings(channels=3, size=(16, 16))
CELLS = grid_labels((16, 16), (4, 4))
NAMES = [f"cell {number + 1}" for number in range(16)]


def frame(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, IndexTable | Curve)
    return item.frame


def sums(rows: Tensor) -> Tensor:
    """The sum of the pixels of each of the 4 x 4 cells, (n, 16)."""
    return rows.sum(dim=1).unfold(1, 4, 4).unfold(2, 4, 4).sum(dim=(3, 4)).flatten(1)


class OfCells(nn.Module):
    """Two logits: a function of the cells' sums, and a bar that it has to clear."""

    def __init__(self, kind: str, weights: Sequence[float] | np.ndarray, bar: float = 0.0) -> None:
        super().__init__()
        self.kind, self.bar = kind, bar
        self.weights = nn.Parameter(torch.as_tensor(np.asarray(weights), dtype=torch.float32))

    def forward(self, rows: Tensor) -> Tensor:
        cells = sums(rows) * self.weights
        if self.kind == "product":
            value = torch.prod(cells[:, self.weights > 0], dim=1)
        elif self.kind == "largest":
            value = cells[:, self.weights > 0].amax(dim=1)
        else:
            value = cells.sum(dim=1)
        return torch.stack([value, torch.full_like(value, self.bar)], dim=1)


def bright_images(count: int = 6) -> ImageSet:
    """Images of noise, all of the class ``bright``."""
    random = np.random.default_rng(11)
    return image_set(list(random.uniform(0.3, 0.9, (count, 3, 16, 16))), ["bright"] * (count - 1) + ["plain"])


def cells_study(module: nn.Module, images: ImageSet | None = None) -> Study:
    """A study of such images under a network."""
    return study_of(module, images or bright_images(), settings=PLAIN, class_names=("bright", "plain"))


def own_sums(study: Study) -> np.ndarray:
    """The sums of the cells of every image, (images, 16)."""
    images = study.images()
    rows = torch.from_numpy(np.stack([images.image(i) for i in range(len(images))]))
    return sums(rows).double().numpy()


def screened(study: Study, name: str, mu_star: np.ndarray, sigma: np.ndarray | None = None, **more: Any) -> Finished:
    """A finished screening of all images, with measures (images, parts) or (parts,) of all."""
    assert study.dataset is not None
    names = tuple(more.pop("names", study.dataset.extra["names"]))
    values = np.broadcast_to(mu_star, (len(names), np.shape(mu_star)[-1]))[:, :, None]
    spread = None if sigma is None else np.broadcast_to(sigma, values.shape[:2])[:, :, None]
    given = {"labels": CELLS, "partition": "grid", "cells": 4, "factors": NAMES} | more
    return finished_screening(study, name, names, given.pop("factors"), values, spread, **given)


def with_runs(study: Study, *runs: Finished) -> Study:
    """The study with these runs at hand."""
    return replace(study, runs={run.id: run for run in runs})
