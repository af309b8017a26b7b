"""The parts of a volume that are the factors of a screening: which lies at a point, and where each one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import Array, FieldMap, Item
from sensiview.gui.plots.screening_parts import numbers_of
from sensiview.gui.viewer.layer import Millimetres
from sensiview.gui.volume_maps import is_volume_map

PARTS = "parts"


@dataclass(frozen=True, eq=False)
class VolumeParts:
    """The parts of one volume; fits where an atlas is wanted.

    Parameters
    ----------
    labels : ndarray
        Integers (i, j, k), number of the part of each voxel from 1; 0 belongs to none.
    affine : ndarray
        (4, 4), voxel to RAS mm.
    names : dict
        Factor by number.
    """

    labels: Array
    affine: npt.NDArray[np.float64]
    names: Mapping[int, str]
    name: str = "Parts"
    source: str = ""

    def number_at(self, mm: Millimetres) -> int:
        """Return the number of the part that holds a point; 0 outside of all."""
        found = np.floor((np.linalg.inv(self.affine) @ np.array([*mm, 1.0]))[:3] + 0.5).astype(int)
        inside = (found >= 0).all() and (found < self.labels.shape).all()
        return int(self.labels[tuple(found)]) if inside else 0

    def centre(self, number: int) -> Millimetres | None:
        """Return the voxel of a part that lies nearest to its centre of gravity, in RAS mm; None without such a part.

        The centre itself may lie outside of a curved part.
        """
        voxels = np.argwhere(self.labels == number)
        if not len(voxels):
            return None
        places = voxels @ self.affine[:3, :3].T + self.affine[:3, 3]
        nearest = places[np.argmin(np.square(places - places.mean(axis=0)).sum(axis=1))]
        x, y, z = (float(v) for v in nearest)
        return x, y, z


def volume_parts(items: Mapping[str, Item], key: str, place: str) -> VolumeParts | None:
    """Return the parts of the volume `place` of the key `key` (``subject``); None where a result has none."""
    item = items.get(PARTS)
    if not isinstance(item, FieldMap) or not is_volume_map(item) or len(item.axes) > 4:
        return None
    values: Any = item.values
    if len(item.axes) == 4:
        labels = item.coordinates.get(item.axes[0], ())
        values = values[labels.index(place) if place in labels else 0]
    # (z, y, x) back to (i, j, k); whole numbers, also where they were kept as another type.
    labels_ijk = np.asarray(values).swapaxes(0, 2)
    if labels_ijk.dtype.kind not in "iu":
        labels_ijk = np.rint(labels_ijk).astype(np.int32)
    names = {number: name for name, number in numbers_of(items, key, place).items()}
    return VolumeParts(labels_ijk, np.asarray(item.affine, dtype=np.float64), names)
