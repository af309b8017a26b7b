"""Many images in one file: NumPy arrays, MNIST's IDX files, CIFAR's binary files. Read when they are used."""

from __future__ import annotations

import gzip
import math
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.image_kinds import CIFAR_RECORDS, Depth, ImageFile, Kind, cifar_record
from sensiview.errors import DataError

Array = npt.NDArray[Any]
# Arrays that can't be mapped are held while they are used: of one data set that is one or two.
_HELD = 4
_SIDE = 32
_OPACITY = 4
_COLOURS = (1, 3, _OPACITY)


def images_in(array: Array, what: str) -> Array:
    """Return an array as images, a view of shape (n, y, x) or (n, y, x, channels) with 1, 3 or 4 channels.

    (y, x) and (y, x, 3 or 4) are one image; of four axes the last are the channels, or else the second.

    Raises
    ------
    DataError
        Another number of axes, or no axis of 1, 3 or 4 channels.
    """
    if array.dtype.kind not in "uifb" or array.dtype.itemsize > 8:
        raise DataError(f"{what} holds {array.dtype}, not numbers of pixels.")
    if array.ndim == 2:
        found = array[None]
    elif array.ndim == 3:
        found = array[None] if array.shape[2] in (3, 4) else array
    elif array.ndim == 4 and {array.shape[1], array.shape[3]} & set(_COLOURS):
        found = np.moveaxis(array, 1, 3) if channels_first(array.shape[1:]) else array
    else:
        shape = " x ".join(map(str, array.shape)) or "one number"
        raise DataError(
            f"{what} has the shape {shape}. Images are (n, y, x), (n, y, x, channels) or (n, channels, y, x) with "
            "1, 3 or 4 channels."
        )
    if not math.prod(found.shape):
        raise DataError(f"{what} is empty: its shape is {' x '.join(map(str, array.shape))}.")
    return found[..., 0] if found.ndim == 4 and found.shape[3] == 1 else found


def channels_first(shape: tuple[int, ...], *, tensor: bool = False) -> bool:
    """Whether an image of this shape is (channels, y, x) rather than (y, x, channels).

    Where both are possible, 3 or 1 channels are likelier than 4, and the last axis than the first; of a `tensor` the
    first is.
    """
    first, last = shape[0], shape[-1]
    if tensor and first in (1, 3):
        return True
    if last in (1, 3):
        return False
    return first in (1, 3) or (last != _OPACITY and first == _OPACITY)


def describe_array(array: Array, kind: Kind, member: str = "") -> ImageFile:
    """Return what is known of images from `images_in`."""
    size = int(array.shape[1]), int(array.shape[2])
    remarks = ("alpha",) if array.ndim == 4 and array.shape[3] == 4 else ()
    return ImageFile(kind, size, 3 if array.ndim == 4 else 1, len(array), depth_of(array.dtype), remarks, member=member)


def depth_of(dtype: np.dtype[Any]) -> Depth:
    """Return the kind of numbers; booleans count as 0 and 255."""
    if dtype.kind == "b" or dtype == np.uint8:
        return "uint8"
    if dtype == np.uint16:
        return "uint16"
    return "float32" if dtype.kind == "f" else "int32"


