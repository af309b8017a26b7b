"""Small pictures of images, for lists and grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.images import ImageEntry, ImageSet, Pixels
from sensiview.datasets.volume_cache import kept_small

Picture = npt.NDArray[np.uint8]
_REVISION = 1
# Larger images are kept as thumbnails: decoding a photograph takes a tenth of a second.
_KEPT_FROM = 1_000_000


def as_bytes(pixels: Pixels, valid: tuple[float, float] = (0.0, 1.0)) -> Picture:
    """Return pixels (channels, y, x) for the screen, uint8 (y, x) or (y, x, 3); black is the lower end of `valid`."""
    low, high = valid
    scaled = (
        (pixels - np.float32(low)) * np.float32(255.0 / (high - low)) if (low, high) != (0.0, 1.0) else pixels * 255
    )
    whole = np.clip(np.round(np.nan_to_num(scaled)), 0, 255).astype(np.uint8)
    if len(whole) == 3:
        return np.ascontiguousarray(np.moveaxis(whole, 0, 2))
    return np.ascontiguousarray(whole[0])


def thumbnail(pixels: Pixels, size: int, valid: tuple[float, float] = (0.0, 1.0)) -> Picture:
    """Return a picture of at most `size` pixels a side, uint8 (y, x) or (y, x, 3); smaller ones stay as they are."""
    from PIL import Image

    picture = as_bytes(pixels, valid)
    longest = max(picture.shape[:2])
    if longest <= size:
        return picture
    height, width = (max(1, round(n * size / longest)) for n in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def kept_thumbnail(images: ImageSet, index: int, key: str, size: int = 128) -> Picture:
    """Return an image's thumbnail; that of a large one from the user's cache, or made and kept there.

    Parameters
    ----------
    key : str
        What tells this content from others: the hash of its file and the place in it.

    Raises
    ------
    DataError
        The image can't be read.
    """
    entry: ImageEntry = images.entries[index]

    def make() -> npt.NDArray[Any]:
        return thumbnail(images.image(index), size, images.valid_range)

    if not key or entry.size[0] * entry.size[1] < _KEPT_FROM:
        return make()
    found = kept_small(f"image\0{_REVISION}\0{key}\0{size}", make)
    return found if found.dtype == np.uint8 and found.ndim in (2, 3) else make()
