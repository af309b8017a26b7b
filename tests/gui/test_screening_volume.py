"""Screenings of parts of volumes: dots and panes, linked both ways."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton
from sample_screenings import volume_screening

from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import Item
from sensiview.gui.background import busy
from sensiview.gui.plots.drawing import mosaic_of, save_mosaic
from sensiview.gui.screening_volume_parts import volume_parts
from sensiview.gui.screening_volume_view import ScreeningVolumeView
from sensiview.gui.viewer.panels.readout import region_at, region_text
from sensiview.importing import add_volumes

pytestmark = pytest.mark.needs_display

SHAPE = (8, 10, 12)
AFFINE = np.diag([-3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = (12.0, -12.0, -12.0)
NAMES = ("sub-01", "sub-02")


@pytest.fixture(autouse=True)
def plain_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about what lies around the panes."""
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Any:
    """Return the window with a project of two subjects."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    (tmp_path / "in").mkdir()
    for number, name in enumerate(NAMES, start=1):
        image = nib.Nifti1Image(np.full(SHAPE, 10 * number, np.int16), AFFINE)
        image.set_sform(AFFINE, 1)
        nib.save(image, tmp_path / "in" / f"{name}.nii.gz")
    add_volumes(window.session.project, [tmp_path / "in"], name="heads")
    window.session.jobs.paused = True
    window.session.entries_changed("dataset")
    return window


def open_screening(window: Any, items: Mapping[str, Item], wait_until: Any) -> tuple[Any, ScreeningVolumeView]:
    project = window.session.project
    run = project.new_run(analysis="morris", dataset=project.datasets()[0].id, parameters={}, name="A run", seed=1)
    write_items(items, project.run_directory(run.id))
    project.update_run(run.id, state="succeeded", items=list(items))
    window.session.entries_changed("run")
    window.commands.open_entry("run", str(run.id))
    page = window.results.page(str(run.id))
    page.choose("screening")
    view = page.view()
    assert isinstance(view, ScreeningVolumeView)
    wait_until(lambda: view.panes.workbench is not None and view._layer is not None and not busy(), 20, "the viewer")
    return page, view


def outlined(view: ScreeningVolumeView) -> tuple[int, ...]:
    layer = view.panes.workbench.scene.layer("parts")
    assert layer.look.outline
    return layer.look.only if layer.look.visible else ()


def test_that_a_dot_that_is_chosen_is_outlined_and_the_panes_go_to_its_part(window: Any, wait_until: Any) -> None:
    _, view = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    assert outlined(view) == ()
    view.plot.choose_factors(["region 1"])
    scene = view.panes.workbench.scene
    assert outlined(view) == (1,)
    assert all(0 <= v < n // 2 for v, n in zip(scene.file_voxel, SHAPE, strict=True))
    view.plot.choose_factors(["region 1", "region 8"])
    assert outlined(view) == (1, 8)
    assert all(n // 2 <= v < n for v, n in zip(scene.file_voxel, SHAPE, strict=True))
    view.plot.choose_factors([])
    assert outlined(view) == ()


def test_that_the_part_under_the_cursor_lights_its_dot_and_is_read(window: Any, wait_until: Any) -> None:
    _, view = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    scene = view.panes.workbench.scene
    # RAS mm of voxel (7, 0, 0): the first axis runs to the left.
    scene.set_cursor((12.0 - 21.0, -12.0, -12.0))
    assert scene.file_voxel == (7, 0, 0)
    assert view.plot.describe_current().startswith("region 5: ")
    assert view.plot.canvas._highlight.rect() == view.plot.place(view.plot.factors().index("region 5"))


def test_that_the_names_of_parts_are_in_the_read_out_of_the_viewer(window: Any, wait_until: Any) -> None:
    _, view = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    scene = view.panes.workbench.scene
    view.plot.choose_factors(["region 3"])
    assert region_text(scene) == "region 3"


def test_that_another_subject_above_the_dots_is_shown_in_the_panes_and_back(window: Any, wait_until: Any) -> None:
    _, view = open_screening(window, volume_screening(SHAPE, AFFINE, NAMES), wait_until)
    combo = view.dots.findChild(QComboBox, "plot_subject")
    assert combo is not None
    combo.setCurrentIndex(1)
    wait_until(lambda: view.panes.workbench.scene.title == "sub-02" and not busy(), 20)
    assert view.panes.places()["subject"] == "sub-02"
    view.plot.choose_factors(["region 2"])
    assert outlined(view) == (2,)
    choice = view.panes._choices["subject"]
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    wait_until(lambda: view.panes.workbench.scene.title == "sub-01" and not busy(), 20)
    assert view.plot.fixed()["subject"] == "sub-01"
    assert view.plot.describe(0)[1].startswith("μ* = 1.00")


def test_that_dots_and_panes_lie_where_there_is_room_for_them(window: Any, wait_until: Any) -> None:
    _, view = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    assert window.height() <= 800, "the view pushes the window off a small screen"
    assert (view.dots.isVisible(), view.panes.isVisible()) == (True, False)
    button = view.findChild(QToolButton, "show_volume")
    assert button is not None
    button.click()
    assert (view.dots.isVisible(), view.panes.isVisible()) == (False, True)
    view.setFixedSize(600, 900)
    wait_until(lambda: view.height() == 900, 3)
    assert view.splitter.orientation() == Qt.Orientation.Vertical
    assert (view.dots.isVisible(), view.panes.isVisible(), view.switch.isVisible()) == (True, True, False)
    view.setFixedSize(1200, 500)
    wait_until(lambda: view.width() == 1200, 3)
    assert view.splitter.orientation() == Qt.Orientation.Horizontal
    assert view.panes.workbench is not None
    assert view.panes.workbench.side.isHidden()


def test_that_line_choice_and_table_come_back(window: Any, wait_until: Any) -> None:
    page, view = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    view.plot._settings.spin.setValue(30.0)
    view.plot.choose_factors(["region 4"])
    view.set_mode("table")
    state = page.state()
    window.results.close_run(page.run_id)
    QApplication.processEvents()
    window.results.open_run(page.run_id)
    again = window.results.page(page.run_id)
    again.restore(state)
    view = again.view()
    wait_until(lambda: view.panes.workbench is not None and view._layer is not None and not busy(), 20)
    assert view.plot.share == pytest.approx(0.3)
    assert view.plot.chosen_factors() == ["region 4"]
    assert outlined(view) == (4,)


def test_that_the_centre_of_a_curved_part_lies_inside_of_it() -> None:
    labels = np.zeros((5, 5, 1), dtype=np.int32)
    labels[:, 0], labels[:, 4], labels[0, :] = 1, 1, 1
    items = volume_screening((5, 5, 1), np.eye(4), side=1)
    items["parts"] = type(items["parts"])(
        title="Parts", values=labels.swapaxes(0, 2), axes=("z", "y", "x"), affine=np.eye(4)
    )
    parts = volume_parts(items, "", "")
    assert parts is not None
    centre = parts.centre(1)
    assert centre is not None
    assert parts.number_at(centre) == 1
    assert parts.centre(7) is None
    assert parts.number_at((99.0, 0.0, 0.0)) == 0


def test_that_parts_are_labels_in_the_viewer_and_no_heat(window: Any, wait_until: Any) -> None:
    page, _ = open_screening(window, volume_screening(SHAPE, AFFINE), wait_until)
    page.choose("parts")
    panes = page.view()
    wait_until(lambda: panes.workbench is not None and panes.workbench.scene.layers and not busy(), 20)
    layer = next(layer for layer in panes.workbench.scene.layers if layer.name == "Parts")
    assert layer.role == "atlas"
    assert layer.look.visible
    assert len(layer.names) == 8
    panes.workbench.scene.set_cursor((12.0 - 21.0, -12.0, -12.0))
    assert region_at(layer, panes.workbench.scene) == (5, "part 5")


def test_that_a_mosaic_of_parts_shows_every_part_and_speaks_of_no_peak(qapp: QApplication, tmp_path: Path) -> None:
    parts = volume_screening(SHAPE, AFFINE)["parts"]
    mosaic = mosaic_of(parts, None)
    assert mosaic is not None
    assert not mosaic.entries[0].peaked
    save_mosaic(mosaic, tmp_path / "parts.svg")
    text = (tmp_path / "parts.svg").read_text()
    assert "8 parts, each in a colour of its own" in text
    assert "peak" not in text.lower()
