"""Resampling and training on volumes, queued from the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gui.volume_window.parts import add, cohort, head, page_of

pytestmark = pytest.mark.needs_display


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
        assert run.parameters["spacing"] is None
        assert window.dialog("resample") is None

    def test_that_the_grid_of_another_data_set_and_any_voxel_size_can_be_chosen(
        self, window: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        add(window, [head(tmp_path / "fine" / "a.nii.gz", 1, (20, 21, 22))], name="fine")
        mixed = [head(tmp_path / "mixed" / f"{k}.nii.gz", k, (5 + k, 6, 7)) for k in range(2)]
        add(window, mixed, name="mixed")
        add(window, [cohort(tmp_path / "in")], name="cohort")
        page_of(window, wait_until).resample.click()
        dialog = window.dialog("resample")
        titles = [dialog.template.itemText(place) for place in range(dialog.template.count())]
        assert titles[3:6] == ["Grid of fine", "Grid of sub-01", "Grid of sub-02"]
        dialog.template.setCurrentIndex(3)
        assert dialog.spacing.text() == "as the template"
        dialog.spacing.setValue(2.5)
        dialog.findChild(type(dialog.browse), "resample_start_button").click()
        parameters = window.session.runs()[-1].parameters
        assert (parameters["template"], parameters["spacing"]) == ("the grid of fine", 2.5)
        assert parameters["grid"]["shape"] == [20, 21, 22]

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
