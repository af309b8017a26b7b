"""The words for baselines of integrated gradients. Loads no torch."""

from __future__ import annotations

from sensiview.errors import UserError, suggestion
from sensiview.numerics.replacement import parse_fill

NOISE = "noise"
WORDS = ("black", "blurred", "mean", NOISE, "controls", "zero", "one")


def parse_baseline(baseline: float | str) -> str:
    """Return the kind of a baseline: ``noise``, or what `parse_fill` says.

    Raises
    ------
    UserError
        Neither a finite number nor one of the words.
    """
    if isinstance(baseline, str) and baseline.strip().lower() == NOISE:
        return NOISE
    try:
        return parse_fill(baseline)[0]
    except UserError:
        if not isinstance(baseline, str) or baseline.strip().lower() in ("nan", "inf", "-inf"):
            raise
        raise UserError(
            f"The baseline '{baseline}' is neither a number nor a known word.{suggestion(baseline, list(WORDS))}"
        ) from None
