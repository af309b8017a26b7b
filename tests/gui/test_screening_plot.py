"""Plots of screenings: dots, classes, the line, the parts of the image, the table; what they read, keep and write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDoubleSpinBox
from sample_screenings import UNIT, image_screening, many, screening, table_screening

from sensiview.analysis.items import IndexTable, Item
from sensiview.gui.item_view import ItemView
from sensiview.gui.plots.drawing import draw_item
from sensiview.gui.plots.scatter import ScatterPlot
from sensiview.gui.plots.screening_data import CLASSES, classify, dots_of
from sensiview.gui.plots.screening_parts import outline
from sensiview.gui.plots.screening_plot import ScreeningPlot
from sensiview.reporting.anatomy import Anatomy

pytestmark = pytest.mark.needs_display
Show = Callable[..., ItemView]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    views: list[ItemView] = []

    def make(item: Item, beside: Mapping[str, Item] | None = None, size: tuple[int, int] = (960, 620)) -> ItemView:
        view = ItemView(item, beside=lambda: beside or {})
        view.resize(*size)
        view.show()
        views.append(view)
        for _ in range(3):
            QApplication.processEvents()
        return view

    yield make
    for view in views:
        view.close()
        view.deleteLater()


def plot_of(view: ItemView) -> ScreeningPlot:
    assert isinstance(view.plot, ScreeningPlot)
    return view.plot


def drag(plot: ScreeningPlot, start: QPointF, end: QPointF) -> None:
    """Press the left button at one place of the canvas, move, and let go at another."""
    port, first, last = plot.canvas.viewport(), plot.canvas.mapFromScene(start), plot.canvas.mapFromScene(end)
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=first)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(port, first + (last - first) * share)
        QApplication.processEvents()
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=last)
    QApplication.processEvents()


def click(plot: ScreeningPlot, place: QPointF, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, held, plot.canvas.mapFromScene(place))
    QApplication.processEvents()


def point(plot: ScreeningPlot, place: QPointF) -> None:
    """Move the mouse there; said to the plot too, since a bare display may swallow the first moves in a window."""
    QTest.mouseMove(plot.canvas.viewport(), plot.canvas.mapFromScene(place))
    QApplication.processEvents()
    plot.canvas.moved.emit(place)


def dot(plot: ScreeningPlot, name: str) -> QPointF:
    return plot.place(plot.factors().index(name)).center()


def choose(view: ItemView, name: str, text: str) -> None:
    combo = view.findChild(QComboBox, name)
    assert combo is not None
    assert combo.findText(text) >= 0, [combo.itemText(k) for k in range(combo.count())]
    combo.setCurrentIndex(combo.findText(text))
    QApplication.processEvents()


def more(view: ItemView, key: str, value: str) -> None:
    """Choose something behind the button of the plot."""
    combo = plot_of(view)._settings.choices.findChild(QComboBox, f"plot_{key}")
    assert combo is not None
    combo.setCurrentIndex(combo.findData(value))
    QApplication.processEvents()


def column(view: ItemView, name: str) -> dict[str, str]:
    """Return a column of the table as it is shown, by factor."""
    assert view.table is not None
    at = view.table.columns().index(name)
    rows = [view.table.texts(row) for row in range(view.table.view.model().rowCount())]
    return {row[0]: row[at] for row in rows}


# Classes ---------------------------------------------------------------------------------------------------------


def test_that_effects_fall_into_classes_by_the_line_and_by_the_ratio_of_sigma_to_mu_star() -> None:
    mu_star = np.array([1.0, 1.0, 1.0, 0.04, 0.05, 0.0, np.nan, 1.0, 0.01])
    sigma = np.array([0.49, 0.5, 2.0, 0.1, 0.0, 0.0, 0.1, np.nan, np.nan])
    found = [CLASSES[kind] for kind in classify(mu_star, sigma, 0.05)]
    assert found == [
        "linear", "non-linear or interacting", "non-linear or interacting", "no effect", "linear", "no effect",
        "not known", "not known", "no effect",
    ]  # fmt: skip


def test_that_a_line_at_zero_leaves_only_factors_without_any_effect_outside() -> None:
    assert classify(np.array([0.0, 1e-9]), np.array([0.0, 0.0]), 0.0).tolist() == [0, 1]


def test_that_the_outline_of_cells_is_a_line_per_side_and_not_one_per_pixel() -> None:
    cells = np.kron(np.array([[1, 2], [3, 4]]), np.ones((5, 5), dtype=int))
    lines = outline(cells)
    assert len(lines) == 6
    assert sorted(np.abs(lines[:, 2] - lines[:, 0] + lines[:, 3] - lines[:, 1]).tolist()) == [10.0] * 6


def test_that_the_outline_of_a_part_with_a_hole_has_both_borders() -> None:
    ring = np.zeros((5, 5), dtype=int)
    ring[1:4, 1:4] = 1
    ring[2, 2] = 0
    lines = outline(ring)
    assert float(np.abs(lines[:, 2:] - lines[:, :2]).sum()) == 3 * 4 + 4


# What is read ----------------------------------------------------------------------------------------------------


def test_that_a_dot_is_read_with_its_class_and_all_numbers(show: Show) -> None:
    plot = plot_of(show(table_screening()))
    point(plot, dot(plot, "Age"))
    assert plot.describe_current().split("  ·  ") == [
        "Age: non-linear or interacting", f"μ* = 0.400 ± 0.040 ({UNIT})", "σ = 0.600 ± 0.060", "μ = 0.100 ± 0.010",
        "σ / μ* = 1.5",
    ]  # fmt: skip


def test_that_the_legend_counts_each_class(show: Show) -> None:
    plot = plot_of(show(table_screening()))
    texts = [(entry.text, entry.shape) for entry in plot._legend.entries()]
    assert texts == [("no effect (1)", "ring"), ("linear (2)", "dot"), ("non-linear or interacting (1)", "diamond")]


def test_that_arrow_keys_go_through_the_dots_by_mu_star_and_upwards_by_sigma(show: Show) -> None:
    plot = plot_of(show(table_screening()))
    plot.canvas.setFocus()
    read = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(plot.canvas, key)
        read.append(plot.describe_current().split(":")[0])
    assert read == ["Glucose", "BMI", "Age", "Age", "Glucose", "BMI"]


def test_that_names_of_few_factors_are_all_written_and_of_many_the_strongest_without_overlap(show: Show) -> None:
    assert sorted(plot_of(show(table_screening()))._overlay.labels()) == ["Age", "BMI", "Glucose", "Insulin"]
    plot = plot_of(show(many(1000)))
    labels = plot._overlay._labels
    assert 3 <= len(labels) <= 12
    assert labels[0][0] == plot.factors()[-1]
    boxes = [box for _, box in labels]
    assert not any(a.intersects(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])


def test_that_remarks_of_a_factor_are_read(show: Show) -> None:
    items = image_screening()
    plot = plot_of(show(items["screening"], items))
    assert "The part is black" in plot.describe(plot.factors().index("row 1, column 1"))[-1]


def test_that_the_sign_of_effects_is_another_choice(show: Show) -> None:
    view = show(table_screening())
    plot = plot_of(view)
    above = dot(plot, "BMI").y()
    more(view, "upwards", "mu")
    assert dot(plot, "BMI").y() > above
    assert plot._panel.view.viewRange()[1][0] < -0.5


def test_that_a_sigma_that_is_not_known_is_told_and_never_drawn_at_zero(show: Show) -> None:
    item = screening([("o", "a", 1.0, np.nan, 1.0), ("o", "b", 0.5, 0.1, 0.5)], ("output", "factor"))
    plot = plot_of(show(item))
    assert "1 without a number are not drawn" in plot._rule._text
    assert plot.place(plot.factors().index("a")).isNull()
    assert plot._legend.entries()[-1].text == "not known (1)"


def test_that_a_screening_without_any_effect_and_one_without_rows_are_drawn(show: Show) -> None:
    nothing = screening([("o", "a", 0.0, 0.0, 0.0), ("o", "b", 0.0, 0.0, 0.0)], ("output", "factor"))
    plot = plot_of(show(nothing))
    assert plot._legend.entries()[0].text == "no effect (2)"
    empty = IndexTable(
        title="Screening", frame=nothing.frame.iloc[:0], keys=("output", "factor"), values=("mu_star", "sigma"),
        plot="screening",
    )  # fmt: skip
    plot = plot_of(show(empty))
    assert "no rows" in plot._rule._text
    assert plot.nearest(QPointF(100, 100)) is None


def test_that_a_table_with_mu_star_and_sigma_alone_is_drawn(show: Show) -> None:
    frame = pd.DataFrame({"factor": ["a", "b"], "mu_star": [1.0, 2.0], "sigma": [0.1, 2.0]})
    view = show(IndexTable(title="S", frame=frame, keys=("factor",), values=("mu_star", "sigma"), plot="screening"))
    assert plot_of(view)._settings.choices.findChild(QComboBox, "plot_upwards") is None
    assert plot_of(view).describe(1) == ["b: non-linear or interacting", "μ* = 2", "σ = 2", "σ / μ* = 1"]


def test_that_a_screening_by_other_measures_is_a_plain_scatter(show: Show) -> None:
    frame = pd.DataFrame({"factor": ["a", "b"], "reach": [1.0, 2.0], "spread": [0.1, 2.0]})
    view = show(IndexTable(title="S", frame=frame, keys=("factor",), values=("reach", "spread"), plot="screening"))
    assert isinstance(view.plot, ScatterPlot)
    assert view.plot.describe(1) == ["b", "reach = 2", "spread = 2"]


# The line --------------------------------------------------------------------------------------------------------


def test_that_dragging_the_line_changes_classes_legend_rule_and_table(
    show: Show, wait_until: Callable[..., None]
) -> None:
    view = show(table_screening())
    view.set_mode("both")
    view.resize(960, 900)
    QApplication.processEvents()
    plot = plot_of(view)
    assert column(view, "class")["Age"] == "non-linear or interacting"
    start, height = plot._panel.to_scene(0.05, 0.3), plot._panel.to_scene(0.45, 0.3)
    drag(plot, start, height)
    assert plot.line == pytest.approx(0.45, abs=0.01)
    assert "no effect: μ* below 0.4" in plot._rule._text
    assert plot._legend.entries()[0].text == "no effect (2)"
    wait_until(lambda: column(view, "class")["Age"] == "no effect")
    assert column(view, "class") == {"Glucose": "linear", "BMI": "linear", "Age": "no effect", "Insulin": "no effect"}


def test_that_the_line_can_be_typed_and_comes_back_with_the_view(show: Show) -> None:
    view = show(table_screening())
    plot = plot_of(view)
    field = plot.findChild(QDoubleSpinBox, "plot_no_effect")
    assert field is not None
    field.setValue(60.0)
    assert plot.line == pytest.approx(0.6)
    again = show(table_screening())
    again.restore(view.state())
    assert plot_of(again).line == pytest.approx(0.6)
    assert plot_of(again)._legend.entries()[0].text == "no effect (3)"


def test_that_a_share_that_makes_no_sense_is_left_out_of_a_restored_view(show: Show) -> None:
    plot = plot_of(show(table_screening()))
    plot.restore({"no_effect": 7, "intervals": "yes", "chosen": ["nobody"]})
    assert plot.share == 0.05
    assert plot.chosen_factors() == []


def test_that_intervals_are_drawn_on_demand_and_fit_into_the_panel(show: Show) -> None:
    view = show(table_screening())
    plot = plot_of(view)
    before = plot.canvas.viewport().grab().toImage()
    switch = plot.findChild(QCheckBox, "plot_intervals")
    assert switch is not None
    switch.setChecked(True)
    QApplication.processEvents()
    assert plot.canvas.viewport().grab().toImage() != before
    assert plot._panel.view.viewRange()[0][1] > 1.1


def test_that_newer_values_and_another_theme_keep_what_was_zoomed_into_until_it_is_reset(show: Show) -> None:
    view = show(table_screening())
    plot = plot_of(view)
    plot._panel.view.setRange(xRange=(0.3, 0.6), yRange=(0.0, 0.3), padding=0)
    plot._panel.view.sigRangeChangedManually.emit([True, True])
    plot.choose_factors(["BMI"])
    view.show_item(table_screening())
    assert np.allclose(plot._panel.view.viewRange(), [[0.3, 0.6], [0.0, 0.3]])
    assert plot.chosen_factors() == ["BMI"]
    assert plot.place(plot.factors().index("Glucose")).isNull(), "a dot outside of the panel has no place"
    plot.reset_view()
    assert plot._panel.view.viewRange()[0][1] > 1


# The image -------------------------------------------------------------------------------------------------------


def test_that_pointing_at_a_dot_lights_its_part_and_pointing_at_the_part_lights_its_dot(show: Show) -> None:
    items = image_screening()
    plot = plot_of(show(items["screening"], items))
    picture = plot._picture
    assert picture is not None
    point(plot, dot(plot, "row 5, column 6"))
    assert picture.lit() == 4 * 8 + 5 + 1
    point(plot, picture.place(3).center())
    assert picture.lit() == 3
    assert plot.describe_current().startswith("row 1, column 3: ")
    assert plot.canvas._highlight is not None
    assert plot.canvas._highlight.rect() == plot.place(plot.factors().index("row 1, column 3"))


def test_that_a_click_chooses_a_part_ctrl_adds_one_and_escape_leaves_them(show: Show) -> None:
    items = image_screening()
    plot = plot_of(show(items["screening"], items))
    picture = plot._picture
    assert picture is not None
    click(plot, picture.place(20).center())
    assert plot.chosen_factors() == ["row 3, column 4"]
    click(plot, dot(plot, "row 8, column 8"), Qt.KeyboardModifier.ControlModifier)
    assert picture.pinned() == (20, 64)
    assert "row 8, column 8" in plot._overlay.labels()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Escape)
    assert picture.pinned() == ()


def test_that_a_frame_around_dots_chooses_them_and_shows_their_parts(show: Show) -> None:
    items = image_screening()
    plot = plot_of(show(items["screening"], items))
    first, last = dot(plot, "row 8, column 8"), dot(plot, "row 8, column 4")
    drag(plot, last + QPointF(-6, 8), first + QPointF(8, -8))
    assert set(plot.chosen_factors()) == {"row 8, column 4", "row 8, column 6", "row 8, column 8"}
    assert plot._picture is not None
    assert set(plot._picture.pinned()) == {60, 62, 64}
    plot.canvas.left.emit()
    assert plot.describe_current().startswith("3 of 64 factors chosen, 9 % of the sum of μ*: ")


def test_that_parts_have_the_colours_of_their_classes_until_that_is_switched_off(show: Show) -> None:
    items = image_screening()
    view = show(items["screening"], items)
    plot = plot_of(view)

    def colour(number: int) -> tuple[int, ...]:
        assert plot._picture is not None
        at = plot.canvas.mapFromScene(plot._picture.place(number).center() + QPointF(2, 2))
        return plot.canvas.viewport().grab().toImage().pixelColor(at).toTuple()[:3]  # type: ignore[return-value]

    tinted = colour(50)
    more(view, "parts", "outlines")
    plain = colour(50)
    assert np.abs(np.subtract(tinted, plain)).max() > 30
    more(view, "parts", "none")
    assert plot._picture is None


def test_that_another_image_and_output_show_their_own_dots_and_picture(show: Show) -> None:
    items = image_screening()
    view = show(items["screening"], items)
    plot = plot_of(view)
    assert plot.describe(plot.factors().index("row 8, column 8"))[1].startswith("μ* = 1.00")
    choose(view, "plot_output", "ship")
    choose(view, "plot_image", "b.png")
    assert plot.describe(plot.factors().index("row 8, column 8"))[1].startswith("μ* = 3.01")
    assert plot._picture is not None
    assert plot._picture._caption == "b.png"


def test_that_a_narrow_view_puts_the_image_below_the_dots(show: Show) -> None:
    items = image_screening()
    view = show(items["screening"], items, (480, 900))
    plot = plot_of(view)
    QApplication.processEvents()
    assert plot._picture is not None
    assert plot._picture.place(1).top() > dot(plot, "row 1, column 1").y()
    view.resize(1000, 620)
    for _ in range(3):
        QApplication.processEvents()
    assert plot._picture.place(1).left() > dot(plot, "row 8, column 8").x()


def test_that_averages_over_images_lie_over_the_first_one(show: Show) -> None:
    items = dict(image_screening())
    item = items["screening"]
    assert isinstance(item, IndexTable)
    frame = item.frame[item.frame["image"] == "a.png"].assign(image="mean")
    items["screening"] = IndexTable(
        title="S", frame=frame.reset_index(drop=True), keys=item.keys, values=item.values, plot="screening"
    )
    plot = plot_of(show(items["screening"], items))
    assert plot._picture is not None
    assert plot._numbers["row 1, column 2"] == 2


def test_that_a_result_without_parts_shows_dots_alone(show: Show) -> None:
    items = image_screening()
    view = show(items["screening"], {"screening": items["screening"]})
    assert plot_of(view)._picture is None
    assert plot_of(view)._settings.choices.findChild(QComboBox, "plot_parts") is None


# Table and files -------------------------------------------------------------------------------------------------


def test_that_a_row_of_the_table_and_a_dot_choose_each_other(show: Show) -> None:
    view = show(table_screening(), size=(960, 900))
    view.set_mode("both")
    QApplication.processEvents()
    plot, table = plot_of(view), view.table
    assert table is not None
    table.view.setCurrentIndex(table.view.model().index(2, 0))
    assert plot.chosen_factors() == ["Age"]
    click(plot, dot(plot, "BMI"))
    assert plot.chosen_factors() == ["BMI"]
    assert table.current_source_row() == 1


def test_that_the_table_holds_the_rows_of_the_chosen_output_alone(show: Show) -> None:
    items = image_screening()
    view = show(items["screening"], items, (960, 900))
    view.set_mode("both")
    choose(view, "plot_output", "dog")
    assert view.table is not None
    assert view.table.view.model().rowCount() == 64
    assert view.table.columns()[:4] == ["factor", "class", "mu_star", "mu_star_conf"]
    assert view.table.texts(0)[:2] == ["row 8, column 8", "non-linear or interacting"]


def test_that_numbers_are_written_with_the_class_of_every_row(show: Show, tmp_path: Path) -> None:
    items = image_screening()
    view = show(items["screening"], items)
    plot = plot_of(view)
    plot.save(tmp_path / "s.csv")
    frame = pd.read_csv(tmp_path / "s.csv")
    assert len(frame) == 2 * 3 * 64
    first = frame[(frame["image"] == "b.png") & (frame["output"] == "ship")].set_index("factor")["class"]
    assert first["row 1, column 1"] == "no effect"
    assert first["row 8, column 7"] == "linear"
    assert first["row 8, column 8"] == "non-linear or interacting"


def test_that_pictures_hold_dots_and_image_as_the_window_shows_them(show: Show, tmp_path: Path) -> None:
    items = image_screening()
    plot = plot_of(show(items["screening"], items))
    plot.choose_factors(["row 8, column 8"])
    plot.save(tmp_path / "s.png")
    drawn = QImage(str(tmp_path / "s.png"))
    shown = plot.canvas.viewport().grab().toImage()
    assert drawn.width() == 2 * plot.canvas.viewport().width()
    assert plot._picture is not None
    for place in (plot._picture.place(40).center() + QPointF(3, 3), dot(plot, "row 8, column 6")):
        at = plot.canvas.mapFromScene(place)
        seen, written = shown.pixelColor(at), drawn.pixelColor(at * 2 + QPoint(1, 1))
        assert max(abs(a - b) for a, b in zip(seen.toTuple(), written.toTuple(), strict=True)) < 40
    plot.save(tmp_path / "s.svg")
    text = (tmp_path / "s.svg").read_text()
    assert "no effect (3)" in text
    assert "row 8, column 8" in text
    assert "<image" in text


def test_that_a_screening_is_drawn_into_a_file_without_a_window(qapp: QApplication, tmp_path: Path) -> None:
    items = image_screening()
    anatomy = Anatomy(None, {})
    anatomy.items = items
    assert draw_item(items["screening"], tmp_path / "s.svg", anatomy=anatomy)
    assert "<image" in (tmp_path / "s.svg").read_text()
    assert draw_item(table_screening(), tmp_path / "t.png")


def test_that_ten_thousand_dots_stay_fluent(show: Show) -> None:
    plot = plot_of(show(many(10_000)))
    port = plot.canvas.viewport()
    start = plot._panel.to_scene(plot.line, 0.1)
    times = []
    for step in range(12):
        began = time.process_time()
        plot._overlay.line_moved.emit(plot.line + 0.001)
        QTest.mouseMove(port, plot.canvas.mapFromScene(start + QPointF(6 * step, 3 * step)))
        port.repaint()
        QApplication.processEvents()
        times.append(time.process_time() - began)
    # Of the processor, since others may use the machine; each step draws twice.
    assert sorted(times)[6] < 0.25, times


def test_that_the_rows_of_a_choice_are_found_in_the_order_of_mu_star() -> None:
    item = image_screening()["screening"]
    assert isinstance(item, IndexTable)
    dots = dots_of(item, {"image": "b.png", "output": "dog"})
    assert len(dots) == 64
    assert np.all(np.diff(dots.values["mu_star"]) >= 0)
    assert set(item.frame["image"].iloc[dots.rows]) == {"b.png"}
