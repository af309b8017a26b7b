"""Volumes larger than memory: labels stay away, the 3-D pane says how far it is reduced, nothing old is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sensiview.datasets.atlas import Atlas
from sensiview.datasets.volume import Grid, Volume
from sensiview.errors import DataError
from sensiview.gui.viewer.panels.opening import fitted_atlas, judging_grid
from sensiview.gui.viewer.scene import DisplayGrid
from sensiview.gui.volume_loading import fitting_atlas

pytestmark = pytest.mark.needs_display
EDGE = 1000


def atlas() -> Atlas:
    labels = np.ones((10, 10, 10), np.int32)
    return Atlas(labels, np.diag([20.0, 20.0, 20.0, 1.0]), {1: "all"}, name="cube", source="memory")


def huge() -> Volume:
    # Nothing is allocated for it.
    return Volume(np.broadcast_to(np.int16(7), (EDGE,) * 3), np.diag([0.2, 0.2, 0.2, 1.0]), name="huge")


def test_that_an_atlas_is_judged_on_few_voxels_that_lie_where_those_of_the_grid_do() -> None:
    grid = Grid((EDGE, EDGE, 500), np.diag([0.2, 0.2, 0.4, 1.0]))
    judged, step = judging_grid(grid)
    assert step > 1
    assert np.prod(judged.shape) <= 20_000_000 * 1.05
    assert np.allclose(judged.affine @ [3, 4, 5, 1], grid.affine @ [3 * step, 4 * step, 5 * step, 1])
    small = Grid((64, 64, 64), np.eye(4))
    assert judging_grid(small) == (small, 1)


def test_that_labels_which_do_not_fit_into_memory_are_refused_with_the_way_out() -> None:
    grid = DisplayGrid((EDGE,) * 3, (0.2, 0.2, 0.2), (0.0, 0.0, 0.0))
    with pytest.raises(DataError, match=r"1,000 x 1,000 x 1,000 voxels would not fit into memory.*Resample"):
        fitted_atlas(atlas(), grid, None)


def test_that_no_atlas_is_looked_for_over_a_huge_volume_unasked() -> None:
    assert fitting_atlas(None, huge()) == (None, None)


@pytest.fixture
def viewer(napari_ready: bool, make_viewer: Callable[..., Any]) -> Any:
    """Return a viewer on napari; skipped without OpenGL."""
    if not napari_ready:
        pytest.skip("no OpenGL here: run under xvfb-run")
    return make_viewer("napari")


def solid(edge: int, spacing: float, name: str) -> Volume:
    values = np.zeros((edge,) * 3, np.int16)
    values[edge // 4 : -edge // 4, edge // 4 : -edge // 4, edge // 4 : -edge // 4] = 500
    return Volume(values, np.diag([spacing, spacing, spacing, 1.0]), name=name)


def test_that_the_3d_pane_says_how_far_it_is_reduced(viewer: Any, wait_until: Any) -> None:
    viewer.show_volume(solid(160, 1.0, "fine"))
    wait_until(lambda: viewer.pane_3d.is_loaded and viewer.pane_3d.seen is not None, 60)
    assert viewer.pane_3d._bricks[0].values.shape == (80, 80, 80)
    assert viewer.pane_3d.caption == "reduced to 2 mm"
    viewer.show_volume(solid(60, 3.0, "coarse"))
    wait_until(lambda: viewer.pane_3d.is_loaded and viewer.pane_3d.seen is not None, 60)
    assert viewer.pane_3d.caption == ""


def test_that_the_volume_before_is_not_seen_while_the_next_one_is_read(viewer: Any, wait_until: Any) -> None:
    viewer.show_volume(solid(60, 3.0, "first"))
    wait_until(lambda: viewer.pane_3d.is_loaded and viewer.pane_3d.seen is not None, 60)
    viewer.scene.set_look("volume", high=300.0)
    assert viewer.pane_3d.seen is not None
    viewer.show_volume(solid(64, 3.0, "second"))
    assert viewer.pane_3d.seen is None
    wait_until(lambda: viewer.pane_3d.seen is not None, 60)
    assert viewer.pane_3d._bricks[0].values.shape == (64, 64, 64)


def test_that_the_3d_picture_grows_with_its_pane(viewer: Any, wait_until: Any, settle: Any) -> None:
    viewer.show_volume(solid(60, 3.0, "first"))
    wait_until(lambda: viewer.pane_3d.is_loaded and viewer.pane_3d.seen is not None, 60)
    before, height = viewer.pane_3d.seen.camera_state["zoom"], viewer.pane_3d.height()
    viewer.set_enlarged("3d")
    settle(0.2)
    grown = min(viewer.pane_3d.width(), viewer.pane_3d.height()) / min(height, viewer.pane_3d.width())
    assert viewer.pane_3d.seen.camera_state["zoom"] > 1.5 * before
    assert grown > 1.5
