"""Runs a Morris screening: opens what is screened, takes input after input, makes the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import Array, Item, Note
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screening_design_item import design_item
from sensiview.analysis.screening_finished import Finished
from sensiview.analysis.screening_items import ScreeningTables
from sensiview.analysis.screening_parameters import GENERATOR, ScreeningParameters
from sensiview.analysis.screening_plan import generator_of, options_of, partition_of
from sensiview.analysis.screening_words import reading, remarks
from sensiview.analysis.study import Study
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.analysis.map_run import MapRun
    from sensiview.analysis.screening_map_run import MapScreening
    from sensiview.numerics.screening.screened import Screened

_PREFIX = "answers_"
# What answers that are kept belong to; other values of these need another run.
_IDENTITY = (
    "design",
    "levels",
    "scope",
    "spread",
    "partition",
    "cells",
    "output",
    "target",
    "bounds",
    "fixed",
    "generator",
)


class Answers:
    """Answers of the network by input, kept so that an interrupted run goes on and a finished one can be extended."""

    def __init__(self, study: Study, parameters: ScreeningParameters, progress: Progress) -> None:
        self._progress = progress
        known = parameters.to_json()
        self._identity = {name: known[name] for name in _IDENTITY} | {"seed": study.seed}
        self.arrays: dict[str, Array] = {}
        restored = progress.restored()
        if restored is None:
            return
        for name, value in self._identity.items():
            if restored.values.get(name) != value:
                raise UserError(
                    f"The run to go on from had another '{name}', so its evaluations can't be re-used. Leave it as it "
                    "was, or start a new run."
                )
        self.arrays = {name: np.asarray(values) for name, values in restored.arrays.items()}

    def of(self, one: Screened) -> Array | None:
        """Return what is known of an input; None when it is nothing or has other factors."""
        found = self.arrays.get(_PREFIX + one.key)
        fits = found is not None and found.shape[1:] == (int(one.factors.active.sum()) + 1, len(one.outputs))
        return found if fits else None

    def keep(self, one: Screened, answers: Array) -> None:
        """Keep all answers of an input so far."""
        self.arrays[_PREFIX + one.key] = answers
        self._progress.checkpoint(Checkpoint(self.arrays, self._identity))


def run_screening(study: Study, parameters: ScreeningParameters, progress: Progress) -> Result:
    """Screen everything that is chosen.

    Raises
    ------
    UserError, DataError, ModelError
        With a sentence on what does not fit.
    """
    from sensiview.numerics.screening.effects import MeanScreening

    began = time.monotonic()
    assert study.dataset is not None
    warnings: list[str] = []
    counted = _Counting(progress)

    def say(sentence: str) -> None:
        if sentence not in warnings:
            warnings.append(sentence)
            progress.warn(sentence)

    warn: Callable[[str], None] = say
    answers = Answers(study, parameters, progress)
    kind = study.dataset.kind
    maps: MapScreening | None = None
    opened: MapRun | None = None
    if kind == "table":
        from sensiview.analysis.screening_table_run import open_table

        count, inputs = open_table(study, parameters, counted, warn)
        key, unit = "" if parameters.scope_for(kind) == "global" else "row", _unit(study, parameters)
    else:
        opened, maps, inputs = _open_maps(study, parameters, counted)
        warnings = opened.warnings
        warn = opened.warn
        count, key, unit = len(opened.indices), opened.layout.key, _unit(study, parameters)
    averaging = count > 1 and (parameters.average or parameters.scope_for(kind) == "global")
    tables = ScreeningTables(
        key, unit, parameters.confidence, MeanScreening(parameters.confidence) if averaging else None
    )
    for number, one in enumerate(inputs):
        tables.add(_screen(one, study, parameters, counted, answers, (number, count), began))
    progress.stage("Tables and maps")
    items = tables.items(f"Morris screening, N = {parameters.n:,}")
    items |= design_item(tables, parameters.design, parameters.levels, study.seed)
    said = reading(tables)
    for sentence in remarks(tables.found, parameters.n):
        warn(sentence)
    if maps is not None and opened is not None:
        from sensiview.analysis.screening_map_items import map_items

        more, missing = map_items(tables, opened.layout, study.dataset.name, unit, opened.regions)
        items |= more
        for sentence in missing:
            warn(sentence)
        said += maps.how
    elif opened is not None:
        from sensiview.analysis.screening_map_items import pictures

        items |= pictures(tables, opened.layout, mean=False)
    items["note"] = Note(title="What it says", text=" ".join([*said, *warnings]))
    return Result(
        items,
        evaluations=counted.evaluations,
        warnings=tuple(warnings),
        seconds=time.monotonic() - began,
        facts={"N": str(parameters.n), "factors": str(len(tables.found[0].what.factors.names))},
    )


def _open_maps(
    study: Study, parameters: ScreeningParameters, progress: Progress
) -> tuple[MapRun, MapScreening | None, Iterator[Screened]]:
    from sensiview.analysis.map_run import open_map_run
    from sensiview.analysis.screening_map_run import MapScreening

    assert study.dataset is not None
    opened = open_map_run(study, parameters, progress)
    if parameters.parts_for(study.dataset.kind) == GENERATOR:
        from sensiview.analysis.screening_generator_run import generated

        return opened, None, generated(opened, study, parameters, progress, generator_of(study, parameters))
    maps = MapScreening(
        opened, partition_of(study, parameters), options_of(study, parameters), parameters, study, progress
    )
    return opened, maps, maps.inputs()


def _screen(
    one: Screened,
    study: Study,
    parameters: ScreeningParameters,
    progress: Progress,
    answers: Answers,
    place: tuple[int, int],
    began: float,
) -> Finished:
    """Screen one input; without a factor that varies there is nothing to do."""
    from sensiview.numerics.screening.designs import make_design
    from sensiview.numerics.screening.study import ScreeningPlan, ScreeningStudy

    active = int(one.factors.active.sum())
    if not active:
        return Finished(one, None)
    known = answers.of(one)
    left = max(0, parameters.n - (0 if known is None else len(known)))
    number, count = place
    of = f" {number + 1} of {count}" if count > 1 else ""
    progress.stage(f"Screening{of}{f': {one.name}' if one.name else ''}", left * (active + 1))
    work = ScreeningStudy(
        make_design(parameters.design, active, parameters.levels, study.seed),
        ScreeningPlan(
            parameters.n,
            parameters.resamples,
            parameters.confidence,
            study.seed,
            parameters.stop_width,
            parameters.max_seconds,
        ),
        one.evaluate,
        known,
        keep=lambda found: answers.keep(one, found),
        tick=lambda: progress.advance(0),
    )
    return Finished(one, work.run(began))


def _unit(study: Study, parameters: ScreeningParameters) -> str:
    """Return what the scores are measured in."""
    assert study.model is not None
    if study.model.emits == "value" and not study.model.class_names:
        return "output"
    if study.dataset is not None and study.dataset.kind == "table":
        return "probability" if parameters.output == "auto" else parameters.output
    return {"auto": "logit", "log_odds": "log-odds"}.get(parameters.output, parameters.output)


class _Counting:
    """Passes everything on and counts the evaluations."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.evaluations = 0
        self.stage: Callable[..., None] = progress.stage
        self.warn: Callable[[str], None] = progress.warn
        self.preview: Callable[[str, Item], None] = progress.preview
        self.checkpoint: Callable[[Checkpoint], None] = progress.checkpoint
        self.restored: Callable[[], Checkpoint | None] = progress.restored

    def advance(self, done: int) -> None:
        """Count and pass on."""
        self.evaluations += done
        self._progress.advance(done)
