"""Lines over sample sizes and epochs: ribbons, hiding, zoom that survives newer values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QGraphicsPathItem, QMenu, QToolButton
from sample_items import FACTORS, convergence, training

from sensiview.analysis.items import Curve, Interval
from sensiview.gui.plots.curve import CurvePlot
from sensiview.gui.plots.legend import Legend
from sensiview.gui.plots.lines import lines_of, value_range
from sensiview.gui.plots.ticks import NameTicks, NumberTicks, PowerTicks
from sensiview.gui.themes import apply_font, apply_theme

pytestmark = pytest.mark.usefixtures("qapp")
Show = Callable[[Curve], CurvePlot]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    made: list[CurvePlot] = []

    def make(item: Curve) -> CurvePlot:
        plot = CurvePlot(item)
        plot.resize(800, 480)
        plot.show()
        qapp.processEvents()
        made.append(plot)
        return plot

    yield make
    for plot in made:
        plot.close()
        plot.deleteLater()


def legend(plot: CurvePlot) -> Legend:
    return next(item for item in plot.canvas.scene().items() if isinstance(item, Legend))


def ribbons(plot: CurvePlot) -> int:
    return sum(isinstance(item, QGraphicsPathItem) for item in plot.canvas.scene().items())


def test_that_each_factor_has_a_line_with_a_ribbon(show: Show) -> None:
    plot = show(convergence())
    assert plot.count() == 12
    assert ribbons(plot) == 3
    assert plot.describe(3) == ["Glucose", "N = 1,024", "S1 = 0.40 ± 0.12"]


def test_that_s1_and_st_are_two_pictures(show: Show) -> None:
    plot = show(convergence())
    chooser = plot.findChild(QComboBox, "plot_value")
    assert chooser is not None
    chooser.setCurrentIndex(chooser.findData("ST"))
    assert plot.describe(0)[2].startswith("ST = 0.50")


def test_that_the_legend_has_the_order_in_which_the_lines_end(show: Show) -> None:
    assert [entry.key for entry in legend(show(convergence())).entries()] == ["Glucose", "BMI", "Age"]


def test_that_a_click_on_a_name_hides_its_line_and_a_second_click_shows_it(show: Show) -> None:
    plot = show(convergence())
    for hidden in (["BMI"], []):
        shown = legend(plot)
        place = plot.canvas.mapFromScene(shown.mapToScene(shown.place("BMI").center()))
        QTest.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QApplication.processEvents()
        assert plot.hidden() == hidden
        assert ribbons(plot) == 3 - len(hidden)


def test_that_lines_can_be_hidden_with_the_keyboard_through_the_menu(show: Show) -> None:
    plot = show(convergence())
    button = plot.findChild(QToolButton, "plot_lines")
    assert button is not None
    menu = button.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "Age").trigger()
    assert plot.hidden() == ["Age"]


def test_that_with_many_factors_only_the_largest_are_drawn_at_first(show: Show) -> None:
    plot = show(convergence(factors=tuple(f"factor {k}" for k in range(30))))
    assert len(plot.hidden()) == 22
    assert "factor 29" not in plot.hidden()


def test_that_sample_sizes_are_written_as_numbers_at_powers_of_two() -> None:
    texts = [tick.text for tick in PowerTicks(2).between(6.9, 16.1, 20)]
    assert texts[0] == "128"
    assert texts[-1] == "65,536"


def test_that_with_little_room_the_largest_sample_size_keeps_its_number() -> None:
    ticks = PowerTicks(2).between(7, 16, 4)
    assert len(ticks) == 10
    assert ticks[-1].text == "65,536"
    assert sum(bool(tick.text) for tick in ticks) <= 4


def test_that_ticks_are_round_numbers_with_equal_decimals() -> None:
    assert [tick.text for tick in NumberTicks().between(-0.1, 0.42, 6)] == ["-0.1", "0", "0.1", "0.2", "0.3", "0.4"]
    assert [tick.text for tick in NumberTicks(whole=True).between(0, 3, 10)] == ["0", "1", "2", "3"]
    assert NumberTicks().between(1.0, 1.0, 5) == []
    assert [tick.text for tick in NameTicks(["a", "b", "c"]).between(-0.5, 1.5, 0)] == ["a", "b"]


def test_that_wide_ribbons_at_small_n_do_not_dwarf_the_lines() -> None:
    item = convergence()
    frame = item.frame.copy()
    frame.loc[frame["N"] == 128, "S1_conf"] = 50.0
    low, high = value_range(lines_of(replace(item, frame=frame), "Outcome=1", ("S1",)))
    assert -0.5 < low < high < 1.0


def test_that_newer_values_keep_zoom_and_hidden_lines(show: Show) -> None:
    plot = show(convergence(largest=9))
    plot.toggle("Age")
    panel = plot._panel
    assert panel is not None
    panel.view.setRange(xRange=(8, 9), yRange=(0.2, 0.3), padding=0)
    panel.view.sigRangeChangedManually.emit([True, True])
    plot.set_item(convergence(largest=10))
    assert plot.hidden() == ["Age"]
    assert plot._panel is not None
    assert np.allclose(plot._panel.view.viewRange(), [[8, 9], [0.2, 0.3]])
    plot.reset_view()
    assert plot._panel.view.viewRange()[0][1] > 10


def test_that_pointing_near_a_line_reads_its_nearest_point(show: Show) -> None:
    plot = show(convergence())
    assert plot.nearest(plot.place(2).center() + QPointF(4, 3)) == 2
    assert plot.nearest(QPointF(2, 2)) is None


def test_that_columns_of_another_unit_are_another_picture(show: Show) -> None:
    plot = show(training())
    chooser = plot.findChild(QComboBox, "plot_value")
    assert chooser is not None
    offered = [chooser.itemText(k) for k in range(chooser.count())]
    assert offered == ["train loss and test loss", "accuracy", "All 2 side by side"]
    assert plot.count() == 200
    chooser.setCurrentIndex(1)
    assert plot.describe(99) == ["epoch = 100", "accuracy = 90 %"]


def test_that_points_that_are_not_finite_leave_a_gap(show: Show) -> None:
    item = convergence()
    frame = item.frame.copy()
    frame.loc[0, ["S1", "S1_conf"]] = np.nan
    plot = show(replace(item, frame=frame))
    assert plot.describe(0)[2] == "S1 = –"
    assert plot.place(0).isNull()


def test_that_a_curve_with_one_point_or_none_is_drawn(show: Show) -> None:
    assert show(convergence(largest=7)).count() == len(FACTORS)
    item = convergence()
    assert show(replace(item, frame=item.frame.iloc[:0])).count() == 0


def test_that_hidden_lines_and_choices_come_back(show: Show) -> None:
    plot = show(convergence(("first", "second")))
    plot.restore({"output": "second", "value": "ST"})
    plot.toggle("BMI")
    again = show(convergence(("first", "second")))
    assert plot._panel is not None
    plot._panel.view.setRange(xRange=(8, 9), yRange=(0.2, 0.3), padding=0)
    plot._panel.view.sigRangeChangedManually.emit([True, True])
    again.restore(plot.state())
    assert again.hidden() == ["BMI"]
    assert again.describe(0) == plot.describe(0)
    assert again._panel is not None
    assert np.allclose(again._panel.view.viewRange(), [[8, 9], [0.2, 0.3]])


def test_that_another_font_size_is_drawn_at_once(show: Show, qapp: QApplication) -> None:
    plot = show(convergence())
    assert plot._panel is not None
    before = plot._panel.left.minimumWidth()
    for points in (18, 0):
        apply_font(qapp, points)
        apply_theme(qapp, "light")
        qapp.processEvents()
        assert (plot._panel.left.minimumWidth() > before) == (points > 0)


def masked() -> Curve:
    """Accuracy and score of two runs while parts are masked, by two measures, from three sides."""
    rows = [
        (run, measure, side, share, 1 - slope * share, 0.9 - slope * share, 1.1 - slope * share, -5 * slope * share)
        for k, run in enumerate(("AlexNet", "VGG-16")) for measure in ("mu_star", "sigma")
        for side, slope in (("top", 4.0 + k), ("bottom", 0.1), ("random", 2.0)) for share in (0.0, 0.1, 0.2)
    ]  # fmt: skip
    names = ["run", "measure", "side", "share", "accuracy", "accuracy_low", "accuracy_high", "score"]
    return Curve(
        title="Accuracy while parts are masked", frame=pd.DataFrame(rows, columns=names), x="share",
        y=("accuracy", "score"), series=("run", "measure", "side"),
        bands={"accuracy": Interval(low="accuracy_low", high="accuracy_high")},
    )  # fmt: skip


def pick(plot: CurvePlot, name: str, text: str) -> None:
    chooser = plot.findChild(QComboBox, name)
    assert chooser is not None
    assert chooser.findText(text) >= 0, [chooser.itemText(k) for k in range(chooser.count())]
    chooser.setCurrentIndex(chooser.findText(text))


def test_that_all_panels_stand_side_by_side_with_one_legend_and_one_scale(show: Show) -> None:
    plot = show(masked())
    pick(plot, "plot_output", "All 4 side by side")
    assert [tile.name for tile in plot._tiles] == [
        "AlexNet · mu_star", "AlexNet · sigma", "VGG-16 · mu_star", "VGG-16 · sigma"
    ]  # fmt: skip
    ranges = [tile.panel.view.viewRange()[1] for tile in plot._tiles]
    assert ranges == [ranges[0]] * 4
    places = [tile.panel.view.sceneBoundingRect() for tile in plot._tiles]
    assert places[0].right() < places[1].left()
    assert places[0].bottom() < places[2].top()
    assert plot.count() == 4 * 3 * 3
    assert plot.describe(3 * 3 * 2 + 2) == ["VGG-16 · mu_star", "top", "share = 0.2", "accuracy = 0.00 ± 0.10"]
    assert plot.nearest(plot.place(20).center()) == 20
    plot.toggle("random")
    assert plot.count() == 4 * 2 * 3


def test_that_many_names_leave_room_for_the_panels(show: Show) -> None:
    names = [f"factor {k}" for k in range(60)]
    rows = [(name, x, 0.01 * k, 0.02 * k) for k, name in enumerate(names) for x in (0.5, 0.6, 0.7)]
    frame = pd.DataFrame(rows, columns=["factor", "p", "mu_star", "sigma"])
    plot = show(Curve(title="Trend", frame=frame, x="p", y=("mu_star", "sigma"), series=("factor",)))
    pick(plot, "plot_value", "All 2 side by side")
    texts = [entry.text for entry in legend(plot).entries()]
    assert texts[0] == "factor 59"
    assert texts[-1] == "52 more, behind the button Lines"
    assert len(texts) == 9
    assert plot._tiles[0].panel.view.size().height() > 200
    plot.toggle("")
    assert len(plot.hidden()) == 52


def test_that_another_key_makes_the_lines(show: Show) -> None:
    plot = show(masked())
    pick(plot, "plot_lines", "run")
    assert [line.name for line in plot.lines()] == ["AlexNet", "VGG-16"]
    pick(plot, "plot_output", "sigma · top")
    assert plot.describe(5)[:2] == ["VGG-16", "share = 0.2"]
    again = show(masked())
    again.restore(plot.state())
    assert again.describe(5) == plot.describe(5)


def test_that_values_stand_side_by_side_with_scales_of_their_own(show: Show) -> None:
    plot = show(masked())
    pick(plot, "plot_value", "All 2 side by side")
    assert [tile.columns for tile in plot._tiles] == [("accuracy",), ("score",)]
    first, second = (tile.panel.view.viewRange()[1] for tile in plot._tiles)
    assert first[0] > second[0]
    pick(plot, "plot_output", "All 4 side by side")
    assert len(plot._tiles) == 8
