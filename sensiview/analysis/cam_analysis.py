"""What Grad-CAM and Grad-CAM++ share: the layer, the maps, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import FieldMap, Item
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_items import MapWords
from sensiview.analysis.map_parameters import (
    MapParameters,
    input_count,
    map_obstacles,
    map_problems,
    pass_bytes,
)
from sensiview.analysis.map_run import open_map_run, run_maps
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_parameters import times
from sensiview.errors import UserError
from sensiview.models.card import ModelCard
from sensiview.numerics.map_layers import chosen_layer, is_behind, map_form, map_layers
from sensiview.numerics.pass_memory import row_bytes_after

Weighting = Literal["grad_cam", "grad_cam_plus_plus"]


class CamParameters(MapParameters):
    """Which layer, and what is done with its maps."""

    layer: str = parameter(
        "auto",
        label="Layer",
        help="Whose activations are weighed; auto takes the last one that gives a map of more than one cell.",
        suggestions="layers",
    )
    relu: bool = parameter(True, label="Only support", help="Cut off what speaks against the class (ReLU).")
    absolute: bool = parameter(
        False,
        label="Absolute",
        help="Take the size of the map instead of cutting: support and opposition together.",
        advanced=True,
    )


def cam_obstacles(study: Study) -> list[str]:
    """Return why there can be no class activation map: data and network don't fit, or no layer gives a map."""
    found = map_obstacles(study)
    if not found and study.model is not None and study.model.layers and not map_layers(study.model):
        found = [
            f"No layer of '{study.model.name}' gives a map of more than one cell. Use saliency or occlusion, which "
            "need none."
        ]
    return found


def layer_problems(study: Study, layer: str) -> list[str]:
    """Return why this layer can't be taken."""
    if study.model is None:
        return []
    try:
        chosen_layer(study.model, layer)
    except UserError as error:
        return [error.sentence]
    return []


class CamAnalysis(Analysis[CamParameters]):
    """The part of both analyses that is the same."""

    accepts = ("images", "volumes")
    Parameters = CamParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, no network for them, or none of its layers gives a map."""
        return super().obstacles(study) or cam_obstacles(study)

    def problems(self, study: Study, parameters: CamParameters) -> list[str]:
        """Return sentences about the layer, the inputs and the class."""
        return map_problems(study, parameters) + layer_problems(study, parameters.layer)

    def cost(self, study: Study, parameters: CamParameters) -> Cost:
        """Return one evaluation per input; memory for a batch with its gradients, and for the maps."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = input_count(study, parameters)
        except UserError:
            return Cost(0, 0)
        try:
            row_bytes = row_bytes_after(study.model, chosen_layer(study.model, parameters.layer))
        except UserError:
            row_bytes = study.model.bytes_per_row
        peak = pass_bytes(study, parameters, count, row_bytes, scratch=False)
        return Cost(count, peak, note="Each evaluation with a backward pass.")

    def weighting(self, parameters: CamParameters) -> Weighting:
        """Return how channels are weighed."""
        return "grad_cam"

    def run(self, study: Study, parameters: CamParameters, progress: Progress) -> Result:
        """Make the maps in batches."""
        from sensiview.numerics.gradient_makers import GradCamMaker

        opened = open_map_run(study, parameters, progress)
        layer = chosen_layer(opened.card, parameters.layer)
        weighting = self.weighting(parameters)
        maker = GradCamMaker(layer, weighting, parameters.relu, parameters.absolute)
        words = MapWords(
            title=f"{'Grad-CAM' if weighting == 'grad_cam' else 'Grad-CAM++'} of {layer}",
            description=(
                "How strongly the layer's channels that speak for the class are active at each place. "
                + ("Negative: they speak against it." if maker.signed else "The scale is each map's own.")
            ),
            unit="",
            signed=maker.signed,
        )
        return run_maps(
            opened,
            study,
            parameters,
            progress,
            maker,
            words,
            finish=lambda items, found: [
                cell_sentence(opened.card, layer, opened.inputs.what),
                *unread_patches(opened.card, layer, items),
            ],
        )

    def example(self) -> Example[CamParameters]:
        """Return four small images, and a network that looks for a bright, red square."""
        return Example(image_study(), self.Parameters(target="bright", average=True))

    def examples(self) -> tuple[Example[CamParameters], ...]:
        """Return the images, and four small volumes with a network that looks for a bright box."""
        return self.example(), Example(volume_study(), self.Parameters(target="AD", average=True, atlas="none"))


def unread_patches(card: ModelCard, layer: str, items: Mapping[str, Item]) -> list[str]:
    """Say why the maps of a transformer's layer are empty where the class is read from a token of its own."""
    form, found = map_form(card, layer), items.get("map")
    if form is None or not form.skipped or not isinstance(found, FieldMap) or found.values.any():
        return []
    auto = chosen_layer(card, "auto")
    if not is_behind(card, layer, auto):
        return []
    return [
        "Behind the last attention the class is read from a token of its own, so that what the patches hold there "
        f"changes no score. Choose the layer '{auto}'."
    ]


def cell_sentence(card: ModelCard, layer: str, what: str) -> str:
    """Say how coarse a layer is."""
    form = map_form(card, layer)
    space = form.space if form is not None else ()
    unit = "pixels" if what == "image" else "voxels"
    size = [n / m for n, m in zip(card.input_shape[1:], space, strict=True)]
    if max(size) <= 1:
        return f"The layer '{layer}' has the resolution of the network's input."
    cells = "patches" if form is not None and form.kind == "tokens" else "cells"
    return (
        f"The layer '{layer}' has {times(space)} {cells}, each about {' x '.join(f'{s:.3g}' for s in size)} {unit} "
        "of the network's input: what lies inside one can't be told apart."
    )
