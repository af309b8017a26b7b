"""The methods paragraph of Sobol' indices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensiview.reporting.methods_told import MethodsText, Told
from sensiview.reporting.wording import count, listed, percent, value_text

_WORDS = {"auto": "output", "probability": "predicted probability", "logit": "logit", "loss": "cross-entropy loss"}
_MOST_NAMED = 20
_LIMITS = (
    "The indices describe the model, not the patients: a factor that the model ignores can matter in medicine, "
    "and the reverse.",
    "All factors are varied independently of each other over the stated ranges, so the model is also asked about "
    "combinations that do not occur in the data. Other ranges give other indices.",
    "An index says how much of the output's variance a factor has a part in. It gives no direction "
    "(raising or lowering) and no cause.",
    "Estimates near zero can be slightly negative, and S1 can exceed ST, by sampling error. Read them with their "
    "intervals, and see in the convergence curve whether they have settled.",
)


def sobol(told: Told) -> MethodsText:
    """Return what was varied, how, what was looked at, and with which estimators and intervals."""
    sentences = (
        _subject(told),
        _distributions(told),
        f"The output was the {_output(told)}.",
        _design(told),
        _estimators(told),
        _intervals(told),
        _stops(told),
    )
    return MethodsText(" ".join(sentence for sentence in sentences if sentence), _LIMITS)


def _factors(told: Told) -> list[str]:
    found = told.column("first_total", "factor") or list(told.dataset.features if told.dataset else ())
    return [str(factor) for factor in found]


def _second_order(told: Told) -> bool:
    return bool(told.parameter("second_order", default="second_order" in told.items))


def _subject(told: Told) -> str:
    factors = _factors(told)
    named = listed(factors[:_MOST_NAMED]) + (" and others" if len(factors) > _MOST_NAMED else "")
    about = f"the {len(factors)} input factors {named}" if factors else "the input factors"
    sentence = (
        f"Global sensitivity of {told.network} was measured with Sobol' indices [sobol2001], as applied to neural "
        f"networks by Miao and Matveev [miao2025], with respect to {about} of {told.table}."
    )
    if fixed := told.parameter("fixed"):
        sentence += f" Held fixed were {value_text(fixed)}."
    if groups := told.parameter("groups"):
        sentence += f" Factors were varied in groups: {value_text(groups)}."
    return sentence


def _distributions(told: Told) -> str:
    given, bounds, rows = told.parameter("distributions"), told.parameter("bounds"), told.parameter("rows", "all")
    among = "" if rows == "all" else f" among rows {value_text(rows)}"
    default = f"uniform between the minimum and the maximum of its column{among}"
    if isinstance(given, str) and given not in ("uniform", ""):
        return f"Each factor was drawn from the distribution \u201c{given}\u201d of its column{among}."
    if isinstance(given, Mapping) and given:
        return f"Distributions: {value_text(given)}; every other factor was {default}."
    if isinstance(bounds, Mapping) and bounds:
        stated = "; ".join(f"{name} {_range(values)}" for name, values in bounds.items())
        return f"Factors were uniform within {stated}; every other factor was {default}."
    if isinstance(bounds, list) and bounds:
        stated = "; ".join(f"{name} {_range(values)}" for name, values in zip(_factors(told), bounds, strict=False))
        return f"Factors were uniform within {stated}."
    return f"Each factor was {default}."


def _range(values: Any) -> str:
    if isinstance(values, list | tuple) and len(values) == 2:
        return f"[{value_text(values[0])}, {value_text(values[1])}]"
    return value_text(values)


def _output(told: Told) -> str:
    wanted = told.parameter("output", "auto")
    kinds = [part.strip() for part in wanted.split(",")] if isinstance(wanted, str) else [str(kind) for kind in wanted]
    words = [_WORDS.get(kind, f"activation of every unit of layer {kind}") for kind in kinds]
    if "auto" in kinds and told.model is not None and told.model.emits != "value":
        words[kinds.index("auto")] = _WORDS["probability"]
    target = told.parameter("target", "all")
    outputs = [str(output) for output in told.column("first_total", "output")]
    if target != "all":
        return f"{listed(words)} (class {value_text(target)})"
    return f"{listed(words)} ({listed(outputs)})" if 0 < len(outputs) <= 6 else listed(words)


def _design(told: Told) -> str:
    reached = [int(n) for n in told.column("convergence", "N")]
    base, many, second = max(reached, default=int(told.parameter("n", 0))), len(_factors(told)), _second_order(told)
    sequence = "The design was a scrambled Sobol' sequence [sobol1967; owen1998]"
    if not base or not many:
        return f"{sequence}."
    rows = base * (2 * many + 2 if second else many + 2)
    evaluations = int(told.record.get("evaluations") or 0)
    part = f", of which this run evaluated {count(evaluations)}" if 0 < evaluations < rows else ""
    extends = told.record.get("extends")
    reused = f" and took the others from run {extends}" if part and extends else ""
    return (
        f"{sequence} (seed {told.record.get('seed')}) of N = {count(base)} points, expanded to the matrices A, B, "
        f"AB{' and BA' if second else ''} of Saltelli [saltelli2002]: {count(rows)} rows{part}{reused}."
    )


def _estimators(told: Told) -> str:
    second = ", the second-order index S2 as in Saltelli [saltelli2002]" if _second_order(told) else ""
    return (
        "On standardised outputs, in double precision, the first-order index S1 was estimated as in Saltelli et al. "
        f"[saltelli2010] and the total index ST as in Jansen [jansen1999]{second}; the estimators are those of SALib "
        "[herman2017; iwanaga2022]. Rows with an output that is not finite were left out together with all that "
        "belong to their base point."
    )


def _intervals(told: Told) -> str:
    confidence = percent(float(told.parameter("confidence", 0.95)))
    resamples = count(told.parameter("resamples", 100))
    bounds = (
        "low and high bounds are percentiles of the same resamples"
        if told.parameter("interval", "percentile") == "percentile"
        else "low and high bounds are Student's t intervals over eight batches of the quasi-random design [snyder2000]"
    )
    return (
        f"The half widths (\u00b1) are normal {confidence} intervals from {resamples} bootstrap resamples "
        f"[archer1997]; {bounds}."
    )


def _stops(told: Told) -> str:
    rules = []
    if width := told.parameter("stop_width"):
        rules.append(f"no interval of S1 and ST was wider than \u00b1 {value_text(width)}")
    if seconds := told.parameter("max_seconds"):
        rules.append(f"another doubling of N would have passed {value_text(seconds)} s")
    return f"N was doubled until {' or '.join(rules)}, at most to {count(told.parameter('n', 0))}." if rules else ""
