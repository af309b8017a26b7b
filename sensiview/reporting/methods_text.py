"""The methods paragraph of each analysis, as a paper would print it, and its limits in plain words.

Marks such as ``[sobol2001]`` name works of `sensiview.reporting.bibliography`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sensiview.analysis.items import Curve, IndexTable, Item
from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.reporting.wording import count, listed, percent, value_text

_WORDS = {"auto": "output", "probability": "predicted probability", "logit": "logit", "loss": "cross-entropy loss"}


@dataclass(frozen=True)
class MethodsText:
    """One paragraph on what was done, and sentences on what the result can't say."""

    paragraph: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What a paragraph is written from: the run's record, its items, and the cards where they are known."""

    record: Mapping[str, Any]
    items: Mapping[str, Item]
    dataset: DatasetCard | None = None
    model: ModelCard | None = None
    # First line of the analysis's help, for analyses that have no paragraph of their own.
    summary: str = ""

    def parameter(self, name: str, default: Any = None) -> Any:
        """Return a parameter's value."""
        value = self.record.get("parameters", {}).get(name)
        return default if value is None else value

    @property
    def network(self) -> str:
        """The model in words."""
        name = f"“{self.record.get('model_name') or 'the model'}”"
        if self.model is None or not self.model.architecture:
            return name
        size = f" with {count(self.model.n_parameters)} parameters" if self.model.n_parameters else ""
        return f"{name} (architecture {self.model.architecture}{size})"

    @property
    def table(self) -> str:
        """The data in words."""
        name = f"“{self.record.get('dataset_name') or 'the data'}”"
        return f"{name} ({count(self.dataset.n_rows)} rows)" if self.dataset and self.dataset.n_rows else name

    def column(self, item: str, column: str) -> list[Any]:
        """Return the distinct values of a column of a table or curve, in order; empty without it."""
        found = self.items.get(item)
        if not isinstance(found, IndexTable | Curve) or column not in found.frame:
            return []
        return list(dict.fromkeys(found.frame[column].tolist()))


def methods_text(told: Told) -> MethodsText:
    """Return the paragraph and the limits for a run."""
    key = "training" if told.record.get("kind") == "training" else str(told.record.get("analysis", ""))
    specific = _BY_ANALYSIS.get(key, _any)(told)
    return MethodsText(f"{specific.paragraph} {_programs(told)}", specific.limits)


def _sobol(told: Told) -> MethodsText:
    factors = told.column("first_total", "factor") or list(told.dataset.features if told.dataset else ())
    second = bool(told.parameter("second_order", default=False))
    base, many = int(told.parameter("n", 0)), len(factors)
    rows = base * (2 * many + 2 if second else many + 2)
    confidence = percent(float(told.parameter("confidence", 0.95)))
    sentences = [
        f"Global sensitivity of {told.network} was measured with Sobol' indices [sobol2001], as applied to neural "
        f"networks by Miao and Matveev [miao2025], with respect to the "
        f"{many if many else ''} input factors {listed([str(factor) for factor in factors[:20]]) or 'of the data'}"
        f"{' and others' if many > 20 else ''} of {told.table}.".replace("  ", " "),
        _distributions(told),
        f"The output was the {_output(told)}.",
        f"The design was a scrambled Sobol' sequence [sobol1967; owen1998] (seed {told.record.get('seed')}) of "
        f"N = {count(base)} points, expanded to the matrices A, B, AB{' and BA' if second else ''} of Saltelli "
        f"[saltelli2002], {count(rows)} rows{_evaluated(told, rows)}."
        if base and many
        else "The design was a scrambled Sobol' sequence [sobol1967; owen1998].",
        "On standardised outputs, in double precision, the first-order index S1 was estimated as in Saltelli et al. "
        "[saltelli2010] and the total index ST as in Jansen [jansen1999]"
        + (", the second-order index S2 as in Saltelli [saltelli2002]" if second else "")
        + "; the estimators are those of SALib [herman2017; iwanaga2022].",
        f"Uncertainty comes from {told.parameter('resamples', 100)} bootstrap resamples [archer1997]: normal "
        f"{confidence} intervals (±) and percentile bounds.",
    ]
    if groups := told.parameter("groups"):
        sentences.append(f"Factors were varied in groups: {value_text(groups)}.")
    if width := told.parameter("stop_width"):
        sentences.append(f"Sampling was to stop when no interval was wider than {value_text(width)}.")
    if told.record.get("extends"):
        sentences.append(f"The run extends {told.record['extends']}, whose evaluations it re-uses.")
    limits = (
        "The indices describe the model, not the patients: a factor that the model ignores can matter in medicine, "
        "and the reverse.",
        "All factors are varied independently of each other over the stated ranges, so the model is also asked about "
        "combinations that do not occur in the data. Other ranges give other indices.",
        "An index says how much of the output's variance a factor has a part in. It gives no direction "
        "(raising or lowering) and no cause.",
        "Estimates near zero can be slightly negative, and S1 can exceed ST, by sampling error. Read them with their "
        f"intervals, which hold the true value in about {confidence} of repetitions, if N is large enough: see the "
        "convergence curve.",
    )
    return MethodsText(" ".join(sentence for sentence in sentences if sentence), limits)


