"""From the grid of a layer to the grid of the network's input, and from there to that of the image as it was read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sensiview.errors import ModelError
from sensiview.models.network import Network

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def upsample(values: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps on another grid by linear interpolation, as ``torch.nn.functional.interpolate`` does it.

    Voxels are areas, not points (``align_corners=False``): a map of a layer with stride 2 lies over the input without
    a shift.

    Parameters
    ----------
    values : Tensor
        (n, channels, ...) with one, two or three spatial axes.
    size : sequence of int
        Voxels wanted along each spatial axis.
    """
    if tuple(values.shape[2:]) == tuple(size):
        return values
    mode = _MODES[values.ndim - 2]
    return functional.interpolate(values, size=tuple(int(n) for n in size), mode=mode, align_corners=False)


def to_own_grid(network: Network, values: Tensor, shape: Sequence[int], affine: NDArray[np.float64] | None) -> Tensor:
    """Return maps over the input of the network's module as maps over the raw rows: turned, padded, cropped back.

    Parameters
    ----------
    network : Network
    values : Tensor
        (n, 1, ...) over what `Network.preprocess` gives.
    shape : sequence of int
        Spatial shape of the raw rows.
    affine : ndarray or None
        (4, 4) of the raw rows, for a network that wants one orientation.

    Returns
    -------
    Tensor
        (n, 1, *shape); 0 where the network sees nothing because it was cropped away.

    Raises
    ------
    ModelError
        The grids don't belong together.
    """
    own = network.on_raw_grid(values, shape, affine)
    if tuple(own.shape[2:]) != tuple(shape):
        raise ModelError(
            f"The network '{network.card.name}' computes on {_times(values.shape[2:])} voxels, the volume has "
            f"{_times(shape)}, and its preprocessing does not say how one becomes the other."
        )
    return own


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
