"""Icons drawn from our SVG files in the colours of the theme in force, sharp at every size."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from sensiview import locations
from sensiview.errors import UserError, os_reason
from sensiview.gui.themes import theme

# Which colour of the theme an icon takes; all others are drawn like text.
_COLOURS = {
    "queued": "muted",
    "running": "accent",
    "succeeded": "good",
    "failed": "error",
    "stopped": "muted",
    "interrupted": "warning",
    "warning": "warning",
    "error": "error",
    "good": "good",
}
_FILES = {"good": "succeeded"}


@cache
def _source(name: str) -> bytes:
    path = locations.resources() / "icons" / f"{_FILES.get(name, name)}.svg"
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"'{path}', which comes with SensiView, can't be read ({os_reason(error)}). Install SensiView again."
        ) from error


@lru_cache(maxsize=256)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", colour.encode("ascii"))))


class _ThemedEngine(QIconEngine):
    """Asks for the theme at every paint, so that switching it recolours what is on the screen."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name = name
        self._role = role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon into `rect`."""
        colours = theme()
        colour = self._role if self._role.startswith("#") else str(getattr(colours, self._role))
        if mode == QIcon.Mode.Selected:
            colour = colours.accent_text
        painter.save()
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(self._name, colour).render(painter, QRectF(rect))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon on a transparent ground."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """Return the same icon for another owner."""
        return _ThemedEngine(self._name, self._role)

    def isNull(self) -> bool:
        """Return False: every name has a file."""
        return False


@cache
def icon(name: str, role: str = "") -> QIcon:
    """Return the icon of a name: the stem of a file in ``resources/icons``, or ``good``.

    `role` is the theme's colour to draw it in, such as ``accent_text`` on a primary button, or a colour such as
    ``#f2f4f7`` where the ground is the same in every theme: over the black panes.
    """
    return QIcon(_ThemedEngine(name, role or _COLOURS.get(name, "text")))


@cache
def application_icon() -> QIcon:
    """Return SensiView's own icon, in the sizes that desktops ask for."""
    made = QIcon()
    renderer = QSvgRenderer(QByteArray(_source("sensiview")))
    for size in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(_drawn(renderer, size))
    return made


def application_pixmap(size: int, ratio: float = 1.0) -> QPixmap:
    """Return SensiView's icon at a size in logical pixels, sharp on a screen of that device pixel ratio."""
    pixmap = _drawn(QSvgRenderer(QByteArray(_source("sensiview"))), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
