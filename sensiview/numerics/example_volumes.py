"""A small cohort and a small network, for examples and tests: what it looks at is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Volume
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.models.network import Network, network_from_module

SIDE = 12
PLANTED = (slice(2, 6), slice(3, 7), slice(6, 10))
_AFFINE = np.array([[-2.0, 0, 0, 11], [0, 2, 0, -11], [0, 0, 3, -16], [0, 0, 0, 1]])


def example_volumes(count: int = 4) -> VolumeSet:
    """Return volumes of 12 x 12 x 12 voxels of 2 x 2 x 3 mm, stored LAS; every second one has a bright box in it.

    The box lies at `PLANTED` and makes the class ``AD``; the rest is noise, ``CN``.
    """
    import pandas as pd

    rng = np.random.default_rng(5)
    volumes = []
    for number in range(count):
        values = rng.normal(0.4, 0.05, (SIDE, SIDE, SIDE)).clip(0.01, None).astype(np.float32)
        if number % 2:
            values[PLANTED] += np.float32(0.4 + 0.05 * number)
        volumes.append(Volume(values, _AFFINE, name=f"sub-{number}"))
    diagnoses = ["AD" if number % 2 else "CN" for number in range(count)]
    names = [volume.name for volume in volumes]
    card = DatasetCard(
        name="example",
        kind="volumes",
        n_rows=count,
        target="diagnosis",
        class_counts={name: diagnoses.count(name) for name in ("AD", "CN")},
        extra={
            "shape": [SIDE] * 3,
            "affine": _AFFINE.tolist(),
            "orientation": "LAS",
            "spacing": [2.0, 2.0, 3.0],
            "names": names,
            "subjects": names,
        },
    )
    entries = tuple(
        VolumeEntry(volume.name, volume.name, volume.grid, lambda volume=volume: volume)  # type: ignore[misc]
        for volume in volumes
    )
    return VolumeSet(card, entries, pd.DataFrame({"diagnosis": diagnoses}))


def example_module(seed: int = 1) -> nn.Sequential:
    """Return a network of two convolutions for volumes of one channel and any size, logits of ``AD`` and ``CN``.

    Its weights are fixed: one path finds what is brighter than 0.6 and votes for ``AD``, the others are small noise.
    """
    module = nn.Sequential(
        nn.Conv3d(1, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool3d(2),
        nn.Conv3d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        values = {
            name: 0.02 * torch.randn(parameter.shape, generator=generator)
            for name, parameter in module.named_parameters()
        }
        values["0.weight"][0] = 1 / 27
        values["0.bias"][0] = -0.5
        values["3.weight"][0, 0] += 0.2
        values["3.bias"][0] = 0.0
        values["7.weight"][:, 0] = torch.tensor([15.0, -15.0])
        values["7.bias"] = torch.tensor([-2.0, 2.0])
        module.load_state_dict(values)
    return module


def example_network(volumes: VolumeSet) -> Network:
    """Return `example_module` as a network on the CPU, for these volumes."""
    sample = volumes.batch([0, len(volumes) - 1])
    return network_from_module(example_module(), sample=sample, name="example", class_names=("AD", "CN"), device="cpu")
