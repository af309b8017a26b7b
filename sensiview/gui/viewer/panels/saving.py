"""Asking for a file and writing it, with a sentence when that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QFileDialog, QWidget

from sensiview.errors import SensiViewError, UserError
from sensiview.files import write_atomically
from sensiview.gui.guard import Guard

if TYPE_CHECKING:
    import pandas as pd

PICTURES = ("Picture (*.png)", "TIFF picture (*.tiff)", "PDF page (*.pdf)")


def ask_file(parent: QWidget, title: str, name: str, kinds: Sequence[str], then: Callable[[Path], None]) -> QFileDialog:
    """Ask where to write, without blocking, then call `then` with the path.

    Parameters
    ----------
    kinds : sequence of str
        Such as ``Table (*.csv)``; the first one's suffix is added where none is typed.
    """
    dialog = QFileDialog(parent, title, name)
    dialog.setObjectName("save_file_dialog")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(kinds))

    def suffix(kind: str) -> None:
        dialog.setDefaultSuffix(kind.rpartition("*.")[2].split(" ")[0].rstrip(")"))

    suffix(kinds[0])
    dialog.filterSelected.connect(suffix)
    dialog.fileSelected.connect(lambda path: then(Path(path)))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


def write_frame(frame: pd.DataFrame, path: Path, tell: Callable[[SensiViewError], None]) -> None:
    """Write a table as CSV with every digit; what goes wrong is told, never raised."""
    with Guard(tell):
        text = frame.to_csv(index=False, lineterminator="\n")
        write_atomically(path, lambda stream: stream.write(text.encode("utf-8")))


def safe_name(text: str) -> str:
    """Return a text as the stem of a file name on every system."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in text).strip("._")
    return kept[:80] or "view"


def write_picture(image: QImage, path: Path, tell: Callable[[SensiViewError], None]) -> None:
    """Write a picture as PNG, TIFF or PDF by the file's suffix; what goes wrong is told, never raised."""
    with Guard(tell):
        kind = path.suffix.lower().lstrip(".") or "png"
        data = _pdf(image) if kind == "pdf" else _encoded(image, kind)
        write_atomically(path, lambda stream: stream.write(data))


def _encoded(image: QImage, kind: str) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, kind.encode())
    if kind in ("tif", "tiff"):
        writer.setCompression(1)
    if not writer.write(image):
        raise UserError(
            f"Pictures of the kind '{kind}' can't be written. Choose a name that ends in .png, .tiff or .pdf."
        )
    return bytes(data.data())


def _pdf(image: QImage) -> bytes:
    """Return one page of the picture's size at 300 dots per inch."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(300)
    inches = QSizeF(image.width() / 300, image.height() / 300)
    writer.setPageSize(QPageSize(inches, QPageSize.Unit.Inch))
    writer.setPageMargins(QMarginsF())
    painter = QPainter(writer)
    painter.drawImage(QRectF(0, 0, writer.width(), writer.height()), image)
    painter.end()
    return bytes(data.data())
