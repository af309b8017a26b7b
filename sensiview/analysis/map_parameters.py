"""What every map of volumes or images asks for, and what can be said about it from the cards alone. Loads no torch."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import field_validator

from sensiview.analysis.image_choice import Images, as_selection, image_count, image_obstacles, seen_shape
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_parameters import (
    Subjects,
    card_shape,
    card_spacing,
    subject_count,
    volume_obstacles,
)
from sensiview.datasets.card import DatasetCard
from sensiview.errors import UserError
from sensiview.models.batch_limits import memory_available, rows_that_fit
from sensiview.models.card import ModelCard
from sensiview.models.outputs import parse_target
from sensiview.numerics.pass_memory import gradient_row_bytes, scratch_bytes

Targets = str | int | list[str | int]
# More than this of single maps is kept by nobody's machine for a look.
MOST_MAP_BYTES = 4 << 30
# A backward pass keeps what a forward pass lets go.
GRAPH = 4
_WORDS = ("true", "predicted")


class ChoiceParameters(Parameters):
    """Which volumes or images, which class, and how they go through the network."""

    target: Targets = parameter(
        "predicted",
        label="Class",
        help="Whose score is explained: predicted, true (each one's own), a class, a list of classes, or all.",
        suggestions="classes",
    )
    images: Images = parameter(
        "all",
        label="Images",
        help="Which images: all, numbers such as 0-4, names, or a class such as class=cat.",
        kinds=("images",),
    )
    subjects: Subjects = parameter(
        "all",
        label="Subjects",
        help="Which volumes: all, numbers such as 0-4, names, or column=value such as diagnosis=AD.",
        kinds=("volumes",),
    )
    atlas: str = parameter(
        "",
        label="Atlas",
        help="For the table of regions: a bundled name, a label file, none, or empty for the data's own.",
        kinds=("volumes",),
    )
    output: Literal["auto", "logit", "probability", "log_odds"] = parameter(
        "auto",
        label="Score",
        help="What the map explains; auto takes the logit for gradients and the probability for differences.",
        advanced=True,
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Inputs per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    def rows_at_once(self, study: Study) -> int | None:
        """Return the batch size asked for, None when it is to be probed."""
        return self.batch_size if isinstance(self.batch_size, int) else study.batch_size

    def chosen(self, kind: str) -> str | list[int | str]:
        """Return the inputs of this kind of data as `VolumeSet.select` and `ImageSet.select` take them."""
        return as_selection(self.images if kind == "images" else self.subjects)


class MapParameters(ChoiceParameters):
    """What every map asks for."""

    average: bool = parameter(
        False,
        label="Average",
        help="Also give the mean map over the chosen inputs and its spread; volumes must share one grid.",
    )


# From the cards ---------------------------------------------------------------------------------------------------


def map_obstacles(study: Study) -> list[str]:
    """Return why a network and volumes or images don't go together at all."""
    return volume_obstacles(study) + image_obstacles(study)


def map_problems(study: Study, parameters: MapParameters) -> list[str]:
    """Return sentences about inputs, classes and memory that don't fit the cards."""
    if study.dataset is None or study.model is None:
        return []
    if found := choice_problems(study, parameters):
        return found
    count = input_count(study, parameters)
    targets = target_count(study.dataset, study.model, parameters.target)
    size = 4 * count * targets * math.prod(own_shape(study))
    if size > MOST_MAP_BYTES and not parameters.average:
        what = "images" if study.dataset.kind == "images" else "subjects"
        return [f"{count:,} maps would take {size / 2**30:.0f} GB. Choose fewer {what}, or the average over them."]
    return []


def choice_problems(study: Study, parameters: ChoiceParameters) -> list[str]:
    """Return sentences about inputs and classes that don't fit the cards."""
    found: list[str] = []
    if study.dataset is None or study.model is None:
        return found
    try:
        input_count(study, parameters)
    except UserError as error:
        found.append(error.sentence)
    try:
        target_count(study.dataset, study.model, parameters.target)
    except UserError as error:
        found.append(error.sentence)
    return found


def input_count(study: Study, parameters: ChoiceParameters) -> int:
    """Return how many inputs are chosen, as far as the card tells.

    Raises
    ------
    UserError
        It names what is not there.
    """
    assert study.dataset is not None
    return selected_count(study.dataset, parameters.chosen(study.dataset.kind))


