"""What a viewer shows and where it looks, without drawing anything.

All panes, panels and linked viewers share one `Scene`: they change it through its methods and draw on its signals.
Arrays of layers lie on the scene's display grid: voxel axes to the right, anterior and superior (RAS), so that a
slice is a plain numpy slice and no drawing code ever meets an affine.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

Array = npt.NDArray[Any]
Millimetres = tuple[float, float, float]
Axis = Literal[0, 1, 2]  # across right (sagittal), anterior (coronal), superior (axial)
SAGITTAL, CORONAL, AXIAL = 0, 1, 2
Role = Literal["underlay", "overlay", "mask", "atlas"]


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

    def value(self, voxel: tuple[int, int, int]) -> float:
        """Return the value at a display voxel."""
        return float(self.array[voxel]) * self.slope + self.intercept


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


class Scene(QObject):
    """Layers, cursor and options of one viewer.

    Signals
    -------
    layers_changed()
        A layer was added, removed, moved, or its array replaced.
    look_changed(str)
        Another look of the layer of that key.
    cursor_changed()
        The cursor moved.
    options_changed()
        Radiological, letters, tool, ...
    grid_changed()
        Another volume: panes fit it anew.
    """

    layers_changed = Signal()
    look_changed = Signal(str)
    cursor_changed = Signal()
    options_changed = Signal()
    grid_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.grid = DisplayGrid((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
        self.layers: tuple[Layer, ...] = ()  # bottom first
        self.cursor: Millimetres = (0.0, 0.0, 0.0)
        self.options = Options()
        self.title = ""
        # Voxel (i, j, k) of the file from RAS mm, for the read-out; identity where there is no file.
        self.to_file_voxel: npt.NDArray[np.float64] = np.eye(4)

    def show(self, grid: DisplayGrid, layers: tuple[Layer, ...], *, title: str = "", keep_cursor: bool = True) -> None:
        """Show another volume with its layers; the cursor stays at its millimetres where they lie inside."""
        same = grid == self.grid
        self.grid, self.layers, self.title = grid, layers, title
        inside = keep_cursor and grid.holds(grid.voxel(self.cursor))
        if not inside:
            self.cursor = grid.mm(grid.voxel(grid.centre))
        if not same:
            self.grid_changed.emit()
        self.layers_changed.emit()
        self.cursor_changed.emit()

    def layer(self, key: str) -> Layer:
        """Return a layer; KeyError when there is none."""
        for layer in self.layers:
            if layer.key == key:
                return layer
        raise KeyError(key)

    def set_layer(self, layer: Layer) -> None:
        """Put a layer in the place of the one with its key, or on top."""
        keys = [known.key for known in self.layers]
        if layer.key in keys:
            self.layers = tuple(layer if known.key == layer.key else known for known in self.layers)
        else:
            self.layers = (*self.layers, layer)
        self.layers_changed.emit()

    def remove_layer(self, key: str) -> None:
        """Take a layer away."""
        self.layers = tuple(layer for layer in self.layers if layer.key != key)
        self.layers_changed.emit()

    def move_layer(self, key: str, place: int) -> None:
        """Put a layer at a place, 0 at the bottom."""
        moved = self.layer(key)
        others = [layer for layer in self.layers if layer.key != key]
        others.insert(place, moved)
        self.layers = tuple(others)
        self.layers_changed.emit()

    def set_look(self, key: str, **changes: Any) -> None:
        """Change how a layer is drawn; fields as of `Look`."""
        old = self.layer(key)
        look = replace(old.look, **changes)
        if look == old.look:
            return
        new = replace(old, look=look)
        self.layers = tuple(new if layer.key == key else layer for layer in self.layers)
        self.look_changed.emit(key)

    def set_cursor(self, mm: Millimetres) -> None:
        """Look at a point; outside the grid it is moved to the nearest voxel inside."""
        voxel = tuple(min(max(v, 0), n - 1) for v, n in zip(self.grid.voxel(mm), self.grid.shape, strict=True))
        point = mm if voxel == self.grid.voxel(mm) else self.grid.mm((voxel[0], voxel[1], voxel[2]))
        if point != self.cursor:
            self.cursor = point
            self.cursor_changed.emit()

    def step(self, axis: Axis, slices: int) -> None:
        """Move the cursor by whole slices across `axis`; stops at the edge."""
        voxel = list(self.cursor_voxel)
        voxel[axis] = min(max(voxel[axis] + slices, 0), self.grid.shape[axis] - 1)
        self.set_cursor(self.grid.mm((voxel[0], voxel[1], voxel[2])))

    @property
    def cursor_voxel(self) -> tuple[int, int, int]:
        """The display voxel under the cursor."""
        return self.grid.voxel(self.cursor)

    @property
    def file_voxel(self) -> tuple[int, int, int]:
        """The voxel (i, j, k) of the file under the cursor."""
        i, j, k = (int(np.floor(v + 0.5)) for v in (self.to_file_voxel @ np.array([*self.cursor, 1.0]))[:3])
        return i, j, k

    def set_options(self, **changes: Any) -> None:
        """Change what all panes share; fields as of `Options`."""
        options = replace(self.options, **changes)
        if options != self.options:
            self.options = options
            self.options_changed.emit()
