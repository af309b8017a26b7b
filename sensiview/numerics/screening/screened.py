"""What is screened: an input, its factors and their ranges, and the way from points of a design to scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.screening.designs import Blocks, Floats
from sensiview.numerics.screening.partition import Division

# Up to so many outputs of a network all are screened unless some are named; of more, the predicted and the true class.
MOST_OUTPUTS = 20


@dataclass(frozen=True, eq=False)
class FactorRanges:
    """The factors of one input.

    Parameters
    ----------
    names : tuple of str
    low, high : ndarray
        (factors,): the range that each is sampled from.
    value : ndarray or None
        (factors,): what it is in the input itself; None where there is no input.
    why_fixed : tuple of str
        For each factor a sentence why it can't vary; empty where it can.
    more : mapping
        Further columns of the table of factors, (factors,) each.
    """

    names: tuple[str, ...]
    low: Floats
    high: Floats
    value: Floats | None = None
    why_fixed: tuple[str, ...] = ()
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Which factors vary."""
        if not self.why_fixed:
            return np.ones(len(self.names), dtype=np.bool_)
        return np.array([not why for why in self.why_fixed], dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Screened:
    """One input to screen.

    Parameters
    ----------
    key : str
        Under which its answers are kept: ``0``, ``17``.
    name : str
        Of the input; empty for the whole space of a table.
    factors : FactorRanges
    outputs : tuple of str
        Names of the scores.
    evaluate : callable
        Blocks of a design over the active factors -> scores, (blocks, active + 1, outputs).
    division : Division or None
        Where the factors lie, of images and volumes.
    picture : ndarray or None
        float32 (1, channels, *shape): the input itself, for what is drawn.
    """

    key: str
    name: str
    factors: FactorRanges
    outputs: tuple[str, ...]
    evaluate: Callable[[Blocks], NDArray[Any]]
    division: Division | None = None
    picture: NDArray[np.float32] | None = None


def within(blocks: Blocks, low: Floats, high: Floats) -> Floats:
    """Return every point of some blocks in the factors' own values, (blocks, factors + 1, factors)."""
    return low + blocks.points() * (high - low)
