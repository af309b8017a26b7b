"""Reports as PDF: their pictures are small, and what is on the pages stays."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtPdf import QPdfDocument
from PySide6.QtWidgets import QApplication

from sensiview.gui import printing
from sensiview.gui.printing import write_pdf
from sensiview.reporting.pdf_pictures import shrink_pictures

pytestmark = pytest.mark.needs_display


def in_html(image: QImage) -> str:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    content = base64.b64encode(bytes(buffer.data().data())).decode("ascii")
    return f'<p>page</p><img src="data:image/png;base64,{content}" width="500">'


def photograph() -> QImage:
    """A smooth red and blue ground with grain, 1800 x 1200."""
    y, x = np.mgrid[0:1200, 0:1800]
    grain = np.random.default_rng(0).integers(0, 60, (1200, 1800))
    pixels = np.stack([x * 195 // 1800 + grain, grain, y * 195 // 1200 + grain], axis=2).astype(np.uint8)
    return QImage(pixels.tobytes(), 1800, 1200, 3 * 1800, QImage.Format.Format_RGB888).copy()


def drawing() -> QImage:
    """Ten thousand thin lines would be grain; a few on white are a plot."""
    image = QImage(1800, 1200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for k, colour in enumerate(("#d62728", "#1f77b4", "#2ca02c")):
        painter.setPen(QColor(colour))
        painter.drawLine(20, 30 + 350 * k, 1780, 400 + 370 * k)
    painter.fillRect(900, 60, 600, 300, QColor("#1f77b4"))
    painter.end()
    return image


@pytest.fixture
def untouched(tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A PDF of both as Qt writes it."""
    path = tmp_path / "as_qt_writes.pdf"
    with monkeypatch.context() as patch:
        patch.setattr(printing, "shrink_pictures", lambda content: content)
        write_pdf(f"<h1>Report</h1>{in_html(photograph())}{in_html(drawing())}", path)
    return path.read_bytes()


def pages_of(content: bytes) -> list[np.ndarray]:
    document, buffer = QPdfDocument(), QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    document.load(buffer)
    assert document.status() == QPdfDocument.Status.Ready
    pages = []
    for number in range(document.pageCount()):
        sheet = QImage(413, 584, QImage.Format.Format_RGB888)
        sheet.fill(QColor("white"))
        painter = QPainter(sheet)
        painter.drawImage(0, 0, document.render(number, QSize(413, 584)))
        painter.end()
        rows = np.frombuffer(sheet.constBits(), np.uint8).reshape(584, sheet.bytesPerLine())
        pages.append(rows[:, : 3 * 413].astype(int))
    document.close()
    return pages


def test_that_pictures_become_small_and_pages_look_the_same(untouched: bytes) -> None:
    small = shrink_pictures(untouched)
    assert len(small) < len(untouched) / 3
    before, after = pages_of(untouched), pages_of(small)
    assert len(before) == len(after) >= 1
    for one, other in zip(before, after, strict=True):
        assert np.abs(one - other).mean() < 2
    # The photograph as a JPEG, the drawing without loss.
    assert (small.count(b"/DCTDecode"), small.count(b"/Indexed")) == (1, 1)


def test_that_every_object_is_where_the_table_says(untouched: bytes) -> None:
    small = shrink_pictures(untouched)
    table = int(small[small.rfind(b"startxref") :].split()[1])
    lines = small[table:].split(b"\n")
    assert lines[0].startswith(b"xref")
    for number, line in enumerate(lines[2 : 2 + int(lines[1].split()[1])]):
        if line[17:18] == b"n":
            assert small[int(line[:10]) :].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4 nothing", b"%PDF-1.4\nstartxref\n5\n%%EOF\n", b"startxref\nx"])
def test_that_what_is_built_in_another_way_stays_as_it_is(content: bytes) -> None:
    assert shrink_pictures(content) == content


def test_that_a_report_is_written_with_small_pictures(tmp_path: Path, qapp: QApplication, untouched: bytes) -> None:
    write_pdf(in_html(photograph()), tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").stat().st_size < len(untouched) / 3
    assert [path.name for path in tmp_path.glob("*.pdf")].count("r.pdf") == 1
