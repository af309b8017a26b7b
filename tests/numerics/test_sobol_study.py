"""Stages, stop rules, resuming and extending."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from reference_functions import ISHIGAMI, ishigami

from sensiview.errors import Stopped, UserError
from sensiview.numerics.distributions import Factor
from sensiview.numerics.input_space import InputSpace
from sensiview.numerics.sobol_study import SobolStudy, StudyPlan, StudyState, study_cost

SPACE = InputSpace(tuple("abc"), tuple(Factor(name) for name in "abc"))


class Model:
    """Ishigami in float32, counting what it is asked; rounding depends on the number of rows asked at once."""

    def __init__(self) -> None:
        self.rows = 0
        self.calls = 0

    def __call__(self, rows: Any) -> Any:
        self.rows += len(rows)
        self.calls += 1
        return ((ishigami(rows) + 1e-7 * len(rows))[:, None]).astype(np.float32)


def _plan(n: int, **other: Any) -> StudyPlan:
    return StudyPlan(SPACE, n, **{"second_order": False, "seed": 3, "resamples": 20, **other})


def _study(n: int, model: Model | None = None, **other: Any) -> SobolStudy:
    callbacks = {k: other.pop(k) for k in ("on_stage", "keep", "begin", "tick", "clock", "rows_per_call") if k in other}
    return SobolStudy(_plan(n, **other), model or Model(), ["y"], **callbacks)


def _through_json(state: StudyState) -> StudyState:
    return StudyState({k: v.copy() for k, v in state.arrays.items()}, json.loads(json.dumps(state.values)))


def test_that_stages_double_and_every_row_is_evaluated_once() -> None:
    model, seen, begun = Model(), [], []
    outcome = _study(
        1024, model, on_stage=lambda stages: seen.append(stages[-1].n), begin=lambda *a: begun.append(a)
    ).run()
    assert seen == [s.n for s in outcome.stages] == [128, 256, 512, 1024]
    assert model.rows == outcome.evaluations == 1024 * 5
    assert begun == [(128, 640), (256, 640), (512, 1280), (1024, 2560)]
    assert outcome.reason == "n"


def test_that_the_model_s_dtype_is_kept() -> None:
    study = _study(128)
    study.run()
    assert study.evaluations.dtype == np.float32


def test_that_each_stage_is_what_a_study_that_ends_there_gives() -> None:
    long, short = _study(512).run(), _study(256).run()
    np.testing.assert_array_equal(long.stages[1].first.value, short.indices.first.value)
    np.testing.assert_array_equal(long.stages[1].total.conf, short.indices.total.conf)


@pytest.mark.parametrize("first_n", [16, 64, 128, 512])
def test_that_an_extended_study_re_uses_every_evaluation_and_ends_with_the_very_same_numbers(first_n: int) -> None:
    first = _study(first_n)
    first.run()
    model = Model()
    extended = _study(1024, model)
    extended.restore(_through_json(first.state()))
    outcome, whole = extended.run(), _study(1024).run()
    assert model.rows == outcome.evaluations == (1024 - first_n) * 5
    for one, other in zip(outcome.stages, whole.stages, strict=True):
        np.testing.assert_array_equal(one.first.value, other.first.value)
        np.testing.assert_array_equal(one.total.conf, other.total.conf)


def test_that_a_study_cut_off_anywhere_goes_on_with_the_very_same_numbers() -> None:
    whole = _study(2048).run()
    kept: list[StudyState] = []

    class Interrupted(Model):
        def __call__(self, rows: Any) -> Any:
            if self.calls == 7:
                raise Stopped
            return super().__call__(rows)

    study = _study(2048, Interrupted(), keep=lambda state: kept.append(_through_json(state)))
    with pytest.raises(Stopped):
        study.run()
    for state in (kept[-1], _through_json(study.state())):
        resumed = _study(2048)
        resumed.restore(state)
        np.testing.assert_array_equal(resumed.run().indices.first.value, whole.indices.first.value)


def test_that_a_smaller_n_takes_the_prefix_and_evaluates_nothing() -> None:
    first = _study(512)
    first.run()
    model = Model()
    shorter = _study(128, model)
    shorter.restore(first.state())
    np.testing.assert_array_equal(shorter.run().indices.first.value, _study(128).run().indices.first.value)
    assert model.rows == 0


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"second_order": True}, "Second-order indices need other evaluations"),
        ({"seed": 4}, "another seed"),
        ({"space": InputSpace(tuple("abc"), (Factor("a", high=2.0), Factor("b"), Factor("c")))}, "other factors"),
        ({"space": InputSpace(SPACE.columns, SPACE.factors, {}, ("g", "g", "c"))}, "other factors, ranges or groups"),
    ],
)
def test_that_a_state_of_another_design_is_refused(other: dict[str, Any], sentence: str) -> None:
    first = _study(128)
    first.run()
    plan = StudyPlan(**{"space": SPACE, "n": 256, "second_order": False, "seed": 3, **other})
    with pytest.raises(UserError, match=sentence):
        SobolStudy(plan, Model(), ["y"]).restore(first.state())


def test_that_a_state_of_other_outputs_or_with_parts_missing_is_refused() -> None:
    first = _study(256)
    first.run()
    with pytest.raises(UserError, match="other outputs"):
        SobolStudy(_plan(256), Model(), ["z"]).restore(first.state())
    state = first.state()
    with pytest.raises(UserError, match="incomplete"):
        _study(256).restore(StudyState({"values_00": state.arrays["values_00"]}, state.values))
    with pytest.raises(UserError, match="another version"):
        _study(256).restore(StudyState({}, {}))


def test_that_other_resamples_and_confidence_need_no_new_evaluation() -> None:
    first = _study(128)
    first.run()
    model = Model()
    again = _study(128, model, resamples=50, confidence=0.5)
    again.restore(first.state())
    assert again.run().indices.first.conf[0, 0] > 0
    assert model.rows == 0


def test_that_a_width_ends_the_study_at_the_first_stage_narrow_enough() -> None:
    outcome = _study(2**14, stop_width=0.06).run()
    assert outcome.reason == "width"
    assert outcome.indices.width() <= 0.06 < outcome.stages[-2].width()


class Clock:
    """Stands still until a model moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_that_time_ends_the_study_before_a_stage_that_would_last_too_long() -> None:
    clock = Clock()

    class Slow(Model):
        def __call__(self, rows: Any) -> Any:
            clock.now += len(rows) / 5  # a second per base point
            return super().__call__(rows)

    model = Slow()
    outcome = _study(2**14, model, max_seconds=600, clock=clock).run()
    assert outcome.reason == "time"
    assert outcome.indices.n == 512  # the next ends at 1024 s
    assert model.rows == 512 * 5


