"""Runs the benchmarks beside this file and prints one table: ours, peer, ratio, memory.

    python tests/benchmarks/harness.py [pattern]

A benchmark file ``bench_NAME.py`` has a function ``benchmarks()`` that yields `Benchmark`s as they are done. What it
measures runs in fresh processes (`measure`), so that neither imports nor earlier runs count: time and the peak of
resident memory are those of the measured call alone. A missed target is marked; the exit status is 0 all the same,
since a loaded machine misses them too.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parents[1]


@dataclass(frozen=True)
class Benchmark:
    """One line of the table. Seconds are wall time, memory the peak above what the imports take."""

    name: str
    ours_seconds: float
    peer: str = ""
    peer_seconds: float | None = None
    ratio: float | None = None  # how many times faster ours is, unless the target says otherwise
    target: str = ""
    met: bool = True
    ours_mb: float | None = None
    peer_mb: float | None = None
    max_difference: float | None = None


@dataclass(frozen=True)
class Measured:
    """What a fresh process used, and what the measured call returned (JSON values)."""

    seconds: float
    peak_mb: float  # above the resident memory after the preparation
    process_mb: float  # peak of the whole process
    value: Any


def measure(prepare: Callable[..., Callable[[], Any]], *arguments: Any, repeats: int = 1) -> Measured:
    """Run a call in fresh processes; of several repeats the one with the median time.

    Parameters
    ----------
    prepare : function at the top of a benchmark file
        Called with `arguments` in the fresh process; imports, makes its input, and returns the call to measure.
    arguments
        JSON values.
    """
    runs = []
    for _ in range(repeats):
        command = [sys.executable, __file__, "--measure", prepare.__code__.co_filename, prepare.__name__]
        done = subprocess.run(
            [*command, json.dumps(arguments)], capture_output=True, text=True, cwd=CHECKOUT, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{prepare.__name__} failed:\n{done.stderr}")
        runs.append(Measured(**json.loads(done.stdout.splitlines()[-1])))
    runs.sort(key=lambda run: run.seconds)
    return runs[len(runs) // 2]


def _measured_here(path: str, name: str, arguments: str) -> None:
    """Be the fresh process."""
    sys.path.insert(0, str(CHECKOUT))
    call = getattr(_load(Path(path)), name)(*json.loads(arguments))
    with _Peak() as peak:
        began = time.perf_counter()
        value = call()
        seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mb": peak.above, "process_mb": peak.whole, "value": value}))


class _Peak:
    """Watches the resident memory of this process: by the kernel's mark on Linux, by looking often elsewhere."""

    def __enter__(self) -> _Peak:
        import psutil

        self._process = psutil.Process()
        self._before = self._highest = self._process.memory_info().rss
        self._mark = Path("/proc/self/clear_refs")
        try:
            self._mark.write_text("5", encoding="ascii")  # the mark of the peak begins anew
            self._marked = True
        except OSError:
            self._marked = False
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        if not self._marked:
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._marked:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            self._highest = int(status.split("VmHWM:")[1].split()[0]) * 1024
        else:
            self._over.set()
            self._watcher.join()
        self.above = (self._highest - self._before) / 1e6
        self.whole = self._highest / 1e6

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self._highest = max(self._highest, self._process.memory_info().rss)


def largest_difference(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> float:
    """Return the largest absolute difference over equally named arrays; where both are missing (None) there is none."""
    import numpy as np

    worst = 0.0
    for name, expected in peer.items():
        one, other = (np.array(values, dtype=float) for values in (ours[name], expected))
        if one.shape != other.shape or (np.isnan(one) != np.isnan(other)).any():
            return float("inf")
        worst = max(worst, float(np.nanmax(np.abs(one - other), initial=0.0)))
    return worst


def median_of(call: Callable[[], Any], repeats: int = 3) -> float:
    """Return the median wall time of a call in this process, for what needs no fresh one."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    sys.path.insert(0, str(FOLDER))
    spec.loader.exec_module(module)
    return module


def _found(pattern: str) -> Iterator[Benchmark]:
    for path in sorted(FOLDER.glob("bench_*.py")):
        if pattern in path.stem:
            print(f"{path.name} ...", file=sys.stderr, flush=True)
            try:
                for benchmark in _load(path).benchmarks():
                    print(f"  {benchmark.name}", file=sys.stderr, flush=True)
                    yield benchmark
            except Exception:  # the others are still worth measuring
                traceback.print_exc()
                yield Benchmark(f"{path.name} failed", float("nan"), target="to run", met=False)


def _text(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def table(benchmarks: list[Benchmark]) -> str:
    """Return the table as text."""
    heads = ("benchmark", "ours", "peer", "", "ratio", "target", "", "ours MB", "peer MB", "max difference")
    rows = [
        (
            b.name,
            _text(b.ours_seconds, ".2f", " s"),
            _text(b.peer_seconds, ".2f", " s"),
            b.peer,
            _text(b.ratio, ".1f"),
            b.target,
            "" if not b.target else "met" if b.met else "MISSED",
            _text(b.ours_mb, ",.0f"),
            _text(b.peer_mb, ",.0f"),
            _text(b.max_difference, ".1e"),
        )
        for b in benchmarks
    ]
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measured_here(*sys.argv[2:5])
    else:
        sys.path.insert(0, str(CHECKOUT))
        print(table(list(_found(sys.argv[1] if len(sys.argv) > 1 else ""))))
