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
# Row by row, from the top left. A digit moves by half of itself from one place to the next, and stays half of itself
# away from the edge: nearer, the zeros with which convolutions pad an image would tell where it stands.
SIDE = 3
# Pixels along the side of a digit, of a step, and of the picture.
DIGIT, STEP, PICTURE = 16, 8, 48
POSITIONS = (
    "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right",
)  # fmt: skip
# How opaque a stroke is: 0 to 32. Colours differ by more than that in some channel, so the stroke can be read back.
OPAQUE = 32

_DIGITS = np.array(list(DIGIT_COLOURS.values()), dtype=np.int64)
_BACKGROUNDS = np.array(list(BACKGROUND_COLOURS.values()), dtype=np.int64)


def opacity_of_glyph(glyph: NDArray[Any], white: float) -> Bytes:
    """Return how opaque a grey glyph's stroke is, uint8 0 to 32 of shape (16, 16), brought to that size (bilinear).

    Parameters
    ----------
    glyph : ndarray
        Shape (side, side), 0 where nothing was written.
    white : float
        The highest value that a pixel can have.
    """
    from PIL import Image

    grey = Image.fromarray(np.asarray(glyph, dtype=np.float32) / np.float32(white))
    drawn = np.asarray(grey.resize((DIGIT, DIGIT), Image.Resampling.BILINEAR))
    return np.asarray(np.rint(np.clip(drawn, 0, 1) * OPAQUE), dtype=np.uint8)


def draw_digits(opacity: Bytes, digit: Levels, background: Levels, position: Levels) -> Bytes:
    """Return pictures, uint8 of shape (n, 48, 48, 3).

    Parameters
    ----------
    opacity : ndarray
        Of one glyph (16, 16) or of each (n, 16, 16), 0 to 32.
    digit, background, position : ndarray
        Levels, shape (n,).
    """
    picture = np.empty((len(digit), PICTURE, PICTURE, 3), dtype=np.uint8)
    picture[:] = _BACKGROUNDS[background][:, None, None]
    cells = _blend(opacity.astype(np.int64), _DIGITS[digit][:, None, None], _BACKGROUNDS[background][:, None, None])
    for place in np.unique(position):
        rows, columns = _window(int(place))
        chosen = position == place
        picture[chosen, rows, columns] = cells[chosen]
    return picture


def opacity_in_picture(picture: Bytes, digit: int, background: int, position: int) -> Bytes:
    """Return the stroke of a picture that was drawn with these levels, uint8 (16, 16), 0 to 32.

    Raises
    ------
    DataError
        It was not drawn so: drawing it again would give another picture.
    """
    if picture.shape != (PICTURE, PICTURE, 3):
        raise DataError(f"the picture is not in colour, or not of {PICTURE} x {PICTURE} pixels")
    cell = picture[_window(position)]
    ramp = _blend(np.arange(OPAQUE + 1), _DIGITS[digit], _BACKGROUNDS[background])
    channel = int(np.abs(_DIGITS[digit] - _BACKGROUNDS[background]).argmax())
    distance = np.abs(cell[..., channel, None].astype(np.int64) - ramp[:, channel])
    opacity = np.asarray(distance.argmin(axis=-1), dtype=np.uint8)
    again = draw_digits(opacity, *(np.array([level]) for level in (digit, background, position)))
    if not np.array_equal(again[0], picture):
        raise DataError("the picture shows something else than a digit with these colours at this place")
    return opacity


def _window(position: int) -> tuple[slice, slice]:
    """Return the rows and columns of a place."""
    top, left = (STEP + STEP * number for number in divmod(position, SIDE))
    return slice(top, top + DIGIT), slice(left, left + DIGIT)


def _blend(opacity: NDArray[np.int64], digit: NDArray[np.int64], background: NDArray[np.int64]) -> Levels:
    """Return ``background + opacity / 32 * (digit - background)`` in whole numbers, the same on every machine."""
    mixed: Levels = background + (opacity[..., None] * (digit - background) + OPAQUE // 2) // OPAQUE
    return mixed
