"""The plain parts of a scene: grid, layers and their looks, options, measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Millimetres = tuple[float, float, float]
Axis = Literal[0, 1, 2]  # across right (sagittal), anterior (coronal), superior (axial)
SAGITTAL: Axis = 0
CORONAL: Axis = 1
AXIAL: Axis = 2
Role = Literal["underlay", "overlay", "mask", "atlas"]


@dataclass(frozen=True)
class Measurement:
    """What a tool drew in a pane.

    Parameters
    ----------
    kind : str
        ``length`` (two points), ``angle`` (three, the vertex second), ``ellipse`` or ``rectangle`` (two opposite
        corners of the region's box).
    points : tuple
        RAS mm.
    axis : int
        Across which axis the pane's slice lies.
    text : str
        A comment of the user's.
    """

    kind: Literal["length", "angle", "ellipse", "rectangle"]
    points: tuple[Millimetres, ...]
    axis: Axis
    text: str = ""


@dataclass(frozen=True)
class DisplayGrid:
    """The grid that all layers of a scene lie on: `shape` voxels along R, A, S of `spacing` mm from `origin`.

    `origin` is the centre of voxel (0, 0, 0) in RAS mm. `resampled` says that the volume was oblique and was
    interpolated for display; the panes show a flag then.
    """

    shape: tuple[int, int, int]
    spacing: Millimetres
    origin: Millimetres
    resampled: bool = False

    def voxel(self, mm: Millimetres) -> tuple[int, int, int]:
        """Return the display voxel that holds a point; it may lie outside the grid."""
        a, b, c = (int(np.floor((m - o) / s + 0.5)) for m, o, s in zip(mm, self.origin, self.spacing, strict=True))
        return a, b, c

    def mm(self, voxel: tuple[float, float, float]) -> Millimetres:
        """Return the RAS point at the centre of a display voxel."""
        r, a, s = (float(o + v * s) for v, o, s in zip(voxel, self.origin, self.spacing, strict=True))
        return r, a, s

    def holds(self, voxel: tuple[int, int, int]) -> bool:
        """Say whether a display voxel lies inside."""
        return all(0 <= v < n for v, n in zip(voxel, self.shape, strict=True))

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """(4, 4), display voxel to RAS mm."""
        made = np.diag([*self.spacing, 1.0])
        made[:3, 3] = self.origin
        return made

    @property
    def centre(self) -> Millimetres:
        """The middle of the grid in RAS mm."""
        first, second, third = ((n - 1) / 2 for n in self.shape)
        return self.mm((first, second, third))


@dataclass(frozen=True)
class Look:
    """How a layer is drawn.

    Parameters
    ----------
    low, high : float
        Display range in the layer's unit: what maps to the ends of the colour map (window/level of an underlay).
    threshold : float
        Magnitudes below are not drawn, whatever the display range.
    signed : bool
        Zero-centred: -high..high on a diverging map; the threshold counts the magnitude.
    alpha_by_magnitude : bool
        Opacity grows from the threshold to `high`.
    interpolate : bool
        Smooth between voxels.
    outline : bool
        Masks and atlases: borders only.
    only : tuple of int
        Atlas: just these labels are drawn; empty for all.
    """

    colour_map: str = "grey"
    low: float = 0.0
    high: float = 1.0
    opacity: float = 1.0
    threshold: float = 0.0
    signed: bool = False
    alpha_by_magnitude: bool = False
    interpolate: bool = False
    inverted: bool = False
    outline: bool = False
    visible: bool = True
    only: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Original:
    """The voxels of a layer as they are in the file, where the display had to interpolate.

    Parameters
    ----------
    array : ndarray
        (i, j, k) of the file.
    to_voxel : ndarray
        (4, 4), RAS mm to (i, j, k).
    """

    array: Array
    to_voxel: npt.NDArray[np.float64]

    def at(self, mm: Millimetres) -> float:
        """Return the number of the voxel that holds a point; NaN outside."""
        found = np.floor((self.to_voxel @ np.array([*mm, 1.0]))[:3] + 0.5).astype(int)
        if (found < 0).any() or (found >= self.array.shape).any():
            return float("nan")
        return float(self.array[tuple(found)])


@dataclass(frozen=True, eq=False)
class Layer:
    """One array on the display grid, and what the read-out, the controls and the colour bar say of it.

    Parameters
    ----------
    key : str
        Unique in the scene.
    array : ndarray
        (R, A, S) of the scene's display grid, any real dtype, may be a view of a memory map. Labels for an atlas.
    slope, intercept : float
        Value = array * slope + intercept.
    names : dict
        Atlas: region name by label.
    value_range : (float, float)
        Smallest and largest finite value (of a sample for big volumes).
    original : Original, optional
        Where `array` is interpolated: the file's own voxels, which the read-out tells of.
    """

    key: str
    name: str
    role: Role
    array: Array
    look: Look
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    value_range: tuple[float, float] = (0.0, 1.0)
    names: dict[int, str] = field(default_factory=dict)
    source: str = ""
    original: Original | None = None

    def value(self, voxel: tuple[int, int, int]) -> float:
        """Return the value at a display voxel."""
        return float(self.array[voxel]) * self.slope + self.intercept

    def value_at(self, mm: Millimetres, grid: DisplayGrid) -> float:
        """Return the value of the file's own voxel at a point, never an interpolated one; NaN outside."""
        if self.original is not None:
            return self.original.at(mm) * self.slope + self.intercept
        voxel = grid.voxel(mm)
        return self.value(voxel) if grid.holds(voxel) else float("nan")


@dataclass(frozen=True)
class Options:
    """How all panes show the scene: radiological puts the patient's right on the left of the picture."""

    radiological: bool = True
    nose_left: bool = True
    crosshair: bool = True
    letters: bool = True
    scale_bar: bool = True
    colour_bar: bool = True
    tool: Literal["cursor", "length", "angle", "region"] = "cursor"
    region_shape: Literal["ellipse", "rectangle"] = "ellipse"
