"""What is written on slices on paper: letters of orientation, millimetres, the strip of colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from sensiview.gui.viewer.compositing import in_plane
from sensiview.gui.viewer.look_tables import colours_of, range_of
from sensiview.gui.viewer.scene import Axis, Look

INK, LETTER, BACKGROUND = QColor("#f2f4f7"), QColor("#ffd84a"), QColor("#000000")
_SIDES = (("L", "R"), ("P", "A"), ("I", "S"))
_EDGE = 3.0
_RIM = QColor(0, 0, 0, 220)
_NOT_DRAWN = np.uint8(40)


def as_image(picture: npt.NDArray[np.uint8]) -> QImage:
    """Return pixels (rows, columns, 3) as an image of its own."""
    rows, columns = picture.shape[:2]
    pixels = np.ascontiguousarray(picture)
    return QImage(pixels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


def write_on(painter: QPainter, place: QRectF, text: str, at: Qt.AlignmentFlag, colour: QColor = INK) -> None:
    """Write with a dark rim, so that it can be read on light and dark tissue."""
    box = place.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
    painter.setPen(_RIM)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(box.translated(dx, dy), int(at), text)
    painter.setPen(colour)
    painter.drawText(box, int(at), text)


def write_sides(painter: QPainter, place: QRectF, axis: Axis, *, mirrored: bool) -> None:
    """Write the patient's sides at the left, right and top of a slice."""
    across, up = in_plane(axis)
    left, right = _SIDES[across][:: -1 if mirrored else 1]
    middle = Qt.AlignmentFlag.AlignVCenter
    write_on(painter, place, left, middle | Qt.AlignmentFlag.AlignLeft, LETTER)
    write_on(painter, place, right, middle | Qt.AlignmentFlag.AlignRight, LETTER)
    write_on(painter, place, _SIDES[up][1], Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter, LETTER)


def colour_strip(look: Look) -> QImage:
    """Return the colours from one end of the range to the other, one row; what is not drawn is dark grey."""
    values = np.linspace(*range_of(look), 256)
    colours = colours_of(look, values)
    if look.threshold > 0:
        colours = np.where(np.abs(values)[:, None] < look.threshold, _NOT_DRAWN, colours)
    return as_image(colours[None].astype(np.uint8))
