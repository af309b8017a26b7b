"""Runs in the window: queue, progress, cancel, failure, what the project remembers, closing while one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from sensiview.errors import UserError
from sensiview.jobs.events import Advanced, Failed, StageBegan, Started, StoppedByUser, Succeeded, Warned

pytestmark = pytest.mark.needs_display


def start(window: Any, name: str = "") -> Any:
    return window.session.start_analysis("sobol", {"n": 256}, name=name)


def cell(window: Any, row: int, column: str) -> str:
    model = window.jobs.model
    at = [model.headerData(i, Qt.Orientation.Horizontal) for i in range(model.columnCount())].index(column)
    return str(model.index(row, at).data())


def test_that_a_run_goes_from_the_queue_to_its_result(open_window: Any, workers: list[Any], wait_until: Any) -> None:
    run = start(open_window)
    wait_until(lambda: workers and workers[0].tasks)
    task = workers[0].tasks[0]
    assert (task.run, task.kind, task.analysis, task.seed) == (run.id, "analysis", "sobol", 1)
    workers[0].say(
        Started(run.id, device="cpu", process=1),
        StageBegan(run.id, name="Evaluating", total=2048),
        Advanced(run.id, done=1024, total=2048, evaluations=1024, per_second=5e5, seconds_left=0.5, memory=300_000_000),
    )
    wait_until(lambda: cell(open_window, 0, "Rows/s") == "500,000")
    assert cell(open_window, 0, "Stage") == "Evaluating"
    assert cell(open_window, 0, "Progress") == "1,024 of 2,048"
    assert cell(open_window, 0, "Memory") == "300 MB"
    assert open_window.session.project.run(run.id).state == "running"
    workers[0].say(Warned(run.id, sentence="N is not a power of two."))
    wait_until(lambda: "N is not a power of two." in open_window.messages.sentences())
    workers[0].say(Succeeded(run.id, items=("first_total",), evaluations=2048, seconds=0.1))
    wait_until(lambda: open_window.session.jobs.live is None)
    record = open_window.session.project.run(run.id)
    assert (record.state, record.evaluations, record.warnings) == ("succeeded", 2048, ["N is not a power of two."])
    assert cell(open_window, 0, "State") == "ready"


def test_that_a_cancel_is_visible_at_once_and_the_next_run_follows(
    open_window: Any, workers: list[Any], wait_until: Any
) -> None:
    first, second = start(open_window, "one"), start(open_window, "two")
    wait_until(lambda: workers and workers[0].tasks)
    assert cell(open_window, 1, "State") == "waits (1)"
    open_window.session.cancel(first.id)
    assert cell(open_window, 0, "State") == "stopping"
    wait_until(lambda: workers[0].cancelled == [first.id])
    workers[0].say(StoppedByUser(first.id))
    wait_until(lambda: len(workers[0].tasks) == 2)
    assert workers[0].tasks[1].run == second.id
    assert open_window.session.project.run(first.id).state == "stopped"


def test_that_a_waiting_run_leaves_the_queue_when_cancelled(
    open_window: Any, workers: list[Any], wait_until: Any
) -> None:
    start(open_window)
    waiting = start(open_window)
    open_window.session.cancel(waiting.id)
    assert open_window.session.jobs.waiting == ()
    assert open_window.session.project.run(waiting.id).state == "stopped"


def test_that_a_waiting_run_can_be_moved_forward(open_window: Any) -> None:
    start(open_window)
    second, third = start(open_window), start(open_window)
    open_window.session.jobs.move(third.id, -1)
    assert open_window.session.jobs.waiting == (third.id, second.id)
    assert open_window.session.project.queue()[:2] == [third.id, second.id]


def test_that_a_failure_is_a_sentence_with_details_behind_it(
    open_window: Any, workers: list[Any], wait_until: Any
) -> None:
    run = start(open_window)
    wait_until(lambda: workers and workers[0].tasks)
    workers[0].say(Failed(run.id, sentence="The memory ran out. Choose a smaller batch.", details="Traceback ..."))
    wait_until(lambda: open_window.session.jobs.live is None)
    assert any("The memory ran out" in sentence for sentence in open_window.messages.sentences())
    assert open_window.dialog("error") is None, "a failed job must not interrupt"
    item = open_window.messages.list.item(open_window.messages.list.count() - 1)
    open_window.messages.list.itemActivated.emit(item)
    error = open_window.dialog("error")
    assert not error.details.isVisible()
    error.details_button.click()
    assert error.details.toPlainText() == "Traceback ..."


def test_that_a_worker_that_can_not_start_fails_the_run_with_a_sentence(
    window: Any, project_path: Path, wait_until: Any
) -> None:
    def refuse() -> Any:
        raise OSError("no more processes")

    window.session.services = type(window.session.services)(
        settings=window.session.services.settings, catalogue=window.session.services.catalogue, worker=refuse
    )
    window.session.open(project_path)
    run = start(window)
    wait_until(lambda: window.session.jobs.live is None)
    assert "can't be started" in window.session.project.run(run.id).message


def test_that_runs_left_in_the_queue_wait_until_the_user_goes_on(
    window: Any, project_path: Path, workers: list[Any], wait_until: Any
) -> None:
    from sensiview.projects.store import Project

    with Project.open(project_path) as project:
        data, model = project.datasets()[0].id, project.models()[0].id
        left = project.new_run(analysis="sobol", dataset=data, model=model, parameters={"n": 64})
    window.session.open(project_path)
    assert window.session.jobs.paused
    assert any("1 run waits" in sentence for sentence in window.messages.sentences())
    assert not workers
    window.action_set["start_queue"].trigger()
    wait_until(lambda: workers and workers[0].tasks)
    assert workers[0].tasks[0].run == left.id


def test_that_resume_and_run_again_queue_the_chosen_run(open_window: Any, workers: list[Any], wait_until: Any) -> None:
    session = open_window.session
    interrupted = session.runs()[2].id
    session.select_run(interrupted)
    open_window.action_set["resume"].trigger()
    wait_until(lambda: workers and workers[0].tasks)
    assert workers[0].tasks[0].run == interrupted
    session.select_run(session.runs()[0].id)
    open_window.action_set["retry"].trigger()
    again = session.runs()[-1]
    assert (again.parameters["n"], again.seed) == (256, 3)


def test_that_a_going_run_can_not_be_deleted(open_window: Any, workers: list[Any], wait_until: Any) -> None:
    run = start(open_window)
    wait_until(lambda: workers and workers[0].tasks)
    with pytest.raises(UserError, match="Stop it first"):
        open_window.session.delete("run", run.id)


def test_that_closing_asks_while_a_job_runs_and_keep_working_keeps_it(
    open_window: Any, workers: list[Any], wait_until: Any
) -> None:
    run = start(open_window)
    wait_until(lambda: workers and workers[0].tasks)
    open_window.close()
    question = open_window.dialog("stop")
    assert question is not None
    assert open_window.isVisible()
    button(question, "keep_working_button").click()
    assert open_window.isVisible()
    assert open_window.session.jobs.is_busy_with(run.id)


def test_that_stop_and_close_ends_job_worker_and_window(open_window: Any, workers: list[Any], wait_until: Any) -> None:
    run = start(open_window)
    wait_until(lambda: workers and workers[0].tasks)
    workers[0].say(Started(run.id, device="cpu", process=1))
    open_window.close()
    button(open_window.dialog("stop"), "stop_and_close_button").click()
    wait_until(lambda: workers[0].cancelled == [run.id])
    workers[0].say(StoppedByUser(run.id))
    wait_until(lambda: not open_window.isVisible())
    assert not workers[0].alive
    assert open_window.session.project is None


def test_that_a_closed_project_is_as_it_was_left_when_it_opens_again(
    open_window: Any, project_path: Path, qapp: Any
) -> None:
    session = open_window.session
    run = session.runs()[0].id
    open_window.commands.open_entry("run", run)
    open_window.action_set["show_model"].trigger()
    open_window.action_set["close_project"].trigger()
    assert open_window.results.open_runs() == []
    assert not open_window.docks["project"].isVisible()
    open_window.commands.open_path(project_path)
    assert open_window.results.open_runs() == [run]
    assert open_window.centre.page == "model"


def button(dialog: Any, name: str) -> QPushButton:
    found = dialog.findChild(QPushButton, name)
    assert found is not None
    return found
