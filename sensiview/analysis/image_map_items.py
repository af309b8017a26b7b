"""How maps of images become items: axes y, x on the pixels that the network sees, with these pixels beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import INPUT_VALUE, Array, ImageSeries, Item

# Beside the maps, pictures are a quarter and less of the memory; more of them are nobody's result.
MOST_INPUT_BYTES = 2 << 30


@dataclass(eq=False)
class ImageLayout:
    """Maps on the pixels of one size; see `Layout`.

    Parameters
    ----------
    shape : tuple of int
        (y, x).
    valid : (float, float)
        Range of the pixels.
    """

    key: ClassVar[str] = "image"
    what: ClassVar[str] = "image"
    axes: ClassVar[tuple[str, ...]] = ("y", "x")

    shape: tuple[int, ...]
    valid: tuple[float, float] = (0.0, 1.0)
    seen: list[Array] = field(default_factory=list)
    total: NDArray[np.float64] | None = None
    count: int = 0

    def values(self, maps: Array) -> Array:
        """Return them as they are."""
        return maps

    def place(self) -> Mapping[str, Any]:
        """Return nothing: pixels have no size."""
        return {}

    def see(self, rows: NDArray[np.float32]) -> None:
        """Keep images as pictures, as long as they take no more memory than is fit, and their sum."""
        self.count += len(rows)
        added = rows.sum(axis=0, dtype=np.float64)
        self.total = added if self.total is None else self.total + added
        pictures = as_pictures(rows, self.valid)
        if self.count * pictures[0].nbytes <= MOST_INPUT_BYTES:
            self.seen += list(pictures)

    def below(self, names: Sequence[str], order: Sequence[int], *, keep: bool, average: bool) -> dict[str, Item]:
        """Return ``input``, the images in the order of the maps, and ``mean_input`` for an average."""
        items: dict[str, Item] = {}
        if keep and len(self.seen) == len(names):
            items["input"] = picture_item([self.seen[at] for at in order], names)
        if average and self.total is not None and self.count:
            mean = (self.total / self.count)[None].astype(np.float32)
            items["mean_input"] = ImageSeries(
                title="Mean of the images",
                description="The mean of the images that the average map is of, as the network sees them.",
                values=as_pictures(mean, self.valid),
                labels=("mean",),
                axis="image",
                unit=INPUT_VALUE,
            )
        return items


def as_pictures(rows: NDArray[np.float32], valid: tuple[float, float]) -> Array:
    """Return seen rows (n, channels, y, x) as pictures (n, y, x, channels): uint8 for [0, 1], else float32."""
    upright = np.moveaxis(rows, 1, -1)
    if valid == (0.0, 1.0):
        return np.round(upright.clip(0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(upright)


def picture_item(pictures: Sequence[Array], names: Sequence[str]) -> ImageSeries:
    """Return what the network sees of images as the item that maps are drawn over."""
    return ImageSeries(
        title="Images as the network sees them",
        description="Resized and cut as the network's preprocessing says; every map lies on these pixels.",
        values=np.stack(pictures),
        labels=tuple(names),
        axis="image",
        unit=INPUT_VALUE,
    )
