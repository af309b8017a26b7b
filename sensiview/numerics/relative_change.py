"""How far a layer moves when each value of a row changes by a share of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network
from sensiview.numerics.moments import Moments

_BLOCK_BYTES = 64 << 20


def relative_change(
    network: Network,
    rows: NDArray[np.float64],
    layers: Sequence[str],
    delta: float,
    *,
    batch_size: int | None,
    advance: Callable[[int], None],
    warn: Callable[[str], None],
) -> tuple[dict[str, Moments], int]:
    """Perturb one value at a time and measure the L2 norm of each layer's change.

    Parameters
    ----------
    rows : ndarray, float64, shape (n, D)
        Raw values, all finite.
    layers : sequence of str
        Whose outputs are watched, all in the same forward passes.
    delta : float
        Value x becomes (1 + delta) x. A value 0 stays 0, and its change counts as 0.
    batch_size : int or None
        Rows per forward pass; None takes what fits.
    advance : callable
        Called after every batch with the number of evaluations it took, n (D + 1) in all. What it raises comes through.

    Returns
    -------
    moments : dict of str to Moments
        By layer, of the norms, shape (D,).
    left_out : int
        Rows for which a layer gave a number that is not finite; they are in no mean.
    """
    told = _Told(advance)
    # "layer:" says that a layer is meant, also where one is called "logit".
    evaluate = Evaluator(network, [f"layer:{name}" for name in layers], batch_size=batch_size, on_batch=told, warn=warn)
    n, d = rows.shape
    per_block = max(1, min(evaluate.batch_size, _BLOCK_BYTES // (8 * d)))
    rows_at_once = max(1, per_block // (d + 1))
    moments = {layer: Moments() for layer in layers}
    left_out = 0
    for first in range(0, n, rows_at_once):
        block = rows[first : first + rows_at_once]
        base = told.of(evaluate, block)
        norms = {layer: np.empty((len(block), d)) for layer in layers}
        # A table of thousands of columns is perturbed in several goes: never all factors of a row at once.
        for start in range(0, d, per_block):
            factors = np.arange(start, min(start + per_block, d))
            changed = np.repeat(block[:, None, :], len(factors), axis=1)
            changed[:, np.arange(len(factors)), factors] *= 1 + delta
            values = told.of(evaluate, changed.reshape(-1, d)).reshape(len(block), len(factors), -1)
            for layer in layers:
                columns = evaluate.columns[f"layer:{layer}"]
                # Numbers that are not finite are counted below, so their differences need no warning.
                with np.errstate(invalid="ignore", over="ignore"):
                    difference = values[:, :, columns].astype(np.float64) - base[:, None, columns]
                    norms[layer][:, factors] = np.sqrt((difference**2).sum(axis=2))
        finite = np.logical_and.reduce([np.isfinite(norm).all(axis=1) for norm in norms.values()])
        left_out += int((~finite).sum())
        for layer in layers:
            moments[layer].add(np.where(block == 0, 0.0, norms[layer])[finite])
    return moments, left_out


class _Told:
    """Turns the evaluator's "so many of this call are done" into "so many more are done"."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._done = 0

    def of(self, evaluate: Evaluator, rows: NDArray[np.float64]) -> NDArray[Any]:
        """Evaluate one call's rows."""
        self._done = 0
        return evaluate(rows)

    def __call__(self, done: int) -> None:
        more, self._done = done - self._done, done
        self._advance(more)
