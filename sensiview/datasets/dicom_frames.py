"""The frames of one DICOM file: one for a classic slice, many for enhanced multi-frame objects and mosaics.

Where a frame lies stands in three places, by the age of the object: on the top level (classic), in functional
groups shared or per frame (enhanced MR, CT, PET; DICOM PS3.3 C.7.6.16), as offsets along the normal (RT dose,
PS3.3 C.8.8.3.2), or in a private header (Siemens mosaic).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.datasets.dicom_values import every_number, number, numbers, text, whole

if TYPE_CHECKING:
    from pydicom import Dataset

# Groups of an enhanced object that hold something of a frame we use.
_MACROS = {
    "PlanePositionSequence": "position",
    "PlaneOrientationSequence": "orientation",
    "PixelMeasuresSequence": "measures",
    "PixelValueTransformationSequence": "scale",
    "FrameContentSequence": "content",
    "MREchoSequence": "echo",
    "MRImageFrameTypeSequence": "type",
    "MRDiffusionSequence": "diffusion",
    "MRModifierSequence": "modifier",
    "CardiacSynchronizationSequence": "cardiac",
}

_FARTHEST = 1e5  # mm


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One slice: where it lies (DICOM's LPS mm), how its numbers become values, and what tells it from others.

    Parameters
    ----------
    index : int
        Place within the file, from 0.
    position : tuple of three float, optional
        Centre of the first pixel, LPS mm (Image Position).
    orientation : tuple of six float, optional
        Direction in which the column index rises, then that of the row index (Image Orientation).
    spacing : tuple of two float, optional
        mm between rows, then between columns (Pixel Spacing).
    thickness, gap : float, optional
        Slice Thickness and Spacing Between Slices, mm.
    slope, intercept : float
        Rescale.
    labels : dict
        What tells images at one position apart (echo, b value, time point, ...).
    tiles : int
        Of a mosaic: how many slices are on one side of it; 0 otherwise.
    """

    index: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness: float | None = None
    gap: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    labels: dict[str, Any] = field(default_factory=dict)
    tiles: int = 0


def frames_of(dataset: Dataset, labels: dict[str, Any]) -> tuple[Frame, ...]:
    """Return the frames of a file, without its pixels; those of a mosaic come from `mosaic_frames`."""
    first = _classic(dataset, labels)
    if "PerFrameFunctionalGroupsSequence" in dataset and len(dataset.PerFrameFunctionalGroupsSequence):
        return _enhanced(dataset, first)
    count = whole(dataset, "NumberOfFrames") or 1
    if count <= 1:
        return (first,)
    offsets = numbers(dataset, "GridFrameOffsetVector", count)
    if offsets is None or first.position is None or first.orientation is None:
        # Ultrasound, angiography, old nuclear medicine: frames follow each other in time or in ways of their own.
        return tuple(replace(first, index=i, position=None) for i in range(count))
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    start = np.asarray(first.position)
    # Offsets are relative to the first plane, or (when the first is not 0) positions of a transverse grid.
    shifts = [offset - offsets[0] for offset in offsets]
    places = [tuple((start + shift * normal).tolist()) for shift in shifts]
    return tuple(replace(first, index=i, position=place) for i, place in enumerate(places))


def _classic(dataset: Dataset, labels: dict[str, Any]) -> Frame:
    return Frame(
        index=0,
        position=_position(dataset),
        orientation=numbers(dataset, "ImageOrientationPatient", 6),
        spacing=_spacing(dataset),
        thickness=number(dataset, "SliceThickness"),
        gap=number(dataset, "SpacingBetweenSlices"),
        slope=_slope(dataset),
        intercept=number(dataset, "RescaleIntercept") or 0.0,
        labels=labels,
    )


def _slope(group: Dataset) -> float:
    """Return the factor between stored numbers and values; RT dose has a name of its own for it, and 0 means none."""
    return number(group, "RescaleSlope") or number(group, "DoseGridScaling") or 1.0


def _position(group: Dataset) -> tuple[float, ...] | None:
    """Return where a frame lies; numbers that no scanner reaches count as none."""
    found = numbers(group, "ImagePositionPatient", 3)
    return found if found and max(map(abs, found)) < _FARTHEST else None


