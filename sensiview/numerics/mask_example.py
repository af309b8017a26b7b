"""A small cohort with a known loss and a network that sees just that: for examples, help and checks of masks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.network import Network

SHAPE = (12, 14, 10)
SPACING_MM = 8.0
# Where the patients have lost something.
PLANTED = (slice(2, 6), slice(7, 11), slice(3, 7))


def planted(shape: tuple[int, int, int] = SHAPE) -> npt.NDArray[np.bool_]:
    """Return the region in which patients have lost something, bool (i, j, k)."""
    region = np.zeros(shape, dtype=np.bool_)
    region[PLANTED] = True
    return region


@cache
def example_volumes(patients: int = 3, controls: int = 2, seed: int = 7) -> VolumeSet:
    """Return volumes of an ellipsoid with values near 0.8; in patients a block of it has lost two thirds."""
    import pandas as pd

    from sensiview.datasets.card import ColumnCard, DatasetCard
    from sensiview.datasets.volume import Grid, Volume
    from sensiview.datasets.volumes import VolumeEntry, VolumeSet

    random = np.random.default_rng(seed)
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = [-SPACING_MM * (n - 1) / 2 for n in SHAPE]
    places = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
    body = (places**2).sum(axis=0) < 1.2
    labels = ["AD"] * patients + ["CN"] * controls
    names = [f"sub-{i + 1:02d}" for i in range(len(labels))]
    grid = Grid(SHAPE, affine)

    def volume(name: str, label: str) -> VolumeEntry:
        values = np.where(body, 0.8 + 0.05 * random.standard_normal(SHAPE), 0.0).astype(np.float32)
        if label == "AD":
            values[planted() & body] *= 0.33
        made = Volume(values, affine, name=name)
        return VolumeEntry(name, name, grid, lambda: made)

    entries = tuple(volume(name, label) for name, label in zip(names, labels, strict=True))
    card = DatasetCard(
        name="example",
        kind="volumes",
        n_rows=len(labels),
        columns=(ColumnCard(name="diagnosis", kind="text", distinct=2),),
        target="diagnosis",
        class_counts={"AD": patients, "CN": controls},
        extra={
            "shape": list(SHAPE),
            "affine": affine.tolist(),
            "orientation": "RAS",
            "spacing": [SPACING_MM] * 3,
            "names": names,
            "subjects": names,
        },
    )
    return VolumeSet(card, entries, pd.DataFrame({"diagnosis": labels}))


def example_network(weight: float = 1.0, *, name: str = "example") -> Network:
    """Return a network whose logit of AD falls with the mean value of the planted block, and with little else.

    Parameters
    ----------
    weight : float
        How strongly it also looks at the rest, in hundredths of the block.
    """
    import torch
    from torch import nn

    from sensiview.models.network import network_from_module

    size = int(np.prod(SHAPE))
    block = planted()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = nn.Sequential(nn.Flatten(), nn.Linear(size, 2))
    layer = module[1]
    rows = np.where(block, -20.0 / block.sum(), -0.2 * weight / (~block).sum()).ravel().astype(np.float32)
    with torch.no_grad():
        if isinstance(layer, nn.Linear):
            layer.weight[0], layer.weight[1] = torch.from_numpy(rows), torch.zeros(size)
            layer.bias.copy_(torch.tensor([11.0, 0.0]))
    sample = np.zeros((2, 1, *SHAPE), dtype=np.float32)
    return network_from_module(module, sample=sample, name=name, class_names=("AD", "CN"), device="cpu")
