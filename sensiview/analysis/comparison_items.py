"""Maps compared, as result items: similarity, sensitive area, curves, and the maps side by side. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Curve, FieldMap, IndexTable, Interval, Item, Matrix
from sensiview.analysis.map_items import Layout

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
MEASURES = ("rank_correlation", "top_overlap", "jaccard")
RANDOM = "random"
_RANGES = {"rank_correlation": (-1.0, 1.0), "top_overlap": (0.0, 1.0), "jaccard": (0.0, 1.0), "area": (0.0, 1.0)}


def summary(values: Floats, within: tuple[float, float] = (-math.inf, math.inf)) -> dict[str, float]:
    """Return mean, standard deviation (n - 1) and the 95 % interval of the mean (Student's t) of finite values.

    NaN where there are too few: one value has no spread. The interval ends where values `within` end.
    """
    usable = values[np.isfinite(values)]
    n = usable.size
    if not n:
        return dict.fromkeys(("mean", "std", "low", "high"), math.nan)
    mean = float(usable.mean())
    if n < 2:
        return {"mean": mean, "std": math.nan, "low": math.nan, "high": math.nan}
    from scipy import stats

    std = float(usable.std(ddof=1))
    half = float(stats.t.ppf(0.975, n - 1)) * std / math.sqrt(n)
    return {"mean": mean, "std": std, "low": max(within[0], mean - half), "high": min(within[1], mean + half)}


def _summed(frame: pd.DataFrame, keys: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Return one row per combination of the keys, in order, with mean, spread and interval of every value."""
    import pandas as pd

    rows = []
    for labels, part in frame.groupby(list(keys), sort=False):
        row: dict[str, Any] = dict(zip(keys, labels if isinstance(labels, tuple) else (labels,), strict=True))
        for value in values:
            found = summary(part[value].to_numpy(dtype=np.float64), _RANGES[value])
            row |= {value: found["mean"]} | {f"{value}_{name}": found[name] for name in ("std", "low", "high")}
        rows.append(row)
    return pd.DataFrame(rows)


def _intervals(values: Sequence[str]) -> dict[str, Interval]:
    return {value: Interval(low=f"{value}_low", high=f"{value}_high") for value in values}


def similarity_items(rows: Rows, names: Sequence[str], key: str, share: float) -> dict[str, Item]:
    """Return ``similarity``, ``similarity_each`` and ``rank_correlations`` from one row per input and pair of maps."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    units = {"rank_correlation": "", "top_overlap": "share", "jaccard": "share"}
    about = (
        f"Spearman's rank correlation over all places; which part of the highest {100 * share:.3g} % of one map is "
        "also in the other's (top_overlap), and intersection over union of the two (jaccard)."
    )
    told = _summed(frame, ("map_1", "map_2"), MEASURES)
    items: dict[str, Item] = {
        "similarity": IndexTable(
            title="How alike the maps are",
            description=f"{about} Mean over the {key}s, spread, and 95 % interval of the mean.",
            frame=told,
            keys=("map_1", "map_2"),
            values=MEASURES,
            units=units,
            intervals=_intervals(MEASURES),
        )
    }
    matrix = np.eye(len(names))
    for row in told.to_dict("records"):
        one, other = names.index(row["map_1"]), names.index(row["map_2"])
        matrix[one, other] = matrix[other, one] = row["rank_correlation"]
    items["rank_correlations"] = Matrix(
        title="Rank correlations",
        description=f"Spearman's rank correlation of each pair of maps, mean over the {key}s.",
        values=matrix,
        rows=tuple(names),
        columns=tuple(names),
        row_axis="map",
        column_axis="other",
        value_name="rank correlation",
        signed=True,
    )
    if frame[key].nunique() > 1:
        items["similarity_each"] = IndexTable(
            title=f"How alike the maps are, {key} by {key}",
            description=about,
            frame=frame,
            keys=(key, "map_1", "map_2"),
            values=MEASURES,
            units=units,
            plot="points",
        )
    return items


def area_items(rows: Rows, key: str) -> dict[str, Item]:
    """Return ``area`` and ``area_each`` from one row per input and map."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    about = "Share of the places where a map reaches at least half of its largest value: small is a sharp map."
    items: dict[str, Item] = {
        "area": IndexTable(
            title="Sensitive area at half maximum",
            description=f"{about} Mean over the {key}s, spread, and 95 % interval of the mean.",
            frame=_summed(frame, ("map",), ("area",)),
            keys=("map",),
            values=("area",),
            units={"area": "share"},
            intervals=_intervals(("area",)),
        )
    }
    if frame[key].nunique() > 1:
        items["area_each"] = IndexTable(
            title=f"Sensitive area, {key} by {key}",
            description=about,
            frame=frame,
            keys=(key, "map"),
            values=("area",),
            units={"area": "share"},
            plot="points",
        )
    return items


def curve_items(rows: Rows, steps: int, key: str) -> dict[str, Item]:
    """Return ``deletion``, ``insertion`` and ``auc`` from the points of every input's curves."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    shares = np.linspace(0, 1, steps + 1)
    items: dict[str, Item] = {}
    areas: list[dict[str, Any]] = []
    for curve in ("deletion", "insertion"):
        verb, better = ("replaced", "falls") if curve == "deletion" else ("put in", "rises")
        lines = []
        for order, of_order in frame[frame["curve"] == curve].groupby("order", sort=False):
            # One curve per input; of random orders their mean.
            curves = np.stack(
                [
                    np.mean([np.interp(shares, o["share"], o["score"]) for _, o in one.groupby("repeat")], axis=0)
                    for _, one in of_order.groupby(key, sort=False)
                ]
            )
            for share, values in zip(shares, curves.T, strict=True):
                found = summary(values, (0.0, 1.0))
                # The interval of two values fills the plot and says nothing.
                low, high = (found[side] if len(values) > 2 else found["mean"] for side in ("low", "high"))
                lines.append({"map": order, "share": share, "score": found["mean"], "low": low, "high": high})
            for name, area in zip(of_order[key].drop_duplicates(), np.trapezoid(curves, shares, axis=1), strict=True):
                areas.append({"curve": curve, "map": order, key: name, "area": float(area)})
        items[curve] = Curve(
            title=curve.capitalize(),
            description=f"Mean score while parts of the {key}s are {verb}, each map's highest first, with the 95 % "
            f"interval of the mean from three {key}s on. A map that names what the network uses {better} earlier.",
            frame=pd.DataFrame(lines),
            x="share",
            y=("score",),
            series=("map",),
            bands={"score": Interval(low="low", high="high")},
            units={"share": f"share of the parts {verb}", "score": "probability"},
        )
    each = pd.DataFrame(areas)
    about = "Area under the curve. Deletion: small is good. Insertion: large is good."
    items["auc"] = IndexTable(
        title="Areas under the curves",
        description=f"{about} Mean over the {key}s, spread, and 95 % interval of the mean.",
        frame=_summed(each, ("curve", "map"), ("area",)),
        keys=("curve", "map"),
        values=("area",),
        units={"area": "probability"},
        intervals=_intervals(("area",)),
    )
    if each[key].nunique() > 1:
        items["auc_each"] = IndexTable(
            title=f"Areas under the curves, {key} by {key}",
            description=about,
            frame=each,
            keys=(key, "curve", "map"),
            values=("area",),
            units={"area": "probability"},
            plot="points",
        )
    return items


def picture_items(fields: Mapping[str, Floats], inputs: Sequence[str], layout: Layout, over: str) -> dict[str, Item]:
    """Return ``maps``, each divided by its largest size, and ``differences`` of every pair of them.

    Parameters
    ----------
    fields : mapping of str to ndarray
        (inputs, *shape) by name of the map.
    inputs : sequence of str
    layout : Layout
    over : str
        Name of the data set.
    """
    names = list(fields)
    scaled = np.stack([_scaled(fields[name]) for name in names]).astype(np.float32)
    pairs = list(combinations(range(len(names)), 2))
    differences = np.stack([scaled[one] - scaled[other] for one, other in pairs])
    space = tuple(range(2, scaled.ndim))
    spread = np.sqrt(np.mean(np.square(differences), axis=space)).mean()
    return {
        "maps": _field(
            scaled,
            ("map", tuple(names)),
            inputs,
            layout,
            over,
            title="Maps side by side",
            description="Each map divided by its largest size: 1 is its peak. Negative: speaks against the class.",
            signed=bool(scaled.min() < 0),
        ),
        "differences": _field(
            differences,
            ("pair", tuple(f"{names[one]} - {names[other]}" for one, other in pairs)),
            inputs,
            layout,
            over,
            title="Differences of the maps",
            description="The first map of the pair less the second, each divided by its largest size before. Root mean "
            f"square over all: {spread:.2g}.",
            signed=True,
        ),
    }


def _field(
    values: NDArray[np.float32],
    first: tuple[str, tuple[str, ...]],
    inputs: Sequence[str],
    layout: Layout,
    over: str,
    *,
    title: str,
    description: str,
    signed: bool,
) -> FieldMap:
    axis, labels = first
    coordinates = {axis: labels}
    axes = [axis]
    if len(inputs) > 1:
        axes.append(layout.key)
        coordinates[layout.key] = tuple(inputs)
    else:
        values = values[:, 0]
    return FieldMap(
        title=title,
        description=description,
        values=layout.values(values),
        axes=(*axes, *layout.axes),
        unit="share of the largest",
        signed=signed,
        over=inputs[0] if len(inputs) == 1 else over,
        coordinates=coordinates,
        **layout.place(),
    )


def _scaled(field: Floats) -> Floats:
    """Return maps (n, *shape) divided by the largest size of each; zeros stay zeros, what is not finite becomes 0."""
    clean = np.nan_to_num(field, nan=0.0, posinf=0.0, neginf=0.0)
    space = tuple(range(1, clean.ndim))
    largest = np.abs(clean).max(axis=space, keepdims=True)
    return np.asarray(clean / np.where(largest > 0, largest, 1.0))
