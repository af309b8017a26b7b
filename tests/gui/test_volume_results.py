"""Maps over volumes as results: the viewer over the right subject, choices of other axes, two masks side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import INPUT_VALUE, FieldMap, Item, Mask, Matrix
from sensiview.gui.background import busy
from sensiview.gui.viewer.compositing import compose
from sensiview.gui.volume_item_view import VolumeItemView
from sensiview.importing import add_volumes

pytestmark = pytest.mark.needs_display

SHAPE = (8, 9, 10)
AFFINE = np.diag([-3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = (12.0, -12.0, -12.0)
NAMES = ("sub-01", "sub-02", "sub-03")


@pytest.fixture(autouse=True)
def plain_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the window around the panes."""
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Any:
    """Return the window with a project of three subjects; each volume is as bright as its number times ten."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    for number, name in enumerate(NAMES, start=1):
        values = np.full(SHAPE, 10 * number, np.int16)
        values[2:6, 2:7, 2:8] += np.arange(120, dtype=np.int16).reshape(4, 5, 6)
        image = nib.Nifti1Image(values, AFFINE)
        image.set_sform(AFFINE, 1)
        (tmp_path / "in").mkdir(exist_ok=True)
        nib.save(image, tmp_path / "in" / f"{name}.nii.gz")
    add_volumes(window.session.project, [tmp_path / "in"], name="heads")
    window.session.jobs.paused = True
    window.session.entries_changed("dataset")
    window.said = []
    window.session.problem.disconnect(window.show_problem)
    window.session.problem.connect(lambda error: window.said.append(error.sentence))
    return window


def mask(leading: tuple[str, ...] = (), labels: Mapping[str, tuple[str, ...]] | None = None) -> Mask:
    """Return a mask that covers voxel (i, j, k) = (1 + n, 2, 3) in its n-th place."""
    labels = dict(labels or {})
    sizes = tuple(len(labels[axis]) for axis in leading)
    values = np.ones((*sizes, *SHAPE[::-1]), np.float32)
    for number, place in enumerate(np.ndindex(*sizes)):
        values[(*place, 3, 2, 1 + number % 6)] = 0.1
    return Mask(
        title="Mask", values=values, axes=(*leading, "z", "y", "x"), coordinates=labels, affine=AFFINE, over="heads"
    )


def add_run(window: Any, items: Mapping[str, Item], analysis: str = "mask_optimization", **parameters: Any) -> str:
    project = window.session.project
    run = project.new_run(
        analysis=analysis, dataset=project.datasets()[0].id, parameters=parameters, name="A run", seed=1
    )
    write_items(items, project.run_directory(run.id))
    project.update_run(run.id, state="succeeded", items=list(items))
    window.session.entries_changed("run")
    return str(run.id)


def page_of(window: Any, run: str, item: str, wait_until: Any) -> Any:
    window.commands.open_entry("run", run)
    page = window.results.page(run)
    page.choose(item)
    if isinstance(page.view(), VolumeItemView):
        wait_until(lambda: page.view().workbench is not None and not busy(), 20, "the viewer")
    return page


def overlay(view: Any) -> Any:
    return next(layer for layer in view.workbench.scene.layers if layer.role == "mask")


def covered(view: Any) -> tuple[int, int, int]:
    """Return the voxel of the file that the mask covers most."""
    layer, scene = overlay(view), view.workbench.scene
    values = np.asarray(layer.array) * layer.slope + layer.intercept
    place = np.unravel_index(int(np.argmax(values)), values.shape)
    scene.set_cursor(scene.grid.mm(tuple(int(v) for v in place)))
    return scene.file_voxel


def choose(view: Any, axis: str, index: int) -> None:
    choice = view._choices[axis]
    choice.setCurrentIndex(index)
    choice.activated.emit(index)


def test_that_a_mask_lies_where_it_belongs_over_the_subject_it_is_of(window: Any, wait_until: Any) -> None:
    run = add_run(window, {"mask": mask()}, subjects=["sub-02"])
    view = page_of(window, run, "mask", wait_until).view()
    assert view.over.currentText() == "sub-02"
    assert [view.over.itemText(i) for i in range(view.over.count())] == list(NAMES)
    assert view.workbench.scene.title == "sub-02"
    assert view.workbench.scene.file_voxel == (1, 2, 3), "the cursor does not begin at the peak"
    assert covered(view) == (1, 2, 3)
    below = view.workbench.scene.layers[0]
    assert below.value(view.workbench.scene.cursor_voxel) == 20 or below.value_range[0] == 20
    assert window.said == []


def test_that_another_subject_takes_its_own_volume_along(window: Any, wait_until: Any) -> None:
    run = add_run(
        window, {"mask": mask(("subject",), {"subject": ("sub-03", "sub-01")})}, subjects=["sub-03", "sub-01"]
    )
    view = page_of(window, run, "mask", wait_until).view()
    assert (view.over.currentText(), covered(view)) == ("sub-03", (1, 2, 3))
    choose(view, "subject", 1)
    wait_until(lambda: not busy() and view.workbench.scene.title == "sub-01", 20)
    assert (view.over.currentText(), covered(view)) == ("sub-01", (2, 2, 3))


def test_that_every_lambda_can_be_chosen_and_a_chosen_look_stays(window: Any, wait_until: Any) -> None:
    grid = mask(("lambda_1", "lambda_2"), {"lambda_1": ("10", "100"), "lambda_2": ("1", "5", "9")})
    run = add_run(window, {"masks": grid}, analysis="lambda_grid")
    view = page_of(window, run, "masks", wait_until).view()
    assert [view._bar.itemAt(i).widget().text() for i in (0, 2)] == ["λ₁", "λ₂"]
    assert [view._choices["lambda_2"].itemText(i) for i in range(3)] == ["1", "5", "9"]
    view.workbench.scene.set_look(overlay(view).key, threshold=0.4)
    choose(view, "lambda_1", 1)
    choose(view, "lambda_2", 2)
    wait_until(lambda: not busy(), 20)
    assert covered(view) == (6, 2, 3)
    assert overlay(view).look.threshold == 0.4
    assert view.part().title == "Mask (λ₁ 100, λ₂ 9)"


def test_that_choices_come_back_with_the_project(window: Any, wait_until: Any) -> None:
    run = add_run(window, {"mask": mask(("subject",), {"subject": ("sub-03", "sub-01")})})
    page = page_of(window, run, "mask", wait_until)
    choose(page.view(), "subject", 1)
    wait_until(lambda: not busy(), 20)
    path, state = window.session.project.path, page.view().state()
    assert state["over"] == "sub-01"
    window.leave_project()
    window.session.close_project()
    assert window.session.open(path)
    view = page_of(window, run, "mask", wait_until).view()
    wait_until(lambda: view.workbench is not None and not busy(), 20)
    assert view._choices["subject"].currentText() == "sub-01"
    assert view.workbench.scene.title == "sub-01"


def test_that_a_map_is_shown_alone_when_the_volume_is_gone(window: Any, tmp_path: Path, wait_until: Any) -> None:
    run = add_run(window, {"mask": mask()}, subjects=["sub-02"])
    (tmp_path / "in").rename(tmp_path / "away")
    view = page_of(window, run, "mask", wait_until).view()
    assert covered(view) == (1, 2, 3)
    assert len(window.said) == 1
    assert "sub-0" in window.said[0]


def test_that_a_signed_map_without_other_axes_gets_a_range_about_zero(window: Any, wait_until: Any) -> None:
    values = np.linspace(-1, 2, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE[::-1])
    item = FieldMap(title="Saliency", values=values, axes=("z", "y", "x"), signed=True, affine=AFFINE, unit="1/mm")
    run = add_run(window, {"map": item}, analysis="saliency")
    view = page_of(window, run, "map", wait_until).view()
    layer = view.workbench.scene.layers[-1]
    assert layer.look.signed
    assert layer.unit == "1/mm"


def test_that_a_masked_input_is_grey_anatomy_and_not_a_colour_over_it(window: Any, wait_until: Any) -> None:
    values = np.linspace(0, 1, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE[::-1])
    item = FieldMap(title="Masked input", values=values, axes=("z", "y", "x"), affine=AFFINE, unit=INPUT_VALUE)
    run = add_run(window, {"masked_input": item})
    view = page_of(window, run, "masked_input", wait_until).view()
    scene = view.workbench.scene
    for axis in (0, 1, 2):
        picture = compose(scene.layers, scene.grid, axis, scene.cursor_voxel[axis], mirrored=False).astype(int)
        assert np.ptp(picture, axis=-1).max() == 0, "there is colour in it"
        own = compose(scene.layers[1:], scene.grid, axis, scene.cursor_voxel[axis], mirrored=False)
        np.testing.assert_array_equal(picture, own, err_msg="the volume below shines through")
        assert np.ptp(own) > 20
    assert np.abs(np.subtract(scene.cursor_voxel, scene.grid.voxel(scene.grid.centre))).max() <= 1, (
        "no peak to begin at"
    )


def test_that_newer_values_take_the_place_of_older_ones(window: Any, wait_until: Any) -> None:
    run = add_run(window, {"mask": mask()})
    view = page_of(window, run, "mask", wait_until).view()
    newer = mask()
    newer.values[3, 2, 1], newer.values[4, 4, 4] = 1.0, 0.0
    view.show_item(newer)
    wait_until(lambda: not busy(), 20)
    assert covered(view) == (4, 4, 4)


def test_that_closing_the_tab_while_the_volume_is_opened_leaves_nothing(window: Any, qapp: QApplication) -> None:
    run = add_run(window, {"mask": mask()})
    window.commands.open_entry("run", run)
    window.session.close_project()
    qapp.processEvents()


class TestRobustness:
    @pytest.fixture
    def page(self, window: Any, wait_until: Any) -> Any:
        contexts = ("fold 0", "fold 1", "fold 2")
        values = np.array([[1, 0.6, 0.5], [0.6, 1, 0.4], [0.5, 0.4, 1]])
        matrix = Matrix(title="ROI similarity", values=values, rows=contexts, columns=contexts)
        items = {"roi_similarity": matrix, "masks": mask(("context",), {"context": contexts})}
        run = add_run(window, items, analysis="mask_robustness")
        return page_of(window, run, "roi_similarity", wait_until)

    def comparison(self) -> Any:
        return next((w for w in QApplication.topLevelWidgets() if w.objectName() == "mask_comparison"), None)

    def test_that_a_click_on_a_cell_opens_both_masks(self, window: Any, page: Any, wait_until: Any) -> None:
        plot = page.view().plot
        assert "side by side" in plot.readout.text()
        cell = next(n for n in range(plot.count()) if plot.names_of(n) == ("fold 2", "fold 1"))
        place = plot.place(cell).center()
        QTest.mouseClick(
            plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(place.x()), round(place.y()))
        )
        wait_until(lambda: self.comparison() is not None, 10)
        compare = self.comparison()
        wait_until(lambda: not busy() and len(compare.left.scene.layers) > 1, 20)
        assert compare.windowTitle() == "fold 2 beside fold 1"
        assert [label.text() for label in compare._titles] == ["A: fold 2", "B: fold 1"]
        shown = []
        for viewer in (compare.left, compare.right):
            layer = viewer.scene.layer("map0")
            values = np.asarray(layer.array) * layer.slope + layer.intercept
            place = np.unravel_index(int(np.argmax(values)), values.shape)
            viewer.scene.set_cursor(viewer.scene.grid.mm(tuple(int(v) for v in place)))
            shown.append(viewer.scene.file_voxel)
        assert shown == [(3, 2, 3), (2, 2, 3)]
        compare.close()
        assert window.said == []

    def test_that_the_comparison_closes_with_the_project(self, window: Any, page: Any, wait_until: Any) -> None:
        page.view().plot.picked.emit(1)
        wait_until(lambda: self.comparison() is not None and not busy(), 20)
        window.session.close_project()
        wait_until(lambda: self.comparison() is None or not self.comparison().isVisible(), 5)

    def test_that_closing_the_comparison_while_it_reads_leaves_nothing(
        self, page: Any, wait_until: Any, settle: Any
    ) -> None:
        page.view().plot.picked.emit(1)
        self.comparison().close()
        wait_until(lambda: not busy(), 20)
        settle(0.1)
