"""Pictures of a viewer, drawn anew at any scale instead of being copied off the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QImage, QPainter

from sensiview.errors import UserError, suggestion

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

_GAPS = "#3a3f48"


def viewer_picture(viewer: VolumeViewer, pane: str, *, clean: bool, scale: int) -> QImage:
    """Return one pane or all; see `VolumeViewer.picture`."""
    known = viewer.widgets()
    if pane != "all" and pane not in known:
        raise UserError(f"The viewer has no pane '{pane}'.{suggestion(pane, [*known, 'all'])}")
    for drawn in viewer.panes.values():
        drawn.refresh()
    size = viewer.area.size() if pane == "all" else known[pane].size()
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000" if clean else _GAPS))
    painter = QPainter(image)
    for name, widget in known.items():
        if pane == name:
            widget.draw(painter, clean=clean, scale=scale)
        elif pane == "all" and not widget.isHidden():
            painter.save()
            painter.translate(widget.x() * scale, widget.y() * scale)
            widget.draw(painter, clean=clean, scale=scale)
            painter.restore()
    painter.end()
    return image
