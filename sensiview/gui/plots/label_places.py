"""Names beside dots: those that find a free place are written, the read-out has the others."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from sensiview.analysis.items import Array

_BESIDE, _ABOVE, _NEAR, _DOT = 8.0, 6.0, 4.0, 3.0


def label_places(
    names: Sequence[str],
    points: Sequence[QPointF],
    metrics: QFontMetricsF,
    whole: QRectF,
    dots: Array | None = None,
    taken: Sequence[QRectF] = (),
    *,
    diagonal: bool = False,
) -> list[tuple[str, QRectF]]:
    """Return the names that have room and the rectangle of each, in the order of `names`: the first ones come first.

    Parameters
    ----------
    names, points
        What is written beside which place.
    metrics : QFontMetricsF
    whole : QRectF
        Where names may lie.
    dots : ndarray, optional
        (dots, 2), x and y of what no name may cover.
    taken : sequence of QRectF
        Where other names are.
    diagonal : bool
        Write names right or left above their dots, clear of whiskers to all four sides.
    """
    found: list[tuple[str, QRectF]] = []
    occupied = list(taken)
    for name, at in zip(names, points, strict=True):
        width, height = metrics.horizontalAdvance(name), metrics.height()
        sides = (
            at + QPointF(_BESIDE, -height / 2), at + QPointF(-_BESIDE - width, -height / 2),
            at + QPointF(-width / 2, -height - _ABOVE), at + QPointF(-width / 2, _ABOVE),
        )  # fmt: skip
        corners = (
            at + QPointF(_NEAR, -height - 1), at + QPointF(-_NEAR - width, -height - 1),
            at + QPointF(_NEAR, 1), at + QPointF(-_NEAR - width, 1),
        )  # fmt: skip
        for corner in corners if diagonal else (*sides, *corners):
            box = QRectF(corner.x(), corner.y(), width, height)
            free = whole.contains(box) and not any(box.intersects(other) for other in occupied)
            if free and (dots is None or not _covers(box, dots)):
                found.append((name, box))
                occupied.append(box)
                break
    return found


def _covers(box: QRectF, dots: Array) -> bool:
    across = (dots[:, 0] > box.left() - _DOT) & (dots[:, 0] < box.right() + _DOT)
    return bool((across & (dots[:, 1] > box.top()) & (dots[:, 1] < box.bottom())).any())
