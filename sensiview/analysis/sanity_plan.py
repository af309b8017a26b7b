"""What the checks of a map will be, known from the cards and the run that they are about. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from sensiview.analysis.map_parameters import ChoiceParameters, own_shape, own_spacing, selected_count
from sensiview.analysis.parameters import parameter
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.numerics.path_words import NOISE, parse_baseline
from sensiview.numerics.window_sizes import in_voxels, window_counts, window_sizes

METHODS = ("grad_cam", "grad_cam_pp", "saliency", "integrated_gradients", "occlusion")
MASKS = "mask_optimization"
_MODES: Mapping[str, tuple[Literal["cascading", "independent"], ...]] = {
    "off": (),
    "cascading": ("cascading",),
    "independent": ("independent",),
    "both": ("cascading", "independent"),
}
Modes = tuple[Literal["cascading", "independent"], ...]


class SanityParameters(ChoiceParameters):
    """Which map, and which checks."""

    runs: list[str] = parameter(
        [],
        label="Run",
        help="The finished run whose map is checked, with its class, inputs and settings; empty takes the method.",
        suggestions="runs:grad_cam,grad_cam_pp,saliency,integrated_gradients,occlusion,mask_optimization",
    )
    method: Literal["grad_cam", "grad_cam_pp", "saliency", "integrated_gradients", "occlusion"] = parameter(
        "grad_cam", label="Method", help="Whose map is checked when no run is chosen."
    )
    layer: str = parameter(
        "auto", label="Layer", help="For Grad-CAM without a run.", suggestions="layers", advanced=True
    )
    window: float = parameter(
        8,
        label="Window",
        help="For occlusion without a run: side of the window in voxels or pixels.",
        gt=0,
        advanced=True,
    )
    most_subjects: int = parameter(
        4, label="At most", help="The checks are made on so many of the chosen inputs, evenly taken.", ge=1, le=1000
    )
    randomisation: Literal["cascading", "independent", "both", "off"] = parameter(
        "cascading",
        label="Random weights",
        help="Randomise layers one after the other from the output back (cascading), one at a time, both, or not.",
    )
    layers: int = parameter(
        10, label="Steps of layers", help="Deeper networks are randomised in this many groups.", ge=1, le=200
    )
    repeats: int = parameter(
        3, label="Repeats", help="How often the map is made again with other seeds and noise; 0 leaves it out.", ge=0
    )
    noise: float = parameter(
        0.02, label="Noise", help="On the input in each repeat, as a share of its range of values.", ge=0, le=1
    )
    orders: int = parameter(
        20, label="Random orders", help="For deletion and insertion; 0 leaves them out.", ge=0, le=10_000
    )
    steps: int = parameter(20, label="Steps", help="Points of the curves of deletion and insertion.", ge=2, le=1000)
    parts: Literal["cells", "regions"] = parameter(
        "cells",
        label="Parts",
        help="What is taken away at a time: cells of a grid, or regions of the atlas.",
        kinds=("volumes",),
    )
    cell: int = parameter(8, label="Cell", help="Side of a cell in voxels or pixels.", ge=1, le=512)
    draws: int = parameter(
        40,
        label="Random masks",
        help="Of the same volume and smoothness; 0 leaves the comparison out.",
        ge=0,
        le=10_000,
    )
    share: float = parameter(
        0.1, label="Highest part", help="Share of the voxels or pixels that is taken for the map's mask.", gt=0, lt=1
    )
    fill: float | str = parameter(
        "mean", label="Fill", help="What is put in: zero, one, a number, mean, blur or controls. A run brings its own."
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

    def modes(self) -> Modes:
        """Return the ways to randomise weights."""
        return _MODES[self.randomisation]

    def recipe(self) -> dict[str, Any]:
        """Return the options of the method's map where no run says them."""
        return {
            "layer": self.layer,
            "variant": "grad_cam",
            "relu": True,
            "absolute": self.method == "saliency",
            "times_input": False,
            "samples": 0 if self.method == "saliency" else 10,
            "channels": "largest" if self.method == "saliency" else "sum",
            "baseline": "black",
            "steps": 20,
            "rule": "gauss_legendre",
            "sigma": 0.15,
            "mode": "windows",
            "window": self.window,
            "stride": 0,
            "unit": "voxels",
            "fill": self.fill,
            "controls": self.controls,
            "blur": self.blur,
            "output": self.output,
            "target": self.target,
            "subjects": self.subjects,
            "images": self.images,
        }


