"""Plots as files: the same picture as in the window, also without a display."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction, QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QFileDialog
from sample_items import correlation, every_kind, indices

from sensiview.errors import UserError
from sensiview.gui.plots import draw_item, plot_for
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.plot_menu import file_name
from sensiview.gui.themes import DARK, LIGHT, apply_theme

pytestmark = pytest.mark.usefixtures("qapp")


def rasterised(path: Path, size: tuple[int, int]) -> QImage:
    image = QImage(*size, QImage.Format.Format_ARGB32)
    image.fill(QColor("magenta"))
    painter = QPainter(image)
    QSvgRenderer(str(path)).render(painter)
    painter.end()
    return image


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.mark.parametrize("kind", sorted(every_kind()))
def test_that_every_kind_is_written_as_png_with_two_pixels_per_pixel(kind: str, tmp_path: Path) -> None:
    item = every_kind()[kind]
    assert draw_item(item, tmp_path / "plot.png", size=(500, 400))  # type: ignore[arg-type]
    image = QImage(str(tmp_path / "plot.png"))
    assert image.width() == 1000
    assert image.height() >= 800
    assert len(np.unique(pixels(image)[::3, ::3] @ [65536, 256, 1])) > 10


@pytest.mark.parametrize("kind", sorted(every_kind()))
def test_that_the_svg_looks_like_the_png(kind: str, tmp_path: Path) -> None:
    item = every_kind()[kind]
    for name in ("plot.png", "plot.svg"):
        draw_item(item, tmp_path / name, size=(500, 400))  # type: ignore[arg-type]
    png = QImage(str(tmp_path / "plot.png"))
    png = png.scaled(png.width() // 2, png.height() // 2)
    svg = rasterised(tmp_path / "plot.svg", (png.width(), png.height()))
    # Edges are drawn a little differently; whole bars, cells or texts in another place would not pass.
    assert np.abs(pixels(png) - pixels(svg)).mean() < 8


def test_that_text_in_an_svg_is_text(tmp_path: Path) -> None:
    draw_item(indices(factors=("a <b> & c", "größe")), tmp_path / "plot.svg")
    content = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", content)
    assert "First-order and total indices" in texts
    assert "a &lt;b&gt; &amp; c" in texts
    assert "größe" in texts


def test_that_a_file_is_drawn_in_the_theme_that_was_asked_for(tmp_path: Path, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    draw_item(indices(), tmp_path / "plot.png", theme="dark")
    assert QImage(str(tmp_path / "plot.png")).pixelColor(3, 3) == QColor(DARK.panel)


def test_that_a_plot_with_many_names_is_higher_than_asked_for(tmp_path: Path) -> None:
    draw_item(indices(factors=tuple(f"factor {k}" for k in range(60))), tmp_path / "plot.png", size=(500, 300))
    assert QImage(str(tmp_path / "plot.png")).height() > 2 * 60 * 18


def test_that_a_table_that_is_not_drawn_writes_nothing(tmp_path: Path) -> None:
    from dataclasses import replace

    assert not draw_item(replace(indices(), plot="none"), tmp_path / "plot.png")
    assert list(tmp_path.iterdir()) == []


def test_that_another_ending_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.png or \.svg"):
        draw_item(indices(), tmp_path / "plot.bmp")


def test_that_a_folder_that_is_not_there_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Choose another folder"):
        draw_item(indices(), tmp_path / "nowhere" / "plot.png")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems draw with their own platform")
def test_that_a_machine_without_display_draws_the_same_plot(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom sample_items import indices\nfrom sensiview.gui.plots import draw_item\n"
        "draw_item(indices(), Path(sys.argv[2]) / 'plot.svg')\n"
        "print(os.environ.get('QT_QPA_PLATFORM', 'as before'))\n"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)],
        env=bare, capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "as before"
    assert "Glucose" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_that_the_numbers_are_written_with_every_digit(tmp_path: Path) -> None:
    item = indices()
    plot = plot_for(item)
    assert plot is not None
    plot.save(tmp_path / "numbers.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "numbers.csv"), item.frame, check_exact=True)
    plot.deleteLater()


def test_that_a_matrix_is_written_with_its_row_names(tmp_path: Path) -> None:
    plot = plot_for(correlation())
    assert plot is not None
    plot.save(tmp_path / "numbers.csv")
    assert pd.read_csv(tmp_path / "numbers.csv", index_col=0).loc["column 1", "column 1"] == 1.0
    plot.deleteLater()


def test_that_copy_puts_picture_and_numbers_on_the_clipboard(qapp: QApplication) -> None:
    plot = plot_for(indices())
    assert plot is not None
    plot.resize(400, 300)
    plot.copy()
    content = qapp.clipboard().mimeData()
    assert isinstance(content, QMimeData)
    assert content.hasImage()
    copied = pd.read_csv(io.StringIO(qapp.clipboard().text()), sep="\t")
    assert copied["factor"].tolist() == ["Glucose", "BMI", "Age"]
    plot.deleteLater()


def export_through_the_menu(plot: ItemPlot, kind: str, path: Path) -> None:
    action = plot.findChild(QAction, f"export_{kind}")
    assert action is not None
    action.trigger()
    dialog = plot.findChild(QFileDialog, "export_dialog")
    assert dialog is not None
    dialog.fileSelected.emit(str(path))
    dialog.close()


@pytest.mark.parametrize("kind", ["png", "svg", "csv"])
def test_that_the_menu_asks_for_a_file_and_says_where_it_is(kind: str, tmp_path: Path, qapp: QApplication) -> None:
    plot = plot_for(indices())
    assert plot is not None
    plot.show()
    qapp.processEvents()
    export_through_the_menu(plot, kind, tmp_path / f"plot.{kind}")
    assert (tmp_path / f"plot.{kind}").stat().st_size > 100
    assert plot.readout.text() == f"Saved as {tmp_path / f'plot.{kind}'}"
    plot.close()
    plot.deleteLater()


def test_that_a_failed_export_is_a_sentence_and_a_problem(tmp_path: Path, qapp: QApplication) -> None:
    plot = plot_for(indices())
    assert plot is not None
    heard: list[object] = []
    plot.problem.connect(heard.append)
    plot.show()
    qapp.processEvents()
    export_through_the_menu(plot, "png", tmp_path / "nowhere" / "plot.png")
    assert "could not be written" in plot.readout.text()
    assert len(heard) == 1
    plot.close()
    plot.deleteLater()


def test_that_file_names_suit_every_system() -> None:
    assert file_name("S1/ST: a <b>?") == "S1_ST_a_b"
    assert file_name("...") == "plot"
    assert file_name("größe") == "größe"


def test_that_a_shown_plot_changes_its_colours_with_the_theme(qapp: QApplication) -> None:
    plot = plot_for(indices())
    assert plot is not None
    plot.resize(400, 300)
    plot.show()
    qapp.processEvents()
    assert plot.canvas.grab().toImage().pixelColor(3, 3) == QColor(LIGHT.panel)
    apply_theme(qapp, "dark")
    qapp.processEvents()
    assert plot.canvas.grab().toImage().pixelColor(3, 3) == QColor(DARK.panel)
    apply_theme(qapp, "light")
    plot.close()
    plot.deleteLater()


@pytest.mark.parametrize("kind", sorted(every_kind()))
def test_that_everything_one_can_press_has_a_name_for_tests_and_one_for_ears(kind: str) -> None:
    from PySide6.QtWidgets import QComboBox, QSlider, QToolButton

    plot = plot_for(every_kind()[kind])  # type: ignore[arg-type]
    assert plot is not None
    for kind_of in (QComboBox, QSlider, QToolButton):
        for widget in plot.findChildren(kind_of):
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget.objectName()
    assert plot.canvas.accessibleName()
    plot.deleteLater()
