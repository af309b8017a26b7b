"""How maps of volumes become items: axes z, y, x with the volumes' affine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Array, Item
from sensiview.datasets.volume import Grid


@dataclass(frozen=True, eq=False)
class VolumeLayout:
    """Maps on one grid of voxels; see `Layout`. The volumes themselves are not kept: they are shown from their files.

    Parameters
    ----------
    grid : Grid
    """

    key: ClassVar[str] = "subject"
    what: ClassVar[str] = "volume"
    axes: ClassVar[tuple[str, ...]] = ("z", "y", "x")

    grid: Grid

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along i, j, k."""
        return self.grid.shape

    def values(self, maps: Array) -> Array:
        """Return (..., i, j, k) as (..., z, y, x)."""
        from sensiview.numerics.volume_inputs import to_zyx

        return to_zyx(maps)

    def place(self) -> Mapping[str, Any]:
        """Return the affine."""
        return {"affine": self.grid.affine}

    def see(self, rows: NDArray[np.float32]) -> None:
        """Keep nothing."""

    def below(self, names: Sequence[str], order: Sequence[int], *, keep: bool, average: bool) -> dict[str, Item]:
        """Return nothing."""
        return {}
