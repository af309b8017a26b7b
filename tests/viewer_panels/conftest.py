"""A small scene for the panels, and the guards of the window's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sensiview.gui
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look, Scene
from tests.gui.conftest import (
    nothing_blocks,
    nothing_fails_silently,
    nothing_left_behind,
    qapp,
    settle,
    wait_until,
)

__all__ = [
    "nothing_blocks", "nothing_fails_silently", "nothing_left_behind", "qapp", "settle", "wait_until",
]  # fmt: skip
assert sensiview.gui

GRID = DisplayGrid((20, 24, 16), (2.0, 2.0, 3.0), (-19.0, -23.0, -22.5))


def make_scene() -> Scene:
    """Return a scene of brain, signed map with two blobs, and an atlas of three regions."""
    rng = np.random.default_rng(0)
    brain = rng.integers(200, 900, GRID.shape).astype(np.int16)
    signed = np.zeros(GRID.shape, dtype=np.float32)
    signed[4:7, 5:8, 3:6] = 2.0
    signed[5, 6, 4] = 3.0
    signed[14:16, 16:18, 10:12] = -4.0
    signed[15, 17, 11] = -5.0
    labels = np.zeros(GRID.shape, dtype=np.int32)
    labels[3:8, 4:9, 2:7] = 1
    labels[13:17, 15:19, 9:13] = 2
    labels[9:11, 10:12, 7:9] = 7
    scene = Scene()
    scene.show(
        GRID,
        (
            Layer("t1", "brain T1", "underlay", brain, Look(low=200, high=900), value_range=(200.0, 899.0)),
            Layer(
                "gcam", "Grad-CAM", "overlay", signed,
                Look("blue_red", 0.0, 5.0, 0.8, threshold=1.0, signed=True), unit="logit", value_range=(-5.0, 3.0),
            ),
            Layer(
                "aal", "AAL", "atlas", labels, Look("labels", opacity=0.3),
                names={1: "Hippocampus_L", 2: "Amygdala_R", 7: "Thalamus_L"},
            ),
        ),
        title="sub-01",
        # Stored as LAS.
        to_file_voxel=np.array([[-0.5, 0, 0, 9.5], [0, 0.5, 0, 11.5], [0, 0, 1 / 3, 7.5], [0, 0, 0, 1.0]]),
    )  # fmt: skip
    return scene


@pytest.fixture
def scene(qapp: Any) -> Scene:
    """Return `make_scene()` once there is an application."""
    return make_scene()


@pytest.fixture
def shown(qapp: Any) -> Any:
    """Return a function that shows a widget at a size, and closes all at the end."""
    open_widgets: list[Any] = []

    def show(widget: Any, width: int = 340, height: int = 600) -> Any:
        widget.resize(width, height)
        widget.show()
        open_widgets.append(widget)
        qapp.processEvents()
        return widget

    yield show
    for widget in open_widgets:
        widget.close()
        widget.deleteLater()


Shown = Callable[..., Any]
