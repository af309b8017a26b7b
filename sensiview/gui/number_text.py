"""Numbers as people read them: as many digits as mean something, the full value kept for copying."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np


def short(value: Any, digits: int = 4) -> str:
    """Return a number with `digits` significant digits, anything else as text; empty for missing values."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    if math.isnan(number):
        return "–"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if number == 0:
        return "0"
    exponent = math.floor(math.log10(abs(number)))
    if exponent < -4 or exponent >= 7:
        return f"{number:.{digits - 1}e}"
    text = f"{number:.{max(0, digits - 1 - exponent)}f}"
    # -0.0000 says less than 0, and 12.00 no more than 12.
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals_for(values: np.ndarray[Any, Any], digits: int = 4) -> int | None:
    """Return the decimals that give the largest of `values` `digits` digits, fewer where none of them needs as many.

    None where powers of ten are better.
    """
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest == 0 or bool(np.all(finite == np.round(finite))):
        return 0 if largest < 1e7 else None
    exponent = math.floor(math.log10(largest))
    if exponent < -4 or exponent >= 7:
        return None
    decimals = max(0, digits - 1 - exponent)
    # 23.3 in the file stays 23.3.
    while decimals > 0 and bool(np.all(np.abs(finite - np.round(finite, decimals - 1)) < 1e-9 * largest)):
        decimals -= 1
    return decimals


def aligned(value: float, decimals: int | None) -> str:
    """Return a number with the decimals of its column; one too small for them with digits of its own."""
    if decimals is None or not math.isfinite(value) or 0 < abs(value) < 0.5 * 10.0**-decimals:
        return short(value)
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def full(value: Any) -> str:
    """Return the value with every digit it has: what is copied and what the tooltip shows."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)


def with_half_width(value: float, half: float | None) -> str:
    """Return ``0.407 ± 0.012``: the uncertainty has two digits and the value the same decimals."""
    if half is None or not math.isfinite(half) or not math.isfinite(value) or half <= 0:
        return short(value)
    decimals = min(12, max(0, 1 - math.floor(math.log10(half))))
    return f"{value:.{decimals}f} ± {half:.{decimals}f}"


def with_unit_behind(text: str, unit: str) -> str:
    """Return a number with its unit: a sign behind it, words in brackets, nothing for plain numbers."""
    if not unit or unit == "1":
        return text
    return f"{text} ({unit})" if " " in unit else f"{text} {unit}"


def grouped(count: int) -> str:
    """Return a count with commas between thousands."""
    return f"{count:,}"


def memory(n_bytes: float) -> str:
    """Return bytes in the unit that leaves two or three digits."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            number = n_bytes / size
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"


def duration(seconds: float) -> str:
    """Return a time as people say it: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 days 4 h``."""
    if seconds < 0.1:
        return "less than 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if whole.days:
        return f"{whole.days} day{'s' if whole.days > 1 else ''} {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"
