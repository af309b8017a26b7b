"""Everything of napari: a canvas for pictures and one for volumes, of `ViewerModel` and `QtViewer` alone.

napari draws with OpenGL; which slice, which colours and which view it shows is said by us. Its own mouse and key
bindings never see an event of a 2-D pane, since a transparent widget lies on top; in 3-D its camera turns the volume.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QWidget

from sensiview import locations
from sensiview.gui.garbage import set_aside
from sensiview.gui.viewer.compositing import Array, Picture
from sensiview.gui.viewer.pane_view import PaneView

if TYPE_CHECKING:
    from sensiview.gui.viewer.volume_bricks import Brick, Look3D

_lock = threading.Lock()
_ready = threading.Event()


def prepare() -> None:
    """Import napari and what it imports late; makes no Qt object, so it may run in a thread.

    Seconds: the window stays usable meanwhile, since Python switches threads.
    """
    with _lock:
        if _ready.is_set():
            return
        locations.lend_caches()
        # napari keeps settings in a file of its own; ours must not be changed by what a user set in napari.
        os.environ.setdefault("NAPARI_CONFIG", str(locations.settings_file().with_name("napari.yaml")))
        with warnings.catch_warnings():
            # What napari's packages warn each other about is nothing that a user of ours can change.
            warnings.simplefilter("ignore")
            import napari.components
            import napari.layers
            import napari.qt

            # The first layer imports xarray and reads a table of units.
            napari.layers.Image(np.zeros((2, 2, 3), np.uint8), rgb=True)
            napari.layers.Image(np.zeros((2, 2, 2), np.float32))
        set_aside()
        _ready.set()


def is_prepared() -> bool:
    """Say whether napari is imported."""
    return _ready.is_set()


class _NapariWidget(QWidget):
    """A `QtViewer` without its sliders and buttons, its canvas exactly as large as this widget."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        prepare()
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        self.model: Any = ViewerModel()
        spread = Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles
        before = QCoreApplication.testAttribute(spread)
        self.viewer: Any = QtViewer(self.model, show_welcome_screen=False)
        # QtViewer sets it for the whole application, where it would change fonts of other widgets.
        QCoreApplication.setAttribute(spread, before)
        self.viewer.setParent(self)
        self.viewer.setAcceptDrops(False)
        self.canvas: QWidget = self.viewer.canvas.native
        around = self.canvas.parentWidget().layout()
        around.setContentsMargins(0, 0, 0, 0)
        around.removeWidget(self.viewer.dims)
        self.viewer.dims.hide()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewer.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.model.theme = "dark"
        self._disposed = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The canvas is as large as this widget."""
        self.viewer.setGeometry(self.rect())

    def dispose(self) -> None:
        """Free the graphics memory; the widget is of no use afterwards."""
        if self._disposed:
            return
        self._disposed = True
        self.model.layers.clear()
        self.viewer.close()


class NapariCanvas(_NapariWidget):
    """Shows one picture at a place in canvas mm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        blank = np.zeros((2, 2, 3), np.uint8)
        self._layer: Any = self.model.add_image(blank, rgb=True, interpolation2d="nearest", name="slice")
        self.model.scene.camera.mouse_pan = False
        self.model.scene.camera.mouse_zoom = False

    def show_picture(self, picture: Picture, place: tuple[float, float, float, float]) -> None:
        """Show a picture (rows, columns, 3) with its outer edges at left, top, width, height in canvas mm."""
        left, top, width, height = place
        rows, columns = picture.shape[:2]
        scale = (height / rows, width / columns)
        corner = (top + scale[0] / 2, left + scale[1] / 2)
        shown = self._layer.data
        if shown.shape == picture.shape:
            # In place: new data would make napari measure the layer and draw a thumbnail, at three times the cost.
            np.copyto(shown, picture)
            self._layer.refresh(thumbnail=False, highlight=False, extent=False, force=True)
        else:
            self._layer.data = picture.copy()
        if tuple(self._layer.scale) != scale:
            self._layer.scale = scale
        if tuple(self._layer.translate) != corner:
            self._layer.translate = corner

    def show_view(self, view: PaneView) -> None:
        """Show another part, or at another size."""
        right, down = view.canvas_centre
        camera = self.model.scene.camera
        if tuple(camera.center[-2:]) != (down, right):
            camera.center = (0.0, down, right)
        if camera.zoom != view.zoom:
            camera.zoom = view.zoom


