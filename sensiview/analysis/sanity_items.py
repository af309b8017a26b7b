"""The checks of a map as result items, and the numbers that they are judged by. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Curve, IndexTable, Interval, Item

if TYPE_CHECKING:
    import pandas as pd

Rows = Sequence[Mapping[str, Any]]
_MEASURES = ("rank_correlation", "rank_correlation_absolute", "structural_similarity", "cosine")
_BOUNDS = (2.5, 97.5)


@dataclass(frozen=True)
class Compared:
    """A number of the map's own, those of random ones in words, and how often chance does as well."""

    own: float
    random: float
    low: float
    high: float
    p: float


def randomisation_item(rows: Rows) -> tuple[Item, float]:
    """Return likeness over the layers randomised, and the mean rank correlation at the end of the cascade.

    Without a cascade the mean over all layers, randomised one at a time. The size of the correlation counts, with and
    without the sign of the maps: the larger.
    """
    import pandas as pd

    frame = pd.DataFrame(rows)
    groups = frame.groupby(["mode", "step", "layer"], sort=False)
    means = groups[list(_MEASURES)].mean()
    means["low"], means["high"] = groups["rank_correlation"].min(), groups["rank_correlation"].max()
    told = means.reset_index()
    changed = frame[frame["step"] > 0]
    cascade = changed[changed["mode"] == "cascading"]
    last = cascade[cascade["step"] == cascade["step"].max()] if len(cascade) else changed
    sizes = last[["rank_correlation", "rank_correlation_absolute"]].abs().mean()
    item = Curve(
        title="Random weights, layer by layer",
        description="Likeness of the map to itself after more and more layers, from the output back, have random "
        "weights (cascading), or one at a time (independent). A map of what was learnt must fall towards 0.",
        frame=told,
        x="step",
        y=_MEASURES,
        series=("mode",),
        bands={"rank_correlation": Interval(low="low", high="high")},
        units={"step": "layers randomised", **dict.fromkeys(_MEASURES, "")},
    )
    return item, float(sizes.max())


def seeds_item(rows: Rows, key: str) -> tuple[Item, float]:
    """Return likeness of repeated maps, and the mean rank correlation."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    item = IndexTable(
        title="Other seeds and a little noise",
        description="Likeness of each map to itself, computed again with another seed and noise on the input.",
        frame=frame,
        keys=(key, "repeat"),
        values=_MEASURES,
        units=dict.fromkeys(_MEASURES, ""),
        plot="points",
    )
    return item, float(frame["rank_correlation"].mean())


def baseline_item(rows: Rows, key: str) -> tuple[Item, float]:
    """Return likeness to the average map of the other inputs, and its mean."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    values = ("rank_correlation", "top_overlap")
    item = IndexTable(
        title="Against the average map",
        description="Rank correlation of each map with the mean of the others' maps, and the share of its "
        f"highest tenth that is theirs too. Near 1, the map tells of the group and not of the {key}.",
        frame=frame,
        keys=(key,),
        values=values,
        units={"rank_correlation": "", "top_overlap": "share"},
    )
    return item, float(frame["rank_correlation"].mean())


