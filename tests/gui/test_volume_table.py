"""The table of a cohort in the window: pictures, numbers and problems of every volume, sorted, filtered, opened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sensiview.datasets import cohort_table
from sensiview.gui.background import busy
from sensiview.gui.class_strip import ClassStrip
from sensiview.importing import add_volumes

pytestmark = pytest.mark.needs_display


@pytest.fixture(autouse=True)
def plain_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the table, not about the panes."""
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Any:
    """Return the window with an empty project; errors are kept instead of shown."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.said = []
    window.session.problem.disconnect(window.show_problem)
    window.session.problem.connect(lambda error: window.said.append(error.sentence))
    return window


def cohort(root: Path) -> Path:
    """Five volumes of rising brightness, the first the brightest; the fourth with NaN, the fifth on another grid."""
    root.mkdir()
    rows = ["participant_id\tdiagnosis\tage"]
    for number in range(5):
        shape = (8, 9, 10) if number < 4 else (6, 7, 8)
        values = np.random.default_rng(number).random(shape).astype(np.float32) + 10 * ((number + 3) % 5)
        if number == 3:
            values[:2] = np.nan
        nib.save(nib.Nifti1Image(values, np.diag([-3.0, 3, 3, 1])), root / f"sub-{number:02}_T1w.nii.gz")
        rows.append(f"sub-{number:02}\t{'n/a' if number == 4 else 'AD' if number % 2 else 'CN'}\t{60 + number}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def shown(window: Any, folder: Path, wait_until: Any, **choices: Any) -> Any:
    """Return the page of a cohort with its table on the screen, all numbers there."""
    source = add_volumes(window.session.project, [folder], **choices).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.volumes is not None and pane.volumes.workbench is not None, 20, "the viewer")
    pane.volumes.tabs.setCurrentWidget(pane.volumes.volumes)
    wait_until(lambda: not busy() and not pane.volumes.volumes.progress.text(), 30, "the numbers")
    return pane.volumes


def column(page: Any, name: str) -> list[str]:
    table = page.volumes.table
    place = table.columns().index(name)
    return [table.texts(row)[place] for row in range(table.view.model().rowCount())]


def test_that_every_volume_has_its_class_grid_numbers_size_and_problems(
    window: Any, tmp_path: Path, wait_until: Any
) -> None:
    folder = cohort(tmp_path / "in")
    page = shown(window, folder, wait_until, target="diagnosis")
    assert page.volumes.table.columns()[:6] == ["volume", "subject", "diagnosis", "problems", "voxels", "spacing (mm)"]
    assert column(page, "diagnosis")[:4] == ["CN", "AD", "CN", "AD"]
    assert column(page, "voxels")[3:] == ["8 × 9 × 10", "6 × 7 × 8"]
    assert column(page, "axes") == ["LAS"] * 5
    assert [float(text) for text in column(page, "mean")] == pytest.approx([30.5, 40.5, 0.5, 10.5, 20.5], abs=0.1)
    sizes = [path.stat().st_size / 1e6 for path in sorted(folder.glob("*.nii.gz"))]
    assert [float(text) for text in column(page, "size")] == pytest.approx(sizes, rel=1e-3)
    problems = column(page, "problems")
    assert problems[:3] == ["", "", ""]
    assert problems[3].startswith("180 NaN voxels")
    assert problems[4] == "Not on the grid of most volumes: resample before training."
    assert page.volumes.strip.texts() == ["AD 2 (40 %)", "CN 2 (40 %)", "no class 1 (20 %)"]
    view = page.volumes.table.view
    wait_until(lambda: not busy(), 20)
    pictures = [view.model().index(row, 0).data(Qt.ItemDataRole.DecorationRole) for row in range(5)]
    assert all(picture.toImage().allGray() and picture.toImage() != pictures[3].toImage() for picture in pictures[:3])
    assert window.said == []


def test_that_a_row_is_opened_in_the_viewer_also_when_sorted_and_filtered(
    window: Any, tmp_path: Path, wait_until: Any
) -> None:
    page = shown(window, cohort(tmp_path / "in"), wait_until, target="diagnosis")
    table = page.volumes.table
    table.view.sortByColumn(table.columns().index("mean"), Qt.SortOrder.AscendingOrder)
    assert column(page, "volume") == ["sub-02", "sub-03", "sub-04", "sub-00", "sub-01"]
    table.filter_box.setText("mean > 15")
    wait_until(lambda: table.view.model().rowCount() == 3)
    table.view.setCurrentIndex(table.view.model().index(2, 0))
    QTest.keyClick(table.view, Qt.Key.Key_Return)
    wait_until(lambda: page.workbench.scene.title.startswith("sub-01"), 20)
    assert page.tabs.currentWidget() is page.viewer
    page.workbench.choose_case(4)
    wait_until(lambda: page.workbench.scene.title.startswith("sub-04"), 20)
    assert table.current_source_row() == 4
    assert table.view.currentIndex().row() == 0
    table.filter_box.setText("nan")
    wait_until(lambda: column(page, "volume") == ["sub-03"])


def test_that_another_target_changes_column_and_balance_and_keeps_the_numbers(
    window: Any, tmp_path: Path, wait_until: Any
) -> None:
    page = shown(window, cohort(tmp_path / "in"), wait_until)
    assert "No target yet" in page.volumes.strip.toolTip()
    page.target.setCurrentIndex(page.target.findData("diagnosis"))
    page.target.activated.emit(page.target.currentIndex())
    wait_until(lambda: window.session.dataset.card.target == "diagnosis" and not busy(), 20)
    assert page.volumes.table.columns()[2] == "diagnosis"
    assert float(column(page, "mean")[0]) == pytest.approx(30.5, abs=0.1)
    assert page.volumes.strip.texts()[0] == "AD 2 (40 %)"


def test_that_a_volume_that_goes_is_a_sentence_in_its_row(window: Any, tmp_path: Path, wait_until: Any) -> None:
    folder = cohort(tmp_path / "in")
    source = add_volumes(window.session.project, [folder]).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.volumes is not None and pane.volumes.workbench is not None, 20, "the viewer")
    wait_until(lambda: not busy(), 20)
    (folder / "sub-01_T1w.nii.gz").unlink()
    pane.volumes.tabs.setCurrentWidget(pane.volumes.volumes)
    wait_until(lambda: not busy() and not pane.volumes.volumes.progress.text(), 30, "the numbers")
    assert "sub-01_T1w.nii.gz" in column(pane.volumes, "problems")[1]
    assert column(pane.volumes, "mean")[1] == ""
    assert column(pane.volumes, "mean")[2] != ""


def test_that_the_window_answers_while_many_volumes_are_looked_at(
    window: Any, tmp_path: Path, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "in"
    root.mkdir()
    for number in range(300):
        values = np.random.default_rng(number).random((4, 4, 4)).astype(np.float32)
        nib.save(nib.Nifti1Image(values, np.eye(4)), root / f"v{number:03}.nii")
    looked: list[float] = []
    plain = cohort_table.voxel_statistics

    def slow(*arguments: Any) -> Any:
        time.sleep(0.003)
        looked.append(time.monotonic())
        return plain(*arguments)

    monkeypatch.setattr(cohort_table, "voxel_statistics", slow)
    source = add_volumes(window.session.project, [root]).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.volumes is not None and pane.volumes.workbench is not None, 30, "the viewer")
    page = pane.volumes
    page.tabs.setCurrentWidget(page.volumes)
    wait_until(lambda: page.volumes.progress.text().startswith("Looking at volumes: "), 10)
    table = page.volumes.table
    table.filter_box.setText("v29")
    wait_until(lambda: table.view.model().rowCount() == 10, 5)
    table.view.sortByColumn(table.columns().index("mean"), Qt.SortOrder.DescendingOrder)
    table.choose_source_row(295)
    assert len(looked) < 300
    # Another page: nobody looks, so nothing more is asked for.
    page.tabs.setCurrentWidget(page.viewer)
    wait_until(lambda: not busy(), 20)
    count = len(looked)
    assert count < 300
    page.tabs.setCurrentWidget(page.volumes)
    wait_until(lambda: not page.volumes.progress.text(), 60, "all numbers")
    assert len(looked) == 300
    means = [float(text) for text in column(page, "mean")]
    assert len(means) == 10
    assert means == sorted(means, reverse=True)
    assert table.current_source_row() == 295


def test_that_a_strip_without_room_or_classes_is_drawn(qapp: Any) -> None:
    strip = ClassStrip()
    for counts, missing in (({}, 0), ({"a": 1}, 0), ({f"class {k}": k for k in range(40)}, 7)):
        strip.show_counts(counts, missing, otherwise="None.")
        for width in (1, 60, 900):
            strip.resize(width, strip.sizeHint().height())
            assert not strip.grab().isNull()
    assert strip.texts()[-1] == "no class 7 (1 %)"
