"""Volumes as inputs of a network: in the volumes' own grid on one side, class scores on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError
from sensiview.models.batching import compute
from sensiview.models.network import Network
from sensiview.models.outputs import Target, TargetName, parse_target
from sensiview.models.readout import Forward, as_columns, first_tensor, read

Score = Literal["probability", "logit", "log_odds"]
# Beyond this a probability in float32 is 0 or 1.
_LEAST = 1e-6


class VolumeInputs:
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
        self.network = network
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

    def scores(self, output: Tensor, targets: Sequence[Target], kind: Score) -> Tensor:
        """Return one score per row, shape (n,), from what `forward` gave; row i is read at ``targets[i]``.

        ``log_odds`` is log p/(1-p) of the target's probability p: unlike p it keeps a gradient when the network is
        sure of itself. Differentiable.
        """
        emits = self.network.card.emits
        rows = []
        for row, target in zip(output, targets, strict=True):
            forward = Forward(row[None])
            if kind != "log_odds":
                known = "value" if emits == "value" and not self.network.card.class_names else kind
                rows.append(read(known, forward, emits, [target])[0, 0])
                continue
            if emits == "probability":
                p = read("probability", forward, emits, [target])[0, 0].clamp(_LEAST, 1 - _LEAST)
                rows.append(torch.log(p) - torch.log1p(-p))
            elif row.numel() == 1:
                rows.append(-row.reshape(()) if target.complement else row.reshape(()))
            else:
                others = torch.ones_like(row, dtype=torch.bool)
                others[target.column] = False
                rows.append(row[target.column] - torch.logsumexp(row[others], dim=0))
        return torch.stack(rows)

    def targets(self, target: TargetName, indices: Sequence[int] | npt.NDArray[np.int64]) -> list[Target]:
        """Return the target of each volume: the named class for all, or with ``true`` each one's own.

        ``predicted`` takes the class with the highest score.

        Raises
        ------
        UserError
            There is no such class, or a volume's own class is not one of the network's.
        """
        card = self.network.card
        if target == "true":
            names = list(self.volumes.card.class_counts)
            codes = self.volumes.labels(indices)
            unknown = [self.volumes.names[int(i)] for i, code in zip(indices, codes, strict=True) if code < 0]
            if unknown:
                raise UserError(
                    f"The class of {', '.join(unknown[:3])} is missing. Leave such volumes out, or choose 'predicted' "
                    "or a class as the target."
                )
            return [parse_target(names[code], card)[0] for code in codes]
        if target == "predicted":
            return [self._predicted(int(index)) for index in indices]
        return [parse_target(target, card)[0]] * len(indices)

    def _predicted(self, index: int) -> Target:
        with self.network.measuring():
            row = self.forward(self.tensor([index]), self.volumes.entries[index].grid)[0].flatten()
        if row.numel() > 1:
            return parse_target(int(row.argmax()), self.network.card)[0]
        threshold = 0.5 if self.network.card.emits == "probability" else 0.0
        return parse_target(int(float(row) > threshold), self.network.card)[0]

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """Eval mode as `Network.measuring`, weights frozen, gradients with respect to inputs on."""
        with self.network.measuring():
            for parameter in self.network.module.parameters():
                parameter.requires_grad_(False)
            with torch.enable_grad():
                yield


def to_zyx(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return (..., i, j, k) as (..., z, y, x), the order of result items: x runs along i."""
    return np.ascontiguousarray(np.swapaxes(values, -1, -3))
