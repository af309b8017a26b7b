"""Partitions that need no more than the shape of an input: cells of a grid, channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensiview.errors import UserError
from sensiview.numerics.screening.partition import Division, Labels, Partition, PartitionOptions, Picture

_COLOURS = {1: ("grey",), 3: ("red", "green", "blue")}


class Grid(Partition):
    """Equal cells: w x w of an image, w x w x w of a volume (C section 3.2)."""

    key = "grid"
    title = "Grid of cells"
    kinds = ("images", "volumes")
    common = True

    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        """Return cells of equal size, up to one pixel; named by row and column from the upper left, from 1."""
        sides = _sides(picture.shape, options.cells, picture.name)
        return Division.of(grid_labels(picture.shape, sides), _names(sides), picture)


class Channels(Partition):
    """Whole channels: red, green and blue, or the contrasts of a multi-channel image."""

    key = "channels"
    title = "Channels"
    kinds = ("images",)
    common = True

    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        """Return one part per channel."""
        channels = len(picture.values)
        names = _COLOURS.get(channels, tuple(f"channel {i + 1}" for i in range(channels)))
        return Division.of(np.arange(channels), names, picture)

    def count(self, shape: Sequence[int], channels: int, options: PartitionOptions) -> int:
        """Return the channels."""
        return channels


def grid_labels(shape: Sequence[int], sides: Sequence[int]) -> Labels:
    """Return the number of the cell of each place, row by row, int32 (*shape)."""
    found = np.zeros(tuple(shape), dtype=np.int32)
    for axis, (length, side) in enumerate(zip(shape, sides, strict=True)):
        along = np.arange(length) * side // length
        found = found * side + along.reshape([-1 if axis == a else 1 for a in range(len(shape))]).astype(np.int32)
    return found


def _sides(shape: Sequence[int], cells: int, name: str) -> tuple[int, ...]:
    # An axis of one pixel is not cut; otherwise fewer pixels than cells would leave cells empty.
    sides = tuple(1 if length == 1 else cells for length in shape)
    if any(side > length for side, length in zip(sides, shape, strict=True)):
        raise UserError(
            f"'{name}' has {' x '.join(map(str, shape))} places, too few for {cells} cells along each side. Choose "
            f"at most {min(length for length in shape if length > 1)}."
        )
    return sides


def _names(sides: Sequence[int]) -> list[str]:
    words = ("row", "column") if len(sides) == 2 else ("i", "j", "k")
    return [
        ", ".join(f"{word} {place + 1}" for word, place in zip(words, np.unravel_index(number, sides), strict=True))
        for number in range(int(np.prod(sides)))
    ]
