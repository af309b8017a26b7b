"""What all studies on screenings do alike: read the runs, say things once, count, keep what is known when stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from sensiview.analysis.progress import Progress
from sensiview.analysis.screening_runs import ScreeningRun, named_runs, read_screenings
from sensiview.analysis.study import Finished, Study
from sensiview.analysis.trace_memory import TraceMemory
from sensiview.errors import Stopped


class ScreeningStudyRun:
    """Base of the runs of studies.

    Parameters
    ----------
    study, progress
        Of the analysis.

    Attributes
    ----------
    evaluations : int
        Rows put through networks so far.
    warnings : list of str
        What was said.
    """

    def __init__(self, study: Study, progress: Progress) -> None:
        self.study, self.progress = study, progress
        self.evaluations = 0
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        """Keep a sentence with the result and show it, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)
            self.progress.warn(sentence)

    def read(self, names: Sequence[str], *, steps: int = 0) -> tuple[list[Finished], list[ScreeningRun]]:
        """Return the runs of that name, and what is in them; each advances by one where the stage has `steps` per run.

        Raises
        ------
        UserError
            One is not there or is no screening.
        """
        assert self.study.dataset is not None
        named = named_runs(self.study, names)
        self.progress.stage("Reading screenings", steps * len(named) or None)
        runs = read_screenings(named, self.study.dataset.kind, lambda: self.progress.advance(1 if steps else 0))
        return list(named), list(runs)

    def count(self, rows: int) -> None:
        """Count rows and pass them on."""
        self.evaluations += rows
        self.progress.advance(rows)

    @contextlib.contextmanager
    def keeping(self, memory: TraceMemory) -> Iterator[None]:
        """Write what is known at the end, and when stopped: what came since the last checkpoint is worth keeping."""
        try:
            yield
        except Stopped:
            with contextlib.suppress(Stopped):
                memory.write()
            raise
        memory.write()
