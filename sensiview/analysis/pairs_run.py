"""Pairs of parts changed in either order: the networks' answers collected, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import Array, Note
from sensiview.analysis.pairs_items import PairedRun, pair_items, pair_sentences
from sensiview.analysis.pairs_plan import PairParameters, random_sets
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screening_choice import importances, one_ranking
from sensiview.analysis.screening_inputs import OpenedScreening, open_screening
from sensiview.analysis.screening_runs import Indices, ScreeningRun
from sensiview.analysis.screening_study_run import ScreeningStudyRun
from sensiview.analysis.study import Study
from sensiview.analysis.trace_memory import BROKEN, UNRANKED, WRONG, LeftOut, TraceMemory
from sensiview.errors import UserError
from sensiview.numerics.screening.ranking import descending, ranks_nothing

if TYPE_CHECKING:
    from sensiview.models.outputs import Target
    from sensiview.numerics.screening.designs import Ints

_TIES, _RANDOM = 11, 14


class PairsRun(ScreeningStudyRun):
    """Everything that one study of pairs does.

    Parameters
    ----------
    study, parameters, progress
        Of the analysis.
    """

    def __init__(self, study: Study, parameters: PairParameters, progress: Progress) -> None:
        super().__init__(study, progress)
        self.parameters = parameters
        self.least_parts = 0
        self.memory = TraceMemory(progress)

    def result(self) -> Result:
        """Pair the top parts of every screening.

        Raises
        ------
        UserError
            Nothing could be paired; the sentence says why.
        """
        _, runs = self.read(self.parameters.runs)
        found: list[PairedRun] = []
        with self.keeping(self.memory):
            for place, run in enumerate(runs):
                if (one := self._paired(place, run)) is not None:
                    found.append(one)
        if not found:
            raise UserError(" ".join(self.warnings) or "No input could be looked at.")
        items = pair_items(found, self.parameters.resamples, self.study.seed)
        text = [*pair_sentences(found, items), *self.warnings]
        items["note"] = Note(title="What it says", text="\n".join(text))
        return Result(items, evaluations=self.evaluations, warnings=tuple(self.warnings))

    def _paired(self, place: int, run: ScreeningRun) -> PairedRun | None:
        """Return what became of a screening's inputs; None, and a warning, where none could be looked at."""
        shared = one_ranking(run, self.parameters.ranking)
        self.progress.stage(f"Opening '{run.title}'")
        opened = open_screening(self.study, run, self.parameters, self.count, self.warn)
        chosen = self._chosen(opened, shared)
        self.progress.stage(f"Pairs of parts: {run.title}")
        kept: dict[str, Array] = {}
        left = LeftOut()
        for name, index, target in zip(opened.names, opened.indices, opened.targets, strict=True):
            found = self.memory.get(place, index)
            if found is None:
                found = self.memory.keep(place, index, self._one(opened, name, index, target, shared, chosen))
            if found.ndim > 1:
                kept[name] = found
            else:
                left.add(name, found)
        what = f"{run.what}s" if run.key else "rows"
        for sentence in left.sentences(run.title, what):
            self.warn(sentence)
        right = {name: one for name, one in kept.items() if one[0, 0, 0, 0] > 0}
        if not right:
            # Of values drawn anew the inputs that the network gets wrong are kept, for the variance.
            left.wrong += list(kept)
            self.warn(left.nothing_left(run.title, opened.card.name, what))
            return None
        if len(right) == 1:
            self.warn(f"One of the {what} of '{run.title}' is looked at, so that there is no interval over {what}.")
        return PairedRun(
            title=run.title,
            key=run.key or "row",
            names=tuple(right),
            right=np.stack([one[0] for one in right.values()]),
            score=np.stack([one[1] for one in right.values()]),
            every_score=np.stack([one[1] for one in kept.values()]) if run.kind != "parts" else None,
            parts=self._part_names(run, shared, chosen),
            local=not shared,
            unit=opened.kind if opened.tells_classes else "value",
            classes=opened.tells_classes,
        )

    def _chosen(self, opened: OpenedScreening, shared: bool) -> int:
        """Return how many parts are paired, as many as every input has.

        Raises
        ------
        UserError
            There is one part only.
        """
        run = opened.run
        found = [run.common] if shared else [run.own.get(name) for name in opened.names]
        counts = [len(one.factors) for one in found if one is not None]
        self.least_parts = min(counts)
        chosen = min(self.parameters.top_k, self.least_parts)
        if chosen < 2:
            raise UserError(f"'{run.title}' has one part only, so that there is no pair. Screen with smaller parts.")
        if chosen < self.parameters.top_k:
            self.warn(f"'{run.title}' has {chosen} parts: all of them are paired.")
        return chosen

    def _one(
        self, opened: OpenedScreening, name: str, index: int, target: Target | None, shared: bool, chosen: int
    ) -> Array:
        """Return right and score of one input, (2, groups, sets, draws), or what stands for one that is left out."""
        from sensiview.numerics.screening.changed_inputs import answers_of
        from sensiview.numerics.screening.interactions import pair_sets
        from sensiview.numerics.volume_scores import predicted_target

        changed, run = opened.changed, opened.run
        output = changed.own(index)
        known = target or predicted_target(opened.card, output[0])
        before = answers_of(opened.card, output, known, opened.kind)
        if not before.right.all() and run.kind == "parts":
            return WRONG
        indices = run.common if shared else run.own.get(name)
        groups = self._groups(indices, known, index, run, shared, chosen)
        if groups is None or indices is None:
            return UNRANKED
        sets = [pair_sets(group, len(indices.factors)) for group in groups]
        found = changed.with_sets(index, np.concatenate([one[1:] for one in sets]))
        after = answers_of(opened.card, found, known, opened.kind)
        shape = (len(groups), len(sets[0]) - 1, changed.draws)

        def joined(first: Array, rest: Array) -> Array:
            start = np.broadcast_to(first.reshape(1, 1, 1), (shape[0], 1, shape[2]))
            return np.concatenate([start, rest.reshape(shape)], axis=1)

        if not np.isfinite(after.score).all():
            return BROKEN
        return np.stack([joined(before.right, after.right), joined(before.score, after.score)])

    def _groups(
        self, indices: Indices | None, target: Target, index: int, run: ScreeningRun, shared: bool, chosen: int
    ) -> list[Ints] | None:
        """Return the parts that are paired: the top ones, then random sets; None where there is no order."""
        if indices is None:
            return None
        by = self.parameters.by
        own_class = "" if shared else target.label
        values = importances(indices, [by], self.parameters.target, own_class, run.title)[by]
        if ranks_nothing(values):
            return None
        seed = (self.study.seed,) if shared else (self.study.seed, index)
        random = np.random.default_rng([*seed, _RANDOM])
        top = descending(values, [*seed, _TIES])[:chosen]
        count = len(indices.factors)
        sets = random_sets(self.parameters, chosen, self.least_parts)
        return [top, *(random.permutation(count)[:chosen] for _ in range(sets))]

    def _part_names(self, run: ScreeningRun, shared: bool, chosen: int) -> Sequence[str]:
        """Return names of the paired parts, most important first; ranks where every input has its own."""
        if not shared or run.common is None:
            return [f"rank {place + 1}" for place in range(chosen)]
        by = self.parameters.by
        values = importances(run.common, [by], self.parameters.target, "", run.title)[by]
        return [run.common.factors[place] for place in descending(values, [self.study.seed, _TIES])[:chosen]]
