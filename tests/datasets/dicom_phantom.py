"""DICOM series written from an array whose every voxel is known, for tests of reading and of display.

`placed` puts an array given along (right, anterior, superior) into the voxel order of an orientation, with the affine
that keeps it where it is; the same pair goes into a NIfTI file (`nibabel.Nifti1Image(voxels, affine)`) and, through
`write_series`, into a DICOM folder: both must show the same picture.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Orientation = str | npt.NDArray[np.float64]

CENTRE = (3.0, -5.0, 7.0)  # RAS mm: where the middle of the array lies
ROOT = "1.2.826.0.1.3680043.10.1561."


def phantom(shape: tuple[int, int, int] = (22, 26, 18), dtype: str = "int16") -> Array:
    """Return an asymmetric head (R, A, S): every voxel differs, an L of high values lies left, front and top."""
    right, front, top = (np.arange(n) for n in shape)
    values = right[:, None, None] + 30 * front[None, :, None] + 900 * top[None, None, :]
    values = values.astype(dtype)
    values[2:4, -10:-3, -4:-2] = 30000  # the long stroke of the L runs along A, in the left
    values[4:8, -10:-8, -4:-2] = 30000
    return values


def oblique(degrees: float = 20.0, axis: Sequence[float] = (1.0, 0.5, 0.25)) -> npt.NDArray[np.float64]:
    """Return a rotation matrix (3, 3), Rodrigues' formula."""
    unit = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    cross = np.array([[0, -unit[2], unit[1]], [unit[2], 0, -unit[0]], [-unit[1], unit[0], 0]])
    angle = np.radians(degrees)
    rotation: npt.NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return rotation


def placed(
    array_ras: Array,
    spacing: Sequence[float],
    orientation: Orientation = "RAS",
    centre: Sequence[float] = CENTRE,
) -> tuple[Array, npt.NDArray[np.float64]]:
    """Return voxels in the order of `orientation` and the affine (4, 4) to RAS mm.

    Parameters
    ----------
    array_ras : ndarray
        (R, A, S): the first index rises to the right, the second to the front, the third to the top.
    spacing : sequence of three float
        mm along R, A, S of the array, whatever the voxel order.
    orientation : str or ndarray
        Three letters as nibabel's ``aff2axcodes`` gives them, or a rotation (3, 3) of the whole block about `centre`.
    """
    array_ras = np.asarray(array_ras)
    affine = np.eye(4)
    affine[:3, :3] = np.diag(np.asarray(spacing, dtype=np.float64))
    if not isinstance(orientation, str):
        affine[:3, :3] = np.asarray(orientation) @ affine[:3, :3]
    middle = (np.array(array_ras.shape) - 1) / 2
    affine[:3, 3] = np.asarray(centre) - affine[:3, :3] @ middle
    if not isinstance(orientation, str):
        return array_ras, affine
    axes = ["RL", "AP", "SI"]
    order = [next(i for i, pair in enumerate(axes) if letter in pair) for letter in orientation]
    voxels = array_ras.transpose(order)
    turn = np.zeros((4, 4))
    turn[3, 3] = 1.0
    for new, old in enumerate(order):
        if orientation[new] == axes[old][0]:
            turn[old, new] = 1.0
        else:
            voxels = np.flip(voxels, axis=new)
            turn[old, new] = -1.0
            turn[old, 3] = array_ras.shape[old] - 1
    return voxels, affine @ turn


def uid(*parts: object) -> str:
    """Return a UID that is the same for the same parts."""
    return ROOT + str(int(hashlib.sha256(repr(parts).encode()).hexdigest()[:24], 16))


def write_series(
    folder: Path,
    array_ras: Array,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    orientation: Orientation = "RAS",
    *,
    centre: Sequence[float] = CENTRE,
    patient: str = "Phantom^Asymmetric",
    patient_id: str = "P-001",
    description: str = "T1 phantom",
    modality: str = "MR",
    number: int = 3,
    series: str = "one",
    rescale: tuple[float, float] | None = None,
    tilt_degrees: float = 0.0,
    left_out: Iterable[int] = (),
    syntax: str = "",
    big_endian: bool = False,
    suffix: str = "",
    names: str = "shuffled",
    seed: int = 0,
    edit: Callable[[Any, int], None] | None = None,
) -> Path:
    """Write one file per slice; slices run along the last axis of the voxel order. Returns the folder.

    File names are hexadecimal, without suffix unless one is given, and in another order than the slices; instance
    numbers run against the slices. `edit(dataset, k)` may change anything before slice k is written.
    `tilt_degrees` shifts each slice along its columns, as a tilted gantry does.
    """
    voxels, affine = placed(array_ras, spacing, orientation, centre)
    if tilt_degrees:
        affine = tilted(affine, tilt_degrees)
    folder.mkdir(parents=True, exist_ok=True)
    count = voxels.shape[2]
    turns = list(range(count))
    random.Random(seed).shuffle(turns)
    missing = set(left_out)
    for k in range(count):
        if k in missing:
            continue
        dataset = slice_dataset(np.ascontiguousarray(voxels[:, :, k].T), affine, k, count - k, modality)
        dataset.PatientName, dataset.PatientID = patient, patient_id
        dataset.SeriesDescription, dataset.SeriesNumber = description, number
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(patient_id, "study"), uid(patient_id, series)
        dataset.SOPInstanceUID = uid(patient_id, series, k)
        if rescale is not None:
            dataset.RescaleSlope, dataset.RescaleIntercept = rescale
        if edit is not None:
            edit(dataset, k)
        name = f"{turns[k]:04x}" if names == "shuffled" else f"slice{k:04d}"
        write(folder / f"{name}{suffix}", dataset, syntax, big_endian=big_endian)
    return folder


