"""Saliency of 3-D networks: the gradient of a score with respect to every voxel."""

from __future__ import annotations

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
    volume_obstacles,
    volume_problems,
)
from sensiview.errors import UserError

# A backward pass keeps what a forward pass lets go.
_GRAPH = 4


class SaliencyParameters(VolumeMapParameters):
    """What is made of the gradient."""

    absolute: bool = parameter(
        True, label="Absolute", help="Take the size of the gradient; without, the sign tells which way the score moves."
    )
    times_input: bool = parameter(
        False, label="Times input", help="Multiply the gradient by the voxel's value: what the voxel contributes."
    )
    samples: int = parameter(
        0,
        label="Noisy copies",
        help="SmoothGrad: the mean gradient over this many copies of the volume with noise; 0 takes the volume itself.",
        ge=0,
        le=10_000,
    )
    sigma: float = parameter(
        0.15,
        label="Noise",
        help="Standard deviation of the noise, as a share of the volume's range of values.",
        gt=0,
        le=2.0,
        advanced=True,
    )


class Saliency(Analysis[SaliencyParameters]):
    """Shows how strongly the class score reacts to a small change of each voxel.

    The map is the exact derivative of the score with respect to each voxel in the volume's own units; the network's
    preprocessing is part of it, with the scale that the untouched volume has. It comes out in the volume's own grid.
    Without the absolute value, red says that a brighter voxel raises the score. Times input, the values of a network
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
    accepts = ("volumes",)
    Parameters = SaliencyParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes, or no 3-D network."""
        return super().obstacles(study) or volume_obstacles(study)

    def problems(self, study: Study, parameters: SaliencyParameters) -> list[str]:
        """Return sentences about the subjects and the class."""
        return volume_problems(study, parameters)

    def cost(self, study: Study, parameters: SaliencyParameters) -> Cost:
        """Return one evaluation per volume and noisy copy; memory for a batch with its gradients, and for the maps."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = subject_count(study.dataset, parameters.chosen())
        except UserError:
            return Cost(0, 0)
        evaluations = count * (1 + parameters.samples)
        batch = min(evaluations, parameters.rows_at_once(study) or 8)
        peak = _GRAPH * batch * max(study.model.bytes_per_row, 1) + map_bytes(study, parameters)
        return Cost(evaluations, peak, note="Each evaluation with a backward pass.")

    def run(self, study: Study, parameters: SaliencyParameters, progress: Progress) -> Result:
        """Make the maps in batches."""
        from sensiview.analysis.volume_map_run import open_map_run, run_maps
        from sensiview.numerics.volume_maps import SaliencyMaker

        opened = open_map_run(study, parameters, progress)
        maker = SaliencyMaker(
            parameters.absolute, parameters.times_input, parameters.samples, parameters.sigma, study.seed
        )
        what = "Gradient times input" if parameters.times_input else "Gradient"
        words = MapWords(
            title=f"{'Smoothed ' + what.lower() if parameters.samples else what}",
            description=(
                "How strongly the score reacts to a small change of each voxel. "
                + ("Positive: a brighter voxel raises the score." if maker.signed else "The sign is taken away.")
            ),
            unit="score" if parameters.times_input else "score per unit of the voxel",
            signed=maker.signed,
        )
        return run_maps(opened, study, parameters, progress, maker, words)

    def example(self) -> Example[SaliencyParameters]:
        """Return four volumes of 12 voxels a side, and a network that looks for a bright box."""
        from sensiview.numerics.example_volumes import example_network, example_volumes

        volumes = example_volumes()
        study = Study(
            dataset=volumes.card,
            model=example_network(volumes).card,
            device="cpu",
            volumes_loader=lambda: volumes,
            network_loader=lambda: example_network(volumes),
        )
        return Example(study, SaliencyParameters(target="true", samples=4, atlas="none"))
