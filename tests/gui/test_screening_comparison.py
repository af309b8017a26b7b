"""Screenings of several networks side by side: images as one figure, volumes in two linked viewers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from sample_screenings import image_screening, volume_screening

from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import FieldMap, ImageSeries, Item
from sensiview.errors import UserError
from sensiview.gui.background import busy
from sensiview.gui.plots.screening_beside import ScreeningMapsPlot, side_by_side
from sensiview.gui.screening_comparison import ScreeningComparison, compare_screenings
from sensiview.importing import add_volumes

pytestmark = pytest.mark.needs_display


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Any:
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.session.jobs.paused = True
    return window


@pytest.fixture
def opened(window: Any) -> Iterator[list[ScreeningComparison]]:
    made: list[ScreeningComparison] = []
    yield made
    for view in made:
        view.close()


def add(window: Any, name: str, items: Mapping[str, Item], dataset: str = "") -> str:
    project = window.session.project
    run = project.new_run(analysis="morris", dataset=dataset or None, parameters={}, name=name, seed=1)
    write_items(items, project.run_directory(run.id))
    project.update_run(run.id, state="succeeded", items=list(items))
    window.session.entries_changed("run")
    return str(run.id)


def check(view: ScreeningComparison, row: int, *, on: bool) -> None:
    entry = view.runs.item(row)
    assert entry is not None
    entry.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def larger(items: Mapping[str, Item]) -> dict[str, Item]:
    """The same screening of images with twice the pixels, three times the effect, and another first image."""
    made = dict(items)
    for name in ("map_mu_star", "map_sigma"):
        old = items[name]
        assert isinstance(old, FieldMap)
        values = np.asarray(old.values)[::-1].repeat(2, -1).repeat(2, -2) * 3
        made[name] = FieldMap(
            title=old.title, values=values, axes=old.axes, unit=old.unit,
            coordinates={"image": old.coordinates["image"][::-1], "target": old.coordinates["target"]},
        )  # fmt: skip
    return made


def test_that_maps_of_networks_with_inputs_of_other_sizes_stand_on_one_grid_without_being_smoothed() -> None:
    items = image_screening(8, 32)
    item, below = side_by_side([("small", items), ("large", larger(items))], "dog")
    assert item.values.shape == (4, 2, 64, 64)
    assert item.coordinates["image"] == ("a.png μ*", "a.png σ", "b.png μ*", "b.png σ")
    assert item.coordinates["map"] == ("small", "large")
    small, large = item.values[0]
    np.testing.assert_allclose(large, 3 * small, rtol=1e-6)
    assert len(np.unique(small)) == 63  # as many as there are different cells
    assert below is not None
    assert below.values.shape == (4, 64, 64, 3)


def test_that_screenings_without_a_common_image_or_without_maps_are_told() -> None:
    items = image_screening()
    other = dict(items)
    for name in ("map_mu_star", "map_sigma"):
        old = items[name]
        assert isinstance(old, FieldMap)
        other[name] = FieldMap(
            title=old.title, values=old.values, axes=old.axes,
            coordinates={"image": ("x.png", "y.png"), "target": old.coordinates["target"]},
        )  # fmt: skip
    with pytest.raises(UserError, match="no image in common"):
        side_by_side([("one", items), ("two", other)])
    with pytest.raises(UserError, match="'two' holds no maps of images"):
        side_by_side([("one", items), ("two", {"screening": items["screening"]})])


def test_that_a_map_of_one_image_alone_is_compared_with_that_of_several() -> None:
    items = image_screening()
    single = dict(items)
    for name in ("map_mu_star", "map_sigma"):
        old = items[name]
        assert isinstance(old, FieldMap)
        single[name] = FieldMap(title=old.title, values=old.values[1, 0], axes=("y", "x"), over="b.png")
    item, _ = side_by_side([("all", items), ("one", single)], "cat")
    assert item.coordinates["image"] == ("b.png μ*", "b.png σ")
    np.testing.assert_array_equal(item.values[0, 0], item.values[0, 1])


def test_that_the_command_shows_checked_screenings_as_one_figure_that_is_written(
    window: Any, opened: list[ScreeningComparison], wait_until: Any, tmp_path: Path
) -> None:
    items = image_screening(8, 32)
    add(window, "net 2", items)
    add(window, "net 10", larger(items))
    view = compare_screenings(window.session)
    opened.append(view)
    assert [view.runs.item(row).text() for row in range(2)] == ["net 2", "net 10"]
    wait_until(lambda: isinstance(view.maps.content, ScreeningMapsPlot) and not busy(), 20)
    plot = view.maps.content
    assert isinstance(plot, ScreeningMapsPlot)
    assert plot._grid.column_names == ("net 2", "net 10")
    assert plot._grid.row_names == ("a.png μ*", "a.png σ", "b.png μ*", "b.png σ")
    assert len(plot._grid._bars) == 4, "one scale for each measure of each image"
    assert [view.output.itemText(k) for k in range(view.output.count())] == ["cat", "dog", "ship"]
    before = plot.describe(0)
    view.output.setCurrentIndex(2)
    view.output.activated.emit(2)
    assert plot.describe(plot.count() - 1)[1] != before
    plot.save(tmp_path / "figure.png")
    assert QImage(str(tmp_path / "figure.png")).width() > 300
    check(view, 1, on=False)
    wait_until(lambda: plot.item.coordinates["map"] == ("net 2",) and not busy(), 20)
    check(view, 0, on=False)
    wait_until(lambda: view.maps.currentWidget() is view.maps.sentence, 20)
    assert "Check the screenings" in view.maps.sentence.text()


def test_that_the_window_goes_with_the_project_and_the_button_is_where_there_are_maps(
    window: Any, wait_until: Any
) -> None:
    assert not window.action_set["compare_screenings"].isEnabled()
    run = add(window, "net", image_screening(4, 16))
    window.commands.open_entry("run", run)
    page = window.results.page(run)
    assert not page.header.buttons["compare_screenings"].isHidden()
    assert window.action_set["compare_screenings"].isEnabled()
    page.header.buttons["compare_screenings"].click()
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, ScreeningComparison)]
    assert len(found) == 1
    wait_until(lambda: isinstance(found[0].maps.content, ScreeningMapsPlot) and not busy(), 20)
    window.session.close_project()
    wait_until(lambda: not any(isinstance(w, ScreeningComparison) for w in QApplication.topLevelWidgets()), 5)


def test_that_two_screenings_of_volumes_stand_in_linked_viewers(
    window: Any, opened: list[ScreeningComparison], wait_until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")
    shape, affine = (8, 10, 12), np.diag([3.0, 3.0, 3.0, 1.0])
    (tmp_path / "in").mkdir()
    for name in ("s1", "s2"):
        image = nib.Nifti1Image(np.full(shape, 5, np.int16), affine)
        image.set_sform(affine, 1)
        nib.save(image, tmp_path / "in" / f"{name}.nii.gz")
    add_volumes(window.session.project, [tmp_path / "in"], name="heads")
    data = window.session.project.datasets()[0].id
    items = volume_screening(shape, affine, ("s1", "s2"))
    items["map_sigma"] = items["map_mu_star"]
    add(window, "first", items, data)
    add(window, "second", items, data)
    view = compare_screenings(window.session)
    opened.append(view)
    wait_until(lambda: view._pair is not None and view._pair.left.scene.title != "" and not busy(), 30)
    assert view._pair is not None
    assert view.maps.currentWidget() is view._pair
    assert [view.subject.itemText(k) for k in range(view.subject.count())] == ["s1", "s2"]
    view._pair.left.scene.set_cursor((9.0, 9.0, 9.0))
    assert view._pair.right.scene.cursor == (9.0, 9.0, 9.0)
    check(view, 1, on=False)
    wait_until(lambda: view.maps.currentWidget() is view.maps.sentence, 20)
    assert "Check two screenings of volumes" in view.maps.sentence.text()


def test_that_images_below_are_those_of_the_first_run_that_holds_them() -> None:
    items = image_screening()
    bare = {name: item for name, item in items.items() if name != "input"}
    _, below = side_by_side([("bare", bare), ("whole", items)], "cat")
    assert isinstance(below, ImageSeries)
    assert below.labels == ("a.png μ*", "a.png σ", "b.png μ*", "b.png σ")
    _, nothing = side_by_side([("bare", bare)], "cat")
    assert nothing is None
