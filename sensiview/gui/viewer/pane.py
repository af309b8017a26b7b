"""One plane of the scene: a canvas with the composited slice, and the overlay on top."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from sensiview.gui.viewer.canvas_choice import Canvas, Kind, make_canvas
from sensiview.gui.viewer.compositing import Picture, compose, in_plane, is_mirrored
from sensiview.gui.viewer.corner_texts import PLANES
from sensiview.gui.viewer.pane_overlay import PaneOverlay
from sensiview.gui.viewer.pane_painting import paint
from sensiview.gui.viewer.pane_view import PaneView, fitted
from sensiview.gui.viewer.scene import Axis, Layer, Millimetres, Scene


class Pane(QWidget):
    """Shows the slice of the cursor across one axis.

    Signals
    -------
    view_changed()
        Zoomed or pushed by the user.
    enlarge_asked()
        Double click.
    command(str)
        A key of the table of shortcuts.
    hovered(object)
        RAS mm under the mouse.
    menu_asked(QPoint)
        Right click, global.
    focused()
        The keys are about this pane now.
    """

    view_changed = Signal()
    enlarge_asked = Signal()
    command = Signal(str)
    hovered = Signal(object)
    menu_asked = Signal(QPoint)
    focused = Signal()

    def __init__(self, scene: Scene, axis: Axis, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = scene
        self.axis = axis
        self.has_colour_bar = False
        plane = PLANES[axis]
        self.setObjectName(f"viewer_{plane.lower()}")
        self.setAccessibleName(f"{plane} slice")
        self.setMinimumSize(120, 120)
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), QColor("#000000"))
        self.setPalette(palette)
        self.view: PaneView | None = None
        self._fits = True
        self._shown: tuple[Any, ...] = ()
        self._picture: Picture | None = None
        self._canvas: QWidget | None = None
        self.overlay = PaneOverlay(self)
        self.overlay.setObjectName(f"{self.objectName()}_overlay")
        self.overlay.setAccessibleName(f"{plane} slice: arrows move the crosshair, page keys change the slice")
        self.setFocusProxy(self.overlay)
        # Several changes within one event are drawn once.
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.refresh)
        for signal in (
            scene.layers_changed, scene.look_changed, scene.options_changed, scene.measurements_changed,
            scene.active_changed,
        ):  # fmt: skip
            signal.connect(self._schedule)
        scene.cursor_changed.connect(self._follow)
        scene.grid_changed.connect(self.fit)
        self.set_canvas(kind)

    def set_canvas(self, kind: Kind) -> None:
        """Draw on another canvas; what is seen stays."""
        if self._canvas is not None:
            self._drawn.dispose()
            self._canvas.deleteLater()
        self._canvas = make_canvas(kind, self)
        self._canvas.setGeometry(self.rect())
        self._canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas.show()
        self.overlay.raise_()
        self._shown = ()
        if self._picture is not None and self.view is not None:
            self._drawn.show_picture(self._picture, self.view.picture_place(self.scene.grid))
            self._drawn.show_view(self.view)
        self._schedule()

    def dispose(self) -> None:
        """Free the canvas; called before the pane is deleted."""
        self._later.stop()
        if self._canvas is not None:
            self._drawn.dispose()

    @property
    def _drawn(self) -> Canvas:
        return cast("Canvas", self._canvas)

    @property
    def fits(self) -> bool:
        """Whether the view follows the size of the pane."""
        return self._fits

    def sizeHint(self) -> QSize:
        """Return a size in which a head is well seen."""
        return QSize(420, 360)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Canvas and overlay fill the pane; a fitted view fits again."""
        for child in (self._canvas, self.overlay):
            if child is not None:
                child.setGeometry(self.rect())
        self._resize_view()
        if self.view is not None:
            self._drawn.show_view(self.view)
        self._schedule()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what changed while the pane was hidden."""
        super().showEvent(event)
        self._schedule()

    def fit(self) -> None:
        """Show the whole slice."""
        self._fits = True
        self._resize_view()
        self._schedule()

    def zoom(self, factor: float, at: QPointF) -> None:
        """Enlarge about a pixel."""
        if self.view is not None:
            self.set_view(self.view.zoomed(factor, at.x(), at.y()))

    def push(self, dx: float, dy: float) -> None:
        """Push the picture by pixels."""
        if self.view is not None:
            self.set_view(self.view.moved(dx, dy))

    def look_at(self, centre: tuple[float, float], zoom: float) -> None:
        """Show a place (RAS mm along the plane's two axes) at a scale; nobody is told."""
        if self.view is not None:
            self._fits = False
            self.view = replace(self.view, centre=centre, zoom=zoom)
            self._schedule()

    def set_view(self, view: PaneView) -> None:
        """Show another part, and say so."""
        self._fits = False
        self.view = view
        self._schedule()
        self.view_changed.emit()

    def mm_at(self, at: QPointF) -> Millimetres:
        """Return the point of the patient at a pixel of the pane."""
        if self.view is None:
            return self.scene.cursor
        return self.view.to_mm(at.x(), at.y(), self.scene.cursor)

    def point_at(self, at: QPointF) -> None:
        """Move the crosshair to a pixel."""
        self.scene.set_cursor(self.mm_at(at))

    def refresh(self) -> None:
        """Draw now what has changed."""
        self._later.stop()
        if not self.isVisible():
            self._shown = ()
            return
        if self.view is None or self.view.mirrored != is_mirrored(self.axis, self.scene.options):
            self._resize_view()
        view = self.view
        if view is None or self._canvas is None:
            return
        key = self._picture_key(view)
        if key != self._shown:
            self._picture = self._compose(view, self._detail(view))
            self._drawn.show_picture(self._picture, view.picture_place(self.scene.grid))
            self._shown = key
        self._drawn.show_view(view)
        self.overlay.update()

    def draw(self, painter: QPainter, *, clean: bool, scale: float = 1.0) -> None:
        """Draw the pane as it is seen, `scale` times as large; `clean` leaves everything but the slice out."""
        view = self.view or fitted(self.axis, self.scene.grid, self.scene.options, (self.width(), self.height()))
        picture = self._compose(view, max(1, math.ceil(self._detail(view) * scale)))
        rows, columns = picture.shape[:2]
        image = QImage(picture.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        left, top, width, height = view.picture_place(self.scene.grid)
        middle = view.canvas_centre
        painter.save()
        painter.scale(scale, scale)
        painter.setClipRect(QRectF(0, 0, *view.size))
        painter.fillRect(QRectF(0, 0, *view.size), QColor("#000000"))
        x = (left - middle[0]) * view.zoom + view.size[0] / 2
        y = (top - middle[1]) * view.zoom + view.size[1] / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(QRectF(x, y, width * view.zoom, height * view.zoom), image)
        if not clean:
            what = replace(self.overlay.decorations(), active=False, message="")
            paint(painter, self.scene, view, what, self.overlay.drawing_font())
        painter.restore()

    def _compose(self, view: PaneView, detail: int) -> Picture:
        scene = self.scene
        index = scene.cursor_voxel[self.axis]
        return compose(scene.layers, scene.grid, self.axis, index, mirrored=view.mirrored, detail=detail)

    def _picture_key(self, view: PaneView) -> tuple[Any, ...]:
        """What the picture depends on; layers are immutable, so their identity is enough."""
        layers: tuple[Layer, ...] = tuple(layer for layer in self.scene.layers if layer.look.visible)
        fine = any(layer.look.outline or layer.look.interpolate for layer in layers)
        detail = self._detail(view) if fine else 1
        return (self.scene.grid, self.scene.cursor_voxel[self.axis], view.mirrored, detail, *layers)

    def _detail(self, view: PaneView) -> int:
        across, up = in_plane(self.axis)
        least = min(self.scene.grid.spacing[across], self.scene.grid.spacing[up])
        return max(1, min(8, math.ceil(view.zoom * least * self.devicePixelRatioF() - 0.01)))

    def _resize_view(self) -> None:
        size = self.width(), self.height()
        options = self.scene.options
        if self._fits or self.view is None:
            self.view = fitted(self.axis, self.scene.grid, options, size)
        else:
            self.view = replace(self.view, size=size, mirrored=is_mirrored(self.axis, options))

    def _schedule(self) -> None:
        self._later.start()

    def _follow(self) -> None:
        """Keep the crosshair in sight when another pane moves it."""
        view = self.view
        if view is not None and not self._fits:
            x, y = view.to_pixel(self.scene.cursor)
            if not (0 <= x <= view.size[0] and 0 <= y <= view.size[1]):
                across, up = in_plane(self.axis)
                cursor = self.scene.cursor
                self.view = replace(view, centre=(cursor[across], cursor[up]))
        self._schedule()
