"""Small pictures of volumes: three middle slices, as a radiologist expects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.orientation import to_orientation
from sensiview.datasets.volume import Volume
from sensiview.datasets.volume_cache import kept_small
from sensiview.datasets.volumes import VolumeEntry

Picture = npt.NDArray[np.uint8]
# Percentiles of the values other than 0 that are drawn black and white.
_WINDOW = (1.0, 99.5)
_REVISION = 1


def thumbnail(volume: Volume, size: int = 96) -> Picture:
    """Return the middle axial, coronal and sagittal slice side by side, uint8 (size, 3 * size).

    Radiological: the patient's right is on the left of axial and coronal slices, anterior and superior are up; in the
    sagittal slice anterior is on the left. All three have the same scale in mm. Oblique volumes are drawn along their
    own axes. Only the voxels that are drawn are read, so that a volume larger than memory costs no more than another.
    """
    turned = to_orientation(volume.affine, volume.grid.shape, "LPS")
    view = turned.apply(volume.raw)  # rising indices go left, posterior, superior
    spacing = [float(np.linalg.norm(turned.affine[:3, axis])) for axis in range(3)]
    middle = [n // 2 for n in view.shape]
    # Rows and columns of each picture: axial (P, L), coronal (I, L), sagittal (I, P).
    planes = ((2, 1, 0, False), (1, 2, 0, True), (0, 2, 1, True))
    longest = max(n * step for n, step in zip(view.shape, spacing, strict=True))
    drawn = []
    for fixed, rows, columns, upside_down in planes:
        picks = []
        for axis in (rows, columns):
            pixels = max(1, round(size * view.shape[axis] * spacing[axis] / longest))
            picks.append(((np.arange(pixels) + 0.5) * view.shape[axis] / pixels).astype(int))
        index: list[Any] = [middle[fixed]] * 3
        index[rows], index[columns] = picks[0][:, None], picks[1][None, :]
        picture = volume.scaled(view[tuple(index)])
        drawn.append(picture[::-1] if upside_down else picture)
    low, high = _window(drawn)
    canvas = np.zeros((size, 3 * size), dtype=np.uint8)
    for place, picture in enumerate(drawn):
        grey = np.clip((np.nan_to_num(picture, nan=low, posinf=high, neginf=low) - low) / (high - low), 0, 1)
        height, width = grey.shape
        top, left = (size - height) // 2, place * size + (size - width) // 2
        canvas[top : top + height, left : left + width] = np.round(grey * 255)
    return canvas


def _window(pictures: list[npt.NDArray[np.float32]]) -> tuple[float, float]:
    values = np.concatenate([picture.ravel() for picture in pictures]).astype(np.float64)
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, _WINDOW))
    low = min(low, 0.0) if low < 0.2 * high else low
    return (low, high) if high > low else (low - 1.0, low)


def kept_thumbnail(entry: VolumeEntry, key: str, size: int = 96) -> Picture:
    """Return a volume's thumbnail from the cache, or make it and keep it there.

    Parameters
    ----------
    entry : VolumeEntry
        Opened only when the picture is new.
    key : str
        What tells this content from others: the hash of its file.
    size : int
        Height in pixels.

    Raises
    ------
    DataError
        The volume can't be read.
    """
    name = f"{_REVISION}\0{key}\0{entry.name}\0{size}"
    found = kept_small(name, lambda: thumbnail(entry.open(), size))
    if found.dtype == np.uint8 and found.shape == (size, 3 * size):
        return found
    return thumbnail(entry.open(), size)
