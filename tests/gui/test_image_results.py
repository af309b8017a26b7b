"""Views of images: maps over their image, grids, films, depth profiles; what they read, keep and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QSlider, QWidget

from sensiview.analysis.items import INPUT_VALUE, Curve, FieldMap, ImageSeries, IndexTable, Item, Matrix
from sensiview.gui import themes
from sensiview.gui.item_view import ItemView
from sensiview.gui.plots import plot_for
from sensiview.gui.plots.canvas import TextLine
from sensiview.gui.plots.drawing import draw_item
from sensiview.gui.plots.image_depth import DepthProfilePlot
from sensiview.gui.plots.image_film import FilmPlot
from sensiview.gui.plots.image_maps import ImageMapPlot
from sensiview.gui.plots.image_pictures import PicturesPlot
from sensiview.gui.plots.image_scales import power_text, scale_exponent
from sensiview.gui.plots.image_tile import best_columns
from sensiview.reporting.anatomy import Anatomy

pytestmark = pytest.mark.needs_display
Show = Callable[..., ItemView]
BLOCKS, COLOURS, TARGETS = ("block1", "block5"), ("red", "green", "blue"), ("cat", "dog", "ship")


def block_maps() -> FieldMap:
    """Two images, two blocks a hundred times apart, three colours, 4 x 6 pixels; values count the elements."""
    values = np.arange(2 * 2 * 3 * 24, dtype=np.float32).reshape(2, 2, 3, 4, 6)
    values[:, 1] *= 0.0001
    coordinates = {"image": ("a.png", "b.png"), "block": BLOCKS, "channel": COLOURS}
    return FieldMap(
        title="Map", values=values, axes=("image", "block", "channel", "y", "x"), unit="change", coordinates=coordinates
    )


def seen() -> ImageSeries:
    """The two images: one black, one white."""
    values = np.zeros((2, 4, 6, 3), dtype=np.uint8)
    values[1] = 255
    return ImageSeries(title="Input", values=values, labels=("a.png", "b.png"), axis="image")


def class_map() -> FieldMap:
    """One signed map per image."""
    values = np.zeros((2, 4, 6), dtype=np.float32)
    values[:, 1, 2], values[:, 3, 5] = 2.0, -1.0
    return FieldMap(
        title="Gradient", values=values, axes=("image", "y", "x"), signed=True, unit="score",
        coordinates={"image": ("a.png", "b.png")},
    )  # fmt: skip


def found_pictures(steps: int = 0) -> FieldMap:
    """Starts x targets ([x steps]) of colour pictures of 4 x 4."""
    shape = (2, 3, *((steps,) if steps else ()), 3, 4, 4)
    values = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    axes = ("image", "target", *(("step",) if steps else ()), "channel", "y", "x")
    labels = {"image": ("deer", "frog"), "target": TARGETS, "channel": COLOURS}
    if steps:
        labels["step"] = tuple(str(10 * k) for k in range(steps))
    return FieldMap(title="Found", values=values, axes=axes, unit=INPUT_VALUE, coordinates=labels)


def trace() -> Curve:
    """Activation over 31 steps of every start and target."""
    rows = [(i, t, s, float(s)) for i in ("deer", "frog") for t in TARGETS for s in range(31)]
    frame = pd.DataFrame(rows, columns=["image", "target", "step", "activation"])
    return Curve(title="Trace", frame=frame, x="step", y=("activation",), series=("image", "target"))


def reached() -> Matrix:
    """What each start reached for each target."""
    values = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])
    return Matrix(title="Cross", values=values, rows=("deer", "frog"), columns=TARGETS)


def profile() -> IndexTable:
    """Five blocks, sensitivity falling by a factor of ten each."""
    mean = 10.0 ** -np.arange(5)
    frame = pd.DataFrame({
        "block": [f"block{k}" for k in range(1, 6)], "mean": mean, "max": 3 * mean, "std": 0.1 * mean,
        "relative": mean / 2,
    })  # fmt: skip
    return IndexTable(title="Depth", frame=frame, keys=("block",), values=("mean", "max"), units={"mean": "change"})


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Show]:
    views: list[ItemView] = []

    def make(item: Item, beside: Mapping[str, Item] | None = None, size: tuple[int, int] = (900, 640)) -> ItemView:
        view = ItemView(item, beside=lambda: beside or {})
        view.resize(*size)
        view.show()
        views.append(view)
        QApplication.processEvents()
        return view

    yield make
    for view in views:
        view.close()
        view.deleteLater()


def choose(view: QWidget, name: str, text: str) -> None:
    combo = view.findChild(QComboBox, name)
    assert combo is not None
    assert combo.findText(text) >= 0, [combo.itemText(k) for k in range(combo.count())]
    combo.setCurrentIndex(combo.findText(text))
    QApplication.processEvents()


def map_plot(view: ItemView) -> ImageMapPlot:
    assert isinstance(view.plot, ImageMapPlot)
    return view.plot


def colour_at(plot: ImageMapPlot | PicturesPlot | FilmPlot, place: QPointF) -> tuple[int, int, int]:
    picture = plot.canvas.viewport().grab().toImage()
    at = plot.canvas.mapFromScene(place)
    colour = picture.pixelColor(at)
    return colour.red(), colour.green(), colour.blue()


def test_that_items_on_pixels_find_their_views(qapp: QApplication) -> None:
    wanted: list[tuple[Item, type[QWidget]]] = [
        (block_maps(), ImageMapPlot), (class_map(), ImageMapPlot), (seen(), PicturesPlot),
        (found_pictures(), PicturesPlot), (found_pictures(4), FilmPlot), (profile(), DepthProfilePlot),
    ]  # fmt: skip
    for item, kind in wanted:
        plot = plot_for(item)
        assert type(plot) is kind
        plot.deleteLater()


def test_that_blocks_and_colours_span_a_strip_with_the_power_of_ten_of_each_row(show: Show) -> None:
    plot = map_plot(show(block_maps(), {"input": seen()}))
    grid = plot._grid
    assert (grid.row_names, grid.column_names) == (BLOCKS, COLOURS)
    assert len(grid.tiles) == 6
    assert [bar._label for bar in grid._bars] == ["", "× 10⁻²"]
    assert grid.tiles[0].caption == "max 23"
    assert plot.describe(0) == ["a.png, block1, red, x 0, y 0", "0 change", "image 0 0 0"]
    last = plot.count() - 1
    assert plot.describe(last)[0] == "a.png, block5, blue, x 5, y 3"
    assert plot.nearest(plot.place(last).center()) == last
    for k in (0, 30, 100):
        assert plot.nearest(plot.place(k).center()) == k


def test_that_the_overview_of_a_grid_of_masks_shows_every_cell_with_its_weights(show: Show) -> None:
    values = np.zeros((4, 6, 18, 3), np.float32)
    labels = tuple(f"λ₁ {one}, λ₂ {two}" for one in (10, 100) for two in (1, 10))
    plot = show(ImageSeries(title="Masks by weights", values=values, labels=labels, axis="cell")).plot
    assert isinstance(plot, PicturesPlot)
    assert plot._captions == list(labels)


def test_that_one_image_one_block_or_all_of_them_can_be_chosen(show: Show) -> None:
    view = show(block_maps(), {"input": seen()})
    choose(view, "plot_axis_image", "b.png")
    choose(view, "plot_axis_block", "block5")
    plot = map_plot(view)
    assert len(plot._grid.tiles) == 3
    assert plot.describe(0)[0] == "b.png, block5, red, x 0, y 0"
    assert plot.describe(0)[2] == "image 255 255 255"
    choose(view, "plot_axis_channel", "green")
    assert len(plot._grid.tiles) == 1
    assert plot.describe(7) == ["b.png, block5, green, x 1, y 1", "0.0247 change", "image 255 255 255"]


def test_that_the_cursor_of_one_map_is_in_all_of_them(show: Show) -> None:
    view = show(block_maps())
    plot = map_plot(view)
    for pixel in (20, 8):  # the first movement may only enter the window
        QTest.mouseMove(plot.canvas.viewport(), plot.canvas.mapFromScene(plot.place(pixel).center()))
        QApplication.processEvents()
    assert plot._grid._cursor == (0, 1, 2)
    assert "x 2, y 1" in plot.describe_current()
    plot.canvas.setFocus()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert "x 3, y 1" in plot.describe_current()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Down)
    assert plot._grid._cursor == (0, 2, 3)


def test_that_a_map_over_its_image_lets_it_through_by_opacity_and_threshold(show: Show) -> None:
    view = show(class_map(), {"input": seen()})
    plot = map_plot(view)
    black = plot._grid.tiles[0].picture
    white = plot._grid.tiles[1].picture
    assert black[0, 0].tolist() == [0, 0, 0]
    assert white[0, 0].tolist() == [255, 255, 255]
    assert black[1, 2].max() > 0
    opacity, threshold = view.findChild(QSlider, "plot_opacity"), view.findChild(QSlider, "plot_threshold")
    assert opacity is not None
    assert threshold is not None
    assert opacity.accessibleName() == "Opacity"
    opacity.setValue(100)
    full = plot._grid.tiles[0].picture[1, 2].astype(int)
    assert (full >= black[1, 2]).all()
    assert full.sum() > black[1, 2].sum()
    threshold.setValue(75)
    assert plot._grid.tiles[0].picture[3, 5].tolist() == [0, 0, 0]  # half of the scale: below the threshold
    assert plot._grid.tiles[0].picture[1, 2].tolist() == full.tolist()
    choose(view, "plot_below", "image only")
    assert not plot._grid.tiles[0].picture.any()
    assert not opacity.isEnabled()


def test_that_signed_maps_have_zero_in_the_middle_of_their_colours(show: Show) -> None:
    plot = map_plot(show(class_map()))
    (bar,) = plot._grid._bars
    assert bar._limits == (-2.0, 2.0)
    middle = themes.theme()
    assert plot._grid.tiles[0].picture[0, 0].tolist() == np.asarray(bar._table[128]).tolist(), middle.name


def test_that_cells_are_drawn_on_the_pixels_they_cover(show: Show) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    item = FieldMap(title="Cells", values=values, axes=("y", "x"), spacing=(2.0, 2.0))
    image = ImageSeries(title="I", values=np.zeros((1, 4, 5, 3), np.uint8), labels=("a",), axis="image")
    plot = map_plot(show(item, {"input": image}))
    assert plot._flat[0].shape == (4, 5)
    assert plot.describe(4) == ["x 4, y 0", "2", "image 0 0 0"]
    assert plot.describe(19)[1] == "5"
    pixels = FieldMap(title="Pixels", values=np.arange(24, dtype=np.float32).reshape(4, 6), axes=("y", "x"))
    view = show(pixels)
    choose(view, "plot_cells", "2 × 2")
    assert map_plot(view).describe(0)[1] == "3.5"


def test_that_two_maps_show_their_difference_beside_them(show: Show) -> None:
    view = show(class_map())
    choose(view, "plot_difference", "second − first")
    plot = map_plot(view)
    assert len(plot._grid.tiles) == 3
    assert plot.describe(plot.count() - 1) == ["difference, x 5, y 3", "0 score"]


def test_that_many_maps_of_one_axis_go_over_several_rows_with_their_names(show: Show) -> None:
    values = np.arange(5 * 24, dtype=np.float32).reshape(5, 4, 6)
    names = tuple(f"{k}.png" for k in range(5))
    item = FieldMap(title="Five", values=values, axes=("image", "y", "x"), coordinates={"image": names})
    plot = map_plot(show(item))
    assert len(plot._grid.tiles) == 5
    assert plot._grid.columns < 5
    assert plot._grid.tiles[4].caption == "4.png · max 119"
    for k in range(5):
        assert plot.describe(24 * k)[:2] == [f"{k}.png, x 0, y 0", str(24 * k)]
        assert plot.nearest(plot.place(24 * k).center()) == 24 * k


def test_that_scales_are_those_chosen(show: Show) -> None:
    view = show(block_maps())
    plot = map_plot(view)
    choose(view, "plot_scale", "same for all")
    assert len(plot._grid._bars) == 1
    assert plot._grid.tiles[5].picture.std() < plot._grid.tiles[0].picture.std()
    choose(view, "plot_scale", "own for each")
    assert plot._grid._bars[0]._label == "share of each map's scale"


def noisy_maps() -> FieldMap:
    """Two gradients of 40 x 40 pixels in 0 to 1, the second of half the size, each with one pixel of 100."""
    values = np.random.default_rng(0).random((2, 40, 40))
    values[1] *= 0.5
    values[:, 7, 9] = 100.0
    return FieldMap(
        title="Gradient", values=values, axes=("image", "y", "x"), unit="score",
        coordinates={"image": ("a.png", "b.png")},
    )  # fmt: skip


def test_that_one_bright_pixel_does_not_take_the_whole_scale(show: Show) -> None:
    item = noisy_maps()
    view = show(item)
    plot = map_plot(view)
    (bar,) = plot._grid._bars
    reach = np.percentile(item.values[0], 99.5, method="higher")
    assert bar._limits == (0.0, pytest.approx(reach))
    assert (bar._note, bar._beyond) == ("clipped at the 99.5th percentile", (False, True))
    # What is read and written below the maps stays the true value.
    assert plot.describe(7 * 40 + 9)[1] == "100 score"
    assert plot._grid.tiles[0].caption == "max 100"
    choose(view, "plot_scale", "own for each")
    assert [tile.caption for tile in plot._grid.tiles] == ["to 1", "to 0.5"]
    bar = plot._grid._bars[0]
    assert (bar._label, bar._note) == ("share of each map's scale", "clipped at the 99.5th percentile")
    choose(view, "plot_ends", "smallest to largest")
    bar = plot._grid._bars[0]
    assert (bar._label, bar._note) == ("share of each map's scale", "")
    choose(view, "plot_scale", "same for all")
    assert plot._grid._bars[0]._limits == (0.0, 100.0)
    assert (plot._grid._bars[0]._note, plot._grid._bars[0]._beyond) == ("", (False, False))


def test_that_what_lies_below_the_threshold_is_told_as_a_value_and_left_out_of_the_bar(show: Show) -> None:
    view = show(noisy_maps())
    plot = map_plot(view)
    plot.restore({**plot.state(), "threshold": 50, "ends": "whole"})
    told = [item._text for item in plot.canvas.scene().items() if isinstance(item, TextLine)]
    assert any("nothing drawn below 50 score" in text for text in told)
    assert plot._grid._bars[0]._hidden == 0.5
    bar = plot._grid._bars[0]
    middle = plot.canvas.mapFromScene(bar.mapToScene(QPointF(23, 0.75 * bar.size().height())))
    seen = plot.canvas.viewport().grab().toImage().pixelColor(middle)
    assert seen == QColor(plot.colours.panel)


def test_that_maps_of_different_kinds_have_scales_of_their_own(show: Show) -> None:
    values = np.stack([np.linspace(0, 1, 600).reshape(20, 30), np.linspace(0, 1, 600).reshape(20, 30) ** 8])
    item = FieldMap(
        title="Side by side", values=values, axes=("map", "y", "x"), coordinates={"map": ("Grad-CAM", "Saliency")}
    )
    plot = map_plot(show(item))
    assert plot.chosen("scale") == "each"
    assert plot._grid._bars[0]._note == "clipped at the 99.5th percentile"


def test_that_long_column_names_stand_upright_instead_of_being_cut(show: Show) -> None:
    values = np.random.default_rng(0).random((9, 9, 6, 6))
    names = tuple(f"a long name {k}" for k in range(9))
    item = FieldMap(
        title="Many", values=values, axes=("image", "map", "y", "x"), coordinates={"image": names, "map": names}
    )
    wide = map_plot(show(item, size=(1900, 1500)))._grid
    narrow = map_plot(show(item, size=(620, 500)))._grid
    assert narrow._above > wide._above + 30
    assert narrow._bars[0].y() == 0


def test_that_zoom_moves_all_maps_and_resets(show: Show) -> None:
    plot = map_plot(show(block_maps()))
    plot.canvas.setFocus()
    whole = plot.place(0).width()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Plus)
    assert plot.place(9).width() == pytest.approx(1.25 * whole, rel=0.01)
    assert plot.nearest(plot.place(9).center()) == 9
    kept = plot.state()
    plot.reset_view()
    assert plot.place(9).width() == pytest.approx(whole)
    plot.restore(kept)
    assert plot.place(9).width() == pytest.approx(1.25 * whole, rel=0.01)


def test_that_values_that_are_not_finite_do_not_break_a_map(show: Show) -> None:
    plot = map_plot(show(FieldMap(title="Nothing", values=np.full((2, 2), np.nan), axes=("y", "x"))))
    assert plot.describe(0)[1] == "–"


def test_that_starts_and_targets_span_a_grid_with_what_was_reached(show: Show) -> None:
    view = show(found_pictures(), {"cross_activation": reached()})
    plot = view.plot
    assert isinstance(plot, PicturesPlot)
    assert (plot._grid.row_names, plot._grid.column_names) == (("deer", "frog"), TARGETS)
    assert [tile.caption for tile in plot._grid.tiles] == ["10", "20", "30", "40", "50", "60"]
    assert plot.describe(plot.count() - 1)[0] == "frog → ship, x 3, y 3"
    choose(view, "plot_axis_target", "dog")
    assert len(plot._grid.tiles) == 2
    assert plot.describe(0)[0] == "deer → dog, x 0, y 0"


def test_that_a_film_goes_through_its_steps_by_slider_keys_and_clicks(show: Show) -> None:
    view = show(found_pictures(4), {"trace": trace()})
    plot = view.plot
    assert isinstance(plot, FilmPlot)
    assert len(plot._large.tiles) == 3
    choose(view, "plot_axis_target", "dog")
    choose(view, "plot_axis_image", "frog")
    slider = view.findChild(QSlider, "plot_step")
    assert slider is not None
    assert slider.accessibleName() == "Step"
    assert slider.value() == 3
    assert plot._strip is not None
    assert [tile.caption for tile in plot._strip.tiles] == ["0", "10", "20", "30"]
    slider.setValue(1)
    assert plot._strip.tiles[1].chosen
    assert plot.describe_current() == "step 10  ·  activation 10"
    plot.canvas.setFocus()
    QTest.keyClick(plot.canvas, Qt.Key.Key_Right)
    assert slider.value() == 2
    first = plot._strip.mapToScene(plot._strip._boxes[0].center())
    at = plot.canvas.mapFromScene(first)
    QTest.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at.x(), at.y()))
    assert slider.value() == 0
    again = show(found_pictures(4), {"trace": trace()})
    again.restore(view.state())
    assert isinstance(again.plot, FilmPlot)
    assert again.plot.describe_current() == plot.describe_current()


def test_that_a_depth_profile_has_a_scale_of_powers_of_ten(show: Show) -> None:
    view = show(profile())
    plot = view.plot
    assert isinstance(plot, DepthProfilePlot)
    assert plot.count() == 10
    assert plot.describe(0) == ["block1", "mean = 1 change", "spread over the images 0.1"]
    assert plot.describe(9)[1].startswith("largest = 0.0003")
    heights = [plot.place(k).center().y() for k in range(5)]
    steps = np.diff(heights)
    np.testing.assert_allclose(steps, steps[0], rtol=0.02)
    assert steps[0] > 10
    for k in (0, 4, 7):
        assert plot.nearest(plot.place(k).center()) == k
    QTest.mouseMove(plot.canvas.viewport(), plot.canvas.mapFromScene(plot.place(2).center()))
    QApplication.processEvents()
    assert plot.describe_current().startswith("block3")
    choose(view, "plot_axis", "linear")
    first, second, third = (plot.place(k).center().y() for k in range(3))
    assert third - second == pytest.approx((second - first) / 10, rel=0.05)
    choose(view, "plot_value", "relative to the block's norm")
    assert plot.count() == 5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_that_grids_are_written_as_one_figure_over_their_images(tmp_path: Path, qapp: QApplication, theme: str) -> None:
    anatomy = Anatomy(None, {})
    anatomy.items = {"input": seen(), "cross_activation": reached(), "trace": trace()}
    for number, item in enumerate((block_maps(), class_map(), found_pictures(), found_pictures(4), profile())):
        for ending in ("png", "svg"):
            path = tmp_path / f"{number}.{ending}"
            assert draw_item(item, path, theme=theme, anatomy=anatomy)  # type: ignore[arg-type]
            assert path.stat().st_size > 1500
    picture = QImage(str(tmp_path / "1.png"))
    colours = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 9) for y in range(0, picture.height(), 9)
    }
    assert {"#000000", "#ffffff"} <= colours  # the black image and the white one lie below
    assert "block5" in (tmp_path / "0.svg").read_text(encoding="utf-8")


def test_that_a_film_on_paper_shows_the_way_of_every_target(tmp_path: Path, qapp: QApplication) -> None:
    path = tmp_path / "film.svg"
    assert draw_item(found_pictures(9), path)
    text = path.read_text(encoding="utf-8")
    for wanted in (*TARGETS, "step 0", "step 40", "step 80"):
        assert wanted in text, wanted


def test_that_paper_ends_below_the_last_row_of_tiles(tmp_path: Path, qapp: QApplication) -> None:
    row = FieldMap(
        title="Row", values=np.ones((3, 8, 8), np.float32), axes=("image", "y", "x"),
        coordinates={"image": tuple("abc")},
    )  # fmt: skip
    path = tmp_path / "row.png"
    assert draw_item(row, path, size=(900, 600))
    picture = QImage(str(path))
    assert picture.width() == 1800
    assert picture.height() < 1200
    white = QColor("#ffffff")
    lowest = max(
        y for y in range(picture.height()) if any(picture.pixelColor(x, y) != white for x in range(0, 1800, 5))
    )
    assert picture.height() - lowest < 120


def test_that_powers_are_written_as_in_captions() -> None:
    assert [power_text(scale_exponent(v)) for v in (5.0, 0.02, 0.9e-3, 2e4, 0.0)] == [
        "",
        "× 10⁻²",
        "× 10⁻⁴",
        "× 10⁴",
        "",
    ]


def test_that_pictures_fill_a_page_without_gaps_where_that_costs_little() -> None:
    assert [best_columns(n) for n in (1, 2, 3, 4, 10, 12)] == [1, 2, 3, 2, 5, 4]
