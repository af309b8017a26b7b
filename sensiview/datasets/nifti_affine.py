"""Where a NIfTI header says that its voxels lie (sform before qform, as nibabel), what is odd about it, writing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.orientation import orientation
from sensiview.errors import DataError

Affine = npt.NDArray[np.float64]
Space = Literal["unknown", "scanner", "aligned", "talairach", "mni", "template"]

# NIFTI_XFORM codes 0 to 5 (nifti1.h).
_SPACES: tuple[Space, ...] = ("unknown", "scanner", "aligned", "talairach", "mni", "template")
_ALIGNED = _SPACES.index("aligned")
_UNITS = {1: "metres", 3: "micrometres"}
# sform and qform may differ by what float32 and a quaternion lose; from here on they say different things.
_DIFFERENT_MM = 0.1
# Volume of a voxel relative to a box of its edges; below, the axes lie in one plane.
_FLAT = 1e-5
_EXPORT = "Correct the header, or export the volume again with its orientation."


def affine_of(path: Path, header: Any, *, analyze: bool, notes: list[str]) -> tuple[Affine, Space]:
    """Return voxel to RAS mm and what these coordinates mean; sentences are added to `notes`.

    The sform when its code is above 0, else the qform when its code is, else the spacing alone, with the axes that
    nibabel assumes.

    Raises
    ------
    DataError
        The matrix is zero, singular or not of finite numbers.
    """
    if analyze:
        affine = _checked(path, header.get_base_affine(), "spacing")
        notes.append(
            "An Analyze 7.5 file does not say where left and right are; its axes are taken as "
            f"{orientation(affine)}. Check the sides against another image."
        )
        return affine, "unknown"
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    unit = int(header["xyzt_units"]) & 7
    if unit in _UNITS:
        notes.append(
            f"The header says that it measures in {_UNITS[unit]}; its numbers are used as millimetres, as nibabel does."
        )
    if sform_code > 0:
        affine = _checked(path, header.get_sform(), "sform")
        _compare(header, affine, qform_code, notes)
        return affine, _space(sform_code)
    if qform_code > 0:
        return _checked(path, _qform(path, header), "qform"), _space(qform_code)
    affine = _checked(path, header.get_base_affine(), "spacing")
    notes.append(
        "The header has no spatial code (sform and qform are 0), so that sides and position are not known; the axes "
        f"are taken as {orientation(affine)}, as nibabel does. Check left and right against another image."
    )
    return affine, "unknown"


def _space(code: int) -> Space:
    return _SPACES[code] if code < len(_SPACES) else "unknown"


def _qform(path: Path, header: Any) -> Affine:
    from nibabel.spatialimages import HeaderDataError

    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except (ValueError, HeaderDataError):
        raise DataError(
            f"The orientation of {path} can't be used: its qform is not a rotation (quaternion above 1). {_EXPORT}"
        ) from None


def _compare(header: Any, affine: Affine, qform_code: int, notes: list[str]) -> None:
    from nibabel.spatialimages import HeaderDataError

    if qform_code <= 0:
        return
    try:
        qform = np.asarray(header.get_qform(), dtype=np.float64)
    except (ValueError, HeaderDataError):
        notes.append("The qform is damaged; the sform is used.")
        return
    apart = _apart(header, qform, affine)
    if apart <= _DIFFERENT_MM:
        return
    sform_says, qform_says = orientation(affine), orientation(qform)
    sides = f" ({sform_says} and {qform_says})" if sform_says != qform_says else ""
    notes.append(
        f"sform and qform disagree by up to {apart:.3g} mm{sides}; the sform is used, as nibabel does. Programs that "
        "prefer the qform show the volume elsewhere."
    )


def _apart(header: Any, one: Affine, other: Affine) -> float:
    """Return how far apart two affines put the same voxel, in mm."""
    # Both maps are affine: they differ most at a corner, and these four tell.
    ends = np.zeros((4, 4))
    ends[:3, :3] = np.diag(np.asarray(header["dim"][1:4], dtype=np.float64) - 1)
    ends[:, 3] = 1
    return float(np.abs(ends @ (one - other).T).max())


def write_affine(image: Any, affine: Affine, space: str) -> None:
    """Write an affine and what its coordinates mean into the header of a nibabel image, in mm.

    As sform, and as qform too where that can hold it: a qform has no shear. Coordinates of no known meaning get code 2
    (aligned to something), with which every program uses them; code 0 would have them ignored.

    Parameters
    ----------
    image : nibabel.Nifti1Image
    affine : ndarray
        (4, 4), voxel to RAS mm.
    space : str
        A `Space`.
    """
    code = _SPACES.index(space) if space in _SPACES[1:] else _ALIGNED
    image.set_sform(affine, code)
    image.set_qform(affine, code, strip_shears=True)
    if _apart(image.header, np.asarray(image.header.get_qform(), dtype=np.float64), affine) > _DIFFERENT_MM:
        image.header["qform_code"] = 0
    image.header.set_xyzt_units("mm")


def _checked(path: Path, matrix: Any, what: str) -> Affine:
    affine = np.asarray(matrix, dtype=np.float64)
    directions = affine[:3, :3]
    if not np.isfinite(affine).all():
        raise DataError(
            f"The orientation of {path} can't be used: its {what} holds values that are no numbers. {_EXPORT}"
        )
    lengths = np.sqrt((directions**2).sum(axis=0))
    if not lengths.any():
        raise DataError(f"The orientation of {path} can't be used: its {what} is zero. {_EXPORT}")
    if not lengths.all() or abs(np.linalg.det(directions / np.where(lengths > 0, lengths, 1))) < _FLAT:
        raise DataError(
            f"The orientation of {path} can't be used: its {what} is singular, it maps the volume onto a plane. "
            f"{_EXPORT}"
        )
    return affine
