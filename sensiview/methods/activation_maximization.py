"""Activation maximisation: the input that a class, a channel or a unit answers to most."""

from __future__ import annotations

from sensiview.analysis.activation_parameters import (
    ActivationParameters,
    activation_problems,
    amount,
    peak_bytes,
)
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.image_choice import image_obstacles
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class ActivationMaximization(Analysis[ActivationParameters]):
    """Changes an image until a class, a channel or a unit answers to it as strongly as it can.

    The input x is moved along the gradient of the activation a and against that of a regulariser R: argmax a(x) - R(x).
    From noise it shows what the network has learned to look for; from an image of the class, what it would like to see
    more of there; from an image of another class, what is lacking for the other decision. `change` says where pixels
    were changed and by how much, `difference` in which direction, `trace` how the activation rose, `snapshots` how the
    picture came about. `answers` gives the probability of every class for what was found: two classes that share
    features answer to each other's pictures. With the start `cross`, an image of every class is changed for every
    class, and `cross_activation` holds what was reached: a row that gives high values everywhere is a start from which
    the network is easily led anywhere.

    The activation is read before the last softmax or sigmoid, and before the activation function of a layer, where it
    still has a gradient. One step is x + e1 da/dx - e2 dTV/dx, put back into the valid range of the pixels; with the
    range `authors` it is the published update, on the normalised input between 0 and 1. e1 = e2 = 0.1 and 300 steps are
    the published values. Where the picture hardly changes, or turns to noise, the network's gradients are of another
    size: choose `normalise` with a step of about 0.01, or change the step by factors of ten.

    It misleads in three ways. Without regularisers the picture is an adversarial pattern: high activation, nothing to
    see. What appears depends on start, regularisers and number of steps; it is one of many inputs that the network
    answers to, not the one. And a high activation is not a probability: the other classes may have risen as well, which
    `answers` tells.

    References
    ----------
    Erhan, Bengio, Courville, Vincent (2009). Visualizing higher-layer features of a deep network. Technical report
    1341, University of Montreal.
    Simonyan, Vedaldi, Zisserman (2014). Deep Inside Convolutional Networks. ICLR workshop. arXiv:1312.6034.
    Yosinski, Clune, Nguyen, Fuchs, Lipson (2015). Understanding neural networks through deep visualization (blur,
    regularisers). arXiv:1506.06579.
    Mahendran, Vedaldi (2016). Visualizing deep convolutional neural networks using natural pre-images (total variation,
    jitter). IJCV 120. doi:10.1007/s11263-016-0911-8.
    """

    key = "activation_maximization"
    title = "Activation maximisation"
    rank = 80
    accepts = ("images",)
    Parameters = ActivationParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no images, or no image network."""
        return super().obstacles(study) or image_obstacles(study)

    def problems(self, study: Study, parameters: ActivationParameters) -> list[str]:
        """Return sentences about targets, layers, images and the size of the result."""
        return activation_problems(study, parameters)

    def cost(self, study: Study, parameters: ActivationParameters) -> Cost:
        """Return one evaluation with a backward pass per picture and step."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            work = amount(study, parameters)
        except UserError:
            return Cost(0, 0)
        note = f"{work.pictures:,} pictures, each evaluation with a backward pass."
        return Cost(work.pictures * (parameters.steps + 1), peak_bytes(study, parameters, work), note=note)

    def run(self, study: Study, parameters: ActivationParameters, progress: Progress) -> Result:
        """Climb from every start for every target; goes on where it was interrupted."""
        from sensiview.analysis.activation_run import run_activation

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return run_activation(study, parameters, progress, amount(study, parameters))

    def example(self) -> Example[ActivationParameters]:
        """Return four small images and a network that looks for a bright square."""
        from sensiview.numerics.example_images import example_images, example_network

        images = example_images()
        study = Study(
            dataset=images.card,
            model=example_network().card,
            device="cpu",
            images_loader=lambda: images,
            network_loader=example_network,
        )
        return Example(study, ActivationParameters(start="cross", steps=12, step_size=0.05, snapshots=4))
