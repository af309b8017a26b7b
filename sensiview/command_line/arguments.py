"""``name=value`` options, the same for parameters, architecture options and recipes."""

from __future__ import annotations

from sensiview.errors import UserError


def key_values(pairs: list[str]) -> dict[str, str]:
    """Return ``name=value`` options as a mapping; UserError for anything else or a name given twice."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        name = name.strip()
        if not sign or not name:
            raise UserError(f"'{pair}' is not of the form name=value.")
        if name in values:
            raise UserError(f"'{name}' is given twice.")
        values[name] = value
    return values
