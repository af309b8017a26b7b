"""Overlap of the top parts of several networks: rankings read, held against each other. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Note
from sensiview.analysis.map_items import some
from sensiview.analysis.overlap_items import Compared, overlap_items, overlap_sentences
from sensiview.analysis.overlap_plan import OverlapParameters, chosen_reference
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screening_choice import importances, one_ranking, output_columns
from sensiview.analysis.screening_common import (
    check_same_parts,
    common_inputs,
    indices_of,
    part_labels,
    true_classes,
)
from sensiview.analysis.screening_runs import MEAN, ScreeningRun
from sensiview.analysis.screening_study_run import ScreeningStudyRun
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.screening.overlap import neighbourhoods, top_parts
from sensiview.numerics.screening.ranking import ranks_nothing, top_count

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Common:
    """Screenings that fit each other, and the inputs that all of them rank the parts of.

    Parameters
    ----------
    runs : tuple of ScreeningRun
    names : tuple of str
        Of the inputs; ``mean`` alone where one ranking serves all.
    classes : dict of str to str
        Class of each input, as far as it is known.
    """

    runs: tuple[ScreeningRun, ...]
    names: tuple[str, ...]
    classes: dict[str, str]

    def columns(self, run: ScreeningRun, name: str, target: str | int) -> list[int]:
        """Return whose outputs' indices count."""
        return output_columns(indices_of(run, name), target, self.classes.get(name, ""), run.title)


class OverlapRun(ScreeningStudyRun):
    """Everything that one study of overlap does.

    Parameters
    ----------
    study, parameters, progress
        Of the analysis.
    """

    def __init__(self, study: Study, parameters: OverlapParameters, progress: Progress) -> None:
        super().__init__(study, progress)
        self.parameters = parameters

    def result(self) -> Result:
        """Compare the screenings.

        Raises
        ------
        UserError
            They don't fit each other.
        """
        named, runs = self.read(self.parameters.runs, steps=2)
        at = chosen_reference(named, self.parameters.reference)
        common = self._common(runs, at)
        near = self._near(runs[at], common.names)
        self.progress.stage("Comparing", len(runs))
        compared = []
        for run in runs:
            compared.append(self._compared(run, common))
            self.progress.advance(1)
        items = overlap_items(compared, at, near, common.names, self.parameters, self.study.seed)
        text = [*overlap_sentences(items, compared, at, common.names, self.parameters), *self.warnings]
        items["note"] = Note(title="What it says", text="\n".join(text))
        return Result(items, warnings=tuple(self.warnings))

    def _common(self, runs: Sequence[ScreeningRun], at: int) -> Common:
        """Return the runs with the inputs that are compared."""
        shared = [one_ranking(run, self.parameters.ranking) for run in runs]
        if len(set(shared)) > 1:
            odd = runs[shared.index(not shared[at])].title
            raise UserError(
                f"'{odd}' and '{runs[at].title}' are of different scopes: one ranks the parts of every input, the "
                "other those of all inputs together. Choose ranking = global, or screenings of one scope."
            )
        names = common_inputs(runs, shared=shared[0])
        check_same_parts(runs, names)
        classes = true_classes(self.study, runs[0])
        all_of_them = Common(tuple(runs), tuple(names), classes)
        ranked = [name for name in names if all(self._ranks(run, name, all_of_them) for run in runs)]
        if not ranked:
            raise UserError(
                "No input has an order of parts in all of the screenings: its effects are all equal, or not known."
            )
        if left := [name for name in names if name not in ranked]:
            self.warn(f"Left out, as a screening gives no order of their parts: {some(left)}.")
        if len(ranked) == 1:
            self.warn(
                "One ranking of each screening is compared, that of all inputs together: there are no intervals."
                if ranked == [MEAN]
                else f"'{ranked[0]}' alone is compared, so that there are no intervals."
            )
        elif any(len(run.own) > len(names) for run in runs):
            self.warn(f"Only the {len(names)} inputs that all screenings have are compared.")
        return Common(tuple(runs), tuple(ranked), classes)

    def _ranks(self, run: ScreeningRun, name: str, common: Common) -> bool:
        return not any(ranks_nothing(values) for values in self._importances(run, name, common).values())

    def _importances(self, run: ScreeningRun, name: str, common: Common) -> dict[str, NDArray[np.float64]]:
        own_class = common.classes.get(name, "")
        found = importances(indices_of(run, name), self.parameters.by, self.parameters.target, own_class, run.title)
        return {str(by): values for by, values in found.items()}

    def _compared(self, run: ScreeningRun, common: Common) -> Compared:
        """Return what a screening says of the inputs; inputs with fewer parts than others are filled up."""
        most = max(len(indices_of(run, name).factors) for name in common.names)
        shape = (len(common.names), most)
        tops = {str(by): np.zeros(shape, dtype=np.bool_) for by in self.parameters.by}
        mu_star, sigma = np.zeros(shape), np.zeros(shape)
        counts = np.zeros(shape[0], dtype=np.int64)
        for place, name in enumerate(common.names):
            indices = indices_of(run, name)
            parts = len(indices.factors)
            count = top_count(self.parameters.share, parts)
            if not count:
                raise UserError(
                    f"{100 * self.parameters.share:.3g} % of the {parts} parts of '{run.title}' is less than half a "
                    f"part, so there is no top. Choose a share of at least {0.5 / parts:.2g}."
                )
            for by, values in self._importances(run, name, common).items():
                tops[by][place, :parts] = top_parts(values, count, [self.study.seed, place])
            own_mu_star, own_sigma = indices.of(common.columns(run, name, self.parameters.target))
            mu_star[place, :parts], sigma[place, :parts] = own_mu_star.mean(axis=1), own_sigma.mean(axis=1)
            counts[place] = parts
        return Compared(run, mu_star, sigma, counts, tops)

    def _near(self, reference: ScreeningRun, names: Sequence[str]) -> Bools:
        """Return which parts are the same or touch, (inputs or 1, parts, parts)."""
        most = max(len(indices_of(reference, name).factors) for name in names)
        found = []
        for name in names if reference.own_parts else names[:1]:
            labels, own = part_labels(reference, name), len(indices_of(reference, name).factors)
            near = np.zeros((most, most), dtype=np.bool_)
            near[:own, :own] = np.eye(own, dtype=np.bool_) if labels is None else neighbourhoods(labels, own)
            found.append(near)
            self.progress.advance(0)
        return np.stack(found)
