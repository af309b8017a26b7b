"""The contract checks that run an analysis: numbers, what is left behind, cancel; see `contract_checks`."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import numpy as np

from sensiview.analysis.contract import Analysis
from sensiview.analysis.contract_scene import (
    Deliberate,
    Scene,
    Watched,
    demand,
    demand_equal,
    demand_equal_results,
)
from sensiview.analysis.item_plain import from_plain, to_plain
from sensiview.analysis.items import Curve, FieldMap, ImageSeries, IndexTable, Item, Matrix, Note
from sensiview.analysis.result import Result
from sensiview.errors import Stopped

# On two shared cores.
EXAMPLE_S = 20.0
_SMALL_BATCH, _LARGE_BATCH = 16, 50
_SNAKE = "abcdefghijklmnopqrstuvwxyz0123456789_"


def check_example_runs_in_seconds(analysis: Analysis[Any]) -> None:
    """The example is small."""
    scene = Scene(analysis)
    began = time.monotonic()
    result = scene.run()
    spent = time.monotonic() - began
    demand(len(result) > 0, "the example gives no items")
    demand(spent <= EXAMPLE_S, f"the example takes {spent:.0f} s; {EXAMPLE_S:.0f} s are allowed")


def check_items_have_axes_and_units(analysis: Analysis[Any]) -> None:
    """Names in snake_case, a title and a description, and a unit for every axis and value column."""
    for name, item in Scene(analysis).run().items():
        demand(set(name) <= set(_SNAKE) and name[:1].isalpha(), f"the item's name '{name}' is not snake_case")
        demand(bool(item.title.strip()), f"'{name}' has no title")
        if not isinstance(item, Note):
            demand(bool(item.description.strip()), f"'{name}' does not describe how to read it")
        _check_axes(name, item)


def _check_axes(name: str, item: Item) -> None:
    if isinstance(item, IndexTable | Curve):
        columns = set(item.frame.columns)
        if isinstance(item, IndexTable):
            used, need, intervals = {*item.keys, *item.values}, set(item.values), item.intervals
            outside = [
                mark for mark in item.remarks if not 0 <= mark.row < len(item.frame) or mark.column not in columns
            ]
            demand(not outside, f"'{name}' remarks on rows or columns that it has not: {outside}")
        else:
            used, need, intervals = {item.x, *item.y, *item.series}, {item.x, *item.y}, item.bands
        bounds = {part for one in intervals.values() for part in (one.half, one.low, one.high) if part}
        lacking = sorted(({*used, *intervals} | bounds) - columns)
        demand(not lacking, f"'{name}' names columns that it has not: {lacking}")
        unnamed = sorted(need - set(item.units))
        demand(not unnamed, f"'{name}' has no unit for {unnamed} (an empty one where a number has none)")
    elif isinstance(item, Matrix):
        demand(item.values.shape == (len(item.rows), len(item.columns)), f"'{name}' has other labels than values")
        demand(bool(item.row_axis and item.column_axis and item.value_name), f"'{name}' does not name its axes")
    elif isinstance(item, FieldMap):
        demand(len(item.axes) == item.values.ndim, f"'{name}' must name {item.values.ndim} axes")
        for axis, labels in item.coordinates.items():
            fits = axis in item.axes and len(labels) == item.values.shape[item.axes.index(axis)]
            demand(fits, f"'{name}' has labels that don't fit its axis '{axis}'")
    elif isinstance(item, ImageSeries):
        demand(item.values.ndim == 4, f"'{name}' must be (frame, y, x, channel)")
        demand(len(item.labels) == len(item.values), f"'{name}' must have one label per frame")


def check_items_can_be_written_and_read(analysis: Analysis[Any]) -> None:
    """Items come back equal from plain values, facts are JSON."""
    result = Scene(analysis).run()
    json.dumps(dict(result.facts), allow_nan=False)
    for name, item in result.items():
        again = from_plain(json.loads(json.dumps(to_plain(item), allow_nan=False)))
        demand_equal(name, item, again, "after writing and reading it", tolerance=0.0)


def check_cost_fits_what_is_evaluated(analysis: Analysis[Any]) -> None:
    """What cost() announces is within a tenth of what the run counts, and what it counts is what it says live."""
    scene = Scene(analysis)
    announced = analysis.cost(scene.study, scene.example.parameters).evaluations
    counted = scene.run().evaluations
    demand(
        abs(announced - counted) <= max(0.1 * counted, 2),
        f"cost() announces {announced} evaluations, the run counts {counted}",
    )


def check_same_seed_gives_the_same_numbers(analysis: Analysis[Any]) -> None:
    """Two runs are equal to the last bit, whatever the global random states are."""
    import torch

    def run(state: int) -> Result:
        torch.manual_seed(state)
        np.random.seed(state)
        random.seed(state)
        return Scene(analysis, batch_size=_LARGE_BATCH).run()

    demand_equal_results(run(1), run(2), "in a second run with the same seed", tolerance=0.0)


def check_batch_size_does_not_change_the_numbers(analysis: Analysis[Any]) -> None:
    """Small batches and large ones agree to a millionth."""
    small, large = (Scene(analysis, batch_size=size).run() for size in (_SMALL_BATCH, _LARGE_BATCH))
    demand_equal_results(small, large, "with another batch size", tolerance=1e-6)


def check_everything_is_as_before_after_a_run(analysis: Analysis[Any]) -> None:
    """Weights, gradients, hooks, flags, grad mode and random states."""
    scene = Scene(analysis, batch_size=_LARGE_BATCH)
    before = scene.state()
    scene.run()
    scene.demand_unchanged(before, "after a run")


def check_everything_is_as_before_after_a_cancel(analysis: Analysis[Any]) -> None:
    """The same after `Stopped` came out of the first and of a later advance."""
    for at in (1, 3):
        scene = Scene(analysis, batch_size=_SMALL_BATCH)
        before = scene.state()
        run_until(scene, at, Stopped)
        scene.demand_unchanged(before, "after a cancel")


def check_everything_is_as_before_after_an_error(analysis: Analysis[Any]) -> None:
    """The same after an error of whoever listens, and after one inside the network."""
    scene = Scene(analysis, batch_size=_SMALL_BATCH)
    before = scene.state()
    run_until(scene, 2, Deliberate)
    scene.demand_unchanged(before, "after an error")
    if not analysis.needs_model:
        return
    scene = Scene(analysis, batch_size=_SMALL_BATCH)
    forwards: list[int] = []

    def break_down() -> None:
        forwards.append(1)
        if len(forwards) == 2:
            raise Deliberate("the network is broken")

    scene.on_forward = break_down
    before = scene.state()
    try:
        scene.run()
    except Exception:  # noqa: BLE001 - it may be wrapped into a sentence; swallowed it must not be
        scene.demand_unchanged(before, "after an error inside the network")
    else:
        demand(len(forwards) < 2, "an error inside the network is swallowed")


def check_cancel_is_obeyed_within_one_batch(analysis: Analysis[Any]) -> None:
    """Advances come with every batch, `Stopped` is not swallowed, and nothing is evaluated after it."""
    scene = Scene(analysis, batch_size=_SMALL_BATCH)
    seen: list[int] = []
    scene.run(Watched(lambda word: seen.append(scene.rows)))
    # A few rows besides the batch: shapes are traced, batch sizes probed.
    most = int(np.diff([0, *seen, scene.rows]).max(initial=0))
    demand(most <= 2 * _SMALL_BATCH, f"{most} rows are evaluated without a word, with batches of {_SMALL_BATCH}")
    for at in (1, 2):
        stopped = Scene(analysis, batch_size=_SMALL_BATCH)
        rows_then = run_until(stopped, at, Stopped)
        further = stopped.rows - rows_then
        demand(further == 0, f"{further} more rows are evaluated after a cancel")


def run_until(scene: Scene, at: int, error: type[Exception]) -> int:
    """Run and raise at the `at`-th advance and at every word after it; return the rows evaluated by then.

    A run with fewer advances is left to end; one without any can't be cancelled and is refused.
    """
    advances = 0
    rows_then: list[int] = []

    def stop(word: str) -> None:
        nonlocal advances
        advances += word == "advance"
        if advances >= at:
            rows_then.append(scene.rows)
            raise error

    try:
        scene.run(Watched(stop))
    except error:
        return rows_then[0]
    demand(advances > 0, "advance() is never called: a cancel can't be obeyed")
    demand(not rows_then, f"{error.__name__} raised by advance() is swallowed")
    return scene.rows