class NapariVolume(_NapariWidget):
    """Shows bricks of voxels from any side.

    Signals
    -------
    turned()
        The camera has moved.
    """

    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model.dims.ndisplay = 3
        # Axes (S, A, R) make a right-handed frame only where depth runs away from who looks; else left is right.
        self.model.scene.camera.orientation = ("away", "down", "right")
        self.on_double_click: Callable[[], None] = lambda: None
        self.canvas.installEventFilter(self)
        self.model.scene.camera.events.angles.connect(self._turned)

    def dispose(self) -> None:
        """Free the graphics memory."""
        if not self._disposed:
            self.model.scene.camera.events.angles.disconnect(self._turned)
            self.canvas.removeEventFilter(self)
        super().dispose()

    def show_bricks(self, bricks: list[Brick]) -> None:
        """Show these instead of what is shown; the camera stays."""
        names = [brick.key for brick in bricks]
        for layer in list(self.model.layers):
            if layer.name not in names:
                self.model.layers.remove(layer)
        for brick in bricks:
            if brick.key in self.model.layers:
                layer = self.model.layers[brick.key]
                if layer.data is not brick.values:
                    layer.data = brick.values
                layer.scale, layer.translate = brick.scale, brick.corner
            else:
                layer = self.model.add_image(
                    brick.values, name=brick.key, scale=brick.scale, translate=brick.corner, contrast_limits=(0, 255),
                    interpolation3d="linear",
                )  # fmt: skip
            self._dress(layer, brick.look)
        order = {name: place for place, name in enumerate(names)}
        if [layer.name for layer in self.model.layers] != names:
            for name in names:
                self.model.layers.move(self.model.layers.index(name), order[name])

    def _dress(self, layer: Any, look: Look3D) -> None:
        from napari.utils.colormaps import Colormap

        layer.colormap = Colormap(look.colours, name=f"{look.name}", interpolation="linear")
        layer.rendering = look.rendering
        layer.blending = "translucent_no_depth"
        if look.rendering == "iso":
            layer.iso_threshold = look.threshold
            layer.blending = "translucent"
        layer.opacity = look.opacity

    def cut(self, planes: list[dict[str, Any]], names: list[str]) -> None:
        """Cut what lies behind planes (position and normal in mm along S, A, R) away from the layers of these names."""
        for layer in self.model.layers:
            wanted = planes if layer.name in names else []
            # napari's planes are in voxels.
            layer.experimental_clipping_planes = [
                {
                    "position": tuple((np.array(plane["position"]) - layer.translate) / layer.scale),
                    "normal": tuple(np.array(plane["normal"]) * layer.scale),
                    "enabled": True,
                }
                for plane in wanted
            ]

    def look_from(self, direction: tuple[float, float, float], up: tuple[float, float, float]) -> None:
        """Turn the camera; both along S, A, R."""
        self.model.scene.camera.set_view_direction(direction, up)

    def aim(self, centre: tuple[float, float, float], zoom: float) -> None:
        """Put a place (mm along S, A, R) into the middle, at pixels per mm."""
        camera = self.model.scene.camera
        camera.center, camera.zoom = centre, zoom

    def enlarge(self, factor: float) -> None:
        """Zoom in by a factor."""
        self.model.scene.camera.zoom *= factor

    @property
    def directions(self) -> tuple[Array, Array]:
        """Unit vectors (depth, down, right) of the layers' world: into the screen, and up on it."""
        camera = self.model.scene.camera
        return np.array(camera.view_direction), np.array(camera.up_direction)

    @property
    def camera_state(self) -> dict[str, Any]:
        """Angles and zoom, JSON values."""
        camera = self.model.scene.camera
        return {"angles": [float(a) for a in camera.angles], "zoom": float(camera.zoom)}

    def picture(self) -> QImage:
        """Return what is seen, in device pixels."""
        pixels = np.ascontiguousarray(self.viewer.screenshot(flash=False))
        rows, columns = pixels.shape[:2]
        return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click enlarges the pane."""
        if watched is self.canvas and event.type() == QEvent.Type.MouseButtonDblClick:
            self.on_double_click()
            return True
        return False

    def _turned(self, _event: object = None) -> None:
        self.turned.emit()
