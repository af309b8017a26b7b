"""A map over a volume on paper: slices as radiologists read them, without a window and without OpenGL.

For one map a strip of axial slices and the three planes through its peak; for a map of several subjects, weights or
contexts one row each, all with the same colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPaintDevice, QPainter, QPen
from PySide6.QtSvg import QSvgGenerator

from sensiview.analysis.items import FieldMap
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.volume_slices import Below, content_box, notes_of, slices_of
from sensiview.gui.themes import LIGHT, Theme
from sensiview.gui.viewer.compositing import compose, in_plane, is_mirrored
from sensiview.gui.viewer.corner_texts import position_text
from sensiview.gui.viewer.look_tables import range_of
from sensiview.gui.viewer.scene import AXIAL, CORONAL, SAGITTAL, Axis, Options
from sensiview.gui.viewer.slice_marks import BACKGROUND, as_image, colour_strip, write_on, write_sides

MOST_ROWS = 6
_STRIP = 8
_SPREAD = 3  # axial slices of a row besides the three planes
_SCALE = 2
_MARGIN, _GAP, _LINE = 14, 3, 18
_HIGHEST = 300
_FREE = 9.0  # around the peak, where the lines through it stop
_CROSS = QColor(53, 224, 138, 150)
_CHARACTER = 5.6  # mean width in the notes
_OPTIONS = Options()
_FLAG = "RADIOLOGICAL"


@dataclass(frozen=True, eq=False)
class _Tile:
    """A slice, the black field it lies in, its place there, and whether lines show the peak."""

    entry: int
    axis: Axis
    index: int
    field: QRectF
    place: QRectF
    crossed: bool = False


class VolumeMosaic:
    """The drawing of one item; `size` is known when it is made.

    Parameters
    ----------
    item : FieldMap
        Axes (..., z, y, x) with an affine.
    below : callable, optional
        A place on the axes before z, y, x to (volume or None, sentence why there is none): the anatomy below the map
        there. Without it a grey shape tells where the map is not zero.
    width : int
        Of the picture, in pixels of the screen.

    Raises
    ------
    DataError
        The affine is singular or not finite.
    """

    def __init__(self, item: FieldMap, *, below: Below | None = None, colours: Theme = LIGHT, width: int = 900) -> None:
        self.item, self.colours = item, colours
        places = list(np.ndindex(*item.values.shape[:-3]))
        self.left_out = len(places) - MOST_ROWS if len(places) > MOST_ROWS else 0
        slices = slices_of(item, places[:MOST_ROWS], below)
        self.grid, self.entries = slices.grid, slices.entries
        self.notes = notes_of(slices, self.left_out)
        self._box = content_box(slices)
        self._titles: list[tuple[QRectF, str]] = []
        self._tiles: list[_Tile] = []
        self._pictures: dict[_Tile, QImage] = {}
        self.size = self._arrange(max(360, width))

    # Where everything lies.

    def _arrange(self, width: int) -> QSize:
        y = float(_MARGIN + 1.6 * _LINE)
        for number, entry in enumerate(self.entries):
            planes: list[tuple[Axis, int, bool]] = [
                (AXIAL, entry.peak[2], True), (CORONAL, entry.peak[1], True), (SAGITTAL, entry.peak[0], True),
            ]  # fmt: skip
            if len(self.entries) == 1:
                strip: list[tuple[Axis, int, bool]] = [(AXIAL, index, False) for index in self._spread(_STRIP)]
                y = self._row(number, strip, y, width) + _GAP
                y = self._heading(entry.title, y, width)
                y = self._row(number, planes, y, width) + _GAP
            else:
                y = self._heading(entry.title, y, width)
                planes += [(AXIAL, index, False) for index in self._spread(_SPREAD)]
                y = self._row(number, planes, y, width) + _GAP
        self._foot = y + 6
        lines = -(-len("  ".join(self.notes)) * _CHARACTER // (width - 2 * _MARGIN))
        self._notes_height = max(1.0, lines) * _LINE
        return QSize(width, round(self._foot + 1.8 * _LINE + self._notes_height + _MARGIN))

    def _spread(self, count: int) -> list[int]:
        low, high = self._box[AXIAL]
        return [round(v) for v in np.linspace(low, high, count + 2)[1:-1]]

    def _heading(self, text: str, y: float, width: int) -> float:
        self._titles.append((QRectF(_MARGIN, y, width - 2 * _MARGIN, _LINE), text))
        return y + _LINE + 2

    def _row(self, entry: int, slices: list[tuple[Axis, int, bool]], y: float, width: int) -> float:
        """Lay slices of one scale beside each other; returns where they end."""
        sizes = [self._extent(axis) for axis, _, _ in slices]
        room = width - 2 * _MARGIN - _GAP * (len(slices) - 1)
        scale = min(room / sum(size[0] for size in sizes), _HIGHEST / max(size[1] for size in sizes))
        height = scale * max(size[1] for size in sizes)
        x = float(_MARGIN)
        for (axis, index, crossed), size in zip(slices, sizes, strict=True):
            field = QRectF(x, y, scale * size[0], height)
            place = QRectF(x, y + (height - scale * size[1]) / 2, scale * size[0], scale * size[1])
            self._tiles.append(_Tile(entry, axis, index, field, place, crossed))
            x += field.width() + _GAP
        return y + height

    def _extent(self, axis: Axis) -> tuple[float, float]:
        """Return width and height of a slice in mm."""
        across, up = in_plane(axis)
        return self._length(across), self._length(up)

    def _length(self, axis: int) -> float:
        low, high = self._box[axis]
        return (high - low + 1) * self.grid.spacing[axis]

    # Drawing.

    def paint(self, painter: QPainter) -> None:
        """Draw everything, in pixels of the screen."""
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.fillRect(QRectF(0, 0, self.size.width(), self.size.height()), QColor(self.colours.panel))
        head = QRectF(_MARGIN, _MARGIN - 2, self.size.width() - 2 * _MARGIN, 1.4 * _LINE)
        flag = QFontMetricsF(_font(12, bold=True)).horizontalAdvance(_FLAG)
        painter.setFont(_font(15, bold=True))
        _line(painter, head.adjusted(0, 0, -flag - 16, 0), self.item.title, QColor(self.colours.text))
        painter.setFont(_font(12, bold=True))
        _line(painter, head.adjusted(head.width() - flag - 1, 0, 0, 0), _FLAG, QColor(self.colours.muted))
        painter.setFont(_font(12))
        for place, text in self._titles:
            _line(painter, place, text, QColor(self.colours.muted))
        for tile in self._tiles:
            self._paint_tile(painter, tile)
        self._paint_foot(painter)

    def _paint_tile(self, painter: QPainter, tile: _Tile) -> None:
        entry, grid, place = self.entries[tile.entry], self.grid, tile.place
        mirrored = is_mirrored(tile.axis, _OPTIONS)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.fillRect(tile.field, BACKGROUND)
        painter.drawImage(place, self._picture(tile, mirrored))
        if tile.crossed and entry.peaked:
            self._paint_cross(painter, tile, entry.peak, mirrored)
        small = max(8, min(13, round(place.width() / 11)))
        painter.setFont(_font(small, bold=True))
        write_sides(painter, tile.field, tile.axis, mirrored=mirrored)
        painter.setFont(_font(small))
        mm = grid.origin[tile.axis] + tile.index * grid.spacing[tile.axis]
        at = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        write_on(painter, tile.field, position_text(mm, tile.axis), at)

    def _picture(self, tile: _Tile, mirrored: bool) -> QImage:
        """Return the slice of a tile, made once: it is the same in every file."""
        if tile not in self._pictures:
            layers = self.entries[tile.entry].layers
            picture = compose(layers, self.grid, tile.axis, tile.index, mirrored=mirrored, detail=1)
            self._pictures[tile] = as_image(self._cropped(picture, tile.axis, mirrored))
        return self._pictures[tile]

    def _cropped(self, picture: npt.NDArray[np.uint8], axis: Axis, mirrored: bool) -> npt.NDArray[np.uint8]:
        across, up = in_plane(axis)
        rows = _kept(self._box[up], self.grid.shape[up], reverse=True)
        columns = _kept(self._box[across], self.grid.shape[across], reverse=mirrored)
        tall, wide = picture.shape[0] // self.grid.shape[up], picture.shape[1] // self.grid.shape[across]
        return picture[rows[0] * tall : rows[1] * tall, columns[0] * wide : columns[1] * wide]

    def _paint_cross(self, painter: QPainter, tile: _Tile, peak: tuple[int, int, int], mirrored: bool) -> None:
        """Draw lines through the peak that leave the peak itself free."""
        across, up = in_plane(tile.axis)
        place, shares = tile.place, []
        for axis in (across, up):
            low, high = self._box[axis]
            shares.append((peak[axis] - low + 0.5) / (high - low + 1))
        x = place.right() - shares[0] * place.width() if mirrored else place.left() + shares[0] * place.width()
        y = place.bottom() - shares[1] * place.height()
        painter.setPen(QPen(_CROSS, 1))
        left, right = max(place.left(), x - _FREE), min(place.right(), x + _FREE)
        top, bottom = max(place.top(), y - _FREE), min(place.bottom(), y + _FREE)
        painter.drawLine(QPointF(place.left(), y), QPointF(left, y))
        painter.drawLine(QPointF(right, y), QPointF(place.right(), y))
        painter.drawLine(QPointF(x, place.top()), QPointF(x, top))
        painter.drawLine(QPointF(x, bottom), QPointF(x, place.bottom()))

    def _paint_foot(self, painter: QPainter) -> None:
        layer = self.entries[0].layers[-1]
        low, high = range_of(layer.look)
        painter.setFont(_font(12))
        if layer.role == "atlas":
            text = f"{len(layer.names)} parts, each in a colour of its own"
            _line(
                painter,
                QRectF(_MARGIN, self._foot, self.size.width() - 2 * _MARGIN, _LINE),
                text,
                QColor(self.colours.text),
            )
            self._paint_notes(painter)
            return
        metrics = QFontMetricsF(painter.font())
        y, ink = self._foot, QColor(self.colours.text)
        unit = layer.unit if layer.unit not in ("", "1") else ""
        name = f"{self.item.title}, shown as {unit}" if layer.role == "mask" else self.item.title
        ends = (short(low), short(high) if layer.role == "mask" else with_unit_behind(short(high), unit))
        room = self.size.width() - 2 * _MARGIN
        first = metrics.horizontalAdvance(ends[0]) + 6
        bar = QRectF(_MARGIN + first, y + 3, min(220.0, 0.3 * room), _LINE - 6)
        _line(painter, QRectF(_MARGIN, y, first, _LINE), ends[0], ink)
        painter.drawImage(bar, colour_strip(layer.look))
        painter.setPen(QPen(QColor(self.colours.muted), 1))
        painter.drawRect(bar)
        if low < 0 < high:
            x = bar.left() - low / (high - low) * bar.width()
            painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 4))
            painter.setPen(ink)
            middle = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
            painter.drawText(QRectF(x - 20, bar.bottom() + 4, 40, _LINE), middle, "0")
        x = bar.right() + 6
        rest = f"{ends[1]}    {name}"
        _line(painter, QRectF(x, y, self.size.width() - _MARGIN - x, _LINE), rest, ink)
        self._paint_notes(painter)

    def _paint_notes(self, painter: QPainter) -> None:
        y, room = self._foot, self.size.width() - 2 * _MARGIN
        below = QRectF(_MARGIN, y + 1.7 * _LINE, room, self._notes_height)
        painter.setFont(_font(11))
        painter.setPen(QColor(self.colours.muted))
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), "  ".join(self.notes))

    # Files.

    def to_image(self, scale: int = _SCALE) -> QImage:
        """Return the drawing with `scale` pixels per pixel of the screen."""
        image = QImage(self.size * scale, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(scale)
        self._paint_on(image)
        return image

    def to_svg(self) -> bytes:
        """Return the drawing as SVG: slices are pictures, text is text."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(self.size)
        generator.setViewBox(QRectF(0, 0, self.size.width(), self.size.height()))
        generator.setResolution(96)
        generator.setTitle(self.item.title)
        generator.setDescription("Drawn by SensiView")
        self._paint_on(generator)
        return bytes(buffer.data().data())

    def _paint_on(self, device: QPaintDevice) -> None:
        painter = QPainter(device)
        try:
            self.paint(painter)
        finally:
            painter.end()


def _kept(span: tuple[int, int], count: int, *, reverse: bool) -> tuple[int, int]:
    return (count - 1 - span[1], count - span[0]) if reverse else (span[0], span[1] + 1)


def _font(pixels: int, *, bold: bool = False) -> QFont:
    font = QFont()
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font


def _line(painter: QPainter, place: QRectF, text: str, colour: QColor) -> None:
    shown = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.setPen(colour)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
