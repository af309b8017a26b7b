"""The program's icon and that of its projects in every size that desktops ask for: python icons.py FOLDER

Writes a hicolor theme: FOLDER/SIZExSIZE/apps/sensiview.png, FOLDER/scalable/apps/sensiview.svg and the same for
mimetypes/application-x-sensiview-project. The same drawings give the same bytes on every run.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

# A build machine has no screen; nothing is shown.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = (16, 22, 24, 32, 48, 64, 96, 128, 256, 512)
_ICONS = Path(__file__).resolve().parents[2] / "resources" / "icons"
# Below this many pixels the details of the large drawing run together.
_SMALL_BELOW = 32
# Folder of the theme, name of the icon there, name of the drawing.
KINDS = (("apps", "sensiview", "sensiview"), ("mimetypes", "application-x-sensiview-project", "sensiview_project"))


def drawing(size: int, name: str = "sensiview") -> Path:
    """The SVG that is drawn at `size` pixels."""
    small = _ICONS / f"{name}_small.svg"
    return small if size < _SMALL_BELOW and small.is_file() else _ICONS / f"{name}.svg"


def render(size: int, name: str = "sensiview") -> bytes:
    """Return the icon as PNG, `size` x `size` pixels, transparent around the drawing.

    Raises
    ------
    SystemExit
        The drawing can't be read.
    """
    source = drawing(size, name)
    renderer = QSvgRenderer(str(source))
    if not renderer.isValid():
        raise SystemExit(f"The drawing {source} can't be read.")
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    # Straight alpha is what PNG holds.
    image.convertToFormat(QImage.Format.Format_ARGB32).save(buffer, "PNG")
    return bytes(data.data())


def write_theme(folder: Path) -> None:
    """Write both icons in all sizes below `folder`."""
    for place, icon, name in KINDS:
        for size in SIZES:
            target = folder / f"{size}x{size}" / place / f"{icon}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(render(size, name))
        scalable = folder / "scalable" / place / f"{icon}.svg"
        scalable.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ICONS / f"{name}.svg", scalable)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python icons.py FOLDER")
    write_theme(Path(sys.argv[1]))
