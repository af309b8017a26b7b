"""The texts in the upper left corner of a pane, arranged so that they fit: plane, place, slice, convention, warnings.

Nothing of it may be cut off: a radiologist who reads half a flag reads a wrong side. In a narrow pane the first line
is taken apart, in a tiny one the font is smaller and at last the number of the slice, which the read-out has too, goes.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from sensiview.gui.viewer.pane_view import PaneView
from sensiview.gui.viewer.scene import Scene

PLANES = ("Sagittal", "Coronal", "Axial")
EDGE = 8.0
TEXT, LETTER, AMBER = QColor("#f2f4f7"), QColor("#ffd84a"), QColor("#ffb14a")
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))
# Lines of text that the shorter edge of a pane has room for; the font shrinks where it has not.
_LINES = 13.0
_LEAST_POINTS = 7.0
_LARGER = 1.35  # letters at the edges against the texts

Line = tuple[str, QColor]


def position_text(value: float, axis: int) -> str:
    """Return a coordinate as radiologists write it: ``R 12.0 mm``."""
    rounded = round(value, 1)
    letter = _LETTERS[axis][int(rounded > 0)] if rounded else ""
    return f"{letter} {abs(rounded):.1f} mm".strip()


def fitted_font(font: QFont, size: tuple[int, int]) -> QFont:
    """Return the font of the texts in a pane of that size: the application's, smaller in a small pane."""
    made = QFont(font)
    share = min(size) / (_LINES * max(1.0, QFontMetricsF(font).height()))
    points = font.pointSizeF()
    made.setPointSizeF(max(min(points, _LEAST_POINTS), points * min(1.0, share)))
    return made


def letter_font(font: QFont) -> QFont:
    """Return the font of the letters at the edges."""
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * _LARGER)
    made.setBold(True)
    return made


def arrangements(scene: Scene, view: PaneView) -> list[list[Line]]:
    """Return the lines of the corner in all ways they may be broken, the widest first.

    The first ones say all; the last one leaves the number of the slice out.
    """
    axis = view.axis
    options = scene.options
    place = position_text(scene.cursor[axis], axis)
    number = f"{scene.cursor_voxel[axis] + 1}/{scene.grid.shape[axis]}"
    flags: list[Line]
    if axis == 0:
        flags = [("NOSE LEFT" if options.nose_left else "NOSE RIGHT", LETTER)]
    else:
        flags = [("RADIOLOGICAL" if options.radiological else "NEUROLOGICAL", LETTER)]
    resampled: list[Line] = [("resampled for display", AMBER)] if scene.grid.resampled else []
    broken: list[Line] = [("resampled", AMBER), ("for display", AMBER)] if resampled else []
    plane = PLANES[axis]
    ways = (
        ([f"{plane}  {place}  ·  {number}"], resampled),
        ([plane, f"{place}  ·  {number}"], resampled),
        ([plane, place, number], resampled),
        ([plane, place, number], broken),
        ([plane, place], broken),
    )
    return [[*((text, TEXT) for text in texts), *flags, *more] for texts, more in ways]


def arranged(scene: Scene, view: PaneView, font: QFont, *, right: float) -> list[tuple[QRectF, Line]]:
    """Return the lines of the corner with their places, in pixels of the view.

    Parameters
    ----------
    font : QFont
        Of the texts, as `fitted_font` gives it.
    right : float
        Where the colour bars begin.
    """
    metrics, large = QFontMetricsF(font), QFontMetricsF(letter_font(font))
    height = metrics.height()
    width = large.horizontalAdvance("A")
    # The letter at the top has the middle for itself, those at the sides a band at half the height.
    beside = view.size[0] / 2 - width - EDGE
    lowest = view.size[1] / 2 - 0.5 * large.height()
    found: list[tuple[QRectF, Line]] = []
    for lines in arrangements(scene, view):
        found, fits = [], True
        for row, line in enumerate(lines):
            y = EDGE - 2 + row * height
            above = y + metrics.ascent() - metrics.capHeight() < EDGE - 4 + large.ascent()
            room = (beside if above else min(right, view.size[0]) - EDGE - 4) - 2
            advance = metrics.horizontalAdvance(line[0])
            fits = fits and advance <= room and y + height <= lowest
            found.append((QRectF(EDGE, y, advance, height), line))
        if fits:
            break
    return found
