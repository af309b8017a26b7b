"""The analysis pane: what can run, what it will take, and running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QLineEdit, QPushButton, QSpinBox, QTextBrowser
from sample_session import HeardSession, add_run, add_sources, make_session

from sensiview.analysis.contract import Cost
from sensiview.gui.analysis_pane import AnalysisPane
from sensiview.gui.run_cost import estimate
from sensiview.gui.run_settings import devices_here
from sensiview.models.card import ModelCard

Wait = Callable[..., None]


@pytest.fixture
def session(qapp: QApplication, tmp_path: Path) -> Iterator[HeardSession]:
    made = make_session(tmp_path)
    yield made
    made.close_project()


@pytest.fixture
def pane(session: HeardSession, qapp: QApplication) -> Iterator[AnalysisPane]:
    made = AnalysisPane(session)
    made.resize(340, 800)
    made.show()
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()


def find(pane: AnalysisPane, kind: type, name: str) -> Any:
    found = pane.findChild(kind, name)
    assert found is not None, name
    return found


def cost(pane: AnalysisPane) -> list[str]:
    return [find(pane, QLabel, f"cost_{key}").text() for key in ("evaluations", "memory", "time")]


def test_that_analyses_are_listed_with_their_first_line_and_the_reason_when_they_can_t_run(pane: AnalysisPane) -> None:
    said = [pane.list.item(k).data(Qt.ItemDataRole.AccessibleTextRole) for k in range(pane.list.count())]
    assert said[0] == "Toy indices. Counts what a network does."
    assert said[2] == "Grad-CAM. Not now: 'Grad-CAM' works on images, not on table."


def test_that_evaluations_memory_and_time_are_known_before_the_run(pane: AnalysisPane, wait_until: Wait) -> None:
    assert cost(pane) == ["5,120", "25 MB", "about 5.1 s on cpu"]
    find(pane, QSpinBox, "parameter_n").setValue(2048)
    wait_until(lambda: cost(pane)[0] == "10,240")
    assert cost(pane)[2] == "about 10 s on cpu"


def test_that_an_unmeasured_device_promises_no_time() -> None:
    card = ModelCard(name="m", rows_per_second={"cpu": 1000.0})
    assert estimate(Cost(100, 10), card, "cuda:0").time == "known after the first run on this device"
    assert estimate(Cost(100, 10), card, "auto").time == "less than a second on cpu"
    both = card.model_copy(update={"rows_per_second": {"cpu": 1.0, "cuda:0": 1000.0}})
    assert estimate(Cost(5000, 10), both, "auto").time == "about 5.0 s on cuda:0"
    assert estimate(Cost(0, 10), None, "cpu").time == "a moment"


def test_that_a_wrong_value_stops_run_and_says_which_field(pane: AnalysisPane, wait_until: Wait) -> None:
    find(pane, QSpinBox, "parameter_n").setValue(1000)
    wait_until(lambda: not find(pane, QPushButton, "run_button").isEnabled())
    assert pane.reasons() == ["Correct Samples N first."]
    assert find(pane, QLabel, "problem_n").isVisible()
    assert cost(pane) == ["–", "–", "–"]


def test_that_a_problem_of_the_study_stops_run_with_its_sentence(pane: AnalysisPane) -> None:
    assert pane.form is not None
    pane.form.set_values({"bounds": {"BMI": [40, 20]}})
    pane.refresh()
    assert pane.reasons() == ["The bounds of 'BMI' are reversed."]
    assert not find(pane, QPushButton, "run_button").isEnabled()


def test_that_the_form_of_an_analysis_that_can_t_run_shows_why(pane: AnalysisPane) -> None:
    pane.list.choose("on_images")
    assert pane.reasons() == ["'Grad-CAM' works on images, not on table."]
    assert not find(pane, QPushButton, "run_button").isEnabled()


def test_that_run_queues_exactly_what_the_form_says(pane: AnalysisPane, session: HeardSession) -> None:
    started: list[str] = []
    pane.started.connect(started.append)
    find(pane, QSpinBox, "parameter_n").setValue(4096)
    find(pane, QSpinBox, "run_seed").setValue(5)
    find(pane, QLineEdit, "run_name").setText("My run")
    device = find(pane, QComboBox, "run_device")
    device.setEditText("cuda:3")
    pane.refresh()
    session.jobs.paused = True
    session.jobs.add = lambda run_id: None  # type: ignore[method-assign]
    QTest.mouseClick(find(pane, QPushButton, "run_button"), Qt.MouseButton.LeftButton)
    assert session.problems == []
    record = session.run_record(started[0])
    assert record is not None
    assert (record.name, record.analysis, record.seed, record.device) == ("My run", "toy", 5, "cuda:3")
    assert record.parameters["n"] == 4096
    assert record.dataset_name == "Pima"


def test_that_run_by_shortcut_with_a_problem_says_the_sentence(pane: AnalysisPane, session: HeardSession) -> None:
    find(pane, QSpinBox, "parameter_n").setValue(1000)
    pane.run()
    assert session.problems == ["Correct Samples N first."]
    assert session.runs() == []


def test_that_each_analysis_keeps_what_was_written_while_another_is_looked_at(pane: AnalysisPane) -> None:
    find(pane, QSpinBox, "parameter_n").setValue(8192)
    pane.list.choose("of_data")
    pane.list.choose("toy")
    assert find(pane, QSpinBox, "parameter_n").value() == 8192


def test_that_a_run_can_be_put_back_into_the_form(pane: AnalysisPane, session: HeardSession) -> None:
    run = add_run(session)
    pane.list.choose("of_data")
    pane.show_run(run)
    assert pane.list.key() == "toy"
    assert find(pane, QSpinBox, "run_seed").value() == 7


def test_that_data_set_and_model_are_chosen_in_the_pane_too(pane: AnalysisPane, session: HeardSession) -> None:
    project = session.require_project()
    second = project.add_dataset(project.datasets()[0].card.model_copy(update={"name": "Second"}),
                                 [project.datasets()[0].files[0].path])  # fmt: skip
    session.entries_changed("dataset")
    combo = find(pane, QComboBox, "dataset_choice")
    at = combo.findText("Second")
    combo.setCurrentIndex(at)
    combo.activated.emit(at)
    assert session.dataset is not None
    assert session.dataset.id == second.id


def test_that_help_shows_the_docstring_with_its_references(pane: AnalysisPane, qapp: QApplication) -> None:
    pane.show_help()
    dialog = find(pane, QDialog, "analysis_help")
    text = find(pane, QTextBrowser, "analysis_help_page").toPlainText()
    assert "Counts what a network does." in text
    assert "References" in text
    assert "----" not in text
    dialog.close()


def test_that_without_a_project_nothing_can_run_and_the_pane_says_what_to_do(
    qapp: QApplication, tmp_path: Path
) -> None:
    session = make_session(tmp_path, project=False)
    pane = AnalysisPane(session)
    assert pane.reasons() == ["Open or make a project first."]
    assert session.create(tmp_path / "late.sensiview", "Late")
    assert pane.reasons() == ["Choose a data set.", "Choose a model."]
    add_sources(session, tmp_path)
    assert pane.reasons() == []
    session.close_project()
    pane.deleteLater()


def test_that_the_form_fits_the_width_of_the_pane(pane: AnalysisPane, qapp: QApplication) -> None:
    assert pane.form is not None
    pane.form.more_button.setChecked(True)
    qapp.processEvents()
    viewport = pane.form.parentWidget().parentWidget()
    assert pane.form.mapTo(viewport, pane.form.rect().topRight()).x() <= viewport.width()


def test_that_this_machine_offers_at_least_its_processor() -> None:
    assert devices_here()[:2] == ["auto", "cpu"]


def test_that_everything_one_can_press_has_a_name_for_tests_and_one_for_ears(pane: AnalysisPane) -> None:
    for kind in (QComboBox, QSpinBox, QPushButton, QLineEdit):
        for widget in pane.findChildren(kind):
            if widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox | QSpinBox):
                continue  # a part of Qt's own
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget.objectName()
