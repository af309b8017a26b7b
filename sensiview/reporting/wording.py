"""Numbers, times and values as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_DIGITS = 4
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any, digits: int = _DIGITS) -> str:
    """Return a number with so many significant digits, a true minus sign, and a dash for "not a number"."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or type(value).__name__ == "bool_" or not _is_number(value):
        return str(value)
    as_float = float(value)
    if math.isnan(as_float):
        return "–"
    if math.isinf(as_float):
        return "∞" if as_float > 0 else "−∞"
    if as_float == int(as_float) and abs(as_float) < 1e15 and not isinstance(value, float):
        text = f"{int(as_float):,}" if abs(as_float) >= 10_000 else str(int(as_float))
    elif as_float != 0 and not 1e-4 <= abs(as_float) < 1e6:
        mantissa, exponent = f"{as_float:.{digits - 1}e}".split("e")
        text = f"{mantissa}×10{str(int(exponent)).translate(_RAISED)}"
    else:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(as_float)))) if as_float else digits - 1
        text = f"{as_float:.{min(decimals, digits)}f}"
    return _true_minus(text)


def places_for(largest: float, digits: int = 3) -> int | None:
    """Return how many decimals show a column's largest value with so many digits; None for powers of ten."""
    if not math.isfinite(largest) or not 1e-4 <= largest < 1e6:
        return None if largest else digits
    return max(0, digits - 1 - math.floor(math.log10(largest)))


def fixed(value: Any, places: int | None) -> str:
    """Return a number with a fixed number of decimals, as its neighbours in the column have."""
    if places is None or not _is_number(value) or not math.isfinite(float(value)):
        return number(value, 3)
    return _true_minus(f"{float(value):.{places}f}")


def uncertain(value: Any, half: Any, most: int | None = None) -> str:
    """Return ``0.407 ± 0.012``: two digits of the uncertainty, and the value to the same place.

    `most` limits the decimals, so that a column of a table stays readable.
    """
    places = places_of_uncertainty(half, most)
    if places is None or not _is_number(value) or math.isnan(float(value)):
        return fixed(value, most)
    if most is None and not 1e-4 <= max(abs(float(value)), abs(float(half))) < 1e6:
        return f"{number(value, 3)} ± {number(half, 2)}"
    return f"{_true_minus(f'{float(value):.{places}f}')} ± {abs(float(half)):.{places}f}"


def places_of_uncertainty(half: Any, most: int | None = None) -> int | None:
    """Return the decimals that show two digits of an uncertainty, at most `most`; None when there is none."""
    if not _is_number(half) or not math.isfinite(float(half)):
        return None
    width = abs(float(half))
    if not 1e-9 <= width < 1e6:
        return most
    wanted = max(0, 1 - math.floor(math.log10(width)))
    return wanted if most is None else min(wanted, most)


def count(value: Any) -> str:
    """Return a whole number with separators between thousands."""
    return f"{int(value):,}"


def percent(share: float) -> str:
    """Return a share as per cent, three digits at most: ``95 %``, ``37.5 %``."""
    return f"{100 * share:.3g} %".replace("-", "−")


def duration(seconds: float) -> str:
    """Return a time span: ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 7 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(text: str) -> str:
    """Return an ISO 8601 time in local time: ``21 November 2026, 14:02``."""
    try:
        local = datetime.fromisoformat(text).astimezone()
    except ValueError:
        return text
    return f"{local.day} {local:%B %Y, %H:%M}"


def now_text() -> str:
    """Return the time as ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def listed(words: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def value_text(value: Any) -> str:
    """Return a parameter's value in one line."""
    if value is None or value == "" or value in ([], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {value_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(value_text(inner) for inner in value)
    if isinstance(value, int):
        return count(value) if abs(value) >= 10_000 else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _true_minus(text: str) -> str:
    """Return the text with the typographic minus sign, and none before a zero."""
    return text.lstrip("-") if set(text) <= set("-0.") else text.replace("-", "−")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, str)
