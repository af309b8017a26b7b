"""mu_star over sigma of the parts that matter, per screening: computed and told. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sensiview.analysis.items import IndexTable, Interval, Item, Note
from sensiview.analysis.map_items import some
from sensiview.analysis.progress import Progress
from sensiview.analysis.ratio_plan import RatioParameters
from sensiview.analysis.result import Result
from sensiview.analysis.screening_choice import one_ranking, output_columns
from sensiview.analysis.screening_common import indices_of, true_classes
from sensiview.analysis.screening_runs import MEAN, ScreeningRun
from sensiview.analysis.screening_study_run import ScreeningStudyRun
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.screening.crossed_bootstrap import Estimate, mean_with_interval
from sensiview.numerics.screening.eta import Eta, Measures, eta_of, eta_of_mean, random_eta

_UNIT = "mu_star per sigma"


@dataclass(frozen=True, eq=False)
class _Found:
    """eta of one screening: of all inputs, of as many random parts, and of single inputs."""

    run: ScreeningRun
    eta: Estimate
    random: Estimate
    relevant: float
    linear: float
    each: dict[str, Eta]


class RatioRun(ScreeningStudyRun):
    """Everything that one study of eta does.

    Parameters
    ----------
    study, parameters, progress
        Of the analysis.
    """

    def __init__(self, study: Study, parameters: RatioParameters, progress: Progress) -> None:
        super().__init__(study, progress)
        self.parameters = parameters

    def result(self) -> Result:
        """Compute eta of every screening.

        Raises
        ------
        UserError
            A run is no screening, or no part of any is relevant.
        """
        _, runs = self.read(self.parameters.runs, steps=2)
        found = []
        for run in runs:
            found.append(self._found(run))
            self.progress.advance(1)
        if not any(np.isfinite(one.eta.value) for one in found):
            raise UserError(
                f"No part of {some([run.title for run in runs])} has an effect whose sigma is above 0, so there is no "
                "ratio. A network that is linear in every part has none, nor has one that nothing moves."
            )
        items = self._items(found)
        items["note"] = Note(title="What it says", text="\n".join([*self._sentences(found), *self.warnings]))
        return Result(items, warnings=tuple(self.warnings))

    def _found(self, run: ScreeningRun) -> _Found:
        shared = one_ranking(run, self.parameters.ranking)
        classes = {} if shared else true_classes(self.study, run)
        names = list(run.own) or [MEAN]
        measures = [self._measures(run, name, "" if shared else classes.get(name, "")) for name in names]
        threshold, resamples, seed = self.parameters.threshold, self.parameters.resamples, self.study.seed
        each = {name: eta_of(one, threshold) for name, one in zip(names, measures, strict=True)}
        if shared:
            whole = self._measures(run, MEAN, "")
            own = eta_of(whole, threshold)
            eta = eta_of_mean(measures if run.own else [whole], threshold, resamples, seed, own.eta)
            random = random_eta([whole], [own], resamples, seed)
            relevant, linear = own.relevant, own.linear
        else:
            eta = mean_with_interval(np.array([one.eta for one in each.values()]), resamples, seed)
            random = random_eta(measures, list(each.values()), resamples, seed)
            relevant, linear = (float(np.mean([getattr(o, n) for o in each.values()])) for n in ("relevant", "linear"))
        if len(names) == 1:
            self.warn(f"'{run.title}' has one ranking, so that there is no interval.")
        if left := [name for name, one in each.items() if not np.isfinite(one.eta)]:
            self.warn(f"No ratio for {some(left)} of '{run.title}': no part that matters has a sigma above 0.")
        return _Found(run, eta, random, relevant, linear, {} if shared or len(names) == 1 else each)

    def _measures(self, run: ScreeningRun, name: str, own_class: str) -> Measures:
        indices = indices_of(run, name)
        mu_star, sigma = indices.of(output_columns(indices, self.parameters.target, own_class, run.title))
        return Measures(mu_star, sigma)

    def _items(self, found: Sequence[_Found]) -> dict[str, Item]:
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for one in found:
            row: dict[str, Any] = {"run": one.run.title}
            row |= _told("eta", one.eta) | _told("random", one.random)
            row |= {"relevant": one.relevant, "linear": one.linear, "inputs": max(1, len(one.run.own))}
            rows.append(row)
        items: dict[str, Item] = {
            "eta": IndexTable(
                title="mu_star / sigma of the parts that matter",
                description="eta: mean of mu_star / sigma over the parts whose mu_star or sigma is more than "
                f"{self.parameters.threshold:g} of the largest, with its 95 % interval. Above 1 parts matter by "
                "themselves, below 1 non-linearly or together with others. random: of as many parts chosen by chance.",
                frame=pd.DataFrame(rows),
                keys=("run",),
                values=("eta", "random"),
                units={"eta": _UNIT, "random": _UNIT, "relevant": "parts", "linear": "parts", "inputs": ""},
                intervals={name: Interval(low=f"{name}_low", high=f"{name}_high") for name in ("eta", "random")},
            )
        }
        each = [
            {"run": one.run.title, one.run.key or "row": name, "eta": value.eta, "relevant": value.relevant}
            for one in found
            for name, value in one.each.items()
        ]
        if each:
            items["eta_each"] = IndexTable(
                title="mu_star / sigma, input by input",
                description="eta of the parts that matter for each input.",
                frame=pd.DataFrame(each),
                keys=("run", next(one.run.key or "row" for one in found if one.each)),
                values=("eta",),
                units={"eta": _UNIT, "relevant": "parts"},
                plot="points",
            )
        return items

    def _sentences(self, found: Sequence[_Found]) -> list[str]:
        said = []
        for one in found:
            if not np.isfinite(one.eta.value):
                continue
            said.append(
                f"'{one.run.title}': eta is {_number(one.eta)} over {one.relevant:.3g} relevant parts, "
                f"{_number(one.random)} over as many at random; its important parts {_use(one.eta)}."
            )
        usable = sorted((one for one in found if np.isfinite(one.eta.value)), key=lambda one: float(one.eta.value))
        if len(usable) > 1 and usable[0].eta.value < usable[-1].eta.value:
            low, high = usable[0], usable[-1]
            apart = low.eta.high < high.eta.low
            said.append(
                f"'{low.run.title}' rests on non-linearity and interaction the most, '{high.run.title}' the least"
                + ("; their intervals are apart." if apart else ", though their intervals overlap.")
                if np.isfinite(low.eta.high) and np.isfinite(high.eta.low)
                else f"'{low.run.title}' has the lowest eta, '{high.run.title}' the highest."
            )
        return said


def _use(eta: Estimate) -> str:
    """Return how parts matter: 1 is the middle, as far as the interval can tell."""
    value = float(eta.value)
    low, high = (float(end) if np.isfinite(end) else value for end in (eta.low, eta.high))
    if low > 1:
        return "matter more by themselves"
    return "matter more non-linearly or together" if high < 1 else "matter as much by themselves as together"


def _told(name: str, found: Estimate) -> dict[str, float]:
    return {name: float(found.value), f"{name}_low": float(found.low), f"{name}_high": float(found.high)}


def _number(found: Estimate) -> str:
    interval = f" [{float(found.low):.2f}, {float(found.high):.2f}]" if np.isfinite(found.low) else ""
    return f"{float(found.value):.2f}{interval}"
