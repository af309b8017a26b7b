"""The model's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from sample_session import MODEL, HeardSession, make_session

from sensiview.gui.model_facts import headline
from sensiview.gui.model_pane import LayerTree, ModelPane
from sensiview.models.card import LayerCard, ModelCard


@pytest.fixture
def pane(qapp: QApplication, tmp_path: Path) -> Iterator[ModelPane]:
    session = make_session(tmp_path)
    made = ModelPane(session)
    made.resize(800, 500)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    session.close_project()


def test_that_layers_are_listed_with_kind_shape_and_parameters(pane: ModelPane) -> None:
    rows = [[pane.layers.topLevelItem(k).text(c) for c in range(4)] for k in range(4)]  # type: ignore[union-attr]
    assert rows == [
        ["fn1", "Linear", "10", "40"], ["relu", "ReLU", "10", ""], ["fn2", "Linear", "1", "11"],
        ["Total", "", "", "51"],
    ]  # fmt: skip


def test_that_preprocessing_classes_accuracy_and_files_are_said(pane: ModelPane) -> None:
    facts = pane.facts
    assert facts.value("Classes") == "0, 1"
    assert facts.value("Accuracy, test") == "80.0 %"
    assert facts.value("  BMI") == "mean 32, standard deviation 7.9"
    assert facts.value("Weights").endswith("weights.safetensors")
    assert len(facts.value("SHA-256")) == 64
    assert pane.accuracy.text() == "train accuracy 77.2 %  ·  test accuracy 80.0 %"


def test_that_the_head_line_counts_inputs_outputs_and_parameters() -> None:
    assert headline(MODEL) == "diabetes net  ·  3 inputs, 1 output  ·  51 parameters"


def test_that_nested_modules_are_a_tree(qapp: QApplication) -> None:
    tree = LayerTree()
    layers = tuple(LayerCard(name=n, kind="Module") for n in ("block", "block.0", "block.0.conv", "head", "lost.child"))
    tree.show_layers(ModelCard(name="m", layers=layers))
    block = tree.topLevelItem(0)
    assert block is not None
    assert block.child(0).text(0) == "0"
    assert block.child(0).child(0).text(0) == "conv"
    assert tree.topLevelItem(2).text(0) == "lost.child"  # type: ignore[union-attr]
    assert tree.layer_names()[2] == "block.0.conv"
    tree.deleteLater()


def test_that_without_a_model_the_page_says_what_to_do(qapp: QApplication, tmp_path: Path) -> None:
    session: HeardSession = make_session(tmp_path, sources=False)
    pane = ModelPane(session)
    pane.show()
    label = pane.findChild(QLabel, "no_model")
    assert label is not None
    assert label.isVisible()
    pane.close()
    pane.deleteLater()
    session.close_project()


def test_that_the_page_follows_the_selection(pane: ModelPane) -> None:
    session = pane._session
    other = session.require_project().add_model(MODEL.model_copy(update={"name": "Other"}), weights=None)
    session.entries_changed("model")
    session.select_model(other.id)
    assert pane.heading.text() == "Other"
