"""The pixels of DICOM files as stored numbers, and what turns them into values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.dicom_codecs import codec_of, decompressed, short_name
from sensiview.datasets.dicom_header import quietly
from sensiview.datasets.dicom_values import number, whole
from sensiview.errors import DataError, SensiViewError, Stopped

if TYPE_CHECKING:
    from pydicom import Dataset

Array = npt.NDArray[Any]
_AGAIN = "Copy the series again from its source."


@dataclass(frozen=True, eq=False)
class Decoded:
    """One slice: `stored` numbers (row, column); `table` is set where a look-up table made values of them already.

    `padding` is the range of stored numbers outside the measured field; `bits` is what the header says of their size.
    """

    frame: int
    stored: Array
    table: bool = False
    padding: tuple[float, float] | None = None
    bits: int = 0


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Whatever fails inside becomes a sentence about this file."""
    try:
        with quietly():
            yield
    except (SensiViewError, Stopped, MemoryError):
        raise
    except FileNotFoundError:
        raise DataError(
            f"{path} was moved or deleted since the series was listed. Put it back, or list again."
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{path} can't be read ({reason}). Check the drive or network folder it lies on.") from None
    except Exception as error:  # noqa: BLE001 - pydicom and its codecs raise almost anything on damaged files
        raise DataError(
            f"{path}: its pixels can't be read; the file is damaged or cut off. {_AGAIN}",
            details=f"{type(error).__name__}: {error}",
        ) from None


def opened(path: Path) -> Dataset:
    """Read a whole file.

    Raises
    ------
    DataError
        It is gone or damaged.
    """
    import pydicom

    with _sentences(path):
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit, little = dataset.original_encoding
            explicit = "1.2.840.10008.1.2.2" if little is False else "1.2.840.10008.1.2.1"
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID("1.2.840.10008.1.2" if implicit else explicit)
        return dataset


def decoded(path: Path, dataset: Dataset, frames: Sequence[int], tiles: int) -> Iterator[Decoded]:
    """Yield frames of a file, in ascending order of their place in it.

    Parameters
    ----------
    path : Path
        For sentences.
    dataset : Dataset
        From `opened`.
    frames : sequence of int
        From 0; of a mosaic (`tiles` > 0) the tiles.

    Raises
    ------
    DataError
        No codec reads it, the pixels are cut off, or there are fewer frames than expected.
    """
    wanted = sorted(frames)
    name, codec, compressed = codec_of(str(dataset.file_meta.TransferSyntaxUID))
    if not codec:
        raise DataError(
            f"{path} is stored as {short_name(name)}, which nothing installed here can read. Export the series "
            "uncompressed (Explicit VR Little Endian)."
        )
    with _sentences(path):
        if tiles:
            picture = _stored(dataset, next(_pictures(path, dataset, [0], compressed)), compressed)
            rows, columns = picture.shape[0] // tiles, picture.shape[1] // tiles
            for tile in wanted:
                top, left = tile // tiles * rows, tile % tiles * columns
                yield _valued(dataset, tile, picture[top : top + rows, left : left + columns])
            return
        for frame, picture in zip(wanted, _pictures(path, dataset, wanted, compressed), strict=True):
            yield _valued(dataset, frame, _stored(dataset, picture, compressed))


def _pictures(path: Path, dataset: Dataset, frames: list[int], compressed: bool) -> Iterator[Array]:
    from pydicom.pixels.utils import iter_pixels, pixel_array

    count = whole(dataset, "NumberOfFrames") or 1
    if frames[-1] >= count:
        raise DataError(f"{path} has {count} frames now, fewer than when it was listed. Add the series again.")
    _check_length(path, dataset, count)
    if compressed:
        return (decompressed(dataset, frame, count) for frame in frames)
    # Left to itself pydicom cuts numbers to Bits Stored, which headers state wrongly.
    if count == 1:
        return iter([np.asarray(pixel_array(dataset, raw=True, correct_unused_bits=False))])
    pictures = iter_pixels(dataset, indices=frames, raw=True, correct_unused_bits=False)
    return (np.asarray(picture) for picture in pictures)


def _check_length(path: Path, dataset: Dataset, count: int) -> None:
    """Refuse pixels that were cut off; pydicom's own message speaks of bytes only, and codecs fill up silently."""
    words = [word for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if word in dataset]
    if not words:
        raise DataError(f"{path} holds no pixel data. Choose a series of images.")
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return
    bits = whole(dataset, "BitsAllocated") or 8
    samples = whole(dataset, "SamplesPerPixel") or 1
    expected = int(dataset.Rows) * int(dataset.Columns) * count * samples * bits // 8
    there = len(dataset[words[0]].value or b"")
    if there < expected:
        raise DataError(f"{path} is cut off: {there:,} of {expected:,} bytes of its pixels are there. {_AGAIN}")


def _stored(dataset: Dataset, picture: Array, compressed: bool) -> Array:
    """Return the numbers without what doesn't belong to them: overlays in unused bits, bits below the lowest one.

    Numbers larger than Bits Stored allows are otherwise left: the header is wrong more often than they are.
    """
    allocated, stored = whole(dataset, "BitsAllocated") or 0, whole(dataset, "BitsStored") or 0
    if picture.dtype.kind == "f" or not 0 < stored < allocated:
        return picture
    high = whole(dataset, "HighBit")
    shift = 0 if compressed or high is None else max(0, high + 1 - stored)
    if shift or _has_embedded_overlay(dataset):
        return cut_to(picture, stored, shift)
    return picture


def cut_to(numbers: Array, bits: int, shift: int = 0) -> Array:
    """Return the number that stands in `bits` bits from bit `shift` on, with its sign where the type has one."""
    left = numbers.dtype.itemsize * 8 - bits - shift
    moved = np.left_shift(numbers.view(f"u{numbers.dtype.itemsize}"), left).view(numbers.dtype)
    cut: Array = np.right_shift(moved, left + shift)
    return cut


def _has_embedded_overlay(dataset: Dataset) -> bool:
    return any((whole(dataset, (group << 16) | 0x0102) or 0) > 0 for group in range(0x6000, 0x6020, 2))


def _valued(dataset: Dataset, frame: int, stored: Array) -> Decoded:
    from pydicom.pixels.processing import apply_modality_lut

    if dataset.get("ModalityLUTSequence"):
        return Decoded(frame, np.asarray(apply_modality_lut(stored, dataset)), table=True)
    padding = _padding(dataset, stored.dtype.kind == "i")
    return Decoded(frame, stored, padding=padding, bits=whole(dataset, "BitsStored") or 0)


def _padding(dataset: Dataset, signed: bool) -> tuple[float, float] | None:
    value, limit = (number(dataset, word) for word in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    if value is None:
        return None
    bits = whole(dataset, "BitsAllocated") or 16
    ends = [value, value if limit is None else limit]
    if signed:  # some write it as an unsigned number
        ends = [end - (1 << bits) if end >= 1 << (bits - 1) else end for end in ends]
    return min(ends), max(ends)


def stored_slice(path: Path, frame: int, tiles: int) -> Array:
    """Return one frame's stored numbers (row, column), for comparisons.

    Raises
    ------
    DataError
        It can't be read.
    """
    return next(decoded(path, opened(path), [frame], tiles)).stored
