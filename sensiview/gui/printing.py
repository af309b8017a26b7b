"""Prints a report to PDF: A4, from the report's own HTML."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QSizeF
from PySide6.QtGui import QGuiApplication, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from sensiview.errors import UserError
from sensiview.reporting.files import write_file
from sensiview.reporting.pdf_pictures import shrink_pictures


def write_pdf(html: str, path: Path) -> None:
    """Write `html` (Qt's rich text subset) as an A4 PDF.

    Raises
    ------
    UserError
        The file can't be written.
    """
    app = QGuiApplication.instance() or QGuiApplication([])
    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(18, 18, 18, 18), QPageLayout.Unit.Millimeter)
    writer.setResolution(150)
    writer.setCreator("SensiView")
    document = QTextDocument()
    document.documentLayout().setPaintDevice(writer)
    document.setPageSize(QSizeF(writer.width(), writer.height()))
    document.setHtml(html)
    document.print_(writer)
    del app, document, writer
    if not path.is_file() or path.stat().st_size == 0:
        raise UserError(f"The report could not be written to {path}. Choose a folder you may write to.")
    smaller = shrink_pictures(path.read_bytes())
    write_file(path, lambda stream: stream.write(smaller))
