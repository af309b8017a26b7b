"""Which OpenGL this machine offers, and whether the volume viewer that needs it is complete; plots do without."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

from sensiview.errors import SensiViewError
from sensiview.gui.platform_check import first_application

_SHADERS = (".glsl", ".frag", ".vert")


def describe_opengl() -> str:
    """Return version and renderer of the OpenGL that windows would get, or why there is none.

    Where Qt finds no way to draw, the process ends with the reason on stderr.
    """
    app = QGuiApplication.instance() or first_application(lambda: QGuiApplication([]), _tell)
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


def describe_viewer() -> str:
    """Return the versions of napari and vispy after both were loaded, and how many of vispy's shaders are there.

    Raises
    ------
    SensiViewError
        There are no shaders.
    ImportError
        One of them, or what they need, is missing.
    """
    from sensiview.gui.viewer.napari_canvas import prepare

    prepare()
    from vispy import glsl

    shaders = [file for folder in glsl.__path__ for file in Path(folder).rglob("*") if file.suffix in _SHADERS]
    if not shaders:
        raise SensiViewError("The shaders of vispy are missing, so the volume viewer can't draw.")
    return f"napari {version('napari')}, vispy {version('vispy')}, {len(shaders)} shaders"


def _tell(sentence: str, details: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{details}\n{sentence}\n")
        sys.stderr.flush()