@dataclass(frozen=True)
class SanityPlan:
    """What is checked.

    Parameters
    ----------
    key : str
        Method of the map.
    options : mapping
        Its parameters.
    run : Finished or None
    """

    key: str
    options: Mapping[str, Any]
    run: Finished | None

    @property
    def masks(self) -> bool:
        """Whether it is a mask, which is taken as it is and not made again."""
        return self.key == MASKS

    def chosen(self, kind: str) -> str | list[int | str]:
        """Return the inputs of this kind of data as they are selected."""
        wanted = self.options.get("images" if kind == "images" else "subjects", "all")
        return [wanted] if isinstance(wanted, int) else wanted

    def target(self) -> Any:
        """Return the class that the map explains."""
        target = self.options.get("target", "true" if self.masks else "predicted")
        return target[0] if isinstance(target, list) and len(target) == 1 else target


def plan_of(study: Study, parameters: SanityParameters) -> SanityPlan:
    """Return what is checked.

    Raises
    ------
    UserError
        The run is unknown, of another kind, of another data set or model, or of several classes.
    """
    if not parameters.runs:
        return SanityPlan(parameters.method, parameters.recipe(), None)
    if len(parameters.runs) > 1:
        raise UserError("One run is checked at a time. Choose one.")
    run = study.finished(parameters.runs[0])
    if run.analysis not in (*METHODS, MASKS):
        raise UserError(
            f"'{run.name or run.id}' is a run of '{run.analysis}', which has no map to check. Choose one of Grad-CAM, "
            "Grad-CAM++, saliency, integrated gradients, occlusion or mask optimisation."
        )
    if run.dataset is not None and study.dataset is not None and run.dataset.name != study.dataset.name:
        raise UserError(
            f"'{run.name or run.id}' was made on '{run.dataset.name}'. Choose that data set instead of "
            f"'{study.dataset.name}'."
        )
    if run.model is not None and study.model is not None and run.model.name != study.model.name:
        raise UserError(
            f"'{run.name or run.id}' was made with '{run.model.name}'. Choose that model instead of "
            f"'{study.model.name}'."
        )
    options = {**parameters.recipe(), **run.parameters}
    if run.analysis == MASKS and study.dataset is not None and study.dataset.kind == "volumes":
        from sensiview.numerics.mask_subjects import by_class

        # Masks are made of patients unless somebody else is named; selections of maps know no patients.
        chosen = options.get("subjects", "patients")
        options["subjects"] = by_class(study.dataset, chosen, str(options.get("controls", "")))
    plan = SanityPlan(run.analysis, options, run)
    if run.analysis == "occlusion" and plan.options.get("mode") == "regions":
        raise UserError("A map of occlusion by region can't be checked. Choose a run of occlusion by windows.")
    return plan


def one_class(plan: SanityPlan) -> None:
    """Refuse several classes; UserError."""
    target = plan.target()
    if isinstance(target, list) or (isinstance(target, str) and target.strip().lower() == "all"):
        raise UserError("The checks are made for one class at a time. Choose one.")


def sanity_evaluations(study: Study, parameters: SanityParameters, plan: SanityPlan) -> int:
    """Return the forward passes of all checks.

    Raises
    ------
    UserError
        Inputs or windows that don't fit.
    """
    if study.dataset is None or study.model is None:
        return 0
    n = min(selected_count(study.dataset, plan.chosen(study.dataset.kind)), parameters.most_subjects)
    shape = own_shape(study)
    total = n if plan.masks else 0
    if not plan.masks:
        per_map = _per_map(study, plan, shape)
        weighted = sum(1 for layer in study.model.layers if layer.parameters and layer.output_shape is not None)
        stages = min(parameters.layers, weighted)
        made = 1 + len(parameters.modes()) * stages + parameters.repeats
        total += n * per_map * made + (1 if parameters.modes() else 0)
    if parameters.orders:
        sides = in_voxels(parameters.cell, "voxels", own_spacing(study))
        cells = int(np.prod([-(-n // s) for n, s in zip(shape, sides, strict=True)]))
        points = min(parameters.steps, cells) + 1
        total += n * (1 + (n > 1 and not plan.masks) + parameters.orders) * 2 * points
    if parameters.draws:
        total += n * (parameters.draws + 2)
    return total


def _per_map(study: Study, plan: SanityPlan, shape: tuple[int, ...]) -> int:
    options = plan.options
    if plan.key == "saliency":
        return 1 + int(options["samples"])
    if plan.key in ("grad_cam", "grad_cam_pp"):
        return 1
    if plan.key == "integrated_gradients":
        ways = int(options["samples"]) if parse_baseline(options["baseline"]) == NOISE else 1
        return 1 + ways * (int(options["steps"]) + 1)
    sides, steps = window_sizes(shape, own_spacing(study), options["window"], options["stride"], options["unit"])
    return 1 + int(np.prod(window_counts(shape, sides, steps, mirrored=len(shape) == 3)))
