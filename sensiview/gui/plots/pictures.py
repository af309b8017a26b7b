"""A plot as a picture: PNG with twice the pixels, SVG in which text is text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from sensiview.errors import UserError
from sensiview.files import write_atomically

if TYPE_CHECKING:
    from sensiview.gui.plots.canvas import Canvas

_SCALE = 2


def to_image(canvas: Canvas, scale: int = _SCALE) -> QImage:
    """Return the drawing with `scale` pixels per pixel of the screen."""
    size = canvas.viewport().size()
    image = QImage(size * scale, QImage.Format.Format_ARGB32_Premultiplied)
    # Lines and signs that keep their width in pixels of the screen are drawn `scale` times as wide.
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    canvas.draw(painter, QRectF(0, 0, size.width(), size.height()))
    painter.end()
    return image


def to_svg(canvas: Canvas, title: str) -> bytes:
    """Return the drawing as SVG, as wide and high as on the screen."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    size: QSize = canvas.viewport().size()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setResolution(96)  # a pixel of the screen is a CSS pixel
    generator.setTitle(title)
    generator.setDescription("Drawn by SensiView")
    painter = QPainter(generator)
    canvas.draw(painter, QRectF(0, 0, size.width(), size.height()))
    painter.end()
    return bytes(buffer.data().data())


def save(canvas: Canvas, path: Path, title: str) -> None:
    """Write the drawing to `path`, PNG or SVG by its ending.

    Raises
    ------
    UserError
        Another ending, or the file can't be written.
    """
    save_drawing(lambda: to_image(canvas), lambda: to_svg(canvas, title), path)


def save_drawing(image: Callable[[], QImage], svg: Callable[[], bytes], path: Path) -> None:
    """Write what is drawn as pixels or as SVG, by the ending of `path`; raises as `save` does."""
    if path.suffix.lower() == ".svg":
        content = svg()
    elif path.suffix.lower() == ".png":
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        # The stubs want bytes here and the library a string.
        image().save(buffer, "PNG")  # type: ignore[call-overload]
        content = bytes(buffer.data().data())
    else:
        raise UserError(f"A plot is written as .png or .svg, not as '{path.suffix or path.name}'. Choose one of them.")
    write(path, content)


def write(path: Path, content: bytes) -> None:
    """Write a file, or say in a sentence why it can't be written."""
    try:
        write_atomically(path, lambda stream: stream.write(content))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"'{path.name}' could not be written: {reason}. Choose another folder.") from error
