"""Parts of images as outlines, and bars of studies of which all panels are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from sample_screenings import image_screening

from sensiview.analysis.items import FieldMap, IndexTable, Item
from sensiview.gui.item_view import ItemView
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.plots.image_maps import ImageMapPlot
from sensiview.gui.plots.screening_parts_plot import PartsPlot

pytestmark = pytest.mark.needs_display
Show = Callable[..., ItemView]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    views: list[ItemView] = []

    def make(item: Item, beside: Mapping[str, Item] | None = None) -> ItemView:
        view = ItemView(item, beside=lambda: beside or {})
        view.resize(900, 640)
        view.show()
        views.append(view)
        for _ in range(3):
            QApplication.processEvents()
        return view

    yield make
    for view in views:
        view.close()
        view.deleteLater()


def test_that_parts_are_outlined_over_every_image_and_read_by_their_names(show: Show) -> None:
    items = image_screening(4, 32)
    plot = show(items["parts"], items).plot
    assert isinstance(plot, PartsPlot)
    assert [picture._caption for picture in plot._pictures] == ["a.png", "b.png"]
    assert plot.count() == 2 * 16
    place = plot._pictures[1].place(6).center()
    QTest.mouseMove(plot.canvas.viewport(), plot.canvas.mapFromScene(place))
    QApplication.processEvents()
    plot.canvas.moved.emit(place)
    assert plot._pictures[1].lit() == 6
    assert plot._pictures[0].lit() == 0
    assert plot.describe_current().split("  ·  ") == [
        "b.png, row 2, column 2", "64 pixels, 6.2 % of the image", "sum of its values 500, sampled from 0 to 1000"
    ]  # fmt: skip


def test_that_arrow_keys_go_from_part_to_part_and_one_image_can_be_chosen(show: Show) -> None:
    items = image_screening(4, 32)
    view = show(items["parts"], items)
    plot = view.plot
    assert isinstance(plot, PartsPlot)
    combo = view.findChild(QComboBox, "plot_image")
    assert combo is not None
    combo.setCurrentIndex(combo.findText("b.png"))
    plot.canvas.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(plot.canvas, key)
    assert len(plot._pictures) == 1
    assert plot._pictures[0].lit() == 2
    assert plot.describe_current().startswith("b.png, row 1, column 2")


def test_that_every_image_has_the_outlines_of_its_own_parts(show: Show) -> None:
    items = dict(image_screening(2, 8))
    labels = np.ones((2, 8, 8), dtype=np.int32)
    labels[0, :, 4:], labels[1, 4:] = 2, 2
    items["parts"] = FieldMap(
        title="Parts", values=labels, axes=("image", "y", "x"), unit="part", coordinates={"image": ("a.png", "b.png")}
    )
    plot = show(items["parts"], items).plot
    assert isinstance(plot, PartsPlot)
    first, second = (picture.place(2) for picture in plot._pictures)
    assert first.height() > 1.5 * first.width()
    assert second.width() > 1.5 * second.height()


def test_that_parts_without_images_below_are_outlined_and_channels_stay_maps(show: Show) -> None:
    items = image_screening(2, 8)
    plot = show(items["parts"], {"parts": items["parts"]}).plot
    assert isinstance(plot, PartsPlot)
    assert plot.count() == 0
    assert len(plot._pictures) == 1
    channels = FieldMap(
        title="Parts", values=np.ones((3, 8, 8), dtype=np.int32), axes=("channel", "y", "x"), unit="part",
        coordinates={"channel": ("red", "green", "blue")},
    )  # fmt: skip
    assert isinstance(show(channels).plot, ImageMapPlot)


def test_that_bars_of_several_measures_are_all_seen_at_first(show: Show) -> None:
    rows = [(m, r, 0.1 * k) for k, m in enumerate(("mu_star", "sigma", "mu_star + sigma")) for r in ("VGG", "ResNet")]
    frame = pd.DataFrame(rows, columns=["measure", "run", "overlap"])
    plot = show(IndexTable(title="Overlap", frame=frame, keys=("measure", "run"), values=("overlap",))).plot
    assert isinstance(plot, BarsPlot)
    assert len(plot._panels) == 3
    assert plot.count() == 6
