"""Full searches for garbage wait for a pause, so that no step through the slices waits for them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sensiview.gui.garbage import IdleCollector, idle_collector

pytestmark = pytest.mark.needs_display


@pytest.fixture
def full_searches() -> Iterator[list[int]]:
    """Return a list that grows with every full search."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(1)

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_that_a_viewer_holds_full_searches_back(make_viewer: Callable[..., Any]) -> None:
    make_viewer()
    assert gc.get_threshold()[2] > 100_000


def test_that_there_is_one_for_the_application(qapp: Any) -> None:
    assert idle_collector() is idle_collector()


def test_that_a_full_search_is_made_in_a_pause_and_not_before(
    qapp: Any, full_searches: list[int], monkeypatch: pytest.MonkeyPatch, settle: Callable[..., None]
) -> None:
    collector = IdleCollector(qapp)
    collector._later.setInterval(150)
    collector.postpone()
    monkeypatch.setattr("sensiview.gui.garbage._ENOUGH", 0)
    for _ in range(6):
        settle(0.05)
        collector.postpone()
    assert full_searches == []
    settle(0.4)
    assert full_searches
    collector._later.stop()
    collector.setParent(None)
    collector.deleteLater()


def test_that_no_search_is_made_where_little_was_left_over(qapp: Any, full_searches: list[int], settle: Any) -> None:
    gc.collect()
    full_searches.clear()
    collector = IdleCollector(qapp)
    collector._later.setInterval(20)
    collector.postpone()
    settle(0.15)
    assert full_searches == []
    collector._later.stop()
    collector.setParent(None)
    collector.deleteLater()
