"""Which way the axes of a volume run, and plain numbers to turn them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import DataError

Affine = npt.NDArray[np.float64]
# Towards which side an axis of RAS coordinates falls and rises.
SIDES = (("L", "R"), ("P", "A"), ("I", "S"))


@dataclass(frozen=True, eq=False)
class Reorientation:
    """How to turn an array into another orientation without interpolation.

    ``numpy.flip(numpy.transpose(array, axes), flips)``, or ``tensor.permute(axes).flip(flips)``.

    Parameters
    ----------
    axes : tuple of three int
        Axis n of the result is axis ``axes[n]`` of the array.
    flips : tuple of int
        Axes of the result that are reversed, after the permutation.
    shape : tuple of three int
        Of the result.
    affine : ndarray
        (4, 4), voxel of the result to RAS mm.
    """

    axes: tuple[int, int, int]
    flips: tuple[int, ...]
    shape: tuple[int, int, int]
    affine: Affine

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a view of (i, j, k) in the new orientation."""
        return np.flip(np.transpose(array, self.axes), self.flips)

    def undo(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a view in the old orientation of an array in the new one."""
        return np.transpose(np.flip(array, self.flips), np.argsort(self.axes))


def orientation(affine: npt.ArrayLike) -> str:
    """Return towards which sides i, j and k run: ``RAS``, ``LPS``, ``PIR``, ... of an oblique volume the nearest."""
    codes = _nibabel("orientations").aff2axcodes(np.asarray(affine, dtype=np.float64))
    return "".join(code or "?" for code in codes)


def obliquity(affine: npt.ArrayLike) -> float:
    """Return the largest angle in degrees between an axis of the volume and the nearest axis of the patient."""
    of_each = _nibabel("affines").obliquity
    # An angle of zero comes back as the square root of the rounding error.
    return float(np.round(np.degrees(np.max(of_each(np.asarray(affine, dtype=np.float64)))), 5))


def to_orientation(affine: npt.ArrayLike, shape: tuple[int, int, int], codes: str = "RAS") -> Reorientation:
    """Return how to turn a volume so that its axes run towards the named sides.

    Parameters
    ----------
    affine : array
        (4, 4), voxel to RAS mm, of the volume as it is.
    shape : tuple of three int
        (i, j, k) as it is.
    codes : str
        Three letters, one of L/R, one of P/A, one of I/S, in any order.

    Raises
    ------
    DataError
        The letters do not name three axes.
    """
    orientations = _nibabel("orientations")
    matrix = np.asarray(affine, dtype=np.float64)
    wanted = [_axis_of(letter) for letter in codes.upper()]
    if sorted(axis for axis, _ in wanted) != [0, 1, 2]:
        raise DataError(f"'{codes}' is no orientation. Write one letter each of L/R, P/A and I/S, such as RAS.")
    found = orientations.io_orientation(matrix)
    of_world = {int(world): (place, int(sign)) for place, (world, sign) in enumerate(found)}
    axes, flips = [], []
    turned = np.empty((3, 2))
    for place, (world, sign) in enumerate(wanted):
        source, runs = of_world[world]
        axes.append(source)
        turned[source] = (place, runs * sign)
        if runs != sign:
            flips.append(place)
    first, second, third = axes
    return Reorientation(
        axes=(first, second, third),
        flips=tuple(flips),
        shape=(shape[first], shape[second], shape[third]),
        affine=matrix @ orientations.inv_ornt_aff(turned, shape),
    )


def _nibabel(part: str) -> Any:
    """A module of nibabel, which declares no types for what is used of it."""
    return import_module(f"nibabel.{part}")


def _axis_of(letter: str) -> tuple[int, int]:
    for axis, (falls, rises) in enumerate(SIDES):
        if letter in (falls, rises):
            return axis, 1 if letter == rises else -1
    return -1, 0
