"""One input that was screened: its measures over all factors, what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Remark
from sensiview.numerics.screening.effects import MEASURES

if TYPE_CHECKING:
    from sensiview.numerics.screening.effects import Screening
    from sensiview.numerics.screening.screened import Screened
    from sensiview.numerics.screening.study import Outcome

# Ends of an estimate.
PARTS = ("value", "conf", "low", "high")
NO_EFFECT, LEFT_OUT = "no_effect", "left_out"


@dataclass(frozen=True, eq=False)
class Finished:
    """One input that was screened: what it was, and the measures of all its factors, active or not."""

    what: Screened
    outcome: Outcome | None

    def values(self, measure: str, part: str = "value") -> NDArray[np.float64]:
        """Return a measure, (factors, outputs); 0 for factors that don't vary."""
        return spread_out(self.outcome.screening if self.outcome else None, self.what, measure, part)


def spread_out(screening: Screening | None, what: Screened, measure: str, part: str) -> NDArray[np.float64]:
    """Return a measure of the active factors among those of all, (factors, outputs)."""
    active = what.factors.active
    found = np.zeros((len(active), len(what.outputs)))
    if screening is not None:
        found[active] = getattr(screening[measure], part)
    return found


def whole(one: Finished) -> Screening:
    """Return the measures and draws of all factors, zeros where they don't vary."""
    from sensiview.numerics.screening.effects import Estimate, Screening

    assert one.outcome is not None
    own, active = one.outcome.screening, one.what.factors.active
    estimates = [Estimate(*(one.values(m, p) for p in PARTS)) for m in MEASURES]
    drawn = None
    if own.drawn is not None:
        drawn = np.zeros((*own.drawn.shape[:2], len(active), own.drawn.shape[3]))
        drawn[:, :, active] = own.drawn
    mu, mu_star, sigma = estimates
    return Screening(mu, mu_star, sigma, own.used, own.left_out, drawn)


def normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (factors, outputs) over the largest of each output; zeros stay zeros."""
    largest = np.nan_to_num(values).max(axis=0)
    return np.asarray(np.divide(values, largest, out=np.zeros_like(values), where=largest > 0))


def remarks_on(one: Finished, start: int) -> list[Remark]:
    """Return marks on the rows of one input, which begin at row `start`: no effect, trajectories left out."""
    what = one.what
    found = []
    count = len(what.factors.names)
    sentences = list(what.factors.why_fixed) or [""] * count
    value = what.factors.value
    if what.division is not None and value is not None:
        sentences = [
            s or ("" if v else "Its values sum up to 0; it has no effect here.")
            for s, v in zip(sentences, value, strict=True)
        ]
    for output in range(len(what.outputs)):
        for factor, sentence in enumerate(sentences):
            if sentence:
                found.append(Remark(start + output * count + factor, "mu_star", NO_EFFECT, sentence))
    left = one.outcome.screening.left_out if one.outcome else 0
    if left:
        sentence = f"{left} trajectories with an output that is not finite are left out."
        found += [Remark(start + row, "mu_star", LEFT_OUT, sentence) for row in range(count * len(what.outputs))]
    return found


def alike(one: Screened, other: Screened) -> bool:
    """Say whether two inputs have the same factors with the same ranges, and no places: one table serves both."""
    a, b = one.factors, other.factors
    return (
        a.names == b.names
        and np.array_equal(a.low, b.low)
        and np.array_equal(a.high, b.high)
        and one.division is None
        and set(a.more) == set(b.more)
    )
