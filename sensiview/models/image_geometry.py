"""What a network sees of an image: channels, size and cut, before anything is done to the values. Loads no torch."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from sensiview.errors import DataError
from sensiview.models.image_settings import ImageSettings

Pixels = npt.NDArray[np.float32]
# Of the spline that samples without smoothing.
_ORDERS: dict[str, Literal[0, 1, 3]] = {"nearest": 0, "bilinear": 1, "bicubic": 3}
# Luminance of ITU-R 601-2, as Pillow's conversion to grey.
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def seen_image(pixels: Pixels, settings: ImageSettings, valid: tuple[float, float] = (0.0, 1.0)) -> Pixels:
    """Return what the network sees, float32 (settings.channels, y, x), values in the same range as before.

    Parameters
    ----------
    pixels : ndarray
        float32 (channels, y, x), grey or colour.
    settings : ImageSettings
    valid : (float, float)
        Range of the pixels: what lies outside the image is its lower end, and bicubic overshoots are cut to it.

    Raises
    ------
    DataError
        Neither one channel nor three.
    """
    rows = _channels(pixels, settings.channels)
    rows = _resized(rows, settings.resized((rows.shape[1], rows.shape[2])), settings, valid)
    return rows if settings.size is None else _cut(rows, settings.size, valid[0])


def _channels(pixels: Pixels, wanted: int) -> Pixels:
    found = pixels.shape[0]
    if found == wanted:
        return pixels
    if found == 1:
        return np.repeat(pixels, wanted, axis=0)
    if found == 3:
        return np.tensordot(_LUMINANCE, pixels, axes=1)[None].astype(np.float32)
    raise DataError(
        f"An image has {found} channels; the network takes {wanted}. Only grey and colour can be converted."
    )


def _resized(rows: Pixels, size: tuple[int, int], settings: ImageSettings, valid: tuple[float, float]) -> Pixels:
    if rows.shape[1:] == size:
        return rows
    if settings.interpolation == "nearest" or not settings.antialias:
        return _sampled(rows, size, settings, valid)
    from PIL import Image

    how = Image.Resampling.BICUBIC if settings.interpolation == "bicubic" else Image.Resampling.BILINEAR
    planes = np.ascontiguousarray(rows)
    # Along x, then along y, and cut to the range after each, as Pillow does with bytes: overshoots don't add up.
    for width, height in ((size[1], rows.shape[1]), size[::-1]):
        resized = [np.asarray(Image.fromarray(plane).resize((width, height), how)) for plane in planes]
        planes = np.clip(np.stack(resized), *valid).astype(np.float32)
    return planes


def _sampled(rows: Pixels, size: tuple[int, int], settings: ImageSettings, valid: tuple[float, float]) -> Pixels:
    """Sample without smoothing before, pixel centres on pixel centres."""
    from scipy.ndimage import map_coordinates

    order = _ORDERS[settings.interpolation]
    places = []
    for old, new in zip(rows.shape[1:], size, strict=True):
        along = (np.arange(new) + 0.5) * old / new
        # The pixel in which the centre falls, as Pillow and torch's nearest-exact have it.
        places.append(np.floor(along) if order == 0 else along - 0.5)
    grid = np.meshgrid(*places, indexing="ij")
    planes = [map_coordinates(plane, np.array(grid), order=order, mode="nearest") for plane in rows]
    sampled: Pixels = np.clip(np.stack(planes), *valid).astype(np.float32)
    return sampled


def _cut(rows: Pixels, size: tuple[int, int], outside: float) -> Pixels:
    """Cut the middle out; where the image is smaller, `outside` is put around it."""
    made = np.full((rows.shape[0], *size), outside, dtype=np.float32)
    into, of = [], []
    for have, want in zip(rows.shape[1:], size, strict=True):
        length = min(have, want)
        # As torchvision's CenterCrop: rounded half to even.
        begin, put = round((have - want) / 2.0) if have > want else 0, (want - have) // 2 if want > have else 0
        of.append(slice(begin, begin + length))
        into.append(slice(put, put + length))
    made[:, into[0], into[1]] = rows[:, of[0], of[1]]
    return made
