"""What the cards say about a Morris screening before it runs: obstacles, wrong values, cost. Loads no torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sensiview.analysis.contract import Cost
from sensiview.analysis.map_parameters import (
    channel_count,
    choice_problems,
    input_count,
    map_obstacles,
    own_shape,
    rows_together,
)
from sensiview.analysis.screening_parameters import (
    COLUMNS,
    GENERATOR,
    ScreeningParameters,
    answer_bytes,
    evaluations_of,
    most_factors,
)
from sensiview.analysis.screening_table_run import column_space
from sensiview.analysis.study import Study
from sensiview.errors import UserError, suggestion
from sensiview.models.batch_limits import memory_available
from sensiview.models.outputs import parse_target
from sensiview.numerics.screening.designs import levels_problem
from sensiview.numerics.screening.partition import Partition, PartitionOptions
from sensiview.numerics.screening.screened import MOST_OUTPUTS
from sensiview.numerics.study_inputs import output_widths, summaries

if TYPE_CHECKING:
    from sensiview.datasets.generators import Generator


def screening_obstacles(study: Study) -> list[str]:
    """Return why a network and data don't go together at all."""
    if study.dataset is not None and study.dataset.kind == "table":
        if study.model is not None and study.model.n_inputs is None:
            return [f"The model '{study.model.name}' does not take rows of a table. Choose another model."]
        return []
    return map_obstacles(study)


def partition_of(study: Study, parameters: ScreeningParameters) -> Partition:
    """Return the partition that is asked for, for images and volumes.

    Raises
    ------
    UserError
        There is none of that name, or it does not cut this kind of data.
    """
    assert study.dataset is not None
    kind, known = study.dataset.kind, study.partitions()
    key = parameters.parts_for(kind)
    fitting = [name for name, one in known.items() if kind in one.kinds]
    if kind == "images":
        fitting.append(GENERATOR)
    if key not in known:
        raise UserError(f"There is no partition '{key}' of {kind}.{suggestion(key, fitting)}")
    if kind not in known[key].kinds:
        raise UserError(f"The partition '{key}' does not cut {kind}. Choose one of: {', '.join(fitting)}.")
    return known[key]


def generator_of(study: Study, parameters: ScreeningParameters) -> Generator:
    """Return the generator that is asked for, or the only one that fits the images.

    Raises
    ------
    UserError
        There is none of that name, or it can't make images of this data set.
    """
    assert study.dataset is not None
    known = study.generators()
    if parameters.generator.lower() != "auto":
        if parameters.generator not in known:
            raise UserError(
                f"There is no generator '{parameters.generator}'.{suggestion(parameters.generator, list(known))}"
            )
        found = known[parameters.generator]
        if against := found.obstacles(study.dataset):
            raise UserError(against[0])
        return found
    fitting = [one for one in known.values() if not one.obstacles(study.dataset)]
    if not fitting:
        why = " ".join(dict.fromkeys(one.obstacles(study.dataset)[0] for one in known.values()))
        raise UserError(f"No generator can make images of '{study.dataset.name}'. {why}".strip())
    if len(fitting) > 1:
        raise UserError(f"Several generators fit these images; name one: {', '.join(one.key for one in fitting)}.")
    return fitting[0]


def options_of(study: Study, parameters: ScreeningParameters) -> PartitionOptions:
    """Return what a partition is told."""
    return PartitionOptions(parameters.cells, parameters.compactness, study.seed, dict(parameters.options or {}))


def screening_problems(study: Study, parameters: ScreeningParameters) -> list[str]:
    """Return sentences about values that don't fit the cards."""
    found = []
    if parameters.design == "trajectory" and (sentence := levels_problem(parameters.levels)):
        found.append(sentence)
    if study.seed < 1:
        found.append(f"The seed is {study.seed}; it must be at least 1.")
    if study.dataset is None or study.model is None:
        return found
    found += _table_problems(study, parameters) if study.dataset.kind == "table" else _map_problems(study, parameters)
    if found:
        return found
    factors, outputs = factor_count(study, parameters), output_count(study, parameters)
    free = memory_available()
    if answer_bytes(parameters.n, factors, outputs, parameters.resamples) > free:
        most = most_factors(free, parameters.n, outputs, parameters.resamples)
        found.append(
            f"{factors:,} factors and {outputs:,} outputs with N = {parameters.n:,} need more memory than there is; "
            f"about {most:,} factors fit. Choose fewer or larger parts, fewer outputs, or a smaller N."
        )
    return found


def _table_problems(study: Study, parameters: ScreeningParameters) -> list[str]:
    from sensiview.datasets.rows import rows_problem

    assert study.dataset is not None
    assert study.model is not None
    found = []
    if parameters.parts_for("table") != COLUMNS:
        found.append(f"A table is cut into its columns, not by '{parameters.partition}'. Choose partition = columns.")
    try:
        target = "all" if parameters.target == "auto" else parameters.target
        output_widths(study.model, [parameters.output], target)
    except UserError as error:
        found.append(error.sentence)
    if sentence := rows_problem(parameters.rows, study.dataset.n_rows):
        found.append(sentence)
    builder, constant = column_space(summaries(study.dataset, study.model), parameters)
    if builder.problems and constant and len(constant) == len(study.dataset.features):
        return [*found, "Every column has the same value in all rows, so nothing can vary. Give 'bounds'."]
    return found + builder.problems


