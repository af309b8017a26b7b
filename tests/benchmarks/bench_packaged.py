"""The packaged program: seconds from a cold cache to the first paint, beside the checkout's warm start.

Needs ``build/package/program`` (``bash installer/build.sh --folder``); without it there is nothing to measure.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_window import ROOT, seconds_to_first_paint, start_command
from harness import Benchmark

START_LIMIT_S = 3.0
_PROGRAM = ROOT / "build" / "package" / "program" / "sensiview"


def forget(folder: Path) -> None:
    """Ask the system to drop every file of a folder from its cache, as after switching the machine on."""
    os.sync()  # what is not on the disk yet stays in the cache
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def benchmarks() -> Iterator[Benchmark]:
    """Yield the first start, when the program was built."""
    if not (_PROGRAM / "sensiview").is_file() or not hasattr(os, "posix_fadvise"):
        return
    with tempfile.TemporaryDirectory(prefix="sensiview-bench-") as name:
        home = Path(name)
        command = start_command(home)
        seconds_to_first_paint(home, command)
        warm = statistics.median(seconds_to_first_paint(home, command) for _ in range(3))
        starts = []
        for _ in range(3):
            forget(_PROGRAM)
            starts.append(seconds_to_first_paint(home, [str(_PROGRAM / "sensiview")]))
        cold = statistics.median(starts)
        yield Benchmark(
            "packaged program: window from a cold cache, median of 3",
            cold,
            peer="checkout, warm",
            peer_seconds=warm,
            ratio=warm / cold,
            target=f"{START_LIMIT_S:g} s",
            met=cold <= START_LIMIT_S,
        )
