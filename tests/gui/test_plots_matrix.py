"""Heat maps: both halves, what a cell reads, order, colours around zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from sample_items import correlation, second_order

from sensiview.analysis.items import IndexTable, Matrix
from sensiview.gui.plots.colours import colour_limits, lookup_table, text_on, to_indices
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.themes import DARK, LIGHT

pytestmark = pytest.mark.usefixtures("qapp")
Show = Callable[[IndexTable | Matrix], MatrixPlot]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    made: list[MatrixPlot] = []

    def make(item: IndexTable | Matrix) -> MatrixPlot:
        plot = MatrixPlot(item)
        plot.resize(600, 480)
        plot.show()
        qapp.processEvents()
        made.append(plot)
        return plot

    yield make
    for plot in made:
        plot.close()
        plot.deleteLater()


def test_that_each_pair_fills_both_halves_and_the_diagonal_stays_empty(show: Show) -> None:
    plot = show(second_order())
    assert plot.count() == 9
    assert plot.describe(1) == ["Glucose × BMI", "S2 = 0.0100 ± 0.0050"]
    assert plot.describe(3) == ["BMI × Glucose", "S2 = 0.0100 ± 0.0050"]
    assert plot.describe(4) == ["BMI × BMI", "no value"]


def test_that_a_remark_is_said_at_both_cells_of_its_pair(show: Show) -> None:
    plot = show(second_order())
    assert "The interval includes 0." in plot.describe(2)
    assert "The interval includes 0." in plot.describe(6)


def test_that_the_cell_under_the_mouse_is_the_one_that_is_read(show: Show) -> None:
    plot = show(second_order())
    assert [plot.nearest(plot.place(k).center()) for k in range(9)] == list(range(9))
    assert plot.nearest(QPointF(1, 1)) is None


def test_that_arrow_keys_move_through_rows_and_columns(show: Show) -> None:
    plot = show(correlation())
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(plot.canvas, key)
    assert plot.readout.text().startswith("column 1 × column 1")


def test_that_rows_and_columns_are_ordered_together_by_strength(show: Show) -> None:
    values = np.array([[1.0, 0.1, 0.1], [0.1, 1.0, -0.9], [0.1, -0.9, 1.0]])
    plot = show(replace(correlation(), values=values))
    plot.restore({"sort": "largest"})
    assert plot.describe(1) == ["column 1 × column 2", "Pearson = -0.9"]


def test_that_a_matrix_of_thousands_of_cells_is_drawn_at_once(show: Show, qapp: QApplication) -> None:
    plot = show(correlation(150))
    qapp.processEvents()
    assert plot.describe(151) == ["column 1 × column 1", "Pearson = 1"]


def test_that_signed_colours_have_their_middle_at_zero() -> None:
    assert colour_limits(np.array([-0.1, 0.4]), signed=True) == (-0.4, 0.4)
    assert to_indices(np.array([-0.4, 0.4, np.nan]), (-0.4, 0.4)).tolist() == [0, 255, -1]


def test_that_limits_are_never_equal_also_for_constant_and_empty_values() -> None:
    for values in (np.array([0.3, 0.3]), np.array([np.nan]), np.array([0.0]), np.array([-2.0, -2.0])):
        for signed in (True, False):
            low, high = colour_limits(values, signed=signed)
            assert low < high


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("signed", [True, False])
def test_that_numbers_on_every_colour_have_a_contrast_of_at_least_three(theme: object, signed: bool) -> None:
    from PySide6.QtGui import QColor

    def luminance(colour: QColor) -> float:
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
            for c in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for red, green, blue in lookup_table(theme, signed=signed):  # type: ignore[arg-type]
        ground = QColor(int(red), int(green), int(blue))
        light, dark = sorted((luminance(ground), luminance(text_on(ground))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3
