"""Which canvas draws the panes: napari where OpenGL works, else pyqtgraph."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
from PySide6.QtWidgets import QWidget

from sensiview.gui.viewer.compositing import Picture
from sensiview.gui.viewer.pane_view import PaneView

Kind = Literal["napari", "pyqtgraph"]
VARIABLE = "SENSIVIEW_CANVAS"


class Canvas(Protocol):
    """What a pane draws on; a `QWidget` as well."""

    def show_picture(self, picture: Picture, place: tuple[float, float, float, float]) -> None:
        """Show a picture with its outer edges at left, top, width, height in canvas mm."""

    def show_view(self, view: PaneView) -> None:
        """Show another part, or at another size."""

    def dispose(self) -> None:
        """Free what the widget holds."""


@dataclass(frozen=True)
class CanvasChoice:
    """The canvas, and a sentence on why where it is not napari."""

    kind: Kind
    sentence: str = ""


def choose_canvas(wanted: str = "") -> CanvasChoice:
    """Return the canvas for this machine; `wanted` or SENSIVIEW_CANVAS (napari, pyqtgraph) forces one."""
    wanted = (wanted or os.environ.get(VARIABLE, "")).strip().lower()
    if wanted == "pyqtgraph":
        return CanvasChoice("pyqtgraph", "Panes are drawn without OpenGL, as chosen; there is no 3-D view.")
    problem = opengl_problem()
    if problem:
        return CanvasChoice("pyqtgraph", f"{problem} Panes are drawn without it; there is no 3-D view.")
    return CanvasChoice("napari")


def opengl_problem() -> str:
    """Return why OpenGL can't be used here; empty where it can."""
    app = QGuiApplication.instance()
    # Drawn into memory there are contexts on some systems, but no window to draw them in.
    platform = QGuiApplication.platformName() if isinstance(app, QGuiApplication) else ""
    if platform in ("offscreen", "minimal", "vnc"):
        return f"Windows of the kind '{platform}' have no OpenGL."
    return _context_problem()


@cache
def _context_problem() -> str:
    context = QOpenGLContext()
    if not context.create():
        return "This machine offers no OpenGL."
    surface = QOffscreenSurface()
    surface.create()
    if not context.makeCurrent(surface):
        return "OpenGL was found, but nothing can be drawn with it."
    version = context.format().version()
    context.doneCurrent()
    if version < (2, 1):
        return f"OpenGL {version[0]}.{version[1]} is too old (2.1 is needed)."
    return ""


def make_canvas(kind: Kind, parent: QWidget) -> QWidget:
    """Return a new canvas, a child of `parent`."""
    if kind == "napari":
        from sensiview.gui.viewer.napari_canvas import NapariCanvas

        return NapariCanvas(parent)
    from sensiview.gui.viewer.pyqtgraph_canvas import PyqtgraphCanvas

    return PyqtgraphCanvas(parent)
