"""What a model answered on a Saltelli design: kept in the model's own dtype, in pieces that grow by doubling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

_FIRST_BLOCK = 128


@dataclass
class Evaluations:
    """Answers per base point, in blocks of base points 0-127, 128-255, 256-511, 512-1023, ...

    Blocks are never copied when more is added. A block has the shape (outputs, points, rows per point): for one output
    it is the order in which SALib keeps its Y.

    Parameters
    ----------
    rows_per_point : int
        G + 2, or 2 G + 2 with second order.
    """

    rows_per_point: int
    n: int = 0
    blocks: list[Values] = field(default_factory=list)

    @classmethod
    def from_rows(cls, answers: Values, rows_per_point: int) -> Evaluations:
        """Take all answers at once, shape (points * rows per point, outputs) or without the last axis."""
        found = cls(rows_per_point)
        found.append(answers.reshape(len(answers), -1))
        return found

    @property
    def n_outputs(self) -> int:
        """Number of outputs; 0 before the first answer."""
        return len(self.blocks[0]) if self.blocks else 0

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The model's dtype; None before the first answer."""
        return self.blocks[0].dtype if self.blocks else None

    def append(self, answers: Values) -> None:
        """Add the answers for the next base points, shape (points * rows per point, outputs)."""
        per_point = answers.reshape(-1, self.rows_per_point, answers.shape[-1])
        taken = 0
        while taken < len(per_point):
            if self.n == self._capacity():
                shape = (per_point.shape[2], self._next_size(), self.rows_per_point)
                self.blocks.append(np.empty(shape, dtype=answers.dtype))
            count = min(len(per_point) - taken, self._capacity() - self.n)
            block = self.blocks[-1]
            at = self.n - (self._capacity() - block.shape[1])
            block[:, at : at + count] = per_point[taken : taken + count].transpose(2, 0, 1)
            self.n += count
            taken += count

    def pieces(self, n: int, points: int) -> Iterator[tuple[int, Values]]:
        """Walk through the first `n` base points: number of the first one, and a view (outputs, <= points, rows)."""
        start = 0
        for block in self.blocks:
            stop = min(start + block.shape[1], n)
            for first in range(start, stop, points):
                last = min(first + points, stop)
                yield first, block[:, first - start : last - start]
            start += block.shape[1]

    def arrays(self) -> dict[str, Values]:
        """Return the blocks by name, the last cut to what is filled: views, for a checkpoint."""
        start, found = 0, {}
        for number, block in enumerate(self.blocks):
            found[f"values_{number:02d}"] = block[:, : max(min(self.n - start, block.shape[1]), 0)]
            start += block.shape[1]
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Values], rows_per_point: int) -> Evaluations:
        """Take up what `arrays` gave, one block after the other."""
        found = cls(rows_per_point)
        for name in sorted(name for name in arrays if name.startswith("values_")):
            given = arrays[name]
            size = found._next_size()
            if given.shape[1] == size:
                block = given
            else:  # the last one, with room for what comes
                block = np.empty((given.shape[0], size, rows_per_point), dtype=given.dtype)
                block[:, : given.shape[1]] = given
            found.blocks.append(block)
            found.n += given.shape[1]
        return found

    def _next_size(self) -> int:
        return _FIRST_BLOCK << max(len(self.blocks) - 1, 0)

    def _capacity(self) -> int:
        return sum(block.shape[1] for block in self.blocks)
