"""A masking validation: rankings read, inputs opened, parts changed one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import Array, Item, Note
from sensiview.analysis.masking_items import MaskedRun, curves_item, drops_item, steps_item
from sensiview.analysis.masking_plan import MaskingParameters, check_share, steps_of
from sensiview.analysis.masking_words import verdicts
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screening_choice import importances, one_ranking
from sensiview.analysis.screening_inputs import OpenedScreening, open_screening
from sensiview.analysis.screening_runs import Indices, ScreeningRun
from sensiview.analysis.screening_study_run import ScreeningStudyRun
from sensiview.analysis.study import Study
from sensiview.analysis.trace_memory import BROKEN, UNRANKED, WRONG, LeftOut, TraceMemory
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.models.outputs import Target
    from sensiview.numerics.screening.masking import Plan

_SECONDS_BETWEEN_PREVIEWS = 2.0
_PREVIEW_RESAMPLES = 20


class MaskingRun(ScreeningStudyRun):
    """Everything that one study of masking does.

    Parameters
    ----------
    study, parameters, progress
        Of the analysis.
    """

    def __init__(self, study: Study, parameters: MaskingParameters, progress: Progress) -> None:
        super().__init__(study, progress)
        self.parameters = parameters
        self.sentences: list[str] = []
        self.memory = TraceMemory(progress)
        self.verb = "masked"
        self._shown = time.monotonic()

    def result(self) -> Result:
        """Put every screening to the test.

        Raises
        ------
        UserError
            Nothing could be tested; the sentence says why.
        """
        _, runs = self.read(self.parameters.runs)
        for run in runs:
            check_share(run, self.parameters.share)
        if any(run.kind != "parts" for run in runs):
            self.verb = "drawn anew"
        found: list[MaskedRun] = []
        with self.keeping(self.memory):
            for place, run in enumerate(runs):
                if (one := self._tested(place, run, found)) is not None:
                    found.append(one)
        if not found:
            raise UserError(" ".join(self.warnings) or "No input could be tested.")
        items = self._items(found, self.parameters.resamples)
        text = [*verdicts(found, items["drops"], self.verb), *self.sentences, *self.warnings]
        items["verdict"] = Note(title="What it says of the rankings", text="\n".join(dict.fromkeys(text)))
        return Result(items, evaluations=self.evaluations, warnings=tuple(self.warnings))

    def _items(self, found: list[MaskedRun], resamples: int) -> dict[str, Item]:
        measures, seed = self.parameters.by, self.study.seed
        items: dict[str, Item] = {
            "curves": curves_item(found, measures, self.verb, resamples, seed),
            "drops": drops_item(found, measures, self.verb, resamples, seed),
        }
        steps = steps_item(found, measures, resamples, seed)
        return items if steps is None else {"curves": items.pop("curves"), "steps": steps, **items}

    def _tested(self, place: int, run: ScreeningRun, before: list[MaskedRun]) -> MaskedRun | None:
        """Return what became of a screening's inputs; None, and a warning, where none could be tested."""
        shared = one_ranking(run, self.parameters.ranking)
        self.progress.stage(f"Opening '{run.title}'")
        opened = open_screening(self.study, run, self.parameters, self.count, self.warn)
        self.progress.stage(f"Parts are {self.verb}: {run.title}")
        traces: list[Array] = []
        left = LeftOut()
        for name, index, target in zip(opened.names, opened.indices, opened.targets, strict=True):
            found = self.memory.get(place, index)
            if found is None:
                found = self.memory.keep(place, index, self._one(opened, name, index, target, shared))
            if found.ndim > 1:
                traces.append(found)
                self._preview(opened, traces, before, shared)
            else:
                left.add(name, found)
        what = f"{run.what}s" if run.key else "rows"
        for sentence in left.sentences(run.title, what):
            self.warn(sentence)
        if not traces:
            self.warn(left.nothing_left(run.title, opened.card.name, what))
            return None
        if opened.tells_classes:
            count = len(opened.names)
            self.sentences.append(
                f"'{opened.card.name}' gets {count - len(left.wrong)} of {count} {what} right; only they are looked at."
            )
        if len(traces) == 1:
            self.warn(f"One of the {what} of '{run.title}' is looked at, so that there is no interval over {what}.")
        if opened.changed.sentence:
            self.sentences.append(opened.changed.sentence)
        return self._masked(opened, traces, shared)

    def _one(self, opened: OpenedScreening, name: str, index: int, target: Target | None, shared: bool) -> Array:
        """Return right and score of one input, (2, orders, draws, points), or what stands for one that is left out."""
        from sensiview.numerics.screening.changed_inputs import answers_of
        from sensiview.numerics.screening.masking import trace
        from sensiview.numerics.volume_scores import predicted_target

        changed = opened.changed
        output = changed.own(index)
        known = target or predicted_target(opened.card, output[0])
        before = answers_of(opened.card, output, known, opened.kind)
        if not before.right.all():
            return WRONG
        plan = self._plan(opened.run, name, known, index, shared)
        if plan is None:
            return UNRANKED
        can = changed.changeable(index)
        # One ranking for all masks the same parts of all, empty ones too.
        orders = plan.orders(np.ones_like(can) if shared else can, changed.draws)
        found = trace(changed, index, before, known, opened.kind, orders)
        return np.stack([found.right, found.score]) if np.isfinite(found.score).all() else BROKEN

    def _plan(self, run: ScreeningRun, name: str, target: Target, index: int, shared: bool) -> Plan | None:
        """Return the orders of an input's parts; None where its screening gives none."""
        indices = run.common if shared else run.own.get(name)
        own_class, seed = ("", (self.study.seed,)) if shared else (target.label, (self.study.seed, index))
        return None if indices is None else self._plan_of(run, indices, own_class, seed)

    def _plan_of(self, run: ScreeningRun, indices: Indices, own_class: str, seed: tuple[int, ...]) -> Plan | None:
        from sensiview.numerics.screening.masking import Plan
        from sensiview.numerics.screening.ranking import ranks_nothing

        values = importances(indices, self.parameters.by, self.parameters.target, own_class, run.title)
        if any(ranks_nothing(one) for one in values.values()):
            return None
        steps, _ = steps_of(run.kind, self.parameters.share, len(indices.factors))
        random = self.parameters.orders if run.kind == "parts" else min(1, self.parameters.orders)
        return Plan(values, steps, random, seed)

    def _masked(self, opened: OpenedScreening, found: list[Array], shared: bool) -> MaskedRun:
        from sensiview.numerics.screening.masking import split

        run = opened.run
        steps = np.array([one.shape[-1] - 1 for one in found])
        parts = float(np.mean(run.part_counts()))
        points = int(steps.max())
        at = points
        if run.kind != "parts":
            at = steps_of(run.kind, self.parameters.share, int(parts))[1]
        return MaskedRun(
            title=run.title,
            traces=split(found, points, self.parameters.by),
            shares=np.linspace(0, float(steps.mean()) / parts, points + 1),
            at=at,
            changed=float(steps.mean()) * at / points,
            parts=parts,
            unit=opened.kind if opened.tells_classes else "value",
            classes=opened.tells_classes,
            what={"columns": "columns", "generator": "factors"}.get(run.kind, "parts"),
            ranked=self._ranked(run) if shared else {},
        )

    def _ranked(self, run: ScreeningRun) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the names of the parts in the orders that serve all inputs, by measure and side."""
        from sensiview.numerics.screening.masking import BOTTOM, TOP

        assert run.common is not None
        plan = self._plan_of(run, run.common, "", (self.study.seed,))
        assert plan is not None  # inputs were changed by it
        orders = plan.orders(np.ones(len(run.common.factors), dtype=np.bool_), 1)[:, 0]
        keys = [(str(by), side) for by in self.parameters.by for side in (TOP, BOTTOM)]
        return {
            key: tuple(run.common.factors[part] for part in order) for key, order in zip(keys, orders, strict=False)
        }

    def _preview(self, opened: OpenedScreening, found: list[Array], before: list[MaskedRun], shared: bool) -> None:
        now = time.monotonic()
        if now - self._shown >= _SECONDS_BETWEEN_PREVIEWS:
            for name, item in self._items([*before, self._masked(opened, found, shared)], _PREVIEW_RESAMPLES).items():
                self.progress.preview(name, item)
            self._shown = time.monotonic()
