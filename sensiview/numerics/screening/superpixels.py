"""Superpixels: parts of an image that have about one colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensiview.errors import UserError
from sensiview.numerics.screening.partition import Division, Partition, PartitionOptions, Picture


class Superpixels(Partition):
    """Patches of about equal colour and size (SLIC), which follow the edges of what is seen.

    References
    ----------
    Achanta, Shaji, Smith, Lucchi, Fua, Suesstrunk (2012). SLIC superpixels compared to state-of-the-art superpixel
    methods. IEEE TPAMI 34, 2274-2282. doi:10.1109/TPAMI.2012.120.
    """

    key = "superpixels"
    title = "Superpixels"
    kinds = ("images", "volumes")

    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        """Return about cells x cells superpixels (cells x cells x cells supervoxels), connected, row by row."""
        from skimage.segmentation import slic

        values = np.moveaxis(np.asarray(picture.values, dtype=np.float64), 0, -1)
        if not np.isfinite(values).all():
            raise UserError(f"'{picture.name}' holds values that are not finite, so its colours can't be compared.")
        low, high = values.min(), values.max()
        scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
        # Colours are compared as people see them (Lab) only where there are three.
        labels = slic(
            scaled,
            n_segments=self.count(picture.shape, len(picture.values), options),
            compactness=options.compactness if len(picture.values) == 3 else options.compactness / 100,
            convert2lab=len(picture.values) == 3,
            spacing=picture.spacing if len(picture.shape) == 3 else None,
            start_label=0,
            channel_axis=-1,
            enforce_connectivity=True,
        )
        numbers, packed = np.unique(labels, return_inverse=True)
        parts = packed.reshape(picture.shape)
        return Division.of(parts, [f"superpixel {i + 1}" for i in range(len(numbers))], picture)

    def count(self, shape: Sequence[int], channels: int, options: PartitionOptions) -> int:
        """Return how many are aimed at; a few more or less are found."""
        return int(options.cells ** len([side for side in shape if side > 1]))
