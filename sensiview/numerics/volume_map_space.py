"""Volumes as what maps are drawn over: in the volumes' own voxels (i, j, k)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.models.network import Network
from sensiview.numerics.map_space import MapInputs, Reader, Space
from sensiview.numerics.upsampling import to_own_grid, upsample
from sensiview.numerics.volume_inputs import VolumeInputs
from sensiview.numerics.volume_scores import VolumeReader, input_size

# Fewer voxels than this share are no region to compare maps in.
_LEAST_SHARE = 0.05


class VolumeSpace:
    """The grid of some volumes; see `Space`.

    Parameters
    ----------
    inputs : VolumeInputs
    grid : Grid
    """

    channels = 1

    def __init__(self, inputs: VolumeInputs, grid: Grid) -> None:
        self.inputs = inputs
        self.grid = grid

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along i, j, k."""
        return self.grid.shape

    @property
    def spacing(self) -> tuple[float, ...]:
        """In mm along i, j, k."""
        return self.grid.spacing

    def prepared(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the module takes."""
        return self.inputs.network.preprocess(rows, like, self.grid.affine)

    def forward(self, rows: Tensor, like: Tensor | None = None) -> Tensor:
        """Return what the network gives."""
        return self.inputs.forward(rows, self.grid, like)

    def own(self, maps: Tensor, rows: Tensor) -> Tensor:
        """Return maps of a layer turned, padded and cropped back; 0 where the network sees nothing."""
        wide = upsample(maps, input_size(self.inputs, rows, self.grid))
        return to_own_grid(self.inputs.network, wide, self.grid.shape, self.grid.affine)


class VolumeMapInputs(MapInputs):
    """A network and volumes."""

    what = "volume"
    key = "subject"

    def __init__(self, inputs: VolumeInputs) -> None:
        super().__init__(inputs)
        self.inputs = inputs

    @property
    def groups(self) -> tuple[str, ...]:
        """What each of them belongs to."""
        return self.inputs.volumes.subjects

    def select(self, wanted: str | Sequence[int | str]) -> NDArray[np.int64]:
        """Return places of volumes."""
        return self.inputs.volumes.select(wanted)

    def space(self, indices: Sequence[int]) -> Space:
        """Return the grid that these volumes share."""
        return VolumeSpace(self.inputs, self.inputs.volumes.grid(indices))

    def reader(self, warn: Callable[[str], None]) -> Reader:
        """Return what reads raw values; voxels that are not finite count as 0."""
        read = VolumeReader(self.inputs, warn)

        def rows_of(indices: Sequence[int]) -> tuple[Tensor, Space]:
            rows, grid = read(indices)
            return rows, VolumeSpace(self.inputs, grid)

        return rows_of

    def with_network(self, network: Network) -> MapInputs:
        """Return the same volumes under another network."""
        return VolumeMapInputs(VolumeInputs(network, self.inputs.volumes))

    def inside(self, row: Tensor) -> NDArray[np.bool_]:
        """Return where a volume is not 0; everywhere when that is hardly anywhere.

        Zeros around a head are equal in every map and would make any two of them alike.
        """
        found = (row[0, 0] != 0).cpu().numpy()
        return np.asarray(found if found.mean() >= _LEAST_SHARE else np.ones_like(found))
