"""Pairs of parts as result items and sentences. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import IndexTable, Interval, Item
from sensiview.numerics.screening.crossed_bootstrap import Estimate
from sensiview.numerics.screening.interactions import PairStudy

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairedRun:
    """What became of the inputs of one screening.

    Parameters
    ----------
    title, key : str
        Of the run, and the column of its inputs' names.
    names : tuple of str
        Of the inputs that the network gets right.
    right, score : ndarray
        (inputs, groups, sets, draws): of the top parts (group 0) and of random ones.
    every_score : ndarray or None
        The same of all inputs, right or wrong, where values are drawn anew.
    parts : sequence of str
        Names of the paired parts.
    local : bool
        Whether every input has its own ranking.
    unit : str
        Of the score.
    classes : bool
        Whether the network can be right or wrong.
    """

    title: str
    key: str
    names: tuple[str, ...]
    right: Floats
    score: Floats
    every_score: Floats | None
    parts: Sequence[str]
    local: bool
    unit: str
    classes: bool

    def quantities(self) -> tuple[str, ...]:
        """Return what is told of this network."""
        return ("accuracy", "score") if self.classes else ("score",)

    def studies(self, quantity: str) -> list[PairStudy]:
        """Return the pairs of the top parts, then those of each random set."""
        values = np.moveaxis(self.right if quantity == "accuracy" else self.score, 3, 2)
        return [PairStudy(values[:, group], len(self.parts), quantity) for group in range(values.shape[1])]


def pair_items(runs: Sequence[PairedRun], resamples: int, seed: int) -> dict[str, Item]:
    """Return ``ratio``, ``pairs`` and ``ratio_each``."""
    import pandas as pd

    ratios: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    each: list[dict[str, Any]] = []
    for run in runs:
        for quantity in run.quantities():
            ratios.append(_ratio_row(run, quantity, resamples, seed))
        pairs += _pair_rows(run, resamples, seed)
        if run.local and len(run.names) > 1:
            shares = run.studies("score")[0].each()
            each += [
                {"run": run.title, run.key: name, "ratio": float(share)}
                for name, share in zip(run.names, shares, strict=True)
            ]
    order = {name: place for place, name in enumerate(("accuracy", "score"))}
    ratios.sort(key=lambda row: order[row["quantity"]])
    columns = ("interacting", "certain", "substituting", "random")
    frame = pd.DataFrame(pairs)
    values = tuple(name for name in ("accuracy_excess", "score_excess") if name in frame)
    items: dict[str, Item] = {
        "ratio": IndexTable(
            title="Share of pairs that interact",
            description="interacting: the share of pairs of top parts that cost more when each is changed first than "
            "when it is changed second, d1 + g1 > d2 + g2. certain: the share whose excess is above 0 with its whole "
            "interval. substituting: d1 + g1 < d2 + g2, parts that stand in for each other. random: interacting pairs "
            "of as many random parts. With 95 % intervals over inputs.",
            frame=pd.DataFrame(ratios),
            keys=("quantity", "run"),
            values=columns,
            units=dict.fromkeys(columns, "share of the pairs") | {"pairs": "", "inputs": ""},
            intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in columns if name != "certain"},
        ),
        "pairs": IndexTable(
            title="Pairs of parts",
            description="d1, d2: what is lost when the first part is changed, and when the second is after it; g1, g2: "
            "in the other order. excess = (d1 + g1 - d2 - g2) / 2: above 0 the pair interacts, below 0 each stands in "
            "for the other. strength: half of the root mean square of the second difference of the score.",
            frame=frame,
            keys=("run", "part_1", "part_2"),
            values=values,
            units=_units(runs, frame),
            intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in values},
            plot="matrix",
        ),
    }
    if each:
        items["ratio_each"] = IndexTable(
            title="Share of pairs that interact, input by input",
            description="By the score of the true class: the share of the pairs of each input's top parts with "
            "d1 + g1 > d2 + g2.",
            frame=pd.DataFrame(each),
            keys=("run", next(run.key for run in runs if run.local)),
            values=("ratio",),
            units={"ratio": "share of the pairs"},
            plot="points",
        )
    return items


def _ratio_row(run: PairedRun, quantity: str, resamples: int, seed: int) -> dict[str, Any]:
    top, *random = run.studies(quantity)
    row: dict[str, Any] = {"quantity": quantity, "run": run.title}
    for name, found in top.ratios(resamples, seed).items():
        row |= _told(name, found)
    row["certain"] = float((top.excess(resamples, seed).low > top.tolerance).mean())
    row |= _told("random", _mean_of([one.ratios(resamples, seed)["interacting"] for one in random]))
    return row | {"pairs": len(top.changes().d1), "inputs": len(run.names)}


def _mean_of(found: Sequence[Estimate]) -> Estimate:
    """Return the mean of the ratios of several random sets; its interval is the mean of theirs."""
    if not found:
        nothing = np.asarray(np.nan)
        return Estimate(nothing, nothing, nothing)
    return Estimate(*(np.mean([getattr(one, name) for one in found], axis=0) for name in ("value", "low", "high")))


def _pair_rows(run: PairedRun, resamples: int, seed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"run": run.title, "part_1": one, "part_2": other} for one, other in combinations(run.parts, 2)
    ]
    for quantity in run.quantities():
        study = run.studies(quantity)[0]
        changes, excess = study.changes(), study.excess(resamples, seed)
        interacting = changes.interacting(study.tolerance)
        for place, row in enumerate(rows):
            row |= {f"{quantity}_{name}": float(getattr(changes, name)[place]) for name in ("d1", "d2", "g1", "g2")}
            row |= {
                f"{quantity}_excess": float(excess.value[place]),
                f"{quantity}_excess_low": float(excess.low[place]),
                f"{quantity}_excess_high": float(excess.high[place]),
                f"{quantity}_interacting": bool(interacting[place]),
            }
    for row, found in zip(rows, _strengths(run), strict=True):
        row |= found
    return rows


def _strengths(run: PairedRun) -> list[dict[str, float]]:
    """Return the strength of each pair; of values drawn anew its square as a share of the variance over inputs."""
    if run.every_score is None:
        return [{"strength": float(value)} for value in run.studies("score")[0].strength()]
    values = np.moveaxis(run.every_score, 3, 2)[:, 0]
    found = PairStudy(values, len(run.parts), "score").strength()
    variance = float(values[:, 0, 0].var())
    shares = np.square(found) / variance if variance > 0 else np.full(len(found), np.nan)
    return [
        {"strength": float(value), "superset_importance": float(share)}
        for value, share in zip(found, shares, strict=True)
    ]


def _units(runs: Sequence[PairedRun], frame: Any) -> dict[str, str]:
    score = runs[0].unit
    found = {}
    for column in frame.columns:
        name = str(column)
        if name.startswith("accuracy_") and not name.endswith("interacting"):
            found[name] = "share of the inputs"
        elif name.startswith("score_") and not name.endswith("interacting"):
            found[name] = score
    return found | {"strength": score, "superset_importance": "share of the variance"}


def pair_sentences(runs: Sequence[PairedRun], items: Mapping[str, Item]) -> list[str]:
    """Return how many pairs of each network interact, beside random ones."""
    ratio = items["ratio"]
    assert isinstance(ratio, IndexTable)
    said = []
    for row in ratio.frame.to_dict("records"):
        what = "accuracy" if row["quantity"] == "accuracy" else "the score"
        text = (
            f"'{row['run']}', by {what}: {_percent(row, 'interacting')} of {row['pairs']} pairs of top parts interact "
            f"({100 * row['certain']:.0f} % beyond doubt), {_percent(row, 'substituting')} stand in for each other"
        )
        if np.isfinite(row["random"]):
            text += f"; of random parts {_percent(row, 'random')} interact"
        said.append(f"{text} ({row['inputs']} inputs).")
    if any(run.local for run in runs):
        said.append("Every input has its own ranking: a pair is of ranks, such as the first and the second.")
    return said


def _told(name: str, found: Estimate) -> dict[str, float]:
    return {name: float(found.value), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}


def _percent(row: Mapping[Any, Any], name: str) -> str:
    low, high = float(row[f"{name}_low"]), float(row[f"{name}_high"])
    interval = f" [{100 * low:.0f}, {100 * high:.0f}]" if np.isfinite(low) else ""
    return f"{100 * float(row[name]):.0f} %{interval}"
