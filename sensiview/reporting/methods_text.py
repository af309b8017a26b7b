"""The methods paragraph of each analysis, as a paper would print it, and its limits in plain words.

Marks such as ``[sobol2001]`` name works of `sensiview.reporting.bibliography`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sensiview.reporting import methods_images, methods_screening, methods_volumes
from sensiview.reporting.methods_sobol import sobol
from sensiview.reporting.methods_told import MethodsText, Told
from sensiview.reporting.wording import count, listed, percent, value_text


def methods_text(told: Told) -> MethodsText:
    """Return the paragraph and the limits for a run."""
    key = "training" if told.record.get("kind") == "training" else str(told.record.get("analysis", ""))
    specific = _BY_ANALYSIS.get(key, _any)(told)
    return MethodsText(f"{specific.paragraph} {_programs(told)}", specific.limits)


def _first_layer(told: Told) -> MethodsText:
    layers = told.column("relative", "layer")
    where = (
        f"the pre-activation of {listed([str(layer) for layer in layers])}" if layers else "a layer's pre-activation"
    )
    share = percent(float(told.parameter("delta", 0.01)))
    paragraph = (
        f"How strongly the layers of {told.network} react to each input factor was measured on {told.table} as by Miao "
        f"and Matveev [miao2025]: each value of a row was changed by {share} of itself, and the L2 norm of the "
        f"change of {where} was averaged over the rows. Besides, the mean, standard deviation and mean square of the "
        "partial derivatives over the rows were computed by automatic differentiation, as NeuralSens does "
        "[pizarroso2022]."
    )
    return MethodsText(
        paragraph,
        (
            "These numbers are local: they hold for small changes around the rows of this data set.",
            "A relative change leaves zeros as they are, and is large for factors with large values: compare factors "
            "of different units with care.",
            "A layer's reaction is not yet an effect on the output; later layers can cancel it.",
        ),
    )


def _pca(told: Told) -> MethodsText:
    k = told.parameter("k", told.parameter("components", 4))
    target, chosen = told.parameter("target", "all"), told.parameter("rows", "all")
    classes = list(told.dataset.class_counts) if told.dataset else []
    if target == "auto":
        target = classes[-1] if len(classes) == 2 else "all"
    rows = "the rows" if chosen == "all" else f"rows {value_text(chosen)}"
    if target != "all":
        rows += f" of class {value_text(target)} in"
    else:
        rows += " of"
    paragraph = (
        f"A principal component analysis [jolliffe2016] was made of {rows} {told.table}, each column "
        f"standardised to mean 0 and standard deviation 1; {value_text(k)} components were kept. As by Miao and "
        "Matveev [miao2025], the importance of a factor is the sum of the absolute values of its loadings over these "
        "components, normalised to sum 1."
    )
    return MethodsText(
        paragraph,
        (
            "This looks at the data alone: it says nothing about the model.",
            "Components describe linear relations only, and their signs are arbitrary.",
            "With nearly as many components as factors, the importance is even by construction.",
        ),
    )


def _feature_subset(told: Told) -> MethodsText:
    seeds = told.column("accuracy", "seed")
    repeats = f"{len(seeds)} seeds" if seeds else "several seeds"
    size = told.parameter("k")
    ranked = "by the total Sobol' index [sobol2001; jansen1999]"
    if told.parameter("order"):
        ranked = f"in the given order ({value_text(told.parameter('order'))})"
    elif told.parameter("runs"):
        ranked += f" of run {value_text(told.parameter('runs'))}"
    elif told.parameter("n"):
        ranked += f", estimated with N = {count(told.parameter('n'))} points"
    paragraph = (
        f"To see whether the leading factors suffice, the architecture of {told.network} was trained anew, from new "
        f"random weights, on all factors of {told.table} and on the {f'{size} ' if size else ''}most and least "
        f"important ones, ranked {ranked}, with {repeats} each. What the networks learnt was measured on the training "
        "and the test rows, as by Miao and Matveev [miao2025]."
    )
    return MethodsText(
        paragraph,
        (
            "Differences smaller than the spread over the seeds mean nothing, and that spread is of the training "
            "alone: few test rows make every accuracy uncertain.",
            "Factors that carry the same information can replace each other.",
            "The factors were ranked with the same data and one trained model; another split can rank them otherwise.",
        ),
    )


def _training(told: Told) -> MethodsText:
    recipe = told.parameter("recipe", {})
    settings = f" ({value_text(recipe)})" if recipe else ""
    architecture = told.parameter("architecture") or "network"
    paragraph = (
        f"A network of architecture {architecture} was trained on {told.table}{settings}, "
        f"seed {told.record.get('seed')}."
    )
    return MethodsText(
        paragraph, ("Accuracy on rows used for training is too good; judge the network by rows it has not seen.",)
    )


def _any(told: Told) -> MethodsText:
    key, revision = told.record.get("analysis") or "?", told.record.get("revision", 1)
    on = [part for part in (told.network if told.record.get("model_name") else "", told.table) if part]
    summary = f": {told.summary.rstrip('.')}" if told.summary else ""
    return MethodsText(
        f"The analysis “{key}” (revision {revision}) was run on {listed(on)}{summary}. "
        f"Its parameters are listed below; seed {told.record.get('seed')}."
    )


def _programs(told: Told) -> str:
    versions = told.record.get("versions") or {}
    named = {"sensiview": "SensiView", "torch": "PyTorch", "numpy": "NumPy", "python": "Python"}
    shown = [f"{word} {versions[key]}" for key, word in named.items() if versions.get(key)]
    device = told.record.get("device")
    where = f" on {device}" if device and device != "auto" else ""
    if not shown:
        return ""
    text = f"Computed with {listed(shown)}{where}"
    return f"{text}; networks run in PyTorch [ansel2024]." if versions.get("torch") else f"{text}."


_BY_ANALYSIS: Mapping[str, Callable[[Told], MethodsText]] = {
    "sobol": sobol,
    "first_layer_sensitivity": _first_layer,
    "pca": _pca,
    "feature_subset": _feature_subset,
    "training": _training,
    **methods_volumes.BY_ANALYSIS,
    **methods_screening.BY_ANALYSIS,
    **methods_images.BY_ANALYSIS,
}
