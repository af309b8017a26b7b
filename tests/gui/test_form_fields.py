"""A form from a declaration: every kind of field gives what the declaration takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QSpinBox,
    QToolButton,
    QWidget,
)
from sample_session import DATASET, MODEL, ToyParameters

from sensiview.gui.field_specs import Context, field_specs
from sensiview.gui.field_texts import FieldProblem, read_list, read_number, write_list
from sensiview.gui.parameter_form import ParameterForm


@pytest.fixture
def form(qapp: QApplication) -> Iterator[ParameterForm]:
    made = ParameterForm(ToyParameters)
    made.set_context(Context(DATASET, MODEL, (("toy-0001", "First", "toy"),)))
    made.resize(340, 800)
    made.show()
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()


def find(form: ParameterForm, kind: type, name: str) -> Any:
    found = form.findChild(kind, name)
    assert found is not None, name
    return found


def test_that_an_untouched_form_gives_the_defaults(form: ParameterForm) -> None:
    assert ToyParameters.parse(form.values()) == ToyParameters()
    assert form.problems() == {}


def test_that_kinds_follow_from_the_declaration() -> None:
    kinds = {spec.name: spec.kind for spec in field_specs(ToyParameters)}
    assert kinds == {
        "n": "power_of_two", "second_order": "boolean", "output": "several", "target": "several", "rows": "text",
        "bounds": "bounds", "method": "choice", "confidence": "number", "max_seconds": "number",
        "distributions": "distributions", "groups": "groups", "fixed": "fixed", "weights": "json",
    }  # fmt: skip


def test_that_labels_help_and_units_are_shown(form: ParameterForm) -> None:
    spin = find(form, QSpinBox, "parameter_n")
    assert spin.accessibleName() == "Samples N"
    assert spin.toolTip() == "Base samples."
    assert any(label.text() == "s" for label in form.field("max_seconds").findChildren(QLabel))


def test_that_arrow_keys_double_and_halve_a_sample_size(form: ParameterForm) -> None:
    spin = find(form, QSpinBox, "parameter_n")
    QTest.keyClick(spin, Qt.Key.Key_Up)
    assert form.values()["n"] == 2048
    QTest.keyClick(spin, Qt.Key.Key_Down)
    QTest.keyClick(spin, Qt.Key.Key_Down)
    assert form.values()["n"] == 512
    spin.setValue(1000)
    QTest.keyClick(spin, Qt.Key.Key_Up)
    assert form.values()["n"] == 1024
    spin.setValue(1000)
    QTest.keyClick(spin, Qt.Key.Key_Down)
    assert form.values()["n"] == 512


def test_that_a_wrong_value_has_its_sentence_below_the_field_until_it_is_right(form: ParameterForm) -> None:
    spin = find(form, QSpinBox, "parameter_n")
    spin.setValue(1000)
    sentence = find(form, QLabel, "problem_n")
    assert sentence.isVisible()
    assert sentence.text() == "N must be a power of two, such as 512 or 1024 (given: 1000)."
    spin.setValue(64)
    assert "greater than or equal to 128" in sentence.text()
    spin.setValue(1024)
    assert not sentence.isVisible()


def test_that_a_number_is_read_in_any_notation(form: ParameterForm) -> None:
    line = find(form, QLineEdit, "parameter_confidence")
    for text, value in (("0,9", 0.9), ("9e-1", 0.9), (" .5 ", 0.5)):
        line.setText(text)
        assert form.values()["confidence"] == value
    line.setText("much")
    assert form.problems()["confidence"] == "Write a number, such as 0.95 or 1e-3."
    assert "confidence" not in form.values()


def test_that_a_value_left_open_is_none_until_its_box_is_ticked(form: ParameterForm) -> None:
    box, line = find(form, QCheckBox, "parameter_max_seconds_used"), find(form, QLineEdit, "parameter_max_seconds")
    assert form.values()["max_seconds"] is None
    assert not line.isEnabled()
    box.setChecked(True)
    line.setText("60")
    assert form.values()["max_seconds"] == 60.0
    box.setChecked(False)
    assert form.values()["max_seconds"] is None


def test_that_outputs_and_layers_of_the_model_can_be_ticked(form: ParameterForm) -> None:
    menu = find(form, QToolButton, "parameter_output_choose").menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions()]
    assert texts == ["auto", "probability", "logit", "loss", "fn1", "relu", "fn2"]
    menu.actions()[1].trigger()
    assert form.values()["output"] == ["auto", "probability"]
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    assert form.values()["output"] == "probability"


def test_that_a_class_called_1_is_a_name_and_an_unknown_number_an_index(form: ParameterForm) -> None:
    line = find(form, QLineEdit, "parameter_target")
    line.setText("1")
    assert form.values()["target"] == "1"
    line.setText("7")
    assert form.values()["target"] == 7
    line.setText("0, 1")
    assert form.values()["target"] == ["0", "1"]


@pytest.mark.parametrize("names", [["a", "b"], ["blood pressure, mm", 'x "y"', "plain"], [], ["ünïcode", "a b"]])
def test_that_lists_come_back_as_they_were_written(names: list[str]) -> None:
    assert read_list(write_list(names)) == names


def test_that_numbers_that_are_none_are_refused() -> None:
    assert read_number("1e-3") == 0.001
    with pytest.raises(FieldProblem, match="Write a number here"):
        read_number("  ")


def test_that_anything_else_is_a_line_of_json(form: ParameterForm) -> None:
    box, line = find(form, QCheckBox, "parameter_weights_used"), find(form, QLineEdit, "parameter_weights")
    box.setChecked(True)
    line.setText('{"a": [[1, 2]]}')
    assert form.values()["weights"] == {"a": [[1, 2]]}
    line.setText('{"a": ')
    assert form.problems()["weights"].startswith("This is not JSON")


def test_that_a_choice_shows_its_words(form: ParameterForm) -> None:
    combo = find(form, QComboBox, "parameter_method")
    assert [combo.itemText(k) for k in range(combo.count())] == ["normal", "percentile"]
    combo.setCurrentIndex(1)
    assert form.values()["method"] == "percentile"


def test_that_the_way_back_to_the_default_appears_with_another_value(form: ParameterForm) -> None:
    button = find(form, QToolButton, "reset_n")
    assert not button.isVisible()
    find(form, QSpinBox, "parameter_n").setValue(4096)
    assert button.isVisible()
    button.click()
    assert form.values()["n"] == 1024
    assert not button.isVisible()


def test_that_rare_settings_are_behind_a_button_and_open_when_they_are_set(form: ParameterForm) -> None:
    line = find(form, QLineEdit, "parameter_confidence")
    assert not line.isVisible()
    form.set_values({"confidence": 0.9})
    assert line.isVisible()


def test_that_values_of_a_run_fill_the_form_and_come_back_equal(form: ParameterForm) -> None:
    values = ToyParameters(
        n=4096, second_order=True, output=["probability", "fn1"], target=["1"], bounds={"BMI": (20.0, 40.0)},
        method="percentile", confidence=0.9, max_seconds=12.5, distributions={"Glucose": {"kind": "normal"}},
        groups={"Glucose": "blood", "BMI": "blood"}, fixed={"blood pressure, mm": 70.0}, weights={"a": [[1]]},
    ).to_json()  # fmt: skip
    form.set_values(values)
    again = ToyParameters.parse(form.values()).to_json()
    # A list of one and a kind alone are written shorter, and mean the same.
    assert again.pop("target") in ("1", ["1"])
    assert again.pop("distributions") in ({"Glucose": "normal"}, {"Glucose": {"kind": "normal"}})
    assert again == {k: v for k, v in values.items() if k not in ("target", "distributions")}


def test_that_another_model_offers_its_own_layers_and_keeps_what_was_written(form: ParameterForm) -> None:
    line = find(form, QLineEdit, "parameter_output")
    line.setText("fn1")
    form.set_context(Context(DATASET, MODEL.model_copy(update={"layers": ()}), ()))
    menu = find(form, QToolButton, "parameter_output_choose").menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["auto", "probability", "logit", "loss"]
    assert form.values()["output"] == "fn1"


def test_that_scrolling_over_a_field_without_the_keyboard_does_not_change_it(form: ParameterForm) -> None:
    spin = find(form, QSpinBox, "parameter_n")
    find(form, QLineEdit, "parameter_output").setFocus()
    centre = QPointF(spin.rect().center())
    turn = QWheelEvent(
        centre, spin.mapToGlobal(centre), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(spin, turn)
    assert form.values()["n"] == 1024


def test_that_every_editor_has_a_name_for_tests_and_one_for_ears(form: ParameterForm) -> None:
    for name in ToyParameters.model_fields:
        assert form.findChild(QWidget, f"parameter_{name}") is not None, name
    for kind in (QCheckBox, QComboBox, QSpinBox, QToolButton):
        for widget in form.findChildren(kind):
            if not widget.objectName().startswith("qt_"):
                assert widget.objectName(), widget
                assert widget.accessibleName(), widget.objectName()


def test_that_runs_of_the_named_analyses_only_are_offered() -> None:
    runs = (("morris-0001", "Cells", "morris"), ("sobol-0001", "All", "sobol"), ("pca-0001", "Axes", "pca"))
    context = Context(DATASET, MODEL, runs)
    assert [run for run, _ in context.offers("runs")] == ["morris-0001", "sobol-0001", "pca-0001"]
    assert context.offers("runs:morris") == [("morris-0001", "Cells")]
    assert [run for run, _ in context.offers("runs:sobol,pca")] == ["sobol-0001", "pca-0001"]
    assert ("columns", "each column is a factor") in context.offers("partitions")
