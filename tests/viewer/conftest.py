# ruff: noqa: F811 - fixtures of another file are arguments here
"""Fixtures of the viewer's tests: the application and checks of the GUI tests, and volumes of known geometry."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.gui.conftest import (  # noqa: F401 - fixtures
    nothing_blocks,
    nothing_fails_silently,
    nothing_left_behind,
    qapp,
    settle,
    wait_until,
)


@pytest.fixture(scope="session")
def napari_ready(qapp: Any) -> bool:
    """Say whether napari can draw here; imports it then."""
    from sensiview.gui.viewer import canvas_choice, napari_canvas

    if canvas_choice.opengl_problem():
        return False
    napari_canvas.prepare()
    return True


@pytest.fixture(params=["pyqtgraph", "napari"])
def canvas(request: pytest.FixtureRequest, napari_ready: bool) -> str:
    """Return each canvas in turn; the one that needs OpenGL is skipped without it."""
    if request.param == "napari" and not napari_ready:
        pytest.skip("no OpenGL here: run under xvfb-run")
    return str(request.param)


@pytest.fixture
def make_viewer(
    qapp: Any, settle: Callable[..., None], wait_until: Callable[..., None]
) -> Iterator[Callable[..., Any]]:
    """Return a function that shows a viewer of 900 x 760 on a canvas."""
    viewer_module = importlib.import_module("sensiview.gui.viewer.viewer")
    made = []

    def make(canvas: str = "pyqtgraph", size: tuple[int, int] = (900, 760)) -> Any:
        viewer = viewer_module.VolumeViewer(canvas=canvas)
        viewer.resize(*size)
        viewer.show()
        made.append(viewer)
        settle(0.05)
        wait_until(lambda: viewer.drawn_by == viewer.choice.kind, 60, "napari to take over")
        return viewer

    yield make
    from shiboken6 import Shiboken

    for viewer in made:
        if not Shiboken.isValid(viewer):
            continue
        viewer.dispose()
        viewer.close()
        viewer.deleteLater()
    from sensiview.gui.background import wait_for_background

    wait_for_background()
    settle(0.05)