def _spacing(group: Dataset) -> tuple[float, ...] | None:
    found = numbers(group, "PixelSpacing", 2)
    return found if found and min(found) > 0 and max(found) < _FARTHEST else None


def _enhanced(dataset: Dataset, first: Frame) -> tuple[Frame, ...]:
    shared = dataset.get("SharedFunctionalGroupsSequence")
    common = _groups(shared[0]) if shared else {}
    common_frame = _with_groups(first, common)
    return tuple(
        replace(_with_groups(common_frame, _groups(item)), index=i)
        for i, item in enumerate(dataset.PerFrameFunctionalGroupsSequence)
    )


def _groups(item: Dataset) -> dict[str, Dataset]:
    return {short: item[word].value[0] for word, short in _MACROS.items() if word in item and len(item[word].value)}


def _with_groups(frame: Frame, groups: dict[str, Dataset]) -> Frame:
    """Return the frame with what these functional groups say; what they don't mention stays."""
    changes: dict[str, Any] = {}
    if (group := groups.get("position")) is not None:
        changes["position"] = _position(group)
    if (group := groups.get("orientation")) is not None:
        changes["orientation"] = numbers(group, "ImageOrientationPatient", 6)
    if (group := groups.get("measures")) is not None:
        changes["spacing"] = _spacing(group)
        changes["thickness"] = number(group, "SliceThickness")
        changes["gap"] = number(group, "SpacingBetweenSlices") or frame.gap
    if (group := groups.get("scale")) is not None:
        changes["slope"] = _slope(group)
        changes["intercept"] = number(group, "RescaleIntercept") or 0.0
    labels = _group_labels(groups)
    if labels:
        changes["labels"] = {**frame.labels, **labels}
    return replace(frame, **changes) if changes else frame


def _group_labels(groups: dict[str, Dataset]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (group := groups.get("content")) is not None:
        found["stack"] = text(group, "StackID") or None
        found["time"] = whole(group, "TemporalPositionIndex")
        found["acquisition"] = whole(group, "FrameAcquisitionNumber")
    if (group := groups.get("echo")) is not None:
        found["echo"] = number(group, "EffectiveEchoTime")
    if (group := groups.get("type")) is not None:
        found["image type"] = (*text(group, "FrameType").split("\\")[2:], text(group, "ComplexImageComponent"))
    if (group := groups.get("modifier")) is not None and (times := every_number(group, "InversionTimes")):
        found["inversion"] = times[0]
    if (group := groups.get("cardiac")) is not None:
        found["trigger"] = number(group, "NominalCardiacTriggerDelayTime")
    if (group := groups.get("diffusion")) is not None:
        found["b"] = number(group, "DiffusionBValue")
        kinds = group.get("DiffusionGradientDirectionSequence")
        if kinds:
            found["direction"] = numbers(kinds[0], "DiffusionGradientOrientation", 3)
    return found


def mosaic_frames(dataset: Dataset, whole_picture: Frame) -> tuple[Frame, ...]:
    """Return the slices of a Siemens mosaic, each a tile of one picture; none when its private header is gone.

    The position stored is that of a single slice centred like the whole mosaic; it is moved to the first tile.
    Number and direction of the slices come from the CSA header (as nibabel reads and documents it).
    """
    csareader: Any = import_module("nibabel.nicom.csareader")  # has no types
    try:
        private = csareader.get_csa_header(dataset)
        count = csareader.get_n_mosaic(private) if private else None
        direction = csareader.get_slice_normal(private) if private else None
    except Exception:  # noqa: BLE001 - a private header that another program rewrote
        return ()
    one = whole_picture
    distance = one.gap or one.thickness
    if not count or None in (one.position, one.orientation, one.spacing) or not distance:
        return ()
    side = int(np.ceil(np.sqrt(count)))
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    axes = np.asarray(one.orientation).reshape(2, 3)
    between_rows, between_columns = one.spacing or (1.0, 1.0)
    start = np.asarray(one.position) + axes[0] * between_columns * (columns - columns / side) / 2
    start = start + axes[1] * between_rows * (rows - rows / side) / 2
    normal = np.cross(axes[0], axes[1])
    if direction is not None and np.dot(normal, direction) < 0:
        normal = -normal
    return tuple(
        replace(one, index=i, position=tuple((start + i * distance * normal).tolist()), tiles=side)
        for i in range(count)
    )
