"""Analyses that need neither torch nor data: what the tests of jobs run, here and in worker processes.

As a program it is a worker that knows them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Curve, FieldMap, IndexTable, Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError


class _Toy(Analysis[Parameters]):
    """Base of the toys."""

    needs_model: ClassVar[bool] = False

    class Parameters(Parameters):
        pass

    def obstacles(self, study: Study) -> list[str]:
        return []

    def cost(self, study: Study, parameters: Parameters) -> Cost:
        return Cost(evaluations=1, peak_bytes=1)

    def example(self) -> Example[Parameters]:
        return Example(Study(), self.Parameters())


class SumOfDraws(_Toy):
    """Adds random numbers, batch by batch, and goes on from a checkpoint.

    Only for tests.
    """

    key = "sum_of_draws"
    title = "Sum of draws"
    extendable = frozenset({"n"})

    class Parameters(Parameters):
        n: int = parameter(100, label="Draws", help="How many batches of numbers.", ge=1)
        pause: float = parameter(0.0, label="Pause", help="Seconds between batches.", unit="s", ge=0.0)
        ignore_cancel: bool = parameter(False, label="Ignore", help="Behave badly.")
        fail_at: int = parameter(-1, label="Fail", help="Raise an error at this batch.")

    def run(self, study: Study, parameters: Parameters, progress: Progress) -> Result:
        state = progress.restored()
        draws = state.arrays["draws"].copy() if state else np.zeros(0)
        begun_at = len(draws)
        progress.stage("Drawing", total=parameters.n)
        if begun_at:
            progress.advance(0)
        for i in range(begun_at, parameters.n):
            rng = np.random.default_rng([study.seed, i])
            draws = np.append(draws, rng.normal(size=50).sum())
            if i == parameters.fail_at:
                raise ZeroDivisionError("batch is broken")
            if parameters.pause:
                time.sleep(parameters.pause)
            if parameters.ignore_cancel:
                with contextlib.suppress(Stopped):
                    progress.warn("From here on it hears nothing.")
            while parameters.ignore_cancel:
                time.sleep(0.05)
            progress.checkpoint(Checkpoint({"draws": draws}, {"done": i + 1}))
            progress.advance(1)
            progress.preview("trace", _trace(draws))
        import pandas as pd  # not by the worker of the other toys: it takes a second

        table = IndexTable(
            title="Sum",
            description="The sum.",
            frame=pd.DataFrame({"factor": ["all"], "sum": [draws.sum()], "begun_at": [begun_at]}),
            keys=("factor",),
            values=("sum",),
            units={"sum": ""},
        )
        return Result({"total": table, "trace": _trace(draws)}, evaluations=parameters.n - begun_at)


def _trace(draws: np.ndarray) -> Curve:
    import pandas as pd

    return Curve(
        title="Draws",
        frame=pd.DataFrame({"batch": np.arange(len(draws)), "sum": np.cumsum(draws)}),
        x="batch",
        y=("sum",),
        units={"batch": "", "sum": ""},
    )


def _segfault() -> None:
    ctypes.string_at(0)


def _print_everywhere() -> None:
    print("a library prints", flush=True)
    os.write(1, b'{"event": "succeeded", "run": "forged"\n')
    subprocess.run(["echo", "a child prints"], check=True)
    sys.stderr.write("a library complains\n")
    if sys.stdin.read() != "":
        raise AssertionError("stdin is ours")


class Trouble(_Toy):
    """Does to its process what libraries and systems do to processes.

    Only for tests.
    """

    key = "trouble"
    title = "Trouble"

    class Parameters(Parameters):
        kind: str = parameter("none", label="Kind", help="What happens.")
        folder: str = parameter("", label="Folder", help="Where.")

    def run(self, study: Study, parameters: Parameters, progress: Progress) -> Result:
        progress.stage("Trouble")
        progress.advance(1)
        deeds: dict[str, Callable[[], object]] = {
            "none": lambda: None,
            "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "terminate": lambda: os.kill(os.getpid(), signal.SIGTERM),
            "segfault": _segfault,
            "abort": os.abort,
            "exit": lambda: os._exit(7),
            "sys_exit": lambda: sys.exit(3),
            "print": _print_everywhere,
            "memory": lambda: np.empty((1 << 50,), dtype=np.float64),
            "user": self._refuse,
        }
        deeds[parameters.kind]()
        return Result({"note": Note(title="Note", text="It went well.")}, evaluations=1)

    def _refuse(self) -> None:
        raise UserError("The factor 'x' is not known. Did you mean 'y'?", details="a table")


class BigMap(_Toy):
    """Writes a map of 8 MB.

    Only for tests.
    """

    key = "big_map"
    title = "Big map"

    def run(self, study: Study, parameters: Parameters, progress: Progress) -> Result:
        progress.advance(1)
        values = np.random.default_rng(study.seed).normal(size=(1000, 1000))
        return Result({"map": FieldMap(title="Map", values=values, axes=("y", "x"))}, evaluations=1)


def catalogue() -> Catalogue:
    return Catalogue([SumOfDraws(), Trouble(), BigMap()])


if __name__ == "__main__":
    from sensiview.jobs import worker

    if "broken-start" in sys.argv:
        raise ImportError("libtorch_cuda.so: cannot open shared object file")

    def broken() -> Catalogue:
        raise {"user": UserError("Two analyses call themselves 'x'."), "code": NameError("numpy")}[sys.argv[2]]

    sys.exit(worker.main(broken if "broken-catalogue" in sys.argv else catalogue, warm=False))
