"""One run's page: items, parameters, live values, and what is said when there is no result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QToolButton
from sample_items import convergence, indices, note, second_order
from sample_session import HeardSession, add_run, finish_run, make_session

from sensiview.analysis.item_plain import to_plain
from sensiview.gui.item_list import HELP, PARAMETERS
from sensiview.gui.job_queue import LiveJob
from sensiview.gui.result_page import ResultPage
from sensiview.jobs.events import Previewed

Wait = Callable[..., None]
Open = Callable[[str], ResultPage]
ITEMS = {"first_total": indices(("first", "second")), "second_order": second_order(), "verdict": note()}


@pytest.fixture
def session(qapp: QApplication, tmp_path: Path) -> Iterator[HeardSession]:
    made = make_session(tmp_path)
    yield made
    made.jobs.live = None
    made.close_project()


@pytest.fixture
def page_of(session: HeardSession, qapp: QApplication) -> Iterator[Open]:
    made: list[ResultPage] = []

    def make(run_id: str) -> ResultPage:
        page = ResultPage(session, run_id)
        page.resize(800, 600)
        page.show()
        qapp.processEvents()
        made.append(page)
        return page

    yield make
    for page in made:
        page.close()
        page.deleteLater()


def titles(page: ResultPage) -> list[str]:
    return [page.list.item(k).text() for k in range(page.list.count())]


def test_that_all_items_parameters_and_help_can_be_chosen(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(session, ITEMS))
    assert titles(page) == [
        "First-order and total indices", "Second-order indices", "Verdict", "Parameters", "How to read it",
    ]  # fmt: skip
    assert page.chosen() == "first_total"
    for name in ("second_order", "verdict", PARAMETERS, HELP):
        page.choose(name)
        assert page.chosen() == name


def test_that_how_to_read_an_item_stands_above_it(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(session, ITEMS))
    description = page.stack.currentWidget().findChild(QLabel, "item_description")
    assert description is not None
    assert description.text() == "Shares of the variance."


def test_that_the_head_says_what_was_computed_on_what(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(session, ITEMS, evaluations=5120, seconds=12.3, warnings=["One.", "Two."]))
    assert page.header.heading.text() == "Toy indices"
    assert page.header.line.text() == "toy-0001  ·  Pima  ·  DiabetesNet  ·  5,120 evaluations  ·  12 s  ·  2 warnings"


def test_that_the_parameters_tab_has_everything_to_run_it_again(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(
        session, ITEMS, evaluations=5120, seconds=12.3, warnings=["12 rows were left out."],
        versions={"torch": "2.15"}, started="2026-01-01T09:59:48+00:00",
    ))  # fmt: skip
    facts = page.facts.tree
    assert facts.value("Samples N (n)") == "1,024"
    assert facts.value("Stop after (max_seconds)") == "not set"
    assert facts.value("Seed") == "7"
    assert facts.value("Revision") == "2"
    assert facts.value("Model").startswith("DiabetesNet")
    assert facts.value("torch") == "2.15"
    assert facts.value("1") == "12 rows were left out."
    assert "Samples N (n): 1,024" in facts.as_text()


def test_that_plot_table_or_both_are_shown(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(session, ITEMS))
    for mode, plot, table in (("both", True, True), ("table", False, True), ("plot", True, False)):
        button = page.findChild(QToolButton, f"show_{mode}")
        assert button is not None
        button.click()
        view = page.view()
        assert view is not None
        assert view.plot is not None
        assert view.table is not None
        assert (view.plot.isVisible(), view.table.isVisible()) == (plot, table)
    page.choose("verdict")
    assert not button.isVisible()


def test_that_a_page_comes_back_exactly(page_of: Open, session: HeardSession) -> None:
    run = add_run(session, ITEMS)
    page = page_of(run)
    page.choose("second_order")
    page.choose("first_total")
    view = page.view()
    assert view is not None
    assert view.plot is not None
    assert view.table is not None
    view.plot.restore({"output": "second", "sort": "name"})
    page._set_mode("both")
    view.table.restore({"sort": "ST", "descending": True, "filter": "ST > 0"})
    kept = page.state()
    again = page_of(run)
    again.restore(kept)
    other = again.view()
    assert other is not None
    assert other.plot is not None
    assert other.table is not None
    assert again.chosen() == "first_total"
    assert other.mode == "both"
    assert other.plot.state() == {"output": "second", "sort": "name"}
    assert other.table.state() == {"sort": "ST", "descending": True, "filter": "ST > 0"}
    assert again.state()["views"]["first_total"]["plot"] == kept["views"]["first_total"]["plot"]


def test_that_state_survives_a_trip_through_json(page_of: Open, session: HeardSession) -> None:
    import json

    page = page_of(add_run(session, ITEMS))
    page.restore(json.loads(json.dumps(page.state())))
    assert page.chosen() == "first_total"


@pytest.mark.parametrize(
    "bad", [{}, {"views": 3, "mode": "x", "sizes": "y", "item": 4}, {"item": "gone", "sizes": [1]}]
)
def test_that_a_damaged_state_is_left_out(page_of: Open, session: HeardSession, bad: dict[str, object]) -> None:
    page = page_of(add_run(session, ITEMS))
    page.restore(bad)
    assert page.chosen() == "first_total"


def test_that_a_failed_run_says_why_and_what_to_do_with_details_hidden(page_of: Open, session: HeardSession) -> None:
    run = add_run(session, state="failed", message="The worker ran out of memory.", details="Traceback …")
    page = page_of(run)
    message, details = page.findChild(QLabel, "run_message"), page.findChild(QPlainTextEdit, "run_details")
    assert message is not None
    assert details is not None
    assert message.isVisible()
    assert message.text() == "The worker ran out of memory."
    assert not details.isVisible()
    button = page.findChild(QToolButton, "run_details_button")
    assert button is not None
    button.click()
    assert details.isVisible()
    assert details.toPlainText() == "Traceback …"


@pytest.mark.parametrize("state", ["failed", "stopped", "interrupted"])
def test_that_a_run_that_ended_early_can_be_resumed_or_run_again(
    page_of: Open, session: HeardSession, state: str
) -> None:
    page = page_of(add_run(session, state=state, message="It ended."))
    wanted: list[str] = []
    page.command_wanted.connect(wanted.append)
    for key in ("resume", "retry"):
        button = page.findChild(QPushButton, f"run_{key}_button")
        assert button is not None
        assert button.isVisible()
        button.click()
    assert wanted == ["resume", "retry"]


def test_that_a_live_run_shows_progress_and_previews_and_turns_into_its_result(
    page_of: Open, session: HeardSession, wait_until: Wait
) -> None:
    run = add_run(session, state="running")
    session.jobs.live = LiveJob(run, device="cpu", stage="Evaluating", done=250, total=1000, per_second=500.0,
                                seconds_left=1.5, memory=300_000_000)  # fmt: skip
    page = page_of(run)
    bar, numbers = page.findChild(QProgressBar, "run_progress"), page.findChild(QLabel, "run_numbers")
    assert bar is not None
    assert numbers is not None
    assert bar.value() == 250
    assert numbers.text() == "Evaluating  ·  250 of 1,000  ·  500 per second  ·  1.5 s left  ·  300 MB  ·  cpu"
    session.job_event.emit(Previewed(run=run, name="convergence", item=to_plain(convergence(largest=8))))
    wait_until(lambda: page.chosen() == "convergence")
    view = page.view()
    assert view is not None
    assert view.plot is not None
    assert view.plot.count() == 6
    view.plot.restore({"value": "ST"})
    session.job_event.emit(Previewed(run=run, name="convergence", item=to_plain(convergence(largest=9))))
    wait_until(lambda: view.plot is not None and view.plot.count() == 9)
    session.jobs.live = None
    finish_run(session, run, {"first_total": indices(), "convergence": convergence()}, state="succeeded")
    assert not page.panel.isVisible()
    assert titles(page)[:2] == ["First-order and total indices", "Convergence"]
    assert page.chosen() == "convergence"
    last = page.view()
    assert last is not None
    assert last.plot is not None
    assert last.plot.count() == 12
    assert last.plot.chosen("value") == "ST"


def test_that_many_previews_are_drawn_at_most_a_few_times_a_second(
    page_of: Open, session: HeardSession, settle: Callable[[float], None]
) -> None:
    run = add_run(session, state="running")
    session.jobs.live = LiveJob(run)
    page = page_of(run)
    drawn: list[int] = []
    take = page._take_item
    page._take_item = lambda name, item: (drawn.append(1), take(name, item))[1]  # type: ignore[method-assign]
    plain = to_plain(convergence())
    for _ in range(20):
        session.job_event.emit(Previewed(run=run, name="convergence", item=plain))
        settle(0.02)
    settle(0.3)
    assert 1 <= len(drawn) <= 5


def test_that_previews_of_other_runs_and_damaged_ones_are_left_out(
    page_of: Open, session: HeardSession, settle: Callable[[float], None]
) -> None:
    page = page_of(add_run(session, state="running"))
    session.job_event.emit(Previewed(run="other", name="convergence", item=to_plain(convergence())))
    session.job_event.emit(Previewed(run=page.run_id, name="broken", item={"kind": "curve"}))
    settle(0.4)
    assert page.item_names() == []


def test_that_a_result_that_can_t_be_read_is_a_problem_and_not_a_traceback(
    page_of: Open, session: HeardSession
) -> None:
    run = add_run(session, ITEMS)
    for file in (session.require_project().run_directory(run) / "items").iterdir():
        file.write_text("damaged", encoding="utf-8")
    page = page_of(run)
    assert session.problems
    assert "Traceback" not in session.problems[0]
    assert page.chosen() == PARAMETERS


def test_that_buttons_of_a_finished_run_ask_for_their_command(page_of: Open, session: HeardSession) -> None:
    page = page_of(add_run(session, ITEMS))
    wanted: list[str] = []
    page.command_wanted.connect(wanted.append)
    for name, button in page.header.buttons.items():
        # Only screenings of images and volumes have maps to set side by side.
        assert button.isVisible() == (name != "compare_screenings")
        if button.isVisible():
            button.click()
    assert wanted == ["export_run", "write_report", "extend", "retry", "edit"]


def test_that_an_analysis_that_is_no_longer_installed_still_shows_its_result(
    page_of: Open, session: HeardSession
) -> None:
    run = add_run(session, ITEMS)
    session.require_project().update_run(run, analysis="gone")
    session.entries_changed("run")
    page = page_of(run)
    assert page.item_names() == list(ITEMS)
    assert not page.header.buttons["extend"].isVisible()
    assert page.facts.tree.value("Analysis") == "gone"
