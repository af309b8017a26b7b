"""What became of each input so far: kept in the run's checkpoint, so that an interrupted study goes on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.map_items import some
from sensiview.analysis.progress import Checkpoint, Progress

_SECONDS_BETWEEN = 1.0
# Arrays that stand for inputs that are left out: the network is wrong, there is no ranking, an output is not finite.
WRONG, UNRANKED, BROKEN = np.zeros(1), np.zeros(2), np.zeros(3)


@dataclass
class LeftOut:
    """Names of the inputs that are left out, by reason."""

    wrong: list[str] = field(default_factory=list)
    unranked: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, found: Array) -> None:
        """Take an input by the array that stands for it."""
        (self.wrong, self.unranked, self.broken)[len(found) - 1].append(name)

    def sentences(self, title: str, what: str) -> list[str]:
        """Return sentences on what is odd: not on inputs that the network gets wrong, which is told elsewhere."""
        said = []
        if self.unranked:
            said.append(
                f"'{title}' gives no order of the parts of {some(self.unranked)}: all have the same effect, or none "
                f"that is known. These {what} are left out."
            )
        if self.broken:
            said.append(
                f"The network of '{title}' gives numbers that are not finite for {some(self.broken)} with parts "
                f"changed. These {what} are left out."
            )
        return said

    def nothing_left(self, title: str, model: str, what: str) -> str:
        """Return why no input is left."""
        if self.wrong:
            return f"'{model}' gets none of the {what} right, so that there is no accuracy to lose."
        if self.broken:
            return f"'{model}' gives no finite number for any of the {what} with parts changed."
        return f"'{title}' ranks nothing, so that there is nothing to change."


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
