"""Compressed pixels: which of pydicom's plugins reads a transfer syntax, in which order, and how safely.

gdcm reads almost everything, but ends the whole program (an uncaught C++ exception) on some damaged pixels. It is
therefore asked last, and only for frames whose own header says what the DICOM header says.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pydicom import Dataset

_ORDER = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", "gdcm")
# Markers of JPEG (ISO 10918-1, table B.1) and JPEG-LS.
_SIZES = (0xC0, 0xC1, 0xC2, 0xC3, 0xF7)
_HUFFMAN, _SCAN = 0xC4, 0xDA
_HARMLESS = (_HUFFMAN, 0xDB, 0xDD, *range(0xE0, 0xEE), 0xEF, 0xF8, 0xFE)


@cache
def codec_of(syntax: str) -> tuple[str, str, bool]:
    """Return how pixels of a transfer syntax (UID) are read.

    Returns
    -------
    name : str
        The syntax in words, ``JPEG 2000 Image Compression (Lossless Only)``.
    codec : str
        The plugin that decodes it (``gdcm``, ``pillow``, ``pyjpegls``, ``pydicom``), ``none needed`` where pixels are
        not compressed, empty when nothing installed can read it.
    compressed : bool
        The pixels are compressed.
    """
    from pydicom.uid import UID

    uid = UID(syntax)
    name = uid.name if uid.name != syntax else f"unknown transfer syntax {syntax}"
    try:
        if not uid.is_encapsulated:
            return name, "none needed", False
    except ValueError:
        return name, "", True
    return name, next(iter(decoders(syntax)), ""), True


@cache
def decoders(syntax: str) -> tuple[str, ...]:
    """Return pydicom's plugins that read a compressed transfer syntax (UID), in the order in which they are asked."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    try:
        known = get_decoder(UID(syntax)).available_plugins
    except NotImplementedError:
        return ()
    return tuple(sorted(known, key=lambda plugin: (*_ORDER, plugin).index(plugin)))


def short_name(name: str) -> str:
    """Return a transfer syntax's name without its process numbers: ``JPEG 2000 (lossless)``."""
    for long, short in (
        (" Image Compression (Lossless Only)", " (lossless)"),
        (" Lossless Image Compression", " (lossless)"),
        (" Lossy (Near-Lossless) Image Compression", " (nearly lossless)"),
        (" Image Compression", ""),
    ):
        name = name.replace(long, short)
    return name.split(" (Process")[0].split(", Non-Hierarchical")[0]


def decompressed(dataset: Dataset, frame: int, count: int) -> npt.NDArray[Any]:
    """Return one frame (from 0, of `count`) of compressed pixels, (row, column).

    Raises
    ------
    ValueError
        No plugin can read it; the message is that of the first one asked.
    """
    from pydicom.encaps import get_frame
    from pydicom.pixels.utils import pixel_array

    reasons = []
    for plugin in decoders(str(dataset.file_meta.TransferSyntaxUID)):
        try:
            if plugin == "gdcm":
                stream = get_frame(dataset.PixelData, frame, number_of_frames=count)
                if not _fits(stream, int(dataset.Rows), int(dataset.Columns)):
                    raise ValueError("the compressed pixels are damaged")
            return np.asarray(pixel_array(dataset, index=frame, raw=True, decoding_plugin=plugin))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - every codec has errors of its own; the next one is asked
            reasons.append(f"{plugin}: {error}")
    raise ValueError("; ".join(reasons) or "no codec")


def _fits(stream: bytes, rows: int, columns: int) -> bool:
    """Say whether the header of a grey JPEG, JPEG-LS or JPEG 2000 stream is sound and states this size."""
    if stream[:4] == b"\xff\x4f\xff\x51":  # JPEG 2000: SIZ follows at once
        ends = [int.from_bytes(stream[i : i + 4], "big") for i in (8, 12, 16, 20)]
        return (ends[1] - ends[3], ends[0] - ends[2]) == (rows, columns)
    if stream[:2] != b"\xff\xd8" or stream[-3:].rstrip(b"\0")[-2:] != b"\xff\xd9":
        return False
    place, sized = 2, False
    while place + 4 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        segment = stream[place + 4 : place + 2 + int.from_bytes(stream[place + 2 : place + 4], "big")]
        if marker == _SCAN:
            return sized and segment[:1] == b"\x01"
        if marker in _SIZES:
            stated = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
            sized = stated == (rows, columns) and 2 <= segment[0] <= 16 and segment[5] == 1 and len(segment) == 9
            if not sized:
                return False
        elif (marker == _HUFFMAN and not _is_table(segment)) or marker not in _HARMLESS:
            return False
        place += 4 + len(segment)
    return False


def _is_table(segment: bytes) -> bool:
    """Say whether a segment of Huffman tables holds as many codes as it announces, and not more than there can be."""
    place = 0
    while place + 17 <= len(segment):
        counts = segment[place + 1 : place + 17]
        room = 1
        for count in counts:
            room = 2 * room - count
            if room < 0:
                return False
        if segment[place] & 0xEC:  # class 0 or 1, table 0 to 3
            return False
        place += 17 + sum(counts)
    return place == len(segment)
