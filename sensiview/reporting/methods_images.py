"""The methods paragraphs of analyses of image networks, and of classification and comparison of maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sensiview.reporting.methods_told import MethodsText, Told
from sensiview.reporting.wording import listed, percent, value_text

_STARTS = {
    "noise": "noise", "image": "the chosen images", "own_class": "an image of the target's own class",
    "other_class": "an image of another class", "cross": "an image of every class, for every target",
}  # fmt: skip
_RANGES = {
    "valid": "Pixels were kept in the images' range after each step.",
    "authors": "As published, the normalised input was changed and kept in [0, 1].",
    "none": "Pixels could leave the images' range.",
}
_SCALES = {
    "pixels": "in the images' range", "normalised": "of the normalised input",
    "authors": "of pixels brought to [-1, 1], as published",
}  # fmt: skip
_PLANTED = ("digit_colour", "background_colour", "position")


def chosen(told: Told) -> str:
    """Return which inputs were taken, as a clause to follow the data's name; empty for all."""
    volumes = told.dataset is not None and told.dataset.kind == "volumes"
    wanted = told.parameter("subjects" if volumes else "images", "all")
    return "" if wanted in ("all", "") else f", {'subjects' if volumes else 'images'} {value_text(wanted)}"


def _classification(told: Told) -> MethodsText:
    paragraph = (
        f"{told.network} classified {told.table}{chosen(told)}; the class of the largest probability is its answer. "
        "Accuracies have Wilson's 95 % intervals [wilson1927]; the balanced accuracy is the mean recall over the "
        "classes."
    )
    return MethodsText(
        paragraph,
        (
            "Accuracy on inputs that the network was trained on is too good.",
            "Intervals take the inputs for independent; frames of one video or patient are not.",
            "Probabilities of networks are often too high.",
        ),
    )


def _local_sensitivity(told: Told) -> MethodsText:
    kind, scale = told.parameter("perturbation", "gaussian"), _SCALES.get(str(told.parameter("scale", "pixels")), "")
    changes = {
        "gaussian": (
            f"The change d was drawn for each pixel from a normal distribution of mean "
            f"{value_text(told.parameter('delta_mean'))} and standard deviation "
            f"{value_text(told.parameter('delta_std'))} (seed {told.record.get('seed')})"
        ),
        "fixed": f"The change was d = {value_text(told.parameter('delta'))}",
        "derivative": "The exact limit for small d, divided by d, was taken: the norm of the derivative",
    }
    layers = told.parameter("layers") or told.column("depth_profile", "block")
    blocks = f" ({listed([str(layer) for layer in layers])})" if layers else ""
    every = int(told.parameter("every", 1))
    coarse = f" One pixel in {every} was changed along both axes." if every > 1 else ""
    cell = value_text(told.parameter("cell", 4))
    paragraph = (
        f"How strongly each block{blocks} of {told.network} reacts to each pixel of {told.table}{chosen(told)} was "
        "measured as by Miao and Matveev [miao2025]: the L2 norm of the change of the block's output when one pixel is "
        f"changed by d in one colour. {changes.get(str(kind), str(kind))}, {scale}.{coarse} Pixelised maps are means "
        f"over cells of {cell} x {cell} pixels."
    )
    return MethodsText(
        paragraph,
        (
            "The norm grows with the size of a block's output: blocks are not to be compared by it alone.",
            "What a block reacts to need not matter for the class.",
            "One pixel is changed at a time; pixels that act together are not seen.",
        ),
    )


