"""The window: seconds from the command to the first paint, and how long the GUI thread stalls while a job runs.

Run it through ``harness.py``, under Xvfb where there is no screen; without one Qt draws into memory.
"""

from __future__ import annotations

import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness import Benchmark, measure

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 1.0
STALL_LIMIT_S = 0.050
_TICK_MS = 5
_ROWS = 768
_FACTORS = 8


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a window with its own home, drawn into memory where there is no display."""
    # Compiled modules are kept, as they are for a user, but in the measurement's own folder.
    kept = {"SENSIVIEW_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(home / "compiled")}
    values = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | kept
    if not values.get("DISPLAY") and not values.get("WAYLAND_DISPLAY") and sys.platform == "linux":
        values["QT_QPA_PLATFORM"] = "offscreen"
    return values


def seconds_to_first_paint(home: Path, command: list[str]) -> float:
    """Start the window as a user does and return the wall time until its first paint."""
    report = home / "shown"
    report.unlink(missing_ok=True)
    began = time.time()
    process = subprocess.Popen(
        command, env={**environment(home), "SENSIVIEW_REPORT_SHOWN": str(report)}, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        while not report.is_file() or not report.read_text(encoding="ascii"):
            if process.poll() is not None or time.time() - began > 60:
                raise RuntimeError("the window was not shown")
            time.sleep(0.005)
        return float(report.read_text(encoding="ascii")) - began
    finally:
        process.kill()
        process.wait()


def start_command(home: Path) -> list[str]:
    """Return the command a user types; without a display, which it refuses, the function behind it."""
    if environment(home).get("QT_QPA_PLATFORM") == "offscreen":
        return [sys.executable, "-c", "from sensiview.gui.start import run_window; run_window()"]
    return [sys.executable, "-m", "sensiview"]


def make_project(folder: Path) -> Path:
    """Make a project with a table of random factors and a small trained network, by the commands a user types."""
    table = folder / "table.csv"
    draw = random.Random(1)
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(f"x{i + 1}" for i in range(_FACTORS)), "y"])
        for _ in range(_ROWS):
            row = [draw.random() for _ in range(_FACTORS)]
            writer.writerow([*row, int(row[0] + row[1] * row[2] > 0.75)])
    project = folder / "bench.sensiview"
    for command in (
        ["new", str(project)],
        ["add-dataset", str(project), str(table), "--name", "table", "--target", "y"],
        ["train", str(project), "--architecture", "mlp", "--dataset", "table", "--epochs", "20"],
    ):
        subprocess.run(
            [sys.executable, "-m", "sensiview", *command], check=True, env=environment(folder), cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    return project


def sobol_in_a_window(project: str, n: int) -> Callable[[], dict[str, float]]:
    """Prepare a real window with its project; the call runs Sobol' indices and tells how late a timer was meanwhile."""
    from PySide6.QtCore import QTimer

    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import Services, Session
    from sensiview.gui.start import apply_settings, make_application
    from sensiview.jobs.events import FINAL, Started, Succeeded
    from sensiview.jobs.supervisor import Worker
    from sensiview.plugin_loading import discover
    from sensiview.settings import Settings

    app = make_application()
    apply_settings(app, Settings(theme="light"))
    session = Session(Services(settings=Settings, catalogue=discover, worker=Worker))
    window = MainWindow(session)
    window.resize(1280, 800)
    window.show()
    window.complete()
    session.open(Path(project))
    gaps: list[float] = []
    last: list[float] = []
    ended: list[Any] = []

    def tick() -> None:
        now = time.perf_counter()
        if last:
            gaps.append(now - last.pop())
        last.append(now)

    timer = QTimer(window, interval=_TICK_MS)
    timer.timeout.connect(tick)

    def hear(event: Any) -> None:
        if isinstance(event, Started):
            timer.start()
        elif isinstance(event, FINAL):
            ended.append(event)
            timer.stop()

    session.job_event.connect(hear)

    def call() -> dict[str, float]:
        session.start_analysis("sobol", {"n": n, "second_order": True})
        deadline = time.monotonic() + 600
        while not ended and time.monotonic() < deadline:
            app.processEvents()
            time.sleep(0.0005)
        window.close()
        if not ended or not isinstance(ended[0], Succeeded):
            raise RuntimeError(f"the job did not succeed: {ended}")
        gaps.sort()
        return {"late": gaps[int(0.99 * (len(gaps) - 1))], "longest": gaps[-1], "ticks": len(gaps)}

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Yield the start and the stalls, measured in a folder of their own."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="sensiview-bench-") as name:
        folder = Path(name)
        try:
            command = start_command(folder)
            seconds_to_first_paint(folder, command)  # warms what a second start finds warm
            shown = statistics.median(seconds_to_first_paint(folder, command) for _ in range(5))
            yield Benchmark(
                "window visible after the command, median of 5",
                shown,
                target=f"{START_LIMIT_S:g} s",
                met=shown <= START_LIMIT_S,
            )
            project = make_project(folder)
            os.environ.update(environment(folder))
            measured = measure(sobol_in_a_window, str(project), 65_536)
            late, longest = measured.value["late"], measured.value["longest"]
            yield Benchmark(
                f"GUI thread stall while Sobol' runs, 99th percentile (longest {1000 * longest:.0f} ms)",
                late,
                target=f"{STALL_LIMIT_S:g} s",
                met=late <= STALL_LIMIT_S,
                ours_mb=measured.process_mb,
            )
        finally:
            os.environ.clear()
            os.environ.update(before)