def removal_items(rows: Rows, steps: int, key: str) -> tuple[dict[str, Item], dict[str, Compared], float]:
    """Return the curves, their areas, and the area of deletion in the order of the average map (NaN without)."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    shares = np.linspace(0, 1, steps + 1)
    items: dict[str, Item] = {}
    compared: dict[str, Compared] = {}
    areas: list[dict[str, Any]] = []
    for curve in ("deletion", "insertion"):
        lines, judged = _lines(frame[frame["curve"] == curve], shares, key)
        verb = "replaced" if curve == "deletion" else "put in"
        better = "falls" if curve == "deletion" else "rises"
        items[curve] = Curve(
            title=curve.capitalize(),
            description=f"Mean score while parts of the input are {verb}, the map's highest first. A map that names "
            f"what the network uses {better} earlier than random orders (band: 95 % of them).",
            frame=lines,
            x="share",
            y=("score",),
            series=("order",),
            bands={"score": Interval(low="low", high="high")},
            units={"share": f"share of the parts {verb}", "score": "probability"},
        )
        sign = -1.0 if curve == "deletion" else 1.0
        random = judged["random"]
        own = float(judged["map"][0])
        low, high = _bounds(random)
        compared[curve] = Compared(own, _mean(random), low, high, _p(sign * own, sign * random))
        areas += [
            {"curve": curve, "order": order, "area": _mean(found), "low": _bounds(found)[0], "high": _bounds(found)[1]}
            for order, found in judged.items()
        ]
    table = pd.DataFrame(areas)
    items["areas"] = IndexTable(
        title="Areas under the curves",
        description="Deletion: small is good. Insertion: large is good. The bounds hold 95 % of the random orders.",
        frame=table,
        keys=("curve", "order"),
        values=("area",),
        units={"area": "probability"},
        intervals={"area": Interval(low="low", high="high")},
    )
    average = table[(table["curve"] == "deletion") & (table["order"] == "average")]["area"]
    return items, compared, float(average.iloc[0]) if len(average) else float("nan")


def _lines(
    frame: pd.DataFrame, shares: NDArray[np.float64], key: str
) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Return the mean curve of each order over the inputs, and the area under it for every repeat."""
    import pandas as pd

    parts, areas = [], {}
    for order, of_order in frame.groupby("order", sort=False):
        curves = []
        for _, of_repeat in of_order.groupby("repeat", sort=False):
            # Inputs have different numbers of parts: the curves meet on common shares.
            single = [np.interp(shares, one["share"], one["score"]) for _, one in of_repeat.groupby(key)]
            curves.append(np.mean(single, axis=0))
        stacked = np.stack(curves)
        low, high = np.percentile(stacked, _BOUNDS, axis=0)
        mean = stacked.mean(axis=0)
        parts.append(pd.DataFrame({"order": str(order), "share": shares, "score": mean, "low": low, "high": high}))
        areas[str(order)] = np.asarray(np.trapezoid(stacked, shares, axis=1), dtype=np.float64)
    areas.setdefault("random", np.empty(0))
    return pd.concat(parts, ignore_index=True), areas


def control_item(rows: Rows, key: str) -> tuple[Item, Compared]:
    """Return the fall of the score for each input's map and for random ones, and the same over all inputs."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    whole = frame.groupby("draw", as_index=False)["drop"].mean().assign(**{key: "all"})
    told = []
    judged = Compared(*[float("nan")] * 5)
    for subject, part in pd.concat([frame, whole]).groupby(key, sort=False):
        own = float(part.loc[part["draw"] == 0, "drop"].iloc[0])
        random = part.loc[part["draw"] > 0, "drop"].to_numpy(dtype=np.float64)
        low, high = _bounds(random)
        judged = Compared(own, _mean(random), low, high, _p(own, random))
        told.append({key: subject, "kind": "map", "drop": own, "low": own, "high": own, "p": judged.p})
        told.append(
            {key: subject, "kind": "random", "drop": judged.random, "low": low, "high": high, "p": float("nan")}
        )
    item = IndexTable(
        title="Against random masks",
        description="Fall of the score when the map's highest part is replaced, and when a random part of the same "
        "size and smoothness is (95 % of them between the bounds). p: how often chance does as well.",
        frame=pd.DataFrame(told),
        keys=(key, "kind"),
        values=("drop",),
        units={"drop": "probability", "p": ""},
        intervals={"drop": Interval(low="low", high="high")},
    )
    return item, judged


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _bounds(values: NDArray[np.float64]) -> tuple[float, float]:
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.percentile(values, _BOUNDS)
    return float(low), float(high)


def _p(own: float, random: NDArray[np.float64]) -> float:
    """Return how often chance is at least as good, the map itself counted: (1 + k) / (1 + n); NaN without numbers."""
    usable = random[np.isfinite(random)]
    if not np.isfinite(own) or not usable.size:
        return float("nan")
    return (1 + int((usable >= own).sum())) / (1 + usable.size)
