"""What a run of masks keeps and shows while it is at work."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from sensiview.analysis.mask_study import MaskStudy
from sensiview.analysis.progress import Checkpoint, Progress

if TYPE_CHECKING:
    from sensiview.numerics.mask_run import MaskRun

_SECONDS_BETWEEN_CHECKPOINTS = 1.0
_SECONDS_BETWEEN_PREVIEWS = 0.4


class MaskFollower:
    """Keeps checkpoints, at most one a second, as moments of a fine mask are large; shows trace and mask meanwhile.

    Parameters
    ----------
    opened : MaskStudy
    run : MaskRun
    progress : Progress
    """

    def __init__(self, opened: MaskStudy, run: MaskRun, progress: Progress) -> None:
        self._opened, self._run, self._progress = opened, run, progress
        self._kept = -math.inf
        self._shown = time.monotonic()

    def restore(self) -> None:
        """Go on from what an earlier part of the run kept."""
        if (earlier := self._progress.restored()) is not None:
            self._run.restore(earlier.arrays, earlier.values)

    def keep(self) -> None:
        """Keep the state."""
        self._kept = time.monotonic()
        arrays, values = self._run.state()
        self._progress.checkpoint(Checkpoint(arrays, values))

    def step(self, run: MaskRun) -> None:
        """Keep and show the state after a step, unless that was just done."""
        now = time.monotonic()
        if now - self._kept >= _SECONDS_BETWEEN_CHECKPOINTS:
            self.keep()
        if now - self._shown < _SECONDS_BETWEEN_PREVIEWS:
            return
        from sensiview.analysis.mask_items import live_mask, live_trace

        curve, mask = live_trace(self._opened, run), live_mask(self._opened, run)
        if curve is not None and mask is not None:
            self._progress.preview("trace", curve)
            self._progress.preview("mask", mask)
        self._shown = time.monotonic()
