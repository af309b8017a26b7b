"""Compressed volumes, unpacked once into the user's cache so that slices can be read one at a time."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import logging
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from sensiview.datasets.nifti_files import unreadable_volume
from sensiview.errors import DataError
from sensiview.files import write_atomically
from sensiview.locations import home

Bytes = npt.NDArray[np.uint8]

LARGEST = 20 << 30
SHARE_OF_FREE = 0.1
_CHUNK = 4 << 20
_SUFFIX = ".voxels"
_LEFT_BEHIND_S = 24 * 3600.0

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Folder of unpacked volumes; may be emptied at any time."""
    return home() / "cache" / "volumes"


def unpacked(path: Path, *, offset: int, size: int) -> Bytes:
    """Return `size` bytes of a gzip file from `offset` on, as a read-only memory map where possible.

    The first time, the whole file is unpacked and its check sum compared, chunk by chunk; the next time the copy in
    the cache is mapped, as long as path, size and time of the file are the same. When the cache can't be written the
    bytes are held in memory.

    Raises
    ------
    DataError
        The file is cut short, damaged or unreadable, or there is room neither on disk nor in memory.
    """
    try:
        kept = cache_folder() / (_key(path, offset, size) + _SUFFIX)
    except OSError as error:
        raise unreadable_volume(path, error) from None
    found = _mapped(kept, size)
    if found is not None:
        return found
    if _has_room(size):
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, lambda stream: _copy(path, offset, size, stream))
            _make_room(kept)
            found = _mapped(kept, size)
        except OSError as error:
            _log.info("%s: not kept in the cache (%s).", path, error)
            found = _mapped(kept, size)  # another process may hold the same copy open
        if found is not None:
            return found
    return _in_memory(path, offset, size)


def _key(path: Path, offset: int, size: int) -> str:
    stat = path.stat()
    facts = (str(path.resolve()), stat.st_size, stat.st_mtime_ns, offset, size)
    return hashlib.sha256("\0".join(map(str, facts)).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def _mapped(kept: Path, size: int) -> Bytes | None:
    try:
        if kept.stat().st_size != size:
            return None
        mapped = np.memmap(kept, dtype=np.uint8, mode="r")
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(kept)  # the least recently used copy is the first to go
    return mapped


def _has_room(size: int) -> bool:
    folder = cache_folder()
    try:
        # A folder that may not even be looked into raises as well.
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return size < shutil.disk_usage(folder).free // 2
    except OSError:
        return False


def _make_room(newest: Path) -> None:
    """Delete the copies that were not used for longest, until the cache is within its limit."""
    copies = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(newest.parent):
            with contextlib.suppress(OSError):
                stat = entry.stat()
                if entry.name.endswith(_SUFFIX):
                    copies.append((stat.st_mtime, stat.st_size, Path(entry.path)))
                elif entry.name.endswith(".part") and time.time() - stat.st_mtime > _LEFT_BEHIND_S:
                    Path(entry.path).unlink()
    held = sum(size for _, size, _ in copies)
    with contextlib.suppress(OSError):
        limit = min(LARGEST, int((shutil.disk_usage(newest.parent).free + held) * SHARE_OF_FREE))
        for _, size, copy in sorted(copies):
            if held <= limit:
                break
            if copy != newest:
                with contextlib.suppress(OSError):  # on Windows, while it is mapped
                    copy.unlink()
                    held -= size


def _in_memory(path: Path, offset: int, size: int) -> Bytes:
    import psutil

    if size > psutil.virtual_memory().available * 0.8:
        raise DataError(
            f"{path} unpacks to {size / 1e9:.1f} GB, for which there is room neither in the cache folder "
            f"({cache_folder()}) nor in memory. Make room on that disk, or unpack the file yourself (gunzip)."
        )
    held = np.empty(size, dtype=np.uint8)
    _copy(path, offset, size, _Filler(held))
    held.flags.writeable = False
    return held


class _Filler:
    """Takes bytes as a file does and puts them into an array."""

    def __init__(self, target: Bytes) -> None:
        self._target = target
        self._at = 0

    def write(self, chunk: bytes | memoryview) -> int:
        count = len(chunk)
        self._target[self._at : self._at + count] = np.frombuffer(chunk, dtype=np.uint8)
        self._at += count
        return count


def _copy(path: Path, offset: int, size: int, stream: BinaryIO | _Filler) -> None:
    """Write the wanted bytes; the whole file is unpacked, since its check sum comes last."""
    position, end = 0, offset + size
    for chunk in _chunks(path):
        start, stop = max(offset - position, 0), min(end - position, len(chunk))
        if start < stop:
            stream.write(memoryview(chunk)[start:stop])
        position += len(chunk)
    if position < end:
        raise DataError(
            f"{path} is cut short: its header promises {size:,} bytes of voxels and {max(position - offset, 0):,} are "
            "there. Copy or download it again."
        )


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as packed:
            while chunk := packed.read(_CHUNK):
                yield chunk
    except EOFError:
        raise DataError(
            f"{path} is cut short: the compressed data end before their end mark. Copy or download it again."
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise DataError(
            f"{path} is damaged: its check sum does not fit its content. Copy or download it again."
        ) from None
    except OSError as error:
        raise unreadable_volume(path, error) from None


def kept_small(name: str, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return a small array from the cache, made and kept there when it is new; `name` is its key.

    An array that can't be read is made again; a cache that can't be written costs only time.
    """
    kept = cache_folder().parent / "thumbnails" / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        found: npt.NDArray[Any] = np.load(kept, allow_pickle=False)
        return found
    made = make()
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, lambda stream: np.save(stream, made, allow_pickle=False))
    return made
