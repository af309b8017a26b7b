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
STALL_LIMIT_S = 0.050  # of 99 of 100 ticks while a table is analysed
MASK_LIMIT_S = 0.100  # of every tick while a mask is optimised
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
    _type(folder, ["new", str(project)])
    _type(folder, ["add-dataset", str(project), str(table), "--name", "table", "--target", "y"])
    _type(folder, ["train", str(project), "--architecture", "mlp", "--dataset", "table", "--epochs", "20"])
    return project


def sobol_in_a_window(project: str, n: int) -> Callable[[], dict[str, float]]:
    """Prepare a real window with its project; the call runs Sobol' indices and tells how late a timer was meanwhile."""
    return _job_in_a_window(project, "sobol", {"n": n, "second_order": True})


def masks_in_a_window(project: str, steps: int) -> Callable[[], dict[str, float]]:
    """The same while a mask is optimised: its curve and the mask itself arrive in the open result page."""
    return _job_in_a_window(project, "mask_optimization", {"steps": steps, "subjects": "all"}, shown_item="mask")


def _open_item(window: Any, run: str, name: str) -> bool:
    """Show an item of a running job as soon as there is one; True when its viewer has all its canvases."""
    from sensiview.gui.viewer.workbench import ViewerWorkbench

    page = window.results.page(run)
    if page is None or name not in page.item_names():
        return False
    page.choose(name)
    benches = page.findChildren(ViewerWorkbench)
    viewer = benches[0].viewer if benches else None
    if viewer is None or viewer.drawn_by != viewer.choice.kind:
        return False
    return viewer.choice.kind != "napari" or bool(viewer.pane_3d.is_loaded)


def _job_in_a_window(
    project: str, analysis: str, parameters: dict[str, Any], *, shown_item: str = ""
) -> Callable[[], dict[str, float]]:
    from PySide6.QtCore import QTimer

    from sensiview.gui.application import apply_settings, make_application
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import Services, Session
    from sensiview.jobs.events import FINAL, Previewed, Started, Succeeded
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
    own: list[float] = []  # of each gap, what the GUI thread worked itself: the rest it waited for a processor
    last: list[tuple[float, float]] = []
    ended: list[Any] = []
    previews: list[str] = []

    def tick() -> None:
        now, worked = time.perf_counter(), time.thread_time()
        if last:
            then, before = last.pop()
            gaps.append(now - then)
            own.append(worked - before)
        last.append((now, worked))

    timer = QTimer(window, interval=_TICK_MS)
    timer.timeout.connect(tick)

    def hear(event: Any) -> None:
        if isinstance(event, Started):
            timer.start()
        elif isinstance(event, Previewed):
            previews.append(event.name)
        elif isinstance(event, FINAL):
            ended.append(event)
            timer.stop()

    session.job_event.connect(hear)

    def call() -> dict[str, float]:
        run = session.start_analysis(analysis, parameters)
        window.commands.open_entry("run", run.id)
        deadline = time.monotonic() + 600
        opened = not shown_item
        while not ended and time.monotonic() < deadline:
            app.processEvents()
            time.sleep(0.0005)
            if not opened and _open_item(window, run.id, shown_item):
                # What opening a viewer takes is measured elsewhere: from here on there is only what the job does.
                opened = True
                gaps.clear()
                own.clear()
                last.clear()
        window.close()
        if not ended or not isinstance(ended[0], Succeeded):
            raise RuntimeError(f"the job did not succeed: {ended}")
        gaps.sort()
        late = gaps[int(0.99 * (len(gaps) - 1))]
        return {"late": late, "longest": gaps[-1], "own": max(own), "ticks": len(gaps), "previews": len(previews)}

    return call


def make_brain_project(folder: Path) -> Path:
    """Make a project of six noisy volumes of 61 x 73 x 61 voxels and a 3-D network, by the commands a user types."""
    import nibabel as nib
    import numpy as np

    volumes = folder / "volumes"
    volumes.mkdir()
    draw = np.random.default_rng(1)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (61, 73, 61)), indexing="ij")
    inside = sum(axis**2 for axis in axes) < 0.8
    affine = np.array([[3.0, 0, 0, -90], [0, 3, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])
    rows = ["participant_id\tdiagnosis"]
    for number in range(6):
        values = (inside * draw.uniform(0.3, 0.9, inside.shape)).astype(np.float32)
        name = f"sub-{number:02d}"
        nib.save(nib.Nifti1Image(values, affine), volumes / f"{name}_gm.nii.gz")
        rows.append(f"{name}\t{'patient' if number % 2 else 'control'}")
    (volumes / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    project = folder / "brain.sensiview"
    _type(folder, ["new", str(project)])
    _type(folder, ["add-dataset", str(project), str(volumes), "--name", "brain", "--target", "diagnosis"])
    _type(folder, ["train", str(project), "--architecture", "cnn3d", "--dataset", "brain", "--epochs", "1"])
    return project


def _type(folder: Path, command: list[str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "sensiview", *command], check=True, env=environment(folder), cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


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
            for what, measured, limit in (
                ("Sobol' runs", measure(sobol_in_a_window, str(project), 65_536), STALL_LIMIT_S),
                (
                    "a mask is optimised and shown",
                    measure(masks_in_a_window, str(make_brain_project(folder)), 60),
                    MASK_LIMIT_S,
                ),
            ):
                late, longest = measured.value["late"], measured.value["longest"]
                worst = late if limit == STALL_LIMIT_S else longest
                yield Benchmark(
                    f"GUI thread stall while {what}, 99th percentile {1000 * late:.0f} ms, own work at most "
                    f"{1000 * measured.value['own']:.0f} ms, longest",
                    longest,
                    target=f"{limit:g} s" + (" (99 %)" if limit == STALL_LIMIT_S else ""),
                    met=worst <= limit,
                    ours_mb=measured.process_mb,
                )
        finally:
            os.environ.clear()
            os.environ.update(before)
