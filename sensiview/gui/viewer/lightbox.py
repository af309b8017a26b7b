"""Many slices of one plane in one picture, for reports and for looking through a volume at a glance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.compositing import Picture, compose, in_plane, is_mirrored
from sensiview.gui.viewer.corner_texts import position_text
from sensiview.gui.viewer.look_tables import range_of
from sensiview.gui.viewer.pane_painting import colour_bar_layers
from sensiview.gui.viewer.scene import Axis, DisplayGrid, Scene
from sensiview.gui.viewer.slice_marks import BACKGROUND, INK, as_image, colour_strip, write_on, write_sides

MOST_TILES = 400
_LINE = QColor("#35e08a")
_MOST_PIXELS = 120_000_000


@dataclass(frozen=True)
class Mosaic:
    """What a mosaic shows.

    Parameters
    ----------
    axis : int
        Across which axis the slices lie.
    rows, columns : int
    first, last : float
        RAS mm along the axis, of the first and the last slice.
    overlays : bool
        Draw maps, masks and atlases.
    labels, letters : bool
        Millimetres in each slice; L R A P S I.
    crop : bool
        Leave out the empty margin around the head.
    locator : bool
        A last picture that shows where the slices lie.
    colour_bar : bool
        Of the topmost map, below the slices.
    """

    axis: Axis = 2
    rows: int = 4
    columns: int = 6
    first: float = 0.0
    last: float = 0.0
    overlays: bool = True
    labels: bool = True
    letters: bool = True
    crop: bool = True
    locator: bool = True
    colour_bar: bool = True

    @property
    def count(self) -> int:
        """How many slices there are."""
        return max(1, self.rows * self.columns - int(self.locator and self.rows * self.columns > 1))

    def positions(self) -> list[float]:
        """Return the slices' places in mm."""
        return [float(v) for v in np.linspace(self.first, self.last, self.count)]

    @property
    def step(self) -> float:
        """Distance of neighbouring slices in mm; 0 for one slice."""
        return abs(self.last - self.first) / (self.count - 1) if self.count > 1 else 0.0


def extent(scene: Scene, axis: Axis) -> tuple[float, float]:
    """Return the first and the last place in mm at which the anatomy is not empty."""
    grid = scene.grid
    layer = next((layer for layer in scene.layers if layer.role == "underlay"), None)
    ends = (grid.origin[axis], grid.mm((grid.shape[0] - 1, grid.shape[1] - 1, grid.shape[2] - 1))[axis])
    if layer is None:
        return ends
    step = max(1, math.ceil((layer.array.size / 2_000_000) ** 0.5))
    strides = tuple(slice(None) if a == axis else slice(None, None, step) for a in range(3))
    values = np.asarray(layer.array[strides], dtype=np.float32) * layer.slope + layer.intercept
    floor = layer.look.low + 0.05 * (layer.look.high - layer.look.low)
    others = tuple(a for a in range(3) if a != axis)
    share = (np.nan_to_num(values) > floor).mean(axis=others)
    used = np.flatnonzero(share > 0.01)
    if used.size < 2:
        return ends
    return tuple(float(grid.origin[axis] + v * grid.spacing[axis]) for v in (used[0], used[-1]))  # type: ignore[return-value]


