"""Real worker processes: what kills them, and what the window hears of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import toy_analyses

from sensiview import locations
from sensiview.analysis.item_files import read_items
from sensiview.analysis.items import IndexTable
from sensiview.errors import SensiViewError
from sensiview.jobs import run_folder
from sensiview.jobs.checkpoints import has_checkpoint
from sensiview.jobs.events import (
    FINAL,
    Advanced,
    Checkpointed,
    Event,
    Failed,
    Started,
    StoppedByUser,
    Succeeded,
    Warned,
)  # fmt: skip
from sensiview.jobs.supervisor import Worker, reason
from sensiview.jobs.task import Task

COMMAND = [sys.executable, "-P", toy_analyses.__file__]


@pytest.fixture(scope="module")
def one_worker() -> Iterator[Worker]:
    """Starting a process takes seconds; it is started again only by the tests in which it dies."""
    worker = Worker(COMMAND)
    yield worker
    worker.kill()


@pytest.fixture
def worker(one_worker: Worker) -> Iterator[Worker]:
    yield one_worker
    one_worker.cancel("a")
    while one_worker.busy:
        list(one_worker.events(0.1))


def task_of(tmp_path: Path, run: str, analysis: str = "sum_of_draws", **parameters: Any) -> Task:
    return Task(kind="analysis", run=run, directory=tmp_path / run, analysis=analysis, parameters=parameters)


def follow(
    worker: Worker, until: Callable[[Event], bool] = lambda event: isinstance(event, FINAL), limit: float = 30.0
) -> list[Event]:
    """Events up to the first that fits."""
    heard: list[Event] = []
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        for event in worker.events(0.1):
            heard.append(event)
            if until(event):
                return heard
    raise AssertionError(f"nothing after {limit} s but {heard}")


def advanced(event: Event) -> bool:
    return isinstance(event, Advanced)


def test_that_jobs_run_one_after_the_other_in_the_same_process(worker: Worker, tmp_path: Path) -> None:
    processes = set()
    for run in ("a", "b"):
        worker.submit(task_of(tmp_path, run, n=5))
        events = follow(worker)
        assert isinstance(events[-1], Succeeded)
        assert list(read_items(tmp_path / run)) == ["total", "trace"]
        processes |= {event.process for event in events if isinstance(event, Started)}
    assert processes == {worker.process_id}
    assert worker.ready


def test_that_two_jobs_at_once_are_refused(worker: Worker, tmp_path: Path) -> None:
    worker.submit(task_of(tmp_path, "a", n=1000, pause=0.01))
    with pytest.raises(SensiViewError, match="'a' is still running"):
        worker.submit(task_of(tmp_path, "b"))


def test_that_listening_without_a_job_only_waits(worker: Worker) -> None:
    began = time.monotonic()
    assert list(worker.events(0.2)) == []
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "trouble, sentence",
    [
        ("kill", "ended by the system, most often because the computer's memory ran out"),
        ("segfault", "crashed in native code (SIGSEGV)"),
        ("abort", "crashed in native code (SIGABRT)"),
        ("terminate", "ended from outside (SIGTERM)"),
        ("exit", "ended unexpectedly (exit code 7)"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_a_process_that_dies_says_why_and_the_next_job_runs(
    worker: Worker, tmp_path: Path, trouble: str, sentence: str
) -> None:
    worker.submit(task_of(tmp_path, "a", "trouble", kind=trouble))
    events = follow(worker)
    final = events[-1]
    assert isinstance(final, Failed)
    assert sentence in final.sentence
    assert not final.user_error
    assert sum(isinstance(event, FINAL) for event in events) == 1
    if trouble == "segfault":
        assert "Segmentation fault" in final.details
        assert "toy_analyses.py" in final.details
    record = run_folder.read_record(tmp_path / "a")
    assert record["state"] == "failed"
    assert record["message"] == final.sentence
    assert not worker.alive
    worker.submit(task_of(tmp_path, "b", n=3))
    assert isinstance(follow(worker)[-1], Succeeded)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_that_a_killed_run_goes_on_from_its_checkpoint_to_the_same_numbers(worker: Worker, tmp_path: Path) -> None:
    worker.submit(task_of(tmp_path, "a", n=200, pause=0.01))
    follow(worker, lambda event: isinstance(event, Checkpointed))
    follow(worker, lambda event: isinstance(event, Checkpointed))
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGKILL)
    final = follow(worker)[-1]
    assert isinstance(final, Failed)
    assert "press Resume" in final.sentence
    assert has_checkpoint(tmp_path / "a")
    again = task_of(tmp_path, "a", n=200, pause=0.0).model_copy(update={"checkpoint": tmp_path / "a"})
    again.parameters["pause"] = 0.01
    worker.submit(again)
    assert isinstance(follow(worker)[-1], Succeeded)
    worker.submit(task_of(tmp_path, "whole", n=200))
    follow(worker)
    resumed, whole = (read_items(tmp_path / run)["total"] for run in ("a", "whole"))
    assert isinstance(resumed, IndexTable)
    assert isinstance(whole, IndexTable)
    assert resumed.frame["begun_at"][0] > 0
    assert resumed.frame["sum"][0] == whole.frame["sum"][0]


def test_that_a_cancel_is_obeyed_within_a_batch_and_the_process_stays(worker: Worker, tmp_path: Path) -> None:
    worker.submit(task_of(tmp_path, "a", n=10_000, pause=0.01))
    follow(worker, advanced)
    process = worker.process_id
    worker.cancel("a")
    began = time.monotonic()
    assert isinstance(follow(worker)[-1], StoppedByUser)
    assert time.monotonic() - began < 1.0
    assert worker.process_id == process
    worker.submit(task_of(tmp_path, "a", n=3))
    assert isinstance(follow(worker)[-1], Succeeded)


def test_that_a_job_that_does_not_obey_is_ended_with_its_process(tmp_path: Path) -> None:
    worker = Worker(COMMAND, patience=0.5)
    try:
        worker.submit(task_of(tmp_path, "a", n=10, ignore_cancel=True))
        follow(worker, lambda event: isinstance(event, Warned))
        worker.cancel("a")
        began = time.monotonic()
        assert isinstance(follow(worker)[-1], StoppedByUser)
        assert 0.3 < time.monotonic() - began < 3.0
        assert run_folder.read_record(tmp_path / "a")["state"] == "stopped"
        worker.submit(task_of(tmp_path, "b", n=3))
        assert isinstance(follow(worker)[-1], Succeeded)
    finally:
        worker.kill()


def test_that_the_end_of_an_obeyed_job_does_not_kill_the_next_one(tmp_path: Path) -> None:
    worker = Worker(COMMAND, patience=0.5)
    try:
        worker.submit(task_of(tmp_path, "a", n=10_000, pause=0.01))
        follow(worker, advanced)
        worker.cancel("a")
        follow(worker)
        worker.submit(task_of(tmp_path, "b", n=100, pause=0.01))
        assert isinstance(follow(worker)[-1], Succeeded)
    finally:
        worker.kill()


def test_that_cancelling_something_else_changes_nothing(worker: Worker, tmp_path: Path) -> None:
    worker.cancel("a")
    worker.submit(task_of(tmp_path, "a", n=20, pause=0.01))
    worker.cancel("b")
    assert isinstance(follow(worker)[-1], Succeeded)


def test_that_killing_the_worker_while_it_runs_stops_the_job(worker: Worker, tmp_path: Path) -> None:
    worker.submit(task_of(tmp_path, "a", n=10_000, pause=0.01))
    follow(worker, advanced)
    worker.kill()
    assert isinstance(follow(worker)[-1], StoppedByUser)
    assert not worker.alive


def test_that_what_a_library_prints_goes_to_the_log_and_not_into_the_channel(worker: Worker, tmp_path: Path) -> None:
    worker.kill()  # the next process logs into this test's home
    worker.submit(task_of(tmp_path, "a", "trouble", kind="print"))
    final = follow(worker)[-1]
    assert isinstance(final, Succeeded)
    assert final.run == "a"
    worker.kill()
    log = locations.log_file().read_text()
    for line in ("a library prints", "a child prints", "a library complains", '"run": "forged"'):
        assert line in log


def test_that_a_process_that_cannot_start_says_so_with_its_last_words(tmp_path: Path) -> None:
    worker = Worker([*COMMAND, "broken-start"])
    try:
        worker.submit(task_of(tmp_path, "a"))
        final = follow(worker)[-1]
        assert isinstance(final, Failed)
        assert "could not start (exit code 1)" in final.sentence
        assert "libtorch_cuda.so: cannot open shared object file" in final.details
    finally:
        worker.kill()


@pytest.mark.parametrize(
    "kind, sentence",
    [("user", "Two analyses call themselves 'x'."), ("code", "The analyses could not be loaded: NameError: numpy.")],
)
def test_that_analyses_that_cannot_be_loaded_are_said_by_the_first_job(
    tmp_path: Path, kind: str, sentence: str
) -> None:
    worker = Worker([*COMMAND, "broken-catalogue", kind])
    try:
        worker.submit(task_of(tmp_path, "a"))
        final = follow(worker)[-1]
        assert isinstance(final, Failed)
        assert final.sentence.startswith(sentence)
        assert worker.alive
    finally:
        worker.kill()


def test_that_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SensiViewError, match="can't be started"):
        Worker([str(tmp_path / "nothing")]).start()


def test_that_a_worker_whose_window_died_ends_by_itself_even_in_a_job_that_does_not_obey(tmp_path: Path) -> None:
    parent = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_supervisor import COMMAND, task_of, follow, Advanced, Warned
from sensiview.jobs.supervisor import Worker
worker = Worker(COMMAND)
worker.submit(task_of(Path(sys.argv[2]), "a", n=10, ignore_cancel=sys.argv[3] == "stubborn", pause=0.01))
follow(worker, lambda event: isinstance(event, (Advanced, Warned)))
print(worker.process_id, flush=True)
time.sleep(60)
"""
    folder = str(Path(__file__).parent)
    for manner, patience in (("obedient", 3.0), ("stubborn", 8.0)):
        window = subprocess.Popen(
            [sys.executable, "-c", parent, folder, str(tmp_path / manner), manner], stdout=subprocess.PIPE, text=True
        )
        assert window.stdout is not None
        orphan = psutil.Process(int(window.stdout.readline()))
        window.kill()
        window.wait()
        window.stdout.close()
        orphan.wait(timeout=patience)