def tilted(affine: npt.NDArray[np.float64], degrees: float) -> npt.NDArray[np.float64]:
    """Return the affine with slices that slip along the second axis; their distance along the normal stays."""
    sheared = affine.copy()
    column = affine[:3, 1] / np.linalg.norm(affine[:3, 1])
    sheared[:3, 2] = affine[:3, 2] + np.tan(np.radians(degrees)) * np.linalg.norm(affine[:3, 2]) * column
    return sheared


def slice_dataset(
    picture: Array, affine: npt.NDArray[np.float64], k: int, instance: int = 1, modality: str = "MR"
) -> Any:
    """Return a pydicom data set of one slice (row, column), lying where slice `k` of the affine lies."""
    from pydicom.dataset import Dataset, FileMetaDataset

    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    lengths = np.linalg.norm(lps[:3, :3], axis=0)
    axes = lps[:3, :2] / lengths[:2]
    normal = np.cross(axes[:, 0], axes[:, 1])
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    kinds = {"MR": "1.2.840.10008.5.1.4.1.1.4", "CT": "1.2.840.10008.5.1.4.1.1.2"}
    dataset.SOPClassUID = kinds.get(modality, kinds["MR"])
    dataset.Modality, dataset.ImageType = modality, ["ORIGINAL", "PRIMARY", "M"]
    dataset.StudyDate, dataset.StudyDescription = "20240229", "Brain"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "O"
    dataset.FrameOfReferenceUID = uid("frame")
    dataset.InstanceNumber = instance
    dataset.ImagePositionPatient = [_decimal(v) for v in (lps @ [0.0, 0.0, k, 1.0])[:3]]
    dataset.ImageOrientationPatient = [_decimal(v) for v in axes.T.ravel()]
    dataset.PixelSpacing = [_decimal(lengths[1]), _decimal(lengths[0])]
    dataset.SliceThickness = _decimal(abs(float(lps[:3, 2] @ normal)))
    set_pixels(dataset, picture)
    return dataset


def set_pixels(dataset: Any, picture: Array) -> None:
    """Put a picture (row, column) or pictures (frame, row, column) of integers into a data set."""
    dataset.Rows, dataset.Columns = picture.shape[-2:]
    if picture.ndim == 3:
        dataset.NumberOfFrames = len(picture)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = picture.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(picture.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(picture).astype(picture.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"


def write(path: Path, dataset: Any, syntax: str = "", *, big_endian: bool = False) -> None:
    """Write a data set, compressed when `syntax` names a transfer syntax UID that can be encoded here."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if syntax:
        dataset.compress(syntax)
    if big_endian:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dataset.PixelData = np.frombuffer(dataset.PixelData, dtype="<u2").astype(">u2").tobytes()
    dataset.save_as(path, enforce_file_format=True)


def write_enhanced(
    path: Path,
    array_ras: Array,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    orientation: Orientation = "RAS",
    *,
    order: Sequence[int] | None = None,
    labels: Callable[[Any, int], None] | None = None,
    patient_id: str = "P-001",
) -> Path:
    """Write all slices as frames of one enhanced MR object, in any order; `labels(item, k)` edits a frame's groups."""
    from pydicom.dataset import Dataset

    voxels, affine = placed(array_ras, spacing, orientation)
    turns = list(range(voxels.shape[2])) if order is None else list(order)
    dataset = slice_dataset(np.ascontiguousarray(voxels[:, :, 0].T), affine, 0)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    dataset.PatientName, dataset.PatientID = "Phantom^Enhanced", patient_id
    dataset.SeriesDescription, dataset.SeriesNumber = "Enhanced phantom", 7
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(patient_id, "study"), uid(patient_id, "enhanced")
    dataset.SOPInstanceUID = uid(patient_id, "enhanced", 0)
    single = slice_dataset(np.ascontiguousarray(voxels[:, :, 0].T), affine, 0)
    shared, orient, measures = Dataset(), Dataset(), Dataset()
    orient.ImageOrientationPatient = single.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = single.PixelSpacing, single.SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orient], [measures]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for k in turns:
        item, place, content = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = slice_dataset(np.zeros((1, 1), np.int16), affine, k).ImagePositionPatient
        content.StackID = "1"
        item.PlanePositionSequence, item.FrameContentSequence = [place], [content]
        if labels is not None:
            labels(item, len(groups))
        groups.append(item)
    dataset.PerFrameFunctionalGroupsSequence = groups
    for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        del dataset[word]
    set_pixels(dataset, np.stack([voxels[:, :, k].T for k in turns]))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, dataset)
    return path


def _decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters, as precise as these allow."""
    value = float(value) + 0.0
    for digits in range(16, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError(value)