def _distributions(told: Told) -> str:
    given, bounds = told.parameter("distributions"), told.parameter("bounds")
    if isinstance(given, Mapping) and given:
        return f"Distributions of the factors: {value_text(given)}; all others uniform between minimum and maximum."
    if isinstance(given, str) and given not in ("uniform", ""):
        return f"Each factor followed the distribution “{given}”, fitted to its column."
    if isinstance(bounds, Mapping) and bounds:
        stated = "; ".join(f"{name} {_range(values)}" for name, values in bounds.items())
        return (
            f"Factors were uniform within these bounds: {stated}; "
            "all others between the minimum and maximum of their column."
        )
    return "Each factor was uniform between the minimum and the maximum of its column."


def _range(values: Any) -> str:
    if isinstance(values, list | tuple) and len(values) == 2:
        return f"[{value_text(values[0])}, {value_text(values[1])}]"
    return value_text(values)


def _output(told: Told) -> str:
    wanted = told.parameter("output", "auto")
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    words = [_WORDS.get(str(kind), f"activation of every unit of layer {kind}") for kind in kinds]
    if kinds == ["auto"] and told.model is not None and told.model.emits != "value":
        words = [_WORDS["probability"]]
    target = told.parameter("target", "all")
    outputs = [str(output) for output in told.column("first_total", "output")]
    if target not in ("all", None):
        return f"{listed(words)} of {value_text(target)}"
    return f"{listed(words)} ({listed(outputs)})" if 0 < len(outputs) <= 6 else listed(words)


def _evaluated(told: Told, rows: int) -> str:
    evaluations = int(told.record.get("evaluations") or 0)
    return f", of which {count(evaluations)} were evaluated in this run" if 0 < evaluations < rows else ""


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
    target = told.parameter("target")
    rows = f"of class {value_text(target)} " if target not in (None, "all") else ""
    paragraph = (
        f"A principal component analysis [jolliffe2016] was made of the rows {rows}of {told.table}, each column "
        f"standardised to mean 0 and standard deviation 1; {value_text(k)} components were kept. As by Miao and "
        "Matveev [miao2025], the importance of a factor is the sum of the absolute values of its loadings over these "
        "components, normalised to sum 1."
    )
    return MethodsText(
        paragraph,
        (
            "This looks at the data alone: it says nothing about the model.",
            "Components describe linear relations only, and their signs are arbitrary.",
        ),
    )


def _feature_subset(told: Told) -> MethodsText:
    seeds = told.column("accuracy", "seed")
    repeats = f"{len(seeds)} seeds" if seeds else "several seeds"
    paragraph = (
        f"To see whether the leading factors suffice, the architecture of {told.network} was trained anew on subsets "
        f"of the factors of {told.table}, the most and the least important by total Sobol' index "
        f"[sobol2001; jansen1999], with {repeats}, and its accuracy measured on the training and the test rows, as by "
        "Miao and Matveev [miao2025]."
    )
    return MethodsText(
        paragraph,
        (
            "Differences smaller than the spread over the seeds mean nothing.",
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
    "sobol": _sobol,
    "first_layer_sensitivity": _first_layer,
    "pca": _pca,
    "feature_subset": _feature_subset,
    "training": _training,
}
