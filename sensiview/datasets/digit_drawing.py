"""Digits drawn in a colour on a colour at one of nine places, and how the stroke is read back from such a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import DataError

Bytes = NDArray[np.uint8]
Levels = NDArray[np.int64]

# Bright on dark: every digit colour is told from every background (contrast at least 3 to 1, as WCAG 2 measures it),
# and colours of one palette lie apart from each other. The colour of class k is the k-th.
DIGIT_COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "yellow": (255, 225, 0),
    "orange": (255, 150, 30),
    "red": (255, 105, 95),
    "pink": (255, 150, 215),
    "violet": (190, 140, 255),
    "blue": (90, 170, 255),
    "cyan": (70, 240, 235),
    "green": (70, 220, 80),
    "silver": (170, 170, 170),
}
BACKGROUND_COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "maroon": (120, 0, 0),
    "brown": (95, 50, 10),
    "olive": (60, 80, 0),
    "forest": (0, 70, 30),
    "teal": (0, 72, 95),
    "navy": (0, 0, 125),
    "indigo": (70, 0, 130),
    "plum": (105, 0, 75),
    "slate": (64, 68, 72),
}
# Row by row, from the top left.
SIDE = 3
POSITIONS = (
    "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip
# How opaque a stroke is: 0 to 32. Colours differ by more than that in some channel, so the stroke can be read back.
OPAQUE = 32

_DIGITS = np.array(list(DIGIT_COLOURS.values()), dtype=np.int64)
_BACKGROUNDS = np.array(list(BACKGROUND_COLOURS.values()), dtype=np.int64)


def opacity_of_glyph(glyph: NDArray[Any], white: float) -> Bytes:
    """Return how opaque a grey glyph's stroke is, uint8 0 to 32 of shape (side, side), as large as it is drawn.

    Glyphs of less than 16 pixels are doubled (bilinear); others get a margin up to the next multiple of eight.

    Parameters
    ----------
    glyph : ndarray
        Shape (side, side), 0 where nothing was written.
    white : float
        The highest value that a pixel can have.
    """
    from PIL import Image

    side = len(glyph)
    grey = np.asarray(glyph, dtype=np.float32) / np.float32(white)
    if side < 16:
        grey = np.asarray(Image.fromarray(grey).resize((2 * side, 2 * side), Image.Resampling.BILINEAR))
    else:
        margin = -side % 8
        grey = np.pad(grey, (margin // 2, margin - margin // 2))
    return np.rint(np.clip(grey, 0, 1) * OPAQUE).astype(np.uint8)


def draw_digits(opacity: Bytes, digit: Levels, background: Levels, position: Levels) -> Bytes:
    """Return pictures, uint8 of shape (n, 3 side, 3 side, 3).

    Parameters
    ----------
    opacity : ndarray
        Of one glyph (side, side) or of each (n, side, side), 0 to 32.
    digit, background, position : ndarray
        Levels, shape (n,).
    """
    side, count = opacity.shape[-1], len(digit)
    picture = np.empty((count, SIDE, side, SIDE, side, 3), dtype=np.uint8)
    picture[:] = _BACKGROUNDS[background][:, None, None, None, None, :]
    cells = _blend(opacity.astype(np.int64), _DIGITS[digit][:, None, None], _BACKGROUNDS[background][:, None, None])
    row, column = np.divmod(position, SIDE)
    picture[np.arange(count), row, :, column] = cells
    return picture.reshape(count, SIDE * side, SIDE * side, 3)


def opacity_in_picture(picture: Bytes, digit: int, background: int, position: int) -> Bytes:
    """Return the stroke of a picture that was drawn with these levels, uint8 (side, side), 0 to 32.

    Raises
    ------
    DataError
        It was not drawn so: drawing it again would give another picture.
    """
    side = len(picture) // SIDE
    row, column = divmod(position, SIDE)
    cell = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
    ramp = _blend(np.arange(OPAQUE + 1)[:, None], _DIGITS[digit], _BACKGROUNDS[background])[:, 0]
    channel = int(np.abs(_DIGITS[digit] - _BACKGROUNDS[background]).argmax())
    distance = np.abs(cell[..., channel, None].astype(np.int64) - ramp[:, channel])
    opacity = distance.argmin(axis=-1).astype(np.uint8)
    again = draw_digits(opacity, *(np.array([level]) for level in (digit, background, position)))
    if not np.array_equal(again[0], picture):
        raise DataError("the picture shows something else than a digit with these colours at this place")
    return opacity


def _blend(opacity: NDArray[np.int64], digit: NDArray[np.int64], background: NDArray[np.int64]) -> Levels:
    """Return ``background + opacity / 32 * (digit - background)`` in whole numbers, the same on every machine."""
    return background + (opacity[..., None] * (digit - background) + OPAQUE // 2) // OPAQUE
