"""Which OpenGL this machine offers; the volume viewer needs it, plots do not."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext


def describe_opengl() -> str:
    """Return version and renderer of the OpenGL that windows would get, or why there is none."""
    app = QGuiApplication.instance() or QGuiApplication([])
    context = QOpenGLContext()
    if not context.create():
        return "none (the volume viewer falls back to plain panes)"
    surface = QOffscreenSurface()
    surface.create()
    if not context.makeCurrent(surface):
        return "found, but no surface to draw on"
    functions = context.functions()
    gl_renderer, gl_version = 0x1F01, 0x1F02
    renderer, version = functions.glGetString(gl_renderer), functions.glGetString(gl_version)
    context.doneCurrent()
    del app
    return f"{version}, {renderer}"