def members(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the arrays of an .npz or .npy by name (of .npy: empty), with their shapes; nothing large is read.

    Raises
    ------
    DataError
        The file is damaged, or holds Python objects.
    """
    return {name: array.shape for name, array in _all(path).items()}


def member(path: Path, name: str) -> Array:
    """Return one array of an .npz, or that of an .npy, mapped where possible.

    Raises
    ------
    DataError
        There is none of that name, or the file is damaged.
    """
    arrays = _all(path)
    if name not in arrays:
        raise DataError(f"{path} has no array '{name}' any more. Add the file again.")
    return arrays[name]


def opened_images(path: Path, kind: str, name: str = "") -> Array:
    """Return the images of a file, (n, y, x) or (n, y, x, channels).

    Raises
    ------
    DataError
        The file is gone, damaged, or not what it was.
    """
    if kind == "idx":
        return images_in(idx_array(path), str(path))
    if kind == "cifar":
        return cifar_images(path)
    return images_in(member(path, name), f"{path}{f' ({name})' if name else ''}")


def _all(path: Path) -> dict[str, Array]:
    found: dict[str, Array] = _kept(path, "numpy", lambda: _load(path))
    return found


def _load(path: Path) -> dict[str, Array]:
    if path.suffix.lower() == ".npy":
        try:
            return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
        except (ValueError, EOFError) as error:
            raise _not_numpy(path, error) from None
    try:
        # A stream of ours: NumPy leaves its own open when the file is damaged.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except MemoryError:
        raise DataError(
            f"{path} does not fit into memory. Save its images as .npy, which is read piece by piece."
        ) from None
    except Exception as error:  # noqa: BLE001 - zip and NumPy raise almost anything on damaged files
        raise _not_numpy(path, error) from None


def _not_numpy(path: Path, error: Exception) -> DataError:
    if any(word in str(error).lower() for word in ("pickle", "python objects")):
        return DataError(
            f"{path} holds Python objects, which can run any program when they are read. Save plain arrays: "
            "numpy.savez(path, images=..., labels=...)."
        )
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} can't be found: moved or deleted. Put it back.")
    return DataError(f"{path} is damaged or no NumPy file. Copy it again.", details=str(error))


def idx_array(path: Path) -> Array:
    """Return the array of an IDX file, uint8; compressed files are unpacked in memory.

    Raises
    ------
    DataError
        It is damaged or cut off.
    """
    found: Array = _kept(path, "idx", lambda: _load_idx(path))
    return found


def _load_idx(path: Path) -> Array:
    try:
        if _is_packed(path):
            with gzip.open(path) as stream:
                raw: Array = np.frombuffer(stream.read(), dtype=np.uint8)
        else:
            raw = np.memmap(path, dtype=np.uint8, mode="r")
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise DataError(f"{path} is cut off or damaged. Copy or download it again.", details=str(error)) from None
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error}).") from None
    axes = int(raw[3]) if len(raw) > 3 else 0
    begin = 4 + 4 * axes
    if len(raw) < max(begin, 8) or raw[0] or raw[1] or raw[2] != 8:
        raise DataError(f"{path} is no IDX file of bytes.")
    shape = tuple(int(n) for n in np.frombuffer(bytes(raw[4:begin]), dtype=">u4"))
    if len(raw) - begin < math.prod(shape):
        raise DataError(f"{path} is cut off: {len(raw) - begin:,} of {math.prod(shape):,} bytes are there.")
    return raw[begin : begin + math.prod(shape)].reshape(shape)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def cifar_images(path: Path) -> Array:
    """Return the images of CIFAR's binary version, uint8 (n, 32, 32, 3)."""
    records, labels = _cifar(path)
    return records[:, labels:].reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)


def cifar_labels(path: Path) -> Array:
    """Return the classes, (n,): of CIFAR-100 the fine ones."""
    records, labels = _cifar(path)
    return records[:, labels - 1]


def _cifar(path: Path) -> tuple[Array, int]:
    length = cifar_record(path)
    if not length:
        raise DataError(f"{path} is cut off: it is no whole number of CIFAR's records. Download it again.")
    records: Array = _kept(path, "cifar", lambda: np.memmap(path, dtype=np.uint8, mode="r"))
    return records.reshape(-1, length), CIFAR_RECORDS[length]


_lock = threading.Lock()
_open_files: OrderedDict[tuple[str, str, int, int], Any] = OrderedDict()


def _kept(path: Path, how: str, make: Callable[[], Any]) -> Any:
    """Return what `make` made of this content of the file, or make it; the least recently used is let go."""
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error}). Put it back.") from None
    key = str(path), how, stat.st_size, stat.st_mtime_ns
    with _lock:
        if key not in _open_files:
            _open_files[key] = make()
            while len(_open_files) > _HELD:
                _open_files.popitem(last=False)
        _open_files.move_to_end(key)
        return _open_files[key]
