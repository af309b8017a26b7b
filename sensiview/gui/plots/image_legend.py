"""What stands beside maps of images: what can be chosen about their colours, the colour bars, and the line above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensiview.analysis.items import Array, FieldMap
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.image_colouring import DIVERGING, SEQUENTIAL
from sensiview.gui.plots.image_scales import CLIPPED, power_text, reaches_below, scale_exponent
from sensiview.gui.plots.image_spans import spanning
from sensiview.gui.plots.image_tile import Bar

_CLIPPED_TEXT = f"clipped at the {CLIPPED:g}th percentile"


def look_choosers(item: FieldMap, *, several: bool, differing: bool) -> list[Chooser]:
    """Return the choices of scale, range, colours, cells and difference."""
    offered = []
    if several:
        scales = (("row", "same in a row"), ("all", "same for all"), ("each", "own for each"))
        offered.append(Chooser("scale", "Scale", scales, usual_scale(item)))
    ends = (("clipped", f"{CLIPPED:g}th percentile"), ("whole", "smallest to largest"))
    offered.append(Chooser("ends", "Range", ends))
    names = DIVERGING if item.signed else SEQUENTIAL
    offered.append(Chooser("colours", "Colours", tuple((name, name) for name in names)))
    if item.spacing is None:
        sizes = tuple((str(n), f"{n} × {n}") for n in (2, 4, 8, 16) if n < min(item.values.shape[-2:]))
        offered.append(Chooser("cells", "Cells", (("1", "pixels"), *sizes)))
    if differing:
        offered.append(Chooser("difference", "Difference", (("no", "no"), ("yes", "second − first"))))
    return offered


def usual_scale(item: FieldMap) -> str:
    """Return which maps share a scale unless the user says otherwise.

    Blocks differ by powers of ten and maps of different kinds have nothing to do with each other's size.
    """
    rows, columns = spanning(item)
    if "map" in (rows, columns) or columns == "block":
        return "each"
    return "row" if "block" in item.axes else "all"


def legend(
    values: Sequence[Sequence[Array]],
    limits: Sequence[Sequence[tuple[float, float]]],
    table: Array,
    *,
    scale: str,
    signed: bool,
    unit: str,
    hidden: float = 0.0,
) -> tuple[list[Bar], list[str]]:
    """Return the colour bars of maps, and what the line above them says of their colours.

    A bar per row, or one where every row has the same scale; shares where each map has its own.

    Parameters
    ----------
    values, limits : sequence of sequences
        Maps (y, x) row by row, and the ends of their colours.
    table : ndarray
        uint8 (256, 3).
    scale : str
        ``all``, ``row`` or ``each``.
    signed : bool
    unit : str
    hidden : float
        Share of the scale below which nothing is drawn.
    """
    unit = "" if unit == "1" else unit
    beyond = [_beyond(row, ends) for row, ends in zip(values, limits, strict=True)]
    anywhere = (any(low for low, _ in beyond), any(high for _, high in beyond))
    told = _not_drawn(hidden, limits, unit) if hidden > 0 else []
    if scale == "each":
        ends = (-1.0, 1.0) if signed else (0.0, 1.0)
        note = _CLIPPED_TEXT if any(anywhere) else ""
        return [Bar(ends, "share of each map's scale", signed, table, anywhere, note, hidden)], told
    by_row = scale == "row" and len(limits) > 1
    if by_row and any(anywhere):
        told = [f"colours {_CLIPPED_TEXT}", *told]
    found = []
    for ((low, high), *_), out in zip(limits, beyond if by_row else [anywhere] * len(limits), strict=True):
        power = scale_exponent(max(abs(low), abs(high)))
        factor = 10.0**power
        # Beside a small row there is no room for more than the power.
        label = power_text(power) if by_row else f"{power_text(power)} {unit}".strip()
        note = _CLIPPED_TEXT if any(out) and not by_row else ""
        found.append(Bar((low / factor, high / factor), label, signed, table, out, note, hidden))
    return found if by_row else found[:1], told


def _beyond(row: Sequence[Array], ends: Sequence[tuple[float, float]]) -> tuple[bool, bool]:
    """Say whether values of a row lie below the low and above the high end of their colours."""
    low = any(reaches_below(one, end[0]) for one, end in zip(row, ends, strict=True))
    return low, any(reaches_below(-one, -end[1]) for one, end in zip(row, ends, strict=True))


def _not_drawn(hidden: float, limits: Sequence[Sequence[tuple[float, float]]], unit: str) -> list[str]:
    ends = {end for row in limits for end in row}
    reach = max(abs(end) for end in next(iter(ends)))
    below = with_unit_behind(short(hidden * reach), unit) if len(ends) == 1 else f"{hidden:.0%} of the scale"
    return [f"nothing drawn below {below}"]


def scale_text(limits: tuple[float, float], *, signed: bool) -> str:
    """Return the ends of a map's own colours as a caption."""
    low, high = limits
    if signed:
        return f"± {short(high, 2)}"
    return f"{short(low, 2)} to {short(high, 2)}" if low else f"to {short(high, 2)}"


def largest_text(values: Array) -> str:
    """Return the largest size of a value as a caption; a dash where there is none."""
    finite = np.abs(values[np.isfinite(values)])
    return f"max {short(float(finite.max()), 2)}" if finite.size else "max –"