def _activation_maximization(told: Told) -> MethodsText:
    layer, target = told.parameter("layer", ""), told.parameter("target", "all")
    what = "the score" if not layer else f"the activation in layer {layer}"
    whose = ("of every class" if not layer else "of every channel") if target == "all" else f"of {value_text(target)}"
    gradient = "divided by its root mean square " if told.parameter("normalise") else ""
    more: list[str] = []
    if weight := told.parameter("l2_weight", 0):
        more.append(f"the mean square distance from the middle of the range (step {value_text(weight)})")
    if every := told.parameter("blur_every", 0):
        sigma = value_text(told.parameter("blur_sigma", 1.0))
        more.append(f"a Gaussian blur of {sigma} pixels every {value_text(every)} steps [yosinski2015]")
    if jitter := told.parameter("jitter", 0):
        more.append(f"random shifts of up to {value_text(jitter)} pixel{'' if jitter == 1 else 's'}")
    besides = f", besides {listed(more)}" if more else ""
    start = str(told.parameter("start", "noise"))
    paragraph = (
        f"Inputs that maximise {what} {whose} of {told.network} were found by gradient ascent [simonyan2014], as by "
        f"Miao and Matveev [miao2025], starting from {_STARTS.get(start, start)} ({told.table}): "
        f"{value_text(told.parameter('steps'))} steps of {value_text(told.parameter('step_size'))} times the gradient "
        f"of the activation {gradient}and of {value_text(told.parameter('tv_weight'))} times the gradient of the total "
        f"variation [mahendran2016]{besides}. {_RANGES.get(str(told.parameter('clamp', 'valid')), '')} The activation "
        "was read before the last softmax or sigmoid and before a layer's activation function."
    )
    return MethodsText(
        paragraph,
        (
            "What appears is one of many inputs that the network answers to, and depends on start, regularisers and "
            "steps.",
            "A high activation is not a high probability: other classes may have risen too.",
        ),
    )


def _comparison(told: Told) -> MethodsText:
    runs = told.parameter("runs", [])
    fill, steps = value_text(told.parameter("fill", "mean")), int(told.parameter("steps", 20))
    cell, orders = value_text(told.parameter("cell", 8)), value_text(told.parameter("orders", 5))
    curves = (
        f" Deletion and insertion [petsiuk2018] replace cells of side {cell} ({fill}) in the order of each map, beside "
        f"{orders} random orders, and watch the score at {steps} points."
        if steps
        else ""
    )
    size = " without their signs" if told.parameter("values") == "absolute" else ""
    share = percent(float(told.parameter("share", 0.1)))
    paragraph = (
        f"Maps of {len(runs)} run{'' if len(runs) == 1 else 's'} on {told.table}, explaining {told.network}, were "
        f"compared{size}: Spearman's rank correlation, the overlap of the highest {share}, and the area in which a map "
        f"reaches half of its maximum, for each input and as means with 95 % intervals over inputs.{curves}"
    )
    return MethodsText(
        paragraph,
        (
            "That maps agree does not make them right.",
            "Deletion and insertion depend on what is put in, and favour occlusion, which does the same.",
        ),
    )


def _biased_digits(told: Told) -> MethodsText:
    planted = {name: told.parameter(name, told.parameter("p_corr", 0.7)) for name in _PLANTED}
    biases = listed([f"{name.replace('_', ' ')} {value_text(p)}" for name, p in planted.items()])
    origin = "of MNIST [lecun1998]" if told.parameter("mnist") else "of 8 x 8 pixels [alpaydin1998]"
    drawings = int(told.parameter("drawings", 2))
    paragraph = (
        f"Handwritten digits {origin} were drawn in one of ten colours on one of ten backgrounds at one of nine "
        f"places, {'once' if drawings == 1 else f'{drawings} times'} each for training. With a given probability a "
        "factor has the value that belongs to the digit, else one of the others, as in Biased-MNIST [shrestha2021]: "
        f"{biases}. "
        "Other digits test, drawn with the same bias and once more without any."
    )
    return MethodsText(paragraph, ("The bias is planted: real data have other, and unknown, ones.",))


BY_ANALYSIS: Mapping[str, Callable[[Told], MethodsText]] = {
    "classification": _classification,
    "local_sensitivity": _local_sensitivity,
    "activation_maximization": _activation_maximization,
    "comparison": _comparison,
    "biased_digits": _biased_digits,
}
