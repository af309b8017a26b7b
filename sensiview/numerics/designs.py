"""Scrambled Sobol' points and the Saltelli design made of them, generated piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError

if TYPE_CHECKING:
    from scipy.stats.qmc import Sobol

Array = NDArray[np.float64]

# The longest sequence that 30-bit Sobol' numbers have, and the most dimensions with known direction numbers.
MOST_POINTS = 2**30
MOST_DIMENSIONS = 21201
# Of the rows that are made for one call of the model.
MOST_BYTES = 32 << 20


class SobolPoints:
    """Scrambled Sobol' points in [0, 1): any stretch of one infinite sequence.

    The first N points do not depend on how many are taken: N = 128 is the beginning of N = 65,536. They are those of
    ``scipy.stats.qmc.Sobol(dimensions, seed=seed)`` and of SALib: linear matrix scramble and digital shift (Matousek
    1998) of the direction numbers of Joe and Kuo (2008).

    Parameters
    ----------
    dimensions : int
        Columns, at most 21,201.
    seed : int
        Of the scramble.
    """

    def __init__(self, dimensions: int, seed: int) -> None:
        if dimensions > MOST_DIMENSIONS:
            raise UserError(
                f"Sobol' points have at most {MOST_DIMENSIONS:,} columns, and this design needs {dimensions:,}. "
                "Choose fewer factors, or hold some of them fixed."
            )
        self._dimensions = dimensions
        self._seed = seed
        self._engine: Sobol | None = None
        self._position = 0

    def take(self, start: int, stop: int) -> Array:
        """Return the points `start` (included) to `stop`, shape (stop - start, dimensions), float64."""
        if stop > MOST_POINTS:
            raise UserError(f"A Sobol' sequence ends after {MOST_POINTS:,} points. Choose a smaller n.")
        if self._engine is None or start < self._position:
            self._engine, self._position = self._fresh(), 0
        if start > self._position:
            self._engine.fast_forward(start - self._position)
        if start == 0 and (stop & (stop - 1)):
            # Taken in two pieces, as scipy warns of a first piece that is no power of two; the points are the same.
            whole = np.concatenate((self._engine.random(1), self._engine.random(stop - 1)))
        else:
            whole = self._engine.random(stop - start)
        self._position = stop
        return np.asarray(whole, dtype=np.float64)

    def _fresh(self) -> Sobol:
        from scipy.stats import qmc

        # The number itself, as SALib passes it: scipy takes a child of a Generator, which gives other points.
        return qmc.Sobol(self._dimensions, scramble=True, seed=self._seed)


@dataclass(frozen=True)
class SaltelliDesign:
    """Which rows one base point stands for (Saltelli 2002): A, AB_1..AB_G, BA_1..BA_G (second order), B.

    A base point is a point of 2D dimensions, A its first D columns, B the others. AB_i is A with the columns of group
    i taken from B, BA_i the reverse. Without groups every factor is a group of its own. Rows, their order and their
    values are those of ``SALib.sample.sobol.sample``.

    Parameters
    ----------
    groups : tuple of int
        For each of the D factors the number of its group, 0..G-1, each of them used.
    second_order : bool
        With BA_i.
    """

    groups: tuple[int, ...]
    second_order: bool

    @property
    def n_factors(self) -> int:
        """D, the number of sampled factors."""
        return len(self.groups)

    @property
    def n_groups(self) -> int:
        """G, the number of indices of first order."""
        return max(self.groups) + 1

    @property
    def rows_per_point(self) -> int:
        """Model evaluations for one base point: G + 2, or 2 G + 2."""
        return (2 * self.n_groups if self.second_order else self.n_groups) + 2

    def rows(self, a: Array, b: Array) -> Array:
        """Return the rows of some base points, in SALib's order.

        Parameters
        ----------
        a, b : ndarray
            The two halves of the base points, shape (n, D), in any unit.

        Returns
        -------
        ndarray
            Shape (n, rows_per_point, D), of the dtype of `a`.
        """
        n, n_factors = a.shape
        n_groups = self.n_groups
        rows: NDArray[Any] = np.empty((n, self.rows_per_point, n_factors), dtype=a.dtype)
        rows[:, : n_groups + 1] = a[:, None, :]
        rows[:, n_groups + 1 :] = b[:, None, :]
        for factor, group in enumerate(self.groups):
            rows[:, 1 + group, factor] = b[:, factor]
            if self.second_order:
                rows[:, 1 + n_groups + group, factor] = a[:, factor]
        return rows

    def points_per_chunk(self, n_columns: int, rows: int) -> int:
        """Return how many base points are evaluated together: a power of two, of `rows` rows and 32 MB at most."""
        most = min(rows // self.rows_per_point, MOST_BYTES // (8 * self.rows_per_point * max(n_columns, 1)))
        return 1 << (max(most, 1).bit_length() - 1)


def is_power_of_two(n: int) -> bool:
    """Say whether `n` is 1, 2, 4, 8, ..."""
    return n > 0 and n & (n - 1) == 0


def nearest_powers(n: int) -> tuple[int, int]:
    """Return the powers of two below and above `n` (at least 2)."""
    below = 1 << (max(n, 2).bit_length() - 1)
    return below, 2 * below


def stages(n: int, first: int = 128) -> list[int]:
    """Return the sample sizes of a convergence study: `first`, its doubles, and `n` itself."""
    found = [1 << k for k in range(first.bit_length() - 1, n.bit_length()) if first <= 1 << k < n]
    return [*found, n]
