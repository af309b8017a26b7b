"""The boxes around the parts of an image, cut out once: what changes when a part does."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sensiview.numerics.screening.designs import Ints
from sensiview.numerics.screening.partition import Division


class PartBoxes:
    """The smallest box around each part, with the pixels and part numbers in it.

    A box may hold pixels of other parts, which keep the scale that they have at the time.

    Parameters
    ----------
    row : Tensor
        (1, channels, y, x).
    division : Division
        The same in all channels.
    """

    def __init__(self, row: Tensor, division: Division) -> None:
        labels, parts = division.labels[0], len(division)
        self.windows = np.array([_box(labels == part) for part in range(parts)], dtype=np.int64)
        height = int((self.windows[:, 1] - self.windows[:, 0]).max())
        width = int((self.windows[:, 3] - self.windows[:, 2]).max())
        self._pixels = row.new_zeros(parts, row.shape[1], height, width)
        numbers = np.full((parts, height, width), parts, dtype=np.int64)
        for part, (y0, y1, x0, x1) in enumerate(self.windows):
            self._pixels[part, :, : y1 - y0, : x1 - x0] = row[0, :, y0:y1, x0:x1]
            inside = labels[y0:y1, x0:x1]
            numbers[part, : y1 - y0, : x1 - x0] = np.where(inside < 0, parts, inside)
        # Cells of a grid hold one part each: their scale is one number, not one per pixel.
        self._single = bool(all((own == part).all() for part, own in enumerate(numbers)))
        self._numbers = torch.from_numpy(numbers).to(row.device)

    def area(self) -> float:
        """Return the mean area of a box, in pixels."""
        heights, widths = self.windows[:, 1] - self.windows[:, 0], self.windows[:, 3] - self.windows[:, 2]
        return float((heights * widths).mean())

    def patches(self, parts: Ints, scales: Tensor) -> tuple[Ints, Tensor]:
        """Return the boxes, (n, 4), and what is in them, (n, channels, height, width).

        Parameters
        ----------
        parts : ndarray
            (n,): whose box.
        scales : Tensor
            (n, parts + 1): of all parts as they are then, and 1 for what lies outside all.
        """
        chosen = torch.from_numpy(parts).to(scales.device)
        pixels = self._pixels[chosen]
        if self._single:
            return self.windows[parts], pixels * scales.gather(1, chosen[:, None])[:, :, None, None]
        numbers = self._numbers[chosen]
        own = scales.gather(1, numbers.flatten(1)).reshape(numbers.shape)
        return self.windows[parts], pixels * own[:, None]


def _box(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
