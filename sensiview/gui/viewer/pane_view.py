"""Where a pane looks: from millimetres of the patient to pixels of the widget and back.

Between the two lie canvas millimetres: to the right and downwards as seen, the same scale as the patient's. Both
canvases draw in them, so that pictures, crosshair and mouse never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sensiview.gui.viewer.compositing import in_plane, is_mirrored
from sensiview.gui.viewer.scene import Axis, DisplayGrid, Millimetres, Options

_MARGIN = 0.94  # of the widget is filled when a slice fits
_LEAST, _MOST = 0.02, 200.0  # pixels per mm


@dataclass(frozen=True)
class PaneView:
    """The view of one plane.

    Parameters
    ----------
    axis : int
        The axis that the slice lies across.
    centre : (float, float)
        RAS mm along the plane's horizontal and vertical axis, in the middle of the widget.
    zoom : float
        Pixels per mm.
    size : (int, int)
        Width and height of the widget in pixels.
    mirrored : bool
        The high end of the horizontal axis is on the left.
    """

    axis: Axis
    centre: tuple[float, float]
    zoom: float
    size: tuple[int, int]
    mirrored: bool

    @property
    def canvas_centre(self) -> tuple[float, float]:
        """The middle of the widget in canvas mm (right, down)."""
        return self._right(self.centre[0]), -self.centre[1]

    def to_pixel(self, mm: Millimetres) -> tuple[float, float]:
        """Return where a point of the patient is seen, x to the right and y down."""
        across, up = in_plane(self.axis)
        x = (self._right(mm[across]) - self._right(self.centre[0])) * self.zoom + self.size[0] / 2
        y = (self.centre[1] - mm[up]) * self.zoom + self.size[1] / 2
        return x, y

    def to_mm(self, x: float, y: float, cursor: Millimetres) -> Millimetres:
        """Return the point of the patient at a pixel, in the slice of the cursor."""
        across, up = in_plane(self.axis)
        found = list(cursor)
        found[across] = self._right(self._right(self.centre[0]) + (x - self.size[0] / 2) / self.zoom)
        found[up] = self.centre[1] - (y - self.size[1] / 2) / self.zoom
        return found[0], found[1], found[2]

    def picture_place(self, grid: DisplayGrid) -> tuple[float, float, float, float]:
        """Return left, top, width and height of the whole slice in canvas mm, outer edges of the outer voxels."""
        across, up = in_plane(self.axis)
        width, height = grid.shape[across] * grid.spacing[across], grid.shape[up] * grid.spacing[up]
        low = grid.origin[across] - grid.spacing[across] / 2
        left = -(low + width) if self.mirrored else low
        top = -(grid.origin[up] - grid.spacing[up] / 2 + height)
        return left, top, width, height

    def zoomed(self, factor: float, x: float, y: float) -> PaneView:
        """Return the view enlarged about a pixel, which keeps showing the same point."""
        zoom = min(max(self.zoom * factor, _LEAST), _MOST)
        across, up = in_plane(self.axis)
        fixed = self.to_mm(x, y, (0.0, 0.0, 0.0))
        nearer = replace(self, zoom=zoom)
        moved = nearer.to_mm(x, y, (0.0, 0.0, 0.0))
        centre = self.centre[0] + fixed[across] - moved[across], self.centre[1] + fixed[up] - moved[up]
        return replace(nearer, centre=centre)

    def moved(self, dx: float, dy: float) -> PaneView:
        """Return the view with the picture pushed by pixels."""
        sign = -1.0 if self.mirrored else 1.0
        return replace(self, centre=(self.centre[0] - sign * dx / self.zoom, self.centre[1] + dy / self.zoom))

    @property
    def edges(self) -> tuple[str, str, str, str]:
        """Letters at the left, right, top and bottom edge."""
        high, low = ("A", "P") if self.axis == 0 else ("R", "L")
        left, right = (high, low) if self.mirrored else (low, high)
        top, bottom = ("A", "P") if self.axis == 2 else ("S", "I")
        return left, right, top, bottom

    def _right(self, mm: float) -> float:
        return -mm if self.mirrored else mm


def fitted(axis: Axis, grid: DisplayGrid, options: Options, size: tuple[int, int]) -> PaneView:
    """Return the view that shows the whole slice."""
    across, up = in_plane(axis)
    width, height = grid.shape[across] * grid.spacing[across], grid.shape[up] * grid.spacing[up]
    zoom = _MARGIN * min(max(size[0], 1) / width, max(size[1], 1) / height)
    middle = grid.centre
    zoom = min(max(zoom, _LEAST), _MOST)
    return PaneView(axis, (middle[across], middle[up]), zoom, size, is_mirrored(axis, options))
