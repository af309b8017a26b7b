"""Points, scatter, histograms, pixels and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QSlider
from sample_items import accuracies, every_kind, mask, note, screening, snapshots, volume

from sensiview.analysis.items import FieldMap, IndexTable, Item
from sensiview.datasets.statistics import Histogram
from sensiview.errors import SensiViewError
from sensiview.gui.plots import plot_for
from sensiview.gui.plots.histograms import Histograms, HistogramsPlot
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.pixels import PixelsPlot
from sensiview.gui.themes import apply_theme

pytestmark = pytest.mark.usefixtures("qapp")
Show = Callable[[Item], ItemPlot]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    made: list[ItemPlot] = []

    def make(item: Item) -> ItemPlot:
        plot = HistogramsPlot(item) if isinstance(item, Histograms) else plot_for(item)
        assert plot is not None
        plot.resize(600, 480)
        plot.show()
        qapp.processEvents()
        made.append(plot)
        return plot

    yield make
    for plot in made:
        plot.close()
        plot.deleteLater()


def test_that_each_repetition_is_a_dot_with_mean_and_spread_of_its_group(show: Show) -> None:
    plot = show(accuracies())
    assert plot.count() == 12
    assert plot.describe(0) == ["all, seed 1", "train = 0.81", "mean 0.82, standard deviation 0.01"]
    assert plot.nearest(plot.place(0).center()) == 0


def test_that_a_scatter_reads_both_values(show: Show) -> None:
    plot = show(screening())
    assert plot.describe(0) == ["Glucose", "μ* = 0.3", "σ = 0.1"]
    assert [plot.nearest(plot.place(k).center()) for k in range(3)] == [0, 1, 2]


def test_that_a_pixel_reads_where_it_is_and_its_value(show: Show) -> None:
    plot = show(volume())
    assert plot.count() == 12
    assert plot.describe(5) == ["block first, x 1, y 1", "5 probability"]
    assert plot.nearest(plot.place(5).center()) == 5


def test_that_the_first_row_of_an_image_is_on_top(show: Show) -> None:
    plot = show(volume())
    assert plot.place(0).top() < plot.place(4).top()


def test_that_a_slider_goes_through_the_other_axes_and_comes_back(show: Show) -> None:
    plot = show(volume())
    slider = plot.findChild(QSlider, "plot_axis_block")
    assert slider is not None
    slider.setValue(1)
    assert plot.describe(0) == ["block second, x 0, y 0", "12 probability"]
    again = show(volume())
    again.restore(plot.state())
    assert again.describe(0) == plot.describe(0)


def test_that_a_volume_opens_in_its_middle(show: Show) -> None:
    slider = show(mask()).findChild(QSlider, "plot_axis_z")
    assert slider is not None
    assert slider.value() == 1


def test_that_pictures_keep_their_colours(show: Show) -> None:
    plot = show(snapshots())
    assert isinstance(plot, PixelsPlot)
    assert plot._coloured()[0, 0].tolist() == [0, 7, 14]
    assert plot.describe(0)[0] == "frame a, x 0, y 0"


def test_that_values_that_are_not_finite_do_not_break_an_image(show: Show) -> None:
    values = np.full((2, 2), np.nan)
    plot = show(FieldMap(title="Nothing", values=values, axes=("y", "x")))
    assert plot.describe(0)[1] == "–"


def test_that_a_note_is_read_whole_by_a_screen_reader_and_copied_as_text(show: Show, qapp: QApplication) -> None:
    plot = show(note())
    assert plot.canvas.accessibleDescription() == note().text
    plot.copy()
    assert qapp.clipboard().text() == note().text


def test_that_histograms_read_rows_and_shares_of_each_class(show: Show) -> None:
    edges, counts = np.array([-0.5, 0.5, 1.5, 2.5]), {"no": np.array([2, 0, 0]), "yes": np.array([0, 1, 1])}
    item = Histograms(title="Histograms", columns=(Histogram("visits", edges, counts),), classes=("no", "yes"))
    plot = show(item)
    assert plot.describe(1) == ["visits from 0.5 to 1.5", "no: 0 rows (0.0 %)", "yes: 1 rows (50.0 %)"]
    assert plot.nearest(plot.place(1).center()) == 1
    assert item.to_frame()["count"].tolist() == [2, 0, 0, 0, 1, 1]


def test_that_many_histograms_are_on_pages(show: Show) -> None:
    counts = {"all": np.array([1, 4, 2])}
    columns = tuple(Histogram(f"x{k}", np.array([0.0, 1.0, 2.0, 3.0]), counts) for k in range(30))
    plot = show(Histograms(title="Histograms", columns=columns, classes=("all",)))
    pages = plot.findChild(QComboBox, "plot_page")
    assert pages is not None
    assert [pages.itemText(k) for k in range(pages.count())] == ["1 to 12 of 30", "13 to 24 of 30", "25 to 30 of 30"]
    pages.setCurrentIndex(2)
    assert plot.describe(1) == ["x24 from 1 to 2", "4 rows"]


def test_that_a_table_that_is_not_drawn_has_no_plot() -> None:
    from dataclasses import replace

    assert plot_for(replace(screening(), plot="none")) is None


def test_that_an_unknown_kind_is_refused_with_a_sentence() -> None:
    class Other(Item):
        kind = "other"

    with pytest.raises(SensiViewError, match="no view"):
        plot_for(Other(title="x"))


def test_that_tables_without_keys_for_a_panel_are_drawn(show: Show) -> None:
    import pandas as pd

    item = IndexTable(
        title="Variance", frame=pd.DataFrame({"component": [1, 2], "explained_variance": [0.6, 0.4]}),
        keys=("component",), values=("explained_variance",),
    )  # fmt: skip
    assert show(item).describe(0) == ["1", "explained variance = 0.6"]


@pytest.mark.parametrize("kind", sorted(every_kind()))
def test_that_a_plot_lives_through_many_newer_values_themes_and_choices(
    kind: str, show: Show, qapp: QApplication
) -> None:
    # Drawings are thrown away and made anew all the time: Qt must neither warn nor crash, and nothing may pile up.
    plot = show(every_kind()[kind])  # type: ignore[arg-type]
    counts = []
    for turn in range(12):
        apply_theme(qapp, "dark" if turn % 2 else "light")
        plot.set_item(every_kind()[kind])  # type: ignore[arg-type]
        for combo in plot.findChildren(QComboBox):
            if combo.objectName() and combo.count():
                combo.setCurrentIndex(turn % combo.count())
        if plot.count():
            plot.canvas.moved.emit(plot.place(turn % plot.count()).center())
        qapp.processEvents()
        counts.append(len(plot.canvas.scene().items()))
    apply_theme(qapp, "light")
    assert max(counts[6:]) <= max(counts[:6])
