"""Volumes in the real window: import, DICOM, atlas, resampling, training, and the data set's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sensiview.gui.background import busy
from sensiview.importing import add_volumes
from tests.datasets.dicom_phantom import phantom, write_series

pytestmark = pytest.mark.needs_display

AFFINE = np.diag([-3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = (12.0, -12.0, -12.0)


@pytest.fixture(autouse=True)
def plain_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the window around the panes."""
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Iterator[Any]:
    """Return the window with an empty project; errors are kept instead of shown."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.session.jobs.paused = True
    window.said = []
    window.session.problem.disconnect(window.show_problem)
    window.session.problem.connect(lambda error: window.said.append(error.sentence))
    yield window
    for dialog in list(window.dialogs._dialogs.values()):
        dialog.close()


def head(path: Path, seed: int, shape: tuple[int, ...] = (8, 9, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 200, shape).astype(np.int16)
    image = nib.Nifti1Image(values, AFFINE)
    image.set_sform(AFFINE, 1)
    nib.save(image, path)
    return path


def cohort(root: Path, n: int = 6) -> Path:
    for number in range(1, n + 1):
        head(root / f"sub-{number:02}_T1w.nii.gz", number)
    rows = [f"sub-{k:02}\t{60 + k}\t{'AD' if k % 2 else 'CN'}\t{k % 3}" for k in range(1, n + 1)]
    text = "\n".join(["participant_id\tage\tdiagnosis\tsite", *rows])
    (root / "participants.tsv").write_text(text + "\n", encoding="utf-8")
    return root


def dialog_of(window: Any, key: str, wait_until: Any) -> Any:
    wait_until(lambda: window.dialog(key) is not None, 10, key)
    dialog = window.dialog(key)
    wait_until(lambda: not busy(), 20, f"{key} to have looked")
    return dialog


def texts(widget: Any) -> str:
    return "\n".join(widget.item(row).text() for row in range(widget.count()))


def page_of(window: Any, wait_until: Any) -> Any:
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.volumes is not None and pane.volumes.workbench is not None, 20, "the viewer")
    wait_until(lambda: not busy() and pane.volumes.workbench.scene.layers, 20, "the first case")
    return pane.volumes


def add(window: Any, paths: list[Path], **choices: Any) -> Any:
    source = add_volumes(window.session.project, paths, **choices).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    return source


class TestImport:
    def test_that_a_folder_with_a_table_of_subjects_becomes_a_data_set(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.take_files([cohort(tmp_path / "Étude 1")])
        dialog = dialog_of(window, "import_volumes", wait_until)
        assert "6 volumes" in dialog.sentence.text()
        assert dialog.table.view.model().rowCount() == 6
        assert dialog.target.currentData() == "diagnosis"
        assert dialog.findings.count() >= 1
        dialog.name.setText("Brains")
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 20)
        wait_until(lambda: window.dialog("import_volumes") is None)
        card = window.session.dataset.card
        assert (card.name, card.n_rows, card.target) == ("Brains", 6, "diagnosis")
        assert card.class_counts == {"AD": 3, "CN": 3}
        assert window.centre.page == "dataset"
        page_of(window, wait_until)
        assert window.said == []

    def test_that_a_choice_of_no_target_stays_when_the_files_are_looked_at_again(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.import_volume_paths([cohort(tmp_path / "in")])
        dialog = dialog_of(window, "import_volumes", wait_until)
        dialog.target.setCurrentIndex(0)
        dialog.target.activated.emit(0)
        dialog.frame.setValue(0)
        dialog.frame.editingFinished.emit()
        wait_until(lambda: not busy(), 20)
        assert dialog.target.currentData() is None

    def test_that_another_table_of_subjects_can_be_chosen(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        folder = cohort(tmp_path / "in")
        (folder / "participants.tsv").unlink()
        table = tmp_path / "elsewhere" / "people.csv"
        table.parent.mkdir()
        table.write_text("participant_id,group\n" + "".join(f"sub-0{k},{'ab'[k % 2]}\n" for k in range(1, 7)))
        window.commands.import_volume_paths([folder])
        dialog = dialog_of(window, "import_volumes", wait_until)
        assert [dialog.target.itemText(i) for i in range(dialog.target.count())] == ["(none)"]
        dialog.take_table(str(table))
        wait_until(lambda: not busy(), 20)
        assert dialog.target.findData("group") > 0
        assert "group" in dialog.table.view.model().names
        dialog.take_table(str(tmp_path / "gone.csv"))
        wait_until(dialog.problem.isVisible, 20)
        assert not dialog.import_button.isEnabled()

    def test_that_time_series_are_refused_until_a_volume_of_them_is_chosen(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        file = head(tmp_path / "bold.nii.gz", 3, (6, 7, 8, 4))
        window.commands.take_files([file])
        dialog = dialog_of(window, "import_volumes", wait_until)
        assert dialog.problem.isVisible()
        assert "4" in dialog.problem.text()
        assert not dialog.import_button.isEnabled()
        assert dialog.sentence.text() == ""
        dialog.frame.setValue(2)
        dialog.frame.editingFinished.emit()
        wait_until(dialog.import_button.isEnabled, 20)
        assert not dialog.problem.isVisible()
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 20)
        assert window.session.datasets()[0].card.reading["volumes"][0]["frame"] == 2

    def test_that_leaving_the_field_does_not_take_the_click_on_import_away(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.import_volume_paths([cohort(tmp_path / "in", 2)])
        dialog = dialog_of(window, "import_volumes", wait_until)
        dialog.frame.setFocus()
        QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
        wait_until(lambda: window.session.datasets(), 20)

    @pytest.mark.parametrize("content", [b"", b"no volume at all", b"\x1f\x8b\x08 torn"])
    def test_that_a_broken_file_is_a_sentence_in_the_dialog(
        self, content: bytes, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        (tmp_path / "brökén.nii.gz").write_bytes(content)
        window.commands.take_files([tmp_path / "brökén.nii.gz"])
        dialog = dialog_of(window, "import_volumes", wait_until)
        assert "brökén.nii.gz" in dialog.problem.text()
        assert not dialog.import_button.isEnabled()
        assert window.said == []

    def test_that_an_empty_folder_is_a_sentence(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        (tmp_path / "empty").mkdir()
        window.commands.take_files([tmp_path / "empty"])
        dialog = dialog_of(window, "import_volumes", wait_until)
        assert dialog.problem.isVisible()
        assert dialog.problem.text()

    def test_that_a_file_that_goes_before_import_is_said_and_can_be_tried_again(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        folder = cohort(tmp_path / "in", 2)
        window.commands.import_volume_paths([folder])
        dialog = dialog_of(window, "import_volumes", wait_until)
        moved = (folder / "sub-01_T1w.nii.gz").rename(tmp_path / "away")
        dialog.import_button.click()
        wait_until(dialog.problem.isVisible, 20)
        assert window.session.datasets() == []
        moved.rename(folder / "sub-01_T1w.nii.gz")
        assert dialog.import_button.isEnabled()
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 20)

    def test_that_a_dialog_that_is_left_while_reading_changes_nothing(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.import_volume_paths([cohort(tmp_path / "in", 6)])
        window.dialog("import_volumes").reject()
        wait_until(lambda: not busy(), 20)
        assert window.session.datasets() == []
        assert window.said == []

    def test_that_an_import_that_was_begun_is_finished_when_the_dialog_is_left(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.import_volume_paths([cohort(tmp_path / "in", 2)])
        dialog = dialog_of(window, "import_volumes", wait_until)
        dialog.import_button.click()
        dialog.reject()
        wait_until(lambda: not busy(), 20)
        assert [source.card.n_rows for source in window.session.datasets()] == [2]


def without_pixels(dataset: Any, _: int) -> None:
    del dataset.PixelData


class TestDicom:
    def series(self, root: Path) -> Path:
        write_series(root / "a", phantom(), suffix="")
        write_series(root / "b", phantom(), series="two", description="T2", number=4, left_out=(7,))
        write_series(root / "c", phantom(), series="three", description="No pixels", number=5, edit=without_pixels)
        return root

    def test_that_a_folder_shows_patients_studies_series_findings_and_tags(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        window.commands.take_files([self.series(tmp_path / "disc")])
        dialog = dialog_of(window, "import_dicom", wait_until)
        rows = dialog._rows()
        assert len(rows) == 3
        assert dialog.tree.topLevelItemCount() == 1
        readable = [row for row in rows if row.data(0, Qt.ItemDataRole.UserRole).readable]
        others = [row for row in rows if row not in readable]
        assert readable
        assert others
        assert all(row.flags() & Qt.ItemFlag.ItemIsUserCheckable for row in readable)
        assert all(row.data(0, Qt.ItemDataRole.CheckStateRole) is None for row in others)
        dialog.tree.setCurrentItem(others[0])
        assert dialog.findings.topLevelItem(0).text(0)
        dialog.tree.setCurrentItem(readable[0])
        dialog.tabs.setCurrentWidget(dialog.tags)
        wait_until(lambda: dialog.tags.topLevelItemCount() > 5, 20)
        names = [dialog.tags.topLevelItem(i).text(1) for i in range(dialog.tags.topLevelItemCount())]
        assert any("Patient" in name for name in names)
        dialog.import_button.click()
        wait_until(lambda: window.session.datasets(), 30)
        assert window.session.dataset.card.n_rows == len(readable)
        page_of(window, wait_until)

    def test_that_nothing_checked_can_not_be_imported(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        window.commands.import_dicom_paths([write_series(tmp_path / "one", phantom())])
        dialog = dialog_of(window, "import_dicom", wait_until)
        assert dialog.import_button.text() == "Import 1 series"
        assert dialog.sentence.text().endswith("1 series; 1 can be read as volumes.")
        dialog._rows()[0].setCheckState(0, Qt.CheckState.Unchecked)
        assert not dialog.import_button.isEnabled()

    def test_that_files_without_an_ending_are_known_by_what_they_begin_with(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        folder = write_series(tmp_path / "one", phantom())
        window.commands.take_files(sorted(folder.iterdir()))
        dialog = dialog_of(window, "import_dicom", wait_until)
        assert dialog.import_button.isEnabled()

    def test_that_a_folder_without_dicom_is_a_sentence(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "one" / "a.dcm").write_bytes(b"nothing")
        window.commands.import_dicom_paths([tmp_path / "one"])
        dialog = dialog_of(window, "import_dicom", wait_until)
        assert "DICOM" in dialog.problem.text()
        assert dialog.sentence.text() == ""
        assert not dialog.import_button.isEnabled()


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


class TestJobs:
    def test_that_resampling_is_queued_with_what_was_chosen(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        source = add(window, [cohort(tmp_path / "in")])
        page = page_of(window, wait_until)
        page.resample.click()
        dialog = window.dialog("resample")
        dialog.take_template(str(tmp_path / "in" / "sub-02_T1w.nii.gz"))
        dialog.interpolation.setCurrentIndex(dialog.interpolation.findData("nearest"))
        dialog.name.setText("small")
        dialog.findChild(type(dialog.browse), "resample_start_button").click()
        run = window.session.runs()[-1]
        assert (run.kind, run.dataset, run.state) == ("preparation", source.id, "queued")
        assert run.parameters["interpolation"] == "nearest"
        assert run.parameters["name"] == "small"
        assert window.dialog("resample") is None

    def test_that_training_volumes_queues_folds_times_runs(self, window: Any, tmp_path: Path, wait_until: Any) -> None:
        add(window, [cohort(tmp_path / "in")], target="diagnosis")
        window.commands.train()
        dialog = window.dialog("train")
        wait_until(dialog.train_button.isEnabled, 30)
        assert dialog.architecture.count() >= 1
        assert dialog.folds.isVisible()
        assert dialog.folds.text() == "one split"
        assert not dialog.runs.isEnabled()
        dialog._more_button.setChecked(True)
        shown = {*dialog._usual.values(), *dialog._more.values()}
        assert not shown & {"train_rows", "test_rows", "standardise", "folds", "fold", "run", "split_seed"}
        assert {"epochs", "learning_rate"} <= shown
        dialog.folds.setValue(3)
        dialog.runs.setValue(2)
        dialog.name.setText("net")
        dialog.train_button.click()
        runs = window.session.runs()
        assert len(runs) == 6
        assert {run.kind for run in runs} == {"training"}
        assert {(r.parameters["recipe"]["fold"], r.parameters["recipe"]["run"]) for r in runs} == {
            (fold, run) for fold in range(3) for run in range(2)
        }
        assert window.dialog("train") is None

    def test_that_training_on_a_table_has_no_folds(self, window: Any, table_file: Path, wait_until: Any) -> None:
        from sensiview.datasets.reading import read_table

        table = read_table(table_file, name="patients", target="Outcome")
        source = window.session.project.add_dataset(table.card, [table_file])
        window.session.entries_changed("dataset")
        window.session.select_dataset(source.id)
        window.commands.train()
        dialog = window.dialog("train")
        wait_until(dialog.train_button.isEnabled, 30)
        assert not dialog.folds.isVisible()
        assert not dialog.runs.isVisible()
        assert "train_rows" in dialog._usual.values()


def test_that_a_project_that_can_not_be_written_takes_no_volumes(window: Any, tmp_path: Path) -> None:
    path = window.session.project.path
    window.session.close_project()
    from sensiview.projects.store import Project

    with Project.open(path):
        assert window.session.open(path)
        window.commands.take_files([cohort(tmp_path / "in")])
        assert window.dialog("import_volumes") is None
        assert len(window.said) == 1
        for key in ("import_volumes", "import_volume_folder", "resample", "choose_atlas", "train"):
            assert not window.action_set[key].isEnabled()
            assert window.action_set.reasons[key]
        window.session.close_project()
