"""Distributions of input factors: quantile functions of values in (0, 1), and what a run records of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Kind: TypeAlias = Literal["uniform", "normal", "truncated_normal", "empirical"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Sobol' points are multiples of 2^-30 and may be 0, where a normal quantile is minus infinity.
_SMALLEST = 2.0**-32


@dataclass(frozen=True)
class Factor:
    """One sampled factor and how it is distributed.

    Parameters
    ----------
    name : str
        The column.
    kind : str
        ``uniform`` on [low, high]; ``normal`` with mean and std; ``truncated_normal``, the same cut to [low, high];
        ``empirical``, the values of a data column, each as often as it occurs.
    low, high, mean, std : float
        In the unit of the column; only those that the kind needs.
    values : ndarray
        For ``empirical``: sorted, finite, float64.
    """

    name: str
    kind: Kind = "uniform"
    low: float = 0.0
    high: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    values: Array = field(default_factory=lambda: np.empty(0), compare=False, repr=False)

    def quantiles(self, u: Array) -> Array:
        """Return the quantile function at `u`.

        Parameters
        ----------
        u : ndarray, float64, any shape
            In [0, 1].

        Returns
        -------
        ndarray, float64, shape of `u`
            In the unit of the column, always finite.
        """
        if self.kind == "uniform":
            # In this order and form SALib scales too: the same bits.
            return u * (self.high - self.low) + self.low
        if self.kind == "empirical":
            # Inverse of the empirical distribution function: the smallest value with F(value) >= u.
            n = len(self.values)
            return self.values[np.clip(np.ceil(u * n).astype(np.int64) - 1, 0, n - 1)]
        from scipy import stats

        inside = np.clip(u, _SMALLEST, 1 - _SMALLEST)
        if self.kind == "normal":
            found = stats.norm.ppf(inside, loc=self.mean, scale=self.std)
        else:
            left, right = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
            found = stats.truncnorm.ppf(inside, left, right, loc=self.mean, scale=self.std)
            found = np.clip(found, self.low, self.high)
        return np.asarray(found, dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """Return the distribution as JSON values; an empirical one by its size and fingerprint, not its values."""
        told: dict[str, Any] = {"factor": self.name, "kind": self.kind}
        if self.kind in ("uniform", "truncated_normal"):
            told |= {"low": float(self.low), "high": float(self.high)}
        if self.kind in ("normal", "truncated_normal"):
            told |= {"mean": float(self.mean), "std": float(self.std)}
        if self.kind == "empirical":
            told |= {
                "low": float(self.values[0]),
                "high": float(self.values[-1]),
                "count": len(self.values),
                "sha256": hashlib.sha256(np.ascontiguousarray(self.values).tobytes()).hexdigest(),
            }
        return told

    def words(self) -> str:
        """Return the distribution in words, for notes and the methods paragraph."""
        if self.kind == "uniform":
            return f"uniform on [{self.low:g}, {self.high:g}]"
        if self.kind == "normal":
            return f"normal with mean {self.mean:g} and standard deviation {self.std:g}"
        if self.kind == "truncated_normal":
            return (
                f"normal with mean {self.mean:g} and standard deviation {self.std:g}, "
                f"cut to [{self.low:g}, {self.high:g}]"
            )
        return f"as in the data ({len(self.values):,} values from {self.values[0]:g} to {self.values[-1]:g})"
