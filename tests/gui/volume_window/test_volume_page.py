"""The page of a cohort: cases, target, volumes that are gone, the atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.gui.background import busy
from tests.gui.volume_window.parts import AFFINE, add, cohort, dialog_of, head, page_of, texts

pytestmark = pytest.mark.needs_display


class TestPage:
    def test_that_the_first_case_is_shown_and_the_next_follows(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")], target="diagnosis")
        page = page_of(window, wait_until)
        bench = page.workbench
        assert bench.scene.title == "sub-01_T1w" or bench.scene.title.startswith("sub-01")
        assert bench.side.cases.current() == 0
        assert page.viewer.currentWidget() is bench
        assert page.volumes.table.view.model().rowCount() == 6
        assert bench.side.cases.model.classes == ("AD", "CN", "AD", "CN", "AD", "CN")
        bench.commands.next_case()
        wait_until(lambda: bench.scene.title.startswith("sub-02"), 20)
        assert page.volumes.table.view.currentIndex().row() == 1
        bench.commands.previous_case()
        wait_until(lambda: bench.scene.title.startswith("sub-01"), 20)
        titles = [page.tabs.tabText(i) for i in range(page.tabs.count())]
        assert titles == ["Viewer", "Volumes", "Columns", "Classes", "Files and notes"]
        assert window.said == []

    def test_that_another_target_is_undoable_and_keeps_the_case_that_is_read(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")], target="diagnosis")
        page = page_of(window, wait_until)
        bench = page.workbench
        bench.choose_case(3)
        wait_until(lambda: bench.scene.title.startswith("sub-04"), 20)
        page.target.setCurrentIndex(page.target.findData("site"))
        page.target.activated.emit(page.target.currentIndex())
        wait_until(lambda: window.session.dataset.card.target == "site", 20)
        wait_until(lambda: not busy(), 20)
        assert page.target.currentData() == "site"
        assert bench.scene.title.startswith("sub-04")
        assert bench.side.cases.current() == 3
        assert bench.side.cases.model.classes[:3] == ("1", "2", "0")
        assert "site" in page.line.text()
        window.session.undo.undo()
        assert window.session.dataset.card.target == "diagnosis"
        assert page.target.currentData() == "diagnosis"
        assert bench.side.cases.model.classes[:2] == ("AD", "CN")

    def test_that_the_picture_of_another_data_set_never_stands_under_this_name(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        first = add(window, [cohort(tmp_path / "one")], name="one")
        page = page_of(window, wait_until)
        second = add(window, [head(tmp_path / "x" / "solo.nii.gz", 9)], name="two")
        assert page.heading.text() == "two"
        assert page.viewer.currentWidget() is not page.workbench
        assert page.workbench.scene.layers == ()
        wait_until(lambda: page.workbench.scene.title.startswith("solo"), 20)
        window.session.select_dataset(first.id)
        wait_until(lambda: page.workbench.scene.title.startswith("sub-01"), 20)
        assert second.id != first.id

    def test_that_one_volume_that_is_gone_does_not_hide_the_others(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        folder = cohort(tmp_path / "in")
        add(window, [folder])
        page = page_of(window, wait_until)
        bench, torn = page.workbench, folder / "sub-02_T1w.nii.gz"
        torn.write_bytes(b"x" * torn.stat().st_size)
        bench.choose_case(1)
        wait_until(lambda: window.said, 20)
        assert "sub-02" in window.said[0]
        assert bench.scene.title.startswith("sub-01")
        assert bench._title.text().startswith("sub-01")
        bench.choose_case(2)
        wait_until(lambda: bench.scene.title.startswith("sub-03"), 20)

    def test_that_volumes_that_are_gone_are_said_and_found_again(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.centre.show_page("model")
        folder = cohort(tmp_path / "in")
        add(window, [folder])
        folder.rename(tmp_path / "away")
        window.centre.show_page("dataset")
        wait_until(lambda: window.said, 20)
        page = window.centre.widget("dataset").volumes
        assert page.viewer.sentence.text() == window.said[0]
        assert page.viewer.currentWidget() is page.viewer.sentence
        (tmp_path / "away").rename(folder)
        window.centre.show_page("model")
        page_of(window, wait_until)
        assert page.workbench.scene.title.startswith("sub-01")

    def test_that_the_buttons_of_a_project_that_is_read_only_say_why(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")], target="diagnosis")
        path = window.session.project.path
        window.session.close_project()
        from sensiview.projects.store import Project

        with Project.open(path):
            assert window.session.open(path)
            page = page_of(window, wait_until)
            assert window.session.project.read_only
            for widget in (page.target, page.atlas, page.resample):
                assert not widget.isEnabled()
                assert "reading only" in widget.toolTip()
            window.session.close_project()
            assert page.workbench.scene.layers == ()

    def test_that_closing_the_window_while_volumes_are_opened_leaves_nothing(
        self, window: Any, tmp_path: Path, qapp: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")])
        window.centre.show_page("dataset")
        qapp.processEvents()
        window.close()
        assert not busy()


class TestAtlas:
    def labels(self, path: Path, affine: np.ndarray = AFFINE) -> Path:
        values = np.zeros((8, 9, 10), np.int16)
        values[:4, :, 3:7], values[4:, :, 3:7] = 1, 2
        nib.save(nib.Nifti1Image(values, affine), path)
        (path.parent / "atlas.txt").write_text("1 Here_L\n2 There_R\n")
        return path

    def test_that_a_label_volume_is_looked_at_chosen_shown_and_taken_back(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")])
        page = page_of(window, wait_until)
        page.atlas.click()
        dialog = dialog_of(window, "choose_atlas", wait_until)
        assert dialog.choice.currentData() == "desikan_killiany"
        dialog.take_volume(str(self.labels(tmp_path / "atlas.nii.gz")))
        wait_until(lambda: not busy(), 20)
        assert "2 regions" in dialog.sentence.text()
        assert dialog.findings.count() >= 1
        assert dialog.main_button.isEnabled(), texts(dialog.findings)
        dialog.main_button.click()
        assert window.session.dataset.card.extra["atlas"]["file"].endswith("atlas.nii.gz")
        bench = page.workbench
        wait_until(lambda: any(layer.role == "atlas" for layer in bench.scene.layers), 20)
        window.session.undo.undo()
        assert "atlas" not in window.session.dataset.card.extra
        wait_until(lambda: not busy() and bench.scene.layers, 20)
        assert not any(layer.name == "atlas" for layer in bench.scene.layers if layer.role == "atlas")

    def test_that_an_atlas_that_does_not_fit_or_can_not_be_read_is_refused(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [cohort(tmp_path / "in")])
        window.commands.choose_atlas()
        dialog = dialog_of(window, "choose_atlas", wait_until)
        far = AFFINE.copy()
        far[:3, 3] = 900
        dialog.take_volume(str(self.labels(tmp_path / "far.nii.gz", far)))
        wait_until(lambda: not busy(), 20)
        assert not dialog.main_button.isEnabled()
        assert dialog.findings.count() or dialog.problem.isVisible()
        (tmp_path / "torn.nii").write_bytes(b"no")
        dialog.take_volume(str(tmp_path / "torn.nii"))
        wait_until(dialog.problem.isVisible, 20)
        assert not dialog.main_button.isEnabled()
        dialog.choice.setCurrentIndex(0)
        dialog.choice.activated.emit(0)
        wait_until(lambda: not busy(), 20)
        assert not dialog.problem.isVisible()
        dialog.main_button.click()
        assert window.session.dataset.card.extra["atlas"] == {"file": "none"}
