"""The pixels of any image of a data set, brought to [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.image_arrays import opened_images
from sensiview.datasets.image_dicom import dicom_header, dicom_pixels
from sensiview.datasets.image_kinds import Depth, ImageFile, Kind
from sensiview.datasets.image_pictures import picture_header, picture_pixels
from sensiview.datasets.image_video import video_frame, video_header

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.float32]
# Which numbers are black and white, by kind of number.
Ranges = Mapping[str, Sequence[float]]

BYTE_RANGE = (0.0, 255.0)
# Cameras and detectors of 12 and 14 bits store their numbers in 16.
_BITS = (12, 14, 16)


def file_header(path: Path, kind: Kind) -> ImageFile:
    """Return what a picture, DICOM or video file holds.

    Raises
    ------
    DataError
        It is empty, damaged, too large, or of no kind that can be read.
    """
    if kind == "dicom":
        return dicom_header(path)
    return video_header(path) if kind == "video" else picture_header(path)


def numbers_of(path: Path, kind: str, depth: Depth, frame: int, member: str = "") -> Array:
    """Return one image as the file has it, (y, x) or (y, x, 3 or 4); DICOM already in [0, 1].

    Raises
    ------
    DataError
        The file is gone, changed or damaged.
    """
    if kind == "dicom":
        return dicom_pixels(path, frame)
    if kind == "video":
        return video_frame(path, frame)
    if kind == "picture":
        return picture_pixels(path, frame, depth)
    return np.asarray(opened_images(path, kind, member)[frame])


def to_pixels(numbers: Array, depth: str, ranges: Ranges) -> Pixels:
    """Return pixels, float32 (channels, y, x) in [0, 1].

    Parameters
    ----------
    numbers : ndarray
        (y, x) or (y, x, channels); of four channels the last is opacity, and the image lies on black.
    depth : str
        Kind of numbers.
    ranges : mapping
        Black and white of each kind other than 8 bits, from `white_of` and `range_of_numbers`.
    """
    values = numbers.astype(np.float32)
    if numbers.dtype == np.bool_:
        values *= np.float32(255)
    if depth != "unit":
        low, high = ranges.get(depth, BYTE_RANGE)
        values = (values - np.float32(low)) / np.float32(high - low)
    if values.ndim == 3 and values.shape[2] == 4:
        values = values[..., :3] * values[..., 3:]
    values = np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    return np.ascontiguousarray(values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0))


def extent(numbers: Array) -> tuple[float, float]:
    """Return the lowest and highest finite number; 0 and 0 where there is none."""
    finite = numbers[np.isfinite(numbers)] if numbers.dtype.kind == "f" else numbers
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def not_finite(numbers: Array) -> bool:
    """Say whether there are numbers that are NaN or infinite."""
    return numbers.dtype.kind == "f" and not bool(np.isfinite(numbers).all())


def range_of_numbers(depth: str, low: float, high: float) -> tuple[tuple[float, float], str]:
    """Return black and white for numbers that lie between `low` and `high`, and a sentence on what was chosen.

    16 bits: white is the largest number of 12, 14 or 16 bits, the smallest of these that holds all. Other whole
    numbers, and fractions: [0, 1] where they fit into it, else [0, 255], else what occurs.
    """
    if depth == "uint16":
        bits = next(b for b in _BITS if high < 1 << b)
        if bits == 16:
            return (0.0, 65535.0), ""
        top = (1 << bits) - 1
        return (0.0, float(top)), (
            f"No 16-bit image has a number above {top:,}: {top:,} counts as white ({bits} bits)."
        )
    if low >= 0 and high <= 1:
        return (0.0, 1.0), ""
    if low >= 0 and high <= 255 and high > 1:
        return BYTE_RANGE, "Numbers between 0 and 255 are divided by 255." if depth == "float32" else ""
    if high <= low:
        return (low, low + 1.0), f"All pixels have the value {low:g}; they count as black."
    return (low, high), f"The numbers lie between {low:g} and {high:g}: these count as black and white."
