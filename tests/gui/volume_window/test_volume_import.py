"""Files and folders of volumes, imported through the window's dialog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sensiview.gui.background import busy
from tests.gui.volume_window.parts import cohort, dialog_of, head, page_of

pytestmark = pytest.mark.needs_display


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
        wait_until(lambda: window.said, 10, "the sentence")
        assert window.said[0].startswith("There are no images, volumes (NIfTI) or DICOM files in")
        assert window.session.datasets() == []

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
