"""What the keys of the panes do; the names of the methods are those of the table of shortcuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF

from sensiview.gui.viewer import window_level
from sensiview.gui.viewer.compositing import in_plane
from sensiview.gui.viewer.look_tables import range_of
from sensiview.gui.viewer.scene import Layer

if TYPE_CHECKING:
    from sensiview.gui.viewer.pane import Pane
    from sensiview.gui.viewer.viewer import VolumeViewer

_OPACITY_STEP = 0.1
_THRESHOLD_STEPS = 20


class KeyCommands:
    """Acts on a viewer and on the pane that the keys are about."""

    def __init__(self, viewer: VolumeViewer) -> None:
        self._viewer = viewer
        self._scene = viewer.scene

    def run(self, action: str, pane: Pane) -> None:
        """Do what an action of the table says."""
        getattr(self, action)(pane)

    def next_slice(self, pane: Pane) -> None:
        """One slice to the right, front or top."""
        self._scene.step(pane.axis, 1)

    def previous_slice(self, pane: Pane) -> None:
        """One slice back."""
        self._scene.step(pane.axis, -1)

    def ten_forward(self, pane: Pane) -> None:
        """Ten slices on."""
        self._scene.step(pane.axis, 10)

    def ten_back(self, pane: Pane) -> None:
        """Ten slices back."""
        self._scene.step(pane.axis, -10)

    def cursor_left(self, pane: Pane) -> None:
        """One voxel to the left of the picture."""
        self._move(pane, -1, 0)

    def cursor_right(self, pane: Pane) -> None:
        """One voxel to the right of the picture."""
        self._move(pane, 1, 0)

    def cursor_up(self, pane: Pane) -> None:
        """One voxel up."""
        self._move(pane, 0, 1)

    def cursor_down(self, pane: Pane) -> None:
        """One voxel down."""
        self._move(pane, 0, -1)

    def centre_cursor(self, _pane: Pane) -> None:
        """Crosshair to the middle."""
        grid = self._scene.grid
        self._scene.set_cursor(grid.mm(grid.voxel(grid.centre)))

    def origin(self, _pane: Pane) -> None:
        """Crosshair to 0 0 0 mm."""
        self._scene.set_cursor((0.0, 0.0, 0.0))

    def crosshair(self, _pane: Pane) -> None:
        """Show or hide the crosshair."""
        self._scene.set_options(crosshair=not self._scene.options.crosshair)

    def reset_view(self, pane: Pane) -> None:
        """Fit the slice into the pane."""
        pane.fit()
        pane.view_changed.emit()

    def reset_all(self, _pane: Pane) -> None:
        """Fit every pane."""
        self._viewer.reset_view()

    def zoom_in(self, pane: Pane) -> None:
        """Zoom in at the crosshair."""
        self._zoom(pane, 1.25)

    def zoom_out(self, pane: Pane) -> None:
        """Zoom out."""
        self._zoom(pane, 0.8)

    def enlarge_axial(self, _pane: Pane) -> None:
        """One pane alone, or all."""
        self._viewer.enlarge("axial")

    def enlarge_sagittal(self, _pane: Pane) -> None:
        """One pane alone, or all."""
        self._viewer.enlarge("sagittal")

    def enlarge_coronal(self, _pane: Pane) -> None:
        """One pane alone, or all."""
        self._viewer.enlarge("coronal")

    def enlarge_3d(self, _pane: Pane) -> None:
        """One pane alone, or all."""
        self._viewer.enlarge("3d")

    def all_panes(self, _pane: Pane) -> None:
        """Put the tool away; without one show all panes."""
        if self._scene.options.tool != "cursor":
            self._scene.set_options(tool="cursor")
        else:
            self._viewer.show_all_panes()

    def next_pane(self, pane: Pane) -> None:
        """The keys go to the next pane; an enlarged one makes room for it."""
        self._viewer.next_pane(pane)

    def radiological(self, _pane: Pane) -> None:
        """Switch the convention."""
        self._scene.set_options(radiological=not self._scene.options.radiological)

    def nose(self, _pane: Pane) -> None:
        """Turn the sagittal pane round."""
        self._scene.set_options(nose_left=not self._scene.options.nose_left)

    def auto_window(self, pane: Pane) -> None:
        """Window from the values of the active layer."""
        layer = self._scene.active
        if layer is not None and layer.role != "atlas":
            window_level.reset(self._scene, layer.key)
            pane.overlay.say(window_level.describe(self._scene.layer(layer.key)))

    def invert(self, _pane: Pane) -> None:
        """Invert the colours of the active layer."""
        layer = self._scene.active
        if layer is not None:
            self._scene.set_look(layer.key, inverted=not layer.look.inverted)

    def interpolation(self, _pane: Pane) -> None:
        """Smooth or sharp voxels, of all layers together."""
        layers = [layer for layer in self._scene.layers if layer.role != "atlas"]
        smooth = not all(layer.look.interpolate for layer in layers)
        for layer in layers:
            self._scene.set_look(layer.key, interpolate=smooth)

    def colour_bar(self, _pane: Pane) -> None:
        """Show or hide the colour bar."""
        self._scene.set_options(colour_bar=not self._scene.options.colour_bar)

    def overlays(self, _pane: Pane) -> None:
        """Show all overlays, or none."""
        above = self._above()
        shown = any(layer.look.visible for layer in above)
        for layer in above:
            self._scene.set_look(layer.key, visible=not shown)

    def less_opaque(self, pane: Pane) -> None:
        """Overlays more transparent."""
        self._fade(pane, -_OPACITY_STEP)

    def more_opaque(self, pane: Pane) -> None:
        """Overlays more opaque."""
        self._fade(pane, _OPACITY_STEP)

    def outline(self, _pane: Pane) -> None:
        """Borders only, or filled."""
        layers = [layer for layer in self._scene.layers if layer.role in ("mask", "atlas")]
        filled = not all(layer.look.outline for layer in layers)
        for layer in layers:
            self._scene.set_look(layer.key, outline=filled)

    def lower_threshold(self, pane: Pane) -> None:
        """Show more of the overlay."""
        self._raise_threshold(pane, -1)

    def higher_threshold(self, pane: Pane) -> None:
        """Show less of the overlay."""
        self._raise_threshold(pane, 1)

    def tool_length(self, _pane: Pane) -> None:
        """Take the ruler, or put it away."""
        self._take("length")

    def tool_angle(self, _pane: Pane) -> None:
        """Take the protractor, or put it away."""
        self._take("angle")

    def tool_region(self, _pane: Pane) -> None:
        """Draw regions, or stop that."""
        self._take("region")

    def delete_measurement(self, pane: Pane) -> None:
        """Remove what is being drawn, else the latest measurement."""
        if not pane.overlay.forget_draft() and self._scene.measurements:
            self._scene.remove_measurement(self._scene.measurements[-1])

    def _take(self, tool: Literal["length", "angle", "region"]) -> None:
        self._scene.set_options(tool="cursor" if self._scene.options.tool == tool else tool)

    def _move(self, pane: Pane, right: int, up: int) -> None:
        across, vertical = in_plane(pane.axis)
        if pane.view is not None and pane.view.mirrored:
            right = -right
        axis, step = (across, right) if right else (vertical, up)
        self._scene.step(_axis(axis), step)

    def _zoom(self, pane: Pane, factor: float) -> None:
        if pane.view is not None:
            pane.zoom(factor, QPointF(*pane.view.to_pixel(self._scene.cursor)))

    def _above(self) -> list[Layer]:
        return [layer for layer in self._scene.layers if layer.role != "underlay"]

    def _fade(self, pane: Pane, step: float) -> None:
        """Change the active overlay, or all of them when the underlay is active."""
        active = self._scene.active
        chosen = [active] if active is not None and active.role != "underlay" else self._above()
        for layer in chosen:
            opacity = round(min(1.0, max(0.0, layer.look.opacity + step)), 3)
            self._scene.set_look(layer.key, opacity=opacity)
            pane.overlay.say(f"{layer.name}: opacity {opacity:.0%}")

    def _raise_threshold(self, pane: Pane, steps: int) -> None:
        active = self._scene.active
        if active is None or active.role in ("underlay", "atlas"):
            active = next((layer for layer in reversed(self._above()) if layer.role != "atlas"), None)
        if active is None:
            return
        reach = max(abs(end) for end in range_of(active.look))
        threshold = min(max(active.look.threshold + steps * reach / _THRESHOLD_STEPS, 0.0), reach)
        self._scene.set_look(active.key, threshold=threshold)
        pane.overlay.say(f"{active.name}: threshold {threshold:.3g} {active.unit}".rstrip())


def _axis(number: int) -> Literal[0, 1, 2]:
    return 0 if number == 0 else 1 if number == 1 else 2
