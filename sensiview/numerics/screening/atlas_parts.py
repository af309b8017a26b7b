"""Regions of an atlas as parts of a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensiview.errors import UserError
from sensiview.numerics.screening.partition import Division, Partition, PartitionOptions, Picture

# Regions of an atlas that is not opened yet.
_REGIONS = 100


class Atlas(Partition):
    """Regions of an atlas of the brain: anatomy by name; what lies outside every region stays as it is."""

    key = "atlas"
    title = "Regions of an atlas"
    kinds = ("volumes",)
    common = True

    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        """Return the regions that lie in the volume's grid."""
        if picture.atlas is None:
            raise UserError(
                f"There is no atlas over '{picture.name}', so it has no regions. Name one with atlas=, or choose "
                "partition = grid."
            )
        labels = np.asarray(picture.atlas)
        numbers = np.unique(labels[labels > 0])
        if not len(numbers):
            raise UserError(
                f"The atlas does not overlap with '{picture.name}': no voxel of the volume lies in one of its "
                "regions. Choose an atlas of the same space, or resample the volume to the atlas's template."
            )
        parts = np.full(int(labels.max()) + 1, -1, dtype=np.int32)
        parts[numbers] = np.arange(len(numbers))
        names = [picture.regions.get(int(number), f"region {number}") for number in numbers]
        return Division.of(np.where(labels > 0, parts[np.maximum(labels, 0)], -1), names, picture)

    def count(self, shape: Sequence[int], channels: int, options: PartitionOptions) -> int:
        """Return a usual number of regions; the atlas says how many."""
        return _REGIONS
