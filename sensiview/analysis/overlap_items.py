"""Overlap of top parts as result items and sentences. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import IndexTable, Interval, Item, Matrix
from sensiview.analysis.overlap_plan import OverlapParameters
from sensiview.analysis.screening_runs import ScreeningRun
from sensiview.numerics.screening.crossed_bootstrap import Estimate, mean_with_interval
from sensiview.numerics.screening.overlap import expected_by_chance, from_other_inputs, mean_where, shares_near

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
INSIDE, OUTSIDE, REFERENCE = "inside", "outside", "reference inside"


@dataclass(frozen=True, eq=False)
class Compared:
    """What one screening says of the inputs that are compared.

    Parameters
    ----------
    run : ScreeningRun
    mu_star, sigma : ndarray
        float64 (inputs, parts), mean over the outputs that count; 0 beyond an input's own parts.
    parts : ndarray
        int64 (inputs,), how many parts each has.
    tops : mapping of str to ndarray
        bool (inputs, parts), the top parts by measure.
    """

    run: ScreeningRun
    mu_star: Floats
    sigma: Floats
    parts: NDArray[np.int64]
    tops: Mapping[str, Bools]


def overlap_items(
    compared: Sequence[Compared], at: int, near: Bools, names: Sequence[str], parameters: OverlapParameters, seed: int
) -> dict[str, Item]:
    """Return ``overlap``, ``sensitivity``, ``overlaps`` and ``overlap_each``.

    Parameters
    ----------
    compared : sequence of Compared
    at : int
        The reference.
    near : ndarray
        bool (inputs or 1, parts, parts): which parts are the same or touch.
    names : sequence of str
        Of the inputs.
    parameters, seed
        Of the study.
    """
    import pandas as pd

    reference, resamples = compared[at], parameters.resamples
    rows: list[dict[str, Any]] = []
    sizes: list[dict[str, Any]] = []
    each: dict[tuple[str, str], dict[str, Any]] = {}
    for by in map(str, parameters.by):
        around = _around(reference.tops[by], near)
        for one in (one for place, one in enumerate(compared) if place != at):
            shares = shares_near(one.tops[by], around)
            own = np.diagonal(shares).copy()
            chance = expected_by_chance(around.sum(axis=1), one.tops[by].sum(axis=1), one.parts, resamples, seed)
            row: dict[str, Any] = {"measure": by, "run": one.run.title}
            row |= _told("overlap", mean_with_interval(own, resamples, seed)) | _told("random", chance)
            row["other_inputs"] = from_other_inputs(shares) if len(near) == 1 else float("nan")
            rows.append(row | {"inputs": len(own)})
            for name, share in zip(names, own, strict=True):
                start = {"run": one.run.title, one.run.key or "row": name}
                each.setdefault((one.run.title, name), start)[by] = float(share)
            sizes += _sizes(one, reference, by, around, resamples, seed)
    items: dict[str, Item] = {
        "overlap": _overlap_item(pd.DataFrame(rows), reference.run.title, parameters.share),
        "sensitivity": _sensitivity_item(pd.DataFrame(sizes), reference.run),
    }
    if len(compared) > 2:
        items["overlaps"] = _matrix(compared, near, str(parameters.by[0]))
    if len(names) > 1:
        items["overlap_each"] = IndexTable(
            title="Overlap, input by input",
            description="Share of the top parts of each network that lie at or beside those of "
            f"'{reference.run.title}', by each measure.",
            frame=pd.DataFrame(list(each.values())),
            keys=("run", reference.run.key or "row"),
            values=tuple(map(str, parameters.by)),
            units=dict.fromkeys(map(str, parameters.by), "share"),
            plot="points",
        )
    return items


def _around(tops: Bools, near: Bools) -> Bools:
    """Return the top parts of each input with those beside them, (inputs, parts)."""
    found: Bools = np.matmul(tops[:, None].astype(np.int64), near.astype(np.int64))[:, 0] > 0
    return found


def _sizes(
    one: Compared, reference: Compared, by: str, around: Bools, resamples: int, seed: int
) -> list[dict[str, Any]]:
    inside = one.tops[by] & around
    places = ((INSIDE, one, inside), (OUTSIDE, one, one.tops[by] & ~around), (REFERENCE, reference, inside))
    rows = []
    for where, whose, chosen in places:
        row: dict[str, Any] = {"measure": by, "where": where, "run": one.run.title}
        for name, values in (("mu_star", whose.mu_star), ("sigma", whose.sigma)):
            row |= _told(name, mean_with_interval(mean_where(values, chosen), resamples, seed))
        rows.append(row | {"inputs": int(chosen.any(axis=1).sum())})
    return rows


def _overlap_item(frame: pd.DataFrame, reference: str, share: float) -> IndexTable:
    return IndexTable(
        title=f"Overlap with {reference}",
        description=f"Share of the top {100 * share:.3g} % of parts of each network that lie at or beside the top "
        f"parts of '{reference}' for the same input, mean over inputs with its 95 % interval. random: of as many parts "
        "chosen by chance, with the interval that holds 95 % of such means; other_inputs: held against the top parts "
        f"of '{reference}' for other inputs.",
        frame=frame,
        keys=("measure", "run"),
        values=("overlap", "random", "other_inputs"),
        units={
            "overlap": "share of the top parts",
            "random": "share of the top parts",
            "other_inputs": "share of the top parts",
            "inputs": "",
        },
        intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in ("overlap", "random")},
    )


def _sensitivity_item(frame: pd.DataFrame, reference: ScreeningRun) -> IndexTable:
    return IndexTable(
        title="Sensitivity inside and outside the overlap",
        description="Mean mu_star and sigma of each network's top parts that lie at or beside those of "
        f"'{reference.title}' (inside), of its other top parts (outside), and of '{reference.title}' at the parts "
        "inside; means over inputs with their 95 % intervals. Networks whose outputs have another scale have another "
        "scale here.",
        frame=frame,
        keys=("measure", "where", "run"),
        values=("mu_star", "sigma"),
        units={name: reference.units.get(name, "") for name in ("mu_star", "sigma")} | {"inputs": ""},
        intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in ("mu_star", "sigma")},
    )


def _matrix(compared: Sequence[Compared], near: Bools, by: str) -> Matrix:
    around = [_around(one.tops[by], near) for one in compared]
    titles = tuple(one.run.title for one in compared)
    values = [[float(np.diagonal(shares_near(one.tops[by], other)).mean()) for other in around] for one in compared]
    return Matrix(
        title=f"Overlap of all pairs, by {by}",
        description="Share of the top parts of the network in the row that lie at or beside those of the network in "
        "the column, mean over inputs.",
        values=np.array(values),
        rows=titles,
        columns=titles,
        row_axis="top parts of",
        column_axis="held against",
        value_name="overlap",
        unit="share",
    )


def overlap_sentences(
    items: Mapping[str, Item],
    compared: Sequence[Compared],
    at: int,
    names: Sequence[str],
    parameters: OverlapParameters,
) -> list[str]:
    """Return what was compared, and how far each network looks where the reference does."""
    overlap = items["overlap"]
    assert isinstance(overlap, IndexTable)
    reference = compared[at]
    count = float(np.mean(next(iter(reference.tops.values())).sum(axis=1)))
    said = [
        f"The {count:.3g} most important of {float(reference.parts.mean()):.3g} parts were compared with those of "
        f"'{reference.run.title}'{f' for {len(names)} inputs' if len(names) > 1 else ''}."
    ]
    first = str(parameters.by[0])
    for row in overlap.frame[overlap.frame["measure"] == first].to_dict("records"):
        above = row["overlap_low"] > row["random_high"]
        text = f"By {first}, {_percent(row, 'overlap')} of the top parts of '{row['run']}' lie at or beside them"
        text += f", by chance {_percent(row, 'random')}"
        text += (
            ": more than by chance." if above else "." if np.isnan(row["overlap_low"]) else ": no more than by chance."
        )
        if np.isfinite(row["other_inputs"]) and np.isfinite(row["overlap_low"]):
            other = f"{100 * row['other_inputs']:.0f} %"
            text += (
                f" Beside those of other inputs lie {other}, so that it is more than a habit of looking at one place."
                if row["overlap_low"] > row["other_inputs"]
                else f" Beside those of other inputs lie {other} as well: both look at one place, whatever is there."
            )
        said.append(text)
    return said


def _told(name: str, found: Estimate) -> dict[str, float]:
    return {name: float(found.value), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}


def _percent(row: Mapping[Any, Any], name: str) -> str:
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    interval = f" [{100 * low:.0f}, {100 * high:.0f}]" if np.isfinite(low) else ""
    return f"{100 * float(row[name]):.0f} %{interval}"
