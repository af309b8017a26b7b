"""The data set's page: read in the background, one choice of target, bad files as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel
from sample_session import FACTORS, HeardSession, make_session

from sensiview.datasets.reading import read_table
from sensiview.gui import background
from sensiview.gui.dataset_overview import class_balance, column_frame, read_overview
from sensiview.gui.dataset_pane import DatasetPane
from sensiview.gui.plots.histograms import HistogramsPlot
from sensiview.gui.plots.matrix import MatrixPlot

Wait = Callable[..., None]


@pytest.fixture
def session(qapp: QApplication, tmp_path: Path) -> Iterator[HeardSession]:
    made = make_session(tmp_path)
    # The card as the reader makes it, so that the file can be opened again.
    project = made.require_project()
    source = project.datasets()[0]
    table = read_table(source.files[0].path, None, name="Pima", target="Outcome")
    project.update_dataset_card(source.id, table.card)
    made.entries_changed("dataset")
    yield made
    background.wait_for_background()
    made.close_project()


@pytest.fixture
def pane(session: HeardSession, qapp: QApplication) -> Iterator[DatasetPane]:
    made = DatasetPane(session)
    made.resize(800, 560)
    made.show()
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()


def show_tab(pane: DatasetPane, name: str) -> None:
    titles = [pane.tabs.widget(k).property("tab") for k in range(pane.tabs.count())]
    pane.tabs.setCurrentIndex(titles.index(name))


def test_that_columns_are_described_at_once_and_with_quartiles_a_moment_later(
    pane: DatasetPane, wait_until: Wait
) -> None:
    assert pane.columns.texts(0)[:4] == ["Glucose", "factor", "number", "0"]
    assert pane.columns.texts(3)[:2] == ["Outcome", "target"]
    wait_until(lambda: "median" in pane.columns.columns())
    assert (
        pane.columns.texts(1)[pane.columns.columns().index("median")] == "27.35"
    )  # as many decimals as the column's largest


def test_that_a_large_file_is_not_read_before_its_rows_are_looked_at(
    session: HeardSession, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensiview.gui.dataset_pane._QUICK_BYTES", 0)
    pane = DatasetPane(session)
    pane.show()
    qapp.processEvents()
    assert not background.busy()
    pane.close()
    pane.deleteLater()


def test_that_rows_are_read_when_they_are_looked_at(pane: DatasetPane, wait_until: Wait) -> None:
    show_tab(pane, "rows")
    assert pane.pictures["rows"].sentence.text() == "Reading the file …"
    wait_until(lambda: pane.pictures["rows"].currentWidget() is pane.rows)
    assert pane.rows.texts(1) == ["183.5", "23.3", "64", "1"]
    assert pane.rows.texts(4)[2] in ("", "–")


def test_that_histograms_are_by_class_and_correlation_has_the_target(pane: DatasetPane, wait_until: Wait) -> None:
    show_tab(pane, "histograms")
    wait_until(lambda: isinstance(pane.pictures["histograms"].currentWidget(), HistogramsPlot))
    plot = pane.pictures["histograms"].currentWidget()
    assert isinstance(plot, HistogramsPlot)
    assert plot.item.classes == ("0", "1")
    assert [sum(c.sum() for c in column.counts.values()) for column in plot.item.columns] == [6, 6, 5]
    show_tab(pane, "correlation")
    matrix = pane.pictures["correlation"].currentWidget()
    assert isinstance(matrix, MatrixPlot)
    assert matrix.describe(0)[0] == "Glucose × Glucose"
    assert matrix.describe(15)[0] == "Outcome × Outcome"


def test_that_the_balance_of_classes_is_drawn_from_the_card(session: HeardSession) -> None:
    assert session.dataset is not None
    item = class_balance(session.dataset.card)
    assert item is not None
    assert item.frame.to_dict("list") == {"class": ["0", "1"], "rows": [4, 2], "share": [4 / 6, 2 / 6]}


def test_that_a_file_that_was_changed_is_a_sentence_in_the_tab(
    session: HeardSession, wait_until: Wait, qapp: QApplication
) -> None:
    assert session.dataset is not None
    session.dataset.files[0].path.write_text("Glucose\n1\n", encoding="utf-8")
    pane = DatasetPane(session)
    show_tab(pane, "rows")
    pane.show()
    wait_until(lambda: session.problems)
    assert pane.pictures["rows"].sentence.text() == session.problems[0]
    assert "Traceback" not in session.problems[0]
    pane.close()
    pane.deleteLater()


def test_that_another_target_is_chosen_and_can_be_taken_back(
    pane: DatasetPane, session: HeardSession, wait_until: Wait
) -> None:
    combo = pane.findChild(QComboBox, "dataset_target")
    assert combo is not None
    at = combo.findData("BMI")
    combo.setCurrentIndex(at)
    combo.activated.emit(at)
    wait_until(lambda: session.dataset is not None and session.dataset.card.target == "BMI")
    assert combo.currentData() == "BMI"
    session.undo.undo()
    assert session.dataset is not None
    assert session.dataset.card.target == "Outcome"
    assert combo.currentData() == "Outcome"


def test_that_choosing_the_target_it_has_changes_nothing(pane: DatasetPane, session: HeardSession) -> None:
    pane.target.activated.emit(pane.target.currentIndex())
    assert session.undo.count() == 0


def test_that_file_hash_reading_and_notes_are_said(pane: DatasetPane) -> None:
    assert len(pane.facts.value("SHA-256")) == 64
    assert pane.facts.value("Delimiter") == "comma (,)"
    assert pane.facts.value("Path").endswith("pima.csv")


def test_that_without_a_data_set_the_page_says_what_to_do(qapp: QApplication, tmp_path: Path) -> None:
    session = make_session(tmp_path, sources=False)
    pane = DatasetPane(session)
    pane.show()
    label = pane.findChild(QLabel, "no_dataset")
    assert label is not None
    assert label.isVisible()
    pane.close()
    pane.deleteLater()
    session.close_project()


def test_that_a_table_of_many_columns_is_cut_and_says_so(session: HeardSession, tmp_path: Path) -> None:
    names = [f"c{k}" for k in range(700)]
    path = tmp_path / "wide.csv"
    path.write_text(",".join(names) + "\n" + "\n".join(",".join(str(r * k % 7) for k in range(700)) for r in range(9)))
    table = read_table(path, None, name="Wide", target=None)
    project = session.require_project()
    source = project.add_dataset(table.card, [path])
    overview = read_overview(source)
    assert overview.histograms is not None
    assert len(overview.histograms.columns) == 600
    assert overview.correlation is not None
    assert overview.correlation.values.shape == (120, 120)
    assert "first 600" in overview.note
    assert len(column_frame(table.card)) == 700


def test_that_the_page_follows_the_selection(pane: DatasetPane, session: HeardSession) -> None:
    project = session.require_project()
    card = project.datasets()[0].card.model_copy(update={"name": "Other"})
    other = project.add_dataset(card, [project.datasets()[0].files[0].path])
    session.entries_changed("dataset")
    session.select_dataset(other.id)
    assert pane.heading.text() == "Other"
    assert set(FACTORS) <= {pane.columns.texts(k)[0] for k in range(4)}
