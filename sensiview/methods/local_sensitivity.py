"""Local sensitivity: how strongly every block of a network reacts to every pixel of an image, colour by colour."""

from __future__ import annotations

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.image_choice import as_selection, image_count, image_obstacles
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.sensitivity_parameters import (
    MOST_MAP_BYTES,
    SensitivityParameters,
    map_bytes,
    rows_per_image,
    sensitivity_problems,
)
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class LocalSensitivity(Analysis[SensitivityParameters]):
    """Shows how strongly each block of a network reacts when one pixel changes in one colour.

    Every pixel is changed by d in one colour at a time, S = ||B(x + d e) - B(x)||, with B the flattened output of a
    block: all blocks from one sweep. Bright pixels are those that the block's output depends on. `pixelised` holds
    means over cells, which are easier to read; the power of ten beside a map (`scale`) says how large its values are,
    since every map has its own colours. `depth_profile` shows how sensitivity goes with depth. In the publication it
    fell from 1 to 0.01 over the five blocks of VGG-16 and stayed near 1 in ResNet-18; in the first block the colours
    differ, in the fourth hardly.

    The published change is drawn for each pixel from N(-0.05, 0.1^2), on images normalised to [-1, 1] (scale
    `authors`). It makes maps grainy: a pixel whose change happens to be near 0 looks insensitive. `fixed` gives all
    pixels the same change, `derivative` the exact limit of a small change, divided by it. Where the network allows it,
    only the windows of feature maps that a pixel reaches are computed, exactly; the note says so.

    It misleads in three ways. The norm grows with the number and the size of a block's values, so that blocks of
    different networks, or before and after a normalisation, are not to be compared by it alone: `relative` divides by
    the norm of the block's own output. What a block reacts to need not matter for the class: compare with Grad-CAM and
    occlusion. And single pixels rarely matter to a deep block; what changes together in images is not seen by this.

    References
    ----------
    Pizarroso, Portela, Munoz (2022). NeuralSens: Sensitivity Analysis of Neural Networks. Journal of Statistical
    Software 102(7). doi:10.18637/jss.v102.i07.
    Nakandala, Nagrecha, Kumar, Papakonstantinou (2019). Incremental and approximate inference for faster
    occlusion-based deep CNN explanations. SIGMOD. doi:10.1145/3299869.3319874.
    """

    key = "local_sensitivity"
    title = "Local sensitivity of blocks"
    rank = 70
    accepts = ("images",)
    Parameters = SensitivityParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no images, or no image network."""
        return super().obstacles(study) or image_obstacles(study)

    def problems(self, study: Study, parameters: SensitivityParameters) -> list[str]:
        """Return sentences about images, blocks, cells and memory."""
        return sensitivity_problems(study, parameters)

    def cost(self, study: Study, parameters: SensitivityParameters) -> Cost:
        """Return one evaluation per image, pixel and colour, and one for the image as it is."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = image_count(study.dataset, as_selection(parameters.images))
            kept = map_bytes(study, parameters, count)
        except UserError:
            return Cost(0, 0)
        peak = min(2 * kept, MOST_MAP_BYTES) + 64 * max(study.model.bytes_per_row, 1)
        note = "Where only windows are computed, an evaluation costs a fraction of a forward pass."
        return Cost(count * (rows_per_image(study, parameters) + 1), peak, note=note)

    def run(self, study: Study, parameters: SensitivityParameters, progress: Progress) -> Result:
        """Sweep image after image; goes on where it was interrupted."""
        from sensiview.analysis.sensitivity_run import run_sensitivity

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return run_sensitivity(study, parameters, progress)

    def example(self) -> Example[SensitivityParameters]:
        """Return four small images and a network of two convolutions; two of the images are swept."""
        from sensiview.numerics.example_images import example_images, example_network

        images = example_images()
        study = Study(
            dataset=images.card,
            model=example_network().card,
            device="cpu",
            images_loader=lambda: images,
            network_loader=example_network,
        )
        return Example(study, SensitivityParameters(images="0-1", layers=["0", "3"], every=4, average=True))
