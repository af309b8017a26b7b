"""What a result says, in a few sentences for somebody who reads no tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.reporting.wording import listed, number, percent, uncertain

if TYPE_CHECKING:
    import pandas as pd

_MOST_OUTPUTS = 3
_LONG = 160
# A full stop behind more than a single letter ("N. Name"), then a capital or an output's number ("1: ").
_END = re.compile(r"(?<=[\w)\]%'”][.!?])(?<!\s[A-Za-z]\.) (?=[A-Z“‘']|\d+: )")
_LEADING = 3


def findings(items: Mapping[str, Item]) -> list[str]:
    """Return the sentences for the items of one run; empty when none of them is understood.

    An analysis that says in a note what its result means is taken at its word.
    """
    notes = [item.text.strip() for item in items.values() if isinstance(item, Note)]
    if notes:
        return [sentence for note in notes for sentence in _sentences(note)]
    said: list[str] = []
    for name, item in items.items():
        if isinstance(item, IndexTable) and len(item.frame):
            columns = set(item.frame.columns)
            if name == "first_total" and {"output", "factor", "S1", "ST"} <= columns:
                said += _first_total(item)
            elif name == "relative" and {"factor", "value"} <= columns:
                said += _relative(item.frame)
            elif name == "explained_variance":
                said += _explained(item)
            elif name == "accuracy" and {"subset", "test"} <= columns:
                said += _accuracy(item.frame)
    return said


def _sentences(text: str) -> list[str]:
    """Return a note's lines; a long line sentence by sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [part for line in lines for part in (_END.split(line) if len(line) > _LONG else [line])]


def _first_total(item: IndexTable) -> list[str]:
    said: list[str] = []
    outputs = list(dict.fromkeys(item.frame["output"]))
    for output in outputs[:_MOST_OUTPUTS]:
        rows = item.frame[item.frame["output"] == output]
        known = rows[rows["ST"].notna()].sort_values("ST", ascending=False)
        if known.empty:
            said.append(f"{output}: no index could be computed, because the output does not vary.")
            continue
        ranked = _records(known)
        leading = [f"{row['factor']} (ST = {uncertain(row['ST'], row.get('ST_conf'))})" for row in ranked[:_LEADING]]
        said.append(
            f"{output}: the factors with the largest total index are {listed(leading)}. "
            "The total index is the share of the output's variance in which a factor has a part."
        )
        alone = float(known["S1"].sum())
        if 0 < alone <= 1:
            said.append(
                f"{output}: the factors on their own explain {percent(alone)} of the variance; the other "
                f"{percent(1 - alone)} come from factors acting together."
            )
        idle = [str(row["factor"]) for row in ranked if _includes_zero(row)]
        if idle:
            said.append(f"{output}: no influence was found of {listed(idle)} (the interval of ST includes 0).")
    if len(outputs) > _MOST_OUTPUTS:
        said.append(f"The tables hold {len(outputs) - _MOST_OUTPUTS} more outputs.")
    return said


def _relative(frame: pd.DataFrame) -> list[str]:
    said = []
    layers = list(dict.fromkeys(frame["layer"])) if "layer" in frame else [""]
    for layer in layers[:_MOST_OUTPUTS]:
        rows = frame[frame["layer"] == layer] if layer else frame
        leading = _records(rows.sort_values("value", ascending=False).head(_LEADING))
        names = [f"{row['factor']} ({number(row['value'], 3)})" for row in leading]
        where = f"Layer {layer}" if layer else "The layer"
        said.append(f"{where} answers most to a small relative change of {listed(names)}.")
    return said


def _explained(item: IndexTable) -> list[str]:
    for column in item.values:
        shares = item.frame[column]
        total = float(shares.sum())
        if 0 < total <= 1.0001:
            word = "component explains" if len(shares) == 1 else f"{len(shares)} components together explain"
            return [f"The first {word} {percent(total)} of the variance of the data."]
    return []


def _accuracy(frame: pd.DataFrame) -> list[str]:
    said = []
    for subset, rows in frame.groupby("subset", sort=False):
        spread = f" (standard deviation {percent(float(rows['test'].std(ddof=1)))})" if len(rows) > 1 else ""
        said.append(
            f"Trained on {subset}: {percent(float(rows['test'].mean()))}{spread} of the test rows are "
            f"classified correctly ({len(rows)} training{'s' if len(rows) != 1 else ''})."
        )
    return said


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _includes_zero(row: Mapping[str, Any]) -> bool:
    low = row.get("ST_low")
    if low is None or math.isnan(low):
        low = row["ST"] - row.get("ST_conf", math.nan)
    return bool(low <= 0)
