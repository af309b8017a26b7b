"""Mean and spread of each output over a Saltelli design, and which base points can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.evaluations import Evaluations

_STEP = 8192
# Outside this range squares leave double precision, so values are first divided by a power of two.
_SAFE = (1e-100, 1e100)


@dataclass(frozen=True)
class Scale:
    """How one output is standardised.

    Parameters
    ----------
    n_used : int
        Base points all of whose answers are finite.
    used : ndarray or None
        Which, shape (n,), bool; None for all.
    mean, std : float
        Over all rows of the used base points (population standard deviation), in the output's unit.
    constant : bool
        It does not vary by more than rounding of its dtype, or no base point can be used.
    unit : float
        Power of two that values are divided by before anything else.
    """

    n_used: int
    used: NDArray[np.bool_] | None
    mean: float
    std: float
    constant: bool
    unit: float = 1.0

    def standardised(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return (values - mean) / std in float64, transposed: (points, rows) becomes (rows, points)."""
        y = np.empty(values.shape[::-1])
        y[...] = values.T
        if self.unit != 1.0:
            y /= self.unit
        y -= self.mean / self.unit
        y /= self.std / self.unit
        return y


def output_scales(evaluations: Evaluations, n: int, tick: Callable[[], None] | None = None) -> list[Scale]:
    """Return the scale of each output over the first `n` base points."""
    n_outputs = evaluations.n_outputs
    used = np.ones((n_outputs, n), dtype=np.bool_)
    for start, piece in evaluations.pieces(n, _STEP):
        used[:, start : start + piece.shape[1]] = np.isfinite(piece).all(axis=2)
        if tick is not None:
            tick()
    return [_scale(evaluations, n, output, used[output]) for output in range(n_outputs)]


def _scale(evaluations: Evaluations, n: int, output: int, used: NDArray[np.bool_]) -> Scale:
    n_used = int(used.sum())
    if n_used == 0:
        return Scale(0, used, np.nan, np.nan, constant=True)
    everything = n_used == n

    def values(start: int, piece: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = piece[output]
        return found if everything else found[used[start : start + len(found)]]

    pieces = [values(start, piece) for start, piece in evaluations.pieces(n, _STEP)]
    pieces = [piece for piece in pieces if piece.size]
    low, high = float(min(piece.min() for piece in pieces)), float(max(piece.max() for piece in pieces))
    size = max(abs(low), abs(high))
    mask = None if everything else used
    floating = np.issubdtype(pieces[0].dtype, np.floating)
    rounding = float(np.finfo(pieces[0].dtype).eps) if floating else 0.0
    if high - low <= 4 * rounding * size:
        return Scale(n_used, mask, (low + high) / 2, 0.0, constant=True)
    unit = 1.0 if _SAFE[0] < high - low and size < _SAFE[1] else 2.0 ** np.floor(np.log2(size))
    count = n_used * evaluations.rows_per_point
    if unit != 1.0:
        pieces = [piece.astype(np.float64) / unit for piece in pieces]
    mean = sum(float(piece.sum(dtype=np.float64)) for piece in pieces) / count
    squares = 0.0
    for piece in pieces:
        off = piece.astype(np.float64)
        off -= mean
        off *= off
        squares += float(off.sum())
    return Scale(n_used, mask, mean * unit, float(np.sqrt(squares / count)) * unit, constant=False, unit=unit)
