"""The methods paragraphs of Morris screenings and of the studies made on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sensiview.reporting.methods_images import chosen
from sensiview.reporting.methods_told import MethodsText, Told
from sensiview.reporting.wording import count, listed, percent, value_text

_PARTS = {
    "columns": "the columns of the table", "grid": "cells of a grid", "superpixels": "superpixels (SLIC [achanta2012])",
    "atlas": "the regions of an atlas", "channels": "whole channels",
    "generator": "the metadata that the images are generated from",
}  # fmt: skip
_AUTOMATIC = {"table": "columns", "images": "grid", "volumes": "atlas"}
_LIMITS = (
    "The measures describe the network on inputs whose parts are stronger or weaker than in real ones; such inputs "
    "may not occur.",
    "They are per range of a factor: other ranges give other numbers. A part that is 0 has nothing to multiply and "
    "shows no effect.",
    "sigma does not tell non-linearity from interaction.",
)


def _kind(told: Told) -> str:
    return told.dataset.kind if told.dataset is not None else "images"


def _partition(told: Told) -> str:
    wanted = str(told.parameter("partition", "auto"))
    return _AUTOMATIC.get(_kind(told), wanted) if wanted == "auto" else wanted


def _scope(told: Told) -> str:
    wanted = str(told.parameter("scope", "auto"))
    if wanted != "auto":
        return wanted
    return "global" if _partition(told) in ("columns", "generator") else "local"


def _factors(told: Told) -> str:
    key = _partition(told)
    what = _PARTS.get(key, f"the parts of the partition “{key}”")
    if key in ("grid", "superpixels"):
        cells = value_text(told.parameter("cells", 8))
        axes = 3 if _kind(told) == "volumes" else 2
        about = "" if key == "grid" else "about "
        what = f"{about}{' x '.join([cells] * axes)} {what}"
    return what


def _sampling(told: Told) -> str:
    key, scope = _partition(told), _scope(told)
    if key == "columns":
        return (
            "Columns were varied independently over their ranges in the data."
            if scope == "global"
            else f"Each row was varied by {percent(float(told.parameter('spread', 1.0)))} of half of each range."
        )
    if key == "generator":
        return "Each image was generated anew for values between the first and the last level of every factor."
    lumped = "The pixels of a part were multiplied, so that its sum took the sampled value [mosip2022]; sums were "
    if scope == "global":
        return f"{lumped}sampled between the smallest and the largest over all inputs, and the measures averaged."
    spread = float(told.parameter("spread", 1.0))
    return f"{lumped}sampled uniformly within {percent(spread)} of each input's own."


def _morris(told: Told) -> MethodsText:
    n = count(int(told.parameter("n", 40)))
    if told.parameter("design", "trajectory") == "radial":
        design = f"{n} radial blocks around scrambled Sobol' points [campolongo2011]"
    else:
        design = f"{n} trajectories on a grid of {value_text(told.parameter('levels', 8))} levels [morris1991]"
    paragraph = (
        f"{told.network} was screened by Morris' method on {told.table}{chosen(told)}, on partitions of the input "
        f"(MoSIP [mosip2022]); the factors were {_factors(told)}. {_sampling(told)} The design had {design}; mu_star "
        "is the mean size of the elementary effects [campolongo2007], sigma their standard deviation. Intervals of "
        f"{percent(float(told.parameter('confidence', 0.95)))} come from "
        f"{value_text(told.parameter('resamples', 100))} bootstrap resamples of whole trajectories."
    )
    return MethodsText(paragraph, _LIMITS)


def _runs(told: Told) -> str:
    runs = told.parameter("runs", [])
    return f"{len(runs)} Morris screening{'' if len(runs) == 1 else 's'} ({listed([str(run) for run in runs])})"


def _masking_validation(told: Told) -> MethodsText:
    share = percent(float(told.parameter("share", 0.2)))
    paragraph = (
        f"Whether the rankings of {_runs(told)} on {told.table} hold was tested as in [mosip2022]: of the inputs that "
        f"a network gets right, the most important {share} of the parts, the least important {share}, and as many in "
        f"{value_text(told.parameter('orders', 10))} random orders were masked one after the other (columns and "
        "generated factors drawn anew), and accuracy and the true class's score were watched."
    )
    return MethodsText(
        paragraph,
        (
            "Masked inputs are not real ones: a network may fall for the mask itself, which is why random parts are "
            "masked beside it.",
            "Only inputs that the network gets right count.",
        ),
    )


def _overlap(told: Told) -> MethodsText:
    share = percent(float(told.parameter("share", 0.2)))
    reference = told.parameter("reference") or "the first"
    paragraph = (
        f"The top {share} of the parts of {_runs(told)} on {told.table} were held against those of {reference}: a part "
        "overlaps when it is the same or an immediate neighbour [mosip2022]. The overlap of as many random parts "
        "stands beside it."
    )
    return MethodsText(
        paragraph, ("With neighbours counted, random parts overlap often too; compare with their share, not with 0.",)
    )


def _interaction_ratio(told: Told) -> MethodsText:
    paragraph = (
        f"For {_runs(told)} on {told.table} the ratio eta = mu_star / sigma was taken over the relevant parts, those "
        f"whose mu_star or sigma is above {value_text(told.parameter('threshold', 0.6))} of the largest [mosip2022]."
    )
    return MethodsText(paragraph, ("A low eta is non-linear or interacting use of the parts; it does not say which.",))


def _interaction_pairs(told: Told) -> MethodsText:
    paragraph = (
        f"All pairs of the {value_text(told.parameter('top_k', 5))} most important parts of {_runs(told)} on "
        f"{told.table} were masked in both orders; a pair counts as interacting when masking each alone changes more "
        "than masking it after the other, d1 + g1 > d2 + g2 [mosip2022]."
    )
    return MethodsText(
        paragraph,
        ("The rule also counts parts that say the same: once one is gone, the other has less to change, or more.",),
    )


def _screening_trend(told: Told) -> MethodsText:
    paragraph = (
        f"mu_star and sigma of {_runs(told)} were put in the order of a number that belongs to each, as means over "
        "inputs and outputs [mosip2022]."
    )
    return MethodsText(paragraph, ("One training per point: another one may come out differently.",))


BY_ANALYSIS: Mapping[str, Callable[[Told], MethodsText]] = {
    "morris": _morris,
    "masking_validation": _masking_validation,
    "overlap": _overlap,
    "interaction_ratio": _interaction_ratio,
    "interaction_pairs": _interaction_pairs,
    "screening_trend": _screening_trend,
}
