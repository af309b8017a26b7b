"""Slow work off the GUI thread: reading files, sniffing formats. Nothing that needs torch, nothing that draws."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThreadPool, Signal, Slot

from sensiview.errors import SensiViewError


class _Delivery(QObject):
    """Lives in the GUI thread; hands what the pool thread made to the callbacks there."""

    finished = Signal(object, object)  # value, error

    def __init__(
        self, done: Callable[[Any], None], failed: Callable[[SensiViewError], None], owner: QObject | None
    ) -> None:
        super().__init__()
        self._done = done
        self._failed = failed
        self._wanted = True
        self.finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        if owner is not None:
            owner.destroyed.connect(self.drop)

    @Slot()
    def drop(self) -> None:
        """Deliver nothing any more: who asked is gone, or asked again."""
        self._wanted = False

    @Slot(object, object)
    def _deliver(self, value: object, error: SensiViewError | None) -> None:
        _pending.discard(self)
        if not self._wanted:
            return
        if error is None:
            self._done(value)
        else:
            self._failed(error)


class _Job(QRunnable):
    def __init__(self, function: Callable[[], Any], delivery: _Delivery) -> None:
        super().__init__()
        self._function = function
        self._delivery = delivery

    def run(self) -> None:
        """Run in the pool; every ending is delivered."""
        value, error = None, None
        try:
            value = self._function()
        except SensiViewError as problem:
            error = problem
        except Exception as unexpected:  # noqa: BLE001 - whatever a file reader raises becomes a sentence
            error = SensiViewError(
                f"Something unexpected went wrong: {unexpected}. Please send the report.",
                details=traceback.format_exc(),
            )
        # The application may have ended meanwhile, and the delivery with it.
        with contextlib.suppress(RuntimeError):
            self._delivery.finished.emit(value, error)


_pending: set[_Delivery] = set()
_pool: QThreadPool | None = None


def _thread_pool() -> QThreadPool:
    # One pool of our own: closing the window waits for it, and for nothing else's threads.
    global _pool
    if _pool is None:
        _pool = QThreadPool(QCoreApplication.instance())
        _pool.setMaxThreadCount(2)
    return _pool


def run_in_background(
    function: Callable[[], Any],
    done: Callable[[Any], None],
    failed: Callable[[SensiViewError], None],
    *,
    owner: QObject | None = None,
) -> Callable[[], None]:
    """Run `function` in a pool thread, then `done` or `failed` in the GUI thread.

    Parameters
    ----------
    function : callable
        Takes nothing, touches no widget.
    done, failed : callable
        Get the value, or the error as a sentence.
    owner : QObject, optional
        When it is deleted meanwhile, nothing is delivered.

    Returns
    -------
    callable
        Call it to forget the result: a newer question supersedes this one.
    """
    delivery = _Delivery(done, failed, owner)
    _pending.add(delivery)
    _thread_pool().start(_Job(function, delivery))
    return delivery.drop


def busy() -> bool:
    """Return whether something is still being worked on or delivered."""
    return bool(_pending)


def wait_for_background(milliseconds: int = 5000) -> bool:
    """Wait at closing until the pool's threads have ended; their results are dropped."""
    for delivery in list(_pending):
        delivery.drop()
    _pending.clear()
    return _pool is None or _pool.waitForDone(milliseconds)
