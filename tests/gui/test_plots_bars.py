"""Bars with intervals: what is read, in which order, and what is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from sample_items import FACTORS, indices

from sensiview.analysis.items import IndexTable
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.plots.legend import Legend

pytestmark = pytest.mark.usefixtures("qapp")
Show = Callable[[IndexTable], BarsPlot]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    made: list[BarsPlot] = []

    def make(item: IndexTable) -> BarsPlot:
        plot = BarsPlot(item)
        plot.resize(700, 480)
        plot.show()
        qapp.processEvents()
        made.append(plot)
        return plot

    yield make
    for plot in made:
        plot.close()
        plot.deleteLater()


def read_all(plot: BarsPlot) -> list[str]:
    return [" | ".join(plot.describe(k)) for k in range(plot.count())]


def legends(plot: BarsPlot) -> list[str]:
    return [e.text for item in plot.canvas.scene().items() if isinstance(item, Legend) for e in item.entries()]


def test_that_every_factor_has_its_value_with_uncertainty_and_percentile_bounds(show: Show) -> None:
    read = read_all(show(indices()))
    assert len(read) == 6
    assert "Outcome=1, Glucose | S1 = 0.400 ± 0.020 | interval 0.379 to 0.419" in read
    assert "Outcome=1, Glucose | ST = 0.500 ± 0.030 | interval 0.47 to 0.53" in read


def test_that_the_largest_total_index_comes_first_and_other_orders_can_be_chosen(show: Show) -> None:
    plot = show(indices(factors=("Age", "BMI", "Glucose")))
    order = plot.findChild(QComboBox, "plot_sort")
    assert order is not None
    assert [line.split(",")[1].split("|")[0].strip() for line in read_all(plot)[::2]] == ["Glucose", "BMI", "Age"]
    order.setCurrentIndex(order.findData("name"))
    assert [line.split(",")[1].split("|")[0].strip() for line in read_all(plot)[::2]] == ["Age", "BMI", "Glucose"]
    order.setCurrentIndex(order.findData(""))
    assert [line.split(",")[1].split("|")[0].strip() for line in read_all(plot)[::2]] == ["Age", "BMI", "Glucose"]


def test_that_names_with_numbers_are_sorted_as_people_count(show: Show) -> None:
    plot = show(indices(factors=("x10", "x2", "x1")))
    plot.restore({"sort": "name"})
    assert [line.split(",")[1].split("|")[0].strip() for line in read_all(plot)[::2]] == ["x1", "x2", "x10"]


def test_that_one_output_is_shown_at_a_time_and_another_can_be_chosen(show: Show) -> None:
    plot = show(indices(("first", "second")))
    assert all(line.startswith("first") for line in read_all(plot))
    chooser = plot.findChild(QComboBox, "plot_output")
    assert chooser is not None
    chooser.setCurrentIndex(chooser.findData("second"))
    assert all(line.startswith("second") for line in read_all(plot))


def test_that_a_single_output_offers_no_choice_of_outputs(show: Show) -> None:
    assert show(indices()).findChild(QComboBox, "plot_output") is None


def test_that_remarks_are_marked_explained_below_and_said_at_the_bar(show: Show) -> None:
    plot = show(indices())
    assert {"interval includes 0", "S1 > ST"} <= set(legends(plot))
    assert any("The interval of Age includes 0." in line for line in read_all(plot) if "Age" in line)


def test_that_no_mark_is_explained_that_is_not_drawn(show: Show) -> None:
    assert "S1 > ST" not in legends(show(replace(indices(), remarks=())))


def test_that_pointing_at_a_bar_reads_it_and_leaving_clears_the_read_out(show: Show) -> None:
    plot = show(indices())
    place = plot.place(0).center()
    assert plot.nearest(place) == 0
    QTest.mouseMove(plot.canvas.viewport(), plot.canvas.mapFromScene(place))
    plot.canvas.moved.emit(place)
    assert plot.readout.text().startswith("Outcome=1, Glucose")
    plot.canvas.left.emit()
    assert plot.readout.text() == plot.hint


def test_that_a_bar_too_low_to_hit_is_read_from_the_strip_above_it(show: Show) -> None:
    plot = show(indices())
    lowest = next(k for k, line in enumerate(read_all(plot)) if "Age | S1" in line)
    assert plot.nearest(QPointF(plot.place(lowest).center().x(), plot.place(0).top())) == lowest


def test_that_arrow_keys_go_from_bar_to_bar(show: Show) -> None:
    plot = show(indices())
    plot.canvas.setFocus()
    for _ in range(2):
        QTest.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert "ST = 0.500" in plot.readout.text()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Down)
    assert "BMI" in plot.readout.text()
    assert "ST" in plot.readout.text()


def test_that_more_than_twelve_names_stand_one_below_the_other_with_room_for_each(show: Show) -> None:
    few, many = show(indices()), show(indices(factors=tuple(f"factor {k}" for k in range(40))))
    assert many.canvas.minimumHeight() > 40 * 18 > few.canvas.minimumHeight()
    assert many.place(0).width() > many.place(0).height()


def test_that_names_too_long_to_stand_side_by_side_stand_one_below_the_other(show: Show) -> None:
    long = show(indices(factors=tuple(f"a factor with a long name {k}" for k in range(8))))
    short = show(indices(factors=tuple(f"x{k}" for k in range(8))))
    assert long.place(long.count() - 1).width() > long.place(long.count() - 1).height()
    assert short.place(short.count() - 1).width() < short.place(short.count() - 1).height() + 40
    assert long.place(0).top() < long.place(2).top()
    assert short.place(0).left() < short.place(2).left()


def test_that_thousands_of_factors_are_cut_to_the_largest_and_the_rest_is_named(show: Show) -> None:
    plot = show(indices(factors=tuple(f"factor {k}" for k in range(1000))))
    assert plot.count() == 600
    assert "factor 999" in plot.describe(0)[0]
    assert any(text.startswith("700 more are not drawn") for text in legends(plot))


def test_that_many_hidden_units_can_be_seen_as_one_heat_map(show: Show) -> None:
    plot = show(indices(tuple(f"fn1[{k}]" for k in range(10))))
    plot.restore({"view": "matrix:ST"})
    assert plot.count() == 30
    assert plot.stride() == 10
    assert plot.describe(12) == ["fn1[2], BMI", "ST = 0.220 ± 0.030", "interval 0.19 to 0.25"]
    assert plot.nearest(plot.place(12).center()) == 12
    assert plot.findChild(QComboBox, "plot_output") is None


def test_that_components_of_a_pca_are_drawn_one_below_the_other(show: Show) -> None:
    rows = [(c, f, 0.1 * c) for c in (1, 2, 3, 4) for f in FACTORS]
    frame = pd.DataFrame(rows, columns=["component", "factor", "loading"])
    plot = show(IndexTable(title="Loadings", frame=frame, keys=("component", "factor"), values=("loading",)))
    assert plot.count() == 12
    assert plot.place(0).bottom() < plot.place(3).top()


def test_that_values_that_are_not_finite_draw_nothing_and_read_as_missing(show: Show) -> None:
    item = indices()
    frame = item.frame.copy()
    frame.loc[0, ["S1", "S1_conf", "S1_low", "S1_high"]] = np.nan
    plot = show(replace(item, frame=frame))
    assert any("Glucose | S1 = –" in line for line in read_all(plot))


def test_that_an_empty_table_is_drawn_as_an_empty_plot(show: Show) -> None:
    item = indices()
    plot = show(replace(item, frame=item.frame.iloc[:0], remarks=()))
    assert plot.count() == 0


def test_that_newer_values_keep_what_was_chosen(show: Show) -> None:
    plot = show(indices(("first", "second")))
    plot.restore({"output": "second", "sort": "name"})
    kept = plot.state()
    plot.set_item(indices(("first", "second")))
    assert plot.state() == kept == {"output": "second", "sort": "name"}


def test_that_strange_names_are_shown_as_they_are(show: Show) -> None:
    names = ("<b>bold</b>", "a & b", 'with "quotes", comma', "größe (µm)")
    plot = show(indices(factors=names))
    shown = "\n".join(read_all(plot))
    assert all(name in shown for name in names)
