"""A real application for GUI tests, and no test that leaves a window, a thread or a timer behind.

Everything runs on whatever display there is; without one the tests are skipped, with the reason. Run them with
``xvfb-run -a python -m pytest tests/gui``. Nothing may block: a modal ``exec`` raises.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget
from shiboken6 import Shiboken

from tests.conftest import has_screen

WaitUntil = Callable[..., None]

# What Qt says on a bare display and nobody can do anything about.
_HARMLESS = ("propagateSizeHints", "QStandardPaths: XDG_RUNTIME_DIR", "xkb", "qt.qpa.", "This plugin does not support")


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """Return the one application, in the light theme; skips where no window can be shown."""
    if not has_screen() and os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        pytest.skip("no display: neither DISPLAY nor WAYLAND_DISPLAY is set; use xvfb-run")
    from sensiview.gui.application import make_application
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


class FakeWorker:
    """Stands for `sensiview.jobs.supervisor.Worker`: the test says what the job says."""

    def __init__(self) -> None:
        self.alive = False
        self.tasks: list[Any] = []
        self.cancelled: list[str] = []
        self.kills = 0
        self._said: queue.Queue[Any] = queue.Queue()

    def start(self) -> None:
        self.alive = True

    def submit(self, task: Any) -> None:
        self.tasks.append(task)

    def cancel(self, run: str) -> None:
        if run not in self.cancelled:
            self.cancelled.append(run)

    def kill(self) -> None:
        self.alive = False
        self.kills += 1

    def say(self, *events: Any) -> None:
        for event in events:
            self._said.put(event)

    def events(self, timeout: float = 0.1) -> Iterator[Any]:
        try:
            yield self._said.get(timeout=timeout)
            while True:
                yield self._said.get_nowait()
        except queue.Empty:
            return


@pytest.fixture
def workers() -> list[FakeWorker]:
    """Return the workers that the window started, oldest first."""
    return []


@pytest.fixture
def session(qapp: QApplication, workers: list[FakeWorker], own_home: Path) -> Iterator[Any]:
    """Return a session on our own analyses, with scripted workers."""
    from sensiview.gui.session import Services, Session
    from sensiview.plugin_loading import discover
    from sensiview.settings import Settings

    def worker() -> FakeWorker:
        workers.append(FakeWorker())
        return workers[-1]

    made = Session(Services(settings=Settings, catalogue=discover, worker=worker))  # type: ignore[arg-type]
    yield made
    if Shiboken.isValid(made):
        made.jobs.shut_down()
        made.close_project(quiet=True)


@pytest.fixture
def window(session: Any, qapp: QApplication) -> Iterator[Any]:
    """Return the complete window, visible, without a project."""
    from sensiview.gui.main_window import MainWindow

    made = MainWindow(session)
    made.resize(1280, 800)
    made.show()
    made.complete()
    qapp.processEvents()
    yield made
    made.dialogs.close_all()
    if session.jobs.live is not None:
        session.jobs.shut_down()
    made.close()
    made.deleteLater()


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    """Return a CSV file: 40 rows, factors 'age', 'Größe, cm' and 'weight', target 'Outcome' with two classes."""
    rows = [f'{20 + i},"{150 + i % 30}",{50.5 + i},{i % 2}' for i in range(40)]
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(['age,"Größe, cm",weight,Outcome', *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def project_path(tmp_path: Path, table_file: Path) -> Path:
    """Return a project with one table, one model, a finished, a failed and an interrupted run."""
    from sensiview.datasets.reading import read_table
    from sensiview.models.card import LayerCard, ModelCard
    from sensiview.projects.store import Project

    table = read_table(table_file, name="patients", target="Outcome")
    weights = tmp_path / "net.safetensors"
    weights.write_bytes(b"never opened here")
    path = tmp_path / "study.sensiview"
    with Project.create(path, title="A study") as project:
        data = project.add_dataset(table.card, [table_file])
        card = ModelCard(
            name="net",
            architecture="diabetes_net",
            emits="probability",
            input_shape=(3,),
            input_names=table.card.features,
            output_names=("Outcome=1",),
            class_names=("0", "1"),
            n_parameters=51,
            layers=(LayerCard(name="fn1", kind="Linear", output_shape=(10,), parameters=40),),
            accuracy={"test": 0.79},
            bytes_per_row=400,
        )
        model = project.add_model(card, weights=weights)
        for name, state in (("first", "succeeded"), ("second", "failed"), ("third", "interrupted")):
            run = project.new_run(
                analysis="sobol", dataset=data.id, model=model.id, parameters={"n": 256}, name=name, seed=3
            )
            _finish(project, run.id, state)
    return path


def _finish(project: Any, run_id: str, state: str) -> None:
    import pandas as pd

    from sensiview.analysis.item_files import write_items
    from sensiview.analysis.items import IndexTable

    items = []
    if state == "succeeded":
        frame = pd.DataFrame({"factor": ["age", "Größe, cm", "weight"], "S1": [0.2, 0.3, 0.1]})
        table = IndexTable(title="First order", frame=frame, keys=("factor",), values=("S1",))
        write_items({"first_total": table}, project.run_directory(run_id))
        items = ["first_total"]
    message = "The worker process was ended by the system." if state == "failed" else ""
    project.update_run(
        run_id, state=state, items=items, message=message, evaluations=1280, seconds=0.5,
        started="2026-01-02T10:00:00+00:00", finished="2026-01-02T10:00:01+00:00",
    )  # fmt: skip


@pytest.fixture
def open_window(window: Any, project_path: Path) -> Any:
    """Return the window with the project open."""
    assert window.session.open(project_path)
    return window
