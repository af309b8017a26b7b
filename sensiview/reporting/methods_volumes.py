"""The methods paragraphs of masks and maps, of volumes and of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sensiview.reporting.methods_images import chosen
from sensiview.reporting.methods_told import MethodsText, Told
from sensiview.reporting.wording import listed, value_text

_FILLS = {
    "one": "the value 1", "zero": "the value 0", "blur": "the blurred volume", "controls": "the mean of the controls",
}  # fmt: skip
_SCORES = {
    "log_odds": "the log-odds of the true class", "logit": "the logit of the true class",
    "probability": "the probability of the true class",
}  # fmt: skip
_ONE_NETWORK = (
    "The map describes this network, not what it was made to recognise; another training run may point elsewhere."
)


def _mask_settings(told: Told) -> str:
    fill, objective = str(told.parameter("fill", "one")), str(told.parameter("objective", "log_odds"))
    where = _FILLS.get(fill, f"the value {fill}")
    mean = told.parameter("normalisation", "mean") == "mean"
    return (
        f"the masked volume m X + (1 - m) F, with F {where}, lowers {_SCORES.get(objective, objective)}; the area term "
        f"has exponent {value_text(told.parameter('beta_1', 1))}, the smoothness term "
        f"{value_text(told.parameter('beta_2', 3))}, both "
        f"{'means over the voxels that may be masked' if mean else 'sums over voxels'}"
    )


def _mask_optimization(told: Told) -> MethodsText:
    whom = "one mask for all subjects" if told.parameter("group", False) else "one mask per subject"
    paragraph = (
        f"What {told.network} rests on was found on {told.table} by optimising {whom}, as Fong and Vedaldi "
        f"[fong2017] and, for grey-matter maps, Thibeau-Sutre et al. [thibeausutre2020]: {_mask_settings(told)}. "
        f"lambda_1 = {value_text(told.parameter('lambda_1'))}, lambda_2 = {value_text(told.parameter('lambda_2'))}; "
        f"{value_text(told.parameter('steps'))} steps of Adam [kingma2015] at a learning rate of "
        f"{value_text(told.parameter('learning_rate'))}. Regions are those of the atlas, on the volumes' own grid."
    )
    return MethodsText(
        paragraph,
        (
            "A mask shows what is enough to change the answer, not everything the network uses.",
            "Masked volumes are not real ones; the network may answer to the fill itself.",
            _ONE_NETWORK,
        ),
    )


def _lambda_grid(told: Told) -> MethodsText:
    one, two = told.parameter("lambda_1", []), told.parameter("lambda_2", [])
    paragraph = (
        f"Masks of {told.network} were optimised on {told.table} for all pairs of lambda_1 ({value_text(one)}) and "
        f"lambda_2 ({value_text(two)}) [thibeausutre2020; fong2017]: {_mask_settings(told)}."
    )
    return MethodsText(
        paragraph, ("Where masks of neighbouring values differ, the choice of lambda decides the picture.",)
    )


def _mask_robustness(told: Told) -> MethodsText:
    runs = told.parameter("runs", [])
    paragraph = (
        f"Masks of {len(runs)} runs were compared as by Thibeau-Sutre et al. [thibeausutre2020]: the cosine of their "
        "densities per atlas region (roi_similarity), and the mean probability that the network of one context gives "
        "to the true class for volumes masked with the mask of another (prob_CNN, our reading of the poster)."
    )
    return MethodsText(
        paragraph,
        (
            "Similar masks say that the method is stable, not that it is right.",
            "Folds share most of their training subjects, so they are not independent.",
        ),
    )


def _grad_cam(told: Told) -> MethodsText:
    layer = told.parameter("layer", "auto")
    where = "the last layer with a map" if layer == "auto" else f"the layer {layer}"
    cut = "negative values cut off" if told.parameter("relu", True) is not False else "negative values kept"
    cut = "their sum taken without its sign" if told.parameter("absolute") else cut
    name, weights = "Grad-CAM maps [selvaraju2017]", "the mean of the score's gradient over all spatial axes"
    if told.record.get("analysis") == "grad_cam_pp" or told.parameter("variant") == "grad_cam_plus_plus":
        name = "Grad-CAM++ maps [chattopadhay2018]"
        weights = "the sum over all spatial axes of the score's positive gradient with the weights of Grad-CAM++"
    paragraph = (
        f"{name} of {told.network} were computed on {told.table}{chosen(told)} at {where}: feature "
        f"maps weighted by {weights}, {cut}, linearly interpolated to the input's grid."
    )
    return MethodsText(
        paragraph, ("The map is as coarse as the layer; small regions can't be told apart.", _ONE_NETWORK)
    )


def _saliency(told: Told) -> MethodsText:
    what = "gradient" if told.parameter("absolute", True) is False else "size of the gradient"
    times = " times the input" if told.parameter("times_input") else ""
    samples = told.parameter("samples", 0)
    noisy = (
        f" The gradient is the mean over {value_text(samples)} copies of the input with Gaussian noise of "
        f"{value_text(told.parameter('sigma', 0.15))} of the input's range, as SmoothGrad does [smilkov2017]."
        if samples
        else ""
    )
    place = "pixel" if told.dataset is not None and told.dataset.kind == "images" else "voxel"
    paragraph = (
        f"Saliency maps [simonyan2014] of {told.network}, the {what} of the score with respect to each {place}{times}, "
        f"were computed on {told.table}{chosen(told)}.{noisy}"
    )
    return MethodsText(paragraph, ("Gradients are local and noisy; they say what small changes do.", _ONE_NETWORK))


def _integrated_gradients(told: Told) -> MethodsText:
    baseline = str(told.parameter("baseline", "black"))
    ways = f", the mean over {value_text(told.parameter('samples', 10))} of them" if baseline == "noise" else ""
    paragraph = (
        f"Integrated gradients [sundararajan2017] of {told.network} were computed on {told.table}{chosen(told)}: the "
        f"gradient of the score is integrated along the straight way from the baseline ({baseline}{ways}) to "
        f"the input in {value_text(told.parameter('steps', 50))} steps and multiplied by their difference."
    )
    return MethodsText(
        paragraph, ("What is like the baseline gets no share; another baseline gives another map.", _ONE_NETWORK)
    )


def _occlusion(told: Told) -> MethodsText:
    stride, unit = told.parameter("stride", 0), str(told.parameter("unit", "voxels"))
    images = told.dataset is not None and told.dataset.kind == "images"
    part = (
        f"a window of {value_text(told.parameter('window'))} {'pixels' if images else unit}, moved by "
        f"{value_text(stride) if stride else 'half of it'},"
    )
    part = "a region of the atlas" if told.parameter("mode") == "regions" else part
    paragraph = (
        f"Occlusion maps [zeiler2014] of {told.network} were computed on {told.table}{chosen(told)}: the fall of the "
        f"score when {part} is replaced ({value_text(told.parameter('fill'))}); where windows overlap, the mean."
    )
    return MethodsText(
        paragraph, ("Regions that can stand in for each other look unimportant one by one.", _ONE_NETWORK)
    )


def _sanity(told: Told) -> MethodsText:
    paragraph = (
        f"Whether the maps can be trusted was tested as by Adebayo et al. [adebayo2018]: weights of {told.network} "
        "were randomised layer by layer, maps were compared with other seeds, with the average map and with random "
        "masks, and parts were deleted and inserted [petsiuk2018] in the map's order and in random orders."
    )
    return MethodsText(paragraph, ("Passing these tests is necessary, not sufficient.",))


def _known_regions(told: Told) -> MethodsText:
    regions = told.parameter("regions", [])
    paragraph = f"Maps were held against regions that are known to matter: {listed([str(r) for r in regions])}."
    return MethodsText(paragraph, ("Known regions are those that were planted or named, not all that could matter.",))


def _simulation(told: Told) -> MethodsText:
    regions = told.parameter("regions", [])
    paragraph = (
        f"{value_text(told.parameter('subjects'))} grey-matter maps at {value_text(told.parameter('spacing'))} mm were "
        "simulated from the MNI152 template [fonov2011] that nilearn ships [abraham2014]: smooth random deformations "
        f"and variation of the density; patients lost grey matter in {listed([str(r) for r in regions])}. No "
        "patient data."
    )
    return MethodsText(paragraph, ("Simulated data are simpler than real anatomy.",))


def _resampling(told: Told) -> MethodsText:
    spacing = told.parameter("spacing")
    edge = f" with voxels of {value_text(spacing)} mm" if spacing else ""
    paragraph = (
        f"{told.table} were resampled to {value_text(told.parameter('template'))}{edge} "
        f"({value_text(told.parameter('interpolation'))} interpolation) with nilearn [abraham2014]."
    )
    return MethodsText(paragraph, ("Resampling moves nothing that the affines don't say; no registration was made.",))


BY_ANALYSIS: Mapping[str, Callable[[Told], MethodsText]] = {
    "mask_optimization": _mask_optimization,
    "lambda_grid": _lambda_grid,
    "mask_robustness": _mask_robustness,
    "grad_cam": _grad_cam,
    "grad_cam_pp": _grad_cam,
    "integrated_gradients": _integrated_gradients,
    "saliency": _saliency,
    "occlusion": _occlusion,
    "sanity": _sanity,
    "known_regions": _known_regions,
    "simulation": _simulation,
    "resampling": _resampling,
}
