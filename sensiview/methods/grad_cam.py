"""Grad-CAM of 3-D networks over whole volumes."""

from __future__ import annotations

from typing import Literal

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_items import MapWords
from sensiview.analysis.volume_map_parameters import (
    VolumeMapParameters,
    map_bytes,
    subject_count,
    times,
    volume_obstacles,
    volume_problems,
)
from sensiview.errors import UserError
from sensiview.models.card import ModelCard
from sensiview.numerics.map_layers import chosen_layer, map_layers

# A backward pass keeps what a forward pass lets go.
_GRAPH = 4


class GradCamParameters(VolumeMapParameters):
    """Which layer, and what is done with its maps."""

    layer: str = parameter(
        "auto",
        label="Layer",
        help="Whose activations are weighed; auto takes the last one that gives a map of more than one cell.",
        suggestions="layers",
    )
    variant: Literal["grad_cam", "grad_cam_plus_plus"] = parameter(
        "grad_cam",
        label="Variant",
        help="How channels are weighed: the mean gradient (grad_cam), or the weighted mean of positive gradients.",
        advanced=True,
    )
    relu: bool = parameter(True, label="Only support", help="Cut off what speaks against the class (ReLU).")
    absolute: bool = parameter(
        False,
        label="Absolute",
        help="Take the size of the map instead of cutting: support and opposition together.",
        advanced=True,
    )


class GradCam(Analysis[GradCamParameters]):
    """Shows where a layer of the network is active for a class, as a map over the volume.

    Each channel of the layer is weighed by the mean of the class score's gradient over all three spatial axes; the
    weighted sum is cut at 0, brought to the network's input grid by linear interpolation, and from there into the
    volume's own grid, so that it lies over the volume in any viewer. High means support for the class; the map is not
    inverted, and its scale is its own: compare places, not subjects.

    It misleads where the layer is coarse. A cell of a layer of 3 x 4 x 3 covers a third of the head, and the smooth
    picture between the cells is interpolation, not knowledge: the note says how large a cell is. Two structures inside
    one cell can't be told apart, and a map over a late layer says where the network is active, not which voxels it
    would miss; occlusion and masks answer that. A map of zeros means that every channel speaks against the class; look
    at it without the cut. Run the sanity checks before trusting it.

    References
    ----------
    Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017). Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-based Localization. ICCV. doi:10.1109/ICCV.2017.74.
    Chattopadhyay, Sarkar, Howlader, Balasubramanian (2018). Grad-CAM++. WACV. doi:10.1109/WACV.2018.00097.
    """

    key = "grad_cam"
    title = "Grad-CAM"
    rank = 110
    accepts = ("volumes",)
    Parameters = GradCamParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes, no 3-D network, or none of its layers gives a map."""
        found = super().obstacles(study) or volume_obstacles(study)
        if not found and study.model is not None and study.model.layers and not map_layers(study.model):
            found = [
                f"No layer of '{study.model.name}' gives a map of more than one cell. Use saliency or occlusion, which "
                "need none."
            ]
        return found

    def problems(self, study: Study, parameters: GradCamParameters) -> list[str]:
        """Return sentences about the layer, the subjects and the class."""
        found = volume_problems(study, parameters)
        if study.model is not None:
            try:
                chosen_layer(study.model, parameters.layer)
            except UserError as error:
                found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: GradCamParameters) -> Cost:
        """Return one evaluation per volume; memory for a batch with its gradients, and for the maps."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = subject_count(study.dataset, parameters.chosen())
        except UserError:
            return Cost(0, 0)
        batch = min(count, parameters.rows_at_once(study) or 8)
        peak = _GRAPH * batch * max(study.model.bytes_per_row, 1) + map_bytes(study, parameters)
        return Cost(count, peak, note="Each evaluation with a backward pass.")

    def run(self, study: Study, parameters: GradCamParameters, progress: Progress) -> Result:
        """Make the maps in batches."""
        from sensiview.analysis.volume_map_run import open_map_run, run_maps
        from sensiview.numerics.volume_maps import GradCamMaker

        opened = open_map_run(study, parameters, progress)
        card = opened.inputs.network.card
        layer = chosen_layer(card, parameters.layer)
        maker = GradCamMaker(layer, parameters.variant, parameters.relu, parameters.absolute)
        name = "Grad-CAM" if parameters.variant == "grad_cam" else "Grad-CAM++"
        words = MapWords(
            title=f"{name} of {layer}",
            description=(
                "How strongly the layer's channels that speak for the class are active at each place. "
                + ("Negative: they speak against it." if maker.signed else "The scale is each map's own.")
            ),
            unit="",
            signed=maker.signed,
        )
        return run_maps(
            opened, study, parameters, progress, maker, words, finish=lambda items, found: [_cells(card, layer)]
        )

    def example(self) -> Example[GradCamParameters]:
        """Return four volumes of 12 voxels a side, and a network that looks for a bright box."""
        return Example(_example_study(), GradCamParameters(target="AD", average=True, atlas="none"))


def _cells(card: ModelCard, layer: str) -> str:
    """Say how coarse the layer is."""
    shape = card.layer(layer).output_shape or ()
    size = [n / m for n, m in zip(card.input_shape[1:], shape[1:], strict=True)]
    if max(size) <= 1:
        return f"The layer '{layer}' has the resolution of the network's input."
    return (
        f"The layer '{layer}' has {times(shape[1:])} cells, each about {' x '.join(f'{s:.3g}' for s in size)} voxels "
        "of the network's input: what lies inside one cell can't be told apart."
    )


def _example_study() -> Study:
    from sensiview.numerics.example_volumes import example_network, example_volumes

    volumes = example_volumes()
    return Study(
        dataset=volumes.card,
        model=example_network(volumes).card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=lambda: example_network(volumes),
    )
