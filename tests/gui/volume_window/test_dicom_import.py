"""DICOM folders in the window: patients, studies, series, findings and tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests.datasets.dicom_phantom import phantom, write_series
from tests.gui.volume_window.parts import dialog_of, page_of

pytestmark = pytest.mark.needs_display


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
