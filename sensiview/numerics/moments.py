"""Mean, spread and mean square of what comes in pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Moments:
    """Mean, standard deviation and mean square over rows that come in pieces (Chan, Golub and LeVeque 1979).

    Values are float64; the size of the pieces changes the results by rounding only.
    """

    count: int = 0
    _mean: Array | float = 0.0
    _deviations: Array | float = 0.0  # sum of squared deviations from the mean

    def add(self, values: Array) -> None:
        """Add rows, shape (n, ...)."""
        n = len(values)
        if n == 0:
            return
        mean = values.mean(axis=0)
        deviations = ((values - mean) ** 2).sum(axis=0)
        total = self.count + n
        shift = mean - self._mean
        self._mean = self._mean + shift * (n / total)
        self._deviations = self._deviations + deviations + shift**2 * (self.count * n / total)
        self.count = total

    @property
    def mean(self) -> Array:
        """Mean over the rows, shape (...); NaN without rows."""
        return np.asarray(self._mean if self.count else np.nan, dtype=np.float64)

    @property
    def std(self) -> Array:
        """Sample standard deviation (n - 1), as NeuralSens gives it; NaN for fewer than two rows."""
        deviations = np.asarray(self._deviations, dtype=np.float64)
        return np.sqrt(deviations / (self.count - 1)) if self.count > 1 else np.full_like(deviations, np.nan)

    @property
    def mean_square(self) -> Array:
        """Mean of the squares, NaN without rows."""
        return self.mean**2 + np.asarray(self._deviations) / max(1, self.count)
