"""What a Morris screening gives: measures per factor and output, maps of them, and where the factors lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Curve, IndexTable, Interval, Item, Remark
from sensiview.analysis.screening_finished import (
    PARTS,
    Finished,
    alike,
    normalised,
    remarks_on,
    spread_out,
    whole,
)
from sensiview.numerics.screening.effects import MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.numerics.screening.effects import MeanScreening
    from sensiview.numerics.screening.screened import Screened

MEAN = "mean"
# Lines of a convergence plot that can be told apart, and outputs that have one.
_MOST_LINES, _MOST_CURVES = 12, 4
_COLUMNS = (
    *("mu", "mu_star", "mu_star_conf", "sigma", "mu_conf", "sigma_conf"),
    *(f"{measure}_{end}" for measure in MEASURES for end in ("low", "high")),
)


@dataclass
class ScreeningTables:
    """Collects finished inputs; makes the tables and curves.

    Parameters
    ----------
    key : str
        Column of the inputs' names: ``image``, ``subject``, ``row``; empty for the whole space of a table.
    unit : str
        Of the outputs.
    confidence : float
    mean : MeanScreening or None
        Where an average is wanted.
    """

    key: str
    unit: str
    confidence: float
    mean: MeanScreening | None = None
    found: list[Finished] = field(default_factory=list)

    def add(self, one: Finished) -> None:
        """Take one more input."""
        self.found.append(one)
        if self.mean is not None and one.outcome is not None:
            self.mean.add(whole(one))

    def items(self, title: str) -> dict[str, Item]:
        """Return ``screening``, ``normalised``, ``factors`` and ``convergence``."""
        percent = f"{100 * self.confidence:g} %"
        items: dict[str, Item] = {"screening": self._screening(title, percent)}
        items["normalised"] = self._normalised()
        items["factors"] = self._factors()
        if (curve := self._convergence(percent)) is not None:
            items["convergence"] = curve
        return items

    def rows_of_mean(self) -> bool:
        """Return whether there is a mean over inputs."""
        return self.mean is not None and self.mean.count > 0

    def _screening(self, title: str, percent: str) -> IndexTable:
        import pandas as pd

        frames, remarks = [], list[Remark]()
        start = 0
        if self.rows_of_mean():
            frames.append(self._mean_frame())
            start += len(frames[0])
        for one in self.found:
            frame = _frame(one.what, {m: {p: one.values(m, p) for p in PARTS} for m in MEASURES})
            remarks += remarks_on(one, start)
            if self.key:
                frame.insert(0, self.key, one.what.name)
            frames.append(frame)
            start += len(frame)
        return IndexTable(
            title=title,
            description="mu_star: mean size of the elementary effects, the importance; sigma: their spread, what "
            f"is non-linear or interacts. ± is {percent}.",
            frame=pd.concat(frames, ignore_index=True),
            keys=(*([self.key] if self.key else []), "output", "factor"),
            values=("mu_star", "sigma", "mu"),
            units=dict.fromkeys(_COLUMNS, f"{self.unit} per range"),
            intervals={m: Interval(half=f"{m}_conf", low=f"{m}_low", high=f"{m}_high") for m in MEASURES},
            remarks=tuple(remarks),
            plot="screening",
        )

    def _mean_frame(self) -> pd.DataFrame:
        assert self.mean is not None
        first, mean = self.found[0].what, self.mean.mean()
        frame = _frame(first, {m: {p: getattr(mean[m], p) for p in PARTS} for m in MEASURES})
        for measure, values in zip(("mu_star", "sigma"), self.mean.spread(), strict=True):
            frame[f"{measure}_spread"] = values.T.ravel()
        frame.insert(0, self.key, MEAN)
        return frame

    def _normalised(self) -> IndexTable:
        import pandas as pd

        frames = []
        parts: list[tuple[str, Screened, Mapping[str, NDArray[np.float64]]]] = [
            (one.what.name, one.what, {m: one.values(m) for m in ("mu_star", "sigma")}) for one in self.found
        ]
        if self.rows_of_mean():
            assert self.mean is not None
            mean = self.mean.mean()
            whole = {m: mean[m].value for m in ("mu_star", "sigma")}
            parts.insert(0, (MEAN, self.found[0].what, whole))
        for name, what, values in parts:
            frame = pd.DataFrame({"factor": what.factors.names})
            for measure, found in values.items():
                shares = normalised(found)
                frame[measure] = shares.mean(axis=1)
                frame[f"{measure}_spread"] = shares.std(axis=1, ddof=1) if shares.shape[1] > 1 else 0.0
            if self.key:
                frame.insert(0, self.key, name)
            frames.append(frame)
        return IndexTable(
            title="Normalised measures, mean over the outputs",
            description="Each measure as a share of its largest over the factors, averaged over the outputs; ± is the "
            "standard deviation over them.",
            frame=pd.concat(frames, ignore_index=True),
            keys=(*([self.key] if self.key else []), "factor"),
            values=("mu_star", "sigma"),
            units={"mu_star": "share of the largest", "sigma": "share of the largest"},
            intervals={m: Interval(half=f"{m}_spread") for m in ("mu_star", "sigma")},
        )

    def _factors(self) -> IndexTable:
        import pandas as pd

        frames = []
        common = len(self.found) > 1 and all(alike(one.what, self.found[0].what) for one in self.found)
        for one in self.found[:1] if common else self.found:
            factors = one.what.factors
            frame = pd.DataFrame({"factor": factors.names, "number": np.arange(len(factors.names)) + 1})
            if factors.value is not None and not common:
                frame["value"] = factors.value
            frame["low"], frame["high"] = factors.low, factors.high
            for name, values in factors.more.items():
                frame[name] = values
            if self.key and not common:
                frame.insert(0, self.key, one.what.name)
            frames.append(frame)
        keys = (self.key, "factor") if self.key and not common else ("factor",)
        return IndexTable(
            title="Factors",
            description="What was varied, between which values; `number` is the factor's in the map of parts.",
            frame=pd.concat(frames, ignore_index=True),
            keys=keys,
            values=("low", "high"),
            units=self._factor_units(),
            plot="none",
        )

    def _factor_units(self) -> dict[str, str]:
        one = self.found[0].what
        lumped = "sum of its values" if one.division is not None else ""
        volumes = one.division is not None and one.division.labels.ndim == 4
        centre = dict.fromkeys("xyz", "mm" if volumes else "px")
        own = dict.fromkeys(("value", "low", "high"), lumped)
        return {**own, "number": "", "share": "", "places": "voxels" if volumes else "pixels", **centre}

    def _convergence(self, percent: str) -> Curve | None:
        import pandas as pd

        one = self.found[0]
        if one.outcome is None or len(one.outcome.stages) < 2:
            return None
        last = one.values("mu_star")
        rows: list[dict[str, Any]] = []
        for column in range(min(last.shape[1], _MOST_CURVES)):
            chosen = np.sort(np.argsort(-last[:, column], kind="stable")[:_MOST_LINES])
            for n, screening in one.outcome.stages:
                star = {p: spread_out(screening, one.what, "mu_star", p)[:, column] for p in PARTS}
                rows += [
                    {
                        "output": one.what.outputs[column],
                        "factor": one.what.factors.names[factor],
                        "n": n,
                        "mu_star": star["value"][factor],
                        "mu_star_conf": star["conf"][factor],
                    }
                    for factor in chosen
                ]
        of = f" of '{one.what.name}'" if one.what.name and len(self.found) > 1 else ""
        return Curve(
            title=f"Convergence{of}",
            description=f"mu_star from the first trajectories of the same design, with its {percent} interval; the "
            f"{_MOST_LINES} largest."
            if len(last) > _MOST_LINES
            else f"mu_star from the first trajectories of the same design, with its {percent} interval.",
            frame=pd.DataFrame(rows),
            x="n",
            y=("mu_star",),
            series=("output", "factor"),
            bands={"mu_star": Interval(half="mu_star_conf")},
            units={"n": "trajectories", "mu_star": f"{self.unit} per range"},
            x_scale="log2",
        )


def _frame(what: Screened, parts: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> pd.DataFrame:
    """Return one row per output and factor, outputs first."""
    import pandas as pd

    factors, outputs = what.factors.names, what.outputs
    columns: dict[str, Any] = {"output": np.repeat(outputs, len(factors)), "factor": np.tile(factors, len(outputs))}
    for column in _COLUMNS:
        measure, _, part = column.rpartition("_") if column not in MEASURES else (column, "", "value")
        columns[column] = parts[measure][part].T.ravel()
    return pd.DataFrame(columns)
