"""Tables: order, filter, digits, copying."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QColor, QKeySequence
from PySide6.QtWidgets import QApplication
from sample_items import indices

from sensiview.gui.frame_model import FrameModel
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.number_text import duration, full, grouped, memory, short, with_half_width
from sensiview.gui.themes import theme


@pytest.fixture
def table(qapp: QApplication) -> Iterator[FrameTable]:
    made = FrameTable("item_table")
    made.resize(600, 300)
    made.show()
    item = indices()
    made.show_frame(item.frame, units={"S1": "1", "ST_conf": "%"}, remarks=item.remarks)
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()


def column(table: FrameTable, at: int) -> list[str]:
    return [table.texts(row)[at] for row in range(table.view.model().rowCount())]


def test_that_numbers_have_few_digits_and_the_tooltip_all_of_them(qapp: QApplication) -> None:
    model = FrameModel(pd.DataFrame({"value": [1 / 3]}))
    assert model.data(model.index(0, 0)) == "0.3333"
    assert model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) == "0.3333333333333333"


def test_that_numbers_of_a_column_have_the_same_decimals(qapp: QApplication) -> None:
    values = [0.4071234, 0.01, -0.02345, 0.00000123, float("nan"), 0.0]
    model = FrameModel(pd.DataFrame({"S1": values, "N": [1.0, 2.0, 3.0, 4.0, 5.0, 65536.0]}), align=True)
    shown = [[model.data(model.index(row, column)) for row in range(6)] for column in (0, 1)]
    assert shown[0] == ["0.4071", "0.0100", "-0.0234", "1.230e-06", "–", "0.0000"]
    assert shown[1] == ["1", "2", "3", "4", "5", "65536"]


def test_that_units_stand_in_the_header(table: FrameTable) -> None:
    model = table.view.model()
    heads = [model.headerData(k, Qt.Orientation.Horizontal) for k in range(model.columnCount())]
    assert heads[2] == "S1"
    assert heads[5] == "ST_conf (%)"


def test_that_a_click_on_the_header_sorts_and_a_third_click_gives_the_first_order_back(table: FrameTable) -> None:
    header = table.view.horizontalHeader()
    header.setSortIndicator(2, Qt.SortOrder.DescendingOrder)
    assert column(table, 1) == ["Glucose", "BMI", "Age"]
    header.setSortIndicator(2, Qt.SortOrder.AscendingOrder)
    assert column(table, 1) == ["Age", "BMI", "Glucose"]
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    assert column(table, 1) == ["Glucose", "BMI", "Age"]


def test_that_missing_values_come_last_in_both_directions(qapp: QApplication) -> None:
    model = FrameModel(pd.DataFrame({"x": [2.0, np.nan, 1.0], "name": ["x10", None, "x9"]}))
    for order, numbers, names in (
        (Qt.SortOrder.AscendingOrder, ["1", "2", "–"], ["x9", "x10", ""]),
        (Qt.SortOrder.DescendingOrder, ["2", "1", "–"], ["x10", "x9", ""]),
    ):
        model.sort(0, order)
        assert [model.data(model.index(r, 0)) or "–" for r in range(3)] == numbers
        model.sort(1, order)
        assert [model.data(model.index(r, 1)) for r in range(3)] == names


@pytest.mark.parametrize(
    ("text", "left"),
    [("glu", ["Glucose"]), ("S1 > 0.2", ["Glucose", "BMI"]), ("ST<=0.2", ["BMI", "Age"]), ("nothing", []),
     ("S1 > ", []), ("", ["Glucose", "BMI", "Age"]), ("S1 = -0.01", ["Age"])],
)  # fmt: skip
def test_that_the_filter_takes_texts_and_comparisons(table: FrameTable, text: str, left: list[str]) -> None:
    table.restore({"filter": text})
    assert column(table, 1) == left


def test_that_the_number_of_rows_is_said(table: FrameTable) -> None:
    assert table._count.text() == "3 rows"
    table.restore({"filter": "glu"})
    assert table._count.text() == "1 of 3 rows"


def test_that_the_selection_is_copied_with_names_and_every_digit(table: FrameTable, qapp: QApplication) -> None:
    model = table.view.model()
    area = QItemSelection(model.index(0, 1), model.index(1, 2))
    table.view.selectionModel().select(area, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    action = next(action for action in table.view.actions() if action.objectName() == "copy")
    assert action.shortcut() == QKeySequence(QKeySequence.StandardKey.Copy)
    action.trigger()
    assert qapp.clipboard().text() == "factor\tS1\nGlucose\t0.4\nBMI\t0.25\n"


def test_that_a_remark_colours_its_cell_and_is_said_in_the_tooltip(table: FrameTable) -> None:
    model = table.view.model()
    assert model.data(model.index(2, 2), Qt.ItemDataRole.ForegroundRole) == QColor(theme().warning)
    assert "The interval of Age includes 0." in model.data(model.index(2, 2), Qt.ItemDataRole.ToolTipRole)
    table.view.horizontalHeader().setSortIndicator(2, Qt.SortOrder.AscendingOrder)
    assert model.data(model.index(0, 2), Qt.ItemDataRole.ForegroundRole) == QColor(theme().warning)


def test_that_order_and_filter_stay_when_newer_values_come(table: FrameTable) -> None:
    table.restore({"sort": "S1", "descending": False, "filter": "S1 > -1"})
    table.show_frame(indices().frame)
    assert table.state() == {"sort": "S1", "descending": False, "filter": "S1 > -1"}
    assert column(table, 1) == ["Age", "BMI", "Glucose"]


def test_that_a_million_rows_open_and_sort_within_a_moment(qapp: QApplication) -> None:
    frame = pd.DataFrame({f"x{k}": np.random.default_rng(k).normal(size=1_000_000) for k in range(3)})
    start = time.perf_counter()
    table = FrameTable("row_table")
    table.show_frame(frame)
    table.view.horizontalHeader().setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    assert table.view.model().rowCount() == 1_000_000
    assert time.perf_counter() - start < 5
    table.deleteLater()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.40712, "0.4071"), (12.0, "12"), (1234567.8, "1234568"), (12345678.9, "1.235e+07"), (1.5e-7, "1.500e-07"),
     (0.0, "0"), (-0.00001, "-1.000e-05"), (float("nan"), "–"), (float("inf"), "∞"), (3, "3"), (True, "yes"),
     (np.float32(0.5), "0.5"), (None, ""), ("text", "text")],
)  # fmt: skip
def test_that_numbers_are_written_with_the_digits_that_mean_something(value: object, text: str) -> None:
    assert short(value) == text


def test_that_an_uncertainty_decides_how_many_decimals_its_value_has() -> None:
    assert with_half_width(0.4071234, 0.0123) == "0.407 ± 0.012"
    assert with_half_width(0.4, None) == "0.4"
    assert with_half_width(0.4, 0.0) == "0.4"
    assert with_half_width(float("nan"), 0.1) == "–"
    assert with_half_width(1234.5, 250.0) == "1234 ± 250" or with_half_width(1234.5, 250.0) == "1235 ± 250"


def test_that_amounts_are_said_in_units_of_people() -> None:
    assert [duration(s) for s in (0.01, 3.21, 75, 3725, 100000)] == [
        "less than 0.1 s", "3.2 s", "1 min 15 s", "1 h 2 min", "1 day 3 h",
    ]  # fmt: skip
    assert [memory(n) for n in (500, 2500, 2.5e7, 1.5e9)] == ["500 bytes", "2.5 kB", "25 MB", "1.5 GB"]
    assert grouped(1179648) == "1,179,648"
    assert full(0.1) == "0.1"
