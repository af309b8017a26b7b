"""One volume: its voxels as they are stored, and where they lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.errors import DataError

Array = npt.NDArray[Any]
Affine = npt.NDArray[np.float64]

# Affines are stored as float32; two that differ by less are the same grid.
_SAME_MM = 1e-3
# Voxels of which every machine can hold a copy; above, it is asked how much memory is free.
_SURELY_FITS = 1 << 26


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie: how many along i, j, k, and the way from (i, j, k) to RAS millimetres.

    Parameters
    ----------
    shape : tuple of three int
    affine : ndarray
        (4, 4), float64; voxel centre (i, j, k, 1) to (right, anterior, superior, 1) in mm.
    """

    shape: tuple[int, int, int]
    affine: Affine

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between neighbours along i, j and k."""
        lengths = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel in mm3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def same_as(self, other: Grid) -> bool:
        """Say whether every voxel of one lies where that of the other lies, to a thousandth of a millimetre."""
        if self.shape != other.shape:
            return False
        corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=np.float64)
        corners[:, :3] *= np.array(self.shape) - 1
        return bool(np.abs(corners @ (self.affine - other.affine).T).max() < _SAME_MM)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"shape": list(self.shape), "affine": self.affine.tolist()}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Grid:
        """Take back what `to_plain` gave."""
        first, second, third = (int(n) for n in values["shape"])
        return cls((first, second, third), np.asarray(values["affine"], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3-D image.

    Parameters
    ----------
    raw : ndarray
        (i, j, k) in the file's own order, any real dtype; often a read-only memory map, so that a slice costs a slice.
    affine : ndarray
        (4, 4), voxel to RAS mm.
    slope, intercept : float
        A voxel's value is ``raw * slope + intercept``.
    name, source : str
        For people: what it is called, and the file or series it comes from.
    unit : str
        Of the values; empty where unknown.
    notes : tuple of str
        Sentences about what was found while reading (no spatial code, gantry tilt corrected, NaN voxels).
    """

    raw: Array
    affine: Affine
    slope: float = 1.0
    intercept: float = 0.0
    name: str = ""
    source: str = ""
    unit: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.raw.ndim != 3:
            raise DataError(f"'{self.name}' has {self.raw.ndim} dimensions; a volume has three.")

    @property
    def grid(self) -> Grid:
        """Shape and affine."""
        return Grid((self.raw.shape[0], self.raw.shape[1], self.raw.shape[2]), self.affine)

    def scaled(self, part: Array) -> npt.NDArray[np.float32]:
        """Return some of `raw` as values, float32; what float32 can't hold becomes infinite."""
        with np.errstate(over="ignore"):
            values = np.asarray(part, dtype=np.float32)
            if self.slope == 1.0 and self.intercept == 0.0:
                return values
            return values * np.float32(self.slope) + np.float32(self.intercept)

    def values(self) -> npt.NDArray[np.float32]:
        """Return all values, float32 (i, j, k), in memory of their own; NaN and infinities are as in the file.

        Raises
        ------
        DataError
            They do not fit into the memory that is free.
        """
        if self.raw.size > _SURELY_FITS:
            import psutil

            # Scaling holds two copies for a moment.
            needed = 4 * self.raw.size * (1 if self.slope == 1.0 and self.intercept == 0.0 else 2)
            if needed > psutil.virtual_memory().available:
                size = " x ".join(map(str, self.raw.shape))
                raise DataError(
                    f"'{self.name}' has {size} voxels, which need {needed / 1e9:.1f} GB of memory at once; less is "
                    "free. Resample it to a coarser grid, or use a machine with more memory."
                )
        values = self.scaled(self.raw)
        # Never the file itself: what is read only, or changes with the file, is no array to compute with.
        return np.array(values) if np.may_share_memory(values, self.raw) else np.asarray(values)
