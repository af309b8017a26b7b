"""A head that is different on every side, as a function of millimetres, sampled on any grid."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine

from sensiview.datasets.volume import Volume

# Centre (R, A, S) mm, half axes, value. The marker is on the patient's left.
_PARTS = (
    ((0, 0, 0), (34, 42, 36), 90),
    ((0, 44, -6), (6, 8, 6), 90),  # nose
    ((0, -8, 34), (8, 8, 10), 130),  # knob on top, towards the back
)
MARKER = (-22.0, 10.0, 8.0)
MARKER_HALF = (5.0, 5.0, 5.0)
REGIONS = {1: "left box", 2: "right box"}


def value(mm: np.ndarray) -> np.ndarray:
    """Return the value at points (..., 3): 0 to 250."""
    made = np.zeros(mm.shape[:-1])
    for centre, half, height in _PARTS:
        inside = (((mm - centre) / half) ** 2).sum(axis=-1) <= 1
        made[inside] = height
    # A ramp towards the front, so that mirrored slices never agree.
    made[made > 0] += (mm[..., 1][made > 0] + 50) * 0.4 + mm[..., 0][made > 0] * 0.3
    made[(np.abs(mm - MARKER) <= MARKER_HALF).all(axis=-1)] = 250
    return made


def label(mm: np.ndarray) -> np.ndarray:
    """Return 1 in the marker, 2 at its mirror image."""
    left = (np.abs(mm - MARKER) <= MARKER_HALF).all(axis=-1)
    right = (np.abs(mm - np.array(MARKER) * (-1, 1, 1)) <= MARKER_HALF).all(axis=-1)
    return left.astype(np.int16) + 2 * right.astype(np.int16)


def points(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    return apply_affine(affine, np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1))


def base_grid() -> tuple[tuple[int, int, int], np.ndarray]:
    """Return the grid stored as RAS: 2 mm."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-43, -53, -47)
    return (44, 56, 50), affine


def grid_of(kind: str) -> tuple[tuple[int, ...], np.ndarray]:
    """Return shape and affine of RAS, LPS, LAS, PIR, ASL, ``oblique`` (20 degrees) or ``anisotropic``."""
    shape, affine = base_grid()
    if kind == "anisotropic":
        thin = np.diag([0.5, 0.5, 3.0, 1.0])
        thin[:3, 3] = (-43.5, -53.5, -47.5)
        return (175, 219, 33), thin
    if kind == "oblique":
        angle = np.deg2rad(20)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
        oblique = np.eye(4)
        oblique[:3, :3] = turn @ tilt @ np.diag([2.0, 2.0, 2.0])
        size = (60, 70, 65)
        oblique[:3, 3] = -oblique[:3, :3] @ ((np.array(size) - 1) / 2)
        return size, oblique
    towards = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(tuple(kind))
    )
    image = nib.Nifti1Image(np.zeros(shape, np.uint8), affine).as_reoriented(towards)
    return image.shape, image.affine


def volume(kind: str, dtype: str = "int16") -> Volume:
    shape, affine = grid_of(kind)
    return Volume(value(points(shape, affine)).round().astype(dtype), affine, name=kind)


def labels(kind: str) -> tuple[np.ndarray, np.ndarray]:
    shape, affine = grid_of(kind)
    return label(points(shape, affine)), affine
