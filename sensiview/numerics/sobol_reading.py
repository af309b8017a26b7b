"""What Sobol' indices say in words, and which numbers not to trust yet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.input_space import InputSpace
from sensiview.numerics.sobol_indices import Estimate, Indices

# Half width from which an index counts as too uncertain; Sarrazin, Pianosi and Wagener (2016) ask for 0.025 to 0.05.
WIDE = 0.05
# A factor whose total index is at least this takes part in the order that is watched for stability.
_COUNTS = 0.05
_MOST_OUTPUTS = 3
_STRONG_CORRELATION = 0.5
_MOST_CORRELATED = 500

Column = Literal["S1", "ST"]
FindingKind = Literal["includes_zero", "S1_above_ST", "n_too_small"]


@dataclass(frozen=True)
class Finding:
    """A mark on one index: output and factor by number, ``S1`` or ``ST``."""

    output: int
    factor: int
    column: Column
    kind: FindingKind
    sentence: str


def findings(stages: Sequence[Indices], outputs: Sequence[str], factors: Sequence[str]) -> list[Finding]:
    """Return the marks on the last stage; a constant output has none.

    ``includes_zero``: the interval +- conf holds 0. ``S1_above_ST``: S1 exceeds ST, which no model does, by more than
    both intervals. ``n_too_small``: the index is negative beyond its interval, has moved by more than the intervals
    since N/2, or is uncertain by more than 0.05.
    """
    last = stages[-1]
    before = stages[-2] if len(stages) > 1 and 2 * stages[-2].n == last.n else None
    found: list[Finding] = []

    def add(
        where: NDArray[np.bool_], column: Column, kind: FindingKind, say: Callable[[str, tuple[int, int]], str]
    ) -> None:
        for output, factor in np.argwhere(where).tolist():
            named = factors[factor] if len(outputs) == 1 else f"{factors[factor]} for {outputs[output]}"
            found.append(Finding(output, factor, column, kind, say(named, (output, factor))))

    kinds: tuple[tuple[Column, Estimate, Estimate | None], ...] = (
        ("S1", last.first, before.first if before else None),
        ("ST", last.total, before.total if before else None),
    )
    with np.errstate(invalid="ignore"):  # comparisons with NaN are false, as wanted
        for column, now, then in kinds:
            negative = now.value < -now.conf
            moved = np.zeros_like(negative)
            if then is not None:
                moved = (np.abs(now.value - then.value) > now.conf + then.conf) & ~negative
            wide = (now.conf > WIDE) & ~negative & ~moved
            add(negative, column, "n_too_small", partial(_say_negative, column, last.n))
            add(moved, column, "n_too_small", partial(_say_moved, column, last.n, now, then))
            add(wide, column, "n_too_small", partial(_say_wide, column, last.n, now))
            add(np.abs(now.value) <= now.conf, column, "includes_zero", partial(_say_zero, column))
        above = last.first.value - last.first.conf > last.total.value + last.total.conf
        add(above, "S1", "S1_above_ST", partial(_say_above, last.n))
    return sorted(found, key=lambda mark: (mark.output, mark.factor, mark.column))


def _say_negative(column: Column, n: int, name: str, _: tuple[int, int]) -> str:
    return f"{column} of {name} is negative beyond its interval: N = {n:,} is too small."


def _say_moved(column: Column, n: int, now: Estimate, then: Estimate | None, name: str, place: tuple[int, int]) -> str:
    was = "" if then is None else f"was {then.value[place]:.3f} at N = {n // 2:,} and "
    return f"{column} of {name} {was}is {now.value[place]:.3f} now: it has not settled."


def _say_wide(column: Column, n: int, now: Estimate, name: str, place: tuple[int, int]) -> str:
    return f"{column} of {name} is uncertain by ± {now.conf[place]:.2g}: N = {n:,} is too small."


def _say_zero(column: Column, name: str, _: tuple[int, int]) -> str:
    alone = " of this factor alone" if column == "S1" else ""
    return f"The interval of {column} of {name} includes 0: no influence{alone} is shown."


def _say_above(n: int, name: str, _: tuple[int, int]) -> str:
    return (
        f"S1 of {name} is above its ST by more than the intervals, which can't be: N = {n:,} is too small, or too many "
        "evaluations were left out."
    )


def settled_since(stages: Sequence[Indices], output: int) -> int | None:
    """Return the N from which the order of the factors by ST stayed as it is now; None when only now.

    Only factors with ST of at least 0.05 are looked at.
    """
    since = None
    now = _order(stages[-1], output)
    for stage in reversed(stages):
        if _order(stage, output) != now:
            break
        since = stage.n
    return since if since != stages[-1].n or len(stages) == 1 else None


def _order(stage: Indices, output: int) -> tuple[int, ...]:
    total = stage.total.value[output]
    return tuple(i for i in rank(total) if total[i] >= _COUNTS)


def rank(values: NDArray[np.float64]) -> tuple[int, ...]:
    """Return positions from the largest value to the smallest; NaN last, ties in order."""
    return tuple(int(i) for i in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable"))


def suggested_n(indices: Indices) -> int:
    """Return the power of two at which the widest interval would fall below 0.05, if it shrinks like 1/sqrt(N)."""
    return 1 << math.ceil(math.log2(max(indices.n * (indices.width() / WIDE) ** 2, 2)))


def reading(
    stages: Sequence[Indices],
    outputs: Sequence[str],
    factors: Sequence[str],
    reason: str,
    layers: Mapping[str, slice],
) -> list[str]:
    """Return sentences on the result: who leads, how much is interaction, whether N suffices, what was left out.

    Parameters
    ----------
    stages : sequence of Indices
        The last is the result.
    outputs, factors : sequence of str
        Their names.
    reason : str
        What ended the study: ``n``, ``width`` or ``time``.
    layers : mapping
        Outputs that are the units of one layer; a layer is spoken of as a whole.
    """
    last = stages[-1]
    units = {output for part in layers.values() for output in range(*part.indices(len(outputs)))}
    varying = [int(output) for output in np.flatnonzero(~last.constant)]
    single = [output for output in varying if output not in units]
    spoken = single[:_MOST_OUTPUTS]
    said = [_about_output(stages, output, outputs[output], factors) for output in spoken]
    if len(single) > len(spoken):
        said.append(f"{len(single) - len(spoken):,} more outputs are in the table.")
    said += [_about_layer(last, layer, part, factors) for layer, part in layers.items()]
    if varying:
        said.append(_about_n(stages, outputs, factors, reason))
    constant = [outputs[int(i)] for i in np.flatnonzero(last.constant) if last.excluded[i] < last.n]
    if constant:
        said.append(
            f"{_named(constant)} {'does' if len(constant) == 1 else 'do'} not vary at all over these inputs, so there "
            "are no indices (empty cells). Look at another output, or widen the bounds."
        )
    return said + left_out(last, outputs)


def left_out(indices: Indices, outputs: Sequence[str]) -> list[str]:
    """Return a sentence for each number of base points that were left out since an answer is not finite."""
    by_count: dict[int, list[str]] = {}
    for name, count in zip(outputs, indices.excluded, strict=True):
        if count:
            by_count.setdefault(int(count), []).append(name)
    found = []
    for count, names in by_count.items():
        if count == indices.n:
            found.append(
                f"{_named(names)}: the model gave no finite number for any of the {count:,} base points, so there are "
                "no indices. Look at the bounds and at the model's weights."
            )
        else:
            found.append(
                f"{_named(names)}: {count:,} of {indices.n:,} base points ({100 * count / indices.n:.2g} %) are left "
                "out, since the model gave no finite number for one of their rows. The indices describe the rest of "
                "the input space; narrower bounds would avoid it."
            )
    return found


def about_inputs(space: InputSpace, data: NDArray[np.float64]) -> list[str]:
    """Say what was sampled, and which columns are correlated although the design takes them as independent.

    `data` holds the rows that the factors come from, shape (rows, factors), in the order of `space.factors`.
    """
    shown = [f"{factor.name} {factor.words()}" for factor in space.factors[:20]]
    more = f" and {len(space.factors) - 20:,} more" if len(space.factors) > 20 else ""
    said = [f"Sampled independently: {'; '.join(shown)}{more}."]
    if space.fixed:
        said.append("Held fixed: " + ", ".join(f"{name} = {value:g}" for name, value in space.fixed.items()) + ".")
    complete = data[np.isfinite(data).all(axis=1)]
    varying = np.flatnonzero(np.ptp(complete, axis=0) > 0) if len(complete) > 2 else np.empty(0, dtype=np.int64)
    if 1 < len(varying) <= _MOST_CORRELATED:
        r = np.triu(np.corrcoef(complete[:, varying].T), 1)
        i, j = np.unravel_index(int(np.abs(r).argmax()), r.shape)
        if abs(r[i, j]) >= _STRONG_CORRELATION:
            first, second = (space.factors[int(varying[k])].name for k in (i, j))
            said.append(
                f"In the data, {first} and {second} are correlated (r = {r[i, j]:.2f}); the design varies them "
                "independently, so it also asks about combinations that do not occur."
            )
    return said


def _about_output(stages: Sequence[Indices], output: int, name: str, factors: Sequence[str]) -> str:
    last = stages[-1]
    first, total = last.first.value[output], last.total.value[output]
    if np.isnan(first).any():
        return f"{name}: no indices at N = {last.n:,}, since the model gave the same value for all of A and B."
    order = rank(first)
    lead = order[0]
    words = [
        f"{name}: {factors[lead]} leads with S1 = {first[lead]:.3f} ± {last.first.conf[output][lead]:.2g} "
        f"(ST = {total[lead]:.3f})"
    ]
    followers = [f"{factors[i]} ({first[i]:.3f})" for i in order[1:4] if first[i] > last.first.conf[output][i]]
    text = words[0] + (f", before {_listed(followers)}. " if followers else ". ")
    together = float(first.sum())
    if together >= 1:
        text += f"First-order effects explain all of the variance (sum of S1 = {together:.2f}). "
    else:
        share = f"{100 * max(together, 0):.0f} %"
        text += f"First-order effects together explain {share} of the variance, interactions the rest. "
    idle = [
        factors[i] for i in range(len(factors)) if total[i] - last.total.conf[output][i] <= 0 or total[i] < WIDE / 10
    ]
    if idle:
        text += f"Hardly any influence: {_listed(idle[:10])}{' and others' if len(idle) > 10 else ''}. "
    since = settled_since(stages, output)
    if len(stages) > 1:
        text += (
            f"The order by ST (where ST is at least {_COUNTS}) has been the same since N = {since:,}."
            if since is not None
            else "The order by ST has changed in the last doubling: do not rely on it yet."
        )
    return text.strip()


def _about_layer(last: Indices, layer: str, units: slice, factors: Sequence[str]) -> str:
    first, _ = last.of_layer(units)
    if np.isnan(first).any():
        return f"Layer {layer}: none of its units varies."
    order = [i for i in rank(first) if first[i] >= WIDE][:4] or [rank(first)[0]]
    named = _listed([f"{factors[i]} ({first[i]:.3f})" for i in order])
    return f"Layer {layer} as a whole depends most on {named}, the S1 of its units weighted by their variance."


def _about_n(stages: Sequence[Indices], outputs: Sequence[str], factors: Sequence[str], reason: str) -> str:
    last = stages[-1]
    ended = {
        "width": f"The run ended at N = {last.n:,}, when every interval was narrow enough. ",
        "time": f"Time was up at N = {last.n:,}. ",
    }.get(reason, "")
    width = last.width()
    if np.isnan(width):
        return ended + f"N = {last.n:,} is too small to say how certain the indices are."
    if width <= WIDE:
        return ended + f"N = {last.n:,} suffices: no interval is wider than ± {width:.2g}."
    column, widest = max(
        (("S1", last.first.conf), ("ST", last.total.conf)), key=lambda pair: float(np.nanmax(pair[1], initial=0.0))
    )
    output, factor = np.unravel_index(int(np.nanargmax(widest)), widest.shape)
    return (
        f"{ended}N = {last.n:,} is too small: the widest interval is ± {width:.2g} ({column} of {factors[int(factor)]} "
        f"for {outputs[int(output)]}). About N = {suggested_n(last):,} brings it below ± {WIDE}; extend the run, its "
        "evaluations are re-used."
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _named(names: Sequence[str]) -> str:
    shown = [f"'{name}'" for name in names[:5]]
    return _listed(shown) if len(names) <= 5 else f"{', '.join(shown)} and {len(names) - 5:,} more outputs"
