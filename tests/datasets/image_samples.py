"""Small pictures on disk, for tests of image data sets."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]


def colours(seed: int, height: int = 6, width: int = 8) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def picture(path: Path, seed: int = 0, height: int = 6, width: int = 8) -> Path:
    """Write a colour picture in the format of the name's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours(seed, height, width)).save(path)
    return path


def class_folders(root: Path, classes: tuple[str, ...] = ("cat", "dog"), each: int = 3) -> Path:
    for number, name in enumerate(classes):
        for k in range(each):
            picture(root / name / f"{k}.png", seed=10 * number + k)
    return root


def idx(path: Path, values: Array) -> Path:
    """Write MNIST's format, compressed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    content = head + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def with_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif
