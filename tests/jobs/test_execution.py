"""A task from its first event to its final one, in this process."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import toy_analyses

from sensiview.analysis.item_files import from_plain, has_items, read_items
from sensiview.analysis.items import IndexTable
from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError
from sensiview.files import fingerprint
from sensiview.jobs import run_folder
from sensiview.jobs.checkpoints import has_checkpoint, read_checkpoint
from sensiview.jobs.events import FINAL, Event, Failed, Previewed, Started, StoppedByUser, Succeeded, Warned
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard


def never() -> bool:
    return False


def task_of(tmp_path: Path, analysis: str = "sum_of_draws", run: str = "run-1", **more: Any) -> Task:
    return Task(kind="analysis", run=run, directory=tmp_path / run, analysis=analysis, **more)


def events_of(task: Task, cancelled: Callable[[], bool] = never) -> list[Event]:
    events: list[Event] = []
    execute(task, toy_analyses.catalogue(), events.append, cancelled)
    assert [event for event in events if isinstance(event, FINAL)] == events[-1:]
    assert {event.run for event in events} == {task.run}
    return events


def total_of(directory: Path) -> tuple[float, int]:
    item = read_items(directory)["total"]
    assert isinstance(item, IndexTable)
    return item.frame["sum"][0], item.frame["begun_at"][0]


def test_that_a_run_leaves_items_record_and_log(tmp_path: Path) -> None:
    task = task_of(tmp_path, parameters={"n": 5}, seed=3)
    events = events_of(task)
    assert isinstance(events[0], Started)
    final = events[-1]
    assert isinstance(final, Succeeded)
    assert final.items == ("total", "trace")
    assert final.evaluations == 5
    assert list(read_items(task.directory)) == ["total", "trace"]
    record = run_folder.read_record(task.directory)
    assert record["state"] == "succeeded"
    assert record["analysis"] == "sum_of_draws"
    assert record["revision"] == 1
    assert record["parameters"] == {"n": 5, "pause": 0.0, "ignore_cancel": False, "fail_at": -1}
    assert record["seed"] == 3
    assert record["items"] == ["total", "trace"]
    assert {"sensiview", "python", "torch", "numpy", "scipy"} <= set(record["versions"])
    assert record["host"]["system"]
    assert record["device_used"] == "cpu"
    assert record["started"] <= record["finished"]
    log = (task.directory / "log.txt").read_text()
    assert "stage: Drawing (5)" in log
    assert "succeeded: 5 evaluations" in log


def test_that_the_record_names_files_by_content_and_not_by_place(tmp_path: Path) -> None:
    data = tmp_path / "my data.csv"
    data.write_text("a,b\n1,2\n")
    source = DatasetSource(id="d1", card=DatasetCard(name="my data", features=("a",)), files=(fingerprint(data),))
    task = task_of(tmp_path, parameters={"n": 2}, dataset=source)
    assert isinstance(events_of(task)[-1], Succeeded)
    text = (task.directory / "record.json").read_text()
    assert str(tmp_path) not in text
    record = json.loads(text)
    assert record["fingerprints"] == {"dataset": [fingerprint(data).sha256]}
    assert record["dataset"]["files"] == [{"name": "my data.csv", "size": 8, "sha256": fingerprint(data).sha256}]


def test_that_a_file_that_was_changed_or_moved_is_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a,b\n1,2\n")
    source = DatasetSource(id="d1", card=DatasetCard(name="data", features=("a",)), files=(fingerprint(data),))
    data.write_text("a,b\n1,3\n")
    changed = events_of(task_of(tmp_path, dataset=source))[-1]
    assert isinstance(changed, Failed)
    assert "has changed since" in changed.sentence
    assert changed.user_error
    data.unlink()
    moved = events_of(task_of(tmp_path, dataset=source))[-1]
    assert isinstance(moved, Failed)
    assert "moved or deleted" in moved.sentence


def test_that_weights_that_were_changed_are_a_sentence(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"123")
    source = ModelSource(id="m1", card=ModelCard(name="net"), weights=fingerprint(weights))
    weights.write_bytes(b"12345")
    final = events_of(task_of(tmp_path, model=source))[-1]
    assert isinstance(final, Failed)
    assert "w.safetensors has changed since" in final.sentence


def test_that_a_cancelled_run_stops_at_its_next_batch_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 20

    task = task_of(tmp_path, parameters={"n": 1000})
    assert isinstance(events_of(task, cancelled)[-1], StoppedByUser)
    assert not has_items(task.directory)
    assert run_folder.read_record(task.directory)["state"] == "stopped"
    kept = read_checkpoint(task.directory)
    assert kept is not None
    assert 0 < kept.values["done"] < 20


def test_that_a_stopped_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = task_of(tmp_path, run="whole", parameters={"n": 60})
    events_of(whole)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 50

    task = task_of(tmp_path, parameters={"n": 60})
    events_of(task, cancelled)
    final = events_of(task.model_copy(update={"checkpoint": task.directory}))[-1]
    assert isinstance(final, Succeeded)
    assert 0 < final.evaluations < 60
    assert total_of(task.directory)[0] == total_of(whole.directory)[0]
    assert total_of(task.directory)[1] > 0


def test_that_a_finished_run_is_extended_with_every_evaluation_used_again(tmp_path: Path) -> None:
    short = task_of(tmp_path, run="short", parameters={"n": 30})
    events_of(short)
    longer = task_of(tmp_path, run="longer", parameters={"n": 50}, checkpoint=short.directory)
    final = events_of(longer)[-1]
    assert isinstance(final, Succeeded)
    assert final.evaluations == 20
    fresh = task_of(tmp_path, run="fresh", parameters={"n": 50})
    events_of(fresh)
    assert total_of(longer.directory)[0] == total_of(fresh.directory)[0]
    assert has_checkpoint(short.directory)


@pytest.mark.parametrize("how", ["damaged", "other seed", "other value"])
def test_that_a_checkpoint_that_does_not_fit_is_said_and_not_used(tmp_path: Path, how: str) -> None:
    first = task_of(tmp_path, run="first", parameters={"n": 10})
    events_of(first)
    changes: dict[str, Any] = {"checkpoint": first.directory, "run": "second", "directory": tmp_path / "second"}
    if how == "damaged":
        (first.directory / "checkpoint.npz").write_bytes(b"PK\x03\x04 half of it")
    elif how == "other seed":
        changes["seed"] = 2
    else:
        changes["parameters"] = {"n": 10, "fail_at": 1000}
    second = first.model_copy(update=changes)
    events = events_of(second)
    assert isinstance(events[-1], Succeeded)
    warned = [event.sentence for event in events if isinstance(event, Warned)]
    assert len(warned) == 1
    assert "begins anew" in warned[0]
    assert total_of(second.directory)[1] == 0
    assert run_folder.read_record(second.directory)["warnings"] == warned


def test_that_previews_can_be_read(tmp_path: Path) -> None:
    events = events_of(task_of(tmp_path, parameters={"n": 20, "pause": 0.02}))
    previews = [event for event in events if isinstance(event, Previewed)]
    assert previews
    assert from_plain(previews[-1].item).kind == "curve"


@pytest.mark.parametrize(
    "parameters, analysis, sentence, user_error",
    [
        ({"fail_at": 3}, "sum_of_draws", "Sum of draws failed: ZeroDivisionError: batch is broken", False),
        ({"kind": "memory"}, "trouble", "The memory of this computer was not enough for Trouble", False),
        ({"kind": "user"}, "trouble", "The factor 'x' is not known. Did you mean 'y'?", True),
        ({"kind": "sys_exit"}, "trouble", "Trouble failed: SystemExit: 3", False),
        ({"n": 0}, "sum_of_draws", "n: Input should be greater than or equal to 1", True),
        ({"m": 0}, "sum_of_draws", "There is no parameter 'm'.", True),
        ({}, "sobl", "There is no analysis 'sobl'.", True),
    ],
)
def test_that_a_failure_is_a_sentence_with_the_traceback_behind_it(
    tmp_path: Path, parameters: dict[str, Any], analysis: str, sentence: str, user_error: bool
) -> None:
    task = task_of(tmp_path, analysis, parameters=parameters)
    final = events_of(task)[-1]
    assert isinstance(final, Failed)
    assert final.sentence.startswith(sentence)
    assert "Traceback" not in final.sentence
    assert "\n" not in final.sentence
    assert ("Traceback" in final.details) is not user_error
    assert final.user_error is user_error
    assert not has_items(task.directory)
    if task.directory.exists():
        assert run_folder.read_record(task.directory)["state"] == "failed"


def test_that_a_first_word_that_cannot_be_said_ends_the_job_as_failed(tmp_path: Path) -> None:
    said: list[Event] = []

    def emit(event: Event) -> None:
        if isinstance(event, Started):
            raise DataError("The project is gone.")
        said.append(event)

    execute(task_of(tmp_path), toy_analyses.catalogue(), emit, never)
    assert [type(event) for event in said] == [Failed]
    assert said[0] == Failed("run-1", "The project is gone.", user_error=True)


def test_that_a_run_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run-1").write_text("a file in the way")
    final = events_of(task_of(tmp_path))[-1]
    assert isinstance(final, Failed)
    assert "could not use a file or folder" in final.sentence


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 1 MB where this machine lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_that_a_full_disk_fails_the_run_cleanly(small_disk: Path) -> None:
    task = task_of(small_disk, "big_map")
    final = events_of(task)[-1]
    assert isinstance(final, Failed)
    assert final.sentence.startswith(f"The disk is full: Big map could not be written into '{task.directory}'.")
    assert not has_items(task.directory)
    assert [path for path in task.directory.rglob("*") if path.name.endswith(".part")] == []
    assert run_folder.read_record(task.directory)["state"] == "failed"


def test_that_a_disk_without_a_free_byte_still_gives_a_final_event(small_disk: Path) -> None:
    (small_disk / "run-1").mkdir()
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(1 << 21))
    final = events_of(task_of(small_disk))[-1]
    assert isinstance(final, Failed)
    assert final.sentence.startswith("The disk is full")


def test_that_a_full_disk_is_recognised_when_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sensiview.jobs.checkpoints.write_atomically", full)
    final = events_of(task_of(tmp_path))[-1]
    assert isinstance(final, Failed)
    assert final.sentence.startswith("The disk is full")
    assert not has_items(tmp_path / "run-1")
