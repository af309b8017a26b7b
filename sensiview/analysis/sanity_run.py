"""The checks of one map, one after the other, and the judgement of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.items import Item, Note
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.run_masks import run_masks
from sensiview.analysis.sanity_items import (
    baseline_item,
    control_item,
    randomisation_item,
    removal_items,
    seeds_item,
)
from sensiview.analysis.sanity_plan import SanityParameters, SanityPlan, one_class, plan_of
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.sanity_verdict import (
    Judgement,
    judge_baseline,
    judge_control,
    judge_curve,
    judge_randomisation,
    judge_seeds,
    verdict,
)

if TYPE_CHECKING:
    from sensiview.analysis.map_run import MapRun
    from sensiview.numerics.map_makers import MapMaker
    from sensiview.numerics.sanity_checks import Trial
    from sensiview.numerics.sanity_removal import RemovalScores
    from sensiview.numerics.volume_scores import ScoreChoice

Floats = NDArray[np.float64]


class SanityRun:
    """The checks of one map, and what comes of them."""

    def __init__(self, study: Study, parameters: SanityParameters, progress: Progress) -> None:
        from sensiview.analysis.map_run import open_map_run

        self.parameters = parameters
        self.progress = progress
        self.plan = plan_of(study, parameters)
        one_class(self.plan)
        choice = {"subjects": self.plan.chosen("volumes"), "images": self.plan.chosen("images")}
        wanted = parameters.model_copy(update=choice)
        self.opened: MapRun = open_map_run(_of_the_run(study, self.plan), wanted, progress)
        self.evaluations = 0
        self.items: dict[str, Item] = {}
        self.judgements: list[Judgement] = []
        self.maker: MapMaker | None = None
        self.trial = self._trial(study)

    def _advance(self, rows: int) -> None:
        self.evaluations += rows
        self.progress.advance(rows)

    def _trial(self, study: Study) -> Trial:
        """Make the maps that are checked, or take the masks of the run."""
        from sensiview.numerics.careful_batches import CarefulBatches
        from sensiview.numerics.map_makers import MapWork, each_map
        from sensiview.numerics.map_recipes import maker_of
        from sensiview.numerics.sanity_checks import Trial, first_maps
        from sensiview.numerics.volume_scores import Scorer, resolved

        opened, plan, parameters = self.opened, self.plan, self.parameters
        inputs = opened.inputs
        chosen = opened.indices
        masks: dict[int, Floats] = {}
        if plan.masks:
            masks = run_masks(plan, opened, chosen)
            chosen = tuple(masks)
        places = np.linspace(0, len(chosen) - 1, min(parameters.most_subjects, len(chosen))).round().astype(int)
        indices = tuple(chosen[place] for place in places)
        reader = inputs.reader(opened.warn)
        self.progress.stage("Making the maps")
        output: ScoreChoice = plan.options.get("output", "auto") if not plan.masks else "probability"
        kind = resolved(output, opened.card, gradient=plan.key != "occlusion")
        scorer = Scorer(inputs.scored, plan.target(), kind)
        batch_size = parameters.rows_at_once(study)
        if plan.masks:
            targets = {}
            with inputs.network.measuring():
                for index in indices:
                    rows, space = reader([index])
                    targets[index] = scorer.choose([index], space.forward(rows.clone(), rows))[0]
                    self._advance(1)
            maps = np.stack([masks[index] for index in indices])
        else:
            self.maker = maker_of(
                plan.key,
                plan.options,
                inputs=inputs,
                space=opened.space,
                like=indices[0],
                seed=plan.run.seed if plan.run else study.seed,
                tick=lambda: self.progress.advance(0),
            )
            batches = CarefulBatches(inputs.network, batch_size, opened.warn, f"{inputs.what}s")
            found = list(each_map(self.maker, MapWork(scorer, reader, batches, self._advance), indices))
            maps = first_maps(found)
            targets = {i: t for one in found for i, t in zip(one.indices, one.targets, strict=True)}
        for place, index in enumerate(indices):
            if not np.isfinite(maps[place]).all() or np.ptp(maps[place]) == 0:
                opened.warn(f"The map of '{inputs.names[index]}' is the same everywhere: it can't be compared.")
        return Trial(
            inputs,
            indices,
            opened.space,
            kind,
            maps,
            targets,
            reader,
            batch_size,
            self._advance,
            opened.warn,
            study.seed,
        )

    def result(self) -> Result:
        """Run the checks that are wanted and possible, and judge them."""
        self._of_the_map()
        scores = self._scores()
        average = self._removal(scores)
        self._average(average)
        self._control(scores)
        order = ("randomisation", "seeds", "baseline", "deletion", "insertion", "control")
        self.judgements.sort(key=lambda judgement: order.index(judgement.check))
        lines = [verdict(self.judgements), self._about().strip(), *self.opened.warnings]
        text = "\n".join(line for line in lines if line)
        items: dict[str, Item] = {"verdict": Note(title="Can this map be trusted?", text=text)}
        return Result(items | self.items, evaluations=self.evaluations, warnings=tuple(self.opened.warnings))

    def _of_the_map(self) -> None:
        """Random weights and repeats, where the map can be made again."""
        from sensiview.numerics.sanity_checks import randomised, repeated

        if self.maker is None:
            return
        parameters = self.parameters
        if modes := parameters.modes():
            self.progress.stage("Randomising the weights")
            rows = randomised(self.trial, self.maker, modes, parameters.layers)
            if rows:
                self.items["randomisation"], correlation = randomisation_item(rows)
                self.judgements.append(judge_randomisation(correlation))
            else:
                name = self.opened.card.name
                self.opened.warn(f"'{name}' shows no layers with weights, so that none could be randomised.")
        if parameters.repeats:
            self.progress.stage("Other seeds and noise")
            rows = repeated(self.trial, self.maker, parameters.repeats, parameters.noise)
            self.items["seeds"], correlation = seeds_item(rows, self.trial.inputs.key)
            self.judgements.append(judge_seeds(correlation, parameters.noise))

    def _scores(self) -> RemovalScores:
        from sensiview.numerics.replacement import replacement
        from sensiview.numerics.sanity_removal import RemovalScores

        options = self.plan.options
        put_in = replacement(
            options["fill"],
            blur=float(options["blur"]),
            controls=as_selection(options["controls"]),
            inputs=self.opened.inputs,
            like=self.trial.indices[0],
            tick=lambda: self.progress.advance(0),
        )
        return RemovalScores(self.trial, put_in)

    def _importance(self) -> Floats:
        """Return maps in which high is important."""
        return 1 - self.trial.maps if self.plan.masks else self.trial.maps

    def _removal(self, scores: RemovalScores) -> tuple[float, float]:
        """Deletion and insertion; returns the areas of deletion in the map's order and in the average map's."""
        from sensiview.numerics.sanity_checks import mean_of_others
        from sensiview.numerics.sanity_removal import removal_curves

        parameters = self.parameters
        if not parameters.orders:
            return float("nan"), float("nan")
        self.progress.stage("Deletion and insertion")
        importance = self._importance()
        fields = {"map": importance}
        if len(importance) > 1 and not self.plan.masks:
            fields["average"] = mean_of_others(importance)
        rows = removal_curves(scores, fields, self._parts(), parameters.steps, parameters.orders)
        items, compared, average = removal_items(rows, parameters.steps, self.trial.inputs.key)
        self.items |= items
        for curve, found in compared.items():
            numbers = (found.own, found.random, found.low, found.high, found.p)
            self.judgements.append(judge_curve(curve, *numbers, parameters.orders))
        return compared["deletion"].own, average

    def _average(self, areas: tuple[float, float]) -> None:
        from sensiview.numerics.sanity_checks import against_the_average

        if self.plan.masks:
            return
        self.items["baseline"], correlation = baseline_item(against_the_average(self.trial), self.trial.inputs.key)
        self.judgements.append(judge_baseline(correlation, *areas))

    def _control(self, scores: RemovalScores) -> None:
        from sensiview.numerics.sanity_removal import control_drops

        if not self.parameters.draws:
            return
        self.progress.stage("Random masks")
        masks = self.plan.masks
        rows = control_drops(
            scores, self._importance(), self.parameters.draws, masks=masks, share=self.parameters.share
        )
        self.items["control"], found = control_item(rows, self.trial.inputs.key)
        numbers = (found.own, found.random, found.low, found.high, found.p)
        self.judgements.append(judge_control(*numbers, self.parameters.draws, mask=masks))

    def _parts(self) -> Callable[[tuple[int, ...]], NDArray[np.int64]]:
        from sensiview.numerics.deletion import cells

        if self.parameters.parts == "cells":
            return lambda shape: cells(shape, [self.parameters.cell] * len(shape))
        labels = self.opened.regions.labels if self.opened.regions is not None else None
        if labels is None:
            said = " ".join(self.opened.warnings)
            raise UserError(f"There is no atlas over these volumes, so there are no regions. {said}".strip())
        return lambda shape: np.where(labels > 0, labels, -1).astype(np.int64)

    def _about(self) -> str:
        """Say what was checked."""
        names = [self.opened.inputs.names[index] for index in self.trial.indices]
        what = f"the run '{self.plan.run.name or self.plan.run.id}'" if self.plan.run else f"'{self.plan.key}'"
        listed = ", ".join(f"'{name}'" for name in names[:4]) + (" and others" if len(names) > 4 else "")
        said = f"Checked: {what} on {listed}."
        if self.plan.masks:
            said += " A mask is not made again: random weights, seeds and the average map are not part of the verdict."
        return said


def _of_the_run(study: Study, plan: SanityPlan) -> Study:
    """Return the study with the network of the run, where the run brings it."""
    from dataclasses import replace

    if plan.run is None or plan.run.network is None:
        return study
    return replace(study, network_loader=plan.run.network)
