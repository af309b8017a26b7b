"""``name=value`` options, the same for parameters, architecture options and recipes; preprocessings from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def read_preprocessing(path: Path) -> dict[str, Any]:
    """Return a preprocessing from a JSON file; UserError when it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON: {error}.") from None
    if not isinstance(value, dict) or "kind" not in value:
        raise UserError(
            f"{path} must hold an object with 'kind': 'none', 'standardise' (with 'mean' and 'std'), 'image' or "
            "'volume'."
        )
    return value


def checked_device(device: str) -> str:
    """Return the name of a device, refusing one that this machine does not have before anything is queued for it."""
    if device not in ("auto", "cpu"):
        from sensiview.models import devices

        devices.resolve(device)
    return device