def selected_count(dataset: DatasetCard, wanted: str | list[int | str]) -> int:
    """Return how many inputs a selection takes; UserError for what is not there."""
    return image_count(dataset, wanted) if dataset.kind == "images" else subject_count(dataset, wanted)


def target_count(dataset: DatasetCard, model: ModelCard, target: Targets) -> int:
    """Return how many scores are explained per input.

    Raises
    ------
    UserError
        There is no such class, or no column of classes for ``true``.
    """
    if target not in _WORDS:
        return len(parse_target(target, model))
    if target == "true":
        if dataset.target is None or not dataset.class_counts:
            raise UserError(
                f"'{dataset.name}' has no classes, so there is no true one. Choose the column that holds them, or "
                "explain the predicted class."
            )
        for name in dataset.class_counts:
            parse_target(name, model)
    return 1


def own_shape(study: Study) -> tuple[int, ...]:
    """Return the shape of one map: voxels (i, j, k) or seen pixels (y, x); ones where the cards don't tell."""
    if study.dataset is not None and study.dataset.kind == "images":
        return seen_shape(study)[1:]
    return card_shape(study.dataset) or (1, 1, 1)


def own_spacing(study: Study) -> tuple[float, ...]:
    """Return the distance of neighbours: mm for volumes, 1 for pixels."""
    if study.dataset is not None and study.dataset.kind == "images":
        return (1.0, 1.0)
    return card_spacing(study.dataset)


def channel_count(study: Study) -> int:
    """Return the channels of one input: 1 for volumes."""
    return seen_shape(study)[0] if study.dataset is not None and study.dataset.kind == "images" else 1


def map_bytes(study: Study, parameters: MapParameters) -> int:
    """Return the memory of the maps: each one, the images below them, and the sums of the average."""
    if study.dataset is None or study.model is None:
        return 0
    try:
        count = input_count(study, parameters)
        targets = target_count(study.dataset, study.model, parameters.target)
    except UserError:
        return 0
    own = math.prod(own_shape(study))
    below = count * own * seen_shape(study)[0] if study.dataset.kind == "images" else 0
    one = targets * own
    kept = 2 * 4 * count * one + below if 4 * count * one <= MOST_MAP_BYTES else 0
    return kept + (40 * one if parameters.average else 0)


def rows_together(study: Study, parameters: ChoiceParameters, rows: int, *, gradient: bool) -> int:
    """Return how many of `rows` rows go through the network at once: as asked for, or what is found to fit.

    On a CPU; of a GPU nothing is known before torch is loaded, and eight rows are a guess.
    """
    assert study.model is not None
    if wanted := parameters.rows_at_once(study):
        return min(rows, wanted)
    if study.device not in ("auto", "cpu") or not study.model.flops_per_row:
        return min(rows, 8 if gradient else 64)
    model, own = study.model, math.prod(own_shape(study)) * (channel_count(study) + 1)
    times = GRAPH if gradient else 1
    size = times * model.bytes_per_row + 8 * own
    flops = model.flops_per_row * (3 if gradient else 1)
    return min(rows, rows_that_fit(memory_available(), size, flops, gradient=gradient))


def gradient_bytes(study: Study, parameters: MapParameters, rows: int) -> int:
    """Return the memory of a map that is made with backward passes over `rows` rows or less at once."""
    assert study.model is not None
    return pass_bytes(study, parameters, rows, gradient_row_bytes(study.model))


def pass_bytes(
    study: Study, parameters: MapParameters, rows: int, row_bytes: int, *, gradient: bool = True, scratch: bool = True
) -> int:
    """Return the memory of passes of `row_bytes` for each of the rows that go through at once, and of the maps."""
    assert study.model is not None
    batch = rows_together(study, parameters, rows, gradient=gradient)
    own = 4 * math.prod(own_shape(study)) * channel_count(study)
    held = scratch_bytes(study.model, batch) if scratch and len(own_shape(study)) == 3 else 0
    # The rows as they were read and as they go through.
    return held + batch * (row_bytes + 2 * own) + map_bytes(study, parameters)
