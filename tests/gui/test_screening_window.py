"""A screening of images in the real window: what is read, dragged and chosen there, and comes back with the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from sample_screenings import image_screening

from sensiview.analysis.item_files import write_items
from sensiview.gui.plots.screening_parts_plot import PartsPlot
from sensiview.gui.plots.screening_plot import ScreeningPlot

pytestmark = pytest.mark.needs_display


@pytest.fixture
def run(window: Any, tmp_path: Path) -> str:
    """Return a finished screening of the window's project."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.session.jobs.paused = True
    items = image_screening(4, 32)
    project = window.session.project
    record = project.new_run(analysis="morris", dataset=None, parameters={}, name="A screening", seed=1)
    write_items(items, project.run_directory(record.id))
    project.update_run(record.id, state="succeeded", items=list(items))
    window.session.entries_changed("run")
    return str(record.id)


def plot_of(window: Any, run: str) -> ScreeningPlot:
    view = window.results.page(run).view()
    assert isinstance(view.plot, ScreeningPlot)
    return view.plot


def test_that_the_line_is_dragged_in_the_window_and_comes_back_with_the_project(
    window: Any, run: str, tmp_path: Path
) -> None:
    window.commands.open_entry("run", run)
    QApplication.processEvents()
    plot = plot_of(window, run)
    port = plot.canvas.viewport()
    start, end = (plot.canvas.mapFromScene(plot._panel.to_scene(x, 0.5)) for x in (plot.line, 0.52))
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.5, 1.0):
        QTest.mouseMove(port, start + (end - start) * share)
        QApplication.processEvents()
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)
    assert plot.line == pytest.approx(0.52, abs=0.02)
    told = plot._legend.entries()[0].text
    assert told == "no effect (8)"
    plot.choose_factors(["row 4, column 4"])
    share = plot.share
    window.commands.close_project()
    QApplication.processEvents()
    assert window.session.open(tmp_path / "study.sensiview")
    QApplication.processEvents()
    again = plot_of(window, run)
    assert again.share == pytest.approx(share)
    assert again._legend.entries()[0].text == told
    assert again.chosen_factors() == ["row 4, column 4"]


def test_that_the_window_stays_within_a_small_screen_with_the_image_in_sight(window: Any, run: str) -> None:
    window.resize(1280, 800)
    window.commands.open_entry("run", run)
    for _ in range(5):
        QApplication.processEvents()
    assert (window.width(), window.height()) == (1280, 800)
    plot = plot_of(window, run)
    assert plot._picture is not None
    seen = plot.canvas.viewport().rect().intersected(plot._scroll.viewport().rect())
    assert seen.contains(plot.canvas.mapFromScene(plot._picture.place(16).center()))


def test_that_every_item_of_a_screening_has_its_view(window: Any, run: str) -> None:
    window.commands.open_entry("run", run)
    page = window.results.page(run)
    for name in page.item_names():
        page.choose(name)
        QApplication.processEvents()
        view = page.view()
        assert view is not None
        if name == "parts":
            assert isinstance(view.plot, PartsPlot)
        if name == "factors":
            assert view.plot is None
            assert view.table.view.model().rowCount() == 32
