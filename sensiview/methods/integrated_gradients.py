"""Integrated gradients of image networks and 3-D networks: what each pixel or voxel adds to the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.gradient_run import channel_names, finish_sooner, map_memory, value_name
from sensiview.analysis.items import Item
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_items import MapWords
from sensiview.analysis.map_parameters import (
    MapParameters,
    gradient_bytes,
    input_count,
    map_obstacles,
    map_problems,
    selected_count,
)
from sensiview.analysis.map_run import open_map_run, run_maps
from sensiview.analysis.parameters import parameter
from sensiview.analysis.path_items import completeness
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.path_words import NOISE, parse_baseline

if TYPE_CHECKING:
    from sensiview.numerics.map_makers import FoundMaps


class IntegratedGradientsParameters(MapParameters):
    """Where the way to the input begins, and how finely it is walked."""

    baseline: float | str = parameter(
        "black",
        label="Baseline",
        help="Where the way begins: black, blurred, mean, noise (the mean over random inputs), controls, or a number.",
    )
    steps: int = parameter(50, label="Steps", help="Gradients along the way.", ge=1, le=10_000)
    samples: int = parameter(
        10, label="Random baselines", help="For the baseline 'noise': how many are averaged.", ge=1, le=1000
    )
    channels: Literal["sum", "largest", "each"] = parameter(
        "sum",
        label="Colours",
        help="Of the shares of a pixel's colours: their sum, the largest, or a map for each colour.",
        kinds=("images",),
    )
    absolute: bool = parameter(
        False, label="Absolute", help="Take the size of the share; then the map no longer adds up to the score."
    )
    rule: Literal["gauss_legendre", "middle", "trapezoid", "left", "right"] = parameter(
        "gauss_legendre", label="Rule", help="How the integral is approximated.", advanced=True
    )
    controls: str | int | list[str | int] = parameter(
        "", label="Controls", help="For the baseline 'controls': whose mean it is, such as diagnosis=CN or class=plain."
    )
    blur: float = parameter(
        10.0,
        label="Blur",
        help="For the baseline 'blurred': standard deviation, in mm for volumes and in pixels for images.",
        gt=0,
        le=200,
        advanced=True,
    )

    def control_selection(self) -> str | list[int | str]:
        """Return the controls as they are selected."""
        if isinstance(self.controls, int):
            return [self.controls]
        return self.controls if isinstance(self.controls, str) else list(self.controls)

    def ways(self) -> int:
        """Return how many baselines an input has."""
        return self.samples if parse_baseline(self.baseline) == NOISE else 1


class IntegratedGradients(Analysis[IntegratedGradientsParameters]):
    """Shows what each pixel or voxel adds to the class score, compared with a baseline that shows nothing.

    The gradient is summed along the straight way from the baseline to the input and multiplied by the difference of the
    two. So the values of a map add up to the difference of the scores (completeness): each is a share of it, in units
    of the score; negative ones lower it. `completeness` compares the sum with the difference; where they are far apart,
    take more steps. Unlike the plain gradient it does not vanish where the network is sure of itself. Maps of
    volumes come out in the volume's own grid, those of images on the pixels that the network sees.

    It misleads by its baseline. What is like the baseline gets no share: with a black one, a black lesion counts for
    nothing, however much the network looks at it. Compare two baselines; the mean over random ones treats no value as
    nothing, at the price of more evaluations. The way leads through inputs that nobody ever saw, and the map inherits
    the noise of gradients; edges show up in untrained networks too: run the sanity checks before trusting it.

    References
    ----------
    Sundararajan, Taly, Yan (2017). Axiomatic Attribution for Deep Networks. ICML. arXiv:1703.01365.
    Sturmfels, Lundberg, Lee (2020). Visualizing the Impact of Feature Attribution Baselines. Distill.
    doi:10.23915/distill.00022.
    """

    key = "integrated_gradients"
    title = "Integrated gradients"
    rank = 125
    accepts = ("images", "volumes")
    Parameters = IntegratedGradientsParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, or no network for them."""
        return super().obstacles(study) or map_obstacles(study)

    def problems(self, study: Study, parameters: IntegratedGradientsParameters) -> list[str]:
        """Return sentences about the baseline, the inputs and the class."""
        found = map_problems(study, parameters)
        try:
            if parse_baseline(parameters.baseline) == "controls":
                if not parameters.controls and parameters.controls != 0:
                    found.append("Name the controls whose mean is the baseline, for example diagnosis=CN.")
                elif study.dataset is not None:
                    selected_count(study.dataset, parameters.control_selection())
        except UserError as error:
            found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: IntegratedGradientsParameters) -> Cost:
        """Return the gradients along all ways, and the scores of inputs and baselines."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            evaluations = input_count(study, parameters) * (parameters.ways() * (parameters.steps + 1) + 1)
        except UserError:
            return Cost(0, 0)
        peak = gradient_bytes(study, parameters, evaluations)
        return Cost(evaluations, peak, note="Each evaluation with a backward pass.")

    def run(self, study: Study, parameters: IntegratedGradientsParameters, progress: Progress) -> Result:
        """Walk the ways of one input after the other."""
        from sensiview.numerics.path_baselines import baselines_of
        from sensiview.numerics.path_maker import IntegratedGradientsMaker

        opened = open_map_run(study, parameters, progress)
        baselines, count = baselines_of(
            parameters.baseline,
            samples=parameters.samples,
            blur=parameters.blur,
            controls=parameters.control_selection(),
            inputs=opened.inputs,
            like=opened.indices[0],
            seed=study.seed,
            tick=lambda: progress.advance(0),
        )
        maker = IntegratedGradientsMaker(
            baselines, count, parameters.steps, parameters.rule, parameters.channels, parameters.absolute
        )
        words = MapWords(
            title="Integrated gradients",
            description=f"What each {value_name(opened)} adds to the score, compared with the baseline. "
            + ("Negative: it lowers the score." if maker.signed else "The sign is taken away."),
            unit="score",
            signed=maker.signed,
            channels=channel_names(opened, parameters.channels),
        )

        def finish(items: dict[str, Item], found: list[FoundMaps]) -> Sequence[str]:
            return completeness(items, found, opened, str(parameters.baseline), count, parameters.steps)

        memory = map_memory(progress)
        with finish_sooner(memory):
            return run_maps(opened, study, parameters, progress, maker, words, finish=finish, memory=memory)

    def example(self) -> Example[IntegratedGradientsParameters]:
        """Return four small images, and a network that looks for a bright, red square."""
        return Example(image_study(), IntegratedGradientsParameters(target="bright", steps=24, average=True))

    def examples(self) -> tuple[Example[IntegratedGradientsParameters], ...]:
        """Return the images, and two small volumes with a network that looks for a bright box."""
        chosen = IntegratedGradientsParameters(
            target="AD", subjects="diagnosis=AD", steps=12, baseline="noise", samples=3, atlas="none"
        )
        return self.example(), Example(volume_study(), chosen)
