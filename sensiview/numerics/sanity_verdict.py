"""From the numbers of the checks to plain sentences: what passes, what does not, what could not be said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["passes", "fails", "remark", "open"]

# Adebayo et al. give no thresholds. Half of the rank correlation left is a map of the input more than of the network;
# 0.7 after a little noise is half of the variance of the ranks; one in twenty is the usual level.
RANDOM_AT_MOST = 0.5
STABLE_AT_LEAST = 0.7
AVERAGE_AT_MOST = 0.9
CLEARLY_LESS = 0.95
LEVEL = 0.05
# With fewer random results chance can't be excluded at that level: (1 + 0) / (1 + n).
LEAST_RANDOM = 19


@dataclass(frozen=True)
class Judgement:
    """One check: its name, what came of it, and the sentence that says so."""

    check: str
    state: State
    sentence: str


def judge_randomisation(correlation: float) -> Judgement:
    """Judge the mean size of the rank correlation with the map of a network of random weights."""
    if math.isnan(correlation):
        return Judgement(
            "randomisation",
            "open",
            "Random weights: the map of the randomised network is constant, so there is no correlation to judge by.",
        )
    if abs(correlation) <= RANDOM_AT_MOST:
        sentence = f"depends on the weights: with all of them random its rank correlation is {correlation:.2f}"
        return Judgement("randomisation", "passes", f"The map {sentence}.")
    return Judgement(
        "randomisation",
        "fails",
        f"The map hardly depends on what the network learnt: with all weights random its rank correlation is still "
        f"{correlation:.2f}.",
    )


def judge_seeds(correlation: float, noise: float) -> Judgement:
    """Judge the mean rank correlation of the map with itself after other seeds and noise."""
    what = f"seeds and noise of {100 * noise:.3g} %" if noise else "seeds"
    if math.isnan(correlation):
        return Judgement("seeds", "open", "Stability: the map is constant, so there is no correlation to judge by.")
    if correlation >= STABLE_AT_LEAST:
        return Judgement("seeds", "passes", f"It is stable over {what} (rank correlation {correlation:.2f}).")
    return Judgement("seeds", "fails", f"It is not stable over {what} (rank correlation {correlation:.2f}).")


def judge_baseline(correlation: float, own_area: float, average_area: float) -> Judgement:
    """Judge whether an input's map says more than the average map of the others; low deletion areas are better.

    When it does not, that is a remark and no failure: a disease may lie at the same place in everybody.
    """
    if math.isnan(correlation):
        return Judgement("baseline", "open", "Average map: there are no other maps, or the map is constant.")
    if correlation < AVERAGE_AT_MOST:
        return Judgement(
            "baseline",
            "passes",
            f"It says more of one input than the average map of the others does (rank correlation {correlation:.2f}).",
        )
    if own_area < CLEARLY_LESS * average_area:
        return Judgement(
            "baseline",
            "passes",
            f"It is close to the average map of the others (rank correlation {correlation:.2f}), but removing parts in "
            f"its own order lowers the score more (area {own_area:.3f} against {average_area:.3f}).",
        )
    return Judgement(
        "baseline",
        "remark",
        f"It says no more of one input than the average map of the others does (rank correlation {correlation:.2f}): "
        "read it as a map of the group.",
    )


def judge_curve(curve: str, own: float, random: float, low: float, high: float, p: float, n: int) -> Judgement:
    """Judge a removal curve by its area against those of `n` random orders: small is good for deletion only."""
    name = curve.capitalize()
    numbers = f"area {own:.3f}, random orders {random:.3f} ({low:.3f} to {high:.3f}), p = {p:.3f}"
    if math.isnan(p):
        return Judgement(curve, "open", f"{name}: the scores are not finite, or there are no random orders.")
    if n < LEAST_RANDOM:
        return Judgement(curve, "open", f"{name}: {n} random orders are too few to judge ({numbers}).")
    if p <= LEVEL:
        return Judgement(curve, "passes", f"{name} in its order beats random orders ({numbers}).")
    return Judgement(curve, "fails", f"{name} in its order is no better than in random orders ({numbers}).")


def judge_control(drop: float, random: float, low: float, high: float, p: float, n: int, *, mask: bool) -> Judgement:
    """Judge the fall of the score against those of `n` random masks of the same volume and smoothness."""
    numbers = f"the score falls by {drop:.3f}; by {random:.3f} ({low:.3f} to {high:.3f}) for random ones, p = {p:.3f}"
    what = "mask" if mask else "map's highest part"
    if math.isnan(p):
        return Judgement("control", "open", "Random masks: the scores are not finite, or there are no random masks.")
    if n < LEAST_RANDOM:
        return Judgement("control", "open", f"Random masks: {n} are too few to judge ({numbers}).")
    if p <= LEVEL:
        return Judgement(
            "control", "passes", f"The {what} is better than a random mask of the same size and smoothness ({numbers})."
        )
    return Judgement("control", "fails", f"The {what} is no better than a random mask ({numbers}).")


def verdict(judgements: Sequence[Judgement]) -> str:
    r"""Return the sentences, a line each, led by one that says how many checks are passed.

    >>> verdict([judge_seeds(0.94, 0.0)])
    'Passes: the one check that was made.\nIt is stable over seeds (rank correlation 0.94).'
    """
    if not judgements:
        return "No check was made: all are switched off, or none is possible for this map."
    failed = [j.check for j in judgements if j.state == "fails"]
    unknown = [j.check for j in judgements if j.state == "open"]
    said = sum(j.state in ("passes", "fails") for j in judgements)
    if failed:
        head = f"Does not pass: {len(failed)} of {said} checks failed ({', '.join(failed)})."
    elif not said:
        head = "Nothing can be said: no check gave a number."
    else:
        head = "Passes: the one check that was made." if said == 1 else f"Passes: all {said} checks."
    if unknown and said:
        head += f" Not judged: {', '.join(unknown)}."
    return "\n".join([head, *(j.sentence for j in judgements)])
