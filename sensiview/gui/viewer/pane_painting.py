"""What is drawn over the picture of a slice: letters, crosshair, scale bar, flags, measurements, colour bars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from sensiview.gui.number_text import short
from sensiview.gui.viewer import measurements
from sensiview.gui.viewer.corner_texts import EDGE, LETTER, TEXT, arranged, letter_font
from sensiview.gui.viewer.look_tables import colours_of, range_of
from sensiview.gui.viewer.pane_view import PaneView
from sensiview.gui.viewer.scene import Layer, Measurement, Scene

# Chosen for a black ground and a grey anatomy; every text has a dark rim besides.
_CROSS, _MEASURE = QColor("#35e08a"), QColor("#5fd0ff")
_RIM = QColor(0, 0, 0, 210)
_STEPS_MM = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Decorations:
    """What of all this one pane draws."""

    colour_bar: bool = False
    active: bool = False
    message: str = ""
    draft: Measurement | None = None


def paint(painter: QPainter, scene: Scene, view: PaneView, what: Decorations, font: QFont) -> None:
    """Draw over a picture that `view` shows; in pixels of the view."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    if scene.options.crosshair and scene.layers:
        _crosshair(painter, scene, view)
    _measurements(painter, scene, view, what.draft)
    if scene.options.letters:
        _letters(painter, view, font)
    painter.setFont(font)
    right = float(view.size[0])
    if what.colour_bar and scene.options.colour_bar:
        right = _colour_bars(painter, scene, view)
    for box, (text, colour) in arranged(scene, view, font, right=right):
        _text(painter, box.topLeft(), text, colour)
    if scene.options.scale_bar:
        _scale_bar(painter, view)
    if what.message:
        metrics = QFontMetricsF(font)
        line = metrics.elidedText(what.message, Qt.TextElideMode.ElideMiddle, view.size[0] - 2 * EDGE)
        # Above the letter at the bottom and the text of the scale bar.
        at = QPointF(view.size[0] / 2, view.size[1] - EDGE - 3.2 * metrics.height())
        _text(painter, at, line, centred=True)
    if what.active:
        painter.setPen(QPen(_CROSS, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(0.5, 0.5, view.size[0] - 1, view.size[1] - 1))


def scale_length(view: PaneView) -> float:
    """Return the length of the scale bar in mm: a round number that is at most a quarter of the width."""
    room = 0.25 * view.size[0] / view.zoom
    fitting = [mm for mm in _STEPS_MM if mm <= room]
    return fitting[-1] if fitting else _STEPS_MM[0]


def colour_bar_layers(scene: Scene) -> list[Layer]:
    """Return the layers that get a colour bar: the visible overlays, at most three; without one the underlay."""
    shown = [layer for layer in scene.layers if layer.look.visible and layer.role != "atlas"]
    above = [layer for layer in shown if layer.role != "underlay"]
    return above[-3:] or shown[-1:]


def _text(
    painter: QPainter,
    at: QPointF,
    text: str,
    colour: QColor = TEXT,
    *,
    centred: bool = False,
    right: bool = False,
    middle: bool = False,
) -> None:
    metrics = QFontMetricsF(painter.font())
    lines = text.split("\n")
    height = metrics.height() * len(lines)
    top = at.y() - height / 2 if middle else at.y()
    for row, line in enumerate(lines):
        width = metrics.horizontalAdvance(line)
        x = at.x() - (width / 2 if centred else width if right else 0)
        base = top + row * metrics.height() + metrics.ascent()
        painter.setPen(_RIM)
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1)):
            painter.drawText(QPointF(x + dx, base + dy), line)
        painter.setPen(colour)
        painter.drawText(QPointF(x, base), line)


def _letters(painter: QPainter, view: PaneView, font: QFont) -> None:
    large = letter_font(font)
    painter.setFont(large)
    width, height = view.size
    left, right, top, bottom = view.edges
    lines = QFontMetricsF(large).height()
    _text(painter, QPointF(EDGE, height / 2), left, LETTER, middle=True)
    _text(painter, QPointF(width - EDGE, height / 2), right, LETTER, right=True, middle=True)
    _text(painter, QPointF(width / 2, EDGE - 4), top, LETTER, centred=True)
    _text(painter, QPointF(width / 2, height - lines - 2), bottom, LETTER, centred=True)


