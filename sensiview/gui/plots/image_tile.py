"""One picture of a grid, one colour bar, and how many pictures fit beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage

from sensiview.analysis.items import Array
from sensiview.gui.plots.colour_bar import ColourBar
from sensiview.gui.themes import Theme


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture.

    Parameters
    ----------
    picture : ndarray
        uint8 (y, x, 3).
    caption : str
        Below the picture.
    chosen : bool
        Framed.
    """

    picture: Array
    caption: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Bar:
    """The colour bar of one row of tiles, or of all.

    Parameters
    ----------
    limits : (float, float)
        Ends.
    label : str
        Unit, or what the numbers are shares of.
    signed : bool
        Zero is in the middle.
    table : ndarray
        uint8 (256, 3), the colours.
    beyond : (bool, bool)
        Values lie below the low end, above the high end.
    note : str
        Beside the label, where a bar is high enough for it.
    hidden : float
        Share of the scale, from 0 on, that is not drawn.
    """

    limits: tuple[float, float]
    label: str
    signed: bool
    table: Array
    beyond: tuple[bool, bool] = (False, False)
    note: str = ""
    hidden: float = 0.0


def bar_of(bar: Bar, colours: Theme, font: QFont) -> ColourBar:
    """Return what draws a bar."""
    return ColourBar(
        bar.limits, bar.label, bar.signed, colours, font,
        table=bar.table, beyond=bar.beyond, note=bar.note, hidden=bar.hidden,
    )  # fmt: skip


def rect_numbers(view: QRectF | None) -> list[float]:
    """Return left, top, width and height as plain values; empty for None."""
    return [] if view is None else [view.x(), view.y(), view.width(), view.height()]


def best_columns(count: int, aspect: float = 1.0) -> int:
    """Return in how many columns so many pictures (height over width `aspect`) are largest on a page 8 wide, 5 high.

    A number that leaves no gap in the last row wins over a slightly better one.
    """
    best, reach = 1, 0.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        size = min(8 / columns, 5 / (rows * aspect)) * (1.0 if rows * columns == count else 0.9)
        if size > reach + 1e-9:
            best, reach = columns, size
    return best


def to_image(picture: Array) -> QImage:
    """Return uint8 pixels (y, x, 3) as an image of Qt."""
    pixels = np.ascontiguousarray(picture, dtype=np.uint8)
    height, width, _ = pixels.shape
    # A copy: Qt does not hold on to the array.
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def shortened(text: str, metrics: QFontMetricsF, width: float) -> str:
    """Return `text` no wider than `width`; of a name with a value behind it (``name · value``) the name is cut."""
    name, dot, value = text.rpartition(" · ")
    room = width - metrics.horizontalAdvance(dot + value)
    if not dot or room < metrics.horizontalAdvance("mm…"):
        return metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width)
    return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room) + dot + value
