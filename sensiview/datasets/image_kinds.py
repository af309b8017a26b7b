"""Which files are images, by name or by how they begin, and how what is in them is described."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["picture", "dicom", "video", "array", "idx", "cifar"]
# Numbers as a file has them; those of a DICOM file are brought to [0, 1] by its own window when they are read.
Depth = Literal["uint8", "uint16", "int32", "float32", "unit"]

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".webp", ".ppm", ".pgm", ".pbm",
     ".pnm"}
)  # fmt: skip
DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv", ".webm", ".m4v"})
ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".parquet"})
IMAGE_SUFFIXES = PICTURE_SUFFIXES | DICOM_SUFFIXES | VIDEO_SUFFIXES

# Larger pictures take gigabytes as numbers; nothing that a network looks at is as large.
MOST_PIXELS = 100_000_000
# One record of CIFAR-10's binary version: the class, then 32 x 32 red, green and blue; CIFAR-100's has two classes.
CIFAR_RECORDS = {3073: 1, 3074: 2}
# IDX: two zeros, the type of the numbers (unsigned byte), the number of axes.
_IDX_IMAGES = (b"\x00\x00\x08\x03", b"\x00\x00\x08\x04")
_IDX_LABELS = b"\x00\x00\x08\x01"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class ImageFile:
    """What one file, or one array of it, holds; read from its beginning.

    Parameters
    ----------
    kind : str
        How it is read.
    size : (int, int)
        Height and width, upright.
    channels : int
        1 or 3: alpha is laid on black, palettes and other colour spaces become red, green, blue.
    count : int
        Frames, pages or images.
    depth : str
        The numbers in it.
    remarks : tuple of str
        What is done to the pixels when they are read: ``alpha``, ``cmyk``, ``turned``, ``first_frame``, ``inverted``,
        ``stretched``.
    member : str
        Which array of an .npz.
    """

    kind: Kind
    size: tuple[int, int]
    channels: int
    count: int = 1
    depth: Depth = "uint8"
    remarks: tuple[str, ...] = ()
    member: str = ""


def kind_by_name(path: Path) -> Kind | None:
    """Return what a file in a folder is taken for by its ending; None for other files."""
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    if suffix in DICOM_SUFFIXES:
        return "dicom"
    return "video" if suffix in VIDEO_SUFFIXES else None


def kind_of(path: Path) -> Kind | None:
    """Return what a file is, by its ending, else by how it begins; None when it holds no images.

    Raises
    ------
    OSError
        It can't be read.
    """
    if found := kind_by_name(path):
        return found
    if path.suffix.lower() in ARRAY_SUFFIXES:
        return "array"
    head = beginning(path)
    if head[:4] in _IDX_IMAGES:
        return "idx"
    if path.suffix.lower() == ".bin" and cifar_record(path):
        return "cifar"
    if head[128:132] == b"DICM":
        return "dicom"
    if not path.suffix:
        # Here, for it loads NumPy: the window is shown before.
        from sensiview.datasets.dicom_header import looks_like_dicom

        return "dicom" if looks_like_dicom(head) else None
    return None


def beginning(path: Path, count: int = 132) -> bytes:
    """Return the first bytes of a file, unpacked where it is compressed with gzip; empty when that fails."""
    with path.open("rb") as stream:
        head = stream.read(count)
    if head[:2] != _GZIP:
        return head
    try:
        with gzip.open(path) as packed:
            return packed.read(count)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def is_idx_labels(path: Path) -> bool:
    """Whether the file holds labels as MNIST has them."""
    return beginning(path, 4) == _IDX_LABELS


def is_idx(path: Path) -> bool:
    """Whether the file holds images as MNIST has them."""
    return beginning(path, 4) in _IDX_IMAGES


def is_pickle(path: Path) -> bool:
    """Whether a file without an ending begins as Python's pickles do: CIFAR's Python version."""
    return not path.suffix and path.name.endswith(("batch", "meta", "train", "test", *"123456")) and (
        beginning(path, 2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    )  # fmt: skip


def cifar_record(path: Path) -> int:
    """Return the length of a record of CIFAR's binary version that the file is made of; 0 when it is not."""
    size = path.stat().st_size
    return next((length for length in CIFAR_RECORDS if size and size % length == 0), 0)
