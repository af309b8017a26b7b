"""What became of each input so far: kept in the run's checkpoint, so that an interrupted study goes on."""

from __future__ import annotations

import math
import time

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.progress import Checkpoint, Progress

_SECONDS_BETWEEN = 1.0


class TraceMemory:
    """Arrays by run and input.

    Parameters
    ----------
    progress : Progress
        Gives back what an earlier part of the run kept.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        earlier = progress.restored()
        self._arrays: dict[str, Array] = dict(earlier.arrays) if earlier is not None else {}
        self._written = -math.inf

    def get(self, run: int, index: int) -> Array | None:
        """Return what was kept of an input; None where nothing was."""
        found = self._arrays.get(f"{run}_{index}")
        return None if found is None else np.array(found)

    def keep(self, run: int, index: int, values: Array) -> Array:
        """Keep an array, and write all of them now and then; returns the array."""
        self._arrays[f"{run}_{index}"] = values
        if time.monotonic() - self._written >= _SECONDS_BETWEEN:
            self.write()
        return values

    def write(self) -> None:
        """Write what is kept."""
        self._written = time.monotonic()
        self._progress.checkpoint(Checkpoint(dict(self._arrays)))
