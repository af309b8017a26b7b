"""A real application for GUI tests, and no test that leaves a window, a thread or a timer behind.

Everything runs on whatever display there is; without one the tests are skipped, with the reason. Run them with
``xvfb-run -a python -m pytest tests/gui``. Nothing may block: a modal ``exec`` raises.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget
from shiboken6 import Shiboken

WaitUntil = Callable[..., None]

# What Qt says on a bare display and nobody can do anything about.
_HARMLESS = ("propagateSizeHints", "QStandardPaths: XDG_RUNTIME_DIR", "xkb", "qt.qpa.", "This plugin does not support")


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """Return the one application, in the light theme; skips where no window can be shown."""
    on_screen = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not on_screen and os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        pytest.skip("no display: neither DISPLAY nor WAYLAND_DISPLAY is set; use xvfb-run")
    from sensiview.gui.start import make_application
    from sensiview.gui.themes import apply_theme

    app = make_application()
    apply_theme(app, "light")
    return app


@pytest.fixture
def wait_until(qapp: QApplication) -> WaitUntil:
    """Return a function that lets Qt work until a condition holds, or fails after `timeout` seconds."""

    def wait(condition: Callable[[], object], timeout: float = 5.0, what: str = "") -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {timeout:g} s in vain{f' for {what}' if what else ''}")
            qapp.processEvents()
            time.sleep(0.002)
        qapp.processEvents()

    return wait


@pytest.fixture
def settle(qapp: QApplication) -> Callable[..., None]:
    """Return a function that lets Qt work for a moment."""

    def run(seconds: float = 0.05) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            qapp.processEvents()
            time.sleep(0.002)

    return run


@pytest.fixture(autouse=True)
def nothing_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A modal loop would stop a test for ever."""

    def refuse(*_args: object, **_keywords: object) -> None:
        raise AssertionError("a modal dialog was executed; use open() or show()")

    for cls, names in (
        (QDialog, ("exec",)),
        (QMessageBox, ("exec", "about", "critical", "information", "question", "warning")),
        (QFileDialog, ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")),
        (QInputDialog, ("getText", "getItem", "getInt", "getDouble")),
        (QMenu, ("exec",)),
    ):
        for name in names:
            monkeypatch.setattr(cls, name, refuse)


@pytest.fixture(autouse=True)
def nothing_fails_silently() -> Iterator[list[str]]:
    """An exception in a slot, or a warning of Qt, fails the test it happened in."""
    said: list[str] = []

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        said.append("".join(traceback.format_exception(kind, error, trace)))

    def listen(level: QtMsgType, _context: Any, message: str) -> None:
        if level != QtMsgType.QtDebugMsg and level != QtMsgType.QtInfoMsg and not any(h in message for h in _HARMLESS):
            said.append(f"Qt: {message}")

    before, sys.excepthook = sys.excepthook, hook
    qInstallMessageHandler(listen)
    yield said
    qInstallMessageHandler(None)
    sys.excepthook = before
    if said:
        pytest.fail("\n".join(said), pytrace=False)


@pytest.fixture(autouse=True)
def nothing_left_behind(nothing_fails_silently: list[str]) -> Iterator[None]:
    """A window, running thread or active timer that outlives its test fails it."""
    app = QApplication.instance()
    timers_before = {id(t) for t in _alive(QTimer) if t.isActive()}
    windows_before = {id(w) for w in QApplication.topLevelWidgets()} if isinstance(app, QApplication) else set()
    yield
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    windows = _flush(windows_before)
    left = [f"window {w.objectName() or type(w).__name__}" for w in windows if w.isVisible()]
    for window in windows:
        window.close()
        window.deleteLater()
    left += [f"thread {type(t).__name__}" for t in _alive(QThread) if t.isRunning() and t is not app.thread()]
    left += [
        f"timer of {_owner(t)}"
        for t in _alive(QTimer)
        if t.isActive() and not t.isSingleShot() and id(t) not in timers_before
    ]
    if left:
        pytest.fail(f"left behind: {', '.join(left)}", pytrace=False)


def _flush(before: set[int]) -> list[QWidget]:
    """Let deferred deletes happen and return the top-level widgets that are new."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
    return [w for w in QApplication.topLevelWidgets() if id(w) not in before]


def _alive(kind: type[QObject]) -> list[Any]:
    # type(), not isinstance(): asking every object for its __class__ would wake lazy ones.
    return [o for o in gc.get_objects() if issubclass(type(o), kind) and Shiboken.isValid(o)]


def _owner(timer: QTimer) -> str:
    parent = timer.parent()
    return "nobody" if parent is None else parent.objectName() or type(parent).__name__
