"""Searches for garbage are made by the GUI thread, full ones in a pause, so that no step through the slices waits."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sensiview.gui.garbage import IdleCollector, idle_collector

pytestmark = pytest.mark.needs_display


@pytest.fixture
def collector(qapp: Any) -> Iterator[IdleCollector]:
    """Return a collector that looks only when asked."""
    made = IdleCollector(qapp)
    made._next.setInterval(3_600_000)
    made._next.start()
    yield made
    made._next.stop()
    made.setParent(None)
    made.deleteLater()


@pytest.fixture
def searches() -> Iterator[list[int]]:
    """Return a list that grows by the generation of every search."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            found.append(info["generation"])

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_that_a_viewer_keeps_searches_out_of_its_threads(make_viewer: Callable[..., Any], searches: list[int]) -> None:
    make_viewer()
    assert not gc.isenabled()
    searches.clear()
    thread = threading.Thread(target=lambda: [[n] for n in range(100_000)])
    thread.start()
    thread.join()
    assert searches == []


def test_that_there_is_one_for_the_application(qapp: Any) -> None:
    assert idle_collector() is idle_collector()


def test_that_a_full_search_waits_for_a_pause(
    collector: IdleCollector, searches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensiview.gui.garbage._ENOUGH", 0)
    monkeypatch.setattr("sensiview.gui.garbage._PAUSE_S", 0.1)
    collector.postpone()
    collector.look()
    assert 2 not in searches
    time.sleep(0.12)
    collector.look()
    assert searches[-1] == 2


def test_that_young_garbage_is_freed_while_the_user_is_at_work(collector: IdleCollector) -> None:
    class Ring:
        pass

    gc.collect()
    ring: Any = Ring()
    ring.itself, gone = ring, weakref.ref(ring)
    del ring
    kept = [[n] for n in range(5000)]
    collector.postpone()
    collector.look()
    assert gone() is None
    assert len(kept) == 5000


def test_that_nothing_is_searched_where_nothing_was_made(collector: IdleCollector, searches: list[int]) -> None:
    gc.collect()
    searches.clear()
    collector.look()
    assert searches == []
