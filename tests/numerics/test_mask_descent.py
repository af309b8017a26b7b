"""Seeking a mask: where it ends, that nothing but the inputs decides it, and that it goes on where it was stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.numerics.mask_descent import MaskDescent, Schedule
from sensiview.numerics.mask_example import SHAPE, example_network, example_volumes, planted
from sensiview.numerics.mask_fills import Fill
from sensiview.numerics.mask_grid import MaskGrid
from sensiview.numerics.mask_problem import MaskProblem, falling
from sensiview.numerics.mask_rows import MaskRows
from sensiview.numerics.mask_run import MaskRun
from sensiview.numerics.mask_terms import Weights

WEIGHTS = Weights(30.0, 3.0)


def problem(
    *, shared: bool = True, batch_size: int = 8, subjects: tuple[int, ...] = (0, 1, 2), **more: Any
) -> MaskProblem:
    from sensiview.numerics.volume_inputs import VolumeInputs

    inputs = VolumeInputs(example_network(), example_volumes())
    rows = MaskRows(inputs, subjects, Fill.parse(more.pop("fill", "one")), shared=shared)
    targets = inputs.targets("true", list(subjects))
    return MaskProblem(
        inputs, rows, targets, rows.seen, more.pop("score", "log_odds"), batch_size=batch_size, enough=0.01, **more
    )


def descend(made: MaskProblem, schedule: Schedule, factor: float = 2.0, weights: Weights = WEIGHTS) -> MaskDescent:
    grids = [MaskGrid(SHAPE, [factor * 2**k] * 3) for k in range(schedule.coarse_levels, -1, -1)]
    descent = MaskDescent(made, range(len(made)), grids, weights, schedule)
    with made.inputs.differentiating():
        descent.run()
    return descent


@pytest.mark.parametrize("score", ["log_odds", "logit", "probability"])
@pytest.mark.parametrize("fill", ["one", 0.9])
def test_that_the_mask_lies_where_something_was_lost(score: str, fill: Any) -> None:
    weight = {"log_odds": 100.0, "logit": 60.0, "probability": 0.3}[score]
    made = problem(score=score, fill=fill)
    descent = descend(made, Schedule(steps=150, tolerance=0.0), factor=1.0, weights=Weights(weight, weight / 10))
    cover = descent.best[0].numpy() * made._region[0]
    assert cover[planted()].sum() > 0.9 * cover.sum()
    assert descent.after.max() < 0.5


def test_that_the_steps_are_those_of_adam_put_back_between_0_and_1() -> None:
    made = problem()
    descent = descend(made, Schedule(steps=12, tolerance=0.0), factor=1.0)
    cover = torch.zeros(1, *SHAPE, requires_grad=True)
    optimiser = torch.optim.Adam([cover], lr=0.1)
    region = torch.from_numpy(made._region)
    rows, fill = made.rows.batch([0, 1, 2])
    n = region.sum()
    objectives = []
    for _ in range(13):
        shown = cover * region
        output = made.inputs.forward(rows + shown[:, None] * (fill - rows), made.rows.grid, like=rows)
        score = falling(output[:, 0] - output[:, 1], 0.01).mean()
        steps = 0
        for axis in (1, 2, 3):
            both = region.narrow(axis, 1, region.shape[axis] - 1) & region.narrow(axis, 0, region.shape[axis] - 1)
            steps = steps + (shown.diff(dim=axis).abs() ** 3 * both).sum()
        objective = score + 30 * shown.sum() / n + 3 * steps / n
        objectives.append(float(objective.detach()))
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        with torch.no_grad():
            cover.clamp_(0, 1)
    assert np.allclose(descent.trace[0, :, 0], objectives, rtol=2e-5)


def test_that_the_mask_kept_is_that_of_the_lowest_objective() -> None:
    descent = descend(problem(), Schedule(steps=60, tolerance=0.0, learning_rate=0.9))
    objective = descent.trace[0, :, 0]
    assert descent.best_step[0] == np.nanargmin(objective)
    assert objective == pytest.approx(descent.trace[0, :, 1] + descent.trace[0, :, 3] + descent.trace[0, :, 4])


def test_that_masks_of_single_subjects_do_not_know_of_each_other() -> None:
    schedule = Schedule(steps=25, tolerance=1e-2)
    together = MaskRun(problem(shared=False), [MaskGrid(SHAPE, [2.0] * 3)], [WEIGHTS], schedule)
    with together.problem.inputs.differentiating():
        together.run()
    for subject in range(3):
        alone = descend(problem(shared=False, subjects=(subject,)), schedule)
        assert np.allclose(together.done[0].cover[subject], alone.best[0].numpy(), atol=1e-5)
        assert together.done[0].best_step[subject] == alone.best_step[0]


def test_that_the_batch_size_does_not_change_a_group_s_mask() -> None:
    schedule = Schedule(steps=25, tolerance=0.0)
    large, small = (descend(problem(batch_size=size), schedule) for size in (8, 2))
    assert np.allclose(large.trace, small.trace, rtol=1e-4)
    assert torch.allclose(large.best, small.best, atol=1e-4)


def test_that_a_mask_without_progress_ends_early() -> None:
    descent = descend(problem(), Schedule(steps=2000, tolerance=1e-3))
    assert descent.step < 1000
    assert np.isnan(descent.trace[0, descent.step :]).all()


def test_that_coarser_grids_first_end_on_the_grid_of_the_result() -> None:
    descent = descend(problem(), Schedule(steps=60, tolerance=0.0, coarse_levels=1, coarse_steps=20), factor=1.0)
    assert descent.best.shape == (1, *SHAPE)
    assert descent.best_step[0] >= 20
    assert descent.after.max() < 0.1


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("stop_at", [1, 7, 30])
def test_that_a_run_that_was_stopped_ends_with_the_same_numbers(shared: bool, stop_at: int) -> None:
    cells = [WEIGHTS, Weights(10.0, 1.0)]
    schedule = Schedule(steps=12, tolerance=0.0)
    grids = [MaskGrid(SHAPE, [2.0] * 3)]

    def run(earlier: Any = None, stop: int = 0) -> MaskRun:
        made = MaskRun(problem(shared=shared, batch_size=2), grids, cells, schedule, warm_start=True)
        if earlier is not None:
            made.restore(*earlier)
        steps = 0

        def count(_: MaskRun) -> None:
            nonlocal steps
            steps += 1
            if steps == stop:
                raise Stopped

        with made.problem.inputs.differentiating():
            if stop:
                with pytest.raises(Stopped):
                    made.run(after_step=count)
            else:
                made.run()
        return made

    whole, first = run(), run(stop=min(stop_at, 20))
    resumed = run(first.state())
    for one, other in zip(whole.done, resumed.done, strict=True):
        assert np.array_equal(one.cover, other.cover)
        assert np.array_equal(one.trace, other.trace, equal_nan=True)
        assert np.array_equal(one.after, other.after)


def test_that_the_state_of_other_subjects_is_refused() -> None:
    schedule = Schedule(steps=3, tolerance=0.0)
    grids = [MaskGrid(SHAPE, [2.0] * 3)]
    made = MaskRun(problem(), grids, [WEIGHTS], schedule)
    with made.problem.inputs.differentiating():
        made.run()
    other = MaskRun(problem(subjects=(0, 1)), grids, [WEIGHTS], schedule)
    with pytest.raises(UserError, match="other subjects or settings"):
        other.restore(*made.state())


def test_that_a_batch_that_does_not_fit_into_memory_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    made = problem(warn=said.append)
    whole = made.inputs.forward

    def narrow(rows: torch.Tensor, *arguments: Any, **more: Any) -> torch.Tensor:
        if len(rows) > 1:
            raise MemoryError
        return whole(rows, *arguments, **more)

    monkeypatch.setattr(made.inputs, "forward", narrow)
    descent = descend(made, Schedule(steps=5, tolerance=0.0))
    assert descent.step == 6
    assert made.batch_size == 1
    assert said


def test_that_the_probabilities_without_a_mask_come_out_when_a_batch_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = problem().plain([0, 1, 2])
    made = problem()
    whole, counted = made.inputs.forward, []

    def narrow(rows: torch.Tensor, *arguments: Any, **more: Any) -> torch.Tensor:
        if len(rows) > 2:
            raise MemoryError
        counted.append(len(rows))
        return whole(rows, *arguments, **more)

    monkeypatch.setattr(made.inputs, "forward", narrow)
    np.testing.assert_allclose(made.plain([0, 1, 2]), wanted, atol=1e-6)
    assert (sum(counted), made.evaluations) == (3, 3)  # nothing is computed twice

    def none(*_: Any, **__: Any) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(made.inputs, "forward", none)
    with pytest.raises(ModelError, match="does not fit into the memory"):
        made.plain([0, 1, 2])


def test_that_log_odds_stop_to_matter_once_the_class_is_gone() -> None:
    high, low = falling(torch.tensor([12.0, 10.0]), 0.01), falling(torch.tensor([-12.0, -14.0]), 0.01)
    assert float(high[0] - high[1]) == pytest.approx(2.0, abs=1e-4)
    assert float(low[0] - low[1]) < 1e-3
    assert torch.equal(falling(torch.tensor([-3.0]), 0.0), torch.tensor([-3.0]))
