"""Volumes as inputs of a network: in the volumes' own grid on one side, class scores on the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.datasets.volumes import VolumeSet
from sensiview.models.batching import compute
from sensiview.models.network import Network
from sensiview.models.readout import as_columns, first_tensor
from sensiview.numerics.scored_inputs import Score, ScoredInputs

__all__ = ["Score", "VolumeInputs", "to_zyx"]


class VolumeInputs(ScoredInputs):
    """A network and the volumes it looks at.

    Everything is in the volumes' own voxels (i, j, k): what the network wants besides (another orientation, padding,
    scaling) happens inside `forward`, differentiably, so that gradients and masks come out in the original grid.

    Parameters
    ----------
    network : Network
        For volumes: its preprocessing takes rows (n, 1, i, j, k).
    volumes : VolumeSet
    """

    def __init__(self, network: Network, volumes: VolumeSet) -> None:
        super().__init__(network, volumes)
        self.volumes = volumes

    def tensor(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> Tensor:
        """Return raw values on the network's device, float32 (n, 1, i, j, k); the volumes must share one grid."""
        return torch.from_numpy(self.volumes.batch(indices)).to(self.network.device)

    def forward(self, rows: Tensor, grid: Grid, like: Tensor | None = None) -> Tensor:
        """Return what the network gives for raw rows (n, 1, i, j, k), shape (n, outputs). Differentiable.

        `like` are the rows before something was done to them: each input is scaled as it was then.
        """
        prepared = self.network.preprocess(rows, like, grid.affine)
        answer, _ = first_tensor(compute(self.network.module, prepared, self.network.card.name))
        return as_columns(answer, len(rows), f"The network '{self.network.card.name}'")

    def output(self, index: int) -> Tensor:
        """Return what the network gives for one untouched volume, (outputs,)."""
        return self.forward(self.tensor([index]), self.volumes.entries[index].grid)[0]


def to_zyx(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return (..., i, j, k) as (..., z, y, x), the order of result items: x runs along i."""
    return np.ascontiguousarray(np.swapaxes(values, -1, -3))