def _crosshair(painter: QPainter, scene: Scene, view: PaneView) -> None:
    x, y = view.to_pixel(scene.cursor)
    width, height = view.size
    # The voxel itself stays free: that is what one looks at.
    gap = max(5.0, 0.75 * view.zoom * max(scene.grid.spacing))
    gap = min(gap, 14.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    painter.setPen(QPen(_CROSS, 1))
    px, py = math.floor(x), math.floor(y)
    for a, b in (((0, py), (px - gap, py)), ((px + gap, py), (width, py)), ((px, 0), (px, py - gap)),
                 ((px, py + gap), (px, height))):  # fmt: skip
        painter.drawLine(QPointF(*a), QPointF(*b))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _scale_bar(painter: QPainter, view: PaneView) -> None:
    mm = scale_length(view)
    length, y = mm * view.zoom, view.size[1] - EDGE - 4
    x = EDGE + 2
    for colour, width in ((_RIM, 4), (TEXT, 2)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(x, y), QPointF(x + length, y))
        for end in (x, x + length):
            painter.drawLine(QPointF(end, y - 3), QPointF(end, y + 3))
    height = QFontMetricsF(painter.font()).height()
    _text(painter, QPointF(x, y - 5 - height), f"{short(mm)} mm")


def _colour_bars(painter: QPainter, scene: Scene, view: PaneView) -> float:
    """Draw a bar for each layer that gets one, and return how far to the left they reach."""
    metrics = QFontMetricsF(painter.font())
    x, reach = view.size[0] - EDGE - 12, float(view.size[0])
    # Above it is the unit, below it the letter at the edge.
    top = EDGE + 1.8 * metrics.height()
    height = min(150.0, view.size[1] / 2 - top - 1.6 * metrics.height())
    if height < 24:
        return reach
    for layer in reversed(colour_bar_layers(scene)):
        low, high = range_of(layer.look)
        values = np.linspace(high, low, 128)
        column = np.ascontiguousarray(colours_of(layer.look, values)[:, None, :])
        if layer.look.threshold > 0:  # what is not drawn has no colour
            column[np.abs(values) < layer.look.threshold] = 40
        image = QImage(column.data, 1, 128, 3, QImage.Format.Format_RGB888)
        box = QRectF(x, top, 12, height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(box, image)
        painter.setPen(QPen(TEXT, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        ends = [(short(high, 3), top), (short(low, 3), top + height)]
        zero = height * high / (high - low) if low < 0 < high else 0.0
        if metrics.height() <= zero <= height - metrics.height():  # else it would lie over a number at the end
            ends.append(("0", top + zero))
        for text, y in ends:
            _text(painter, QPointF(x - 4, y), text, right=True, middle=True)
        unit = layer.unit if layer.unit not in ("", "1") else ""
        if unit:
            _text(painter, QPointF(x + 12, top - 1.6 * metrics.height()), unit, right=True)
        widest = max(metrics.horizontalAdvance(text) for text, _ in ends) + 4
        reach = x - max(widest, metrics.horizontalAdvance(unit) - 12)
        x = reach - 12 - 10
        if x - widest < 0.55 * view.size[0]:
            break
    return reach


def _measurements(painter: QPainter, scene: Scene, view: PaneView, draft: Measurement | None) -> None:
    index = scene.cursor_voxel[view.axis]
    shown = [
        known
        for known in scene.measurements
        if known.axis == view.axis and scene.grid.voxel(known.points[0])[view.axis] == index
    ]
    taken: list[QRectF] = []
    for measurement in (*shown, *([draft] if draft is not None else [])):
        places = [QPointF(*view.to_pixel(point)) for point in measurement.points]
        for pen in (QPen(_RIM, 3.5), QPen(_MEASURE, 1.6)):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if measurement.kind in ("ellipse", "rectangle"):
                box = QRectF(places[0], places[1]).normalized()
                draw = painter.drawEllipse if measurement.kind == "ellipse" else painter.drawRect
                draw(box)
            else:
                painter.drawPolyline(places)
                for place in places:
                    painter.drawEllipse(place, 2.5, 2.5)
        needed = 3 if measurement.kind == "angle" else 2
        if len(places) >= needed:
            text = measurements.label(measurement, scene)
            metrics = QFontMetricsF(painter.font())
            width = max(metrics.horizontalAdvance(line) for line in text.split("\n"))
            size = QSizeF(width, metrics.height() * (1 + text.count("\n")))
            box = _free_place(places[1], size, taken, view.size)
            taken.append(box)
            _text(painter, box.topLeft(), text, _MEASURE)


def _free_place(point: QPointF, size: QSizeF, taken: list[QRectF], pane: tuple[int, int]) -> QRectF:
    """Return where a label goes: beside its point, inside the pane, clear of the labels that are there already."""
    room = QRectF(4, 4, pane[0] - 8, pane[1] - 8)
    first = QRectF()
    for step in range(8):
        down = step * size.height()
        for x, y in (
            (10.0, 6 + down), (10.0, -6 - size.height() - down),
            (-10 - size.width(), 6 + down), (-10 - size.width(), -6 - size.height() - down),
        ):  # fmt: skip
            box = QRectF(point + QPointF(x, y), size)
            box.moveLeft(max(room.left(), min(box.left(), room.right() - size.width())))
            box.moveTop(max(room.top(), min(box.top(), room.bottom() - size.height())))
            first = box if first.isNull() else first
            if not any(box.intersects(other) for other in taken):
                return box
    return first