def _map_problems(study: Study, parameters: ScreeningParameters) -> list[str]:
    assert study.dataset is not None
    assert study.model is not None
    found: list[str] = []
    known = parameters.model_copy(update={"target": "predicted"}) if parameters.target == "auto" else parameters
    found += choice_problems(study, known)
    kind = study.dataset.kind
    try:
        parameters.map_score()
        if parameters.parts_for(kind) == GENERATOR and kind == "images":
            generator_of(study, parameters)
        elif parameters.parts_for(kind) == COLUMNS:
            found.append(f"Columns are parts of tables. Choose another partition of {kind}.")
        else:
            partition = partition_of(study, parameters)
            if parameters.scope_for(kind) == "global" and not partition.common:
                found.append(
                    f"The parts of '{partition.key}' differ from input to input, so they have no common range. Choose "
                    "scope = local, or partition = grid."
                )
            if parameters.average and not partition.common:
                found.append(
                    f"The parts of '{partition.key}' differ from input to input and can't be averaged. Leave 'average' "
                    "out, or choose partition = grid."
                )
            if partition.key == "atlas" and parameters.atlas.strip().lower() == "none":
                found.append(
                    "Regions of an atlas are wanted and the atlas is 'none'. Name one, or choose partition = grid."
                )
            shape = own_shape(study)
            least = min((side for side in shape if side > 1), default=0)
            if partition.key == "grid" and least and parameters.cells > least:
                found.append(
                    f"{parameters.cells} cells are more than the {least} places along a side. Choose at most {least}."
                )
    except UserError as error:
        found.append(error.sentence)
    return found


def factor_count(study: Study, parameters: ScreeningParameters) -> int:
    """Return how many factors there are, as far as the cards tell."""
    assert study.dataset is not None
    kind = study.dataset.kind
    if kind == "table":
        space = column_space(summaries(study.dataset, study.model), parameters)[0].space()
        return len(study.dataset.features) if space is None else len(space.factors)
    try:
        if parameters.parts_for(kind) == GENERATOR:
            return len(generator_of(study, parameters).factors(study.dataset))
        shape = own_shape(study)
        return partition_of(study, parameters).count(shape, channel_count(study), options_of(study, parameters))
    except UserError:
        return 1


def output_count(study: Study, parameters: ScreeningParameters) -> int:
    """Return how many outputs are measured."""
    if study.model is None:
        return 1
    try:
        if study.dataset is not None and study.dataset.kind == "table":
            target = "all" if parameters.target == "auto" else parameters.target
            return sum(output_widths(study.model, [parameters.output], target).values())
        if parameters.target in ("true", "predicted"):
            return 1
        every = len(parse_target("all", study.model))
        if parameters.target == "auto":
            return every if every <= MOST_OUTPUTS else 2
        return len(parse_target(parameters.target, study.model))
    except UserError:
        return 1


def screening_cost(study: Study, parameters: ScreeningParameters) -> Cost:
    """Return evaluations and peak memory."""
    if study.dataset is None or study.model is None:
        return Cost(0, 0)
    kind = study.dataset.kind
    table = kind == "table"
    factors, outputs = factor_count(study, parameters), output_count(study, parameters)
    try:
        inputs = _row_count(study, parameters) if table else input_count(study, parameters)
    except UserError:
        return Cost(0, 0)
    evaluations = evaluations_of(parameters.n, factors, inputs) + (0 if table else inputs)
    held = answer_bytes(parameters.n, factors, outputs, parameters.resamples)
    if table:
        held += 65_536 * study.model.bytes_per_row
    else:
        own = 4 * math.prod(own_shape(study)) * channel_count(study)
        rows = rows_together(study, parameters, parameters.n * (factors + 1), gradient=False)
        maps = 2 * 4 * math.prod(own_shape(study)) * outputs * inputs if parameters.parts_for(kind) != GENERATOR else 0
        held += rows * (study.model.bytes_per_row + 3 * own) + maps + inputs * own
    stops = parameters.stop_width is not None or parameters.max_seconds is not None
    note = "At most; the run may stop earlier." if stops else ""
    if parameters.parts_for(kind) in ("atlas", "superpixels"):
        note = f"With about {factors} parts; each input says how many. {note}".strip()
    return Cost(evaluations, held, note=note)


def _row_count(study: Study, parameters: ScreeningParameters) -> int:
    from sensiview.datasets.rows import parse_rows

    assert study.dataset is not None
    if parameters.scope_for("table") == "global":
        return 1
    return len(parse_rows(parameters.rows, study.dataset.n_rows))
