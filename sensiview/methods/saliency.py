"""Saliency: the gradient of a score with respect to every pixel of an image or voxel of a volume."""

from __future__ import annotations

from typing import Literal

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.gradient_run import channel_names, finish_sooner, map_memory, value_name
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_items import MapWords
from sensiview.analysis.map_parameters import (
    MapParameters,
    gradient_bytes,
    input_count,
    map_obstacles,
    map_problems,
)
from sensiview.analysis.map_run import open_map_run, run_maps
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class SaliencyParameters(MapParameters):
    """What is made of the gradient."""

    channels: Literal["largest", "sum", "each"] = parameter(
        "largest",
        label="Colours",
        help="Of the gradients of a pixel's colours: the largest, their sum, or a map for each colour.",
        kinds=("images",),
    )
    absolute: bool = parameter(
        True, label="Absolute", help="Take the size of the gradient; without, the sign tells which way the score moves."
    )
    times_input: bool = parameter(
        False, label="Times input", help="Multiply the gradient by the input's value: what the place contributes."
    )
    samples: int = parameter(
        0,
        label="Noisy copies",
        help="SmoothGrad: the mean gradient over this many copies of the input with noise; 0 takes the input itself.",
        ge=0,
        le=10_000,
    )
    sigma: float = parameter(
        0.15,
        label="Noise",
        help="Standard deviation of the noise, as a share of the input's range of values.",
        gt=0,
        le=2.0,
        advanced=True,
    )


class Saliency(Analysis[SaliencyParameters]):
    """Shows how strongly the class score reacts to a small change of each pixel or voxel.

    The map is the exact derivative of the score with respect to each value of the input in its own units; the network's
    preprocessing is part of it. Maps of volumes come out in the volume's own grid, those of images on the pixels that
    the network sees; of the colours of a pixel the largest derivative is shown, as in the paper, or each for itself.
    Without the absolute value, red says that a brighter place raises the score. Times input, the values of a network
    without biases add up to its score.

    It misleads as every derivative does: it tells what a small change would do, not what the network would miss. Where
    the network is sure of itself, the gradient of the probability is 0 almost everywhere, which is why the logit is the
    default. The raw gradient of a deep network is noisy, and part of its pattern is that of strides and pooling;
    SmoothGrad averages over noisy copies and is easier to read, at the price of another parameter. Edges show up in
    any network, also an untrained one: run the sanity checks before trusting it.

    References
    ----------
    Simonyan, Vedaldi, Zisserman (2014). Deep Inside Convolutional Networks. ICLR workshop. arXiv:1312.6034.
    Smilkov, Thorat, Kim, Viegas, Wattenberg (2017). SmoothGrad: removing noise by adding noise. arXiv:1706.03825.
    """

    key = "saliency"
    title = "Saliency"
    rank = 120
    accepts = ("images", "volumes")
    Parameters = SaliencyParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, or no network for them."""
        return super().obstacles(study) or map_obstacles(study)

    def problems(self, study: Study, parameters: SaliencyParameters) -> list[str]:
        """Return sentences about the inputs and the class."""
        return map_problems(study, parameters)

    def cost(self, study: Study, parameters: SaliencyParameters) -> Cost:
        """Return one evaluation per input and noisy copy; memory for a batch with its gradients, and for the maps."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = input_count(study, parameters)
        except UserError:
            return Cost(0, 0)
        evaluations = count * (1 + parameters.samples)
        peak = gradient_bytes(study, parameters, evaluations)
        return Cost(evaluations, peak, note="Each evaluation with a backward pass.")

    def run(self, study: Study, parameters: SaliencyParameters, progress: Progress) -> Result:
        """Make the maps in batches."""
        from sensiview.numerics.gradient_makers import SaliencyMaker

        opened = open_map_run(study, parameters, progress)
        maker = SaliencyMaker(
            parameters.absolute,
            parameters.times_input,
            parameters.samples,
            parameters.sigma,
            study.seed,
            parameters.channels,
        )
        place = value_name(opened)
        what = "Gradient times input" if parameters.times_input else "Gradient"
        words = MapWords(
            title=f"{'Smoothed ' + what.lower() if parameters.samples else what}",
            description=(
                f"How strongly the score reacts to a small change of each {place}. "
                + (f"Positive: a brighter {place} raises the score." if maker.signed else "The sign is taken away.")
            ),
            unit="score" if parameters.times_input else f"score per unit of the {place}",
            signed=maker.signed,
            channels=channel_names(opened, parameters.channels),
        )
        memory = map_memory(progress) if parameters.samples else None
        with finish_sooner(memory):
            return run_maps(opened, study, parameters, progress, maker, words, memory=memory)

    def example(self) -> Example[SaliencyParameters]:
        """Return four small images, and a network that looks for a bright, red square."""
        return Example(image_study(), SaliencyParameters(target="all", channels="each"))

    def examples(self) -> tuple[Example[SaliencyParameters], ...]:
        """Return the images, and smoothed maps of four small volumes with a network that looks for a bright box."""
        return self.example(), Example(volume_study(), SaliencyParameters(target="true", samples=4, atlas="none"))
