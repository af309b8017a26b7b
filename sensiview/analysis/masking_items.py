"""What changing parts one after the other did, as result items. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import Curve, IndexTable, Interval, Item

if TYPE_CHECKING:
    from sensiview.numerics.screening.crossed_bootstrap import Estimate
    from sensiview.numerics.screening.masking import Traces

_SIDES = ("top", "bottom", "random")
_WORDS = {
    "accuracy": "of the inputs that were right",
    "relative_change": "of the mean score at first",
}


@dataclass(frozen=True, eq=False)
class MaskedRun:
    """What became of the inputs of one screening.

    Parameters
    ----------
    title : str
    traces : mapping
        By measure and side; random orders have the measure ``""``.
    shares : ndarray
        (points,), share of the parts that are changed at each point.
    at : int
        The point at which drops are told.
    changed, parts : float
        Parts changed at that point, and parts of an input: means over inputs.
    unit : str
        Of the score.
    classes : bool
        Whether the network can be right or wrong.
    what : str
        What parts are called: ``parts``, ``columns``, ``factors``.
    ranked : mapping
        Names of the parts in the order in which they are changed, by measure and side; empty where every input has its
        own.
    """

    title: str
    traces: Mapping[tuple[str, str], Traces]
    shares: np.ndarray[Any, np.dtype[np.float64]]
    at: int
    changed: float
    parts: float
    unit: str
    classes: bool
    what: str = "parts"
    ranked: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """How many inputs were changed."""
        return len(next(iter(self.traces.values())).right)

    def sides(self, measure: str) -> dict[str, Traces]:
        """Return the traces of one measure by side, random orders among them where there are any."""
        keys = {side: (measure if side != "random" else "", side) for side in _SIDES}
        return {side: self.traces[key] for side, key in keys.items() if key in self.traces}


def value_columns(runs: Sequence[MaskedRun]) -> tuple[str, ...]:
    """Return what is told: accuracy and the score, or the score alone where a network has no classes."""
    every = all(run.classes for run in runs)
    return ("accuracy", "score_change", "relative_change") if every else ("score_change",)


def curves_item(runs: Sequence[MaskedRun], measures: Sequence[str], verb: str, resamples: int, seed: int) -> Item:
    """Return the curves: accuracy and change of the score over the share of parts that are changed."""
    import pandas as pd

    columns = value_columns(runs)
    rows: list[dict[str, Any]] = []
    for run in runs:
        found = {key: traces.curves(resamples, seed) for key, traces in run.traces.items()}
        for measure in measures:
            for side in run.sides(measure):
                curves = found[measure if side != "random" else "", side]
                for point, share in enumerate(run.shares):
                    row = {"run": run.title, "measure": measure, "side": side, "share": float(share)}
                    for column in columns:
                        row |= _told(column, curves[column], point)
                    names = run.ranked.get((measure, side), ())
                    row["changed"] = names[point - 1] if 0 < point <= len(names) else ""
                    rows.append(row)
    score = _score_word(runs)
    return Curve(
        title=f"Accuracy and score while parts are {verb}" if "accuracy" in columns else f"Parts {verb}: the output",
        description=f"Parts are {verb} one after the other: the most important first (top), the least important first "
        "(bottom), in random order. Mean over inputs and, where there are several, over draws, with its 95 % interval. "
        "A ranking that is right falls early from the top and stays up from the bottom.",
        frame=pd.DataFrame(rows),
        x="share",
        y=columns,
        series=("run", "measure", "side"),
        bands={column: Interval(low=f"{column}_low", high=f"{column}_high") for column in columns},
        units={"share": f"of the parts, {verb}", "score_change": score, **_known(columns)},
    )


def steps_item(runs: Sequence[MaskedRun], measures: Sequence[str], resamples: int, seed: int) -> IndexTable | None:
    """Return what each named factor costs in either order; None where every input has a ranking of its own (C 3b)."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    column = value_columns(runs)[0]
    for run in runs:
        for measure in measures if run.what != "parts" else ():
            found: dict[str, dict[str, float]] = {}
            for side, order in (("top", "most_first"), ("bottom", "least_first")):
                steps = run.traces[measure, side].steps(column, resamples, seed)
                for point, name in enumerate(run.ranked.get((measure, side), ()), start=1):
                    found.setdefault(name, {}).update(_negated(order, steps, point))
            rows += [{"run": run.title, "measure": measure, "factor": name, **row} for name, row in found.items()]
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    values = tuple(name for name in ("most_first", "least_first") if name in frame)
    unit = "share of the inputs" if column == "accuracy" else _score_word(runs)
    return IndexTable(
        title="What each factor costs in either order",
        description="What is lost when a factor is drawn anew after those before it, with the most important first, "
        "and with the least important first. A factor that costs the same in both orders does so by itself; one that "
        "costs less when it comes later shares its effect with those before it.",
        frame=frame,
        keys=("run", "measure", "factor"),
        values=values,
        units=dict.fromkeys(values, unit),
        intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in values},
    )


