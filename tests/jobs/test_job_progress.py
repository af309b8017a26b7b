"""What leaves a running job: not too much, and always the last word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.items import Curve, FieldMap
from sensiview.analysis.progress import Checkpoint
from sensiview.errors import Stopped
from sensiview.jobs.events import Advanced, Checkpointed, Event, Previewed, StageBegan, Warned
from sensiview.jobs.progress import JobProgress


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A progress with everything it says and keeps."""

    def __init__(self, restored: Checkpoint | None = None) -> None:
        self.clock = Clock()
        self.said: list[tuple[float, Event]] = []
        self.kept: list[Checkpoint] = []
        self.noted: list[Event] = []
        self.stop = False
        self.write_seconds = 0.0
        self.progress = JobProgress(
            "r",
            lambda event: self.said.append((self.clock.now, event)),
            lambda: self.stop,
            keep=self.keep,
            restored=restored,
            note=self.noted.append,
            memory=lambda: (7, 3),
            clock=self.clock,
        )

    def keep(self, state: Checkpoint) -> None:
        self.clock.now += self.write_seconds
        self.kept.append(state)

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for _, event in self.said if isinstance(event, kind)]


def line(n: int) -> Curve:
    return Curve(title="t", frame=pd.DataFrame({"x": np.arange(n), "y": np.arange(n)}), x="x", y=("y",))


def test_that_no_second_has_more_than_twenty_events() -> None:
    desk = Desk()
    rng = np.random.default_rng(1)
    for i in range(5000):
        if rng.random() < 0.05:
            desk.progress.stage(f"stage {i}", total=100)
        desk.progress.advance(1)
        desk.progress.preview("a", line(3))
        desk.progress.preview("b", line(3))
        desk.clock.now += 0.002
    times = np.array([time for time, _ in desk.said])
    assert max(int(((times >= start) & (times < start + 1.0)).sum()) for start in times) <= 20
    assert {type(event) for _, event in desk.said} == {StageBegan, Advanced, Previewed}
    assert desk.progress.evaluations == 5000


def test_that_the_last_advance_of_a_stage_is_always_said() -> None:
    desk = Desk()
    desk.progress.stage("one", total=10)
    for _ in range(10):
        desk.clock.now += 0.001
        desk.progress.advance(1)
    desk.clock.now += 0.3
    desk.progress.stage("two", total=5)
    desk.progress.advance(5)
    desk.progress.finish()
    heard = [(event.done, event.total, event.evaluations) for event in desk.events(Advanced)]  # type: ignore[attr-defined]
    assert heard == [(10, 10, 10), (5, 5, 15)]


def test_that_a_stage_too_short_to_be_seen_is_noted_and_left_out() -> None:
    desk = Desk()
    for name in ("one", "two", "three"):
        desk.progress.stage(name)
        desk.progress.advance(1)
    desk.clock.now += 1.0
    desk.progress.advance(1)
    assert [event.name for event in desk.events(StageBegan)] == ["one", "three"]  # type: ignore[attr-defined]
    assert [event.name for event in desk.noted] == ["one", "two", "three"]  # type: ignore[attr-defined]


def test_that_speed_and_time_left_follow_the_work() -> None:
    desk = Desk()
    desk.progress.stage("work", total=1000)
    for _ in range(50):
        desk.clock.now += 0.1
        desk.progress.advance(10)
    last = desk.events(Advanced)[-1]
    assert isinstance(last, Advanced)
    assert last.per_second == pytest.approx(100, rel=0.05)
    assert last.seconds_left == pytest.approx((1000 - last.done) / 100, rel=0.05)
    assert (last.memory, last.device_memory) == (7, 3)
    for _ in range(100):
        desk.clock.now += 0.1
        desk.progress.advance(1)
    slower = desk.events(Advanced)[-1]
    assert isinstance(slower, Advanced)
    assert slower.per_second == pytest.approx(10, rel=0.5)
    desk.progress.finish()
    assert desk.progress.rows_per_second == pytest.approx(600 / 15)


def test_that_an_unknown_total_gives_no_time_left() -> None:
    desk = Desk()
    desk.progress.stage("work")
    desk.clock.now += 1
    desk.progress.advance(5)
    last = desk.events(Advanced)[-1]
    assert isinstance(last, Advanced)
    assert last.total is None
    assert last.seconds_left is None


def test_that_a_warning_is_said_once_and_a_flood_is_cut_off() -> None:
    desk = Desk()
    for _ in range(3):
        desk.progress.warn("The batch size was halved.")
    assert [event.sentence for event in desk.events(Warned)] == ["The batch size was halved."]  # type: ignore[attr-defined]
    for i in range(1000):
        desk.progress.warn(f"warning {i}")
    assert len(desk.events(Warned)) == 51
    assert "left out" in desk.progress.warnings[-1]


def test_that_a_preview_too_big_to_be_live_is_dropped() -> None:
    desk = Desk()
    desk.progress.preview("map", FieldMap(title="t", values=np.zeros((1000, 1000)), axes=("y", "x")))
    desk.progress.preview("line", line(200_000))
    desk.progress.preview("small", line(2))
    assert [event.name for event in desk.events(Previewed)] == ["small"]  # type: ignore[attr-defined]


def test_that_the_newest_preview_wins() -> None:
    desk = Desk()
    desk.progress.preview("line", line(1))
    for n in (2, 3, 4):
        desk.progress.preview("line", line(n))
    desk.clock.now += 1
    desk.progress.advance(0)
    rows = [event.item["frame"]["table"]["rows"] for event in desk.events(Previewed)]  # type: ignore[attr-defined]
    assert rows == [1, 4]


@pytest.mark.parametrize("call", ["stage", "advance", "warn", "preview", "checkpoint"])
def test_that_every_call_obeys_a_cancel(call: str) -> None:
    desk = Desk()
    desk.stop = True
    arguments = {
        "stage": ("x",),
        "advance": (1,),
        "warn": ("x",),
        "preview": ("x", line(1)),
        "checkpoint": (Checkpoint({}),),
    }
    with pytest.raises(Stopped):
        getattr(desk.progress, call)(*arguments[call])


def test_that_a_checkpoint_offered_at_the_moment_of_a_cancel_is_kept() -> None:
    desk = Desk()
    desk.stop = True
    with pytest.raises(Stopped):
        desk.progress.checkpoint(Checkpoint({}, {"done": 1}))
    assert [state.values["done"] for state in desk.kept] == [1]


def test_that_checkpoints_cost_a_tenth_of_the_time_and_the_last_one_is_kept_as_it_was() -> None:
    desk = Desk()
    desk.write_seconds = 0.5
    y = np.zeros(10)
    began = desk.clock.now
    for i in range(2000):
        y[0] = i
        desk.progress.checkpoint(Checkpoint({"y": y}, {"done": i}))
        y[0] = -1  # the analysis goes on in the same array
        desk.progress.advance(1)
        desk.clock.now += 0.01
    assert 2 <= len(desk.kept) * desk.write_seconds <= 0.12 * (desk.clock.now - began)
    desk.progress.finish()
    assert desk.kept[-1].values == {"done": 1999}
    assert desk.kept[-1].arrays["y"][0] == 1999
    assert len(desk.events(Checkpointed)) == len(desk.kept)


def test_that_the_restored_state_is_handed_on() -> None:
    state = Checkpoint({"y": np.zeros(2)})
    assert Desk(state).progress.restored() is state
    assert Desk().progress.restored() is None
