"""One DICOM file without its pixels: whose it is, which series, and where each of its frames lies."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sensiview.datasets.dicom_frames import Frame, frames_of
from sensiview.datasets.dicom_values import number, numbers, person, tag_of, text, whole

if TYPE_CHECKING:
    from pydicom import Dataset

_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_PIXELS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_UNDEFINED = 0xFFFFFFFF
_KEYWORDS = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "SeriesDate",
    "AcquisitionDate", "Modality", "StudyDescription", "SeriesDescription", "PatientName", "PatientID",
    "PatientBirthDate", "PatientSex", "SliceThickness", "RepetitionTime", "EchoTime", "InversionTime", "EchoNumbers",
    "SpacingBetweenSlices", "TriggerTime", "DiffusionBValue", "DiffusionGradientOrientation", "ProtocolName",
    "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "TemporalPositionIdentifier", "ImagesInAcquisition",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "RescaleIntercept", "RescaleSlope", "DoseGridScaling", "LossyImageCompression",
    "GridFrameOffsetVector", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
_SIEMENS_B = 0x0019100C


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What the headers of one file say. Text is decoded; numbers that can't be read are None.

    `pixels` is ``whole``, ``none``, ``truncated`` or ``unknown`` (encapsulated or deflated: seen when they are read).
    """

    path: Path
    patient: str
    patient_id: str
    birth: str
    study_uid: str
    study: str
    date: str
    uid: str
    number: int | None
    description: str
    modality: str
    sop_class: str
    instance: str
    image_type: tuple[str, ...]
    syntax: str
    rows: int
    columns: int
    samples: int
    bits: int
    photometric: str
    lossy: bool
    announced: int | None
    pixels: str
    odd_characters: bool
    frames: tuple[Frame, ...]
    mosaic: bool = False

    @property
    def group(self) -> tuple[str, ...]:
        """What all files of one series share; files without a series number are kept apart by folder."""
        own = self.uid or f"{self.path.parent}:{self.number}:{self.description}"
        return self.patient_id, self.patient, self.study_uid, own


@cache
def _wanted() -> list[int]:
    return [tag_of(key) for key in (*_KEYWORDS, _SIEMENS_B)]


class _Silence:
    """Warnings and pydicom's log off while anyone is inside: filters belong to the process, readers to threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                log = logging.getLogger("pydicom")
                self._undo.callback(log.setLevel, log.level)
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                log.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._undo.close()


_silence = _Silence()


def quietly() -> AbstractContextManager[None]:
    """Silence pydicom: it warns and logs about values that break the standard; what matters becomes a finding."""
    return _silence


def looks_like_dicom(head: bytes) -> bool:
    """Say whether a file that begins with these bytes (at least 132, or all) may be DICOM.

    Files older than the standard's preamble begin with their first tag, of group 0002 or 0008.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    little = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
    big = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
    for group, element in (little, big):
        if group in (0x0002, 0x0008) and element <= 0x0100:
            # A value length follows at once (implicit), or two letters (explicit).
            return head[4:6].isalpha() or max(head[6:8]) == 0 or max(head[4:6]) == 0
    return False


def read_header(path: Path) -> Header | None:
    """Return what one file says, without its pixels; None when it is a DICOMDIR, which lists other files.

    Raises
    ------
    OSError
        The file can't be read.
    ValueError
        It is not DICOM, or damaged; the message says which.
    """
    import pydicom

    with path.open("rb") as stream:
        head = stream.read(132)
        if not looks_like_dicom(head):
            raise ValueError("not DICOM")
        stream.seek(0)
        try:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_wanted(), force=True)
            described = text(dataset, "SOPClassUID")
            meta = dataset.file_meta
            if described == _DIRECTORY or meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
                return None
            if head[128:132] != b"DICM" and not described and not text(dataset, "Modality"):
                raise ValueError("not DICOM")
            header = _described(path, dataset, _pixels(stream, dataset))
            if not described and not header.modality and not header.rows:
                raise ValueError("damaged (its headers break off)")
        except (OSError, MemoryError, ValueError):
            raise
        except Exception as error:  # noqa: BLE001 - pydicom raises almost anything on damaged files
            raise ValueError(f"damaged ({type(error).__name__}: {error})") from None
    if header.mosaic and header.frames:
        header = replace(header, frames=_mosaic(path, header))
    return header


