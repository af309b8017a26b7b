"""One line per factor: bounds, distributions, groups, fixed values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem, QToolButton
from sample_session import DATASET, FACTORS, ToyParameters

from sensiview.gui.field_specs import Context
from sensiview.gui.parameter_form import ParameterForm


@pytest.fixture
def form(qapp: QApplication) -> Iterator[ParameterForm]:
    made = ParameterForm(ToyParameters)
    made.set_context(Context(DATASET, None, ()))
    made.resize(340, 900)
    made.show()
    made.more_button.setChecked(True)
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()


def table(form: ParameterForm, name: str) -> QTableWidget:
    button = form.findChild(QToolButton, f"parameter_{name}_open")
    assert button is not None
    button.setChecked(True)
    found = form.findChild(QTableWidget, f"parameter_{name}")
    assert found is not None
    return found


def cell(of: QTableWidget, row: int, column: int) -> QTableWidgetItem:
    found = of.item(row, column)
    assert found is not None
    return found


def test_that_every_factor_has_a_line_and_the_datas_range_stands_faintly_in_it(form: ParameterForm) -> None:
    bounds = table(form, "bounds")
    assert [cell(bounds, row, 0).text() for row in range(bounds.rowCount())] == list(FACTORS)
    assert cell(bounds, 0, 1).text() == ""
    assert [cell(bounds, 0, c).data(Qt.ItemDataRole.UserRole) for c in (1, 2)] == ["0", "199"]


def test_that_a_range_is_given_by_factor_and_an_empty_end_is_the_datas(form: ParameterForm) -> None:
    bounds = table(form, "bounds")
    cell(bounds, 1, 1).setText("20,5")
    assert form.values()["bounds"] == {"BMI": [20.5, 67.1]}
    cell(bounds, 1, 2).setText("40")
    assert form.values()["bounds"] == {"BMI": [20.5, 40.0]}
    for column in (1, 2):
        cell(bounds, 1, column).setText("")
    assert form.values()["bounds"] == {}


def test_that_a_cell_that_can_t_be_read_is_named_with_its_factor_and_kept(form: ParameterForm) -> None:
    bounds = table(form, "bounds")
    cell(bounds, 0, 1).setText("low")
    assert form.problems()["bounds"] == "Glucose: Write a number, such as 0.95 or 1e-3."
    assert cell(bounds, 0, 1).text() == "low"
    cell(bounds, 0, 1).setText("10")
    assert form.problems() == {}


def test_that_distributions_are_words_with_moments_where_given(form: ParameterForm) -> None:
    drawn = table(form, "distributions")
    cell(drawn, 0, 1).setText("normal")
    cell(drawn, 1, 1).setText("truncated normal")
    cell(drawn, 1, 2).setText("30")
    cell(drawn, 1, 3).setText("5")
    cell(drawn, 2, 1).setText("as in the data")
    assert form.values()["distributions"] == {
        "Glucose": "normal",
        "BMI": {"kind": "truncated_normal", "mean": 30.0, "std": 5.0},
        "blood pressure, mm": "empirical",
    }


def test_that_an_unknown_distribution_is_refused_with_those_there_are(form: ParameterForm) -> None:
    cell(table(form, "distributions"), 0, 1).setText("gamma")
    assert "no distribution 'gamma'. Choose uniform, normal" in form.problems()["distributions"]


@pytest.mark.parametrize("given", [{"Glucose": "blood", "BMI": "blood"}, {"blood": ["Glucose", "BMI"]}])
def test_that_groups_are_understood_both_ways(form: ParameterForm, given: dict[str, Any]) -> None:
    form.set_values({"groups": given})
    groups = table(form, "groups")
    assert [cell(groups, row, 1).text() for row in range(3)] == ["blood", "blood", ""]
    assert form.values()["groups"] == {"Glucose": "blood", "BMI": "blood"}


def test_that_a_factor_is_held_at_a_value(form: ParameterForm) -> None:
    cell(table(form, "fixed"), 2, 1).setText("70")
    assert form.values()["fixed"] == {"blood pressure, mm": 70.0}


def test_that_the_button_says_how_many_are_set(form: ParameterForm) -> None:
    button = form.findChild(QToolButton, "parameter_bounds_open")
    assert button is not None
    assert button.text() == "From the data"
    form.set_values({"bounds": {"BMI": (1, 2)}})
    assert button.text() == "1 of 3 set"


def test_that_a_factor_of_another_data_set_keeps_its_line_so_that_the_analysis_can_name_it(form: ParameterForm) -> None:
    form.set_values({"bounds": {"Gone": (1, 2)}})
    bounds = table(form, "bounds")
    assert cell(bounds, 3, 0).text() == "Gone"
    assert form.values()["bounds"] == {"Gone": [1, 2]}


def test_that_ten_thousand_factors_open_without_a_wait(form: ParameterForm) -> None:
    import time

    names = tuple(f"column {k}" for k in range(10_000))
    form.set_context(Context(DATASET.model_copy(update={"features": names}), None, ()))
    start = time.perf_counter()
    assert table(form, "bounds").rowCount() == 10_000
    assert time.perf_counter() - start < 3
