"""Labels on another grid by nearest neighbour: each voxel takes the label at its centre."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]
_TIE = 1e-6  # of a voxel; affines are float32, and a voxel half way between two must fall the same way in every row


def nearest(labels: Labels, to_labels: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> Labels:
    """Return labels at the voxel centres of another grid, int32 of that shape; 0 outside.

    Parameters
    ----------
    labels : ndarray
        (i, j, k).
    to_labels : ndarray
        (4, 4), voxel of the other grid to voxel of `labels`. Where it only flips, swaps and scales axes, each axis is
        looked up on its own; otherwise plane by plane, so that memory stays at a plane's coordinates.
    shape : tuple of int
        Of the other grid.
    """
    matrix, shift = to_labels[:3, :3], to_labels[:3, 3]
    reach = np.abs(matrix) * (np.array(shape) - 1)
    # The source of each axis of `labels`; what the other axes add must not move any voxel.
    sources = [int(c) for c in np.argmax(np.abs(matrix), axis=1)]
    rest = reach.copy()
    rest[range(3), sources] = 0
    if rest.max() < _TIE and len(set(sources)) == 3:
        return _by_axes(labels, matrix, shift, sources, shape)
    out = np.zeros(shape, dtype=np.int32)
    j, k = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    plane = np.tensordot(matrix[:, 1:], np.stack([j, k]).astype(np.float64), axes=1) + shift[:, None, None]
    for i in range(shape[0]):
        places = _rounded(plane + i * matrix[:, :1, None])
        valid = np.ones(places.shape[1:], dtype=bool)
        for axis in range(3):
            valid &= (places[axis] >= 0) & (places[axis] < labels.shape[axis])
        chosen = places[:, valid]
        out[i][valid] = labels[chosen[0], chosen[1], chosen[2]]
    return out


def _by_axes(
    labels: Labels,
    matrix: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    sources: list[int],
    shape: tuple[int, int, int],
) -> Labels:
    out = np.zeros(shape, dtype=np.int32)
    taken, kept = [], [np.zeros(0, dtype=np.intp)] * 3
    for axis, source in enumerate(sources):
        places = _rounded(matrix[axis, source] * np.arange(shape[source], dtype=np.float64) + shift[axis])
        inside = np.flatnonzero((places >= 0) & (places < labels.shape[axis]))
        taken.append(places[inside])
        kept[source] = inside
    part = labels[np.ix_(*taken)]
    out[np.ix_(*kept)] = np.transpose(part, np.argsort(sources))
    return out


def _rounded(places: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.floor(np.round(places / _TIE) * _TIE + (0.5 + _TIE / 2)).astype(np.intp)
