"""Maps that are made already, kept so that an interrupted run goes on with the next one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.models.outputs import Target
from sensiview.numerics.map_makers import FoundMaps

# More than this is not written again and again; such a run begins anew.
MOST_BYTES = 1 << 30
_EVERY_S = 20.0
Arrays = Mapping[str, NDArray[Any]]


class MapMemory:
    """Finished maps by place of their input.

    Parameters
    ----------
    keep : callable
        Writes arrays and plain values.
    clock : callable
        Seconds; replaced in tests.
    """

    def __init__(
        self, keep: Callable[[Arrays, Mapping[str, Any]], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._due = clock() + _EVERY_S
        self._arrays: dict[str, NDArray[Any]] = {}
        self._values: dict[str, Any] = {}
        self._bytes = 0

    def restore(self, arrays: Arrays, values: Mapping[str, Any]) -> None:
        """Take back what was kept."""
        self._arrays, self._values = dict(arrays), dict(values)
        self._bytes = sum(array.nbytes for array in arrays.values())

    def found(self, indices: Sequence[int]) -> list[FoundMaps]:
        """Return the maps that are there, one input each."""
        return [self._one(index) for index in indices if str(index) in self._values]

    def _one(self, index: int) -> FoundMaps:
        told = self._values[str(index)]
        sums = self._arrays.get(f"sums_{index}")
        return FoundMaps(
            (index,),
            self._arrays[f"map_{index}"][None],
            np.array([told["probability"]], dtype=np.float64),
            [tuple(Target(int(column), str(label), bool(rest)) for column, label, rest in told["targets"])],
            (str(told["predicted"]),),
            sums=None if sums is None else sums[None],
        )

    def add(self, found: FoundMaps) -> None:
        """Keep finished maps, and write all of them when the last time is long ago."""
        for place, index in enumerate(found.indices):
            self._bytes += found.values[place].nbytes
            if self._bytes > MOST_BYTES:
                self._arrays.clear()
                self._values.clear()
                return
            self._arrays[f"map_{index}"] = found.values[place]
            if found.sums is not None:
                self._arrays[f"sums_{index}"] = found.sums[place]
            self._values[str(index)] = {
                "probability": found.probability[place].tolist(),
                "targets": [[t.column, t.label, t.complement] for t in found.targets[place]],
                "predicted": found.predicted[place],
            }
        if self._clock() >= self._due:
            self.write()

    def write(self) -> None:
        """Write what is there."""
        if self._values:
            self._due = self._clock() + _EVERY_S
            self._keep(self._arrays, self._values)
