"""Functions with known Sobol' indices, on the unit cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sensiview.numerics.designs import SaltelliDesign, SobolPoints
from sensiview.numerics.evaluations import Evaluations


@dataclass(frozen=True)
class Reference:
    """A function of rows in [0, 1]^D, and its exact indices."""

    name: str
    first: np.ndarray
    total: np.ndarray

    @property
    def n_factors(self) -> int:
        return len(self.first)

    def __call__(self, x: Any) -> Any:
        return ishigami(x) if self.name == "Ishigami" else sobol_g(x)

    def evaluated(self, n: int, seed: int, *, second_order: bool = False) -> Evaluations:
        """All answers of a design."""
        d = self.n_factors
        design = SaltelliDesign(tuple(range(d)), second_order)
        points = SobolPoints(2 * d, seed).take(0, n)
        rows = design.rows(points[:, :d], points[:, d:])
        return Evaluations.from_rows(self(rows.reshape(-1, d)), design.rows_per_point)


def ishigami(u: Any) -> Any:
    """Ishigami and Homma (1990), a = 7, b = 0.1, inputs uniform on [-pi, pi]."""
    x = -np.pi + 2 * np.pi * u
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


G_A = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


def sobol_g(u: Any) -> Any:
    """Sobol' G (Saltelli and Sobol' 1995), eight factors."""
    return np.prod((np.abs(4 * u - 2) + G_A) / (1 + G_A), axis=1)


def _ishigami_indices() -> tuple[np.ndarray, np.ndarray]:
    a, b, pi4, pi8 = 7.0, 0.1, np.pi**4, np.pi**8
    one, two, both = 0.5 * (1 + b * pi4 / 5) ** 2, a**2 / 8, b**2 * pi8 * (1 / 18 - 1 / 50)
    variance = one + two + both
    return np.array([one, two, 0.0]) / variance, np.array([one + both, two, both]) / variance


def _g_indices() -> tuple[np.ndarray, np.ndarray]:
    part = 1 / (3 * (1 + G_A) ** 2)
    variance = np.prod(1 + part) - 1
    return part / variance, part * np.prod(1 + part) / (1 + part) / variance


ISHIGAMI = Reference("Ishigami", *_ishigami_indices())
SOBOL_G = Reference("Sobol' G", *_g_indices())
