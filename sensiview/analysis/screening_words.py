"""What a Morris screening says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.screening_finished import Finished, normalised
from sensiview.analysis.screening_items import ScreeningTables

# From this ratio of sigma to mu_star on a factor is called non-linear or interacting (Garcia Sanchez et al. 2014: 0.5).
NON_LINEAR = 0.5
_NAMED = 4
_REASONS = {"width": "the intervals were narrow enough", "time": "the time was up"}


def reading(tables: ScreeningTables) -> list[str]:
    """Return sentences on which factors lead and how, over the mean where there is one."""
    one = tables.found[0]
    if tables.rows_of_mean():
        assert tables.mean is not None
        mean = tables.mean.mean()
        star, sigma, what = mean["mu_star"].value, mean["sigma"].value, f"On average over {tables.mean.count} inputs"
    elif len(tables.found) > 1:
        shares = [normalised(found.values("mu_star")).mean(axis=1) for found in tables.found]
        if len({len(share) for share in shares}) > 1:
            return [f"{len(tables.found)} inputs were screened, each with parts of its own."]
        star = np.mean(shares, axis=0)[:, None]
        spreads = [found.values("sigma").mean(axis=1) for found in tables.found]
        stars = [found.values("mu_star").mean(axis=1) for found in tables.found]
        sigma = star * (np.sum(spreads, axis=0) / np.maximum(np.sum(stars, axis=0), 1e-300))[:, None]
        what = f"Over {len(tables.found)} inputs"
    else:
        star, sigma, what = (
            one.values("mu_star"),
            one.values("sigma"),
            "In this input" if one.what.name else "Over the whole range",
        )
    return _leaders(one.what.factors.names, star, sigma, what)


def _leaders(names: Sequence[str], star: NDArray[np.float64], sigma: NDArray[np.float64], what: str) -> list[str]:
    shares = normalised(star).mean(axis=1)
    if not shares.any():
        return [f"{what} no factor changes any output."]
    order = np.argsort(-shares, kind="stable")
    leading = ", ".join(f"{names[i]} ({100 * shares[i]:.0f} %)" for i in order[:_NAMED])
    found = [f"{what} {names[order[0]]} matters most; mu_star as a share of the largest: {leading}."]
    quiet = int((shares < 0.05).sum())
    if quiet:
        found.append(f"{quiet:,} of {len(names):,} factors stay below 5 % of the largest.")
    top = order[: max(1, min(5, len(order)))]
    ratio = sigma[top].mean(axis=1) / np.maximum(star[top].mean(axis=1), 1e-300)
    curved = [names[i] for i, r in zip(top, ratio, strict=True) if r > NON_LINEAR]
    if len(curved) == len(top):
        found.append("All of the leading ones act non-linearly or with others (sigma above half of mu_star).")
    elif curved:
        found.append(f"Non-linear or interacting (sigma above half of mu_star): {', '.join(curved)}.")
    else:
        found.append("The leading ones act nearly linearly (sigma at most half of mu_star).")
    return found


def remarks(found: Sequence[Finished], n: int) -> list[str]:
    """Return sentences on what was left out, stopped early, or could not vary."""
    said = []
    left = sum(one.outcome.screening.left_out for one in found if one.outcome)
    if left:
        total = sum(len(one.outcome.answers) for one in found if one.outcome)
        said.append(f"{left:,} of {total:,} trajectories had an output that is not finite and are left out.")
    lost = [one.what.name or "the table" for one in found if one.outcome and not one.outcome.screening.used]
    if lost:
        said.append(f"No trajectory of {', '.join(lost[:_NAMED])} is finite, so there are no measures.")
    still = [one.what.name for one in found if one.outcome is None]
    if still:
        said.append(f"Nothing can vary in {', '.join(still[:_NAMED])}: every part is 0 there. Its measures are 0.")
    fixed = sum(int((~one.what.factors.active).sum()) for one in found if one.outcome)
    if fixed:
        inputs = sum(bool((~one.what.factors.active).any()) for one in found if one.outcome)
        of = f" in {inputs} inputs" if inputs > 1 else ""
        said.append(f"{fixed:,} factors{of} have no range or sum up to 0: they have no effect and are marked.")
    negative = sum(
        int((one.what.factors.value < 0).sum())
        for one in found
        if one.what.division is not None and one.what.factors.value is not None
    )
    if negative:
        said.append(
            f"{negative:,} parts have a negative sum; they are sampled between twice the sum and 0, as others between "
            "0 and twice the sum."
        )
    for reason, words in _REASONS.items():
        early = [len(one.outcome.answers) for one in found if one.outcome and one.outcome.reason == reason]
        if early:
            span = f"{min(early)}" if min(early) == max(early) else f"{min(early)} to {max(early)}"
            said.append(f"It stopped after {span} of {n} trajectories, as {words}.")
    return said
