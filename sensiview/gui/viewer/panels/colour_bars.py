"""Strips of colour for lists and menus."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPixmap

from sensiview.gui.viewer.colour_maps import colour_table, label_colour
from sensiview.gui.viewer.scene import Layer

_LABELS = 6


def map_pixmap(name: str, size: QSize) -> QPixmap:
    """Return a colour map from low to high."""
    return _strip(colour_table(name, size.width()), size)


def bar_pixmap(layer: Layer, size: QSize) -> QPixmap:
    """Return the colours of a layer as it is drawn: inverted ones turned round, of an atlas its first regions."""
    if layer.role == "atlas":
        labels = (layer.look.only or tuple(sorted(layer.names)) or tuple(range(1, _LABELS + 1)))[:_LABELS]
        colours = np.array([label_colour(label) for label in labels], dtype=np.uint8)
        return _strip(colours[np.arange(size.width()) * len(labels) // size.width()], size)
    table = colour_table(layer.look.colour_map, size.width())
    return _strip(table[::-1] if layer.look.inverted else table, size)


def _strip(colours: npt.NDArray[np.uint8], size: QSize) -> QPixmap:
    pixels = np.ascontiguousarray(np.broadcast_to(colours[None], (size.height(), size.width(), 3)))
    image = QImage(pixels.data, size.width(), size.height(), 3 * size.width(), QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())