def test_that_one_stage_is_computed_however_short_the_time() -> None:
    clock = Clock()

    class Slow(Model):
        def __call__(self, rows: Any) -> Any:
            clock.now += 1000
            return super().__call__(rows)

    assert _study(2**14, Slow(), max_seconds=1, clock=clock).run().indices.n == 128


def test_that_time_ends_a_stage_that_became_slow_and_keeps_what_it_evaluated() -> None:
    clock, kept = Clock(), []

    class SlowLater(Model):
        def __call__(self, rows: Any) -> Any:
            clock.now += 0.001 if self.rows < 2048 * 5 else 400
            return super().__call__(rows)

    def keep(state: StudyState) -> None:
        kept.append(state.values["n"])

    study = _study(2**14, SlowLater(), max_seconds=100, clock=clock, keep=keep, rows_per_call=5 * 512)
    outcome = study.run()
    assert outcome.reason == "time"
    assert outcome.indices.n == 2048
    assert kept[-1] == study.evaluations.n == 2560


def test_that_a_state_is_offered_after_every_stage_and_every_ten_seconds() -> None:
    clock, kept = Clock(), []

    class Slow(Model):
        def __call__(self, rows: Any) -> Any:
            clock.now += 6
            return super().__call__(rows)

    study = _study(
        2**17, Slow(), clock=clock, keep=lambda s: kept.append((clock.now, s.values["n"])), second_order=True
    )
    study.run()
    assert {n for _, n in kept} >= {2**k for k in range(7, 18)}
    times = [0.0, *(t for t, _ in kept)]
    assert max(np.diff(times)) <= 12


def test_that_groups_and_fixed_columns_reach_the_model() -> None:
    seen: list[Any] = []

    def model(rows: Any) -> Any:
        seen.append(rows)
        return rows[:, :1] + rows[:, 2:3]

    space = InputSpace(("a", "b", "c", "d"), tuple(Factor(n) for n in "acd"), {"b": 7.0}, ("g", "g", "d"))
    outcome = SobolStudy(StudyPlan(space, 1024, second_order=True), model, ["y"]).run()
    assert space.labels == ("g", "d")
    assert (np.concatenate(seen)[:, 1] == 7.0).all()
    np.testing.assert_allclose(outcome.indices.first.value, [[1.0, 0.0]], atol=0.01)


def test_that_the_cost_is_what_is_evaluated_and_kept() -> None:
    evaluations, peak, seconds = study_cost(
        1024, 1024, groups=3, columns=3, outputs=1, second_order=False, resamples=20
    )
    assert evaluations == _study(1024).run().evaluations
    assert peak > 4 * 1024 * 5
    assert seconds > 0


def test_that_a_model_with_the_wrong_shape_is_not_taken() -> None:
    with pytest.raises(ValueError, match="expected answers of shape"):
        SobolStudy(_plan(128), lambda rows: np.zeros((len(rows), 2)), ["y"]).run()


def test_that_the_indices_of_ishigami_come_out() -> None:
    found = _study(8192).run().indices
    np.testing.assert_allclose(found.first.value[0], ISHIGAMI.first, atol=0.01)
    np.testing.assert_allclose(found.total.value[0], ISHIGAMI.total, atol=0.01)