def test_that_the_worker_gives_way_to_the_window(worker: Worker, tmp_path: Path) -> None:
    worker.submit(task_of(tmp_path, "a", n=1000, pause=0.01))
    follow(worker, advanced)
    assert worker.process_id is not None
    assert psutil.Process(worker.process_id).nice() > psutil.Process().nice()


def test_that_a_flood_of_batches_leaves_as_a_trickle_of_events(worker: Worker, tmp_path: Path) -> None:
    began = time.monotonic()
    worker.submit(task_of(tmp_path, "a", n=3000))
    events = follow(worker)
    spent = time.monotonic() - began
    assert len(events) <= 20 * spent + 5
    advances = [event for event in events if isinstance(event, Advanced)]
    assert advances[-1].done == 3000
    assert advances[-1].memory > 1e6


@pytest.mark.parametrize(
    "code, words",
    [
        (-9, "memory ran out"),
        (137, "memory ran out"),
        (-11, "SIGSEGV"),
        (-7, "native code"),
        (-15, "SIGTERM"),
        (0xC0000005, "native code"),
        (-1073741819, "native code"),
        (1, "exit code 1"),
        (None, "exit code None"),
    ],
)
def test_that_every_way_to_end_has_words(code: int | None, words: str) -> None:
    assert words in reason(code)