def drops_item(runs: Sequence[MaskedRun], measures: Sequence[str], verb: str, resamples: int, seed: int) -> IndexTable:
    """Return how far accuracy and score fell at the last point, beside random orders."""
    import pandas as pd

    columns = value_columns(runs)
    rows: list[dict[str, Any]] = []
    for run in runs:
        for measure in measures:
            sides = run.sides(measure)
            for side, traces in sides.items():
                row: dict[str, Any] = {"run": run.title, "measure": measure, "side": side}
                for column in columns:
                    row |= _fallen(column, traces, sides.get("random"), side, run.at, resamples, seed)
                row |= {"changed": run.changed, "parts": run.parts, "inputs": run.inputs}
                rows.append(row)
    names = [_drop_name(column) for column in columns]
    values = tuple(names[:2])
    each = names + [f"{name}_beyond_random" for name in names]
    frame = pd.DataFrame(rows)
    return IndexTable(
        title=f"Drop when the parts are {verb}",
        description=f"How far accuracy and the score of the true class fall when so many parts are {verb}, with 95 % "
        "intervals. beyond_random is what is lost beyond random parts, paired input by input: above 0 the choice hurts "
        "more than chance, below 0 less.",
        frame=frame,
        keys=("run", "measure", "side"),
        values=values,
        units={name: _unit_of(name, runs) for name in each} | {"changed": "parts", "parts": "parts", "inputs": ""},
        intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in each if name in frame},
    )


def _fallen(
    column: str, traces: Traces, random: Traces | None, side: str, at: int, resamples: int, seed: int
) -> dict[str, float]:
    from sensiview.numerics.screening.masking import beyond, change_estimate

    name = _drop_name(column)
    row = _negated(name, change_estimate(traces, column, resamples, seed), at)
    if random is None:
        return row
    more = f"{name}_beyond_random"
    if side == "random":
        return row | dict.fromkeys((more, f"{more}_low", f"{more}_high"), float("nan"))
    return row | _negated(more, beyond(traces, random, column, resamples, seed), at)


def _drop_name(column: str) -> str:
    return {"accuracy": "accuracy_drop", "score_change": "score_drop", "relative_change": "relative_drop"}[column]


def _told(name: str, found: Estimate, point: int) -> dict[str, float]:
    return {
        name: float(found.value[point]),
        f"{name}_low": float(found.low[point]),
        f"{name}_high": float(found.high[point]),
    }


def _negated(name: str, found: Estimate, point: int) -> dict[str, float]:
    # + 0.0: no minus zero in tables.
    return {
        name: 0.0 - float(found.value[point]),
        f"{name}_low": 0.0 - float(found.high[point]),
        f"{name}_high": 0.0 - float(found.low[point]),
    }


def _known(columns: Sequence[str]) -> dict[str, str]:
    return {column: word for column, word in _WORDS.items() if column in columns}


def _unit_of(name: str, runs: Sequence[MaskedRun]) -> str:
    if name.startswith("accuracy"):
        return "share of the inputs"
    return _score_word(runs) if name.startswith("score") else "share of the score"


def _score_word(runs: Sequence[MaskedRun]) -> str:
    return next(iter(dict.fromkeys(run.unit for run in runs)))