def _described(path: Path, dataset: Dataset, pixels: str) -> Header:
    image_type = tuple(text(dataset, "ImageType").split("\\"))
    patient, odd = person(dataset, "PatientName")
    mosaic = "MOSAIC" in image_type
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or _guessed(dataset))
    header = Header(
        path=path,
        patient=patient,
        patient_id=text(dataset, "PatientID"),
        birth=text(dataset, "PatientBirthDate"),
        study_uid=text(dataset, "StudyInstanceUID"),
        study=text(dataset, "StudyDescription"),
        date=_date(dataset),
        uid=text(dataset, "SeriesInstanceUID"),
        number=whole(dataset, "SeriesNumber"),
        description=text(dataset, "SeriesDescription") or text(dataset, "ProtocolName"),
        modality=text(dataset, "Modality"),
        sop_class=text(dataset, "SOPClassUID"),
        instance=text(dataset, "SOPInstanceUID"),
        image_type=image_type,
        syntax=syntax,
        rows=whole(dataset, "Rows") or 0,
        columns=whole(dataset, "Columns") or 0,
        samples=whole(dataset, "SamplesPerPixel") or 1,
        bits=whole(dataset, "BitsAllocated") or 0,
        photometric=text(dataset, "PhotometricInterpretation"),
        lossy=text(dataset, "LossyImageCompression") == "01",
        announced=whole(dataset, "ImagesInAcquisition"),
        pixels=pixels,
        odd_characters=odd,
        frames=(),
        mosaic=mosaic,
    )
    if header.rows == 0 or header.columns == 0:
        return replace(header, pixels="none", mosaic=False)
    return replace(header, frames=frames_of(dataset, _labels(dataset, image_type)))


def _labels(dataset: Dataset, image_type: tuple[str, ...]) -> dict[str, Any]:
    """Return what tells images at one position apart, in the order in which it is tried."""
    b_value = number(dataset, "DiffusionBValue")
    return {
        "description": text(dataset, "SeriesDescription") or None,
        "image type": image_type[2:] or None,
        "echo": number(dataset, "EchoTime"),
        "b": b_value if b_value is not None else number(dataset, _SIEMENS_B),
        "direction": numbers(dataset, "DiffusionGradientOrientation", 3),
        "inversion": number(dataset, "InversionTime"),
        "time": whole(dataset, "TemporalPositionIdentifier"),
        "repetition": number(dataset, "RepetitionTime"),
        "acquisition": whole(dataset, "AcquisitionNumber"),
        "trigger": number(dataset, "TriggerTime"),
        "instance": whole(dataset, "InstanceNumber"),
    }


def _date(dataset: Dataset) -> str:
    found = next((t for word in ("StudyDate", "SeriesDate", "AcquisitionDate") if (t := text(dataset, word))), "")
    digits = found.replace(".", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}" if len(digits) == 8 and digits.isdecimal() else found


def _guessed(dataset: Dataset) -> str:
    implicit, little = dataset.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little or little is None else "1.2.840.10008.1.2.2"


def _pixels(stream: BinaryIO, dataset: Dataset) -> str:
    """Say whether the pixels that should follow are there; the stream stands where they begin."""
    if dataset.file_meta.get("TransferSyntaxUID") == _DEFLATED:
        return "unknown"
    implicit, little = dataset.original_encoding
    order = "big" if little is False else "little"
    head = stream.read(12)
    if len(head) < 8 or (_int(head[:2], order), _int(head[2:4], order)) not in _PIXELS:
        return "none"
    length, start = (_int(head[4:8], order), 8) if implicit else (_int(head[8:12], order), 12)
    if length == _UNDEFINED:
        return "unknown"
    if length == 0:
        return "none"
    begin = stream.tell() - len(head) + start
    return "whole" if stream.seek(0, 2) - begin >= length else "truncated"


def _int(part: bytes, order: str) -> int:
    return int.from_bytes(part, "big" if order == "big" else "little")


def _mosaic(path: Path, header: Header) -> tuple[Frame, ...]:
    """Return the tiles of a Siemens mosaic: the number and direction of its slices stand in a private header."""
    import pydicom

    from sensiview.datasets.dicom_frames import mosaic_frames

    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    return mosaic_frames(dataset, header.frames[0]) or header.frames
