"""What a viewer shows and where it looks, without drawing anything.

All panes, panels and linked viewers share one `Scene`: they change it through its methods and draw on its signals.
Arrays of layers lie on the scene's display grid: voxel axes to the right, anterior and superior (RAS), so that a
slice is a plain numpy slice and no drawing code ever meets an affine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from sensiview.gui.viewer.layer import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    Array,
    Axis,
    DisplayGrid,
    Layer,
    Look,
    Measurement,
    Millimetres,
    Options,
    Original,
    Role,
)

__all__ = [
    "AXIAL", "CORONAL", "SAGITTAL", "Array", "Axis", "DisplayGrid", "Layer", "Look", "Measurement", "Millimetres",
    "Options", "Original", "Role", "Scene",
]  # fmt: skip


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
    active_changed()
        Another layer is the one that window/level and the keys are about.
    measurements_changed()
        A length, angle or region was drawn, changed or removed.
    """

    layers_changed = Signal()
    look_changed = Signal(str)
    cursor_changed = Signal()
    options_changed = Signal()
    grid_changed = Signal()
    active_changed = Signal()
    measurements_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.grid = DisplayGrid((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
        self.layers: tuple[Layer, ...] = ()  # bottom first
        self.cursor: Millimetres = (0.0, 0.0, 0.0)
        self.options = Options()
        self.title = ""
        # Voxel (i, j, k) of the file from RAS mm, for the read-out; identity where there is no file.
        self.to_file_voxel: npt.NDArray[np.float64] = np.eye(4)
        self.measurements: tuple[Measurement, ...] = ()
        self._active = ""

    def show(
        self,
        grid: DisplayGrid,
        layers: tuple[Layer, ...],
        *,
        title: str = "",
        keep_cursor: bool = True,
        to_file_voxel: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Show another volume with its layers; the cursor stays at its millimetres where they lie inside.

        Without `to_file_voxel` (mm to the file's voxel) the read-out counts display voxels.
        """
        same = grid == self.grid
        self.grid, self.layers, self.title = grid, layers, title
        voxels = np.linalg.inv(grid.affine) if to_file_voxel is None else to_file_voxel
        self.to_file_voxel = np.asarray(voxels, dtype=np.float64)
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

    @property
    def active(self) -> Layer | None:
        """The layer that window/level and the keys change: the chosen one, else the lowest underlay."""
        for layer in self.layers:
            if layer.key == self._active:
                return layer
        return next((layer for layer in self.layers if layer.role == "underlay"), None)

    def set_active(self, key: str) -> None:
        """Choose the layer that window/level and the keys change; empty for the underlay."""
        if key != self._active:
            self._active = key
            self.active_changed.emit()

    def set_measurements(self, measurements: tuple[Measurement, ...]) -> None:
        """Show these lengths, angles and regions."""
        self.measurements = measurements
        self.measurements_changed.emit()

    def add_measurement(self, measurement: Measurement) -> None:
        """Show one more."""
        self.set_measurements((*self.measurements, measurement))

    def remove_measurement(self, measurement: Measurement) -> None:
        """Take one away."""
        self.set_measurements(tuple(known for known in self.measurements if known is not measurement))
