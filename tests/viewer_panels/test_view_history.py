"""Undo and redo of what the user changed in a viewer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sensiview.gui.viewer.scene import Measurement, Scene
from sensiview.gui.viewer.view_history import ViewHistory

pytestmark = pytest.mark.needs_display


class Clock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(scene: Scene, clock: Clock) -> ViewHistory:
    return ViewHistory(scene, clock=clock)


def test_that_a_look_is_taken_back_and_made_again(history: ViewHistory, scene: Scene) -> None:
    scene.set_look("gcam", threshold=2.5)
    assert history.undo_text() == "look of Grad-CAM"
    history.undo()
    assert scene.layer("gcam").look.threshold == 1.0
    assert history.undo_text() == ""
    assert history.redo_text() == "look of Grad-CAM"
    history.redo()
    assert scene.layer("gcam").look.threshold == 2.5


def test_that_a_drag_is_one_step_and_a_pause_begins_another(history: ViewHistory, scene: Scene, clock: Clock) -> None:
    for n in range(10):
        scene.set_look("gcam", opacity=0.1 + n / 20)
        clock.now += 0.1
    clock.now += 5
    scene.set_look("gcam", opacity=0.9)
    history.undo()
    assert scene.layer("gcam").look.opacity == pytest.approx(0.55)
    history.undo()
    assert scene.layer("gcam").look.opacity == 0.8
    assert history.undo_text() == ""


def test_that_order_removal_cursor_options_and_measurements_come_back(
    history: ViewHistory, scene: Scene, clock: Clock
) -> None:
    start = scene.cursor
    steps: list[Any] = [
        lambda: scene.move_layer("gcam", 0), lambda: scene.remove_layer("gcam"),
        lambda: scene.set_cursor((1.0, 1.0, 1.5)), lambda: scene.set_options(radiological=False),
        lambda: scene.add_measurement(Measurement("length", ((0, 0, 0), (3, 4, 0)), 2)),
    ]  # fmt: skip
    for step in steps:
        clock.now += 2
        step()
    history.undo()
    assert scene.measurements == ()
    history.undo()
    assert scene.options.radiological
    history.undo()
    assert scene.cursor == start
    history.undo()
    assert [layer.key for layer in scene.layers] == ["gcam", "t1", "aal"]
    history.undo()
    assert [layer.key for layer in scene.layers] == ["t1", "gcam", "aal"]
    for _ in steps:
        history.redo()
    assert [layer.key for layer in scene.layers] == ["t1", "aal"]
    assert len(scene.measurements) == 1
    assert not scene.options.radiological


def test_that_a_new_change_forgets_what_could_be_redone(history: ViewHistory, scene: Scene) -> None:
    scene.set_look("gcam", opacity=0.5)
    history.undo()
    scene.set_look("gcam", opacity=0.6)
    assert history.redo_text() == ""
    history.redo()
    assert scene.layer("gcam").look.opacity == 0.6


def test_that_another_case_begins_a_new_history(history: ViewHistory, scene: Scene) -> None:
    scene.set_look("gcam", opacity=0.5)
    other = tuple(replace(layer, array=np.array(layer.array)) for layer in scene.layers)
    scene.show(scene.grid, other, title="sub-02")
    assert history.undo_text() == ""
    history.undo()
    assert scene.layers == other


def test_that_the_history_has_an_end(history: ViewHistory, scene: Scene, clock: Clock) -> None:
    for n in range(300):
        clock.now += 2
        scene.set_look("gcam", opacity=(n % 100) / 100)
    taken = 0
    while history.undo_text():
        history.undo()
        taken += 1
    assert taken == 200
