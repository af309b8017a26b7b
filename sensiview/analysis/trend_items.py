"""Screenings in the order of a number as result items and sentences. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import Curve, IndexTable, Interval, Item
from sensiview.analysis.screening_runs import ScreeningRun
from sensiview.errors import UserError
from sensiview.numerics.screening.crossed_bootstrap import mean_with_interval, resampled_means
from sensiview.numerics.screening.designs import Floats

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = ("mu_star", "sigma")


@dataclass(frozen=True, eq=False)
class Point:
    """One screening of a trend.

    Parameters
    ----------
    number : float
        Where it stands.
    run : ScreeningRun
    mu_star, sigma : ndarray
        float64 (inputs, factors), mean over the outputs, in the outputs' unit; one row where only an average is known.
    """

    number: float
    run: ScreeningRun
    mu_star: Floats
    sigma: Floats


def point_of(number: float, run: ScreeningRun, factors: Sequence[str]) -> Point:
    """Return what a screening says of these factors, input by input.

    Raises
    ------
    UserError
        It has other factors, or no effect that is finite.
    """
    found = list(run.own.values()) or ([run.average] if run.average is not None else [])
    measures = []
    for name in _MEASURES:
        rows = []
        for one in found:
            if set(one.factors) != set(factors):
                raise UserError(
                    f"'{run.title}' has other factors ({', '.join(one.factors[:5])}) than the first screening "
                    f"({', '.join(factors[:5])}). Choose screenings of the same parts."
                )
            rows.append(getattr(one, name)[[one.factors.index(factor) for factor in factors]].mean(axis=1))
        measures.append(np.stack(rows))
    finite = np.isfinite(measures[0]).all(axis=1) & np.isfinite(measures[1]).all(axis=1)
    if not finite.any():
        raise UserError(f"'{run.title}' has no effects that are finite numbers. Run it again with another output.")
    return Point(number, run, measures[0][finite], measures[1][finite])


def trend_items(
    points: Sequence[Point], factors: Sequence[str], quantity: str, resamples: int, seed: int
) -> dict[str, Item]:
    """Return ``trend``, ``shares`` and ``leaders``."""
    import pandas as pd

    axis = quantity or "number"
    rows: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    leaders: list[dict[str, Any]] = []
    for point in points:
        found = {name: mean_with_interval(getattr(point, name), resamples, seed) for name in _MEASURES}
        largest = {name: float(estimate.value.max()) or 1.0 for name, estimate in found.items()}
        for place, factor in enumerate(factors):
            row: dict[str, Any] = {"factor": factor, axis: point.number}
            share: dict[str, Any] = {"run": point.run.title, "factor": factor}
            for name, estimate in found.items():
                ends = float(estimate.value[place]), float(estimate.low[place]), float(estimate.high[place])
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
                scaled = (end / largest[name] for end in ends)
                share |= dict(zip((name, f"{name}_low", f"{name}_high"), scaled, strict=True))
            rows.append(row)
            shares.append(share)
        leaders.append(_leader(point, factors, axis, resamples, seed))
    units = points[0].run.units
    first = {row["leading"] for row in leaders}
    verdict = f": {first.pop()} leads" if len(first) == 1 else ""
    bands = {name: Interval(low=f"{name}_low", high=f"{name}_high") for name in _MEASURES}
    return {
        "trend": Curve(
            title=f"Effects over {quantity or 'the number of each screening'}{verdict}",
            description="Means over inputs and outputs with 95 % intervals over inputs. mu_star: importance; sigma: "
            "what is non-linear or interacts.",
            frame=pd.DataFrame(rows),
            x=axis,
            y=_MEASURES,
            series=("factor",),
            bands=bands,
            units={axis: "", **{name: units.get(name, "") for name in _MEASURES}},
        ),
        "shares": IndexTable(
            title="Effects as shares of the largest",
            description="Each measure over the largest among the factors of its screening, with the 95 % interval.",
            frame=pd.DataFrame(shares),
            keys=("run", "factor"),
            values=_MEASURES,
            units=dict.fromkeys(_MEASURES, "share of the largest"),
            intervals=bands,
        ),
        "leaders": _leaders_item(pd.DataFrame(leaders), axis, units.get("mu_star", "")),
    }


def _leader(point: Point, factors: Sequence[str], axis: str, resamples: int, seed: int) -> dict[str, Any]:
    """Return which factor leads, and by how much: paired over inputs, as both factors see the same ones."""
    mean = point.mu_star.mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    first, second = int(order[0]), int(order[1 % len(order)])
    ahead = point.mu_star[:, first] - point.mu_star[:, second]
    low = high = float("nan")
    if len(ahead) > 1:
        low, high = np.quantile(resampled_means(ahead[:, None], resamples, seed), (0.025, 0.975)).tolist()
    return {
        "run": point.run.title,
        axis: point.number,
        "leading": factors[first],
        "next": factors[second],
        "mu_star": float(mean[first]),
        "ahead": float(ahead.mean()),
        "ahead_low": low,
        "ahead_high": high,
        "inputs": len(ahead),
    }


def _leaders_item(frame: pd.DataFrame, axis: str, unit: str) -> IndexTable:
    return IndexTable(
        title="Which factor leads",
        description="The factor of the largest mu_star, and how far it is ahead of the next one: mean over inputs with "
        "its 95 % interval. Where that lies above 0, the lead is no chance of the inputs.",
        frame=frame,
        keys=("run", axis, "leading", "next"),
        values=("mu_star", "ahead", "inputs"),
        units={axis: "", "mu_star": unit, "ahead": unit, "inputs": ""},
        intervals={"ahead": Interval(low="ahead_low", high="ahead_high")},
        plot="none",
    )


def trend_sentences(items: Mapping[str, Item], factors: Sequence[str], quantity: str) -> list[str]:
    """Return which factor leads in every screening, and which effects rise or fall all the way."""
    leaders, trend = items["leaders"], items["trend"]
    assert isinstance(leaders, IndexTable)
    assert isinstance(trend, Curve)
    said = []
    for row in leaders.frame.to_dict("records"):
        times = row["mu_star"] / max(row["mu_star"] - row["ahead"], 1e-300)
        sure = "" if row["ahead_low"] > 0 else "; that lead may be chance"
        said.append(
            f"'{row['run']}' rests most on {row['leading']}: its mu_star ({row['mu_star']:.3g}) is {times:.3g} times "
            f"that of {row['next']}{sure}."
        )
    what = quantity or "the number"
    for factor in factors:
        values = trend.frame.loc[trend.frame["factor"] == factor, "mu_star"].to_numpy()
        steps = np.diff(values)
        # Two points always rise or fall.
        if len(steps) > 1 and ((steps > 0).all() or (steps < 0).all()):
            way = "rises" if steps[0] > 0 else "falls"
            said.append(f"mu_star of {factor} {way} all the way with {what}, from {values[0]:.3g} to {values[-1]:.3g}.")
    mean = trend.frame.groupby("factor")["mu_star"].mean()
    quiet = [factor for factor in factors if mean[factor] < 0.2 * mean.max()]
    if quiet:
        verb = "matters" if len(quiet) == 1 else "matter"
        said.append(f"{', '.join(quiet)} {verb} little: on average below a fifth of the largest.")
    return said


def planted_sentence(points: Sequence[Point]) -> str:
    """Return what a leading factor means where all screenings are of digits made here; empty for other data."""
    if any(point.run.run.dataset is None or "biased_digits" not in point.run.run.dataset.extra for point in points):
        return ""
    return "Colours and place say nothing about the shape of a digit: a network that rests on them cheats."
