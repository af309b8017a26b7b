"""The tabs of opened runs: what is open comes back, what is gone closes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from sample_items import indices, second_order
from sample_session import HeardSession, add_run, make_session

from sensiview.gui.result_tabs import ResultTabs

ITEMS = {"first_total": indices(), "second_order": second_order()}


@pytest.fixture
def session(qapp: QApplication, tmp_path: Path) -> Iterator[HeardSession]:
    made = make_session(tmp_path)
    yield made
    made.close_project()


@pytest.fixture
def tabs(session: HeardSession, qapp: QApplication) -> Iterator[ResultTabs]:
    made = ResultTabs(session)
    made.resize(900, 600)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def test_that_nothing_open_says_what_to_do(tabs: ResultTabs) -> None:
    label = tabs.findChild(QLabel, "no_results")
    assert label is not None
    assert label.isVisible()
    assert "run it" in label.text()


def test_that_a_run_has_one_tab_and_is_selected_with_it(tabs: ResultTabs, session: HeardSession) -> None:
    first, second = add_run(session, ITEMS), add_run(session, ITEMS)
    for run in (first, second, first):
        tabs.open_run(run)
    assert tabs.open_runs() == [first, second]
    assert tabs.current_run() == first
    assert session.run is not None
    assert session.run.id == first
    tabs.tabs.setCurrentIndex(1)
    assert session.run.id == second


def test_that_tabs_items_and_the_front_one_come_back(tabs: ResultTabs, session: HeardSession) -> None:
    first, second = add_run(session, ITEMS), add_run(session, ITEMS)
    tabs.open_run(first)
    tabs.open_run(second)
    page = tabs.page(first)
    assert page is not None
    page.choose("second_order")
    tabs.tabs.setCurrentIndex(0)
    kept = tabs.state()
    tabs.close_run(first)
    tabs.close_run(second)
    tabs.restore(kept)
    assert tabs.open_runs() == [first, second]
    assert tabs.current_run() == first
    again = tabs.page(first)
    assert again is not None
    assert again.chosen() == "second_order"


def test_that_runs_that_are_gone_are_left_out_of_what_comes_back(tabs: ResultTabs, session: HeardSession) -> None:
    first, second = add_run(session, ITEMS), add_run(session, ITEMS)
    tabs.open_run(first)
    tabs.open_run(second)
    kept = tabs.state()
    session.delete("run", first)
    assert tabs.open_runs() == [second]
    tabs.restore(kept)
    assert tabs.open_runs() == [second]


@pytest.mark.parametrize("bad", [{}, {"open": 3}, {"open": [1, {"run": "gone"}], "current": 5}])
def test_that_a_damaged_state_opens_nothing(tabs: ResultTabs, bad: dict[str, object]) -> None:
    tabs.restore(bad)
    assert tabs.open_runs() == []


def test_that_a_new_name_is_on_the_tab(tabs: ResultTabs, session: HeardSession) -> None:
    run = add_run(session, ITEMS)
    tabs.open_run(run)
    session.rename("run", run, "With all factors & more than fits on a tab of this width")
    assert tabs.tabs.tabText(0).startswith("With all factors && more")
    assert tabs.tabs.tabText(0).endswith("…")


def test_that_a_run_that_was_just_queued_gets_its_tab(tabs: ResultTabs, session: HeardSession) -> None:
    run = add_run(session, state="queued")
    session.select_run(run)
    assert tabs.open_runs() == [run]


def test_that_another_project_closes_all_tabs(tabs: ResultTabs, session: HeardSession, tmp_path: Path) -> None:
    tabs.open_run(add_run(session, ITEMS))
    assert session.create(tmp_path / "second.sensiview", "Second")
    assert tabs.open_runs() == []


def test_that_run_again_opens_the_new_run(tabs: ResultTabs, session: HeardSession) -> None:
    run = add_run(session, ITEMS)
    tabs.open_run(run)
    session.jobs.add = lambda run_id: None  # type: ignore[method-assign]
    page = tabs.page(run)
    assert page is not None
    page.header.buttons["retry"].click()
    assert len(tabs.open_runs()) == 2
    assert tabs.current_run() != run


def test_that_commands_with_dialogs_are_handed_to_the_window_about_this_run(
    tabs: ResultTabs, session: HeardSession
) -> None:
    first, second = add_run(session, ITEMS), add_run(session, ITEMS)
    tabs.open_run(first)
    session.select_run(second)
    heard: list[tuple[str, str]] = []
    tabs.command_wanted.connect(lambda key: heard.append((key, session.run.id if session.run else "")))
    tabs.edit_wanted.connect(lambda run: heard.append(("edit", run)))
    page = tabs.page(first)
    assert page is not None
    page.header.buttons["export_run"].click()
    page.header.buttons["edit"].click()
    assert heard == [("export_run", first), ("edit", first)]


def test_that_an_unknown_run_opens_nothing(tabs: ResultTabs) -> None:
    tabs.open_run("toy-9999")
    assert tabs.open_runs() == []
