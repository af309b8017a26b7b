"""The transparent widget on top of a pane: takes every event of mouse and keyboard, and draws over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from sensiview.gui.viewer import window_level
from sensiview.gui.viewer.corner_texts import fitted_font
from sensiview.gui.viewer.pane_painting import Decorations, paint
from sensiview.gui.viewer.scene import Measurement, Millimetres
from sensiview.gui.viewer.shortcut_table import action_of

if TYPE_CHECKING:
    from sensiview.gui.viewer.pane import Pane

Drag = Literal["", "cursor", "pan", "window", "measure"]
_ZOOM_STEP = 1.2
_NOTCH = 120  # of a wheel


class PaneOverlay(QWidget):
    """Turns gestures into changes of the scene and of the pane's view."""

    def __init__(self, pane: Pane) -> None:
        super().__init__(pane)
        self._pane = pane
        self._scene = pane.scene
        self._drag: Drag = ""
        self._last = QPointF()
        self._pressed = QPointF()
        self._turned = 0  # of the wheel, below a whole notch
        self._points: tuple[Millimetres, ...] = ()
        self._message = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw letters, crosshair and all the rest."""
        view = self._pane.view
        if view is None:
            return
        painter = QPainter(self)
        paint(painter, self._scene, view, self.decorations(), self.drawing_font())
        painter.end()

    def decorations(self) -> Decorations:
        """Return what this pane draws over its picture now."""
        return Decorations(self._pane.has_colour_bar, self.hasFocus(), self._message, self._draft())

    def drawing_font(self) -> QFont:
        """Return the font of the texts, smaller in a small pane."""
        return fitted_font(QApplication.font(), (self.width(), self.height()))

    def say(self, message: str) -> None:
        """Show a line at the bottom until the next gesture."""
        if message != self._message:
            self._message = message
            self.update()

    def forget_draft(self) -> bool:
        """Drop a measurement that is not complete; say whether there was one."""
        had, self._points = bool(self._points), ()
        self.update()
        return had

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin what button and tool say."""
        self._last = self._pressed = event.position()
        button, shift = event.button(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.say("")
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and shift):
            self._drag = "pan"
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif button == Qt.MouseButton.RightButton:
            self._drag = "window"
        elif button == Qt.MouseButton.LeftButton and self._scene.options.tool != "cursor":
            self._drag = "measure"
            self._begin_or_go_on(event.position())
        elif button == Qt.MouseButton.LeftButton:
            self._drag = "cursor"
            self._pane.point_at(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it; without a button say where the mouse is."""
        here = event.position()
        step, self._last = here - self._last, here
        if self._drag == "cursor":
            self._pane.point_at(here)
        elif self._drag == "pan":
            self._pane.push(step.x(), step.y())
        elif self._drag == "window":
            self._change_window(step)
        elif self._points:
            self._points = (*self._points[:-1], self._pane.mm_at(here))
            self.update()
        if not self._drag:
            self._pane.hovered.emit(self._pane.mm_at(here))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it; a right click that did not move asks for the menu."""
        still = (event.position() - self._pressed).manhattanLength() < QApplication.startDragDistance()
        if self._drag == "measure" and not still and self._scene.options.tool != "angle":
            self._finish()
        elif self._drag == "window" and still:
            self._pane.menu_asked.emit(self.mapToGlobal(event.position().toPoint()))
        if self._drag == "pan":
            self.setCursor(Qt.CursorShape.CrossCursor)
        self._drag = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Enlarge the pane, or show all again."""
        if event.button() == Qt.MouseButton.LeftButton and not self._points:
            self._pane.enlarge_asked.emit()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices; with Ctrl zoom about the mouse."""
        # A touch pad sends many small turns.
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        event.accept()
        if not notches:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._pane.zoom(_ZOOM_STEP**notches, event.position())
        else:
            self._scene.step(self._pane.axis, notches)

    def event(self, event: QEvent) -> bool:
        """Claim the panes' keys before the window's menus do."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and action_of(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the table of shortcuts says; other keys belong to the window."""
        if event.key() == Qt.Key.Key_Escape and self.forget_draft():
            return
        action = action_of(event)
        if action:
            self._pane.command.emit(action)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which pane the keys are about."""
        super().focusInEvent(event)
        self._pane.focused.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that it is another one."""
        super().focusOutEvent(event)
        self.update()

    def _change_window(self, step: QPointF) -> None:
        layer = self._scene.active
        if layer is None or layer.role == "atlas":
            return
        self._scene.set_look(layer.key, **window_level.dragged(layer, step.x(), step.y()))
        self.say(window_level.describe(self._scene.layer(layer.key)))

    def _begin_or_go_on(self, at: QPointF) -> None:
        """Put the next point; the one behind it follows the mouse."""
        point = self._pane.mm_at(at)
        needed = 3 if self._scene.options.tool == "angle" else 2
        if not self._points:
            self._points = (point, point)
        elif len(self._points) < needed:
            self._points = (*self._points[:-1], point, point)
        else:
            self._points = (*self._points[:-1], point)
            self._finish()
        self.update()

    def _finish(self) -> None:
        draft, self._points = self._draft(), ()
        if draft is not None and draft.points[0] != draft.points[1]:
            self._scene.add_measurement(draft)
        self.update()

    def _draft(self) -> Measurement | None:
        options = self._scene.options
        if not self._points or options.tool == "cursor":
            return None
        kind = options.region_shape if options.tool == "region" else options.tool
        return Measurement(kind, self._points, self._pane.axis)