def draw_mosaic(scene: Scene, what: Mosaic, *, scale: float = 1.0) -> QImage:
    """Return the picture.

    Parameters
    ----------
    scale : float
        Pixels per millimetre of the patient; less where the picture would be larger than 120 megapixels.
    """
    grid, axis = scene.grid, what.axis
    mirrored = is_mirrored(axis, scene.options)
    layers = [la for la in scene.layers if la.role == "underlay" or what.overlays]
    places = what.positions()
    slices = [grid.voxel(_point(scene, axis, mm))[axis] for mm in places]
    # The label tells where the slice that is drawn lies, not where one was wished for.
    places = [grid.origin[axis] + n * grid.spacing[axis] for n in slices]
    detail = max(1, min(8, math.ceil(scale * min(grid.spacing))))
    pictures = [compose(layers, grid, axis, n, mirrored=mirrored, detail=detail) for n in slices]
    box = _content(pictures) if what.crop else None
    across, up = in_plane(axis)
    full = (grid.shape[across] * grid.spacing[across], grid.shape[up] * grid.spacing[up])
    rows, columns = pictures[0].shape[:2]
    box = box or (0, rows, 0, columns)
    size = (full[0] * (box[3] - box[2]) / columns, full[1] * (box[1] - box[0]) / rows)
    scale = min(scale, math.sqrt(_MOST_PIXELS / (what.rows * what.columns * size[0] * size[1])))
    tile = QRect(0, 0, max(16, round(size[0] * scale)), max(16, round(size[1] * scale)))
    font = QFont()
    font.setPixelSize(max(8, min(round(tile.height() / 12), round(tile.width() / 9), 40)))
    bar = colour_bar_layers(scene) if what.colour_bar and what.overlays else []
    bar = [la for la in bar if la.role != "underlay"]
    below = round(font.pixelSize() * 2.6) if bar else 0
    image = QImage(tile.width() * what.columns, tile.height() * what.rows + below, QImage.Format.Format_RGB32)
    image.fill(BACKGROUND)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale * min(grid.spacing) < 1.0)
    painter.setFont(font)
    for number, (picture, mm) in enumerate(zip(pictures, places, strict=True)):
        place = tile.translated(tile.width() * (number % what.columns), tile.height() * (number // what.columns))
        painter.drawImage(place, as_image(picture[box[0] : box[1], box[2] : box[3]]))
        if what.labels:
            at = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            write_on(painter, QRectF(place), position_text(mm, axis), at)
        if what.letters:
            write_sides(painter, QRectF(place), axis, mirrored=mirrored)
    if what.locator and len(places) < what.rows * what.columns:
        number = what.rows * what.columns - 1
        place = tile.translated(tile.width() * (number % what.columns), tile.height() * (number // what.columns))
        _locator(painter, QRectF(place), scene, axis, slices)
    if bar:
        _bar(painter, QRectF(0, tile.height() * what.rows, image.width(), below), bar[-1])
    painter.end()
    image.setDotsPerMeterX(round(300 / 0.0254))
    image.setDotsPerMeterY(round(300 / 0.0254))
    return image


def _point(scene: Scene, axis: int, mm: float) -> tuple[float, float, float]:
    point = list(scene.grid.centre)
    point[axis] = mm
    return point[0], point[1], point[2]


def _content(pictures: list[Picture]) -> tuple[int, int, int, int] | None:
    """Return the box (top, bottom, left, right) that holds everything above black in any of the pictures."""
    height, width = int(pictures[0].shape[0]), int(pictures[0].shape[1])
    bright = np.zeros((height, width), dtype=bool)
    for picture in pictures:
        bright |= picture.max(axis=2) > 24
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    if not rows.size:
        return None
    spare = max(2, round(0.02 * max(height, width)))
    return (
        max(0, int(rows[0]) - spare), min(height, int(rows[-1]) + 1 + spare),
        max(0, int(columns[0]) - spare), min(width, int(columns[-1]) + 1 + spare),
    )  # fmt: skip


def _locator(painter: QPainter, place: QRectF, scene: Scene, axis: Axis, slices: list[int]) -> None:
    """Draw the slice through the middle across another axis, with a line for each slice of the mosaic."""
    grid: DisplayGrid = scene.grid
    other: Axis = 0 if axis != 0 else 1
    layers = [layer for layer in scene.layers if layer.role == "underlay"]
    mirrored = is_mirrored(other, scene.options)
    middle = grid.voxel(grid.centre)[other]
    picture = compose(layers, grid, other, middle, mirrored=mirrored, detail=1)
    across, up = in_plane(other)
    size = (grid.shape[across] * grid.spacing[across], grid.shape[up] * grid.spacing[up])
    zoom = min(place.width() / size[0], place.height() / size[1])
    box = QRectF(0, 0, size[0] * zoom, size[1] * zoom)
    box.moveCenter(place.center())
    painter.drawImage(box, as_image(picture))
    painter.setPen(QPen(_LINE, max(1.0, box.height() / 300)))
    for index in slices:
        share = (index + 0.5) / grid.shape[axis]
        if axis == up:
            y = box.bottom() - share * box.height()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        else:
            x = box.right() - share * box.width() if mirrored else box.left() + share * box.width()
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))


def _bar(painter: QPainter, place: QRectF, layer: Any) -> None:
    low, high = range_of(layer.look)
    metrics = QFontMetricsF(painter.font())
    first, last = short(low), with_unit_behind(short(high), layer.unit)
    title = metrics.elidedText(layer.name, Qt.TextElideMode.ElideRight, place.width() * 0.35)
    width = min(place.width() * 0.3, 12 * metrics.height())
    texts = (title, first, last)
    used = sum(metrics.horizontalAdvance(text) for text in texts) + width + 3 * metrics.height()
    x, y = place.center().x() - used / 2, place.center().y()
    strip = colour_strip(layer.look)
    painter.setPen(INK)
    for text in (title, first):
        painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1), text)
        x += metrics.horizontalAdvance(text) + metrics.height() * (1.0 if text is title else 0.5)
    painter.drawImage(QRectF(x, y - metrics.height() * 0.35, width, metrics.height() * 0.7), strip)
    painter.setPen(INK)
    painter.drawText(QPointF(x + width + metrics.height() * 0.5, y + metrics.ascent() / 2 - 1), last)
