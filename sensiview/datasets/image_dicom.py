"""Frames of DICOM files as pictures: ultrasound loops, X-rays, colour captures; grey as their window shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.dicom_codecs import codec_of
from sensiview.datasets.dicom_codecs import decoders as plugins
from sensiview.datasets.dicom_header import quietly, read_header
from sensiview.datasets.dicom_pixels import decoded, opened
from sensiview.datasets.dicom_values import number, text, whole
from sensiview.datasets.image_kinds import MOST_PIXELS, ImageFile
from sensiview.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

Array = npt.NDArray[Any]
# Of these modalities a file is a picture or a film, not a slice of a volume.
PICTURE_MODALITIES = frozenset({"US", "IVUS", "ES", "XC", "GM", "SM", "OP", "OPT", "CR", "DX", "MG", "XA", "RF", "OT"})


def dicom_header(path: Path) -> ImageFile:
    """Return what a DICOM file holds, from its header.

    Raises
    ------
    DataError
        It is none, has no pixels, or they are cut off.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes). Copy it again.")
    try:
        header = read_header(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read as DICOM: {error}. Copy it again from its source.") from None
    if header is None:
        raise DataError(f"{path} is a DICOMDIR: it lists other files and holds no image.")
    if header.pixels == "none" or not header.rows or not header.columns:
        raise DataError(f"{path} holds no image: a report, a segmentation or other information.")
    if header.pixels == "truncated":
        raise DataError(f"{path} is cut off: some of its pixels are not there. Copy it again from its source.")
    if header.rows * header.columns > MOST_PIXELS:
        raise DataError(f"{path} has {header.columns:,} x {header.rows:,} pixels; at most {MOST_PIXELS:,} are opened.")
    colour = header.samples >= 3 or header.photometric == "PALETTE COLOR"
    remarks = ("inverted",) if header.photometric == "MONOCHROME1" else ()
    count = max(1, len(header.frames))
    return ImageFile("dicom", (header.rows, header.columns), 3 if colour else 1, count, "unit", remarks)


def modality_and_frames(path: Path) -> tuple[str, int]:
    """Return modality and number of frames; empty and 0 where the file is no readable DICOM."""
    try:
        header = read_header(path)
    except (OSError, ValueError):
        return "", 0
    return ("", 0) if header is None else (header.modality, len(header.frames))


def patient_of(path: Path) -> str:
    """Return whom a file is of, as its identifier says it; empty where it doesn't."""
    try:
        header = read_header(path)
    except (OSError, ValueError):
        return ""
    return "" if header is None else header.patient_id or header.patient


def dicom_pixels(path: Path, frame: int) -> npt.NDArray[np.float32]:
    """Return one frame as it is shown, float32 in [0, 1], (y, x) or (y, x, 3).

    Colour of 8 bits is divided by 255; YCbCr and palettes become red, green, blue. Grey goes through the modality's
    rescaling and the file's first window (centre and width); without one 8 bits are divided by 255, and more bits
    are stretched from the frame's lowest to its highest value. MONOCHROME1 is inverted: high is bright.

    Raises
    ------
    DataError
        The file is gone, damaged, or stored in a way that nothing installed here can read.
    """
    dataset = opened(path)
    if (whole(dataset, "SamplesPerPixel") or 1) >= 3 or text(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        return _colour(path, dataset, frame)
    found = next(iter(decoded(path, dataset, [frame], 0)))
    values = found.stored.astype(np.float32)
    if not found.table:
        slope = number(dataset, "RescaleSlope") or 1.0
        values = values * np.float32(slope) + np.float32(number(dataset, "RescaleIntercept") or 0.0)
    shown = _windowed(values, dataset, found.stored.dtype)
    return 1.0 - shown if text(dataset, "PhotometricInterpretation") == "MONOCHROME1" else shown


def _windowed(values: npt.NDArray[np.float32], dataset: Dataset, stored: np.dtype[Any]) -> npt.NDArray[np.float32]:
    centre, width = number(dataset, "WindowCenter"), number(dataset, "WindowWidth")
    if centre is not None and width is not None and width >= 1:
        # DICOM PS3.3 C.11.2.1.2: the linear function.
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    elif stored == np.uint8:
        low, high = 0.0, 255.0
    else:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return (values > low).astype(np.float32)
    shown: npt.NDArray[np.float32] = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return shown


def _colour(path: Path, dataset: Dataset, frame: int) -> npt.NDArray[np.float32]:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    syntax = str(dataset.file_meta.TransferSyntaxUID)
    name, codec, compressed = codec_of(syntax)
    reasons: list[str] = []
    palette = text(dataset, "PhotometricInterpretation") == "PALETTE COLOR"
    with quietly():
        # gdcm may end the whole program on damaged pixels, and nothing here tells damaged colours from sound ones.
        for plugin in [p for p in plugins(syntax) if p != "gdcm"] if compressed else [""]:
            try:
                index = frame if (whole(dataset, "NumberOfFrames") or 1) > 1 else None
                values = np.asarray(pixel_array(dataset, index=index, decoding_plugin=plugin))
                if palette:
                    values = np.asarray(apply_color_lut(values, dataset))
                top = np.float32(65535 if values.dtype == np.uint16 else 255)
                shown: npt.NDArray[np.float32] = np.clip(values[..., :3].astype(np.float32) / top, 0, 1)
                return shown
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - every codec has errors of its own; the next one is asked
                reasons.append(f"{plugin or codec}: {error}")
    raise DataError(
        f"{path}: its pixels ({name}) can't be read; the file is damaged, cut off, or of a kind that nothing installed "
        "here decodes. Export it uncompressed (Explicit VR Little Endian).",
        details="; ".join(reasons),
    )
