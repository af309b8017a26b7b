"""Which maps are compared and how, known from the cards and the finished runs. Loads no torch."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import field_validator

from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.map_parameters import (
    ChoiceParameters,
    Targets,
    input_count,
    own_shape,
    selected_count,
    target_count,
)
from sensiview.analysis.parameters import parameter
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.models.outputs import parse_target

# More maps side by side are not read by anybody.
MOST_MAPS = 12
# Analyses with one map for each class and no more.
SINGLE = ("grad_cam", "grad_cam_pp", "saliency", "integrated_gradients", "occlusion", "mask_optimization")


class ComparisonParameters(ChoiceParameters):
    """Which finished maps, and how they are compared."""

    runs: list[str] = parameter(
        [],
        label="Runs",
        help="Finished runs with maps of the same images or volumes: Grad-CAM, saliency, occlusion, masks, others.",
        suggestions="runs",
    )
    target: Targets = parameter(
        "own",
        label="Class",
        help="Whose score deletion and insertion watch: own (what each map explains), predicted, true, or a class.",
        suggestions="classes",
    )
    values: Literal["as_they_are", "absolute"] = parameter(
        "as_they_are",
        label="Values",
        help="Compare maps as they are (what speaks against the class comes last), or the size of their values.",
    )
    share: float = parameter(
        0.1, label="Highest part", help="Share of the places that counts as the top of a map.", gt=0, lt=1
    )
    most: int = parameter(
        20, label="At most", help="So many of the inputs that all maps have are compared, evenly taken.", ge=1, le=1000
    )
    steps: int = parameter(
        20, label="Steps", help="Points of the curves of deletion and insertion; 0 leaves them out.", ge=0, le=1000
    )
    cell: int = parameter(
        8, label="Cell", help="What is taken away at a time: cells of this side, in pixels or voxels.", ge=1, le=512
    )
    orders: int = parameter(5, label="Random orders", help="Drawn beside the maps' curves.", ge=0, le=1000)
    fill: float | str = parameter(
        "mean", label="Fill", help="What is put in: zero, one, a number, mean, blur or controls."
    )
    controls: str | int | list[str | int] = parameter(
        "", label="Controls", help="For the fill 'controls', such as diagnosis=CN or class=plain."
    )
    blur: float = parameter(
        10.0,
        label="Blur",
        help="For the fill 'blur': standard deviation, in mm for volumes and in pixels for images.",
        gt=0,
        le=200,
        advanced=True,
    )

    @field_validator("runs", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @property
    def own_targets(self) -> bool:
        """Whether every map is held against the score that it explains."""
        return isinstance(self.target, str) and self.target.strip().lower() == "own"


def compared_runs(study: Study, parameters: ComparisonParameters) -> list[Finished]:
    """Return the finished runs that are compared, each once.

    Raises
    ------
    UserError
        None is named, one is unknown, or one was made on another data set.
    """
    if not parameters.runs:
        raise UserError("Choose the finished runs whose maps are compared: two runs, or one with maps of two classes.")
    found = [study.finished(name) for name in dict.fromkeys(parameters.runs)]
    for run in found:
        if run.dataset is not None and study.dataset is not None and run.dataset.name != study.dataset.name:
            raise UserError(
                f"'{run.name or run.id}' was made on '{run.dataset.name}'. Choose runs on '{study.dataset.name}', or "
                "that data set."
            )
    if len(found) == 1 and found[0].analysis in SINGLE and study.model and len(_classes_of(found[0], study)) < 2:
        raise UserError(f"There is one map only, '{found[0].name or found[0].id}'. Choose another run beside it.")
    return found


def run_target(run: Finished) -> Targets:
    """Return the class that a run explains, as it was asked for."""
    target = run.parameters.get("target", "true" if run.analysis == "mask_optimization" else "predicted")
    return target if isinstance(target, str | int | list) else "predicted"


def check_target(study: Study, parameters: ComparisonParameters) -> None:
    """Refuse several classes and unknown ones; UserError."""
    if parameters.own_targets or study.dataset is None or study.model is None:
        return
    if target_count(study.dataset, study.model, parameters.target) != 1:
        raise UserError("Deletion and insertion watch one class at a time. Choose one, or 'own'.")


def comparison_evaluations(study: Study, parameters: ComparisonParameters) -> int:
    """Return the forward passes of the curves, as far as the cards tell how many maps there are."""
    if study.dataset is None or study.model is None:
        return 0
    runs = compared_runs(study, parameters)
    n = min(input_count(study, parameters), parameters.most, *(_inputs_of(run, study) for run in runs))
    classes: set[str] = set()
    maps = 0
    for run in runs:
        names = _classes_of(run, study)
        classes |= set(names)
        maps += len(names)
    groups = len(classes) if parameters.own_targets else 1
    if not parameters.steps:
        return n * groups
    cells = math.prod(-(-side // parameters.cell) for side in own_shape(study))
    points = min(parameters.steps, cells) + 1
    return n * (groups + 2 * points * (maps + groups * parameters.orders))


def _inputs_of(run: Finished, study: Study) -> int:
    """Return how many inputs a run has maps of, as far as its parameters tell."""
    assert study.dataset is not None
    wanted = run.parameters.get("images" if study.dataset.kind == "images" else "subjects", "all")
    try:
        return selected_count(study.dataset, as_selection(wanted))
    except UserError:
        return study.dataset.n_rows


def _classes_of(run: Finished, study: Study) -> list[str]:
    target = run_target(run)
    if target in ("predicted", "true") or study.model is None:
        return [str(target)]
    try:
        return [one.label for one in parse_target(target, study.model)]
    except UserError:
        return [str(target)]
